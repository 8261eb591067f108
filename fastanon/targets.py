"""Where files go: the paths of copies, and of files in place whose names would give the patient away."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from fastanon.dicomdir import FileNames
from fastanon.files import Source
from fastanon.identity import Needle
from fastanon.names import Mask


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

    def of(self, item: Source, needles: Iterable[Needle]) -> Target:
        """Give a file its place."""
        if self._to is None and not self._moves:
            return Target(item.path, item.payload or "", item.name, False)
        root = item.path.removesuffix(item.name) if self._to is None else self._to
        stem = os.path.splitext(item.payload or item.path)[0]
        extension = item.path[len(stem) :]
        start = os.path.join(root, self._mask.cleaned(item.name, needles)).removesuffix(extension)
        path, number = start + extension, 2
        while path in self._taken or (self._to is None and path != item.path and os.path.lexists(path)):
            path, number = f"{start}-{number}{extension}", number + 1
        self._taken.add(path)
        self._files[item.path] = path
        payload = path.removesuffix(extension) + item.payload[len(stem) :] if item.payload else ""
        return Target(path, payload, os.path.relpath(path, root), self._to is not None)

    def file_names(self, path: str, target: str) -> FileNames:
        """Give the new paths of all files so far as a DICOMDIR names them."""
        here, there = os.path.dirname(path), os.path.dirname(target)
        return FileNames({os.path.relpath(o, here): os.path.relpath(n, there) for o, n in self._files.items()})
