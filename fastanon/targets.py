"""Where files go: the paths of copies, and of files in place whose names would give the patient away."""

from __future__ import annotations

import os
from typing import NamedTuple

from fastanon.dicomdir import FileNames
from fastanon.errors import UnsupportedError
from fastanon.files import Source
from fastanon.names import Mask, Met, Renamed


class Target(NamedTuple):
    """Where one file is in the end.

    Attributes
    ----------
    path, payload : str
        The file, and its payload, empty where it has none beside it.
    name : str
        Its path below the output folder, or below the folder that was named.
    copied : bool
        Whether it is a copy.
    """

    path: str
    payload: str
    name: str
    copied: bool

    def moves(self, item: Source) -> bool:
        """Whether a file that is changed in place gets another name."""
        return not self.copied and self.path != item.path


class Targets:
    """The paths given so far: names that were cleaned to the same are numbered.

    Parameters
    ----------
    to : str or None
        The output folder; None for files in place.
    mask : Mask
        Cleans names.
    moves : bool
        Whether files in place get cleaned names too.
    """

    def __init__(self, to: str | None, mask: Mask, moves: bool) -> None:
        self._to, self._mask, self._moves = to, mask, moves
        self._taken: set[str] = set()
        self._files: dict[str, str] = {}

    def of(self, item: Source, met: Met) -> Target:
        """Give a file its place."""
        if self._to is None and not self._moves:
            return Target(item.path, item.payload or "", _below(item)[1], False)
        root, name = (self._to, item.name) if self._to is not None else _below(item)
        cleaned = os.path.join(root, self._mask.cleaned(name, met))
        start, endings = _parted(cleaned, item)
        stem, number = start, 2
        while self._is_taken([stem + ending for ending in endings], item):
            stem, number = f"{start}-{number}", number + 1
        path, *beside = (stem + ending for ending in endings)
        inside = _inside(path, root)
        if inside.split(os.sep)[0] == os.pardir:
            raise UnsupportedError("its new name would lead out of its folder", path=item.path)
        self._taken.add(path)
        self._files[item.path] = path
        return Target(path, "".join(beside), inside, self._to is not None)

    def settled(self, item: Source, target: Target, met: Met) -> Target:
        """Give where a file in place is in the end, once the identities of others are known too.

        Of a pair the folders change alone: the header has the name of its data in it already.
        """
        folder, base = os.path.split(target.name)
        loose, kept = (folder, base) if target.payload else (target.name, "")
        cleaned = self._mask.cleaned(loose, met) if self._moves and not target.copied else loose
        path = os.path.join(item.root, cleaned, kept) if kept else os.path.join(item.root, cleaned)
        payload = os.path.join(os.path.dirname(path), os.path.basename(target.payload)) if target.payload else ""
        if cleaned == loose or any(map(os.path.lexists, filter(None, (path, payload)))):
            return target
        return Target(path, payload, os.path.relpath(path, item.root), False)

    def moved(self, item: Source, target: Target) -> None:
        """Remember where a file is now, for a DICOMDIR."""
        self._files[item.path] = target.path

    def _is_taken(self, paths: list[str], item: Source) -> bool:
        """Say whether a file of this run got the first path, or another file is at any of them."""
        own = (item.path, item.payload)
        there = self._to is None and any(path not in own and os.path.lexists(path) for path in paths)
        return paths[0] in self._taken or there

    def file_names(self, path: str, target: str) -> FileNames:
        """Give the new paths of all files so far as a DICOMDIR names them."""
        here, there = os.path.dirname(path), os.path.dirname(target)
        return FileNames({os.path.relpath(o, here): os.path.relpath(n, there) for o, n in self._files.items()})


def renaming(item: Source, target: Target, mask: Mask, met: Met, files: FileNames | None = None) -> Renamed:
    """Say how the names of files follow in one that gets its place."""
    beside = os.path.basename(item.payload or "")
    free = target.copied or target.moves(item)
    names = {beside: os.path.basename(target.payload)} if free else None
    return Renamed(mask, met, names, files, beside)


def _inside(path: str, folder: str) -> str:
    """Give a path from a folder on; the plain case, which most are, without a look at where this process is."""
    start = os.path.join(folder, "")
    inside = path.removeprefix(start)
    plain = path.startswith(start) and os.path.isabs(path) and os.path.normpath(inside) == inside
    return inside if plain else os.path.relpath(path, folder)


def _below(item: Source) -> tuple[str, str]:
    """Give the folder whose name is the user's choice, and the path below it."""
    return item.root, os.path.relpath(item.path, item.root)


def _parted(cleaned: str, item: Source) -> tuple[str, list[str]]:
    """Part a cleaned path into a stem and the endings of the file and of its payload.

    The endings of a pair are those of its format. Of a file alone any part behind a dot may belong to a UID or to
    a name: it comes out of the cleaned path.
    """
    if not item.payload:
        stem, ending = os.path.splitext(cleaned)
        return stem, [ending]
    old = os.path.splitext(item.payload)[0]
    ending = item.path[len(old) :]
    return cleaned.removesuffix(ending), [ending, item.payload[len(old) :]]
