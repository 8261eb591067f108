"""The only module that writes.

``patch`` writes edits of equal length into the file itself. ``rewrite`` streams old and new bytes to a
temporary file beside the target, has it audited, makes it durable and renames it.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from fastanon.edits import pieces
from fastanon.errors import AccessError, ChangedError, UnsupportedError
from fastanon.opened import Identity, Opened
from fastanon.planner import Plan
from fastanon.system import System

#: What copy_file_range says where the filesystem can't do it: then bytes go through memory.
_NO_RANGE_COPY = {errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM}
_BLOCK, _RANGE = 1 << 20, 1 << 24

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_TEMPORARY = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW

SYSTEM = System()


def patch(plan: Plan, system: System = SYSTEM) -> int:
    """Write edits of equal length into the file they were planned for.

    Parameters
    ----------
    plan : Plan
        Its strategy must be ``patch``.
    system : System
        Where the calls go.

    Returns
    -------
    int
        Bytes written. Each edit has been read back, and the file is durable.

    Raises
    ------
    ChangedError
        If the file is another than was planned for; nothing is written.
    UnsupportedError
        If it is read-only or has other hard links.
    AccessError
        If the operating system refuses.
    """
    with _reported(plan.path):
        fd = system.open(plan.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            _may_change(system.fstat(fd), plan)
            # the fields that say whose copies to search for go last: a run that was cut off can be repeated
            for order in sorted({edit.order for edit in plan.edits}):
                for edit in (e for e in plan.edits if e.order == order):
                    _write_all(lambda data, at: system.pwrite(fd, data, at), edit.new, edit.offset)
                system.fsync(fd)
            for edit in plan.edits:
                if system.pread(fd, len(edit.new), edit.offset) != edit.new:
                    raise ChangedError("an edit did not read back as it was written", offset=edit.offset)
        finally:
            system.close(fd)
    return sum(len(edit.new) for edit in plan.edits)


def rewrite(
    opened: Opened,
    plan: Plan,
    target: str,
    audit: Callable[[str], object],
    system: System = SYSTEM,
    advance: Callable[[int], object] = lambda _: None,
) -> int:
    """Write the edited file beside the target and rename it.

    Parameters
    ----------
    opened : Opened
        The file the plan was made from, still open.
    plan : Plan
        What becomes of it; without edits this is a copy.
    target : str
        The file itself, which is then replaced, or a path where nothing is.
    audit : callable
        Given the path of the temporary file before it is renamed.
    system : System
        Where the calls go.
    advance : callable
        Is told of bytes as they are copied.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    ChangedError, UnsupportedError, AccessError
        The target is as it was, and no temporary file is left.
    """
    in_place = target == plan.path
    if not in_place and os.path.lexists(target):
        raise UnsupportedError("exists already, not overwritten", path=target)
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, f".fastanon-{os.urandom(8).hex()}.tmp")
    with _reported(target):
        if in_place:
            _may_change(system.stat(plan.path, follow_symlinks=False), plan)
        system.makedirs(folder, exist_ok=True)
        fd = system.open(temporary, _TEMPORARY, 0o600)
        try:
            written = _stream(opened, plan, fd, system, advance)
            old = system.fstat(opened.fd)
            if in_place and (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
                system.fchown(fd, old.st_uid, old.st_gid)
            audit(temporary)
            opened.check()
            if in_place:
                _may_change(system.stat(plan.path, follow_symlinks=False), plan)
            system.fchmod(fd, stat.S_IMODE(old.st_mode) & 0o777)
            system.fsync(fd)
            system.rename(temporary, target)
        except BaseException:
            system.unlink(temporary)
            raise
        finally:
            system.close(fd)
        _sync_folder(folder, system)
    return written


def move(old: str, new: str, system: System = SYSTEM) -> None:
    """Give a file another path on its filesystem, where nothing may be; folders that are empty then go.

    Raises
    ------
    UnsupportedError
        If something is there.
    AccessError
        If the operating system refuses.
    """
    if os.path.lexists(new):
        raise UnsupportedError("exists already, not overwritten", path=new)
    with _reported(old):
        system.makedirs(os.path.dirname(new), exist_ok=True)
        system.rename(old, new)
        _sync_folder(os.path.dirname(new), system)
    with suppress(OSError):  # not empty
        os.removedirs(os.path.dirname(old))


def discard(path: str, system: System = SYSTEM) -> None:
    """Take back a copy that is of no use alone."""
    with _reported(path):
        system.unlink(path)


def _may_change(found: os.stat_result, plan: Plan) -> None:
    if Identity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns) != plan.identity:
        raise ChangedError("changed since it was planned for, not written", path=plan.path)
    if not found.st_mode & 0o222:
        raise UnsupportedError("read-only, not written", path=plan.path)
    if found.st_nlink > 1:
        raise UnsupportedError("has other hard links, which in-place editing would miss", path=plan.path)


def _stream(opened: Opened, plan: Plan, target: int, system: System, advance: Callable[[int], object]) -> int:
    """Write all pieces: gathered in memory up to each whole block of the target, from there copied in the kernel.

    A page cache filled from a whole block on is a quarter faster than one filled from the end of a header on.
    """
    written, gathered = 0, bytearray()
    for piece in pieces(plan.edits, 0, opened.size):
        if isinstance(piece, bytes):
            gathered += piece
            written += len(piece)
            continue
        start, stop = piece
        whole = min(stop, start + -written % _BLOCK)
        gathered += _read_all(opened.fd, start, whole, system)
        written += stop - start
        if whole < stop:
            _write_all(lambda data, _: system.write(target, data), gathered, 0)
            gathered.clear()
            for count in _copied(opened.fd, target, whole, stop, written - stop, system):
                advance(count)
    _write_all(lambda data, _: system.write(target, data), gathered, 0)
    return written


def _read_all(source: int, start: int, stop: int, system: System) -> bytes:
    parts = []
    while start < stop:
        part = system.pread(source, stop - start, start)
        if not part:
            raise ChangedError("became shorter while it was copied", offset=start)
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def _write_all(write: Callable[[memoryview, int], int], data: bytes | bytearray, offset: int) -> None:
    with memoryview(data) as view:
        done = 0
        while done < len(data):
            done += write(view[done:], offset + done)


def _copied(source: int, target: int, start: int, stop: int, shift: int, system: System) -> Iterator[int]:
    """Copy a range of the source to where the target stands, inside the kernel where it can; give bytes done.

    The disk writes one range while the next is copied: with the fsync that follows, a third less time.
    """
    in_kernel = True
    while start < stop:
        try:
            if in_kernel:
                count = system.copy_file_range(source, target, min(stop - start, _RANGE), start)
            else:
                block = system.pread(source, min(stop - start, _BLOCK), start)
                count = len(block)
                _write_all(lambda data, _: system.write(target, data), block, 0)
        except OSError as error:
            if not in_kernel or error.errno not in _NO_RANGE_COPY:
                raise
            in_kernel = False
            continue
        if not count:
            raise ChangedError("became shorter while it was copied", offset=start)
        system.start_writing_back(target, start + shift, count)
        start += count
        yield count


def _sync_folder(folder: str, system: System) -> None:
    fd = system.open(folder, _READ | os.O_DIRECTORY)
    try:
        system.fsync(fd)
    finally:
        system.close(fd)


@contextmanager
def _reported(path: str) -> Iterator[None]:
    """Say what the operating system said, with the path that the user knows."""
    try:
        yield
    except ChangedError as error:
        error.path = error.path or path
        raise
    except OSError as error:
        raise AccessError(os.strerror(error.errno or 0), path=path) from None
