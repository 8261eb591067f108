"""What runs with a kept key have done into a folder, so that one that was stopped goes on where it was.

Each run adds a file ``.fastanon-*.done`` of its own to the output folder. For each copy it holds 64 bytes::

    digest of the source (24)  digest of the copy (24)  leaks (4, little-endian)  code over these (12)

All are BLAKE2b under the key: who has no key learns how many copies there are, and nothing else, can't try out
paths, and can't add an entry. The first digest is of how the run treats files, and of path, size, time and inode
of the source and its payload; the second of the path of the copy, and of its size and time. An entry is on the
disk before its copy, which is on the disk too, gets its name. So where both digests are right, the copy is what
this very run would make.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from typing import NamedTuple

from fastanon import __version__, beside, folders
from fastanon.beside import reported, write_all
from fastanon.errors import FileError
from fastanon.files import Source
from fastanon.system import SYSTEM, System
from fastanon.targets import Target
from fastanon.urls import is_url
from fastanon.work import Options

_DIGEST, _LEAKS, _CODE = 24, 4, 12
_ENTRY = 2 * _DIGEST + _LEAKS + _CODE
_ADD = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class Copy(NamedTuple):
    """A copy that is about to get its name.

    Attributes
    ----------
    item : Source
        What it is a copy of.
    target : Target
        Its path.
    files : tuple of str
        Where it and its payload are until then.
    leaks : int
        How many places with something identifying are left.
    """

    item: Source
    target: Target
    files: tuple[str, ...]
    leaks: int


class Record:
    """The copies that runs of the same key have made in a folder, told only to a run that treats files alike.

    Parameters
    ----------
    options : Options
        How files are treated, and the key.
    to : str
        The output folder.
    system : System
        Where the calls go.
    """

    def __init__(self, options: Options, to: str, system: System = SYSTEM) -> None:
        self._key, self._to, self._system = options.scheme.pseudonyms.derived("record"), to, system
        self._how = _told(options)
        self._name = f".fastanon-{os.urandom(8).hex()}.done"
        self._known: dict[bytes, tuple[bytes, int]] = {}
        for name in sorted(filter(beside.is_record, _names(to))):
            self._read(name)

    def has(self, item: Source) -> bool:
        """Say whether a file was done, as it is now; its copy may be gone."""
        return bool(self._known) and self._source(item) in self._known

    def leaks(self, item: Source, target: Target) -> int | None:
        """Say how much is left in the copy that a run before made of a file; None if there is no such copy."""
        found = self._known.get(self._source(item)) if self._known else None
        there = [path for path in (target.path, target.payload) if path]
        return found[1] if found is not None and found[0] == self._copy(target, there) else None

    def add(self, copies: Iterable[Copy]) -> None:
        """Write down copies that are durable and have no name yet.

        Raises
        ------
        AccessError
            If they can't be: then no copy may get its name.
        """
        entries = b"".join(
            self._entry(self._source(one.item), self._copy(one.target, one.files), one.leaks) for one in copies
        )
        if not entries:
            return
        system = self._system
        with reported(self._to), folders.folder(self._to, system) as folder:
            new = not os.path.lexists(os.path.join(self._to, self._name))
            fd = system.open(self._name, _ADD if new else _ADD & ~(os.O_CREAT | os.O_EXCL), 0o600, dir_fd=folder)
            try:
                size = system.fstat(fd).st_size
                beside.refuse_full(fd, len(entries), system)
                write_all(lambda part, at: system.pwrite(fd, part, at), entries, size - size % _ENTRY)
                system.fsync(fd)
            finally:
                system.close(fd)
            if new:
                system.fsync(folder)

    def _read(self, name: str) -> None:
        try:
            fd = os.open(os.path.join(self._to, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(fd, "rb") as file:
                while len(entry := file.read(_ENTRY)) == _ENTRY:
                    source, copy = entry[:_DIGEST], entry[_DIGEST : 2 * _DIGEST]
                    leaks = int.from_bytes(entry[2 * _DIGEST : -_CODE], "little")
                    if self._entry(source, copy, leaks) == entry:
                        self._known[source] = copy, leaks
        except OSError:  # whoever can't read it knows of no copies, and refuses what exists
            return

    def _entry(self, source: bytes, copy: bytes, leaks: int) -> bytes:
        body = source + copy + leaks.to_bytes(_LEAKS, "little")
        return body + blake2b(body, digest_size=_CODE, key=self._key, salt=b"entry").digest()

    def _source(self, item: Source) -> bytes:
        paths = [path for path in (item.path, item.payload) if path]
        return self._digest(b"source", (self._how, *((path, *_seen(path, True)) for path in paths)))

    def _copy(self, target: Target, files: Iterable[str]) -> bytes:
        names = [os.path.relpath(path, self._to) for path in (target.path, target.payload) if path]
        return self._digest(
            b"copy", [(name, *_seen(path, False)) for name, path in zip(names, files, strict=True)]
        )

    def _digest(self, what: bytes, value: object) -> bytes:
        data = repr(value).encode("utf-8", "surrogatepass")
        return blake2b(data, digest_size=_DIGEST, key=self._key, salt=what).digest()


def _told(options: Options) -> object:
    """Give all that a copy depends on, beside its source and the key."""
    scheme = options.scheme
    return (
        __version__, scheme.profile.label, options.audit, options.payload, repr(scheme.given),
        sorted(scheme.mapping.items()),
    )  # fmt: skip


def _seen(path: str, inode: bool) -> tuple[int, ...] | tuple[str, ...]:
    """Give size and time of a file, perhaps its inode; nothing where there is none. Of an object what tells it."""
    if is_url(path):
        return _told_by_store(path)
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return ()
    return (found.st_size, found.st_mtime_ns, *([found.st_ino] if inode else []))


def _told_by_store(url: str) -> tuple[str, ...]:
    """Give what a store says; where it says nothing, what no other run is told."""
    from fastanon.stores import stamp_at

    with suppress(FileError):
        if stamp := stamp_at(url):
            return stamp
    return (os.urandom(8).hex(),)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
