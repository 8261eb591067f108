"""Compile all kernels once and keep them: for images, and for the nodes of a cluster."""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import NamedTuple

from fastanon import kept_kernels, kernel_files
from fastanon.errors import AccessError, printable


class Warmed(NamedTuple):
    """What was done: kernels compiled, found, not for this CPU; seconds; the folder."""

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
    """Compile all kernels and keep them, but those that are kept already.

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
    if kept_kernels.is_off():
        raise _cannot("NUMBA_DISABLE_JIT says so")
    try:
        folder = kernel_files.prepared()
        done = Counter(map(_warm, kept_kernels.KERNELS))
    except OSError as error:
        raise _cannot(f"{printable(os.fspath(error.filename or folder))}: {error.strerror}") from None
    return Warmed(done["compiled"], done["found"], done["unable"], time.perf_counter() - start, str(folder))


def _warm(name: str) -> str:
    if kept_kernels.loaded(name):
        return "found"
    from fastanon import kernel_code  # numba

    try:
        code = kernel_code.emitted(name)
        kept_kernels.linked(name, code)
    except NotImplementedError:  # the CPU lacks an instruction, and another kernel runs in its place
        return "unable"
    except RuntimeError as error:
        raise _cannot(str(error)) from None
    kernel_files.write(name, code)
    return "compiled"


def _cannot(why: str) -> AccessError:
    return AccessError(f"compiled kernels can't be kept: {why}; see NUMBA_CACHE_DIR")
