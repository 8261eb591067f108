"""The one door through which `apply` reaches the operating system, so that faults can be put into it."""

from __future__ import annotations

import contextlib
import os


class System:
    """The calls that `apply` makes, each as `os` has it."""

    open = staticmethod(os.open)
    close = staticmethod(os.close)
    fstat = staticmethod(os.fstat)
    stat = staticmethod(os.stat)
    pread = staticmethod(os.pread)
    pwrite = staticmethod(os.pwrite)
    write = staticmethod(os.write)
    fsync = staticmethod(os.fsync)
    fchmod = staticmethod(os.fchmod)
    fchown = staticmethod(os.fchown)
    rename = staticmethod(os.rename)
    unlink = staticmethod(os.unlink)
    makedirs = staticmethod(os.makedirs)

    @staticmethod
    def start_writing_back(fd: int, offset: int, count: int) -> None:
        """Have the kernel begin to write what is dirty, and forget it then: a copy is not read again soon.

        Linux does so for POSIX_FADV_DONTNEED; elsewhere it is advice, and may be none at all.
        """
        if hasattr(os, "posix_fadvise"):
            with contextlib.suppress(OSError):
                os.posix_fadvise(fd, offset, count, os.POSIX_FADV_DONTNEED)

    @staticmethod
    def copy_file_range(source: int, target: int, count: int, offset: int) -> int:
        """Copy inside the kernel; a system without the call says so as an old kernel would."""
        if not hasattr(os, "copy_file_range"):
            raise OSError(38, os.strerror(38))
        return os.copy_file_range(source, target, count, offset)


def cpus() -> int:
    """Count the CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
