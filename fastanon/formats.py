"""What a file is when it is not handled, so that the line that refuses it can say so.

Content decides; the extension does only where content can't tell. Nothing here is needed to read a format,
and a name is no promise that the file is whole. The sources of the marks:

* HDF5 File Format Specification III.A: the signature stands at 0, 512, 1024, 2048... In files of h5py the
  names of groups stand within the first 4 kB, in either layout. GE's RDF 9: ``/HeaderData/ExamData``
  (STIR's GEHDF5Wrapper); ISMRMRD: ``/dataset/xml`` holds ``<ismrmrdHeader``; MINC 2: ``minc-2.0``.
* GE's RDF 8: 0x0000FEFF, then 15 offsets of structures (STIR's and NMTools' RDF8). ``.BLF`` is its list-mode.
* Philips: PAR begins with ``# === DATA DESCRIPTION FILE``, XML-REC with the element ``PRIDE_V5`` (raw2nii and
  other converters); a line of ``.sin`` with three numbers of two digits and a colon (get_sin_info.m by G.
  Oeltzschner). ``.lab``, ``.raw`` and ``.REC`` have no mark.
* Siemens physiological logs: some numbers, then 5002, which opens a text that 6002 closes; ``LogStartMDHTime``
  at the end (several readers in MATLAB and Python). What stands in the texts is not known.
* NIfTI: nifti1.h and nifti2.h, sizeof_hdr and magic; Analyze 7.5: the same size and ``r`` at 38.
* ECAT 7: ``MATRIX7`` (nibabel's ecat.py). MINC 1 is netCDF, ``CDF`` 1 or 2. MATLAB: MAT-File Format, 116 bytes
  of text. NumPy: numpy.lib.format. NRRD, MGH, MetaImage: their own pages.
* RFC 1952 (gzip), PKWARE APPNOTE (zip), POSIX (ustar at 257), ISO 32000 (PDF), PNG, T.81 (JPEG), TIFF 6.0.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import NamedTuple

from fastanon.siemens import interfile, rda

#: Bytes of a file's start that are enough.
HEAD = 1 << 14


class _Mark(NamedTuple):
    name: str
    magic: bytes
    offset: int = 0


class _Kind(NamedTuple):
    """What an extension means; `text` where it holds only for text, or only for what is none."""

    name: str
    text: bool | None = None


_MARKS = (
    _Mark("ECAT 7 PET file", b"MATRIX7"),
    _Mark("Siemens CSA header without its DICOM file", b"SV10\4\3\2\1"),
    _Mark("MATLAB file", b"MATLAB 5.0 MAT-file"),
    _Mark("MATLAB file", b"MATLAB 7.3 MAT-file"),
    _Mark("NumPy array", b"\x93NUMPY"),
    _Mark("NRRD image", b"NRRD000"),
    _Mark("Philips PAR header", b"# === DATA DESCRIPTION FILE"),
    _Mark("PDF document", b"%PDF-"),
    _Mark("PNG image", b"\x89PNG\r\n\x1a\n"),
    _Mark("JPEG image", b"\xff\xd8\xff"),
    _Mark("TIFF image", b"II*\0"),
    _Mark("TIFF image", b"MM\0*"),
    _Mark("tar archive", b"ustar", 257),
    _Mark("bzip2 file", b"BZh"),
    _Mark("xz file", b"\xfd7zXZ\0"),
    _Mark("Zstandard file", b"\x28\xb5\x2f\xfd"),
    _Mark("7-Zip archive", b"7z\xbc\xaf\x27\x1c"),
)

#: Names of those that may hold other files.
PACKED = frozenset(
    ("zip archive", "tar archive", "tar archive (gzip)", "gzip file", "bzip2 file", "xz file", "Zstandard file")
) | {"7-Zip archive"}

_HDF5 = b"\x89HDF\r\n\x1a\n"
_IN_HDF5 = (
    (b"ismrmrdHeader", "ISMRMRD raw data (HDF5)"),
    (b"HeaderData", "GE RDF 9 (HDF5)"),
    (b"minc-2.0", "MINC 2 image (HDF5)"),
)

#: What a text shows to be; the first 4 kB are looked at.
_TEXTS = (
    ("Philips XML-REC header", re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?<PRIDE_V5")),
    ("XML file", re.compile(rb"\s*<\?xml")),
    ("Siemens physiological log", re.compile(rb"\s*(?:\d+ +){1,8}5002 |[^\0]*\bLogStartMDHTime:")),
    ("Philips .sin header", re.compile(rb"(?:[^\r\n]*\r?\n){0,16}[ \t]*\d\d \d\d \d\d: \w+[ \t]*:")),
    ("MetaImage header", re.compile(rb"ObjectType *=")),
    ("JSON file", re.compile(rb'\s*[{\[]\s*["{}\[\]\d]')),
)

_EXTENSIONS = {
    ".blf": _Kind("GE list-mode (.BLF)", False),
    ".rdf": _Kind("GE RDF", False),
    ".rec": _Kind("Philips REC data", False),
    ".lab": _Kind("Philips raw data labels (.lab)", False),
    ".raw": _Kind("raw data without a header (.raw, as Philips exports it)", False),
    ".sin": _Kind("Philips .sin header", True),
    **dict.fromkeys((".puls", ".pulse", ".resp", ".ecg", ".ext", ".ext2"), _Kind("Siemens physiological log")),
    ".mnc": _Kind("MINC image", False),
    ".mat": _Kind("MATLAB file", False),
    ".tsv": _Kind("table as text (.tsv)", True),
    ".csv": _Kind("table as text (.csv)", True),
    ".json": _Kind("JSON file", True),
}  # fmt: skip


def name_of(path: str, head: bytes, size: int) -> str | None:
    """Say what a file is that is not handled.

    Parameters
    ----------
    path : str
        Its path, for the extension.
    head : bytes
        Its first bytes, `HEAD` of them if there are as many.
    size : int
        All its bytes.

    Returns
    -------
    str or None
        What to call it, None where nothing tells, and for DICOM with a preamble, whatever stands in that.
    """
    if size == 0:
        return "empty file"
    if head[128:132] == b"DICM":
        return None
    return _by_content(path.lower(), head, size) or _by_extension(path.lower(), head)


def _by_content(path: str, head: bytes, size: int) -> str | None:
    for name, magic, offset in _MARKS:
        if head.startswith(magic, offset):
            return name
    if interfile.is_interfile(head):
        return "Interfile header"
    if rda.is_rda(head):
        return "Siemens spectroscopy (.rda)"
    for read in (_hdf5, _packed, _netcdf):
        name_or_none = read(path, head)
        if name_or_none:
            return name_or_none
    return _nifti(head) or _rdf8(head, size) or _text(head)


def _hdf5(path: str, head: bytes) -> str | None:
    if not any(head.startswith(_HDF5, offset) for offset in (0, 512, 1024, 2048, 4096, 8192)):
        return None
    name = next((name for magic, name in _IN_HDF5 if magic in head), "HDF5 file")
    return "GE RDF 9 list-mode (HDF5)" if path.endswith(".blf") else name


def _packed(path: str, head: bytes) -> str | None:
    """Name gzip and zip files, and what is in them where the first bytes or the extension tell."""
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return "NumPy arrays (.npz)" if path.endswith(".npz") else "zip archive"
    if not head.startswith(b"\x1f\x8b\x08"):
        return None
    try:
        inside = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(head, 1024)
    except zlib.error:
        inside = b""
    name = _nifti(inside) or ("tar archive" if inside[257:262] == b"ustar" else None)
    if path.endswith(".mgz"):
        name = name or "MGH image"
    return f"{name} (gzip)" if name else "gzip file"


def _netcdf(path: str, head: bytes) -> str | None:
    if head[:4] not in (b"CDF\1", b"CDF\2", b"CDF\5"):
        return None
    return "MINC 1 image (netCDF)" if path.endswith(".mnc") or b"MINC" in head else "netCDF file"


def _nifti(head: bytes) -> str | None:
    sizes = {int.from_bytes(head[:4], "little"), int.from_bytes(head[:4], "big")}
    if 348 in sizes and head[344:348] in (b"n+1\0", b"ni1\0"):
        return "NIfTI image"
    if 540 in sizes and head[4:12] in (b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n"):
        return "NIfTI image"
    return "Analyze 7.5 header" if 348 in sizes and head[38:39] == b"r" else None


def _rdf8(head: bytes, size: int) -> str | None:
    """Name GE's RDF 8: UTF-32 text begins with the same four bytes, so the offsets must lie in the file."""
    order = {b"\xff\xfe\0\0": "<", b"\0\0\xfe\xff": ">"}.get(head[:4])
    if order is None or len(head) < 64:
        return None
    offsets = struct.unpack_from(order + "15I", head, 4)
    return "GE RDF 8" if any(offsets) and max(offsets) < size else None


def _text(head: bytes) -> str | None:
    if not _is_text(head):
        return None
    start = head[:4096].removeprefix(b"\xef\xbb\xbf")
    return next((name for name, pattern in _TEXTS if pattern.match(start)), None)


def _by_extension(path: str, head: bytes) -> str | None:
    text = _is_text(head)
    for extension, kind in _EXTENSIONS.items():
        if path.endswith(extension) and kind.text in (None, text):
            return kind.name
    return "plain text" if text else None


def _is_text(head: bytes) -> bool:
    """Say whether bytes are text: no control characters but blanks, and UTF-8 or mostly ASCII."""
    if re.search(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]", head):
        return False
    try:
        head[: max(len(head) - 3, 0)].decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return sum(byte > 0x7F for byte in head) * 8 < len(head)
    return bool(head)
