"""The walks over a CSA header and over one tag of it, compiled from the very source of ``csa_tags``."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

from fastanon.kept_kernels import is_off, kernel
from fastanon.siemens import csa_tags as source
from fastanon.walk_compiled import address


def _tag_starts(data: bytes, start: int, stop: int, starts: npt.NDArray[np.int64]) -> int:
    """Do what `csa_tags.tag_starts` does, on bytes and an int64 array."""
    to = ctypes.addressof(ctypes.c_char.from_buffer(starts))  # type: ignore[arg-type]  # it is one
    return kernel("tag_starts")(address(data), start, stop, to, len(starts))


def _tag_runs(data: bytes, start: int, stop: int, runs: npt.NDArray[np.int64]) -> int:
    """Do what `csa_tags.tag_runs` does, on bytes and an int64 array."""
    to = ctypes.addressof(ctypes.c_char.from_buffer(runs))  # type: ignore[arg-type]
    return kernel("tag_runs")(address(data), start, stop, to, len(runs))


tag_starts: Any = source.tag_starts if is_off() else _tag_starts
tag_runs: Any = source.tag_runs if is_off() else _tag_runs
