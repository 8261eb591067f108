"""What is payload in a file of the study, read by hand: it must be the same after the patient has gone."""

from __future__ import annotations

import os
import struct
from io import BytesIO
from pathlib import Path

import pydicom

_PAYLOADS = ((0x7FE0, 0x0010), (0x7FE1, 0x1010))
_ENTRY = 152  # bytes of an entry in the directory of a twix file


def payload_of(path: str | os.PathLike[str]) -> bytes:
    """Give what must not change.

    Parameters
    ----------
    path : path-like
        A file that `make_study` wrote, or its copy. The extension says what it is.

    Returns
    -------
    bytes
        Words, pixels, measurements and spectra, one after the other; none of a header without data, and all
        of a file without a header.
    """
    data = Path(path).read_bytes()
    read = {".dcm": _dicom, ".ima": _dicom, ".ptd": _ptd, ".dat": _twix, ".rda": _rda, ".hdr": _header}
    return read.get(Path(path).suffix.lower(), bytes)(data)


def _dicom(data: bytes) -> bytes:
    dataset = pydicom.dcmread(BytesIO(data))
    return b"".join(dataset[tag].value or b"" for tag in _PAYLOADS if tag in dataset)


def _ptd(data: bytes) -> bytes:
    if data.startswith(b"dummy data"):
        return data[:10]
    stream = int.from_bytes(data[-24:-20], "little")
    return data[: len(data) - 24 - stream]


def _twix(data: bytes) -> bytes:
    first, count = struct.unpack_from("<2I", data)
    if first:  # VB: the whole file is one measurement
        return data[first:]
    runs = [struct.unpack_from("<2Q", data, 16 + _ENTRY * i) for i in range(count)]
    return b"".join(data[at + int.from_bytes(data[at : at + 4], "little") : at + size] for at, size in runs)


def _rda(data: bytes) -> bytes:
    return data.partition(b">>> End of header <<<\r\n")[2]


def _header(_: bytes) -> bytes:
    return b""
