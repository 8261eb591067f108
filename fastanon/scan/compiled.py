"""The matcher whose loops are compiled: it chooses kernels, runs them over buffers, and takes their matches."""

from __future__ import annotations

import itertools
import mmap
import threading
from collections.abc import Callable, Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt

from fastanon.kept_kernels import kernel
from fastanon.scan.fields import MATCHES, REACH, SPAN
from fastanon.scan.pattern import Bytes, Match, Matcher, Pattern
from fastanon.scan.plans import Numbered, Plan, by_bytes, by_grams, by_two, by_windows
from fastanon.scan.windows import low_windows

_LEAST = 4096  # matches that there is room for
_SMALL = 1 << 16
_FEW = 256  # matches that Python sorts as fast


class Compiled(Matcher):
    """For bulk.

    Parameters
    ----------
    patterns : iterable of Pattern
        As of `Matcher`.
    kind : {"vector", "portable"}, optional
        By default vectors where numba's target can shuffle bytes.

    Raises
    ------
    ValueError
        As `Matcher`; or if there shall be vectors and the target cannot.
    """

    def __init__(self, patterns: Iterable[Pattern], kind: Literal["vector", "portable"] | None = None) -> None:
        super().__init__(patterns)
        able = kernel("shuffled")() > 0
        if kind == "vector" and not able:
            raise ValueError("numba's target has no byte shuffle")
        self.kind = kind or ("vector" if able else "portable")
        numbered = list(enumerate(self.patterns))
        if not numbered:
            self.plans = []
        elif self.kind == "portable":
            self.plans = [by_grams(numbered)]
        else:
            self.plans = list(_with_vectors(numbered))

        self._kept = threading.local()

    def on(self, buffer: Bytes) -> Callable[[int, int], list[Match]]:
        """See `Matcher.on`."""
        return _Search(self, buffer).between

    def find(self, buffer: Bytes) -> list[Match]:
        """Search a whole buffer with what is kept, since to get ready takes longer; a small one in a copy."""
        size, kept = len(buffer), self._kept
        if not hasattr(kept, "small"):
            kept.place = mmap.mmap(-1, _SMALL + mmap.PAGESIZE)
            kept.small, kept.large = _Search(self, kept.place), _Search(self, b"")
        if size > _SMALL:
            kept.large.aim(buffer)
            try:
                return list(kept.large.between(0, size))
            finally:
                kept.large.aim(b"")
        kept.place[:size] = buffer
        return list(kept.small.between(0, size))


def _with_vectors(numbered: list[Numbered]) -> Iterable[Plan]:
    """Let patterns with three bytes below 0x80 near each other share a pass; the rest have another."""
    low = [(n, p) for n, p in numbered if next(low_windows(p), None)]
    rest = [(n, p) for n, p in numbered if not next(low_windows(p), None)]
    for group, plan in ((low, by_windows), (rest, by_bytes)):
        if len(group) == 1 and len(group[0][1].data) > 1:
            yield by_two(*group)
        elif group:
            yield plan(group)


class _Search:
    """One buffer, and what a thread needs to search it.

    Kernels go through whole spans. That they see what lies before the buffer in the first does no harm: a span
    is never in two pages. What lies behind may be, so the last spans are copied to a place with room after it.
    """

    def __init__(self, matcher: Compiled, buffer: Bytes) -> None:
        self._plans, self._longest = matcher.plans, matcher.longest
        self.aim(buffer)
        self._copy = np.frombuffer(mmap.mmap(-1, 4 * REACH + 4 * SPAN + 2 * matcher.longest), np.uint8)
        self._room = max(_LEAST, *(SPAN * plan.most for plan in matcher.plans), 0)
        self._out = np.zeros(MATCHES + 4 * self._room, np.int64)
        self._count = self._out.data  # to read one number of, this is faster
        self._addresses = self._copy.ctypes.data + SPAN, self._out.ctypes.data

    def aim(self, buffer: Bytes) -> None:
        """Search another buffer from now on."""
        self._bytes = np.frombuffer(buffer, np.uint8) if len(buffer) else np.zeros(1, np.uint8)
        self._base = self._bytes.ctypes.data
        self._end = (self._base + len(self._bytes) - REACH & -SPAN) + SPAN

    def between(self, start: int, stop: int) -> list[Match]:
        """Give the matches between two offsets."""
        lo, hi = self._base + start, self._base + stop
        first, last = lo & -SPAN, hi + -hi % SPAN
        end = max(first, min(last, self._end))
        found = self._run(first, end, lo, hi, self._base)
        if end < last:
            found += self._in_copy(end, last, lo, hi)
        return _in_order(found) if found else []

    def _in_copy(self, first: int, last: int, lo: int, hi: int) -> list[npt.NDArray[np.int64]]:
        """Search the last positions in a copy, in which each byte keeps its place in a span."""
        lo = max(lo, first - self._longest)
        move = self._addresses[0] + lo % SPAN - lo
        self._copy[SPAN + lo % SPAN :][: hi - lo] = self._bytes[lo - self._base : hi - self._base]
        return self._run(first + move, last + move, lo + move, hi + move, self._base + move)

    def _run(self, first: int, last: int, lo: int, hi: int, base: int) -> list[npt.NDArray[np.int64]]:
        """Run every kernel over whole spans, again where it ran out of room."""
        found = []
        for plan in self._plans:
            at = first
            while at < last:
                at = plan.kernel(at, last, lo, hi, plan.address, self._addresses[1], self._room)
                if count := self._count[0]:
                    found.append(self._out[MATCHES:][: 2 * count].reshape(count, 2) - (base, 0))
        return found


def _in_order(found: list[npt.NDArray[np.int64]]) -> list[Match]:
    if sum(map(len, found)) <= _FEW:
        return sorted(map(tuple, itertools.chain.from_iterable(one.tolist() for one in found)))
    places, numbers = np.concatenate(found).T
    order = np.lexsort((numbers, places))
    return list(zip(places[order].tolist(), numbers[order].tolist(), strict=True))


def histogram(buffer: Bytes, counts: npt.NDArray[np.uint64]) -> None:
    """Count the bytes of a buffer by their place in words of four.

    Parameters
    ----------
    buffer : bytes, bytearray, memoryview or mmap
        Begins with the first byte of a word.
    counts : numpy.ndarray
        uint64[4, 256], to which the counts are added.

    Raises
    ------
    ValueError
        If `counts` is no such array, or cannot be written.
    """
    if counts.shape != (4, 256) or counts.dtype != np.uint64 or not counts.flags.carray:
        raise ValueError("counts: a writable uint64[4, 256]")
    if len(buffer):
        at = np.frombuffer(buffer, np.uint8).ctypes.data
        kernel("count_bytes")(at, at + len(buffer), counts.ctypes.data)
