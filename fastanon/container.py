"""What a file is, and where its DICOM streams lie."""

from __future__ import annotations

import functools
import struct
import zlib
from dataclasses import dataclass, field

from fastanon import dictionary, walk
from fastanon.elements import Elements, read_elements
from fastanon.errors import MalformedError, NotMedicalError, UnsupportedError
from fastanon.fields import Field, Space
from fastanon.opened import Opened

_IMPLICIT = {"1.2.840.10008.1.2", "1.2.840.113619.5.2"}  # the second is GE's, with big endian pixels
_BIG = "1.2.840.10008.1.2.2"
_DEFLATED = {"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"}
_TRANSFER_SYNTAX = 0x00020010

#: A deflated dataset may grow to this many bytes: deflated files are small, bombs are not.
MAX_INFLATED = 1 << 30

_BLOCK = 16 << 20


@dataclass(frozen=True)
class Part:
    """A run of elements in one space: the file meta information, the dataset, an inflated dataset.

    Attributes
    ----------
    space : Space
        What the offsets of `elements` count in.
    data : bytes-like
        The bytes of that space.
    elements : Elements
        The walked table.
    start, stop : int
        The bytes this part answers for: what no element holds is preamble or lies behind the dataset.
    opened : Opened or None
        The file, where the space is the file.
    """

    space: Space
    data: walk.Bytes
    elements: Elements
    start: int
    stop: int
    opened: Opened | None = None
    inner: dict[int, list[Field]] = field(default_factory=dict, compare=False)  # fields of a value, once read

    def bytes_at(self, start: int, stop: int) -> bytes:
        """Copy bytes out of the space."""
        return bytes(self.data[start:stop])

    def read(self, start: int, stop: int) -> bytes:
        """Copy bulk out of the space, from the file by positioned reads and not through the map."""
        return self.bytes_at(start, stop) if self.opened is None else self.opened.read(start, stop)

    def value(self, index: int) -> bytes:
        """Copy the value of an element out."""
        element = self.elements[index]
        return self.bytes_at(element.value, element.end)

    def text(self, index: int) -> str:
        """Read a short ASCII value, without its padding."""
        return self.value(index).decode("latin-1").strip(" \0") if index >= 0 else ""

    @functools.cached_property
    def payloads(self) -> list[int]:
        """Indices of the elements whose value is bulk data without text."""
        return [
            i
            for i in self.elements.rows_of(_MAYBE_PAYLOAD)
            if not self.elements[i].nested
            and (self.elements.tags[i] >> 16 != 0x7FE1 or self.creator(i) == "SIEMENS CSA NON-IMAGE")
        ]

    def creator(self, index: int) -> str:
        """Give the private creator of a private element, empty where it has none."""
        return self.text(self.elements.creator_row(index))


class _PayloadTags:
    """Pixel data (float, double too), waveform data, overlays, curves, and what may be Siemens' raw data."""

    def __contains__(self, tag: object) -> bool:
        assert isinstance(tag, int)
        group, number = tag >> 16, tag & 0xFFFF
        if group in (0x7FE0, 0x5400):
            return tag in (0x7FE00008, 0x7FE00009, 0x7FE00010, 0x54001010)
        if group == 0x7FE1:
            return number & 0xFF == 0x10 and number > 0xFF
        return group >> 8 in (0x50, 0x60) and not group & 1 and number == 0x3000


_MAYBE_PAYLOAD = _PayloadTags()


def read_parts(opened: Opened) -> tuple[Part, ...]:
    """Find out what a file is and walk it.

    Returns
    -------
    tuple of Part
        For a DICOM file its meta information, if it has any, and its dataset.

    Raises
    ------
    NotMedicalError
        If it is nothing that is known.
    MalformedError, UnsupportedError
        If it is, and can't be handled.
    """
    try:
        parts = _read_dicom(opened)
        opened.check()
    except (MalformedError, UnsupportedError, NotMedicalError) as error:
        error.path = opened.path
        raise
    return parts


def _read_dicom(opened: Opened) -> tuple[Part, ...]:
    view, size = opened.view, opened.size
    if size < 132 or view[128:132] != b"DICM":
        return _read_bare(opened)
    return _read_with_meta(opened, 132)


def _read_with_meta(opened: Opened, start: int) -> tuple[Part, ...]:
    """Read file meta information and the dataset in the encoding that it names (PS3.10 7.1)."""
    view, size, space = opened.view, opened.size, Space()
    elements = read_elements(view, start, size, 0, only_group=2)
    start = elements.end
    meta = Part(space, view, elements, 0, start, opened)
    rows = elements.rows_of((_TRANSFER_SYNTAX,))
    if start == size:
        raise MalformedError("no dataset behind the file meta information", offset=start)
    if len(rows) > 1:
        raise UnsupportedError("more than one transfer syntax", offset=elements[rows[1]].header)
    syntax = meta.text(rows[0]) if rows else ""
    if syntax in _DEFLATED:
        return (meta, _inflate(opened, start))
    mode = _mode_of(view, start, size, syntax)
    dataset = Part(space, view, read_elements(view, start, size, mode), start, size, opened)
    _refuse_more(dataset)
    return (meta, dataset)


def _refuse_more(part: Part) -> None:
    """Refuse a file that goes on behind its dataset with more than zeros: nobody knows what that is."""
    for at in range(part.elements.end, part.stop, _BLOCK):
        if part.read(at, min(at + _BLOCK, part.stop)).strip(b"\0"):
            raise UnsupportedError("something that is no element follows", offset=part.elements.end)


def _mode_of(view: walk.Bytes, start: int, size: int, syntax: str) -> int:
    """Give the encoding that the transfer syntax names, and refuse where the dataset contradicts it."""
    shown = _shown_mode(view, start, size)
    if not syntax:
        if shown is None:
            raise UnsupportedError("no transfer syntax, and a dataset that does not show one", offset=start)
        return shown
    named = walk.IMPLICIT if syntax in _IMPLICIT else walk.BIG if syntax == _BIG else 0
    if shown is not None and shown != named:
        raise UnsupportedError("the transfer syntax names another encoding than the dataset has", offset=start)
    return named


def _shown_mode(view: walk.Bytes, start: int, size: int) -> int | None:
    """Read the encoding off the first element: a VR of the standard, and a low group in one byte order."""
    if start + 8 > size:
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
        raise NotMedicalError("not DICOM, nor anything else that is known")
    if group == 2:
        return _read_with_meta(opened, 0)
    elements = read_elements(view, 0, size, mode)
    if elements.end != size:
        raise NotMedicalError("begins like a DICOM dataset, but is none", offset=elements.end)
    return (Part(Space(), view, elements, 0, size, opened),)


def _inflate(opened: Opened, start: int) -> Part:
    """Inflate a dataset (PS3.5 A.5: raw RFC 1951, padded to even length)."""
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = engine.decompress(opened.read(start, opened.size), MAX_INFLATED)
    except zlib.error:
        raise MalformedError("the deflated dataset can't be inflated", offset=start) from None
    if engine.unconsumed_tail or not engine.eof:
        raise MalformedError(f"the deflated dataset is cut off, or over {MAX_INFLATED} bytes", offset=start)
    codec = "deflate"
    if engine.unused_data.strip(b"\0"):
        if engine.unused_data != gzip_trailer(data):
            raise UnsupportedError(
                "bytes behind the deflated dataset", offset=opened.size - len(engine.unused_data)
            )
        codec = "deflate+trailer"
    elements = read_elements(data, 0, len(data), 0)
    part = Part(Space(Space(), codec, start, opened.size), data, elements, 0, len(data))
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
