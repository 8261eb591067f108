"""Files of our own beside the user's: made new, locked while they are in use, told when they are left over."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress

from fastanon.errors import AccessError, ChangedError, UnsupportedError
from fastanon.journal import NAME
from fastanon.system import SYSTEM, System

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_EXISTING = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_NOT_OURS = "a journal that is none of this user's: not believed, and left as it is"
_RECORD = re.compile(r"\.fastanon-[0-9a-f]{16}\.done")
_BEGINS, _TOKEN = ".fastanon-", 8
_TEMPORARY = re.compile(r"\.fastanon-[0-9a-f]{16}\.tmp")


def is_ours(name: str) -> bool:
    """Say whether a file is a journal, a temporary file or a record by its name: never data."""
    return name == NAME or _TEMPORARY.fullmatch(name) is not None or is_record(name)


def is_record(name: str) -> bool:
    """Say whether a file tells what was done, by its name."""
    return _RECORD.fullmatch(name) is not None


def temporary_name(token: str = "") -> str:
    """Give a name that no file has; a token says whose it is."""
    return f"{_BEGINS}{token}{os.urandom(8).hex()[len(token) :]}.tmp"


def new_token() -> str:
    """Give how the temporary files of somebody are told from those of others."""
    return os.urandom(_TOKEN // 2).hex()


def clear(folder: str, tokens: Container[str], system: System = SYSTEM) -> None:
    """Remove the temporary files of those who are gone."""
    with suppress(OSError):
        for name in filter(_TEMPORARY.fullmatch, os.listdir(folder)):
            if name.removeprefix(_BEGINS)[:_TOKEN] in tokens:
                with suppress(FileNotFoundError):
                    system.unlink(os.path.join(folder, name))


def created(name: str, folder: int, system: System, must_lock: bool = False) -> int:
    """Make a file that only its owner may read, and lock it.

    Raises
    ------
    FileExistsError
        If there is one.
    UnsupportedError
        If it has to be locked, and the filesystem has no locks.
    """
    while True:
        fd = system.open(name, _NEW, 0o600, dir_fd=folder)
        try:
            locked = system.lock(fd)
            if system.fstat(fd).st_nlink:
                if must_lock and locked is None:
                    raise UnsupportedError("a filesystem without locks (flock), which editing in place needs")
                return fd
        except BaseException:
            with suppress(OSError):
                system.unlink(name, dir_fd=folder)
            system.close(fd)
            raise
        system.close(fd)  # taken for one that was left over, and removed before it was locked


@contextmanager
def left_over(name: str, folder: int, system: System, believed: bool = True) -> Iterator[int | None]:
    """Open a file of ours that nobody uses any more; None where there is none.

    Parameters
    ----------
    name : str
        Of the file.
    folder : int
        Its folder.
    system : System
        Where the calls go.
    believed : bool
        Whether what it says will be believed: then nobody else may have written it.

    Raises
    ------
    BlockingIOError
        If it is in use.
    UnsupportedError
        If it is no regular file, or may not be believed.
    """
    try:
        fd = system.open(name, _EXISTING, dir_fd=folder)
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise
        raise UnsupportedError(_NOT_OURS) from None
    try:
        found = system.fstat(fd)
        foreign = believed and (found.st_uid != os.geteuid() or found.st_mode & 0o077)
        if not stat.S_ISREG(found.st_mode) or foreign:
            raise UnsupportedError(_NOT_OURS)
        if not system.lock(fd):
            raise BlockingIOError
        links = system.fstat(fd).st_nlink
        if links > 1:  # waiting for it would never end: it is no lock that anybody takes away
            raise UnsupportedError(_NOT_OURS)
        yield fd if links else None  # its owner has just removed it
    finally:
        system.close(fd)


def sweep(folder: int, system: System) -> int:
    """Remove temporary files that were left over; give how many."""
    swept = 0
    for name in sorted(filter(_TEMPORARY.fullmatch, os.listdir(folder))):
        with suppress(BlockingIOError, UnsupportedError), left_over(name, folder, system, believed=False) as fd:
            if fd is not None:
                system.unlink(name, dir_fd=folder)
                swept += 1
    return swept


def refuse_full(fd: int, size: int, system: System) -> None:
    """Make sure that so many bytes still fit on the disk of an open file.

    Raises
    ------
    OSError
        ENOSPC if they don't.
    """
    disk = system.fstatvfs(fd)
    if disk.f_blocks and disk.f_bavail * disk.f_frsize < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def write_all(write: Callable[[memoryview, int], int], data: bytes | bytearray | memoryview, offset: int) -> None:
    """Write until all is written."""
    with memoryview(data) as view:
        done = 0
        while done < len(data):
            done += write(view[done:], offset + done)


def read_all(source: int, start: int, stop: int, system: System) -> bytes:
    """Read by position until all is read.

    Raises
    ------
    ChangedError
        If the file ends before.
    """
    parts = []
    while start < stop:
        part = system.pread(source, min(stop - start, 1 << 30), start)
        if not part:
            raise ChangedError("became shorter while it was copied", offset=start)
        parts.append(part)
        start += len(part)
    return b"".join(parts)


@contextmanager
def reported(path: str) -> Iterator[None]:
    """Say what the operating system said, with the path that the user knows."""
    try:
        yield
    except (ChangedError, UnsupportedError) as error:
        error.path = error.path or path
        raise
    except OSError as error:
        raise AccessError(os.strerror(error.errno or 0), path=path) from None
