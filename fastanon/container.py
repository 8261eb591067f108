"""What a file is, and where its parts lie."""

from __future__ import annotations

import struct
import zlib

from fastanon import dictionary, walk
from fastanon.dicom import DicomPart
from fastanon.elements import Elements, read_elements
from fastanon.errors import FileError, MalformedError, NotMedicalError, UnsupportedError
from fastanon.fields import Box, Space
from fastanon.inflating import inflated
from fastanon.limits import check
from fastanon.opened import Opened
from fastanon.part import Part, TextPart
from fastanon.payload import Payload
from fastanon.siemens import ptd

_IMPLICIT = {"1.2.840.10008.1.2", "1.2.840.113619.5.2"}  # the second is GE's, with big endian pixels
_BIG = "1.2.840.10008.1.2.2"
_DEFLATED = {"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"}
_TRANSFER_SYNTAX = 0x00020010

_BLOCK = 16 << 20
_LEAST = 8  # bytes of the shortest element


def read_parts(opened: Opened) -> tuple[Part, ...]:
    """Find out what a file is and read its structure.

    Returns
    -------
    tuple of Part
        For a DICOM file its meta information, if it has any, and its dataset; for raw data what is around
        the payload.

    Raises
    ------
    NotMedicalError
        If it is nothing that is known.
    MalformedError, UnsupportedError
        If it is, and can't be handled.
    """
    try:
        parts = _read(opened)
        opened.check()
    except FileError as error:
        error.path = opened.path
        raise
    return parts


def _read(opened: Opened) -> tuple[Part, ...]:
    if opened.size >= 132 and opened.view[128:132] == b"DICM":
        return _read_with_meta(opened, 0, opened.size)
    located = ptd.locate(opened)
    if located is not None:
        return _read_ptd(opened, located)
    from fastanon.raw import read_raw  # not for DICOM

    raw = read_raw(opened)
    return _read_bare(opened) if raw is None else (raw,)


def _read_ptd(opened: Opened, located: ptd.Ptd) -> tuple[Part, ...]:
    """Read the DICOM stream behind the payload; the trailer counts its length, and must follow a change of it."""
    start, stop = located.dicom
    slots = (located.length_slot,) if located.length_slot else ()
    payload = TextPart(opened, payloads=[Payload(*located.payload, "list-mode")], start=0, stop=start)
    trailer = TextPart(opened, start=stop)
    stream = _read_with_meta(opened, start, stop, outer=Box(start, stop, slots))
    if located.broken:
        trailer.notes.append("the ptd trailer gives another length than its DICOM stream has: left as it is")
        for part in stream:
            part.fixed = True
    return (payload, *stream, trailer)


def _read_with_meta(
    opened: Opened, start: int, stop: int, preamble: int = 132, outer: Box | None = None
) -> tuple[DicomPart, ...]:
    """Read file meta information and the dataset in the encoding that it names (PS3.10 7.1)."""
    view, space = opened.view, Space()
    elements = read_elements(view, start + preamble, stop, 0, only_group=2)
    meta = DicomPart(space, view, elements, start, elements.end, opened, outer)
    rows = elements.rows_of((_TRANSFER_SYNTAX,))
    if meta.stop == stop:
        raise MalformedError("no dataset behind the file meta information", offset=stop)
    if len(rows) > 1:
        raise UnsupportedError("more than one transfer syntax", offset=elements[rows[1]].header)
    syntax = meta.text(rows[0]) if rows else ""
    if syntax in _DEFLATED:
        return (meta, _inflate(opened, meta.stop, stop))
    mode = _mode_of(view, meta.stop, stop, syntax)
    elements = _read_dataset(view, meta.stop, stop, mode)
    dataset = DicomPart(space, view, elements, meta.stop, stop, opened, outer)
    _refuse_more(dataset)
    return (meta, dataset)


def _read_dataset(view: walk.Bytes, start: int, stop: int, mode: int) -> Elements:
    """Walk a dataset; zeros behind it that are too few for an element are none."""
    try:
        return read_elements(view, start, stop, mode)
    except MalformedError as error:
        end = error.offset or start
        least = 2 if mode & walk.BIG else 1  # one zero may be the first byte of a tag that was cut off
        if not least <= stop - end < _LEAST or any(view[end:stop]):
            raise
    return read_elements(view, start, end, mode)


