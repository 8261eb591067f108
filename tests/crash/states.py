"""What may be found of a file: what it was, or what it becomes, and nothing in between."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from fastanon.beside import is_record
from tests.canary import leaks_in

#: Files below a folder: their contents, modes, owners and attributes in one line each.
Snapshot: TypeAlias = Mapping[str, str]

OURS = ".fastanon-"


class HarmError(AssertionError):
    """A file is neither what it was nor what it was to become, or something is left that should not be."""


@dataclass(frozen=True)
class Fate:
    """What may become of one file.

    Attributes
    ----------
    old, new : (path, line) or None
        Before and after; None where a copy is not there yet, or where a journal says that it may not stay.
    between : (path, line) or None
        What it may be besides: as it was, under its new name.
    copied : bool
        Whether it may be missing.
    """

    old: tuple[str, str] | None
    new: tuple[str, str]
    between: tuple[str, str] | None = None
    copied: bool = False

    def found(self, there: Snapshot) -> tuple[str, str]:
        """Say what it is, and where."""
        for state, known in (("new", self.new), ("old", self.old), ("moved", self.between)):
            if known is not None and there.get(known[0]) == known[1]:
                return state, known[0]
        if self.copied and self.new[0] not in there:
            return "old", ""
        raise HarmError("a file is neither old nor new")


def snapshot(root: Path) -> dict[str, str]:
    """Read all below a folder: a file as a line, a folder as an empty one; not what a run notes for the next."""
    lines = {}
    for path in sorted(path for path in root.rglob("*") if not is_record(path.name)):
        name = path.relative_to(root).as_posix()
        lines[name + "/" * path.is_dir()] = "" if path.is_dir() else line_of(path)
    return lines


def line_of(path: Path) -> str:
    """Give a file's contents and what else belongs to it in one line."""
    found = path.stat()
    attributes = {key: os.getxattr(path, key) for key in sorted(os.listxattr(path))}
    owner = f"{stat.S_IMODE(found.st_mode):o} {found.st_uid} {found.st_gid} {found.st_nlink}"
    return f"{hashlib.sha256(path.read_bytes()).hexdigest()} {owner} {attributes}"


def files(there: Snapshot) -> dict[str, str]:
    """Give the files of a snapshot, without folders."""
    return {path: line for path, line in there.items() if not path.endswith("/")}


def ours(there: Snapshot) -> list[str]:
    """Name what is no data."""
    return [path for path in there if Path(path).name.startswith(OURS)]


def differences(there: Snapshot, wanted: Snapshot) -> str:
    """Name what is missing, what is there besides, and what is different."""
    lines = [f"{path} is missing" for path in wanted.keys() - there.keys()]
    lines += [f"{path} is there" for path in there.keys() - wanted.keys()]
    lines += [f"{path} differs" for path in there.keys() & wanted.keys() if there[path] != wanted[path]]
    return ", ".join(sorted(lines))


def judged(fates: Sequence[Fate], there: Snapshot) -> list[str]:
    """Say for each file that changes whether it is old or new.

    Raises
    ------
    HarmError
        If it is neither, or if something is there besides.
    """
    found = [fate.found(there) for fate in fates]
    more = files(there).keys() - {path for _, path in found}
    if more:
        raise HarmError(f"{len(more)} files too many, {len(ours(there))} of them ours")
    return [state for fate, (state, _) in zip(fates, found, strict=True) if fate.old != fate.new]


def beside(root: Path, before: Snapshot, fates: Sequence[Fate]) -> Iterator[Path]:
    """Give the files that a run has made: all but its originals, also where these have moved."""
    moved = {fate.between for fate in fates}
    for path, line in files(snapshot(root)).items():
        if path not in before and (path, line) not in moved:
            yield root / path


def assert_nothing_beside(root: Path, before: Snapshot, fates: Sequence[Fate]) -> None:
    """Make sure that no value of the patient stands in what a run has made, or in its name.

    Raises
    ------
    HarmError
        If one does.
    """
    for path in beside(root, before, fates):
        if leaks_in(path.read_bytes()) or leaks_in(path.name):
            raise HarmError("a value of the patient stands beside the original")
