"""The boxes around a DICOM value: its element, its group, its item and sequence, and all around these."""

from __future__ import annotations

import functools

from fastanon import walk
from fastanon.dictionary import PADDING
from fastanon.elements import Element, Elements
from fastanon.fields import Box, Slot

_LENGTH_TO_END = 0x00080001


class Boxes:
    """Makes the boxes of one dataset, those of items and sequences once.

    Parameters
    ----------
    elements : Elements
        The walked table.
    outer : Box or None
        What is around the whole.
    """

    def __init__(self, elements: Elements, outer: Box | None) -> None:
        self._elements, self._outer = elements, outer
        self._around: dict[int, Box] = {}
        self._counters: dict[tuple[int, int], Box] = {}

    def of(self, index: int) -> Box:
        """Give the box of an element's value, inside those of its group, item and sequence."""
        waiting = []
        row = self._elements.parents[index]
        while row >= 0 and row not in self._around:
            waiting.append(row)
            row = self._elements.parents[row]
        for row in reversed(waiting):  # from the outside in, not by recursion: the file says how deep
            self._around[row] = self._box(row)
        return self._box(index)

    def group(self, index: int) -> Box | None:
        """Give the box that the group length of an element's dataset counts, or the next one (PS3.5 7.2)."""
        parent = self._elements.parents[index]
        if parent >= 0 and parent not in self._around:
            self._around[parent] = self.of(parent)
        return self._group(index)

    def _box(self, index: int) -> Box:
        element, parent = self._elements[index], self._group(index)
        if element.flags & walk.UNDEFINED:
            return Box(element.value, element.end, (), parent=parent)
        order = ">" if element.flags & walk.BIG else "<"
        wide = element.vr == "" or element.value - element.header == 12
        slot = Slot(element.value - (4 if wide else 2), order + ("I" if wide else "H"))
        item = element.tag == walk.ITEM or element.nested
        pad = b"" if item else PADDING.get(element.real_vr, b" ")
        return Box(element.value, element.end, (slot,), 1 if item else 2, pad, parent)

    def _group(self, index: int) -> Box | None:
        elements, element = self._elements, self._elements[index]
        parent = self._around[element.parent] if element.parent >= 0 else self._outer
        if element.tag == walk.ITEM or not elements.counted:
            return parent
        key = -1
        for tag in (_LENGTH_TO_END, element.tag & 0xFFFF0000):
            row = elements.before(index, tag)
            if row < 0 or elements[row].length != 4:
                continue
            end = self._group_ends[row] if tag != _LENGTH_TO_END else self._dataset_end(element)
            if element.header < end:
                if (key, row) not in self._counters:
                    self._counters[key, row] = _counted(elements[row], end, parent)
                parent, key = self._counters[key, row], row
        return parent

    def _dataset_end(self, element: Element) -> int:
        return self._elements.end if element.parent < 0 else self._elements[element.parent].end

    @functools.cached_property
    def _group_ends(self) -> dict[int, int]:
        """Where the group of each group length ends: with the last sibling of the same group that follows."""
        elements, ends = self._elements, {}
        runs: dict[int, tuple[int, int]] = {}  # by parent: the group that is met, from the back, and its end
        for row in range(len(elements) - 1, -1, -1):
            group, parent = elements.tags[row] >> 16, elements.parents[row]
            if runs.get(parent, (-1, 0))[0] != group:
                runs[parent] = group, elements[row].outer_end
            if not elements.tags[row] & 0xFFFF:
                ends[row] = runs[parent][1]
        return ends


def _counted(counter: Element, end: int, parent: Box | None) -> Box:
    order = ">" if counter.flags & walk.BIG else "<"
    return Box(counter.end, end, (Slot(counter.value, order + "I"),), parent=parent)


def group_box(elements: Elements, index: int, outer: Box | None) -> Box | None:
    """Give one such box; for many, keep a `Boxes`."""
    return Boxes(elements, outer).group(index)
