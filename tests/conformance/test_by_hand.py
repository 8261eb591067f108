"""The walk on bytes written by hand: each shows one rule of PS3.5, or one thing that files get wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastanon import walk as w
from fastanon.container import read_parts
from fastanon.elements import Elements, read_elements
from fastanon.errors import MalformedError
from fastanon.limits import limited
from fastanon.opened import Opened

WALKS = pytest.mark.parametrize("compiled", [pytest.param(False, id="plain"), pytest.param(True, id="compiled")])

LE, IMPLICIT, BIG = 0, w.IMPLICIT, w.BIG
ITEM = b"\xfe\xff\x00\xe0"
ITEM_END = b"\xfe\xff\x0d\xe0\0\0\0\0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
NO_LENGTH = b"\xff\xff\xff\xff"
NAME_IMPLICIT = b"\x10\0\x10\0\x04\0\0\0A^B "
NAME_EXPLICIT = b"\x10\0\x10\0PN\x04\0A^B "


def table(data: bytes, mode: int, compiled: bool) -> Elements:
    return read_elements(data, 0, len(data), mode, compiled=compiled)


def shape(elements: Elements) -> list[tuple[int, str, int, int, int]]:
    rows = [elements[i] for i in range(len(elements))]
    return [(e.tag, e.vr, e.value, e.length, e.depth) for e in rows]


FAKE = ITEM + b"\x08\0\0\0\x10\0\x10\0\xff\xff\0\0"  # an item whose element runs past its end

CASES = {
    "explicit": (NAME_EXPLICIT, LE, [(0x00100010, "PN", 8, 4, 0)]),
    "implicit": (NAME_IMPLICIT, IMPLICIT, [(0x00100010, "", 8, 4, 0)]),
    "big endian": (b"\0\x10\0\x10PN\0\x04A^B ", BIG, [(0x00100010, "PN", 8, 4, 0)]),
    "four bytes of length": (b"\x08\0\x19\x01UC\0\0\x02\0\0\0ab", LE, [(0x00080119, "UC", 12, 2, 0)]),
    "four bytes of length, big endian": (
        b"\0\x08\x01\x19UC\0\0\0\0\0\x02ab",
        BIG,
        [(0x00080119, "UC", 12, 2, 0)],
    ),
    "duplicates": (
        NAME_EXPLICIT * 2,
        LE,
        [(0x00100010, "PN", 8, 4, 0), (0x00100010, "PN", 20, 4, 0)],
    ),
    "out of order, behind the pixel data": (
        b"\xe0\x7f\x10\0OB\0\0\x02\0\0\0\1\2" + NAME_EXPLICIT,
        LE,
        [(0x7FE00010, "OB", 12, 2, 0), (0x00100010, "PN", 22, 4, 0)],
    ),
    "fragments": (
        b"\xe0\x7f\x10\0OB\0\0" + NO_LENGTH + ITEM + b"\0\0\0\0" + ITEM + b"\x02\0\0\0\xff\xd8" + SEQUENCE_END
        + NAME_EXPLICIT,
        LE,
        [(0x7FE00010, "OB", 12, 18, 0), (0x00100010, "PN", 46, 4, 0)],
    ),
    "fragment that holds a delimiter": (
        b"\xe0\x7f\x10\0OB\0\0" + NO_LENGTH + ITEM + b"\x08\0\0\0" + SEQUENCE_END + SEQUENCE_END,
        LE,
        [(0x7FE00010, "OB", 12, 16, 0)],
    ),
    "group length": (
        b"\x10\0\0\0UL\x04\0\x0c\0\0\0" + NAME_EXPLICIT,
        LE,
        [(0x00100000, "UL", 8, 4, 0), (0x00100010, "PN", 20, 4, 0)],
    ),
    "sequence, all lengths defined": (
        b"\x08\0\x40\x11SQ\0\0\x14\0\0\0" + ITEM + b"\x0c\0\0\0" + NAME_EXPLICIT,
        LE,
        [(0x00081140, "SQ", 12, 20, 0), (0xFFFEE000, "", 20, 12, 1), (0x00100010, "PN", 28, 4, 1)],
    ),
    "sequence, no length defined": (
        b"\x08\0\x40\x11SQ\0\0" + NO_LENGTH + ITEM + NO_LENGTH + NAME_EXPLICIT + ITEM_END + SEQUENCE_END,
        LE,
        [(0x00081140, "SQ", 12, 28, 0), (0xFFFEE000, "", 20, 12, 1), (0x00100010, "PN", 28, 4, 1)],
    ),
    "implicit item in an explicit dataset": (
        b"\x08\0\x40\x11SQ\0\0\x14\0\0\0" + ITEM + b"\x0c\0\0\0" + NAME_IMPLICIT,
        LE,
        [(0x00081140, "SQ", 12, 20, 0), (0xFFFEE000, "", 20, 12, 1), (0x00100010, "", 28, 4, 1)],
    ),
    "UN of undefined length, implicit inside": (
        b"\x09\0\x01\x10UN\0\0" + NO_LENGTH + ITEM + b"\x0c\0\0\0" + NAME_IMPLICIT + SEQUENCE_END + NAME_EXPLICIT,
        LE,
        [
            (0x00091001, "UN", 12, 20, 0), (0xFFFEE000, "", 20, 12, 1), (0x00100010, "", 28, 4, 1),
            (0x00100010, "PN", 48, 4, 0),
        ],
    ),
    "UN of defined length, little endian and implicit in big endian": (
        b"\0\x08\x11\x40UN\0\0\0\0\0\x14" + ITEM + b"\x0c\0\0\0" + NAME_IMPLICIT + b"\0\x10\0\x20LO\0\x02ab",
        BIG,
        [
            (0x00081140, "UN", 12, 20, 0), (0xFFFEE000, "", 20, 12, 1), (0x00100010, "", 28, 4, 1),
            (0x00100020, "LO", 40, 2, 0),
        ],
    ),
    "private sequence of defined length, implicit": (
        b"\x09\0\x01\x10\x14\0\0\0" + ITEM + b"\x0c\0\0\0" + NAME_IMPLICIT,
        IMPLICIT,
        [(0x00091001, "", 8, 20, 0), (0xFFFEE000, "", 16, 12, 1), (0x00100010, "", 24, 4, 1)],
    ),
    "private bytes that begin like an item, implicit": (
        b"\x09\0\x01\x10\x10\0\0\0" + FAKE + NAME_IMPLICIT,
        IMPLICIT,
        [(0x00091001, "", 8, 16, 0), (0x00100010, "", 32, 4, 0)],
    ),
    "private bytes that begin like an item, UN": (
        b"\x09\0\x01\x10UN\0\0\x10\0\0\0" + FAKE + NAME_EXPLICIT,
        LE,
        [(0x00091001, "UN", 12, 16, 0), (0x00100010, "PN", 36, 4, 0)],
    ),
    "such bytes inside such bytes": (
        b"\x09\0\x01\x10\x28\0\0\0" + ITEM + b"\x20\0\0\0"
        + b"\x09\0\x02\x10\x10\0\0\0" + FAKE + b"\x10\0\x10\0\0\0\0\0"
        + NAME_IMPLICIT,
        IMPLICIT,
        [
            (0x00091001, "", 8, 40, 0), (0xFFFEE000, "", 16, 32, 1), (0x00091002, "", 24, 16, 1),
            (0x00100010, "", 48, 0, 1), (0x00100010, "", 56, 4, 0),
        ],
    ),
    "a zero tag ends the dataset": (NAME_EXPLICIT + bytes(10), LE, [(0x00100010, "PN", 8, 4, 0)]),
}  # fmt: skip


@WALKS
@pytest.mark.parametrize("case", CASES)
def test_rows(case: str, compiled: bool) -> None:
    data, mode, wanted = CASES[case]
    assert shape(table(data, mode, compiled)) == wanted


BROKEN = {
    "length past the end": (b"\x10\0\x10\0PN\x06\0A^B ", LE, "past the end"),
    "no VR": (NAME_EXPLICIT + NAME_IMPLICIT, LE, "no VR"),
    "half a header": (NAME_EXPLICIT + b"\x10\0\x20\0", LE, "truncated"),
    "item at the top": (ITEM + b"\0\0\0\0", LE, "outside a sequence"),
    "delimiter at the top": (NAME_EXPLICIT + SEQUENCE_END, LE, "outside a sequence"),
    "no item in a sequence": (b"\x08\0\x40\x11SQ\0\0\x0c\0\0\0" + NAME_EXPLICIT, LE, "no item"),
    "no delimiter": (b"\x08\0\x40\x11SQ\0\0" + NO_LENGTH, LE, "truncated"),
    "element longer than its item": (
        b"\x08\0\x40\x11SQ\0\0\x14\0\0\0" + ITEM + b"\x0c\0\0\0" + b"\x10\0\x10\0PN\x06\0A^B " + b"  ",
        LE,
        "past the end",
    ),
    "item longer than its sequence": (
        b"\x08\0\x40\x11SQ\0\0\x14\0\0\0" + ITEM + b"\x0e\0\0\0" + NAME_EXPLICIT + b"  ",
        LE,
        "past the end",
    ),
    "undefined length of a text": (b"\x10\0\x10\0UT\0\0" + NO_LENGTH + b"A^B ", LE, "undefined length"),
    "fragment without a length": (
        b"\xe0\x7f\x10\0OB\0\0" + NO_LENGTH + ITEM + NO_LENGTH + SEQUENCE_END,
        LE,
        "undefined length",
    ),
}


@WALKS
@pytest.mark.parametrize("case", BROKEN)
def test_broken(case: str, compiled: bool) -> None:
    data, mode, reason = BROKEN[case]
    with pytest.raises(MalformedError, match=reason):
        table(data, mode, compiled)


@WALKS
def test_an_error_says_which_element_leaves_its_item(compiled: bool) -> None:
    data, mode, _ = BROKEN["element longer than its item"]
    with pytest.raises(MalformedError) as caught:
        table(data + NAME_EXPLICIT, mode, compiled)
    assert caught.value.offset == 20


@WALKS
def test_no_item_of_an_implicit_dataset_is_explicit(compiled: bool) -> None:
    value = bytes(0x4241)  # this length is 'AB' where a VR would stand
    item = (
        ITEM
        + (len(value) + 8).to_bytes(4, "little")
        + b"\x28\0\x01\x12"
        + len(value).to_bytes(4, "little")
        + value
    )
    data = b"\x08\0\x40\x11" + len(item).to_bytes(4, "little") + item
    assert shape(table(data, IMPLICIT, compiled))[-1] == (0x00281201, "", 24, len(value), 1)


@WALKS
def test_offsets_past_four_gigabytes(tmp_path: Path, compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    path, length = tmp_path / "sparse.dcm", 0xFFFFFFF0
    head = bytes(128) + b"DICM" + b"\2\0\x10\0UI\x14\0" + b"1.2.840.10008.1.2.1\0"
    head += b"\x08\0\x08\0CS\x02\0A \x09\0\x01\x10OB\0\0" + length.to_bytes(4, "little")
    with path.open("wb") as file:
        file.write(head)
        file.seek(len(head) + length)
        file.write(NAME_EXPLICIT)
    if compiled:
        whole = lambda *args, **kwargs: read_elements(*args, **kwargs, compiled=True)  # noqa: E731
        monkeypatch.setattr("fastanon.container.read_elements", whole)
    with Opened(path) as opened, limited(header=1 << 33):
        elements = read_parts(opened)[1].elements
        name = elements[len(elements) - 1]
    assert (name.tag, name.value, name.length) == (0x00100010, len(head) + length + 8, 4)
    assert name.value > 1 << 32
    assert elements.end == len(head) + length + len(NAME_EXPLICIT)
    assert path.stat().st_blocks < 1000
