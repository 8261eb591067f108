"""A payload that is searched on its way into the copy: a large file is read once, not twice."""

from __future__ import annotations

from collections.abc import Callable

from fastanon import bulk
from fastanon.bulk import Bulk
from fastanon.chance import LARGE, Advance, Scanned, Scanner
from fastanon.opened import NO_FILE, Opened
from fastanon.part import Part, Run
from fastanon.payload import Payload
from fastanon.search import Finding


class Underway:
    """The payload of a file whose search waits for the copy.

    Parameters
    ----------
    found : Finding
        What the search of everything else brought.
    number : int
        The part that has the payload.
    payload : Payload
        Where it is.
    advance : callable
        Is told of bytes as they are searched.
    """

    def __init__(self, found: Finding, number: int, payload: Payload, advance: Advance) -> None:
        self._found, self._number, self._payload, self._advance = found, number, payload, advance
        self._scanned: Scanned | None = None

    @property
    def run(self) -> Run:
        """Where it begins and ends."""
        return self._payload.start, self._payload.end

    @property
    def _part(self) -> Part:
        return self._found.parts[self._number].part

    def search(self, seen: Callable[[int, memoryview], object] | None = None) -> None:
        """Search it, and give each chunk away as it was searched; add what was found to the rest."""
        scanner = Scanner(self._found.needles, self._payload.size, self._advance)
        self._scanned = scanner.scan(self._part, self._payload, seen)
        self._found.parts[self._number].payloads.append(self._scanned)

    @property
    def is_clean(self) -> bool:
        """Whether it stays as it is: what stands in it is explained by chance."""
        return self._scanned is not None and not self._scanned.real

    def bulk(self) -> tuple[Bulk, ...]:
        """Give what the report tells of it."""
        assert self._scanned is not None
        return (bulk.decide(self._part, self._scanned, patch=False)[0],)


def underway(opened: Opened, found: Finding, advance: Advance) -> Underway | None:
    """Give the payload whose search may wait for the copy: the only one of a large local file."""
    every = [(n, one) for n, part in enumerate(found.parts) for one in part.part.payloads() if one.size]
    if len(every) != 1 or not found.needles or opened.fd == NO_FILE:
        return None
    number, payload = every[0]
    one = found.parts[number]
    waits = one.part.opened is opened and not one.payloads and payload.size >= LARGE
    return Underway(found, number, payload, advance) if waits else None
