"""Folders by descriptor: reached name by name from the root, so that no symbolic link leads anywhere else.

Paths are resolved once, when files are listed. A link that stands in one later was put there meanwhile.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fastanon.errors import AccessError, UnsupportedError
from fastanon.system import SYSTEM, System

_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: To go through a folder, or to open what is in it; and to sync it or list it, too.
REACH, LIST = getattr(os, "O_PATH", os.O_RDONLY) | _FOLDER, os.O_RDONLY | _FOLDER

_MOST_KEPT = 64


class _Kept(threading.local):
    """What a thread keeps open, by path and flags; None where nothing is to be kept."""

    folders: dict[tuple[str, int], int] | None = None


_kept = _Kept()


@contextmanager
def kept() -> Iterator[None]:
    """Keep open what this thread asks for inside: most files of a task lie in the same folder.

    What takes the place of one meanwhile is not followed: each stays the folder that it was.
    """
    found = _kept.folders = {}
    try:
        yield
    finally:
        _kept.folders = None
        for fd in found.values():
            with suppress(OSError):  # what is in it is synced by itself
                SYSTEM.close(fd)


@contextmanager
def folder(path: str, system: System = SYSTEM, make: bool = False, flags: int = LIST) -> Iterator[int]:
    """Open a folder.

    Parameters
    ----------
    path : str
        Absolute, with links resolved.
    system : System
        Where the calls go.
    make : bool
        Whether to make what is missing, for everybody whom the umask allows.
    flags : int
        What it is opened for: `REACH` or `LIST`.

    Yields
    ------
    int
        Its descriptor.

    Raises
    ------
    UnsupportedError
        If a symbolic link stands in the path.
    AccessError
        If the operating system refuses.
    """
    found = _kept.folders if system is SYSTEM else None
    if found is not None and (path, flags) in found:
        yield found[path, flags]
        return
    fd = _opened(path, system, make, flags)
    if found is not None and len(found) < _MOST_KEPT:
        found[path, flags] = fd
        yield fd
        return
    try:
        yield fd
    finally:
        system.close(fd)


def _opened(path: str, system: System, make: bool, flags: int) -> int:
    names = os.path.abspath(path).strip("/").split("/")
    try:
        fd = system.open("/", flags if names == [""] else REACH)
    except OSError as error:
        raise AccessError(os.strerror(error.errno or 0), path=path) from None
    for number, name in enumerate(names if names != [""] else ()):
        try:
            below = _below(fd, name, flags if number == len(names) - 1 else REACH, system, make)
        except OSError as error:
            raise _refused(error, fd, name, path) from None
        finally:
            system.close(fd)
        fd = below
    return fd


def _below(fd: int, name: str, flags: int, system: System, make: bool) -> int:
    try:
        return system.open(name, flags, dir_fd=fd)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):  # somebody else made it
        system.mkdir(name, dir_fd=fd)
        above = system.open(".", LIST, dir_fd=fd)  # what only leads on can't be synced
        try:
            system.fsync(above)
        finally:
            system.close(above)
    return system.open(name, flags, dir_fd=fd)


def _refused(error: OSError, fd: int, name: str, path: str) -> AccessError | UnsupportedError:
    if error.errno in (errno.ENOTDIR, errno.ELOOP) and is_link(name, fd):
        return UnsupportedError("a symbolic link in its path, not followed", path=path)
    return AccessError(os.strerror(error.errno or 0), path=path)


def is_link(name: str, fd: int) -> bool:
    """Say whether a name in a folder is a symbolic link."""
    try:
        os.readlink(name, dir_fd=fd)
    except OSError:
        return False
    return True
