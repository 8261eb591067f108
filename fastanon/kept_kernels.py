"""Compiled kernels, kept in numba's cache where nobody else can write: it is made of pickles, which are code."""

from __future__ import annotations

import functools
import grp
import os
import pwd
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a kernel without the GIL; keep it where that is safe.

    numba looks for its cache when a kernel is made, and reads it when it is called for the first time.
    """
    try:
        kept: Any = njit(cache=True, nogil=True)(function)
        if is_ours(Path(kept._cache.cache_path)):
            return kept
    except (AttributeError, OSError, RuntimeError):  # no folder to write to, or another numba
        pass
    return njit(nogil=True)(function)


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
