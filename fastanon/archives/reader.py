"""An archive's bytes as the file object that the standard library's readers ask for."""

from __future__ import annotations

import errno
import io
import os

from fastanon.errors import MalformedError
from fastanon.opened import Opened


class OutsideError(OSError):
    """Somebody goes to before the beginning; the kernel says so in the same words."""


class Reader(io.RawIOBase):
    """An open file, read from where it stands and never more than a few bytes at once.

    Parameters
    ----------
    opened : Opened
        The file.
    most : int
        Bytes of one read, from which on it is refused: an archive may claim a directory of any size.
    """

    def __init__(self, opened: Opened, most: int) -> None:
        self._opened, self._most, self._at = opened, most, 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can go anywhere."""
        return True

    def tell(self) -> int:
        """Give where it stands."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go somewhere."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._opened.size}[whence]
        if start + offset < 0:
            raise OutsideError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._at = start + offset
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        """Read so many bytes, or what is left."""
        left = max(0, self._opened.size - self._at)
        size = left if size is None or size < 0 else min(size, left)
        if size > self._most:
            raise MalformedError(f"asks for a read of more than {self._most} bytes", offset=self._at)
        data = self._opened.read(self._at, self._at + size)
        self._at += size
        return data
