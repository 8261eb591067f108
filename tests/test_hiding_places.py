"""A name beside the one in Patient's Name, wherever bytes can hide: it is replaced, or the file is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from fastanon.edits import edited
from fastanon.errors import FileError
from fastanon.opened import Opened
from fastanon.planner import plan_in_place
from tests.builder import EXPLICIT, IMPLICIT, Item, Leaf, Seq, build, meta, part10
from tests.canary import CANARIES, leaks_in
from tests.niftypet import scheme

_, LAST, _, _ = CANARIES
NAME = Leaf(0x00100010, "PN", f"{LAST}^X".encode())
COPY = Leaf(0x00081030, "LO", f"scan of {LAST}".encode())
CREATOR, SIEMENS = Leaf(0x60010030, "LO", b"MAKER"), Leaf(0x7FE10010, "LO", b"SIEMENS CSA NON-IMAGE")
WHOLE = part10((NAME,))
BARE, BARE_IMPLICIT = build((NAME,))[0], build((NAME,), IMPLICIT)[0]
BROKEN = b"\xfe\xff\x00\xe0\x60\0\0\0\x10\0\x10\0\xff\xff\0\0" + COPY.value.ljust(32)

PLACES = {
    "preamble": LAST.encode().ljust(128) + WHOLE[128:],
    "behind zeros": WHOLE + bytes(16) + LAST.encode(),
    "the same element again": WHOLE + BARE,
    "as UN": meta(EXPLICIT) + b"\x10\0\x10\0UN\0\0" + struct.pack("<I", len(BARE) - 8) + BARE[8:],
    "behind an empty UN": meta(EXPLICIT) + b"\x10\0\x10\0UN\0\0\xff\xff\xff\xff\xfe\xff\xdd\xe0\0\0\0\0" + BARE,
    "private text without a VR": part10(
        (Leaf(0x00090010, "LO", b"M"), Leaf(0x00091001, "ST", COPY.value), NAME), IMPLICIT
    ),
    "private bytes that begin like an item": part10(
        (Leaf(0x00090010, "LO", b"M"), Leaf(0x00091001, "UN", BROKEN), NAME)
    ),
    "behind command group length": meta(IMPLICIT) + struct.pack("<HHII", 0, 0, 4, 0) + BARE_IMPLICIT,
    "behind a zero tag": meta(EXPLICIT) + build((Leaf(0x00080005, "CS", b"ISO_IR 100"),))[0] + bytes(8) + BARE,
    "a broken UN where the dictionary has a sequence": part10((Leaf(0x00081140, "UN", BROKEN), NAME)),
    "a private element with the number of an overlay": part10(
        (NAME, CREATOR, Leaf(0x60013000, "LO", LAST.encode()))
    ),
    "a sequence where list-mode data should be": part10((NAME, SIEMENS, Seq(0x7FE11010, (Item((COPY,)),)))),
    "a VR that nobody knows": part10((NAME, Leaf(0x00111099, "ZZ", COPY.value))),
    "a public element that nobody knows, VR unknown": part10((NAME, Leaf(0x00120199, "ZZ", COPY.value))),
}


def left_after(path: Path, data: bytes) -> list[str]:
    """Give the planted values that a planned file still holds; none where it is refused."""
    path.write_bytes(data)
    try:
        with Opened(path) as opened:
            plan = plan_in_place(opened, scheme())
    except FileError:
        return []
    return leaks_in(edited(data, plan.edits))


@pytest.mark.parametrize("place", PLACES)
def test_found_or_refused(tmp_path: Path, place: str) -> None:
    assert left_after(tmp_path / "a.dcm", PLACES[place]) == []
