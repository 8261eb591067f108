"""One open file: descriptor, identity, a map for the header, positioned reads for the bulk."""

from __future__ import annotations

import mmap
import os
import stat
from typing import TYPE_CHECKING, NamedTuple, Self

from fastanon import folders
from fastanon.errors import AccessError, ChangedError, NotMedicalError, UnsupportedError

if TYPE_CHECKING:
    from fastanon.pages import Indexed

#: Files of up to this size are read at once: slices and headers beside their payload.
SMALL = 16 << 20

#: The descriptor of what is no local file, and has to be read by its methods.
NO_FILE = -1

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW


class Identity(NamedTuple):
    """What must not change between planning and writing."""

    device: int
    inode: int
    size: int
    mtime_ns: int


def identity_of(fd: int) -> Identity:
    """Read the identity of an open file."""
    return _identity(os.fstat(fd))


def identity_at(path: str) -> Identity:
    """Read the identity of the file at a path.

    Raises
    ------
    AccessError
        If the operating system refuses.
    """
    try:
        return _identity(os.stat(path, follow_symlinks=False))
    except OSError as error:
        raise AccessError(os.strerror(error.errno or 0), path=path) from None


def _identity(s: os.stat_result) -> Identity:
    return Identity(s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns)


class Opened:
    """A regular file, opened once for reading.

    A small file is read at once. Of others the header is read through a map: a walk touches few of its pages, and
    the file is not loaded. Bulk is read with `read`, since a file that is cut off under a map kills the process.

    Parameters
    ----------
    path : str or os.PathLike
        Symbolic links must be resolved by the caller; one that stands anywhere in the path is refused here.
    viewed : bool
        Whether its bytes are asked for as a whole.

    Raises
    ------
    AccessError
        If the operating system refuses.
    UnsupportedError
        If it is a link, or no regular file: devices and FIFOs are not waited for.
    NotMedicalError
        If it is empty.
    """

    view: bytes | mmap.mmap | Indexed

    def __init__(self, path: str | os.PathLike[str], *, viewed: bool = True) -> None:
        self.path = os.path.abspath(path)
        self.fd = _opened(self.path)
        try:
            self._identify()
            if viewed:
                self._map()
        except BaseException:
            os.close(self.fd)
            raise

    def _identify(self) -> None:
        found = os.fstat(self.fd)
        if not stat.S_ISREG(found.st_mode):
            raise UnsupportedError("not a regular file", path=self.path)
        self.identity = _identity(found)
        if self.identity.size == 0:
            raise NotMedicalError("empty", path=self.path)

    def _map(self) -> None:
        small = self.identity.size <= SMALL
        self.view = self.read(0, self.size) if small else mmap.mmap(self.fd, 0, access=mmap.ACCESS_READ)

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

    def fill(self, view: memoryview, offset: int) -> None:
        """Fill a buffer with the bytes from an offset on, however little each call brings.

        Raises
        ------
        ChangedError
            If the file has become shorter.
        """
        fill(self.fd, view, offset)

    def check(self) -> None:
        """Raise ChangedError if the file is no longer the one that was opened, or its path leads to another."""
        try:
            there = os.stat(self.path, follow_symlinks=False)
        except OSError:
            raise ChangedError("is no longer there", path=self.path) from None
        if identity_of(self.fd) != self.identity or (there.st_dev, there.st_ino) != self.identity[:2]:
            raise ChangedError("changed while it was looked at", path=self.path)

    def close(self) -> None:
        """Give back the map and the descriptor."""
        if isinstance(view := getattr(self, "view", None), mmap.mmap):
            view.close()
        os.close(self.fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def fill(fd: int, view: memoryview, offset: int) -> None:
    """Fill a buffer with the bytes of a file; see `Opened.fill`."""
    while view:
        count = os.preadv(fd, [view], offset)
        if not count:
            raise ChangedError("became shorter while it was read", offset=offset)
        view, offset = view[count:], offset + count


def _opened(path: str) -> int:
    above, name = os.path.split(path)
    with folders.folder(above, flags=folders.REACH) as fd:
        try:
            mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                raise UnsupportedError("a symbolic link, not followed", path=path)
            if not stat.S_ISREG(mode):  # to open a device can do something already
                raise UnsupportedError("not a regular file", path=path)
            return os.open(name, _READ, dir_fd=fd)
        except OSError as error:
            raise AccessError(os.strerror(error.errno or 0), path=path) from None
