"""Writing beside: old and new bytes are streamed to a temporary file, which is audited, synced and renamed.

These are three steps, each for a bunch of files, and perhaps of several processes: `stage`, `sync`, `land`.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, nullcontext, suppress
from typing import NamedTuple, Self

from fastanon import beside, folders
from fastanon.apply import may_change
from fastanon.beside import read_all, reported, write_all
from fastanon.edits import pieces
from fastanon.errors import AccessError, ChangedError, FileError, UnsupportedError
from fastanon.opened import NO_FILE, Identity, Opened
from fastanon.planner import Plan
from fastanon.system import SYSTEM, System

#: What copy_file_range says where the filesystem can't do it: then bytes go through memory.
_NO_RANGE_COPY = {errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM}
_BLOCK, _RANGE = 1 << 20, 1 << 24
_LARGE = 64 << 10  # bytes that are not copied once more to be written together with others

_STAGED = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_MOST_FOLDERS = 64

#: Why a copy is refused whose path is taken.
EXISTS = "exists already, not overwritten"

#: Attributes that a system gives to a new file by itself.
_SECURITY = "security."
_ACCESS, _GROUP = "system.posix_acl_access", 4


class Staged(NamedTuple):
    """A file that is written and searched, and has no name yet.

    Attributes
    ----------
    path : str
        The temporary file.
    written : int
        Bytes written, without those of shared blocks.
    """

    path: str
    written: int


class Watched(NamedTuple):
    """A run of the old bytes that somebody has to see, and may see while it is copied.

    Attributes
    ----------
    run : (int, int)
        Where it begins and ends.
    read : callable
        Reads all of it, and gives each chunk away with its offset, in order.
    """

    run: tuple[int, int]
    read: Callable[[Callable[[int, memoryview], object]], object]


class Landing(NamedTuple):
    """Staged files and the names that they get: a header behind its payload, without which it is of no use.

    Attributes
    ----------
    files : tuple of (str, str)
        Temporary file and path, in order.
    replaced : Identity or None
        The file that is there now and goes; None where nothing may be.
    """

    files: tuple[tuple[str, str], ...]
    replaced: Identity | None = None


def stage(
    opened: Opened,
    plan: Plan,
    folder: str,
    audit: Callable[[str], object],
    system: System = SYSTEM,
    *,
    replaces: bool = False,
    token: str = "",
    advance: Callable[[int], object] = lambda _: None,
    watched: Watched | None = None,
) -> Staged:
    """Write the edited file to a temporary one, and have that searched.

    What replaces its original gets the owner, extended attributes and access lists of it. A copy gets the mode
    alone; its time is that at which it was written.

    Parameters
    ----------
    opened : Opened
        The file the plan was made from, still open.
    plan : Plan
        What becomes of it; without edits this is a copy.
    folder : str
        Where the temporary file lies: that of the original, or one on the filesystem of the copy.
    audit : callable
        Given the path of the temporary file when all is written.
    system : System
        Where the calls go.
    replaces : bool
        Whether it will replace its original.
    token : str
        How the name of the temporary file begins: see `beside.temporary_name`.
    advance : callable
        Is told of bytes as they are copied.
    watched : Watched, optional
        What is copied as it is read by another.

    Raises
    ------
    ChangedError, UnsupportedError, AccessError
        No temporary file is left.
    """

    def fill(fd: int) -> int:
        stream = _Stream(opened, fd, system, advance, watched)
        for piece in pieces(plan.edits, 0, opened.size):
            if isinstance(piece, bytes):
                stream.add(piece)
            else:
                stream.copy(*piece, plan.stays is not None)
        stream.flush()
        return stream.moved

    return stage_with(opened, plan.identity, folder, fill, audit, system, replaces=replaces, token=token)


def stage_with(
    opened: Opened,
    identity: Identity,
    folder: str,
    fill: Callable[[int], int],
    audit: Callable[[str], object],
    system: System = SYSTEM,
    *,
    replaces: bool = False,
    token: str = "",
) -> Staged:
    """Write a temporary file, and have it searched; what it holds is the caller's.

    Parameters
    ----------
    opened, folder, audit, system, replaces, token
        As of `stage`.
    identity : Identity
        What the original was when it was planned for.
    fill : callable
        Writes to an open descriptor, and gives how many bytes it wrote.
    """
    path = os.path.join(folder, beside.temporary_name(token))
    try:
        with (
            reported(opened.path if replaces else folder),
            folders.folder(folder, system, make=not replaces) as above,
        ):
            if replaces:
                may_change(system.fstat(opened.fd), identity)
            fd = beside.created(os.path.basename(path), above, system)
            try:
                written = fill(fd)
                audit(path)
                _dress(opened.fd, fd, replaces, system)
                opened.check()
                system.start_writing_back(fd, 0, written)  # while the next file is made
            except BaseException:
                with suppress(OSError):  # here, wherever the folder has been moved to
                    system.unlink(os.path.basename(path), dir_fd=above)
                raise
            finally:
                system.close(fd)
    except BaseException:
        with suppress(FileError):
            discard([path], system)
        raise
    return Staged(path, written)


def sync(staged: Sequence[str], system: System = SYSTEM) -> None:
    """Make staged files of one filesystem durable: one alone, or several with all that it holds.

    Raises
    ------
    AccessError
        If that can't be: what is on the disk is not known then.
    """
    if not staged:
        return
    above, name = os.path.split(staged[0])
    with reported(staged[0]), folders.folder(above, system) as folder:
        if len(staged) > 1:
            system.syncfs(folder)
            return
        fd = system.open(name, _STAGED, dir_fd=folder)
        try:
            system.fsync(fd)
        finally:
            system.close(fd)


def land(landings: Sequence[Landing], system: System = SYSTEM) -> list[FileError | None]:
    """Give staged files, which are durable, their names, and make these durable.

    Returns
    -------
    list of FileError or None
        For each what kept it from getting its name; then no temporary file is left, and no payload alone.
    """
    errors: list[FileError | None] = []
    failed: dict[str, FileError] = {}
    try:
        with _Folders(system) as known:
            errors.extend(_landed(landing, known, system) for landing in landings)
            failed = known.sync()
    except OSError as error:  # a folder could not even be closed
        why = AccessError(os.strerror(error.errno or 0), path=landings[0].files[-1][1])
        return [one or why for one in (*errors, *[why] * (len(landings) - len(errors)))]
    folders_of = [os.path.dirname(landing.files[-1][1]) for landing in landings]
    return [error or failed.get(folder) for error, folder in zip(errors, folders_of, strict=True)]


def _landed(landing: Landing, known: _Folders, system: System) -> FileError | None:
    try:
        _land(landing, known, system)
    except FileError as error:
        with suppress(FileError):  # what is temporary is swept one day
            discard([path for path, _ in landing.files], system)
        return error
    return None


def _land(landing: Landing, known: _Folders, system: System) -> None:
    done: list[str] = []
    for staged, target in landing.files:
        above, name = os.path.split(target)
        here, old = os.path.split(staged)
        with reported(target):
            folder = known.at(above, make=landing.replaced is None)
            try:
                if landing.replaced is None:
                    _rename_new(old, name, known.at(here), folder, target, system)
                else:
                    may_change(system.stat(name, dir_fd=folder, follow_symlinks=False), landing.replaced)
                    system.rename(old, name, src_dir_fd=known.at(here), dst_dir_fd=folder)
            except BaseException:
                with suppress(FileError):
                    discard(done, system)
                raise
        known.changed.add(above)
        done.append(target)


class _Folders:
    """Folders that are open for a while: files of one bunch go to few of them."""

    def __init__(self, system: System) -> None:
        self._system, self._stack = system, ExitStack()
        self._open: dict[str, int] = {}
        self.changed: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def at(self, path: str, make: bool = False) -> int:
        """Give the descriptor of a folder."""
        if path not in self._open:
            if len(self._open) >= _MOST_FOLDERS:
                self._stack.close()
                self._open.clear()
            self._open[path] = self._stack.enter_context(folders.folder(path, self._system, make=make))
        return self._open[path]

    def sync(self) -> dict[str, FileError]:
        """Make the names in all folders that changed durable; give what went wrong, by folder."""
        failed: dict[str, FileError] = {}
        for path in sorted(self.changed):
            try:
                with reported(path):
                    self._system.fsync(self.at(path))
            except FileError as error:
                failed[path] = error
        return failed


def _rename_new(old: str, new: str, here: int, folder: int, target: str, system: System) -> None:
    try:
        system.rename_new(old, new, here, folder)
    except FileExistsError:
        raise UnsupportedError(EXISTS, path=target) from None


def _dress(source: int, target: int, in_place: bool, system: System) -> None:
    """Give a new file the mode of the old one, and in place its owner, attributes and access lists."""
    if source == NO_FILE:
        return  # nobody said who may read it: its owner alone
    old = system.fstat(source)
    if in_place and (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
        system.fchown(target, old.st_uid, old.st_gid)
    attributes = system.attributes(source)
    for key, value in attributes.items() if in_place else ():  # access lists before the mode, whose mask is theirs
        with suppress(PermissionError) if key.startswith(_SECURITY) else nullcontext():
            system.set_attribute(target, key, value)
    mode = stat.S_IMODE(old.st_mode) & 0o777
    system.fchmod(target, mode if in_place else mode & _of_the_group(attributes.get(_ACCESS, b"")))


def _of_the_group(access: bytes) -> int:
    """Give what an access list leaves of a mode: its group bits are those of the mask, not of the group.

    From linux/posix_acl_xattr.h: a version, and for each entry tag, rights and ID.
    """
    if len(access) % 8 != 4:
        return 0o777
    rights: dict[int, int] = {tag: right for tag, right, _ in struct.iter_unpack("<HHI", access[4:])}
    return 0o707 | rights.get(_GROUP, 7) << 3


def discard(paths: Iterable[str], system: System = SYSTEM) -> None:
    """Take back files that are of no use."""
    for path in paths:
        above, name = os.path.split(path)
        with reported(path), folders.folder(above, system) as folder, suppress(FileNotFoundError):
            system.unlink(name, dir_fd=folder)


class _Stream:
    """What is written to a new file: gathered in memory up to whole blocks of it, from there copied in the kernel.

    A page cache filled from a whole block on is a quarter faster than one filled from the end of a header on.
    """

    def __init__(
        self,
        opened: Opened,
        target: int,
        system: System,
        advance: Callable[[int], object],
        watched: Watched | None,
    ) -> None:
        self._opened, self._source, self._target = opened, opened.fd, target
        self._system, self._advance, self._watched = system, advance, watched
        self._gathered = bytearray()
        self._written = self._shared = 0

    @property
    def moved(self) -> int:
        """How many bytes were written, without those of shared blocks."""
        return self._written - self._shared

    def add(self, data: bytes | memoryview) -> None:
        """Write bytes, together with others where they are few."""
        if len(data) < _LARGE:
            self._gathered += data
            return
        self.flush()
        write_all(self._put, data, self._written)
        self._written += len(data)

    def copy(self, start: int, stop: int, shares: bool) -> None:
        """Copy a range of the source; where blocks can be shared, let the target have those of it."""
        if shares and self._share(start, stop):
            return
        watched = self._watched
        if watched and start <= watched.run[0] and watched.run[1] <= stop:
            self._watched = None
            self.copy(start, watched.run[0], shares=False)
            self._copy_watched(watched)
            start = watched.run[1]
        whole = stop if stop - start < _BLOCK else min(stop, start + -self._at % _BLOCK)
        self.add(self._old(start, whole))
        if whole < stop:
            self.flush()
            beside.refuse_full(self._target, stop - whole, self._system)
            self._copy(whole, stop)

    def _copy_watched(self, watched: Watched) -> None:
        """Write what another reads."""
        self.flush()
        beside.refuse_full(self._target, watched.run[1] - watched.run[0], self._system)

        def put(_: int, chunk: memoryview) -> None:
            write_all(self._put, chunk, self._written)
            self._system.start_writing_back(self._target, self._written, len(chunk))
            self._written += len(chunk)
            self._advance(len(chunk))

        watched.read(put)

    def _old(self, start: int, stop: int) -> bytes | memoryview:
        if isinstance(self._opened.view, bytes):
            return memoryview(self._opened.view)[start:stop]
        if self._source == NO_FILE:
            return self._opened.read(start, stop)
        return read_all(self._source, start, stop, self._system)

    @property
    def _at(self) -> int:
        return self._written + len(self._gathered)

    def flush(self) -> None:
        """Write what is gathered."""
        write_all(self._put, self._gathered, self._written)
        self._written += len(self._gathered)
        self._gathered.clear()

    def _put(self, data: memoryview, at: int) -> int:
        return self._system.pwrite(self._target, data, at)

    def _share(self, start: int, stop: int) -> bool:
        """Share all whole blocks and copy what is left at both ends; say whether that was possible."""
        block = self._system.fstatvfs(self._target).f_frsize
        first, last = start + -start % block, stop - stop % block
        if (self._at - start) % block or first >= last:
            return False
        self.add(self._old(start, first))
        self.flush()
        try:
            self._system.share(self._source, self._target, first, last - first, self._written)
        except OSError as error:
            if error.errno not in _NO_RANGE_COPY:
                raise
            self.copy(first, stop, shares=False)
            return True
        self._written += last - first
        self._shared += last - first
        self._advance(last - first)
        self.add(self._old(last, stop))
        return True

    def _copy(self, start: int, stop: int) -> None:
        """Copy a range to where the target stands, inside the kernel where it can.

        The disk writes one range while the next is copied: with the fsync that follows, a third less time.
        """
        in_kernel = self._source != NO_FILE
        while start < stop:
            try:
                if in_kernel:
                    count = self._system.copy_file_range(
                        self._source, self._target, min(stop - start, _RANGE), start, self._written
                    )
                else:
                    block = self._old(start, min(stop, start + _BLOCK))
                    count = len(block)
                    write_all(self._put, block, self._written)
            except OSError as error:
                if not in_kernel or error.errno not in _NO_RANGE_COPY:
                    raise
                in_kernel = False
                continue
            if not count:
                raise ChangedError("became shorter while it was copied", offset=start)
            self._system.start_writing_back(self._target, self._written, count)
            start += count
            self._written += count
            self._advance(count)
