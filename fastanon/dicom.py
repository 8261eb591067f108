"""DICOM elements as fields: whole values, the boxes around them, and what private values hold."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from fastanon import dictionary, walk
from fastanon.container import Part
from fastanon.dictionary import LIMITS, PADDING, TEXT_VRS
from fastanon.elements import Element
from fastanon.fields import Box, Field, Slot, Text
from fastanon.siemens import csa, interfile, protocol

#: Text that says what a file is, never whom it shows; programs classify by it. None keeps the whole value.
KEEP: dict[int, re.Pattern[bytes] | None] = {
    0x00080070: None,  # Manufacturer
    0x00081090: None,  # Manufacturer's Model Name
    0x00181020: None,  # Software Versions: NIPET refuses versions that it does not know
    0x00204000: re.compile(rb"(?i)listmode|list mode|pet normali[sz]ation data|sinogram|mr based umap|physio"),
}

#: Public bulk that may hold text: (0002,0102) Private Information, (0042,0011) Encapsulated Document.
_PUBLIC_BULK = frozenset((0x00020102, 0x00420011))
#: Last byte of the number of an element that may hold a CSA header: image, and series or data.
_CSA_ELEMENTS = (0x10, 0x20)

#: Numbers, codes, dates and UIDs: of these a needle touches none. OB and OW are bulk, which may be anything.
_CODED_VRS = frozenset((*dictionary.SHORT_VRS, *dictionary.LONG_VRS)) - TEXT_VRS - {"OB", "OW"}
_LENGTH_TO_END = 0x00080001


def charset_of(part: Part, index: int) -> str:
    """Give the Specific Character Set that holds for an element, as it is written."""
    return part.text(part.elements.charset_row(index))


def element_field(part: Part, index: int) -> Field:
    """Make the field of a whole value, with all lengths around it."""
    element = part.elements[index]
    vr = element.real_vr
    text = Text(charset_of(part, index), PADDING.get(vr, b" "), LIMITS.get(vr, 0))
    value, outer = (element.value, element.end), (element.header, element.outer_end)
    return Field(_key(part, index), part.space, outer, value, text, _box(part, index), fixed=False)


def fields_inside(part: Part, index: int) -> list[Field]:
    """Give all text that a value holds, in order: what is not in here no needle may touch."""
    if index not in part.inner:
        found = _read_inside(part, index)
        part.inner[index] = sorted(found, key=lambda field: field.value)
    return part.inner[index]


def slack(part: Part) -> Iterator[Field]:
    """Give the runs of leftover memory in all CSA headers that hold anything."""
    for i, tag in enumerate(part.elements.tags):
        if tag >> 16 & 1 and tag & 0xFF in _CSA_ELEMENTS and tag & 0xFFFF > 0xFF and _is_siemens(part, i):
            yield from (field for field in fields_inside(part, i) if field.key[-1] == "slack")


def field_at(part: Part, start: int, end: int) -> Field | None:
    """Give the text that holds all bytes of a hit; None where it lies in a key, a number, or across a border."""
    index = part.elements.at(start)
    if index < 0:
        return _outside(part, start, end)
    if part.elements[index].nested:
        return None
    fields = fields_inside(part, index)
    field = fields[bisect_right(fields, start, key=lambda f: f.value[0]) - 1] if fields else None
    if field is None or not (field.value[0] <= start and end <= field.value[1]):
        return None
    return None if _kept(part, index, start, end) else field


def _kept(part: Part, index: int, start: int, end: int) -> bool:
    element = part.elements[index]
    words = KEEP.get(element.tag)
    if words is None:
        return False
    return any(
        m.start() + element.value < end and start < m.end() + element.value
        for m in words.finditer(part.value(index))
    )


def _outside(part: Part, start: int, end: int) -> Field | None:
    """Take what lies before the first element or behind the last as slack, where every hit counts."""
    first = part.elements.headers[0] if len(part.elements) else part.stop
    run = (part.start, first) if start < first else (part.elements.end, part.stop)
    if not (run[0] <= start and end <= run[1]):
        return None
    name = "preamble" if start < first else "behind the dataset"
    return Field((name,), part.space, run, run, Text("latin-1", b"\0"))


def _read_inside(part: Part, index: int) -> list[Field]:
    element = part.elements[index]
    vr, private = element.real_vr, dictionary.is_private(element.tag)
    creator = dictionary.is_private_creator(element.tag) and element.vr in ("LO", "")
    if creator or index in part.payloads or KEEP.get(element.tag, element) is None:
        return []
    whole = Field(
        _key(part, index), part.space, (element.header, element.outer_end), (element.value, element.end),
        Text(charset_of(part, index), PADDING.get(vr, b" "), LIMITS.get(vr, 0)),
    )  # fmt: skip
    if vr in TEXT_VRS or (private and vr in ("DA", "DT")):
        return [whole]
    if vr in _CODED_VRS or not (private or _may_hold_text(element)):
        return []
    return _read_bulk(part, index, whole)


def _may_hold_text(element: Element) -> bool:
    """Say whether public bulk may: where nobody knows what it is, a sequence that can't be read, and a few."""
    return element.tag in _PUBLIC_BULK or element.vr == "UN" or dictionary.vr_of(element.tag) == "UN"


