"""What PS3.6 says of a tag, and PS3.5 of a VR: from ``dictionary.tsv``, which ``tools/make_dictionary.py`` makes.

Importing pydicom for this would cost more than all the rest of a run on one slice.
"""

from __future__ import annotations

import functools
import os
from array import array

from fastanon import walk

#: VRs with a 16-bit length, and those with two reserved bytes and a 32-bit one (PS3.5 7.1.2).
SHORT_VRS = "AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split()
LONG_VRS = "OB OD OF OL OV OW SV UC UR UT UV".split()

#: The padding of a value to even length (PS3.5 6.2); a space for every VR that is not here.
PADDING = dict.fromkeys("UI OB OW OD OF OL OV UN".split(), b"\0")

#: Longest value in characters (PS3.5 6.2); a person name's holds for each component group.
LIMITS = {"AE": 16, "CS": 16, "DA": 8, "LO": 64, "LT": 10240, "PN": 64, "SH": 16, "ST": 1024, "UI": 64}

#: VRs that hold words a person may have typed. All others hold numbers, codes, dates or UIDs.
TEXT_VRS = frozenset("LO LT PN SH ST UC UR UT".split())

_SLOTS = 4096  # a power of two, at most a third full


@functools.cache
def _table() -> dict[str, tuple[str, str]]:
    with open(os.path.join(os.path.dirname(__file__), "dictionary.tsv"), encoding="ascii") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    return {tag: (vr, keyword) for tag, vr, keyword in rows}


def _entry(tag: int) -> tuple[str, str] | None:
    name = f"{tag:08X}"
    table = _table()
    if name in table or tag >> 16 & 1:
        return table.get(name)
    # repeating groups: (50xx,eeee) and (60xx,eeee) of PS3.6
    return table.get(f"{name[:2]}xx{name[4:]}")


def vr_of(tag: int) -> str:
    """Give the VR of a public tag, LO for a private creator, UN for all else."""
    entry = _entry(tag)
    if entry is not None:
        return entry[0]
    if not tag & 0xFFFF:
        return "UL"
    return "LO" if is_private_creator(tag) else "UN"


def keyword_of(tag: int) -> str:
    """Give the keyword of a tag, such as ``PatientName``, or the tag itself as ``(gggg,eeee)``."""
    entry = _entry(tag)
    return entry[1] if entry is not None and entry[1] else f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def is_private(tag: int) -> bool:
    """Say whether the group is odd (PS3.5 7.8)."""
    return bool(tag >> 16 & 1)


def is_private_creator(tag: int) -> bool:
    """Say whether the tag reserves a private block: (gggg,0010-00FF), gggg odd."""
    return is_private(tag) and 0x10 <= tag & 0xFFFF <= 0xFF


@functools.cache
def kinds() -> bytes:
    """Give the table that `walk.kind_of` reads."""
    table = bytearray(26 * 26)
    groups = (
        (SHORT_VRS, walk.SHORT),
        (LONG_VRS, walk.LONG),
        (["SQ"], walk.SEQUENCE),
        (["UN"], walk.UNKNOWN_VR),
    )
    for names, kind in groups:
        for name in names:
            table[(ord(name[0]) - 65) * 26 + ord(name[1]) - 65] = kind
    return bytes(table)


@functools.cache
def sequences() -> array[int]:
    """Give the open-addressed table of the tags of sequences that `walk.is_sequence_tag` reads."""
    table = array("q", bytes(8 * _SLOTS))
    for name, (vr, _) in _table().items():
        if vr == "SQ":
            for tag in (
                int(name.replace("xx", f"{xx:02X}"), 16) for xx in (range(0, 32, 2) if "x" in name else (0,))
            ):
                h = tag * 40503 & _SLOTS - 1
                while table[h]:
                    h = h + 1 & _SLOTS - 1
                table[h] = tag
    return table
