"""One TOML file of a profile: read and checked to the last key, so that a typo is an error with its line."""

from __future__ import annotations

import functools
import os
import tomllib
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from fastanon.errors import UsageError
from fastanon.profiles import table
from fastanon.small_files import read_small

#: What comes with fastanon, and where.
SHIPPED = ("basic", "petmr", "niftypet")
FOLDER = os.path.dirname(os.path.abspath(__file__))

#: The actions of PS3.15 Table E.1-1a that leave no choice.
ACTIONS = "DZXKCU"

_NOT_OFFERED = "clean-recognizable-visual-features"
_TEXTS = ("description", "extends", "private")
_LISTS = ("options", "without", "creators")


class ProfileError(UsageError):
    """A profile that says something unknown or contradicts itself; the message has its file and line."""


class Level(NamedTuple):
    """One file of a profile, as written: what it extends is not yet in it.

    Attributes
    ----------
    path : str
        The file.
    name : str
        Its stem.
    shipped : bool
        Whether it comes with fastanon.
    description : str
        One sentence.
    extends : str
        Path of the file that it extends, or empty.
    options, without : frozenset of str
        Options that it adds to those of its base, and those that it takes away.
    private : str
        ``remove``, ``keep``, or empty where the base decides.
    creators : frozenset of str
        Private creators that are kept.
    actions : Mapping of str to str
        Actions by tag, eight characters with ``x`` for any digit.
    """

    path: str
    name: str
    shipped: bool
    description: str
    extends: str
    options: frozenset[str]
    without: frozenset[str]
    private: str
    creators: frozenset[str]
    actions: Mapping[str, str]


def path_of(name: str, folder: str) -> str:
    """Give the file of a shipped profile, or that of a path relative to a folder."""
    if name in SHIPPED:
        return os.path.join(FOLDER, f"{name}.toml")
    return os.path.abspath(os.path.join(folder, name))


def option_problem(option: str) -> str:
    """Say what is wrong with an option; empty if it is one."""
    if option == _NOT_OFFERED:
        return f"{option} is not offered: fastanon does not look at faces, and never claims 113102"
    return (
        "" if option in table.OPTIONS else f"no option is called {option!r}; there are {', '.join(table.OPTIONS)}"
    )


def read(path: str) -> Level:
    """Read and check one file.

    Parameters
    ----------
    path : str
        An absolute path.

    Raises
    ------
    ProfileError
        If it can't be read, or holds what is unknown or of a wrong type.
    """
    text = _text(path)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{path}: {error}") from error
    except (ValueError, RecursionError):  # what Python itself refuses: numbers of many digits, lists in lists
        raise ProfileError(f"{path}: no profile: a number too long, or nested too deep") from None
    return _Check(path, text, content).level()


def _text(path: str) -> str:
    try:
        return read_small(path).decode("utf-8").replace("\r\n", "\n")
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror}; fastanon comes with {', '.join(SHIPPED)}") from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path}: not UTF-8") from error


class _Check:
    def __init__(self, path: str, text: str, content: dict[str, Any]) -> None:
        self.path = path
        self.text = text
        self.content = content

    def level(self) -> Level:
        for key in self.content:
            if key not in (*_TEXTS, *_LISTS, "actions"):
                self.fail(f"unknown key {key!r}", key)
        return Level(
            path=self.path,
            name=os.path.splitext(os.path.basename(self.path))[0],
            shipped=os.path.dirname(self.path) == FOLDER,
            description=self.string("description"),
            extends=self.base(),
            options=self.chosen("options"),
            without=self.chosen("without"),
            private=self.private(),
            creators=frozenset(self.strings("creators")),
            actions=self.actions(),
        )

    def fail(self, problem: str, key: str, value: str = "") -> NoReturn:
        raise ProfileError(f"{self.path}:{line_of(self.text, key, value)}: {problem}")

    def string(self, key: str) -> str:
        value = self.content.get(key, "")
        return value if isinstance(value, str) else self.fail(f"{key} must be a string", key)

    def strings(self, key: str) -> list[str]:
        value = self.content.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            self.fail(f"{key} must be a list of strings", key)
        return value

    def base(self) -> str:
        if "extends" not in self.content:
            return ""
        name = self.string("extends")
        path = path_of(name, os.path.dirname(self.path))
        return path if os.path.isfile(path) else self.fail(f"extends {name!r}, which is not there", "extends")

    def private(self) -> str:
        value = self.string("private")
        if "private" in self.content and value not in ("remove", "keep"):
            self.fail('private must be "remove" or "keep"', "private")
        return value

    def chosen(self, key: str) -> frozenset[str]:
        options = self.strings(key)
        for option in options:
            problem = option_problem(option)
            if problem:
                self.fail(problem, key, option)
            if key == "without" and option in self.content.get("options", ()):
                self.fail(f"{option} is both in options and in without", key, option)
        return frozenset(options)

    def actions(self) -> dict[str, str]:
        found = self.content.get("actions", {})
        if not isinstance(found, dict):
            self.fail("actions must be a table", "actions")
        actions: dict[str, str] = {}
        for key, action in found.items():
            tag, vr = _attribute(key)
            if not tag:
                self.fail(f"{key!r} is neither the keyword nor the tag of a public attribute", key)
            if tag in actions:
                self.fail(f"{key} names an attribute for the second time", key)
            if not isinstance(action, str) or len(action) != 1 or action not in ACTIONS:
                self.fail(f"the action for {key} must be one of {' '.join(ACTIONS)}", key)
            if action == "U" and vr not in ("UI", "SQ"):
                self.fail(f"U is for UIDs, and {key} is {vr}", key)
            actions[tag] = action
        return actions


def line_of(text: str, key: str, value: str = "") -> int:
    """Give the line, from 1, that sets a key; the one that holds a string in its value, if that is given.

    tomllib has no lines for what it parsed. A key is looked for where one may stand, then anywhere.
    """
    lines = text.splitlines()
    keys = (line.partition("=")[0].strip().strip("[]").rpartition(".")[2].strip(" \"'") for line in lines)
    at = next((n for n, found in enumerate(keys) if found == key), None)
    if at is None:
        at = next((n for n, line in enumerate(lines) if key in line.partition("#")[0]), 0)
    if value:
        quoted = (f'"{value}"', f"'{value}'")
        at = next((n for n, line in enumerate(lines) if n >= at and any(q in line for q in quoted)), at)
    return at + 1


@functools.cache
def _dictionary() -> str:
    # searched as text: parsing five thousand lines would cost more than all the rest of loading a profile
    with open(os.path.join(os.path.dirname(FOLDER), "dictionary.tsv"), encoding="ascii") as file:
        return f"\n{file.read()}"


def _attribute(key: str) -> tuple[str, str]:
    """Give tag and VR of a public attribute by keyword or tag, or two empty strings."""
    tag = key.upper().replace("X", "x")
    lines = _dictionary()
    named = lines.find(f"\t{key}\n") if key.isalnum() else -1
    if named >= 0:
        start = lines.rfind("\n", 0, named)
        tag = lines[start + 1 : start + 9]
    else:
        # one group of many, such as 60003000, stands under its pattern
        start = max(lines.find(f"\n{name}\t") for name in (tag, f"{tag[:2]}xx{tag[4:]}"))
    newer = table.attributes().get(tag)  # than the dictionary
    if len(tag) != 8 or tag[3] in "13579BDF" or (start < 0 and newer is None):
        return "", ""
    return tag, newer.vr if newer else lines[start + 10 : start + 12]
