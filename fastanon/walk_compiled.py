"""The element walk, compiled by numba from the very source of ``walk``.

It pays where thousands of elements or files are walked in one process; a single file is walked by the
plain form in less time than importing numba takes.
"""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload, register_jitable

from fastanon import walk as source


@overload(source.u16)
def _u16(b, p):  # type: ignore[no-untyped-def]  # numba calls this with its own types
    if isinstance(b, types.Array):
        return lambda b, p: types.int64(b[p]) | types.int64(b[p + 1]) << 8
    return None


@overload(source.u32)
def _u32(b, p):  # type: ignore[no-untyped-def]
    if isinstance(b, types.Array):
        return lambda b, p: (
            types.int64(b[p])
            | types.int64(b[p + 1]) << 8
            | types.int64(b[p + 2]) << 16
            | types.int64(b[p + 3]) << 24
        )
    return None


for _name in (
    "u16_in", "u32_in", "tag_in", "kind_of", "is_sequence_tag", "item_mode", "fragments_end", "sequence_mode",
    "header", "push", "put", "guessed_level",
):  # fmt: skip
    register_jitable(getattr(source, _name))

_walk: Any = njit(cache=True, nogil=True)(source.walk)


def walk(
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
    bulk = np.frombuffer(b, np.uint8)
    rows, scratch, tags = (np.frombuffer(x, np.int64) for x in (table, state, sequences))
    status: int = _walk(bulk, start, stop, mode, only_group, rows, scratch, np.frombuffer(kinds, np.uint8), tags)
    return status
