"""A file as it will be, before anything is written: what is around its payload, to be walked and searched."""

from __future__ import annotations

import mmap
import sys
from collections.abc import Sequence

from fastanon.opened import Opened
from fastanon.part import Run

_END = 1 << 16  # bytes of payload at each end

#: Nothing is set aside for pages that nobody touches (linux/mman.h).
_NO_RESERVE = 0x4000 if sys.platform == "linux" else 0


class Preview(Opened):
    """An open file with changes that are not written yet.

    But for its ends, which may tell what it is, the payload that stays where it is reads as zeros: it has been
    searched, and costs no memory.

    Parameters
    ----------
    opened : Opened
        The file.
    writes : sequence of (int, bytes)
        Offsets and what stands there afterwards.
    size : int
        Of the file afterwards, in bytes.
    stays : (int, int)
        The payload.
    """

    def __init__(self, opened: Opened, writes: Sequence[tuple[int, bytes]], size: int, stays: Run) -> None:
        self.path, self.fd = opened.path, opened.fd
        self._opened = opened
        self.identity = opened.identity._replace(size=size)
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NO_RESERVE
        view = mmap.mmap(-1, size, flags=flags)
        inner = min(stays[0] + _END, stays[1]), max(stays[1] - _END, stays[0])
        for start, stop in ((0, inner[0]), (max(inner), min(size, opened.size))):
            view[start:stop] = opened.view[start:stop]
        for offset, data in writes:
            if not inner[0] <= offset < inner[1]:
                view[offset : offset + len(data)] = data
        self.view = self._made = view

    def read(self, start: int, stop: int) -> bytes:
        """Read bytes by position."""
        return self._made[start:stop]

    def check(self) -> None:
        """Raise ChangedError if the file is no longer the one that was opened."""
        self._opened.check()

    def close(self) -> None:
        """Give back the memory; the file stays open."""
        self._made.close()
