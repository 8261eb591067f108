"""Small files that a user names: read whole, and never waited for."""

from __future__ import annotations

import os
import stat

from fastanon.errors import UsageError

_LARGEST = 16 << 20


def read_small(path: str | os.PathLike[str]) -> bytes:
    """Read a regular file of at most 16 MiB.

    Raises
    ------
    UsageError
        If it is something else, or larger.
    OSError
        If the operating system refuses.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(fd, "rb") as file:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{os.fspath(path)}: not a regular file")
        if found.st_size > _LARGEST:
            raise UsageError(f"{os.fspath(path)}: more than {_LARGEST >> 20} MiB")
        return file.read(_LARGEST)
