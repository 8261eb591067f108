"""Archives, written anew: names, sizes and content, and nothing else that an archive could say."""

from __future__ import annotations

import bz2
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, Protocol, cast

from fastanon.archives.members import BLOCK
from fastanon.beside import write_all
from fastanon.edits import Edit, pieces
from fastanon.opened import Opened
from fastanon.system import System

_MODE = stat.S_IFREG | 0o644
_UNIX = 3  # the system of a zip whose modes are POSIX's
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_GZIP = 16 + zlib.MAX_WBITS

#: What packs a tar as a whole. A gzip header of zlib's has no name and no time.
_PACKERS: dict[str, Callable[[], Any]] = {
    "tar.gz": lambda: zlib.compressobj(wbits=_GZIP),
    "tar.bz2": bz2.BZ2Compressor,
}


class Writer(Protocol):
    """An archive that is being written."""

    def add(self, name: str, size: int, content: Iterable[bytes], packed: bool) -> None:
        """Write a member: its name, how many bytes it has, these, and whether a zip deflates them."""
        ...

    def end(self) -> None:
        """Write what comes behind the members."""
        ...


@contextmanager
def written(fd: int, kind: str, system: System) -> Iterator[Writer]:
    """Write an archive to an open descriptor; its end is written if nothing goes wrong."""
    file = _File(fd, system)
    writer = _Zip(file) if kind == "zip" else _Tar(file, kind)
    try:
        yield writer
        writer.end()
    finally:
        writer.forget()
        file.close()


class _File(io.RawIOBase):
    """A descriptor as the file object that `zipfile` asks for, written through the one door."""

    def __init__(self, fd: int, system: System) -> None:
        self._fd, self._system, self._at, self._size = fd, system, 0, 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def write(self, data: Any) -> int:
        if self.closed:  # the number may be another file's by now
            raise ValueError("written to a closed file")
        write_all(lambda part, at: self._system.pwrite(self._fd, part, at), data, self._at)
        self._at += len(data)
        self._size = max(self._size, self._at)
        return len(data)


class _Zip:
    def __init__(self, file: _File) -> None:
        self._zip = zipfile.ZipFile(cast("IO[bytes]", file), "w")

    def add(self, name: str, size: int, content: Iterable[bytes], packed: bool) -> None:
        info = zipfile.ZipInfo(name, _NO_TIME)
        info.create_system, info.external_attr, info.file_size = _UNIX, _MODE << 16, size
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        with self._zip.open(info, "w") as member:
            for piece in content:
                member.write(piece)

    def end(self) -> None:
        self._zip.close()

    def forget(self) -> None:
        """Keep `zipfile` from ending an archive that is given up."""
        self._zip.fp = None


class _Tar:
    def __init__(self, file: _File, kind: str) -> None:
        self._file, self._packer = file, _PACKERS[kind]() if kind in _PACKERS else None

    def add(self, name: str, size: int, content: Iterable[bytes], packed: bool) -> None:  # noqa: ARG002  # of zip
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, stat.S_IMODE(_MODE)
        self._put(info.tobuf(tarfile.PAX_FORMAT, "utf-8"))
        for piece in content:
            self._put(piece)
        self._put(bytes(-size % tarfile.BLOCKSIZE))

    def end(self) -> None:
        self._put(bytes(2 * tarfile.BLOCKSIZE))
        if self._packer is not None:
            self._file.write(self._packer.flush())

    def forget(self) -> None:
        self._packer = None

    def _put(self, data: bytes) -> None:
        self._file.write(data if self._packer is None else self._packer.compress(data))


def content_of(opened: Opened, edits: Sequence[Edit]) -> Iterator[bytes]:
    """Give the new bytes of a member, many edits at a time."""
    gathered = bytearray()
    for piece in pieces(edits, 0, opened.size):
        for data in (piece,) if isinstance(piece, bytes) else blocks(opened, *piece):
            gathered += data
            if len(gathered) >= BLOCK:
                yield bytes(gathered)
                gathered.clear()
    if gathered:
        yield bytes(gathered)


def blocks(opened: Opened, start: int, stop: int) -> Iterator[bytes]:
    """Give a range of a file, piece by piece."""
    return (opened.read(at, min(at + BLOCK, stop)) for at in range(start, stop, BLOCK))
