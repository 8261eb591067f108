"""What is about to be written, so that it can be written again: a redo journal as bytes, and back.

Numbers are little-endian. ``fastanon journal``, version (4 bytes), process (4), device (8), number of files (4),
host (2 bytes of length, then text). For each file: inode (8), size before (8), size after (8), new path from the
folder of the journal (2 bytes of length, empty if it stays), number of writes (4), and for each write offset (8),
length (4) and the **new** bytes. BLAKE2b of all this (32 bytes) ends it. Nothing in it comes from an original:
files are told by inode, since their names may be those of patients.
"""

from __future__ import annotations

import hashlib
import os
import struct
from typing import Any, NamedTuple

from fastanon.errors import FileError

#: The one journal of a folder, which is its lock too.
NAME = ".fastanon-journal"

_MAGIC, _VERSION, _DIGEST = b"fastanon journal", 1, 32
_HEAD, _FILE, _WRITE = struct.Struct("<16sIIQI"), struct.Struct("<QQQ"), struct.Struct("<QI")
_SHORT, _COUNT = struct.Struct("<H"), struct.Struct("<I")


class JournalError(FileError):
    """A journal that can't be believed."""


class TornError(JournalError):
    """A journal that was never finished: the file that it is for was not changed yet."""


class Entry(NamedTuple):
    """What becomes of one file.

    Attributes
    ----------
    inode : int
        Which file of the folder.
    before, after : int
        Its size in bytes.
    to : str
        Its path afterwards, from the folder of the journal; empty if it stays.
    writes : tuple of (int, bytes)
        Offsets and new bytes, in order.
    """

    inode: int
    before: int
    after: int
    to: str
    writes: tuple[tuple[int, bytes], ...]


class Journal(NamedTuple):
    """What one process is about to do in one folder."""

    process: int
    host: str
    device: int
    entries: tuple[Entry, ...]


def pack(journal: Journal) -> bytes:
    """Spell a journal."""
    host = journal.host.encode("utf-8", "replace")[:255]
    parts = [_HEAD.pack(_MAGIC, _VERSION, journal.process, journal.device, len(journal.entries)), _text(host)]
    for entry in journal.entries:
        parts += [_FILE.pack(entry.inode, entry.before, entry.after), _text(os.fsencode(entry.to))]
        parts.append(_COUNT.pack(len(entry.writes)))
        for offset, data in entry.writes:
            parts += [_WRITE.pack(offset, len(data)), data]
    digest = hashlib.blake2b(digest_size=_DIGEST)
    for part in parts:
        digest.update(part)
    return b"".join([*parts, digest.digest()])


def _text(data: bytes) -> bytes:
    return _SHORT.pack(len(data)) + data


def parse(data: bytes) -> Journal:
    """Read a journal.

    Raises
    ------
    TornError
        If it does not end with the checksum of what stands before.
    JournalError
        If it does, and makes no sense.
    """
    body, digest = data[:-_DIGEST], data[-_DIGEST:]
    if hashlib.blake2b(body, digest_size=_DIGEST).digest() != digest:
        raise TornError("a journal that was not finished")
    reader = _Reader(body)
    try:
        magic, version, process, device, count = reader.take(_HEAD)
        if magic != _MAGIC or version != _VERSION:
            raise JournalError("a journal of another program, or of another version of this one")
        host = reader.text().decode("utf-8", "replace")
        entries = tuple(reader.entry() for _ in range(count))
    except struct.error:
        raise JournalError("a journal that contradicts itself", offset=reader.at) from None
    if reader.at != len(body):
        raise JournalError("a journal that contradicts itself", offset=reader.at)
    return Journal(process, host, device, entries)


def said_by(data: bytes) -> str:
    """Say which process a journal says it is of, as far as it is written."""
    try:
        _, _, process, _, _ = _HEAD.unpack_from(data)
        reader = _Reader(data[_HEAD.size :])
        host = reader.text().decode("utf-8", "replace")
    except (struct.error, JournalError):
        return "another process"
    return f"process {process} on {''.join(c for c in host if c.isprintable())}"


class _Reader:
    """Takes a journal apart from front to back."""

    def __init__(self, body: bytes) -> None:
        self._body, self.at = body, 0

    def take(self, form: struct.Struct) -> tuple[Any, ...]:
        found: tuple[Any, ...] = form.unpack_from(self._body, self.at)
        self.at += form.size
        return found

    def run(self, size: int) -> bytes:
        if self.at + size > len(self._body):
            raise JournalError("a journal that contradicts itself", offset=self.at)
        self.at += size
        return self._body[self.at - size : self.at]

    def text(self) -> bytes:
        return self.run(self.take(_SHORT)[0])

    def entry(self) -> Entry:
        inode, before, after = self.take(_FILE)
        to = os.fsdecode(self.text())
        writes, end = [], 0
        for _ in range(self.take(_COUNT)[0]):
            offset, size = self.take(_WRITE)
            if offset < end or offset + size > max(before, after):
                raise JournalError("a journal that contradicts itself", offset=self.at)
            end = offset + size
            writes.append((offset, self.run(size)))
        if not _is_below(to):
            raise JournalError("a journal that leads to no file", offset=self.at)
        return Entry(inode, before, after, to, tuple(writes))


def _is_below(to: str) -> bool:
    """Say whether a path may be one that names were cleaned in: up first, and then down by names."""
    if not to:
        return True
    names = to.split("/")
    while names and names[0] == "..":
        names = names[1:]
    return bool(names) and "\0" not in to and all(name not in ("", ".", "..") for name in names)
