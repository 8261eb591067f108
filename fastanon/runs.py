"""Runs of bytes that do not overlap, asked for what they hold."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable


class Runs:
    """Runs of bytes.

    Parameters
    ----------
    runs : iterable of (int, int)
        First byte and end of each; empty ones do not count.
    """

    def __init__(self, runs: Iterable[tuple[int, int]]) -> None:
        found = sorted(run for run in runs if run[0] < run[1])
        self._starts, self._ends = [run[0] for run in found], [run[1] for run in found]

    def touch(self, start: int, end: int) -> bool:
        """Say whether any of these bytes lies in a run."""
        at = bisect_left(self._starts, end) - 1
        return at >= 0 and start < self._ends[at]

    def hold(self, start: int, end: int) -> bool:
        """Say whether all of these bytes lie in one run."""
        at = bisect_left(self._starts, start + 1) - 1
        return at >= 0 and end <= self._ends[at]