def _refuse_more(part: DicomPart) -> None:
    """Refuse a header that is too large, and a file that goes on behind its dataset with more than zeros.

    Nobody knows what that is.
    """
    size = part.stop - part.start - sum(one.end - one.start for one in part.payloads())
    check("header", size, "bytes outside payloads", part.start)
    for at in range(part.elements.end, part.stop, _BLOCK):
        if part.read(at, min(at + _BLOCK, part.stop)).strip(b"\0"):
            raise UnsupportedError("something that is no element follows", offset=part.elements.end)


def _mode_of(view: walk.Bytes, start: int, stop: int, syntax: str) -> int:
    """Give the encoding that the transfer syntax names, and refuse where the dataset contradicts it."""
    shown = _shown_mode(view, start, stop)
    if not syntax:
        if shown is None:
            raise UnsupportedError("no transfer syntax, and a dataset that does not show one", offset=start)
        return shown
    named = walk.IMPLICIT if syntax in _IMPLICIT else walk.BIG if syntax == _BIG else 0
    if shown is not None and shown != named:
        raise UnsupportedError("the transfer syntax names another encoding than the dataset has", offset=start)
    return named


def _shown_mode(view: walk.Bytes, start: int, stop: int) -> int | None:
    """Read the encoding off the first element: a VR of the standard, and a low group in one byte order."""
    if start + 8 > stop:
        return None
    explicit = walk.kind_of(walk.u16(view, start + 4), dictionary.kinds()) > walk.UNKNOWN
    low, high = walk.u16_in(view, start, 0), walk.u16_in(view, start, walk.BIG)
    if explicit:
        return walk.BIG if high < low else 0
    if high < low:  # implicit VR is always little endian
        return None
    known = dictionary.vr_of(walk.tag_in(view, start, 0)) != "UN"
    return walk.IMPLICIT if known else None


def _read_bare(opened: Opened) -> tuple[Part, ...]:
    """Read a dataset without preamble: it must show its encoding and be elements to its last byte."""
    view, size = opened.view, opened.size
    group = min(walk.u16_in(view, 0, 0), walk.u16_in(view, 0, walk.BIG)) if size >= 8 else 0
    mode = _shown_mode(view, 0, size) if 0 < group <= 0x10 else None
    if mode is None:
        from fastanon import formats  # for what is refused

        name = formats.name_of(opened.path, opened.read(0, min(formats.HEAD, size)), size)
        raise NotMedicalError(
            f"not DICOM but {name}: not handled" if name else "not DICOM, nor anything else known"
        )
    if group == 2:
        return _read_with_meta(opened, 0, size, preamble=0)
    elements = read_elements(view, 0, size, mode)
    if elements.end != size:
        raise NotMedicalError("begins like a DICOM dataset, but is none", offset=elements.end)
    dataset = DicomPart(Space(), view, elements, 0, size, opened)
    _refuse_more(dataset)
    return (dataset,)


def _inflate(opened: Opened, start: int, stop: int) -> DicomPart:
    """Inflate a dataset (PS3.5 A.5: raw RFC 1951, padded to even length)."""
    pieces: list[bytes] = []
    rest = inflated(opened, start, stop, pieces.append, "the deflated dataset")
    data = b"".join(pieces)
    codec = "deflate"
    if rest.strip(b"\0"):
        if rest != gzip_trailer(data):
            raise UnsupportedError("bytes behind the deflated dataset", offset=stop - len(rest))
        codec = "deflate+trailer"
    elements = read_elements(data, 0, len(data), 0)
    part = DicomPart(Space(Space(), codec, start, stop), data, elements, 0, len(data))
    _refuse_more(part)
    return part


def deflate(data: bytes, codec: str) -> bytes:
    """Deflate a dataset again, as `_inflate` found it."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = engine.compress(data) + engine.flush()
    if codec == "deflate+trailer":
        return packed + gzip_trailer(data)
    return packed + b"\0" * (len(packed) % 2)


def gzip_trailer(data: bytes) -> bytes:
    """Give checksum and length, which some writers put behind the deflated dataset (RFC 1952 2.3.1)."""
    return struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
