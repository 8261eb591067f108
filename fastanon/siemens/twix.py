"""Twix files, the raw data of Siemens MR: where text stands, where leftover memory, and where the data.

The layout is that of twixtools (hdr_def.py, twixprot.py) and siemens_to_ismrmrd (siemensraw.h), checked on real
VE11 files. VD and VE begin with a directory of up to 64 measurements, each with the patient's name; VB is one
measurement and nothing else. A measurement is a header of named texts, filled up to 32 bytes, and data without
text. The scanner clears neither the filling nor the alignment to 512 bytes between measurements. All numbers are
little endian, and offsets have 64 bits.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from fastanon.errors import MalformedError, NotMedicalError, UnsupportedError
from fastanon.fields import Field, Space, Text
from fastanon.limits import check
from fastanon.opened import Opened
from fastanon.siemens import protocol

#: Bytes that `is_twix` wants to see; fewer than 160 may not be enough.
HEAD = 160

_COUNTS = struct.Struct("<2I")  # VD: 0 and number of measurements; a measurement: length of header, of buffers
_ENTRY = struct.Struct("<2I2Q64s64s")  # measId, fileId, offset, length, patName, protName
_MAX_ENTRIES = _MAX_BUFFERS = 64
_SHORTEST = 32  # siemens_to_ismrmrd: VB begins with a larger number, VD with 0
_TABLE = _COUNTS.size + _MAX_ENTRIES * _ENTRY.size
_SLOT, _PATIENT, _PROTOCOL = 64, 24, 88  # width of both names, and where in the entry they stand
_FIRST = 10240  # where the first measurement begins in all files seen
_ALIGNMENT, _FILLING = 512, 32  # of measurements, and of the data in one; leftover memory is shorter
_BUFFER = re.compile(rb"([A-Za-z_]\w{0,46})\0(.{4})", re.DOTALL)
_LONGEST_NAME = 48 + 4  # with NUL, and the length of the text
_TEXT = re.compile(rb"[\t\n\r\x1b -~\x80-\xff]+\0*")  # with the escapes of ISO 2022
_WORDS = re.compile(rb"[\x1b -~\x80-\xff]{2,}")
_BLOCK = 16 << 20

Run = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Buffer:
    """A named text of a header, and the bytes it has, NULs at its end included."""

    name: str
    text: Run


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement.

    Attributes
    ----------
    start, header : int
        First byte, and number of bytes before the data.
    buffers : tuple of Buffer
        The texts of the header, which `pad` fills up: leftover memory.
    data : tuple of int
        The payload as far as the file goes; `cut` if the directory promises more.
    """

    start: int
    header: int
    buffers: tuple[Buffer, ...]
    pad: Run
    data: Run
    cut: bool


@dataclass(frozen=True, slots=True)
class Twix:
    """Where the parts of a twix file lie.

    Attributes
    ----------
    version : str
        ``VB``, or ``VD`` for VD, VE and later.
    measurements : tuple of Measurement
        In the order of their offsets.
    entries, unused : tuple of int
        Where the used entries of the directory begin; first byte and end of the others.
    gaps : tuple of tuple of int
        What aligns measurements and the end of the file: leftover memory.
    lost : int
        Measurements that should begin behind the end of the file.
    """

    version: str
    measurements: tuple[Measurement, ...]
    entries: tuple[int, ...] = ()
    unused: Run = (0, 0)
    gaps: tuple[Run, ...] = ()
    lost: int = 0


def is_twix(head: bytes) -> bool:
    """Say whether a file that begins like this is twix. A DICOM file is not, whatever its preamble."""
    return head[128:132] != b"DICM" and (_is_vd(head) or _is_vb(head))


