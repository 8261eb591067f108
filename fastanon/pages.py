"""Bytes that are somewhere else, in blocks: a few are kept, and one that is asked for again must be the same."""

from __future__ import annotations

import hashlib
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias, overload

from fastanon.errors import ChangedError

#: Bytes that are asked for at once: enough that a distant store is waited for seldom.
BLOCK = 4 << 20

_KEPT = 8  # blocks
_DIGEST = 16  # bytes

#: Gives the bytes between two offsets.
Fetch: TypeAlias = Callable[[int, int], bytes]


class Indexed(ABC):
    """What gives bytes by index and by slice, as a map of a file does."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def read(self, start: int, stop: int) -> bytes:
        """Give the bytes between two offsets."""

    @overload
    def __getitem__(self, key: int) -> int: ...
    @overload
    def __getitem__(self, key: slice) -> bytes: ...
    def __getitem__(self, key: int | slice) -> int | bytes:
        if isinstance(key, slice):
            start, stop, _ = key.indices(len(self))
            return self.read(start, stop)
        return self._byte(key)

    def _byte(self, at: int) -> int:
        return self.read(at, at + 1)[0]


class Pages(Indexed):
    """Bytes in bounded memory.

    Of every block that was ever fetched a digest is kept. What is written later is thus what was searched before.

    Parameters
    ----------
    size : int
        Of the whole, in bytes.
    fetch : callable
        Gives bytes; any thread may ask.
    """

    def __init__(self, size: int, fetch: Fetch) -> None:
        self._size, self._fetch = size, fetch
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._digests: dict[int, bytes] = {}
        self._last = (-1, b"")
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._size

    def _byte(self, at: int) -> int:
        number, inside = divmod(at, BLOCK)
        known, block = self._last  # a walk asks for one byte after the other
        if known != number:
            block = self._block(number)
            self._last = number, block
        return block[inside]

    def read(self, start: int, stop: int) -> bytes:
        """Give the bytes between two offsets.

        Raises
        ------
        ChangedError
            If there are fewer, or not those that were there before.
        """
        parts = []
        while start < stop:
            number, at = divmod(start, BLOCK)
            parts.append(self._block(number)[at : at + stop - start])
            if not parts[-1]:
                raise ChangedError("became shorter while it was read", offset=start)
            start += len(parts[-1])
        return b"".join(parts)

    def _block(self, number: int) -> bytes:
        with self._lock:
            block = self._kept.get(number)
            if block is not None:
                self._kept.move_to_end(number)
                return block
        start, stop = number * BLOCK, min((number + 1) * BLOCK, self._size)
        block = self._fetch(start, stop) if start < stop else b""
        if len(block) != max(stop - start, 0):
            raise ChangedError("gave another number of bytes than was asked for", offset=start)
        digest = hashlib.blake2b(block, digest_size=_DIGEST).digest()
        with self._lock:
            if self._digests.setdefault(number, digest) != digest:
                raise ChangedError("changed while it was read", offset=start)
            self._kept[number] = block
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return block
