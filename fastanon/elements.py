"""The table of elements of one dataset, and views into it."""

from __future__ import annotations

import functools
import operator
import sys
from array import array
from bisect import bisect_right
from collections.abc import Container as Membership
from typing import NamedTuple

from fastanon import dictionary
from fastanon import walk as w
from fastanon.errors import MalformedError
from fastanon.limits import Limits, limits
from fastanon.pages import Indexed

_LENGTH_TO_END, _CHARACTER_SET = 0x00080001, 0x00080005
_COMPILED = "fastanon.walk_compiled"
_WORTH = 4096  # rows that the plain form writes while numpy is imported
_REMEMBERED = 1 << 16  # records, of 400 bytes each

_REASONS = {
    w.PAST_END: "truncated, or a length that runs past the end",
    w.BAD_VR: "no VR where explicit VR needs one",
    w.NOT_AN_ITEM: "a sequence holds something that is no item",
    w.STRAY_DELIMITER: "an item or delimiter outside a sequence",
    w.UNDEFINED_VALUE: "an undefined length without a delimiter, or where none may be",
}


class Element(NamedTuple):
    """One row of the table.

    Attributes
    ----------
    tag : int
        ``0xggggeeee``.
    vr : str
        Two letters; empty for items and in implicit VR.
    header, value : int
        Offsets of the tag and of the value's first byte, from the start of the space.
    length : int
        Bytes of the value, delimiter not counted.
    depth : int
        Number of items around it; an item counts itself.
    parent : int
        Index of the enclosing item (of an item: its sequence), -1 at the top.
    flags : int
        As in `fastanon.walk`.
    """

    tag: int
    vr: str
    header: int
    value: int
    length: int
    depth: int
    parent: int
    flags: int

    @property
    def end(self) -> int:
        """Offset behind the value."""
        return self.value + self.length

    @property
    def outer_end(self) -> int:
        """Offset behind the element, its delimiter included."""
        return self.end + (8 if self.flags & w.UNDEFINED else 0)

    @property
    def nested(self) -> bool:
        """Whether rows inside this one follow."""
        return bool(self.flags & w.NESTED)

    @property
    def real_vr(self) -> str:
        """The VR as written, or the dictionary's where it is missing or UN."""
        return self.vr if self.vr not in ("", "UN") else dictionary.vr_of(self.tag)


