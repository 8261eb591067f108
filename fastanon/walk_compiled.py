"""The element walk, compiled from the very source of ``walk``.

It pays where thousands of elements or files are walked in one process; a single file is walked by the
plain form in less time than it takes to load numpy and the kernel.
"""

from __future__ import annotations

import ctypes
from array import array

import numpy as np

from fastanon import walk as source
from fastanon.kept_kernels import is_off, kernel


def address(data: bytes) -> int:
    """Give the address of bytes; to ask numpy takes four times as long."""
    return ctypes.c_void_p.from_buffer(ctypes.c_char_p(data)).value or 0


def _walk(
    b: source.Bytes,
    start: int,
    stop: int,
    mode: int,
    only_group: int,
    table: array[int],
    state: array[int],
    kinds: bytes,
    sequences: array[int],
) -> int:
    """Do what `fastanon.walk.walk` does, on the same arguments."""
    bulk = b if isinstance(b, bytes) else np.frombuffer(b, np.uint8)  # type: ignore[arg-type]  # plain walk: others
    at = address(bulk) if isinstance(bulk, bytes) else bulk.ctypes.data
    (rows, room), (scratch, deep), (tags, count) = (one.buffer_info() for one in (table, state, sequences))
    return kernel("walk")(
        at, start, stop, mode, only_group, rows, room, scratch, deep, address(kinds), tags, count
    )  # fmt: skip


walk = source.walk if is_off() else _walk
