"""A payload that is searched on its way into the copy, and read back there by a thread that follows close behind.

A large file is read once, not twice, and its copy while that is still in memory. The payload of a small one is in
memory: if nothing stood in it, and the copy of it is the same, nothing stands there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from fastanon import bulk
from fastanon.bulk import Bulk
from fastanon.chance import LARGE, Advance, Scanned, Scanner
from fastanon.copying import Copied
from fastanon.edits import Edit
from fastanon.errors import ChangedError
from fastanon.identity import Needle
from fastanon.opened import NO_FILE, Opened
from fastanon.part import Part, Run
from fastanon.payload import Payload
from fastanon.search import Finding, Matched


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

    Attributes
    ----------
    read_back : Matched or None
        What stands in the copy of it.
    """

    def __init__(self, found: Finding, number: int, payload: Payload, advance: Advance) -> None:
        self._found, self._number, self._payload, self._advance = found, number, payload, advance
        self._scanned: Scanned | None = None
        self.read_back: Matched | None = None

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

    def copy(self, to: Copied, needles: tuple[Needle, ...]) -> None:
        """Search it while it is copied, and what was written for the needles of the audit."""
        from concurrent.futures import ThreadPoolExecutor  # slow to load

        behind = _Behind(to.fill)

        def put(at: int, chunk: memoryview) -> None:
            to.put(at, chunk)
            behind.reach(at + len(chunk))

        scanner = Scanner(needles, self._payload.size, self._advance)
        with ThreadPoolExecutor(1) as pool:
            follower = pool.submit(scanner.matches, behind.fill, self.run)
            try:
                self.search(put)
            finally:
                behind.end()
            found = follower.result()
        start, stop = (at + to.move for at in self.run)
        self.read_back = Matched((start, stop), [(at + to.move, number) for at, number in found])

    @property
    def is_clean(self) -> bool:
        """Whether chance explains what stands in it; one that was not copied, since it goes, is searched now."""
        return not self._found_in_it().real

    def bulk(self) -> tuple[Bulk, ...]:
        """Give what the report tells of it."""
        return (bulk.decide(self._part, self._found_in_it(), patch=False)[0],)

    def _found_in_it(self) -> Scanned:
        if self._scanned is None:
            self.search()
        assert self._scanned is not None
        return self._scanned


class _Behind:
    """Reads what another thread writes, as soon as it is there."""

    def __init__(self, fill: Callable[[memoryview, int], object]) -> None:
        self._fill, self._changed = fill, threading.Condition()
        self._until, self._over = 0, False

    def reach(self, offset: int) -> None:
        """Say up to where all is written."""
        with self._changed:
            self._until = offset
            self._changed.notify()

    def end(self) -> None:
        """Say that nothing more will be."""
        with self._changed:
            self._over = True
            self._changed.notify()

    def fill(self, view: memoryview, offset: int) -> None:
        """Fill a buffer, once what belongs there is written."""
        stop = offset + len(view)
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._until >= stop)
            if self._until < stop:
                raise ChangedError("was not written to its end", offset=offset)
        self._fill(view, offset)


def underway(opened: Opened, found: Finding, advance: Advance) -> Underway | None:
    """Give the payload whose search may wait for the copy: the only one of a large local file."""
    every = [(n, one) for n, part in enumerate(found.parts) for one in part.part.payloads() if one.size]
    if len(every) != 1 or not found.needles or opened.fd == NO_FILE:
        return None
    number, payload = every[0]
    one = found.parts[number]
    waits = one.part.opened is opened and not one.payloads and payload.size >= LARGE
    return Underway(found, number, payload, advance) if waits else None


def as_it_was(
    opened: Opened, found: Finding, edits: Sequence[Edit], path: str, advance: Advance
) -> Matched | None:
    """Read the payload of a small file back from its copy; None where that has to be searched."""
    seen = [(one.part, scanned) for one in found.parts for scanned in one.payloads]
    if len(seen) != 1 or seen[0][0].opened is not opened or seen[0][1].hits or not isinstance(opened.view, bytes):
        return None
    start, stop = seen[0][1].payload.start, seen[0][1].payload.end
    if any(edit.offset < stop and start < edit.end for edit in edits):
        return None
    move = sum(edit.growth for edit in edits if edit.end <= start)
    with Opened(path, viewed=False) as copy:
        if copy.size < stop + move or copy.read(start + move, stop + move) != opened.view[start:stop]:
            return None
    advance(stop - start)
    return Matched((start + move, stop + move), [])
