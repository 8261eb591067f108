"""The table of elements of one dataset, and views into it."""

from __future__ import annotations

import functools
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
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
        return known_vr(self.tag, self.vr)


def known_vr(tag: int, vr: str) -> str:
    """Give the VR of an element as it is written, or the dictionary's where it is missing or UN."""
    return vr if vr not in ("", "UN") else dictionary.vr_of(tag)


def _letters(vr: int) -> str:
    return chr(vr & 0xFF) + chr(vr >> 8) if vr else ""


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
        self.values = table[w.VALUE :: w.COLUMNS]
        self.lengths = table[w.LENGTH :: w.COLUMNS]
        self.parents = table[w.PARENT :: w.COLUMNS]
        self.flags = table[w.FLAGS :: w.COLUMNS]
        self._charsets: dict[int, int] = {}
        self._made: dict[int, Element] = {}  # of the last few that were asked for

    def __len__(self) -> int:
        return len(self.tags)

    def __getitem__(self, index: int) -> Element:
        known = self._made.get(index)
        if known is None:
            tag, vr, *rest = self.table[index * w.COLUMNS : (index + 1) * w.COLUMNS]
            known = Element(tag, _letters(vr), *rest)
            if len(self._made) >= _REMEMBERED:
                self._made.clear()
            self._made[index] = known
        return known

    @functools.cached_property
    def by_tag(self) -> dict[int, list[int]]:
        """The rows of each tag, in order: what is said of a tag is said once, however often it stands there."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        for i, tag in enumerate(self.tags):
            found[tag].append(i)
        return dict(found)

    @functools.cached_property
    def kinds(self) -> list[tuple[int, str, list[int]]]:
        """Tag, real VR and rows of all elements that have both in common; items are none."""
        found: list[tuple[int, str, list[int]]] = []
        for tag, rows in self.by_tag.items():
            vrs = set(map(self.vrs.__getitem__, rows)) if tag != w.ITEM else ()
            for vr in vrs:
                same = rows if len(vrs) == 1 else [i for i in rows if self.vrs[i] == vr]
                found.append((tag, known_vr(tag, _letters(vr)), same))
        return found

    def rows_of(self, tags: Iterable[int]) -> list[int]:
        """Give the indices of all elements with one of `tags`, at every depth, in order."""
        return sorted(i for tag in tags for i in self.by_tag.get(tag, ()))

    def inside(self, index: int) -> range:
        """Give the indices of all rows inside another one."""
        return range(index + 1, bisect_left(self.headers, self[index].outer_end, index + 1))

    def at(self, offset: int) -> int:
        """Give the index of the innermost row that holds the byte at `offset`, -1 if none does."""
        index = bisect_right(self.headers, offset) - 1
        while index >= 0 and self[index].outer_end <= offset:
            index = self[index].parent
        return index

    @functools.cached_property
    def tops(self) -> list[int]:
        """The indices of the elements that are in no item."""
        found, at = [], 0
        while at < len(self.tags):
            found.append(at)
            at = self.inside(at).stop if self.flags[at] & w.NESTED else at + 1
        return found

    @functools.cached_property
    def counted(self) -> bool:
        """Whether any length of a group is in it (PS3.5 7.2), or (0008,0001) Length to End."""
        return any(not tag & 0xFFFF or tag == _LENGTH_TO_END for tag in self.by_tag)

    @functools.cached_property
    def _places(self) -> dict[tuple[int, int], list[int]]:
        """Indices of elements by (parent, tag), of those that say something about others.

        These are private creators, group lengths and character sets.
        """
        found: dict[tuple[int, int], list[int]] = {}
        for tag, rows in self.by_tag.items():
            if tag & 0xFFFF <= 0xFF and (
                tag >> 16 & 1 or not tag & 0xFFFF or tag in (_LENGTH_TO_END, _CHARACTER_SET)
            ):
                for i in rows:
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


class Borders:
    """Offsets at which a value of a dataset begins or ends: looked up, and not listed.

    Parameters
    ----------
    elements : Elements
        The dataset.
    """

    def __init__(self, elements: Elements) -> None:
        self._elements = elements

    def __contains__(self, offset: object) -> bool:
        elements = self._elements
        assert isinstance(offset, int)
        at = bisect_left(elements.values, offset)
        if at < len(elements) and elements.values[at] == offset:
            return True
        index = bisect_left(elements.headers, offset) - 1  # what ends here is this row, or one around it
        while index >= 0 and (end := elements.values[index] + elements.lengths[index]) <= offset:
            if end == offset:
                return True
            index = elements.parents[index]
        return False


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