def _read_bulk(part: Part, index: int, whole: Field) -> list[Field]:
    """Read private bulk by what it shows to be; what shows nothing is one text."""
    data, base = part.value(index), whole.value[0]
    if _is_siemens(part, index):
        if csa.is_csa(data):
            try:
                return csa.fields(data, base, part.space, whole.key)
            except csa.BrokenCsaError:
                return [whole]
        if interfile.is_interfile(data):
            return interfile.fields(data, base, part.space, whole.key)
    if protocol.is_protocol(data):
        return protocol.fields(data, base, part.space, whole.key)
    return [whole]


def _is_siemens(part: Part, index: int) -> bool:
    return part.creator(index).startswith("SIEMENS")


def _key(part: Part, index: int) -> tuple[str, ...]:
    names: list[str] = []
    while index >= 0:
        element = part.elements[index]
        if element.tag != walk.ITEM:
            creator = part.creator(index) if dictionary.is_private(element.tag) else ""
            names.append(f"{creator} {dictionary.keyword_of(element.tag)}".strip())
        index = element.parent
    return tuple(reversed(names))


def _box(part: Part, index: int) -> Box | None:
    """Make the box of an element's value, inside those of its group, item and sequence."""
    element = part.elements[index]
    parent = _group_box(part, index)
    if element.flags & walk.UNDEFINED:
        return Box(element.value, element.end, (), parent=parent)
    order = ">" if element.flags & walk.BIG else "<"
    wide = element.vr == "" or element.value - element.header == 12
    slot = Slot(element.value - (4 if wide else 2), order + ("I" if wide else "H"))
    item = element.tag == walk.ITEM or element.nested
    pad = b"" if item else PADDING.get(element.real_vr, b" ")
    return Box(element.value, element.end, (slot,), 1 if item else 2, pad, parent)


def _group_box(part: Part, index: int) -> Box | None:
    """Make the box that the group length of an element's dataset counts, if there is one (PS3.5 7.2)."""
    element = part.elements[index]
    parent = _box(part, element.parent) if element.parent >= 0 else None
    if element.tag == walk.ITEM:
        return parent
    for tag in (_LENGTH_TO_END, element.tag & 0xFFFF0000):
        row = part.elements.before(index, tag)
        if row < 0 or part.elements[row].length != 4:
            continue
        counter = part.elements[row]
        order = ">" if counter.flags & walk.BIG else "<"
        end = _group_end(part, row) if tag != _LENGTH_TO_END else _dataset_end(part, element)
        if element.header < end:
            parent = Box(counter.end, end, (Slot(counter.value, order + "I"),), parent=parent)
    return parent


def _dataset_end(part: Part, element: Element) -> int:
    return part.elements.end if element.parent < 0 else part.elements[element.parent].end


def _group_end(part: Part, row: int) -> int:
    elements, counter = part.elements, part.elements[row]
    end = counter.end
    for i in range(row + 1, len(elements)):
        element = elements[i]
        if element.parent == counter.parent:
            if element.tag >> 16 != counter.tag >> 16:
                break
            end = element.outer_end
    return end
