"""The walk over the tags of a CSA header, compiled by numba from the very source of ``csa_tags``."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import FunctionType

import numpy as np
import numpy.typing as npt
from numba import types

from fastanon import walk, walk_compiled  # the second says how bytes are read
from fastanon.kept_kernels import compiled
from fastanon.siemens import csa_tags as source


def _keyed() -> FunctionType:
    """Copy the function under a name that changes with what it calls: the cache looks at its own file alone."""
    texts = [Path(module.__file__ or "").read_bytes() for module in (source, walk, walk_compiled)]
    copy = FunctionType(source.tag_starts.__code__, source.tag_starts.__globals__)
    copy.__qualname__ = f"tag_starts_{hashlib.blake2b(b''.join(texts), digest_size=8).hexdigest()}"
    copy.__annotations__ = {}
    return copy


_BYTES, _NUMBERS = types.Array(types.uint8, 1, "C", readonly=True), types.Array(types.int64, 1, "C")
_tag_starts = compiled(_keyed(), _BYTES, types.int64, types.int64, _NUMBERS)


def tag_starts(data: bytes, start: int, stop: int, starts: npt.NDArray[np.int64]) -> int:
    """Do what `csa_tags.tag_starts` does, on bytes and an int64 array."""
    count: int = _tag_starts(np.frombuffer(data, np.uint8), start, stop, starts)
    return count
