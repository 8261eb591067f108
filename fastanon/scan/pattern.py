"""What is looked for, and the contract of all that look for it."""

from __future__ import annotations

import mmap
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import NamedTuple

Bytes = bytes | bytearray | memoryview | mmap.mmap

#: Where a pattern begins, and its number.
Match = tuple[int, int]


class Pattern(NamedTuple):
    """Bytes to look for.

    Attributes
    ----------
    data : bytes
        At least one; in lower case where `fold` is set.
    fold : bool
        Whether ASCII letters match in either case. Bytes from 0x80 match themselves only.
    """

    data: bytes
    fold: bool


class Matcher(ABC):
    """Finds every place of every pattern, overlaps included.

    Parameters
    ----------
    patterns : iterable of Pattern
        What for; two that are equal are both found.

    Raises
    ------
    ValueError
        If a pattern is empty, or folds case and has an upper-case letter: it would never be found.
    """

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self.patterns = [Pattern(*pattern) for pattern in patterns]
        if any(not data or (fold and data != data.lower()) for data, fold in self.patterns):
            raise ValueError("a pattern is empty, or folds case and is not in lower case")
        self.longest = max((len(pattern.data) for pattern in self.patterns), default=1)

    @abstractmethod
    def on(self, buffer: Bytes) -> Callable[[int, int], list[Match]]:
        """Get ready to search a buffer, again and again where its content changes.

        What is returned takes the offsets between which to search, and gives the matches there in order, their
        offsets from the start of the buffer. It is for one thread at a time.
        """

    def find(self, buffer: Bytes) -> list[Match]:
        """Search a whole buffer."""
        return self.on(buffer)(0, len(buffer))
