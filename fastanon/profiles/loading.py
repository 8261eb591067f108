"""Profiles: files that extend one another, with options as sets, and a last word for single attributes."""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fastanon.profiles import table
from fastanon.profiles.reading import SHIPPED, Level, ProfileError, line_of, option_problem, path_of, read

__all__ = ["Profile", "ProfileError", "levels", "load", "names"]

_DATES = {"retain-full-dates", "retain-modified-dates"}


@dataclass(frozen=True)
class Profile:
    """What is done to each attribute.

    Attributes
    ----------
    name : str
        The name of a shipped profile, the stem of a file.
    options : frozenset of str
        The options in force, as `table.OPTIONS` names them.
    actions : Mapping of int to str
        One of ``D Z X K C U`` (PS3.15 Table E.1-1a) by tag.
    repeating : tuple of (int, int, str)
        Mask, tag and action of what holds in many groups, such as (60xx,3000).
    creators : frozenset of str
        Private creators whose elements are kept, and cleaned inside.
    keeps_private : bool
        Whether all other private elements stay too.
    safe : Mapping of (int, int, str) to str
        VR by group, last two digits of the element and creator, of the private elements that are safe to keep
        (PS3.15 Table E.3.10-1).
    codes : tuple of (str, str)
        Code values and meanings (PS3.16 CID 7050) that the profile may claim; none where it is not the standard's.
    """

    name: str
    options: frozenset[str]
    actions: Mapping[int, str]
    repeating: tuple[tuple[int, int, str], ...]
    creators: frozenset[str]
    keeps_private: bool
    safe: Mapping[tuple[int, int, str], str]
    codes: tuple[tuple[str, str], ...]

    def __hash__(self) -> int:
        return hash((self.name, self.options, self.repeating, self.creators, self.keeps_private))

    @functools.cached_property
    def label(self) -> str:
        """How files are marked that it was applied to: its name, and of what is not shipped a digest too."""
        if self.name in names() and self == load(self.name):
            return self.name
        told = (
            sorted(self.actions.items()),
            self.repeating,
            sorted(self.creators),
            self.keeps_private,
            self.options,
        )
        digest = hashlib.blake2b(repr((*told[:4], sorted(told[4]))).encode(), digest_size=4).hexdigest()
        return f"{re.sub(r'[^A-Za-z0-9_.-]+', '_', self.name)[:20]}-{digest}"

    def action(self, tag: int) -> str:
        """Give the action for a public tag, empty where nothing is said of it."""
        found = self.actions.get(tag)
        if found is not None:
            return found
        return next((action for mask, value, action in self.repeating if tag & mask == value), "")


def names() -> tuple[str, ...]:
    """Give the names of the profiles that come with fastanon."""
    return SHIPPED


def levels(name: str | os.PathLike[str]) -> list[Level]:
    """Give the files that make up a profile, what it is based on first.

    Raises
    ------
    ProfileError
        As `load`.
    """
    return list(_upwards(path_of(os.fspath(name), os.curdir)))[::-1]


def load(name: str | os.PathLike[str], options: Iterable[str] = ()) -> Profile:
    """Load a profile.

    Parameters
    ----------
    name : str or os.PathLike
        A name out of `names`, or the path of a TOML file.
    options : iterable of str, optional
        Options beside those of the profile.

    Returns
    -------
    Profile
        Table E.1-1 with the options applied, and the profile's own actions; an option that is added to a profile
        holds for the attributes that it speaks of, whatever the profile says.

    Raises
    ------
    ProfileError
        If a file can't be read, holds what is unknown or of a wrong type, extends itself, or if options exclude
        one another or have no table to apply to.
    """
    extra = list(options)
    for problem in filter(None, map(option_problem, extra)):
        raise ProfileError(problem)
    files = levels(name)
    chosen: set[str] = set()
    for level in files:
        chosen = chosen - level.without | level.options
    return _assemble(files, frozenset(extra), frozenset(chosen.union(extra)))


def _upwards(path: str) -> Iterator[Level]:
    seen: list[str] = []
    while path:
        seen.append(path)
        level = read(path)
        yield level
        path = level.extends
        if path in seen:
            with open(level.path, encoding="utf-8") as file:
                line = line_of(file.read(), "extends")
            raise ProfileError(f"{level.path}:{line}: {path} would extend itself")


def _assemble(files: list[Level], extra: frozenset[str], options: frozenset[str]) -> Profile:
    standard = files[0].shipped and files[0].name == "basic"
    _check(files[-1].path, options, standard)
    rows = {tag: row for tag, row in table.attributes().items() if tag != "odd"} if standard else {}
    said = {tag: table.resolve(row, options) for tag, row in rows.items()}
    for level in files:  # what is said later holds: an option on top of a profile outdoes its actions
        said |= _spoken_of(rows, level.options, options)
        said |= level.actions
    said |= _spoken_of(rows, extra, options)
    creators = frozenset[str]().union(*(level.creators for level in files))
    keeps_private = next((level.private for level in reversed(files) if level.private), "") == "keep"
    own = creators or keeps_private or any(level.actions for level in files)
    return Profile(
        name=files[-1].name,
        options=options,
        actions={int(tag, 16): action for tag, action in said.items() if "x" not in tag},
        repeating=tuple((*_mask(tag), action) for tag, action in said.items() if "x" in tag),
        creators=creators,
        keeps_private=keeps_private,
        safe=table.safe_private() if "retain-safe-private" in options else {},
        codes=_codes(options) if standard and not own else (),
    )


def _spoken_of(rows: dict[str, table.Row], some: frozenset[str], options: frozenset[str]) -> dict[str, str]:
    """Give the actions for attributes of which some of the options speak."""
    return {tag: table.resolve(row, options) for tag, row in rows.items() if some & row.options.keys()}


def _check(path: str, options: frozenset[str], standard: bool) -> None:
    if options and not standard:
        raise ProfileError(f"{path}: options apply to the table of PS3.15, which this profile does not extend")
    if options >= _DATES:
        raise ProfileError(
            f"{path}: retain-full-dates and retain-modified-dates exclude each other; a profile that extends this"
            " one can drop either by `without`"
        )


def _codes(options: frozenset[str]) -> tuple[tuple[str, str], ...]:
    return (table.BASIC, *(code for option, code in table.OPTIONS.items() if option in options))


def _mask(tag: str) -> tuple[int, int]:
    return int("".join("0" if digit == "x" else "F" for digit in tag), 16), int(tag.replace("x", "0"), 16)
