"""Compile all kernels once and keep them: for images, and for the nodes of a cluster."""

from __future__ import annotations

import importlib
import os
import time
from collections import Counter
from typing import NamedTuple

from fastanon import kept_kernels
from fastanon.errors import AccessError, printable
from fastanon.kept_kernels import Kernel


class Warmed(NamedTuple):
    """What was done: kernels compiled and found in the cache, those this CPU can't run, seconds, the folder."""

    compiled: int
    found: int
    unable: int
    seconds: float
    folder: str

    def __str__(self) -> str:
        told = f"{self.compiled} kernels compiled, {self.found} were there"
        told += f", {self.unable} are not for this CPU" if self.unable else ""
        return f"{told}; {self.seconds:.1f} s; kept in {printable(self.folder)}"


def warmup() -> Warmed:
    """Compile all kernels into numba's cache, or load them from there.

    Returns
    -------
    Warmed
        What was done, and where they are kept.

    Raises
    ------
    AccessError
        If they can't be kept: no folder that can be written, one that others could put code into, a full disk.
    """
    start = time.perf_counter()
    for home in kept_kernels.HOMES:
        importlib.import_module(home)
    done = Counter(map(_warm, kept_kernels.made))
    folder = os.path.commonpath([str(kernel.folder) for kernel in kept_kernels.made])
    return Warmed(done["compiled"], done["found"], done["unable"], time.perf_counter() - start, folder)


def _warm(kernel: Kernel) -> str:
    if kernel.folder is None:
        raise AccessError(f"compiled kernels can't be kept: {kernel.trouble}; see NUMBA_CACHE_DIR")
    try:
        kernel.function.compile(kernel.arguments)
    except NotImplementedError:  # the CPU lacks an instruction, and another kernel runs in its place
        return "unable"
    except OSError as error:
        raise AccessError(error.strerror or "can't be written", path=str(kernel.folder)) from None
    return "found" if kernel.function.stats.cache_hits else "compiled"
