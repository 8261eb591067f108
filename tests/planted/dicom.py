"""A writer of DICOM files (PS3.5 7.1, PS3.10 7.1)."""

from __future__ import annotations

import struct
from typing import TypeAlias

from tests.planted.marked import Marked, Part, cat, filled, mark
from tests.planted.people import BIRTH, NUMBER, PHYSICIAN
from tests.planted.spelling import Person

#: Tag, VR, and the value, or the datasets of a sequence.
Element: TypeAlias = "tuple[int, str, Part | list[list[Element]]]"
#: VRs whose length takes 4 bytes, behind 2 that are reserved (PS3.5 7.1.2).
_LONG = ("OB", "OW", "UN", "UT", "SQ")
#: MR Image Storage.
_MEDIA = b"1.2.840.10008.5.1.4.1.1.4\0"


def element(row: Element, implicit: bool) -> Marked:
    """Write an element; a list of datasets is a sequence, with the length of each item but the first's."""
    tag, vr, value = row
    if isinstance(value, list):
        value = cat(*(_item(rows, implicit, undefined=n == 0) for n, rows in enumerate(value)))
    else:
        value = cat(value).under(f"({tag >> 16:04x},{tag & 0xFFFF:04x}) {vr}")
        value = filled(value, len(value) + len(value) % 2, b"\0" if vr in ("UI", *_LONG[:3]) else b" ")
    head, size = struct.pack("<HH", tag >> 16, tag & 0xFFFF), len(value)
    if implicit:
        return cat(head, struct.pack("<I", size), value)
    if vr in _LONG:
        return cat(head, vr.encode(), struct.pack("<HI", 0, size), value)
    return cat(head, vr.encode(), struct.pack("<H", size), value)


def _item(rows: list[Element], implicit: bool, undefined: bool) -> Marked:
    inside = dataset(rows, implicit)
    if undefined:
        return cat(b"\xfe\xff\x00\xe0\xff\xff\xff\xff", inside, b"\xfe\xff\x0d\xe0\0\0\0\0")
    return cat(b"\xfe\xff\x00\xe0", struct.pack("<I", len(inside)), inside)


def dataset(rows: list[Element], implicit: bool = False) -> Marked:
    """Write elements in the order of their tags."""
    return cat(*(element(row, implicit) for row in sorted(rows, key=lambda row: row[0])))


def part10(rows: list[Element], implicit: bool = False, preamble: Part = b"") -> Marked:
    """Write a whole file.

    Parameters
    ----------
    rows : list of Element
        The dataset, in any order.
    implicit : bool
        Implicit VR little endian, otherwise explicit VR little endian.
    preamble : bytes or Marked
        Up to 128 bytes, filled up with zeros.
    """
    syntax = b"1.2.840.10008.1.2\0" if implicit else b"1.2.840.10008.1.2.1\0"
    meta: list[Element] = [
        (0x00020001, "OB", b"\0\1"), (0x00020002, "UI", _MEDIA), (0x00020003, "UI", b"1.2.3.4\0"),
        (0x00020010, "UI", syntax),
    ]  # fmt: skip
    group = dataset(meta)
    length = element((0x00020000, "UL", struct.pack("<I", len(group))), False)
    return cat(filled(preamble, 128), b"DICM", length, group, dataset(rows, implicit))


def identity(person: Person) -> list[Element]:
    """Give what every dataset says; the name has room for a replacement, so that no length changes."""
    name = person.raw.ljust(max(10, len(person.raw)))
    return [
        (0x00080005, "CS", person.charset.encode()),
        (0x00080016, "UI", _MEDIA), (0x00080018, "UI", b"1.2.3.4\0"),
        (0x00080020, "DA", b"20170327"), (0x00080070, "LO", b"SIEMENS "), (0x00081090, "LO", b"Biograph_mMR"),
        (0x00080090, "PN", mark(PHYSICIAN, "field", "physician")),
        (0x00100010, "PN", mark(name + b" " * (len(name) % 2), "field", "name")),
        (0x00100020, "LO", mark(NUMBER, "field", "ID")), (0x00100030, "DA", mark(BIRTH, "field", "birth date")),
        (0x00080008, "CS", b"ORIGINAL\\PRIMARY\\NORM\\LIST\\IRIS\\TIM"), (0x00180015, "CS", b"HEAD"),
        (0x00180024, "SH", b"MAX_LONG"), (0x00181020, "LO", b"syngo MR B20P "),
    ]  # fmt: skip
