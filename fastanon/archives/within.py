"""Files, and those in archives, one by one: for what only looks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from fastanon import archives
from fastanon.archives.entries import Entries, opened_member
from fastanon.container import read_parts
from fastanon.errors import AccessError, FileError
from fastanon.files import Source
from fastanon.opened import Opened
from fastanon.opening import opened_at


class Inner(NamedTuple):
    """A file to look at, or a member of an archive, or behind all of these the archive itself.

    Attributes
    ----------
    source : Source
        Where it is.
    open : callable or None
        Opens it, before the next is taken, or raises why it can't; None for the archive itself.
    said : bytes
        Texts that stand in the archive about it.
    notes : tuple of str
        What there is in an archive beside its members.
    header : Source or None
        Of a payload in an archive, its header.
    kind : str
        Which payload it is.
    """

    source: Source
    open: Callable[[], Opened] | None
    said: bytes = b""
    notes: tuple[str, ...] = ()
    header: Source | None = None
    kind: str = ""


def within(item: Source, payloads: bool = False) -> Iterator[Inner]:
    """Give a file, or all that an archive holds.

    Parameters
    ----------
    item : Source
        The file.
    payloads : bool
        Whether to give the payloads in an archive, too.
    """
    if item.problem is not None:
        yield Inner(item, _raising(item.problem))
        return
    try:
        opened = opened_at(item.path)
    except FileError as error:
        yield Inner(item, _raising(error))
        return
    kind = archives.kind_of(opened)
    if not kind:
        yield Inner(item, lambda: opened)  # who takes it closes it
        return
    with opened:
        try:
            yield from _members(item, opened, kind, payloads)
        except FileError as error:
            yield Inner(item, _raising(error))
        except OSError as error:
            yield Inner(item, _raising(AccessError(os.strerror(error.errno or 0), path=item.path)))


def _members(item: Source, opened: Opened, kind: str, payloads: bool) -> Iterator[Inner]:
    contents = archives.read(opened, kind)
    entries = Entries(item, contents)
    if payloads and any(entry.header for entry in entries):
        for entry, member in entries.with_members():
            if entry.payload is not None:
                with member.open() as opening:
                    entry.kind = read_parts(opening)[-1].kind_beside()
    for entry, member in entries.with_members():
        source = entry.source._replace(name=f"{item.name}/{entry.source.name}")
        if entry.header is None:
            opens = partial(opened_member, member) if source.problem is None else _raising(source.problem)
            yield Inner(source._replace(payload=None), opens, member.said)
        elif payloads:
            header = entry.header.source._replace(name=f"{item.name}/{entry.header.source.name}")
            yield Inner(source, member.open, member.said, header=header, kind=entry.header.kind)
    notes = (*contents.notes, *(() if entries.bare else ("times, owners or comments of its members",)))
    yield Inner(item, None, contents.said, notes)


def _raising(error: FileError) -> Callable[[], Opened]:
    def fail() -> Opened:
        raise error

    return fail