class Elements:
    """All elements of a dataset, in the order of the file.

    Parameters
    ----------
    table : array of int64
        Rows as `fastanon.walk.walk` writes them.
    end : int
        Offset behind the dataset.
    """

    def __init__(self, table: array[int], end: int) -> None:
        self.table = table
        self.end = end
        self.tags = table[w.TAG :: w.COLUMNS]
        self.vrs = table[w.VR :: w.COLUMNS]
        self.headers = table[w.HEADER :: w.COLUMNS]
        self.parents = table[w.PARENT :: w.COLUMNS]
        self._charsets: dict[int, int] = {}
        self._made: dict[int, Element] = {}  # of the last few that were asked for

    def __len__(self) -> int:
        return len(self.tags)

    def __getitem__(self, index: int) -> Element:
        known = self._made.get(index)
        if known is None:
            tag, vr, *rest = self.table[index * w.COLUMNS : (index + 1) * w.COLUMNS]
            known = Element(tag, chr(vr & 0xFF) + chr(vr >> 8) if vr else "", *rest)
            if len(self._made) >= _REMEMBERED:
                self._made.clear()
            self._made[index] = known
        return known

    def rows_of(self, tags: Membership[int]) -> list[int]:
        """Give the indices of all elements with one of `tags`, at every depth."""
        return [i for i, tag in enumerate(self.tags) if tag in tags]

    def at(self, offset: int) -> int:
        """Give the index of the innermost row that holds the byte at `offset`, -1 if none does."""
        index = bisect_right(self.headers, offset) - 1
        while index >= 0 and self[index].outer_end <= offset:
            index = self[index].parent
        return index

    @functools.cached_property
    def borders(self) -> frozenset[int]:
        """Offsets at which a value begins or ends."""
        starts, lengths = self.table[w.VALUE :: w.COLUMNS], self.table[w.LENGTH :: w.COLUMNS]
        return frozenset(starts) | frozenset(map(operator.add, starts, lengths))

    @functools.cached_property
    def counted(self) -> bool:
        """Whether any length of a group is in it (PS3.5 7.2), or (0008,0001) Length to End."""
        return any(not tag & 0xFFFF or tag == _LENGTH_TO_END for tag in self.tags)

    @functools.cached_property
    def _places(self) -> dict[tuple[int, int], list[int]]:
        """Indices of elements by (parent, tag), of those that say something about others.

        These are private creators, group lengths and character sets.
        """
        found: dict[tuple[int, int], list[int]] = {}
        for i, tag in enumerate(self.tags):
            if tag & 0xFFFF <= 0xFF and (
                tag >> 16 & 1 or not tag & 0xFFFF or tag in (_LENGTH_TO_END, _CHARACTER_SET)
            ):
                found.setdefault((self.parents[i], tag), []).append(i)
        return found

    def before(self, index: int, tag: int) -> int:
        """Give the index of the last element with a tag before another one of the same dataset, or -1."""
        rows = self._places.get((self.parents[index], tag), [])
        at = bisect_right(rows, index - 1)
        return rows[at - 1] if at else -1

    def creator_row(self, index: int) -> int:
        """Give the index of the private creator that reserves the block of a private element, or -1."""
        tag = self.tags[index]
        return self.before(index, tag & 0xFFFF0000 | tag >> 8 & 0xFF)

    def charset_row(self, index: int) -> int:
        """Give the index of the Specific Character Set that holds for an element, or -1."""
        return self._charset_of(self.parents[index])

    def _charset_of(self, item: int) -> int:
        """Give the same for all elements of an item: of the nearest one around it that has any."""
        passed = []
        while item not in self._charsets:
            found = self._places.get((item, _CHARACTER_SET), [])
            if found or item < 0:
                self._charsets[item] = found[0] if found else -1
            else:
                passed.append(item)
                item = self.parents[self.parents[item]]
        self._charsets.update(dict.fromkeys(passed, self._charsets[item]))
        return self._charsets[item]


def read_elements(
    data: w.Bytes, start: int, stop: int, mode: int, only_group: int = 0, *, compiled: bool = False
) -> Elements:
    """Walk one dataset.

    Parameters
    ----------
    data : bytes-like
        A file's bytes, or an inflated dataset.
    start, stop : int
        First byte of the dataset, and the first that can't belong to it.
    mode : int
        `walk.IMPLICIT` and `walk.BIG`, or'ed.
    only_group : int
        Stop before the first element of another group; 0 reads all.
    compiled : bool
        Use the compiled form, which is used too for thousands of elements, and where it has been loaded
        already.

    Raises
    ------
    MalformedError
        With the offset at which the structure breaks, or a limit is passed.
    """
    bounds = limits()
    # a row takes at least 8 bytes of the file
    most = min(bounds.elements, (stop - start) // 8 + 1)
    state, room = array("q", [0]) * w.state_size(bounds.depth), min(512, most)
    while True:
        fast = compiled or room > _WORTH or _COMPILED in sys.modules
        if fast and not isinstance(data, Indexed):
            from fastanon.walk_compiled import walk  # imports numpy
        else:
            walk = w.walk
        table = array("q", [0]) * (w.COLUMNS * room)
        status = walk(
            data, start, stop, mode, only_group, table, state, dictionary.kinds(), dictionary.sequences()
        )
        if status == w.OK:
            del table[state[w.COUNT] * w.COLUMNS :]
            return Elements(table, state[w.WHERE])
        if status != w.FULL or room == most:
            raise MalformedError(_reason(status, bounds), offset=state[w.WHERE])
        room = min(room * 8, most)


def _reason(status: int, bounds: Limits) -> str:
    if status == w.TOO_DEEP:
        return f"more than {bounds.depth} sequences inside each other (limit depth)"
    if status == w.FULL:
        return f"more than {bounds.elements} elements (limit elements)"
    return _REASONS[status]
