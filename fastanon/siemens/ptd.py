"""PTD files of Siemens PET scanners: raw payload first, a whole DICOM stream behind it.

The layout is that which rhscripts' LMParser, Flywheel's fw-file and fileformats-medimage read: the payload,
the DICOM stream with preamble, its length as a little endian int32, and the 20 letters LARGE_PET_LM_RAWDATA
that end the file. The second flavor (PETCT_SPL, known from fileformats-medimage only) has the words ``dummy
data`` for a payload and ``END!`` behind the stream.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

from fastanon.errors import MalformedError, UnsupportedError
from fastanon.fields import Slot
from fastanon.opened import Opened

#: The two flavors, by the words that tell them.
LARGE, DUMMY = "LARGE_PET_LM_RAWDATA", "dummy data"

_MARK, _DUMMY, _END = LARGE.encode(), DUMMY.encode(), b"END!"
_LENGTH = struct.Struct("<i")
_TRAILER = _LENGTH.size + len(_MARK)
_PREAMBLE = 132  # with DICM (PS3.10 7.1)
_LARGEST_STREAM = 16 << 20  # as far back as a stream is looked for that the trailer does not find
_STREAM = re.compile(rb"DICM\x02\0.\0[A-Z][A-Z]", re.DOTALL)  # the prefix, and an element of group 2
_TAIL = 512  # where a mark is looked for that should be at the end
_SHOWN = 6  # letters of a mark cut off that still tell it: LARGE_

Run = tuple[int, int]


class Ptd(NamedTuple):
    """Where the parts of a ptd lie.

    Attributes
    ----------
    payload : tuple of int
        First byte and end of the raw data.
    dicom : tuple of int
        First byte and end of the DICOM stream, preamble included.
    length_slot : Slot or None
        Where the length of the stream is written; None in the flavor that ends with a mark instead, and where
        that length is wrong.
    flavor : str
        `LARGE` or `DUMMY`.
    broken : bool
        Whether the length in the trailer is wrong, so that the stream was looked for: it may not change its size.
    """

    payload: Run
    dicom: Run
    length_slot: Slot | None
    flavor: str
    broken: bool = False


def locate(opened: Opened) -> Ptd | None:
    """Find the parts of a ptd; a few bytes of head and tail are all that is read.

    Parameters
    ----------
    opened : Opened
        Any file.

    Returns
    -------
    Ptd or None
        None if it is no ptd.

    Raises
    ------
    MalformedError
        If the trailer contradicts the file, is cut off, or is not at the end.
    UnsupportedError
        If it is of the second flavor, and not as far as that is known.
    """
    size = opened.size
    tail = opened.read(max(0, size - _TAIL), size)
    if tail.endswith(_MARK):
        return _large(opened)
    if opened.read(0, min(len(_DUMMY), size)) == _DUMMY:
        return _dummy(opened)
    if not _is_dicom(opened, 0):
        _refuse_broken(tail, size)
    return None


def _large(opened: Opened) -> Ptd:
    slot = opened.size - _TRAILER
    if slot < _PREAMBLE:
        raise MalformedError("a ptd trailer, and no room for what it ends", offset=max(slot, 0))
    length: int = _LENGTH.unpack(opened.read(slot, slot + _LENGTH.size))[0]
    start = slot - length
    if length < _PREAMBLE or start < 0 or not _is_dicom(opened, start):
        start = _look_for_stream(opened, slot)
        return Ptd((0, start), (start, slot), None, LARGE, broken=True)
    return Ptd((0, start), (start, slot), Slot(slot, _LENGTH.format), LARGE)


def _look_for_stream(opened: Opened, stop: int) -> int:
    """Find where the only DICOM stream before the trailer begins; its reader says whether it ends there."""
    base = max(0, stop - _LARGEST_STREAM)
    starts = [base + prefix.end() - 6 - _PREAMBLE for prefix in _STREAM.finditer(opened.read(base, stop))]
    if len(starts) != 1 or starts[0] < 0:
        raise MalformedError("the ptd trailer gives a length that no DICOM stream here has", offset=stop)
    return starts[0]


def _dummy(opened: Opened) -> Ptd | None:
    """Take only what readers agree on: the stream from the first word on, and nothing behind the mark."""
    start, stop = len(_DUMMY), opened.size - len(_END)
    ended = stop > start and opened.read(stop, opened.size) == _END
    begun = _is_dicom(opened, start)
    if not (begun or ended):
        return None
    if not begun:
        raise UnsupportedError("a ptd of dummy data without a DICOM stream right behind them", offset=start)
    if not ended or stop < start + _PREAMBLE:
        raise UnsupportedError("a ptd of dummy data that does not end with END!", offset=opened.size)
    return Ptd((0, start), (start, stop), None, DUMMY)


def _is_dicom(opened: Opened, start: int) -> bool:
    stop = start + _PREAMBLE
    return stop <= opened.size and opened.read(stop - 4, stop) == b"DICM"


def _refuse_broken(tail: bytes, size: int) -> None:
    """Raise MalformedError for a mark with bytes behind it, and for one cut off in the middle."""
    at = tail.rfind(_MARK)
    if at >= 0:
        raise MalformedError("bytes behind the ptd trailer", offset=size - len(tail) + at + len(_MARK))
    for shown in range(len(_MARK) - 1, _SHOWN - 1, -1):
        if tail.endswith(_MARK[:shown]):
            raise MalformedError("the ptd trailer is cut off", offset=size)
