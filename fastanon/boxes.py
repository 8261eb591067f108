"""The boxes around a DICOM value: its element, its group, its item and sequence, and all around these."""

from __future__ import annotations

from fastanon import walk
from fastanon.dictionary import PADDING
from fastanon.elements import Element, Elements
from fastanon.fields import Box, Slot

_LENGTH_TO_END = 0x00080001


def box_of(elements: Elements, index: int, outer: Box | None) -> Box | None:
    """Make the box of an element's value, inside those of its group, item and sequence, all in `outer`."""
    element = elements[index]
    parent = group_box(elements, index, outer)
    if element.flags & walk.UNDEFINED:
        return Box(element.value, element.end, (), parent=parent)
    order = ">" if element.flags & walk.BIG else "<"
    wide = element.vr == "" or element.value - element.header == 12
    slot = Slot(element.value - (4 if wide else 2), order + ("I" if wide else "H"))
    item = element.tag == walk.ITEM or element.nested
    pad = b"" if item else PADDING.get(element.real_vr, b" ")
    return Box(element.value, element.end, (slot,), 1 if item else 2, pad, parent)


def group_box(elements: Elements, index: int, outer: Box | None) -> Box | None:
    """Make the box that the group length of an element's dataset counts, if there is one (PS3.5 7.2)."""
    element = elements[index]
    parent = box_of(elements, element.parent, outer) if element.parent >= 0 else outer
    if element.tag == walk.ITEM or not elements.counted:
        return parent
    for tag in (_LENGTH_TO_END, element.tag & 0xFFFF0000):
        row = elements.before(index, tag)
        if row < 0 or elements[row].length != 4:
            continue
        counter = elements[row]
        order = ">" if counter.flags & walk.BIG else "<"
        end = _group_end(elements, row) if tag != _LENGTH_TO_END else _dataset_end(elements, element)
        if element.header < end:
            parent = Box(counter.end, end, (Slot(counter.value, order + "I"),), parent=parent)
    return parent


def _dataset_end(elements: Elements, element: Element) -> int:
    return elements.end if element.parent < 0 else elements[element.parent].end


def _group_end(elements: Elements, row: int) -> int:
    counter = elements[row]
    end = counter.end
    for i in range(row + 1, len(elements)):
        element = elements[i]
        if element.parent == counter.parent:
            if element.tag >> 16 != counter.tag >> 16:
                break
            end = element.outer_end
    return end
