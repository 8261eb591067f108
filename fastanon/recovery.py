"""What a run in place left behind when it was cut off: found by its journal, and finished."""

from __future__ import annotations

import os
from collections.abc import Iterable

from fastanon import apply, beside
from fastanon.apply import Recovered
from fastanon.errors import FileError, UnfinishedError
from fastanon.files import PathLike, Source

#: What a journal does not know: the values that were searched for.
NOT_AUDITED = "not audited: fastanon audit says what is left"


def recover(path: PathLike) -> list[Recovered]:
    """Finish what runs in place had begun when they were cut off.

    The journal holds the new bytes alone: all of them are written again, and files get the names that they were to
    have. This can be repeated. Temporary files are removed. Nothing is audited.

    Parameters
    ----------
    path : path
        A file, or a folder that is searched to its depth.

    Returns
    -------
    list of Recovered
        One for each folder in which something was left; empty where nothing was. ``error`` says what keeps it from
        being finished.
    """
    real = os.path.realpath(path)
    root = real if os.path.isdir(real) else os.path.dirname(real)
    folders = _folders_below(real) if root == real else [root]
    return [done for folder in folders if (done := _tried(folder, root)) is not None]


def _folders_below(folder: str) -> list[str]:
    return [at for at, _, names in os.walk(folder) if any(map(beside.is_ours, names))]


def _tried(folder: str, root: str) -> Recovered | None:
    try:
        return apply.roll_forward(folder, root=root)
    except FileError as error:
        return Recovered(folder, 0, False, error)


def settled(listed: Iterable[Source]) -> tuple[list[Source], int]:
    """Finish what was begun in the folders of files, before these are read.

    Returns
    -------
    list of Source, int
        The files that are there then, and how many were finished: those that have other names since are done.
    """
    known: dict[str, Recovered | None] = {}
    there = []
    for item in listed:
        folder = os.path.dirname(item.path)
        if folder not in known:
            ours = any(map(beside.is_ours, _names_in(folder)))
            known[folder] = _tried(folder, item.root or folder) if ours else None
        done = known[folder]
        if not isinstance(item.problem, UnfinishedError):
            there.append(item)
        elif (done is not None and done.error is not None) or os.path.lexists(item.path):
            there.append(item._replace(problem=None if done is None else done.error))
    return there, sum(done.files for done in known.values() if done is not None)


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:  # whoever reads a file there will say so
        return []
