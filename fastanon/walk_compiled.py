"""The element walk, compiled by numba from the very source of ``walk``.

It pays where thousands of elements or files are walked in one process; a single file is walked by the
plain form in less time than importing numba takes.
"""

from __future__ import annotations

import hashlib
from array import array
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload, register_jitable

from fastanon import walk as source
from fastanon.kept_kernels import compiled


# An unsigned index spares the check for a negative one; walk sees to it that p is in bounds.
@overload(source.u16)
def _u16(b, p):  # type: ignore[no-untyped-def]  # numba calls this with its own types
    def read(b, p):  # type: ignore[no-untyped-def]
        at = types.uintp(p)
        return types.int64(b[at]) | types.int64(b[at + types.uintp(1)]) << 8

    return read


@overload(source.u32)
def _u32(b, p):  # type: ignore[no-untyped-def]
    def read(b, p):  # type: ignore[no-untyped-def]
        return types.int64(source.u16(b, p)) | types.int64(source.u16(b, p + 2)) << 16

    return read


for _name in (
    "u16_in", "u32_in", "tag_in", "kind_of", "is_sequence_tag", "item_mode", "fragments_end", "sequence_mode",
    "header", "push", "put", "guessed_level",
):  # fmt: skip
    register_jitable(inline="always")(getattr(source, _name))


def _keyed(function: Any) -> FunctionType:
    """Copy a function under a name that changes with its source and this file: numba's cache looks at no more."""
    texts = [Path(path).read_bytes() for path in (source.__file__, __file__)]
    copy = FunctionType(function.__code__, function.__globals__)
    copy.__qualname__ = f"walk_{hashlib.blake2b(b''.join(texts), digest_size=8).hexdigest()}"
    copy.__annotations__ = {}
    return copy


_BYTES, _NUMBERS = types.Array(types.uint8, 1, "C", readonly=True), types.Array(types.int64, 1, "C")
_walk = compiled(_keyed(source.walk), _BYTES, *4 * [types.int64], _NUMBERS, _NUMBERS, _BYTES, _NUMBERS)


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
    view = memoryview(b).toreadonly()  # type: ignore[arg-type]  # what is no buffer is for the plain walk
    bulk = np.frombuffer(view, np.uint8)  # of one type, whatever it lies in
    rows, scratch, tags = (np.frombuffer(x, np.int64) for x in (table, state, sequences))
    status: int = _walk(bulk, start, stop, mode, only_group, rows, scratch, np.frombuffer(kinds, np.uint8), tags)
    return status