def _is_vd(head: bytes) -> bool:
    """Ask for the two counts, and for the usual offset or names: one broken number does not hide a file."""
    if len(head) < HEAD:
        return False
    zero, count = _COUNTS.unpack_from(head)
    _, _, offset, _, *slots = _ENTRY.unpack_from(head, _COUNTS.size)
    patient, name = (slot.partition(b"\0")[0] for slot in slots)
    named = bool(_WORDS.fullmatch(name)) and (not patient or bool(_WORDS.fullmatch(patient)))
    return zero == 0 and 0 < count <= _MAX_ENTRIES and (offset == _FIRST or named)


def _is_vb(head: bytes) -> bool:
    """Ask for a header with a named buffer, of which all that is in sight is text."""
    name = _BUFFER.match(head, _COUNTS.size)
    if len(head) < HEAD or name is None or len(name[1]) < 4:
        return False
    length, count = _COUNTS.unpack_from(head)
    text = head[name.end() : name.end() + int.from_bytes(name[2], "little")]
    return length > _SHORTEST and 0 < count <= _MAX_BUFFERS and bool(_TEXT.fullmatch(text))


def locate(opened: Opened) -> Twix:
    """Find the parts of a twix file. Headers are read at a few places, data nowhere.

    Parameters
    ----------
    opened : Opened
        The file.

    Raises
    ------
    NotMedicalError
        If it is no twix file.
    MalformedError
        If an entry of the directory, a header or a buffer leaves what it lies in, or overlaps another.
    UnsupportedError
        If something lies where nothing is known to be.
    """
    head = opened.read(0, min(HEAD, opened.size))
    if not is_twix(head):
        raise NotMedicalError("no twix file")
    if not _is_vd(head):
        return Twix("VB", (_measurement(opened, 0, opened.size),))
    return _directory(opened, _COUNTS.unpack_from(head)[1])


def _directory(opened: Opened, count: int) -> Twix:
    size = opened.size
    if size < _TABLE:
        raise MalformedError("the directory is cut off", offset=size)
    entries = tuple(_COUNTS.size + i * _ENTRY.size for i in range(count))
    runs, gaps, at = [], [], _TABLE
    found = sorted(_entry(opened, entry) for entry in entries)
    for start, length, entry in (run for run in found if run[0] < size):
        if count == 1 and length == 0:  # twixtools: then it goes on to the end
            length = size - start
        if not at <= start <= size - _COUNTS.size:
            raise MalformedError("a measurement overlaps another, the directory, or the end", offset=entry + 8)
        if length < _COUNTS.size:
            raise MalformedError("a measurement has no room for its header", offset=entry + 16)
        runs.append((start, start + length))
        gaps.append((at, start))
        at = start + length
    gaps.append((min(at, size), size))
    lost = len(found) - len(runs)
    if not runs:
        raise MalformedError("no measurement begins before the end of the file", offset=entries[0] + 8)
    measurements = tuple(_measurement(opened, *run) for run in runs)
    for gap in gaps:
        _refuse_unknown(opened, gap, _ALIGNMENT)
    short = tuple(run for run in gaps if 0 < run[1] - run[0] < _ALIGNMENT)
    return Twix("VD", measurements, entries, (entries[-1] + _ENTRY.size, _TABLE), short, lost)


def _entry(opened: Opened, at: int) -> tuple[int, int, int]:
    """Give offset and length of a measurement, and where they are written."""
    _, _, start, length, _, _ = _ENTRY.unpack(opened.read(at, at + _ENTRY.size))
    return start, length, at


def _refuse_unknown(opened: Opened, run: Run, longest: int) -> None:
    """Refuse what is longer than alignment makes it, unless it holds zeros."""
    start, stop = run
    for at in range(start, stop if stop - start >= longest else start, _BLOCK):
        if opened.read(at, min(at + _BLOCK, stop)).strip(b"\0"):
            raise UnsupportedError("something that belongs to no measurement, or to no buffer", offset=start)


