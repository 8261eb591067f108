"""Files without a descriptor: what is read by position through some call, as from a store or out of memory."""

from __future__ import annotations

from collections.abc import Callable

from fastanon.errors import NotMedicalError
from fastanon.opened import NO_FILE, SMALL, Identity, Opened
from fastanon.pages import Fetch, Pages


class Positioned(Opened):
    """Something that is read by position and is no local file.

    What is small is fetched at once; of the rest a few blocks are kept.

    Parameters
    ----------
    path : str
        What to call it.
    size : int
        Its bytes.
    fetch : callable
        Gives the bytes between two offsets; any thread may ask.
    unchanged : callable
        Raises ChangedError if it is no longer what it was.

    Raises
    ------
    NotMedicalError
        If it is empty.
    """

    def __init__(self, path: str, size: int, fetch: Fetch, unchanged: Callable[[], object]) -> None:
        self.path, self.fd, self._unchanged = path, NO_FILE, unchanged
        self.identity = Identity(NO_FILE, NO_FILE, size, NO_FILE)
        if not size:
            raise NotMedicalError("empty", path=path)
        pages = Pages(size, fetch)
        self.view = pages.read(0, size) if size <= SMALL else pages

    def read(self, start: int, stop: int) -> bytes:
        """Read bytes by position."""
        return bytes(self.view[start:stop])

    def fill(self, view: memoryview, offset: int) -> None:
        """Fill a buffer with the bytes from an offset on."""
        view[:] = self.read(offset, offset + len(view))

    def check(self) -> None:
        """Raise ChangedError if it is no longer what was opened."""
        self._unchanged()

    def close(self) -> None:
        """Let go of the blocks that are kept."""
        self.view = b""
