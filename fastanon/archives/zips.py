"""Zip archives (PKWARE's APPNOTE): what `zipfile` reads, and what it does not check.

The central directory says what there is. The local headers must agree with it; no two members may share a byte, be
encrypted, or be packed otherwise than by deflate. What stands in front of, between and behind them is nobody's: a
program, perhaps, or members that were deleted.
"""

from __future__ import annotations

import functools
import itertools
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from fastanon.archives.members import Inflated, Member, Names, crc32, window
from fastanon.archives.reader import OutsideError, Reader
from fastanon.errors import MalformedError, UnsupportedError
from fastanon.inflating import inflated
from fastanon.limits import check, limits
from fastanon.opened import Opened

_LOCAL = struct.Struct("<4s5H3L2H")
_END, _TAIL = struct.Struct("<4s4H2LH"), 22 + 0xFFFF
_UTF8, _DESCRIPTOR = 0x800, 0x8
_ENCRYPTED, _PATCHED = 0x2041, 0x20
_DESCRIPTORS = (12, 16, 20, 24)  # bytes; with and without a signature, of 32 and 64 bits
_PER_MEMBER = 256  # bytes of the central directory, on average at the most
_ZIP64 = 1
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_UNREADABLE = (zipfile.BadZipFile, struct.error, ValueError, OverflowError, NotImplementedError, OutsideError)


class _Entry(NamedTuple):
    """A row of the central directory, and where its content stands."""

    info: zipfile.ZipInfo
    name: str
    start: int
    stop: int


