"""CSA headers in both forms: leftover memory goes, values stay; a header that lies is plain text."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable

import pytest
from csa_header import CsaHeader

from fastanon.edits import Edit, edited, in_order
from fastanon.fields import Field, Space
from fastanon.siemens import csa
from tests.canary import CANARIES

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nibabel warns that this reader is experimental
    from nibabel.nicom import csareader

FIRST, LAST, ID, _ = CANARIES
RESIDUE = f'{{ ""{LAST}^{FIRST}"" }}'.encode()
TAGS = (
    ("UsedPatientWeight", b"IS", 6, b"66      "),
    ("Comment", b"LO", 19, LAST.encode()),
    ("Empty", b"SH", 22, None),
)
BINARY = (("Landmarks", b"UN", 0, b"\1\2\0" + LAST.encode()), ("More", b"OB", 0, b"\0\0\0\0"))


def name_field(name: str, residue: bytes) -> bytes:
    return (name.encode() + b"\0" + residue).ljust(64, b"\0")[:64]


def csa2(tags: tuple[tuple[str, bytes, int, bytes | None], ...] = TAGS, residue: bytes = RESIDUE) -> bytes:
    """Write an SV10 header: x is (length, length, 77, length)."""
    parts = [b"SV10\4\3\2\1", struct.pack("<2i", len(tags), 77)]
    for name, vr, kind, value in tags:
        items = () if value is None else (value,)
        parts.append(name_field(name, residue) + struct.pack("<i4s3i", 1, vr + b"\0\0", kind, len(items), 77))
        for item in items:
            text = item if vr in (b"UN", b"OB") else item + b"\0" + residue[:5]
            parts.append(struct.pack("<4i", len(text), len(text), 77, len(text)))
            parts.append(text + (b"?" * (-len(text) % 4)))
    return b"".join(parts) + bytes(4)


def csa1(residue: bytes = RESIDUE) -> bytes:
    """Write the older form: no magic, and the first number of an item is its length plus the first tag's items."""
    parts = [struct.pack("<2i", len(TAGS), 77)]
    first = 1
    for name, vr, kind, value in TAGS:
        items = () if value is None else (value,)
        parts.append(name_field(name, residue) + struct.pack("<i4s3i", 1, vr + b"\0\0", kind, len(items), 77))
        for item in items:
            text = item + b"\0" + residue[:5]
            parts.append(struct.pack("<4i", len(text) + first, len(text), 77, len(text)) + text)
            parts.append(b"?" * (-len(text) % 4))
    return b"".join(parts)


def zeroed(data: bytes) -> bytes:
    runs = [f.value for f in fields(data) if f.key[-1] == "slack"]
    return edited(data, in_order([Edit(a, b - a, bytes(b - a), "slack") for a, b in runs], len(data)))


def fields(data: bytes) -> list[Field]:
    return csa.fields(data, 0, Space(), ("CSA",))


def read(data: bytes) -> dict[str, object]:
    """Read with csa_header and nibabel; by hand where both take the second tag for the first: the older form."""
    if data[:4] != b"SV10":
        return read_older(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its parser of protocols uses what Python will drop
        found = {name: tag["value"] for name, tag in CsaHeader(data).read().items()}
    also = {name: tag["items"] for name, tag in csareader.read(data)["tags"].items()}
    assert [name for name, items in also.items() if items] == [name for name, value in found.items() if value]
    return found


def read_older(data: bytes) -> dict[str, object]:
    found: dict[str, object] = {}
    at, first = 8, struct.unpack_from("<i", data, 84)[0]
    for _ in range(struct.unpack_from("<i", data)[0]):
        name, items = data[at : at + 64].split(b"\0")[0].decode(), struct.unpack_from("<i", data, at + 76)[0]
        at, found[name] = at + 84, None
        for _ in range(items):
            length = struct.unpack_from("<i", data, at)[0] - first
            text = data[at + 16 : at + 16 + length].split(b"\0")[0].decode()
            at, found[name] = at + 16 + -(-length // 4) * 4, int(text) if text.strip().isdigit() else text
    return found


@pytest.mark.parametrize("make", [csa1, csa2])
def test_slack_is_zeroed_and_values_stay(make: Callable[[], bytes]) -> None:
    data = make()
    clean = zeroed(data)
    assert read(clean) == read(data)
    assert read(data)["Comment"] == LAST
    assert read(data)["UsedPatientWeight"] == 66
    assert len(clean) == len(data)
    assert clean.count(LAST.encode()) == 1 < data.count(LAST.encode())  # the value itself is no slack
    assert zeroed(clean) == clean


@pytest.mark.parametrize("make", [csa1, csa2])
def test_the_text_of_an_item_is_a_field(make: Callable[[], bytes]) -> None:
    data = make()
    found = {f.key[-1]: data[slice(*f.value)] for f in fields(data) if f.key[-1] != "slack"}
    assert found == {"Comment": LAST.encode()}  # a number is none, and what is empty has none


def test_binary_items_are_not_cut_at_a_zero() -> None:
    data = csa2(TAGS + BINARY)
    assert {f.key[-1]: data[slice(*f.value)] for f in fields(data)}["Landmarks"] == BINARY[0][3]
    assert zeroed(data)[-len(BINARY[1][3] or b"") - 4 :] == data[-8:]


LIES = {
    "more tags than there are": (12, "<i", 5),
    "fewer tags than there are": (8, "<i", 1),
    "no tags": (8, "<i", 0),
    "a million tags": (8, "<i", 1_000_000),
    "a count below zero": (8, "<i", -1),
    "no mark": (12, "<i", 78),
    "an item below zero": (16 + 84 + 4, "<i", -5),
    "an item past the end": (16 + 84 + 4, "<i", 1 << 20),
    "items without end": (16 + 76, "<i", 1 << 30),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_is_broken(lie: str) -> None:
    offset, fmt, value = LIES[lie]
    data = bytearray(csa2())
    struct.pack_into(fmt, data, offset, value)
    with pytest.raises(csa.BrokenCsaError):
        fields(bytes(data))


def test_cut_anywhere_it_is_broken_or_whole() -> None:
    data = csa2()
    for size in range(len(data) - 4):
        with pytest.raises(csa.BrokenCsaError):
            fields(data[:size])
