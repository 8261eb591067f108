"""Tar archives, plain or packed: read forward, header by header.

`tarfile` ends in silence where a header is broken or the archive is cut off, so that its parser of one header is
used here and not its loop.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from fastanon.archives.members import BLOCK, Inflated, Member, Names, window
from fastanon.archives.reader import Reader
from fastanon.errors import MalformedError, UnsupportedError
from fastanon.inflating import most_of
from fastanon.limits import limits
from fastanon.opened import Opened

_HEADER = tarfile.BLOCKSIZE
_ZEROS = bytes(_HEADER)
_NAMED = 1 << 12  # bytes of a gzip header that are looked at
_AHEAD = 1 << 18  # packed bytes that a decompressor has read, and not given back yet

#: What is around the tar, by the name of the kind.
_PACKED: dict[str, Callable[[Any], Any]] = {
    "tar.gz": lambda raw: gzip.GzipFile(fileobj=raw, mode="rb"),
    "tar.bz2": lambda raw: bz2.BZ2File(raw),
}
_PLAIN_KEYS = {"path", "size"}  # of extended headers: what a long name or a large file needs
_UNREADABLE = (tarfile.TarError, ValueError, OverflowError, RecursionError, LookupError)


class Tar:
    """A tar archive.

    Parameters
    ----------
    opened : Opened
        The file.
    kind : str
        ``tar``, ``tar.gz`` or ``tar.bz2``.

    Attributes
    ----------
    notes : dict of str to None
        What there is beside the members, as far as it was read.
    said : bytes
        What it says of itself.
    """

    def __init__(self, opened: Opened, kind: str) -> None:
        self._opened, self._kind = opened, kind
        self.notes: dict[str, None] = {}
        self.said = b""
        if kind == "tar.gz":
            head = opened.read(0, min(_NAMED, opened.size))
            if any(head[3:8]):  # flags and time
                self.notes["a name, a time or a comment of gzip"] = None
                self.said = head if head[3] else b""

    def members(self) -> Iterator[Member]:
        """Give the files in it, in order.

        Raises
        ------
        MalformedError, UnsupportedError
            Where it can't be trusted.
        """
        stream, names = _Stream(self._opened, self._kind), Names()
        tar = _Headers(fileobj=stream, encoding="utf-8", errors="surrogateescape")  # type: ignore[arg-type]  # as far as its parser needs
        while (info := _next(tar, stream)) is not None:
            name = names.add(info.name, info.isdir(), stream.where(info.offset))
            if info.isdir():
                continue
            _refuse_unknown(info, stream.where(info.offset))
            yield Member(
                name, False, _is_bare(info), _said(info), functools.partial(self._open, info, name, stream)
            )
        if stream.ends_with_more():
            self.notes["bytes behind the archive"] = None

    def _open(self, info: tarfile.TarInfo, name: str, stream: _Stream) -> Opened:
        start, stop = info.offset_data, info.offset_data + info.size
        if self._kind == "tar":
            if stop > self._opened.size:
                raise MalformedError("the archive is cut off", offset=self._opened.size)
            return window(self._opened, name, start, stop)
        return Inflated(self._opened, name, info.size, functools.partial(stream.give, start, stop))


class _Headers(tarfile.TarFile):
    """What the parser of a header needs to know of an archive; nothing is read when it is made."""

    def next(self) -> tarfile.TarInfo | None:
        """Give nothing: `_next` does."""
        return None


class _Stream:
    """The bytes of a tar, read forward."""

    def __init__(self, opened: Opened, kind: str) -> None:
        self._raw = Reader(opened, max(BLOCK, limits().text))
        self._file: IO[bytes] = _PACKED.get(kind, lambda raw: raw)(self._raw)
        self._packed, self._size = kind in _PACKED, opened.size
        self._at, self._back = 0, b""

    def where(self, offset: int) -> int:
        """Give where in the file an offset stands, about where it is packed."""
        return min(self._raw.tell(), self._size) if self._packed else offset

    def read(self, size: int) -> bytes:
        """Read so many bytes, fewer only at the end."""
        if not 0 <= size <= max(BLOCK, limits().text):
            raise MalformedError("a header of an unlikely size", offset=self.where(self._at))
        parts = [self._back[:size]]
        self._back = self._back[size:]
        with self._reported():
            while (missing := size - sum(map(len, parts))) and (part := self._file.read(missing)):
                parts.append(part)
        self._at += sum(map(len, parts))
        return b"".join(parts)

    def give_back(self, data: bytes) -> None:
        """Let bytes be read again."""
        self._back = data + self._back
        self._at -= len(data)

    def tell(self) -> int:
        """Give the offset of what is read next."""
        return self._at

    def go(self, offset: int) -> None:
        """Go forward."""
        if offset < self._at:
            raise MalformedError("a member of a negative size", offset=self.where(self._at))
        if offset > self._at:
            with self._reported():
                self._file.seek(offset)
            self._at, self._back = offset, b""

    def give(self, start: int, stop: int, take: Callable[[bytes], object]) -> None:
        """Give the bytes of a member to what takes them, piece by piece."""
        self.go(start)
        before, size = self._raw.tell(), 0
        while size < stop - start:
            piece = self.read(min(BLOCK, stop - start - size))
            if not piece:
                raise MalformedError("the archive is cut off", offset=self.where(self._at))
            size += len(piece)
            most, limit = most_of(self._raw.tell() - before + _AHEAD)
            if size > most:
                raise MalformedError(f"the member grows past {most} bytes (limit {limit})", offset=before)
            take(piece)

    def ends_with_more(self) -> bool:
        """Read to the end, so that its checksum is verified; say whether anything but zeros follows."""
        begun, more = self._at, False
        while data := self.read(BLOCK):
            more = more or bool(data.strip(b"\0"))
            if self._packed and self._at - begun > limits().inflated:
                raise MalformedError("what follows the archive grows past a bound (limit inflated)")
        return more

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Turn what decompressors say into an error of the file's."""
        try:
            yield
        except OSError as error:
            if error.errno:  # of the system, and not of a decompressor
                raise
            raise MalformedError("the archive can't be unpacked", offset=self.where(0)) from None
        except (EOFError, zlib.error):
            raise MalformedError("the archive is cut off or can't be unpacked", offset=self.where(0)) from None


