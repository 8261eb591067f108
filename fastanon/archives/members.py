"""A member of an archive, and its content as an open file: a range of the archive, or memory.

No byte of an original is ever written to a disk.
"""

from __future__ import annotations

import mmap
import re
import zlib
from collections.abc import Callable
from typing import NamedTuple

from fastanon.errors import MalformedError, NotMedicalError, UnsupportedError
from fastanon.limits import check
from fastanon.opened import NO_FILE, SMALL, Opened
from fastanon.positioned import Positioned

#: Reads of so many bytes are worth while.
BLOCK = 1 << 20

#: Names that lead out of a folder on some system, or that two programs read differently.
_UNSAFE = (
    (re.compile(r"/"), "an absolute path"),
    (re.compile(r"[A-Za-z]:"), "a path with a drive"),
    (re.compile(r"(?:.*/)?\.\.(?:/|$)", re.DOTALL), "a path that leads up"),
    (re.compile(r"[^\\]*\\"), "a path with a backslash"),
    (re.compile(r"[^\x00-\x1f\x7f]*[\x00-\x1f\x7f]"), "a name with control characters"),
    (re.compile(r"[^\ud800-\udfff]*[\ud800-\udfff]"), "a name in an unknown character set"),
)


class Member(NamedTuple):
    """A file in an archive.

    Attributes
    ----------
    name : str
        Its path in the archive, as it is below the folder that one would unpack to.
    packed : bool
        Whether it is deflated on its own.
    bare : bool
        Whether the archive says no more of it than name and size: no time, owner, comment.
    said : bytes
        Texts that it says of it.
    open : callable
        Opens its content; of an archive that is packed as a whole, only until the next member is taken.
    """

    name: str
    packed: bool
    bare: bool
    said: bytes
    open: Callable[[], Opened]


class Names:
    """The names in one archive: each once, and none of them also a folder."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._count = 0

    def add(self, name: str, is_folder: bool, offset: int) -> str:
        """Give a name as a path below a folder.

        Raises
        ------
        UnsupportedError, MalformedError
            If it leads anywhere else, is there already, or is one too many.
        """
        self._count += 1
        check("members", self._count, "files and folders in an archive", offset)
        for pattern, what in _UNSAFE:
            if pattern.match(name):
                raise UnsupportedError(f"a member has {what}", offset=offset)
        parts = [part for part in name.split("/") if part not in ("", ".")]
        path = "/".join(parts)
        if not path and not is_folder:
            raise MalformedError("a member has no name", offset=offset)
        above = ["/".join(parts[:count]) for count in range(1, len(parts) + is_folder)]
        if not is_folder and (path in self._files or path in self._folders):
            raise UnsupportedError("two members have the same name", offset=offset)
        if not self._files.isdisjoint(above):
            raise UnsupportedError("a member has the name of a folder", offset=offset)
        self._folders.update(above)
        if not is_folder:
            self._files.add(path)
        return path


def window(around: Opened, name: str, start: int, stop: int) -> Opened:
    """Open a member that stands in the archive as it is: a range of it."""
    return Positioned(
        f"{around.path}/{name}", stop - start, lambda a, b: around.read(start + a, start + b), around.check
    )


def crc32(opened: Opened) -> int:
    """Sum up all bytes of a member, as zip does."""
    total = 0
    for at in range(0, opened.size, BLOCK):
        total = zlib.crc32(opened.read(at, min(at + BLOCK, opened.size)), total)
    return total


class Inflated(Opened):
    """A member that was inflated, in memory.

    Parameters
    ----------
    around : Opened
        The archive.
    name : str
        Of the member.
    size : int
        How many bytes it has.
    give : callable
        Gives the bytes to what takes them, piece by piece.

    Raises
    ------
    NotMedicalError
        If it is empty.
    MalformedError
        If it has more bytes, or less.
    """

    def __init__(self, around: Opened, name: str, size: int, give: Callable[[Callable[[bytes], object]], object]):
        self._around, self.path, self.fd = around, f"{around.path}/{name}", NO_FILE
        self.identity = around.identity._replace(size=size)
        check("inflated", size, "bytes of a packed member: unpack the archive")
        self._memory, self._filled = mmap.mmap(-1, size or 1), 0
        try:
            give(self._take)
            if self._filled != size:
                raise MalformedError(_ANOTHER_SIZE)
            if not size:
                raise NotMedicalError("empty", path=self.path)
        except BaseException:
            self._memory.close()
            raise
        self.view = self._memory[:size] if size <= SMALL else self._memory

    def _take(self, data: bytes) -> None:
        end = self._filled + len(data)
        if end > self.size:
            raise MalformedError(_ANOTHER_SIZE)
        self._memory[self._filled : end] = data
        self._filled = end

    def read(self, start: int, stop: int) -> bytes:
        """Read bytes by position."""
        return self._memory[start:stop]

    def fill(self, view: memoryview, offset: int) -> None:
        """Fill a buffer with the bytes from an offset on."""
        view[:] = self._memory[offset : offset + len(view)]

    def check(self) -> None:
        """Raise ChangedError if the archive is no longer the one that was opened."""
        self._around.check()

    def close(self) -> None:
        """Give back the memory."""
        self._memory.close()


_ANOTHER_SIZE = "a member has another size than the archive says"
