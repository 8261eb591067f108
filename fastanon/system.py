"""The one door through which files are written, so that faults can be put into it and calls recorded."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import struct
from typing import Any

#: From linux/fs.h: _IOW(0x94, 13, struct file_clone_range), and the flag of renameat2.
_FICLONERANGE, _NOREPLACE = 0x4020940D, 1
#: What a filesystem says that knows no such flag, or a kernel that knows no such call.
_UNKNOWN = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}
_NO_LOCKS = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK}


class System:
    """The calls that writing makes, each as `os` has it where `os` has it."""

    open = staticmethod(os.open)
    close = staticmethod(os.close)
    fstat = staticmethod(os.fstat)
    stat = staticmethod(os.stat)
    fstatvfs = staticmethod(os.fstatvfs)
    pread = staticmethod(os.pread)
    pwrite = staticmethod(os.pwrite)
    ftruncate = staticmethod(os.ftruncate)
    fsync = staticmethod(os.fsync)
    fchmod = staticmethod(os.fchmod)
    fchown = staticmethod(os.fchown)
    rename = staticmethod(os.rename)
    unlink = staticmethod(os.unlink)
    mkdir = staticmethod(os.mkdir)
    rmdir = staticmethod(os.rmdir)

    @staticmethod
    def lock(fd: int) -> bool | None:
        """Lock an open file; say whether nobody else has, or None where the filesystem has no locks."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            return None
        return True

    @staticmethod
    def syncfs(fd: int) -> None:
        """Make all of a filesystem durable; where there is no such call, all of all."""
        syncfs = getattr(_libc(), "syncfs", None)
        if syncfs is None:
            os.sync()
        else:
            _checked(syncfs(fd))

    @staticmethod
    def rename_new(old: str, new: str, old_folder: int, new_folder: int) -> None:
        """Rename to where nothing may be: the kernel sees to it, or else a look before.

        Raises
        ------
        FileExistsError
            If something is there.
        """
        renameat2 = getattr(_libc(), "renameat2", None)
        if renameat2 is not None:
            try:
                _checked(renameat2(old_folder, os.fsencode(old), new_folder, os.fsencode(new), _NOREPLACE))
            except OSError as error:
                if error.errno not in _UNKNOWN:
                    raise
            else:
                return
        with contextlib.suppress(FileNotFoundError):
            os.stat(new, dir_fd=new_folder, follow_symlinks=False)
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        os.rename(old, new, src_dir_fd=old_folder, dst_dir_fd=new_folder)

    @staticmethod
    def share(source: int, target: int, start: int, count: int, to: int) -> None:
        """Let a file have blocks of another (FICLONERANGE); all numbers but the last count are whole blocks."""
        fcntl.ioctl(target, _FICLONERANGE, struct.pack("=qQQQ", source, start, count, to))

    @staticmethod
    def attributes(fd: int) -> dict[str, bytes]:
        """Read the extended attributes of a file, access lists among them."""
        if not hasattr(os, "listxattr"):
            return {}
        try:
            return {key: os.getxattr(fd, key) for key in os.listxattr(fd)}
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
        return {}

    @staticmethod
    def set_attribute(fd: int, key: str, value: bytes) -> None:
        """Give a file an extended attribute."""
        os.setxattr(fd, key, value)

    @staticmethod
    def start_writing_back(fd: int, offset: int, count: int) -> None:
        """Have the kernel begin to write what is dirty, and forget it then: a copy is not read again soon.

        Linux does so for POSIX_FADV_DONTNEED; elsewhere it is advice, and may be none at all.
        """
        if hasattr(os, "posix_fadvise"):
            with contextlib.suppress(OSError):
                os.posix_fadvise(fd, offset, count, os.POSIX_FADV_DONTNEED)

    @staticmethod
    def copy_file_range(source: int, target: int, count: int, start: int, to: int) -> int:
        """Copy inside the kernel; a system without the call says so as an old kernel would."""
        if not hasattr(os, "copy_file_range"):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        return os.copy_file_range(source, target, count, start, to)


#: What is called where nobody says otherwise.
SYSTEM = System()


@functools.cache
def _libc() -> Any:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result < 0:
        import ctypes

        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def cpus() -> int:
    """Count the CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
