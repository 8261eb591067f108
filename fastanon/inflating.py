"""Deflated bytes (RFC 1951), inflated step by step, so that a bomb is met before it fills the memory."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from fastanon.errors import MalformedError
from fastanon.limits import FLOOR, limits
from fastanon.opened import Opened

_TAKEN, _STEP = 1 << 16, 1 << 20  # bytes read and inflated at a time


def most_of(size: int) -> tuple[int, str]:
    """Give how many bytes may come out of so many deflated ones, and the limit that says so."""
    by_ratio = max(FLOOR, size * limits().ratio)
    return (by_ratio, "ratio") if by_ratio < limits().inflated else (limits().inflated, "inflated")


def inflated(opened: Opened, start: int, stop: int, put: Callable[[bytes], object], what: str) -> bytes:
    """Inflate a range of a file.

    Parameters
    ----------
    opened : Opened
        The file.
    start, stop : int
        The range.
    put : callable
        Is given the bytes, piece by piece.
    what : str
        What to call it in a message.

    Returns
    -------
    bytes
        What follows in the range.

    Raises
    ------
    MalformedError
        If it is broken, cut off, or grows past a limit.
    """
    engine, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    most, limit = most_of(stop - start)
    waiting, at = b"", start
    while not engine.eof:
        if not waiting:
            waiting, at = opened.read(at, min(at + _TAKEN, stop)), min(at + _TAKEN, stop)
        try:
            piece = engine.decompress(waiting, _STEP)
        except zlib.error:
            raise MalformedError(f"{what} can't be inflated", offset=start) from None
        put(piece)
        waiting, size = engine.unconsumed_tail, size + len(piece)
        if size > most:
            raise MalformedError(f"{what} grows past {most} bytes (limit {limit})", offset=start)
        if at == stop and not piece and not engine.eof:
            raise MalformedError(f"{what} is cut off", offset=start)
    return engine.unused_data + opened.read(at, stop)
