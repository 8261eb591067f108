"""UIDs by their shape, wherever they stand, and what they tell.

Siemens' root is 1.3.12.2.1107.5, then two numbers for the kind of machine, its serial number, and components of
which one begins with the date: 1.3.12.2.1107.5.2.38.51011.2017032715581112300000001 in elements, and the same in
protocol text, as in ``tReferenceImage0`` and ``tFrameOfReference``. Other makers put dates into UIDs too.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from fastanon.fields import Place
from fastanon.part import Part, Run

# The first character goes first, by which most places are passed over; what may not stand before it, then.
_UID = re.compile(
    rb"[012](?=\.)(?<!\d.)(?<!\d\..)(?:(?:\.\d+){4,}|(?<=2)\.25\.\d{20,39}(?:\.\d+)?)(?![\d.]*\d)", re.DOTALL
)
_SIEMENS, _SERIAL = b"1.3.12.2.1107.5.", 8
_LONGEST_SERIAL = 6
_STANDARD = b"1.2.840.10008."  # names of DICOM's own: they tell of nobody
_BLOCK, _LONGEST = 16 << 20, 64

#: Of File Meta Private Information that is nothing but filling (PS3.5 B.2: from a random UUID).
FILLING = b"2.25.338815493367126866273898343050571552014"

#: In text what is shorter may be a class, a root or a version.
SHORTEST = 25


def uids_in(part: Part) -> Iterator[tuple[Run, bytes]]:
    """Give every UID outside payloads that is none of the standard's, and where it stands."""
    for start, stop in part.searched():
        for at in range(start, stop, _BLOCK):
            base = max(at - 1, start)
            data = part.read(base, min(at + _BLOCK + _LONGEST, stop))
            for (start_at, end), uid in uids_in_bytes(data):
                if at <= base + start_at < at + _BLOCK:
                    yield (base + start_at, base + end), uid


def uids_in_bytes(data: bytes) -> Iterator[tuple[Run, bytes]]:
    """Give every UID in bytes that is none of the standard's, and where it stands."""
    for found in _UID.finditer(data):
        if not found[0].startswith((_STANDARD, FILLING)):
            yield found.span(), found[0]


def telling_uids(part: Part) -> Iterator[Place]:
    """Give the UIDs outside payloads that hold a device's serial number or a date, with what they hold as kind."""
    for (first, end), uid in uids_in(part):
        kind = " and ".join(told_by(uid))
        if kind:
            yield Place(part.name_at(first, end), first, end - first, kind)


def told_by(uid: bytes) -> list[str]:
    """Say what a UID tells: "device serial", "date", both or nothing."""
    if uid.startswith(_STANDARD):
        return []
    components = uid.split(b".")
    serial = components[_SERIAL] if uid.startswith(_SIEMENS) and len(components) > _SERIAL + 1 else b""
    told = ["device serial"] if 0 < len(serial) <= _LONGEST_SERIAL and serial != b"0" else []
    return told + (["date"] if any(map(_begins_with_date, components)) else [])


def _begins_with_date(component: bytes) -> bool:
    if (len(component) != 8 and len(component) < 12) or not b"1970" <= component[:4] <= b"2099":
        return False
    try:
        datetime.date(int(component[:4]), int(component[4:6]), int(component[6:8]))
    except ValueError:
        return False
    return True
