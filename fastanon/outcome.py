"""A file as its plan makes it, before a byte of that is written: searched first, and sent as it was searched."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from fastanon.edits import Edit, pieces
from fastanon.opened import Opened
from fastanon.pages import BLOCK
from fastanon.positioned import Positioned


class Outcome(Positioned):
    """What becomes of an open file; ranges that stay are read from it when they are asked for.

    Parameters
    ----------
    opened : Opened
        The file; it stays open.
    edits : sequence of Edit
        Sorted and disjoint, as of a plan.
    """

    def __init__(self, opened: Opened, edits: Sequence[Edit]) -> None:
        self._opened = opened
        self._pieces = list(pieces(edits, 0, opened.size))
        self._starts, at = [], 0
        for piece in self._pieces:
            self._starts.append(at)
            at += len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
        super().__init__(opened.path, at, self._made, opened.check)

    def chunks(self) -> Iterator[bytes]:
        """Give all its bytes in order, a block at a time."""
        return (self.read(at, min(at + BLOCK, self.size)) for at in range(0, self.size, BLOCK))

    def _made(self, start: int, stop: int) -> bytes:
        parts = []
        number = bisect_right(self._starts, start) - 1
        while start < stop:
            piece, at = self._pieces[number], start - self._starts[number]
            if isinstance(piece, bytes):
                part = piece[at : at + stop - start]
            else:
                part = self._opened.read(piece[0] + at, min(piece[1], piece[0] + at + stop - start))
            parts.append(part)
            start, number = start + len(part), number + 1
        return b"".join(parts)
