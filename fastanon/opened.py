"""One open file: descriptor, identity, a map for the header, positioned reads for the bulk."""

from __future__ import annotations

import mmap
import os
import stat
from typing import NamedTuple

from fastanon.errors import AccessError, ChangedError, NotMedicalError, UnsupportedError


class Identity(NamedTuple):
    """What must not change between planning and writing."""

    device: int
    inode: int
    size: int
    mtime_ns: int


def identity_of(fd: int) -> Identity:
    """Read the identity of an open file."""
    s = os.fstat(fd)
    return Identity(s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns)


class Opened:
    """A regular file, opened once for reading.

    The header is read through a map: a walk touches few of its pages, and the file is not loaded. Bulk is
    read with `read`, since a file that is cut off under a map kills the process.

    Parameters
    ----------
    path : str or os.PathLike
        Symbolic links must be resolved by the caller; a link is refused here.

    Raises
    ------
    AccessError
        If the operating system refuses.
    UnsupportedError
        If it is a link, or no regular file: devices and FIFOs are not waited for.
    NotMedicalError
        If it is empty.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        if os.path.islink(self.path):
            raise UnsupportedError("a symbolic link, not followed", path=self.path)
        try:
            self.fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as error:
            raise AccessError(os.strerror(error.errno or 0), path=self.path) from None
        try:
            self._map()
        except BaseException:
            os.close(self.fd)
            raise

    def _map(self) -> None:
        if not stat.S_ISREG(os.fstat(self.fd).st_mode):
            raise UnsupportedError("not a regular file", path=self.path)
        self.identity = identity_of(self.fd)
        if self.identity.size == 0:
            raise NotMedicalError("empty", path=self.path)
        self.view = mmap.mmap(self.fd, 0, access=mmap.ACCESS_READ)

    @property
    def size(self) -> int:
        """Bytes of the file when it was opened."""
        return self.identity.size

    def read(self, start: int, stop: int) -> bytes:
        """Read bytes by position.

        Raises
        ------
        ChangedError
            If the file has become shorter.
        """
        parts = []
        while start < stop:
            part = os.pread(self.fd, min(stop - start, 1 << 30), start)
            if not part:
                raise ChangedError("became shorter while it was read", path=self.path, offset=start)
            parts.append(part)
            start += len(part)
        return b"".join(parts)

    def check(self) -> None:
        """Raise ChangedError if the file is no longer the one that was opened."""
        if identity_of(self.fd) != self.identity:
            raise ChangedError("changed while it was looked at", path=self.path)

    def close(self) -> None:
        """Give back the map and the descriptor."""
        self.view.close()
        os.close(self.fd)

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
