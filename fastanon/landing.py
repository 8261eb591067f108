"""Names for files that are written: each copy gets its own, or takes the place of its original."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import NamedTuple, Self

from fastanon import folders
from fastanon.apply import may_change
from fastanon.beside import reported
from fastanon.errors import AccessError, FileError, UnsupportedError
from fastanon.opened import Identity
from fastanon.rewrite import discard
from fastanon.system import SYSTEM, System

_MOST_FOLDERS = 64

#: Why a copy is refused whose path is taken.
EXISTS = "exists already, not overwritten"


class Landing(NamedTuple):
    """Staged files and the names that they get: a header behind its payload, without which it is of no use.

    Attributes
    ----------
    files : tuple of (str, str)
        Temporary file and path, in order.
    replaced : Identity or None
        The file that is there now and goes; None where nothing may be.
    """

    files: tuple[tuple[str, str], ...]
    replaced: Identity | None = None


def land(landings: Sequence[Landing], system: System = SYSTEM) -> list[FileError | None]:
    """Give staged files, which are durable, their names, and make these durable.

    Returns
    -------
    list of FileError or None
        For each what kept it from getting its name; then no temporary file is left, and no payload alone.
    """
    errors: list[FileError | None] = []
    failed: dict[str, FileError] = {}
    try:
        with _Folders(system) as known:
            errors.extend(_landed(landing, known, system) for landing in landings)
            failed = known.sync()
    except OSError as error:  # a folder could not even be closed
        why = AccessError(os.strerror(error.errno or 0), path=landings[0].files[-1][1])
        return [one or why for one in (*errors, *[why] * (len(landings) - len(errors)))]
    folders_of = [os.path.dirname(landing.files[-1][1]) for landing in landings]
    return [error or failed.get(folder) for error, folder in zip(errors, folders_of, strict=True)]


def _landed(landing: Landing, known: _Folders, system: System) -> FileError | None:
    try:
        _land(landing, known, system)
    except FileError as error:
        with suppress(FileError):  # what is temporary is swept one day
            discard([path for path, _ in landing.files], system)
        return error
    return None


def _land(landing: Landing, known: _Folders, system: System) -> None:
    done: list[str] = []
    for staged, target in landing.files:
        above, name = os.path.split(target)
        here, old = os.path.split(staged)
        with reported(target):
            folder = known.at(above, make=landing.replaced is None)
            try:
                if landing.replaced is None:
                    _rename_new(old, name, known.at(here), folder, target, system)
                else:
                    may_change(system.stat(name, dir_fd=folder, follow_symlinks=False), landing.replaced)
                    system.rename(old, name, src_dir_fd=known.at(here), dst_dir_fd=folder)
            except BaseException:
                with suppress(FileError):
                    discard(done, system)
                raise
        known.changed.add(above)
        done.append(target)


class _Folders:
    """Folders that are open for a while: files of one bunch go to few of them."""

    def __init__(self, system: System) -> None:
        self._system, self._stack = system, ExitStack()
        self._open: dict[str, int] = {}
        self.changed: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def at(self, path: str, make: bool = False) -> int:
        """Give the descriptor of a folder."""
        if path not in self._open:
            if len(self._open) >= _MOST_FOLDERS:
                self._stack.close()
                self._open.clear()
            self._open[path] = self._stack.enter_context(folders.folder(path, self._system, make=make))
        return self._open[path]

    def sync(self) -> dict[str, FileError]:
        """Make the names in all folders that changed durable; give what went wrong, by folder."""
        failed: dict[str, FileError] = {}
        for path in sorted(self.changed):
            try:
                with reported(path):
                    self._system.fsync(self.at(path))
            except FileError as error:
                failed[path] = error
        return failed


def _rename_new(old: str, new: str, here: int, folder: int, target: str, system: System) -> None:
    try:
        system.rename_new(old, new, here, folder)
    except FileExistsError:
        raise UnsupportedError(EXISTS, path=target) from None