class Zip:
    """A zip archive.

    Parameters
    ----------
    opened : Opened
        The file.

    Attributes
    ----------
    notes : dict of str to None
        What there is beside the members.
    said : bytes
        What it says of itself.

    Raises
    ------
    MalformedError, UnsupportedError
        If it can't be trusted.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self.notes: dict[str, None] = {}
        infos, directory, self.said = self._directory()
        names = Names()
        self._entries = [self._entry(info, names) for info in infos]
        self._refuse_overlaps(directory)

    def members(self) -> Iterator[Member]:
        """Give the files in it, in order."""
        for entry in self._entries:
            if not entry.info.is_dir():
                packed = entry.info.compress_type == zipfile.ZIP_DEFLATED
                info, opens = entry.info, functools.partial(self._open, entry)
                yield Member(entry.name, packed, _is_bare(info), info.comment + info.extra, opens)

    def _directory(self) -> tuple[list[zipfile.ZipInfo], int, bytes]:
        """Read the central directory; give where it begins, too, and the comment."""
        opened = self._opened
        try:
            archive = zipfile.ZipFile(Reader(opened, max(_TAIL, limits().members * _PER_MEMBER)))
        except _UNREADABLE:
            raise MalformedError("the directory of the archive can't be read") from None
        infos = archive.infolist()
        check("members", len(infos), "files and folders in an archive")
        tail = opened.read(max(0, opened.size - _TAIL), opened.size)
        at = tail.rfind(b"PK\5\6")
        _, disk, first, here, total, _, _, comment = _END.unpack_from(tail, at)
        if here != total or (disk, first) not in ((0, 0), (0xFFFF, 0xFFFF)):
            raise UnsupportedError("an archive in several files")
        if total not in (0xFFFF, len(infos)):
            raise MalformedError("the directory has another number of members than it says")
        self._note(len(tail) > at + _END.size + comment, "bytes behind the archive")
        self._note(bool(comment), "a comment")
        return infos, archive.start_dir, archive.comment

    def _note(self, is_there: bool, what: str) -> None:
        if is_there:
            self.notes[what] = None

    def _entry(self, info: zipfile.ZipInfo, names: Names) -> _Entry:
        """Check a row of the directory against the header of its member."""
        at = info.header_offset
        name = names.add(_name_of(info), info.is_dir(), at)
        _refuse_unknown(info)
        if not 0 <= at <= self._opened.size - _LOCAL.size:
            raise MalformedError("a member begins outside the archive", offset=at)
        read = _LOCAL.unpack(self._opened.read(at, at + _LOCAL.size))
        magic, _, flags, method, _, _, *sizes, length, extra = read
        start = at + _LOCAL.size + length + extra
        stop = start + info.compress_size
        if magic != b"PK\3\4" or stop > self._opened.size:
            raise MalformedError("a member is not where the directory says", offset=at)
        told = self._opened.read(at + _LOCAL.size, at + _LOCAL.size + length)
        differs = (flags ^ info.flag_bits) & (_ENCRYPTED | _PATCHED | _UTF8) or method != info.compress_type
        if differs or told != _raw_name(info) or not _same_sizes(info, flags, sizes):
            raise MalformedError("the header of a member contradicts the directory", offset=at)
        self._note(bool(info.comment), "a comment")
        return _Entry(info, name, start, stop)

    def _refuse_overlaps(self, directory: int) -> None:
        """Refuse members that share bytes, and note what lies between them."""
        runs = sorted((e.info.header_offset, e.stop, e.info.flag_bits & _DESCRIPTOR) for e in self._entries)
        self._note((runs[0][0] if runs else directory) > 0, "bytes in front of the archive")
        for (_, end, described), (start, _, _) in itertools.pairwise([*runs, (directory, directory, 0)]):
            if start < end:
                raise MalformedError("members that overlap", offset=start)
            between = start - end
            self._note(between > 0 and not (described and between in _DESCRIPTORS), "bytes between the members")

    def _open(self, entry: _Entry) -> Opened:
        info = entry.info
        if info.compress_type == zipfile.ZIP_STORED:
            member = window(self._opened, entry.name, entry.start, entry.stop)
            total = crc32(member)
        else:
            sums = [0]
            member = Inflated(self._opened, entry.name, info.file_size, functools.partial(self._give, entry, sums))
            total = sums[0]
        if total != info.CRC:
            member.close()
            raise MalformedError("its checksum is not what the archive says", offset=entry.start)
        return member

    def _give(self, entry: _Entry, sums: list[int], take: Callable[[bytes], object]) -> None:
        """Inflate a member, and sum it up."""

        def both(data: bytes) -> None:
            sums[0] = zlib.crc32(data, sums[0])
            take(data)

        if inflated(self._opened, entry.start, entry.stop, both, "the member"):
            raise MalformedError("bytes behind the deflated member", offset=entry.start)


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")


def _name_of(info: zipfile.ZipInfo) -> str:
    """Give the name of a member: it must be UTF-8, also where the archive does not say so."""
    if info.filename != info.orig_filename:  # cut at a zero, or given a second time in an extra field
        raise UnsupportedError("a member has two names", offset=info.header_offset)
    try:
        return _raw_name(info).decode("utf-8")
    except UnicodeDecodeError:
        what = "a member has a name in an unknown character set"
        raise UnsupportedError(what, offset=info.header_offset) from None


def _refuse_unknown(info: zipfile.ZipInfo) -> None:
    at = info.header_offset
    if info.flag_bits & _ENCRYPTED:
        raise UnsupportedError("a member is encrypted", offset=at)
    if info.flag_bits & _PATCHED or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnsupportedError("a member is packed otherwise than by deflate", offset=at)
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UnsupportedError("a member is a link or a device", offset=at)
    if info.is_dir() and (info.file_size or info.compress_size > 2):  # 2: nothing, deflated
        raise MalformedError("a folder with content of its own", offset=at)
    if info.compress_type == zipfile.ZIP_STORED and info.compress_size != info.file_size:
        raise MalformedError("a stored member has two sizes", offset=at)


def _same_sizes(info: zipfile.ZipInfo, flags: int, sizes: list[int]) -> bool:
    """Compare checksum and sizes; they stand behind a member with a descriptor, and elsewhere in zip64."""
    told = zip(sizes, (info.CRC, info.compress_size, info.file_size), strict=True)
    unsaid = (0,) if flags & _DESCRIPTOR else ()
    crc, *rest = [one == other or one in unsaid for one, other in told]
    return crc and all(same or one == 0xFFFFFFFF for same, one in zip(rest, sizes[1:], strict=True))


def _is_bare(info: zipfile.ZipInfo) -> bool:
    fields, at = [], 0
    while at + 4 <= len(info.extra):
        kind, size = struct.unpack_from("<HH", info.extra, at)
        fields.append(kind)
        at += 4 + size
    return info.date_time == _NO_TIME and not info.comment and set(fields) <= {_ZIP64} and at == len(info.extra)
