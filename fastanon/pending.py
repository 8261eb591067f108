"""Changes in place that wait for others of their folder: a journal of many files costs little more than of one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from fastanon import apply
from fastanon.apply import Change
from fastanon.attempts import failure
from fastanon.errors import FileError
from fastanon.files import Source
from fastanon.report import FileResult

#: Each change holds a descriptor while it is written, and its bytes until then.
_MOST_FILES, _MOST_BYTES = 128, 32 << 20


class _Waiting(NamedTuple):
    number: int
    item: Source
    result: FileResult
    changes: Sequence[Change]


class Pending:
    """Files that are planned, and not written yet.

    Parameters
    ----------
    shown : callable
        Masks a path.
    """

    def __init__(self, shown: Callable[[str], str]) -> None:
        self._shown = shown
        self._waiting: list[_Waiting] = []
        self._folder, self._bytes = "", 0

    def add(
        self, number: int, item: Source, result: FileResult, changes: Sequence[Change]
    ) -> Iterator[tuple[int, FileResult]]:
        """Let a file wait, if anything is to be written; give the results of those that are done now."""
        if not changes:
            yield number, result
            return
        folder = os.path.dirname(changes[0].path)
        if folder != self._folder:
            yield from self.flush()
        self._folder = folder
        self._waiting.append(_Waiting(number, item, result, changes))
        self._bytes += sum(len(data) for change in changes for _, data in change.writes)
        if len(self._waiting) >= _MOST_FILES or self._bytes >= _MOST_BYTES:
            yield from self.flush()

    def flush(self) -> Iterator[tuple[int, FileResult]]:
        """Write all that waits, and give the results."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        if not waiting:
            return
        try:
            errors = apply.commit([change for one in waiting for change in one.changes])
        except FileError as error:
            errors = [error] * sum(len(one.changes) for one in waiting)
        for one in waiting:
            own, errors = errors[: len(one.changes)], errors[len(one.changes) :]
            why = next(filter(None, own), None)
            yield one.number, one.result if why is None else failure(why, one.item, self._shown)