def _measurement(opened: Opened, start: int, stop: int) -> Measurement:
    """Read the header of a measurement that claims the bytes from `start` to `stop`."""
    header, count = _COUNTS.unpack(opened.read(start, start + _COUNTS.size))
    end = start + header
    if end > min(stop, opened.size):
        raise MalformedError("a header that is longer than its measurement, or cut off", offset=start)
    check("header", header, "bytes of header", start)
    if not 0 < count <= _MAX_BUFFERS:
        raise MalformedError("a header with an impossible number of buffers", offset=start + 4)
    buffers, at = [], start + _COUNTS.size
    for _ in range(count):
        buffers.append(_buffer(opened, at, end))
        at = buffers[-1].text[1]
    _refuse_unknown(opened, (at, end), _FILLING)
    return Measurement(start, header, tuple(buffers), (at, end), (end, min(stop, opened.size)), stop > opened.size)


def _buffer(opened: Opened, at: int, stop: int) -> Buffer:
    found = _BUFFER.match(opened.read(at, max(at, min(at + _LONGEST_NAME, stop))))
    if found is None:
        raise MalformedError("a header without a buffer where one should begin", offset=at)
    start = at + found.end()
    end = start + int.from_bytes(found[2], "little")
    if end > stop:
        raise MalformedError("a buffer that is longer than its header", offset=start - 4)
    check("text", end - start, "bytes in one text", start)
    return Buffer(found[1].decode("ascii"), (start, end))


def fields(twix: Twix, opened: Opened, space: Space) -> list[Field]:
    """Give all that can be edited, in order: names in the directory, strings of all texts, leftover memory.

    Parameters
    ----------
    twix : Twix
        What `locate` found.
    opened : Opened
        The file.
    space : Space
        What offsets count in.

    Returns
    -------
    list of Field
        The last part of the key of leftover memory is ``slack``; runs of zeros are left out. The outer range of a
        name in the directory is its whole slot, so that a longer name, filled up with NULs, may go there.
    """
    slacks = [(("twix directory",), twix.unused), *((("twix",), gap) for gap in twix.gaps)]
    found = []
    for entry in twix.entries:
        found += _slot(opened, entry + _PATIENT, space, "patName")
        found += _slot(opened, entry + _PROTOCOL, space, "protName")
    for measurement in twix.measurements:
        slacks.append((("twix",), measurement.pad))
        for buffer in measurement.buffers:
            found += _strings(opened.read(*buffer.text), buffer.text[0], space, ("twix", buffer.name))
            check("fields", len(found), "pieces of text in one file", buffer.text[0])
    for key, run in slacks:
        found += _slack(opened.read(*run), run[0], space, key)
    return sorted(found, key=lambda field: field.value)


def _slot(opened: Opened, at: int, space: Space, name: str) -> list[Field]:
    key, data = ("twix directory", name), opened.read(at, at + _SLOT)
    size = len(data.partition(b"\0")[0])
    found = _slack(data[size:], at + size, space, key)
    if size:
        found.append(Field(key, space, (at, at + _SLOT), (at, at + size), Text("latin-1", b"\0", _SLOT - 1)))
    return found


def _strings(data: bytes, base: int, space: Space, key: tuple[str, ...]) -> list[Field]:
    """Give the strings of one text; what is no protocol is one string. It ends at the first NUL."""
    text, _, _ = data.partition(b"\0")
    found = _slack(data[len(text) :], base + len(text), space, key)
    if protocol.is_protocol(text):
        found += protocol.fields(text, base, space, key)
    elif text.strip():
        place = (base, base + len(text))
        found.append(Field(key, space, place, place, Text("latin-1")))
    return found


def _slack(data: bytes, base: int, space: Space, key: tuple[str, ...]) -> list[Field]:
    """Give a run as leftover memory if it holds anything, without the zeros that it begins with."""
    start = len(data) - len(data.lstrip(b"\0"))
    place = (base + start, base + len(data))
    text = Text("latin-1", b"\0")
    return [Field((*key, "slack"), space, place, place, text)] if start < len(data) else []
