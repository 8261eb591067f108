"""Archives for tests, good and bad ones; the oracles are `zipfile`, `tarfile` and plain bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.builder import Leaf, part10
from tests.canary import CANARIES

FIRST, LAST, ID, BIRTH = CANARIES
NOISY = (2017, 3, 27, 17, 1, 2)

Files = Mapping[str, bytes]


def dicom(text: bytes = b"", uid: str = "1.2.826.0.1.3680043.8.498.1") -> bytes:
    """Give a small file of the planted patient."""
    return part10(
        (
            Leaf(0x00080018, "UI", uid.encode()),
            Leaf(0x00080020, "DA", b"20170327"),
            Leaf(0x00081030, "LO", f"of {FIRST} {LAST}".encode()),
            Leaf(0x00100010, "PN", f"{LAST}^{FIRST}".encode()),
            Leaf(0x00100020, "LO", ID.encode()),
            Leaf(0x00100030, "DA", BIRTH.encode()),
            Leaf(0x00104000, "LT", text),
            Leaf(0x7FE00010, "OW", bytes(range(256)) * 4),
        )
    )


def zipped(files: Files, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    """Give a zip as a user's program writes it: with times, modes and extra fields."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, NOISY)
            info.compress_type, info.external_attr = method, 0o100777 << 16
            info.extra = struct.pack("<HHBL", 0x5455, 5, 1, 1490634062)  # a time of Unix
            archive.writestr(info, content)
        archive.comment = comment
    return data.getvalue()


def tarred(files: Files, change: Callable[[tarfile.TarInfo], None] = lambda _: None, format: int = 2) -> bytes:  # noqa: A002  # as in tarfile
    """Give a tar with times and owners; what `change` does to each header, too."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=format) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(content), 1490634062, 0o777
            info.uid, info.gid, info.uname, info.gname = 1000, 1000, LAST.lower(), "radiology"
            change(info)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def gzipped(data: bytes, name: str = "") -> bytes:
    """Pack as gzip, with a name and a time."""
    out = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=out, mtime=1490634062) as file:
        file.write(data)
    return out.getvalue()


#: Every kind by its ending.
MAKERS: dict[str, Callable[[Files], bytes]] = {
    ".zip": zipped,
    ".stored.zip": lambda files: zipped(files, zipfile.ZIP_STORED),
    ".tar": tarred,
    ".tar.gz": lambda files: gzipped(tarred(files), f"{LAST}.tar"),
    ".tgz": lambda files: gzipped(tarred(files, format=tarfile.GNU_FORMAT)),
    ".tar.bz2": lambda files: bz2.compress(tarred(files)),
}


def read(path: Path) -> dict[str, bytes]:
    """Read an archive, in its order; a zip with every checksum verified."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            return {info.filename: archive.read(info) for info in archive.infolist()}
    with tarfile.open(path) as archive:
        return {info.name: _content(archive, info) for info in archive}


def _content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(info)
    assert file is not None
    return file.read()


def said(path: Path) -> Iterator[object]:
    """Give everything that an archive says beside names, sizes and content."""
    data = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield archive.comment
            for zip_info in archive.infolist():
                yield from (zip_info.date_time, zip_info.comment, zip_info.extra, zip_info.external_attr >> 16)
        return
    if data[:2] == b"\x1f\x8b":
        yield from (data[3], data[4:8])
    with tarfile.open(path) as tar:
        for info in tar:
            yield from (info.mtime, info.uid, info.gid, info.uname, info.gname, info.linkname, info.mode)
            yield {key for key in info.pax_headers if key not in ("path", "size")}


def unpacked(data: bytes) -> bytes:
    """Give all bytes of an archive with what it is packed in taken off."""
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    return bz2.decompress(data) if data[:3] == b"BZh" else data


def local(name: bytes, content: bytes, flags: int = 0, method: int = 0, size: int | None = None) -> bytes:
    """Give a local header of a zip with its content, which is stored."""
    size = len(content) if size is None else size
    head = struct.pack(
        "<4s5H3L2H", b"PK\3\4", 20, flags, method, 0, 33, zlib.crc32(content), len(content), size, len(name), 0
    )
    return head + name + content


def central(
    name: bytes,
    content: bytes,
    offset: int,
    flags: int = 0,
    method: int = 0,
    size: int | None = None,
    mode: int = 0,
) -> bytes:
    """Give the row of the central directory for it."""
    size = len(content) if size is None else size
    numbers = (20, 20, flags, method, 0, 33, zlib.crc32(content), len(content), size, len(name), 0, 0, 0, 0)
    return struct.pack("<4s6H3L5H2L", b"PK\1\2", *numbers, mode << 16, offset) + name


def ended(body: bytes, rows: bytes, count: int, disk: int = 0, total: int | None = None) -> bytes:
    """Give a zip of local headers and rows."""
    total = count if total is None else total
    return body + rows + struct.pack("<4s4H2LH", b"PK\5\6", disk, disk, count, total, len(rows), len(body), 0)
