"""An `Edit` is (offset, old length, new bytes, rule): sorted, disjoint, in bounds. All else stays as it is."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from fastanon.errors import PlanError
from fastanon.fields import Box, Field
from fastanon.runs import Runs
from fastanon.walk import Bytes

#: The largest number a slot may hold: a value has even length, and the last one means "undefined" (PS3.5 7.1).
_LARGEST = {"H": 0xFFFE, "I": 0xFFFFFFFE, "i": 0x7FFFFFFE}


_LAST = 1 << 20


class Edit(NamedTuple):
    """A run of bytes and what it becomes.

    Attributes
    ----------
    offset : int
        First byte, in the space of the field.
    old : int
        Number of bytes that go; 0 inserts.
    new : bytes
        What comes in their place.
    rule : str
        Why, without any value of the patient's.
    order : int
        Breaks ties between insertions at one offset.
    """

    offset: int
    old: int
    new: bytes
    rule: str
    order: int = 0

    @property
    def end(self) -> int:
        """Offset behind the bytes that go."""
        return self.offset + self.old

    @property
    def growth(self) -> int:
        """How many bytes the whole becomes longer."""
        return len(self.new) - self.old


def in_order(edits: Iterable[Edit], stop: int) -> tuple[Edit, ...]:
    """Sort edits and make sure that they are disjoint and in bounds.

    Raises
    ------
    PlanError
        If two of them touch the same byte, or one lies outside. No valid file leads there.
    """
    ordered = tuple(sorted(edits, key=lambda e: (e.offset, e.old > 0, e.order)))
    at = 0
    for edit in ordered:
        if edit.offset < at or edit.end > stop:
            raise PlanError(f"edits overlap or leave the file: {edit.rule}", offset=edit.offset)
        at = edit.end
    return ordered


def pieces(edits: Sequence[Edit], start: int, stop: int) -> Iterator[tuple[int, int] | bytes]:
    """Give what a rewrite writes, in order: ranges of the old bytes, and new bytes."""
    for edit in edits:
        if edit.offset > start:
            yield start, edit.offset
        if edit.new:
            yield edit.new
        start = edit.end
    if start < stop:
        yield start, stop


def edited(data: Bytes, edits: Sequence[Edit]) -> bytes:
    """Apply sorted edits to bytes in memory."""
    parts = pieces(edits, 0, len(data))
    return b"".join(p if isinstance(p, bytes) else bytes(data[p[0] : p[1]]) for p in parts)


def with_lengths(edits: Iterable[Edit], fields: Iterable[Field]) -> list[Edit]:
    """Add the edits of every length that the given edits change.

    The innermost boxes come first; each passes its growth, the filling included, to the one around it.

    Parameters
    ----------
    edits : iterable of Edit
        Each edit replaces the whole value or the whole outer range of one of `fields`, or keeps its length.
    fields : iterable of Field
        Where the edits that change a length come from.

    Returns
    -------
    list of Edit
        The given edits and those of the slots, not sorted.

    Raises
    ------
    PlanError
        If a length no longer fits its slot, or if an edit that changes a length belongs to no field.
    """
    edits = list(edits)
    growth = _direct_growth([e for e in edits if e.growth], fields)
    removed = Runs((e.offset, e.end) for e in edits)
    added: list[Edit] = []
    levels: dict[Box, int] = {}
    waiting = [(-_nesting(box, levels), number, box) for number, box in enumerate(growth)]
    heapify(waiting)
    while waiting:
        level, number, box = heappop(waiting)
        grown = growth.pop(box)
        length = box.end - box.start + grown
        filling = -length % box.align if box.slots else 0
        if filling:
            # behind whatever else is inserted there, the padding of inner boxes first
            added.append(Edit(box.end, 0, box.fill * filling, "padding", _LAST + level))
        added += [
            _slot_edit(slot.offset, slot.fmt, length + filling)
            for slot in box.slots
            if not removed.touch(slot.offset, slot.offset + 1)
        ]
        if box.parent is not None and grown + filling:
            if box.parent not in growth:
                heappush(waiting, (level + 1, number, box.parent))
            growth[box.parent] = growth.get(box.parent, 0) + grown + filling
    return edits + added


def _direct_growth(edits: Sequence[Edit], fields: Iterable[Field]) -> dict[Box, int]:
    owners: dict[tuple[int, int], Box | None] = {}
    for field in fields:
        owners[field.outer] = field.box.parent if field.box else None
        owners[field.value] = field.box
    growth: dict[Box, int] = {}
    for edit in edits:
        if (edit.offset, edit.end) not in owners:
            raise PlanError(f"a length changes outside every field: {edit.rule}", offset=edit.offset)
        box = owners[edit.offset, edit.end]
        if box is not None:
            growth[box] = growth.get(box, 0) + edit.growth
    return growth


def _nesting(box: Box, known: dict[Box, int]) -> int:
    """Count the boxes around a box; what is counted once is known for all that lies in it."""
    passed = [box]
    while passed[-1] not in known and passed[-1].parent is not None:
        passed.append(passed[-1].parent)
    level = known.get(passed[-1], 0)
    for one in reversed(passed):
        known[one] = level
        level += 1
    return known[box]


def _slot_edit(offset: int, fmt: str, length: int) -> Edit:
    if length > _LARGEST[fmt[-1]]:
        raise PlanError(f"a length of {length} bytes does not fit its field", offset=offset)
    return Edit(offset, struct.calcsize(fmt), struct.pack(fmt, length), "length")
