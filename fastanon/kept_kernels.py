"""Compiled kernels, kept in numba's cache where nobody else can write: it is made of pickles, which are code."""

from __future__ import annotations

import functools
import grp
import os
import pwd
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from numba import njit, types

#: The modules that make kernels when they are imported.
HOMES = ("fastanon.scan.kernels", "fastanon.walk_compiled", "fastanon.siemens.csa_tags_compiled")


class Kernel(NamedTuple):
    """One that was made: what it is called with, and its folder in the cache, or why it has none."""

    function: Any
    arguments: tuple[types.Type, ...]
    folder: Path | None
    trouble: str


#: All kernels of the modules that were imported, for `fastanon.warmup`.
made: list[Kernel] = []


def compiled(function: Callable[..., Any], *arguments: types.Type) -> Any:
    """Compile a kernel without the GIL; keep it where that is safe.

    numba looks for its cache when a kernel is made, and reads it when it is called for the first time.

    Parameters
    ----------
    function : callable
        The kernel.
    *arguments : numba.types.Type
        What it will be called with: by default an int64 for each of its parameters.
    """
    kernel: Any = None
    folder, trouble = None, "numba found no folder that it can write to"
    try:
        kernel = njit(cache=True, nogil=True)(function)
        folder = Path(kernel._cache.cache_path)
        if not is_ours(folder):
            folder, trouble = None, f"{folder}: others could put code there"
    except (AttributeError, OSError, RuntimeError):  # no folder to write to, or another numba
        folder = None
    if folder is None:
        kernel = njit(nogil=True)(function)
    known = arguments or (types.int64,) * function.__code__.co_argcount
    made.append(Kernel(kernel, known, folder, "" if folder else trouble))
    return kernel


def is_ours(folder: Path) -> bool:
    """Say whether nobody but this user and root can put a file into a folder, has put one, or can exchange it."""
    real = folder.resolve()
    inside = [path.lstat() for path in (real, *real.glob("*.nb[ic]"))]
    above = [path.stat() for path in real.parents]
    return not any(map(_is_open, inside)) and all(one.st_mode & stat.S_ISVTX or not _is_open(one) for one in above)


def _is_open(found: os.stat_result) -> bool:
    """Say whether another user owns a file or may write it, or it is a link."""
    others = stat.S_IWOTH if found.st_gid == _own_group() else stat.S_IWOTH | stat.S_IWGRP
    return found.st_uid not in (os.geteuid(), 0) or stat.S_ISLNK(found.st_mode) or bool(found.st_mode & others)


@functools.cache
def _own_group() -> int:
    """Give the group in which the user is alone, or -1: with an umask of 002 all files are writable for it."""
    try:
        user = pwd.getpwuid(os.geteuid())
        group = grp.getgrgid(user.pw_gid)
    except KeyError:
        return -1
    return group.gr_gid if group.gr_name == user.pw_name and not group.gr_mem else -1
