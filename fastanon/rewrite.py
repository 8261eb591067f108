"""Writing beside: old and new bytes are streamed to a temporary file, which is audited, synced and renamed."""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Callable
from contextlib import nullcontext, suppress

from fastanon import beside, folders
from fastanon.apply import may_change
from fastanon.beside import read_all, reported, write_all
from fastanon.edits import pieces
from fastanon.errors import ChangedError, UnsupportedError
from fastanon.opened import Opened
from fastanon.planner import Plan
from fastanon.system import SYSTEM, System

#: What copy_file_range says where the filesystem can't do it: then bytes go through memory.
_NO_RANGE_COPY = {errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM}
_BLOCK, _RANGE = 1 << 20, 1 << 24

#: Attributes that a system gives to a new file by itself.
_SECURITY = "security."
_ACCESS, _GROUP = "system.posix_acl_access", 4


def rewrite(
    opened: Opened,
    plan: Plan,
    target: str,
    audit: Callable[[str], object],
    system: System = SYSTEM,
    advance: Callable[[int], object] = lambda _: None,
) -> int:
    """Write the edited file beside the target and rename it.

    In place mode, owner, extended attributes and access lists are carried over. A copy gets the mode alone; its
    time is that at which it was written.

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
        Bytes written, without those of shared blocks.

    Raises
    ------
    ChangedError, UnsupportedError, AccessError
        The target is as it was, and no temporary file is left.
    """
    target = os.path.abspath(target)
    in_place = target == plan.path
    above, name = os.path.split(target)
    with reported(target), folders.folder(above, system, make=not in_place) as folder:
        if in_place:
            may_change(system.stat(name, dir_fd=folder, follow_symlinks=False), plan.identity)
        elif os.path.lexists(target):
            raise UnsupportedError("exists already, not overwritten", path=target)
        temporary = beside.temporary_name()
        fd = beside.created(temporary, folder, system)
        try:
            stream = _Stream(opened.fd, fd, system, advance)
            for piece in pieces(plan.edits, 0, opened.size):
                if isinstance(piece, bytes):
                    stream.add(piece)
                else:
                    stream.copy(*piece, plan.stays is not None)
            stream.flush()
            written = stream.moved
            audit(os.path.join(above, temporary))
            _dress(opened.fd, fd, in_place, system)
            opened.check()
            system.fsync(fd)
            if in_place:
                may_change(system.stat(name, dir_fd=folder, follow_symlinks=False), plan.identity)
                system.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            else:
                _rename_new(temporary, name, folder, target, system)
        except BaseException:
            with suppress(FileNotFoundError):  # it may have been renamed already
                system.unlink(temporary, dir_fd=folder)
            raise
        finally:
            system.close(fd)
        system.fsync(folder)
    return written


def _rename_new(old: str, new: str, folder: int, target: str, system: System) -> None:
    try:
        system.rename_new(old, new, folder, folder)
    except FileExistsError:
        raise UnsupportedError("exists already, not overwritten", path=target) from None


def _dress(source: int, target: int, in_place: bool, system: System) -> None:
    """Give a new file the mode of the old one, and in place its owner, attributes and access lists."""
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


def discard(path: str, system: System = SYSTEM) -> None:
    """Take back a copy that is of no use alone."""
    above, name = os.path.split(path)
    with reported(path), folders.folder(above, system) as folder:
        system.unlink(name, dir_fd=folder)
        system.fsync(folder)


class _Stream:
    """What is written to a new file: gathered in memory up to whole blocks of it, from there copied in the kernel.

    A page cache filled from a whole block on is a quarter faster than one filled from the end of a header on.
    """

    def __init__(self, source: int, target: int, system: System, advance: Callable[[int], object]) -> None:
        self._source, self._target, self._system, self._advance = source, target, system, advance
        self._gathered = bytearray()
        self._written = self._shared = 0

    @property
    def moved(self) -> int:
        """How many bytes were written, without those of shared blocks."""
        return self._written - self._shared

    def add(self, data: bytes) -> None:
        self._gathered += data

    def copy(self, start: int, stop: int, shares: bool) -> None:
        """Copy a range of the source; where blocks can be shared, let the target have those of it."""
        if shares and self._share(start, stop):
            return
        whole = min(stop, start + -self._at % _BLOCK)
        self.add(read_all(self._source, start, whole, self._system))
        if whole < stop:
            self.flush()
            beside.refuse_full(self._target, stop - whole, self._system)
            self._copy(whole, stop)

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
        self.add(read_all(self._source, start, first, self._system))
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
        self.add(read_all(self._source, last, stop, self._system))
        return True

    def _copy(self, start: int, stop: int) -> None:
        """Copy a range to where the target stands, inside the kernel where it can.

        The disk writes one range while the next is copied: with the fsync that follows, a third less time.
        """
        in_kernel = True
        while start < stop:
            try:
                if in_kernel:
                    count = self._system.copy_file_range(
                        self._source, self._target, min(stop - start, _RANGE), start, self._written
                    )
                else:
                    block = self._system.pread(self._source, min(stop - start, _BLOCK), start)
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