def _next(tar: _Headers, stream: _Stream) -> tarfile.TarInfo | None:
    """Read the next header, and those that extend it; None at the end."""
    stream.go(tar.offset)
    block = stream.read(_HEADER)
    if block == _ZEROS:
        return None
    if len(block) < _HEADER:
        raise MalformedError("the archive is cut off", offset=stream.where(tar.offset))
    stream.give_back(block)
    try:
        info = tarfile.TarInfo.fromtarfile(tar)
    except _UNREADABLE:
        raise MalformedError("a broken header in the archive", offset=stream.where(tar.offset)) from None
    if info.size < 0:
        raise MalformedError("a member of a negative size", offset=stream.where(info.offset))
    return info


def _refuse_unknown(info: tarfile.TarInfo, offset: int) -> None:
    if info.issparse():
        raise UnsupportedError("a sparse member", offset=offset)
    if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        raise UnsupportedError("a member is a link, a device or something else that is no file", offset=offset)


def _is_bare(info: tarfile.TarInfo) -> bool:
    said = (info.uid, info.gid, info.mtime, info.uname, info.gname, info.linkname)
    return not any(said) and info.pax_headers.keys() <= _PLAIN_KEYS


def _said(info: tarfile.TarInfo) -> bytes:
    texts = (
        info.uname,
        info.gname,
        info.linkname,
        *(f"{k}={v}" for k, v in info.pax_headers.items() if k != "path"),
    )
    return "\n".join(filter(None, texts)).encode("utf-8", "surrogateescape")
