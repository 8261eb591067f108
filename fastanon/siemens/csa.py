"""CSA headers, SV10 and the older form: what is text, what is number, what is leftover memory.

The layout is that of nibabel's and csa_header's readers, checked on real headers. All numbers are little
endian, whatever the dataset. Readers stop at the first NUL of a name or a value; the bytes behind it are
whatever the scanner's memory held, up to 3.5 kB a header, and may be pieces of the patient's name.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Generator, Iterator
from typing import Any

from fastanon.fields import Field, Space, Text
from fastanon.limits import check, limits
from fastanon.siemens import protocol
from fastanon.siemens.csa_tags import BINARY_VRS, NUMBER_VRS, TEXT_VRS

_TAG = struct.Struct("<64si4siii")  # name, vm, vr, syngo type, items, 77 or 205
_COUNTS, _ITEM = struct.Struct("<2i"), struct.Struct("<4i")
_NUMBER = re.compile(rb"[-+.\dEe ]*")
#: Position; weight in kg; age in years with two decimals; and codes: `1;HFS;100.70;33.68;2;0;2;-783721569`.
REGISTRATION = "PatReinPattern"
_REGISTERED = re.compile(rb"(\d+;[A-Z]+;[\d.]+;)([\d.]+)(;[-\d;]*)")
MAX_TAGS = 1000
LATIN, _LEFTOVER = Text("latin-1"), Text("latin-1", b"\0")

Run = tuple[int, int]
#: Name, VR, the text of an item without its NUL (of the tag itself None), the slack behind names, VRs and text.
Piece = tuple[str, bytes, Run | None, list[Run]]


class BrokenCsaError(Exception):
    """The header contradicts itself; no part of it can be trusted."""


def is_csa(data: bytes) -> bool:
    """Say whether bytes begin like a CSA header: SV10, or the older form's count followed by 77."""
    if data[:4] == b"SV10":
        return True
    return len(data) > 92 and 0 < int.from_bytes(data[:4], "little") <= MAX_TAGS and data[4:8] == b"M\0\0\0"


def fields(data: bytes, base: int, space: Space, key: tuple[str, ...]) -> list[Field]:
    """Read a CSA header.

    Parameters
    ----------
    data : bytes
        The value of the element.
    base : int
        Its offset in `space`.
    space : Space
        What offsets count in.
    key : tuple of str
        The path of the element.

    Returns
    -------
    list of Field
        Text items and UIDs, strings of protocols, and runs of slack (the last part of their key is ``slack``). The
        age in PatReinPattern is a field of its own; real headers have as many decimals as a birth date takes.

    Raises
    ------
    BrokenCsaError
        If counts and lengths do not lead to within 4 bytes of its end.
    MalformedError
        If it is past a limit.
    """
    check("text", len(data), "bytes in one text", base)
    found: list[Field] = []
    most = limits().fields
    for name, vr, run, slacks in _walk(data):
        path = (*key, name)
        if run is not None and _is_text(data, vr, run):
            found += _text_fields(data, run, base, space, path)
        for start, end in slacks:
            if data[start:end].strip(b"\0"):
                place = (base + start, base + end)
                found.append(Field((*path, "slack"), space, place, place, _LEFTOVER))
        if len(found) > most:
            check("fields", len(found), "pieces of text in one", found[-1].value[0])
    return found


def values_in(data: bytes, start: int, stop: int) -> Iterator[Run]:
    """Give the runs of a tag of an SV10 header by which no other byte is read: values, and what follows a name."""
    yield _after_nul(data, start, start + 64)
    at, items = start + _TAG.size, _TAG.unpack_from(data, start)[4]
    for _ in range(items):
        length = _ITEM.unpack_from(data, at)[1]
        at += _ITEM.size
        yield at, min(at + length + -length % 4, stop)
        at += length + -length % 4


def _is_text(data: bytes, vr: bytes, run: Run) -> bool:
    return vr in TEXT_VRS or (vr in NUMBER_VRS and not _NUMBER.fullmatch(data, *run))


def _text_fields(data: bytes, run: Run, base: int, space: Space, key: tuple[str, ...]) -> list[Field]:
    content = data[run[0] : run[1]]
    if protocol.is_protocol(content):
        return protocol.fields(content, base + run[0], space, key)
    registered = _REGISTERED.fullmatch(content) if key[-1] == REGISTRATION else None
    if registered is None:
        return [_field(key, run, base, space)]
    pieces = ((key, 1), ((*key[:-1], f"{REGISTRATION}<age>"), 2), (key, 3))
    spans = ((piece, registered.span(group)) for piece, group in pieces)
    return [_field(piece, (run[0] + start, run[0] + stop), base, space) for piece, (start, stop) in spans]


def _field(key: tuple[str, ...], run: Run, base: int, space: Space) -> Field:
    place = (base + run[0], base + run[1])
    return Field(key, space, place, place, LATIN)


def _walk(data: bytes) -> Iterator[Piece]:
    """Give the pieces of all tags."""
    new = data[:4] == b"SV10"
    at = 8 if new else 0
    count, mark = _unpacked(_COUNTS, data, at)
    if mark != 77 or not 0 < count <= MAX_TAGS:
        raise BrokenCsaError
    at += _COUNTS.size
    first_items = None if new else _unpacked(_TAG, data, at)[4]
    for _ in range(count):
        at = yield from _tag(data, at, first_items)
    if not len(data) - 4 <= at <= len(data):
        raise BrokenCsaError


def _tag(data: bytes, at: int, first_items: int | None = None) -> Generator[Piece, None, int]:
    """Give the pieces of a tag, and where the next begins; in the older form lengths count from `first_items`."""
    name, _vm, vr, _type, items, _mark = _unpacked(_TAG, data, at)
    known = name.split(b"\0")[0].decode("latin-1")
    short = vr.split(b"\0")[0]
    yield known, short, None, [_after_nul(data, at, at + 64), _after_nul(data, at + 68, at + 72)]
    at += _TAG.size
    for _ in range(items):
        numbers = _unpacked(_ITEM, data, at)
        length = numbers[1] if first_items is None else numbers[0] - first_items
        at += _ITEM.size
        if length < 0 or at + length > len(data):
            raise BrokenCsaError
        yield _item(data, at, length, known, short)
        at += length + -length % 4
    return at


def _unpacked(layout: struct.Struct, data: bytes, at: int) -> tuple[Any, ...]:
    try:
        return layout.unpack_from(data, at)
    except struct.error:
        raise BrokenCsaError from None


def _item(data: bytes, at: int, length: int, name: str, vr: bytes) -> Piece:
    end = at + length
    padded = min(end + -length % 4, len(data))
    if vr in BINARY_VRS:
        return name, vr, (at, end), [(end, padded)]
    nul = data.find(b"\0", at, end)
    stop = end if nul < 0 else nul
    return name, vr, (at, stop), [(min(stop + 1, end), padded)]


def _after_nul(data: bytes, start: int, stop: int) -> Run:
    nul = data.find(b"\0", start, stop)
    return (stop, stop) if nul < 0 else (nul + 1, stop)
