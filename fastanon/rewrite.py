"""Writing beside: old and new bytes are streamed to a temporary file, which is audited, synced and renamed.

These are three steps, each for a bunch of files, and perhaps of several processes: `stage`, `sync`, and `land` of
`landing`.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext, suppress
from typing import NamedTuple

from fastanon import beside, folders
from fastanon.apply import may_change
from fastanon.beside import reported
from fastanon.copying import Stream, Watched
from fastanon.edits import pieces
from fastanon.errors import FileError
from fastanon.opened import NO_FILE, Identity, Opened
from fastanon.planner import Plan
from fastanon.system import SYSTEM, System

_STAGED = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW

#: Attributes that a system gives to a new file by itself.
_SECURITY = "security."
_ACCESS, _GROUP = "system.posix_acl_access", 4


class Staged(NamedTuple):
    """A file that is written and searched, and has no name yet.

    Attributes
    ----------
    path : str
        The temporary file.
    written : int
        Bytes written, without those of shared blocks.
    """

    path: str
    written: int


def stage(
    opened: Opened,
    plan: Plan,
    folder: str,
    audit: Callable[[str], object],
    system: System = SYSTEM,
    *,
    replaces: bool = False,
    token: str = "",
    advance: Callable[[int], object] = lambda _: None,
    watched: Watched | None = None,
) -> Staged:
    """Write the edited file to a temporary one, and have that searched.

    What replaces its original gets the owner, extended attributes and access lists of it. A copy gets the mode
    alone; its time is that at which it was written.

    Parameters
    ----------
    opened : Opened
        The file the plan was made from, still open.
    plan : Plan
        What becomes of it; without edits this is a copy.
    folder : str
        Where the temporary file lies: that of the original, or one on the filesystem of the copy.
    audit : callable
        Given the path of the temporary file when all is written.
    system : System
        Where the calls go.
    replaces : bool
        Whether it will replace its original.
    token : str
        How the name of the temporary file begins: see `beside.temporary_name`.
    advance : callable
        Is told of bytes as they are copied.
    watched : Watched, optional
        What is copied as it is read by another.

    Raises
    ------
    ChangedError, UnsupportedError, AccessError
        No temporary file is left.
    """

    def fill(fd: int) -> int:
        stream = Stream(opened, fd, system, advance, watched)
        for piece in pieces(plan.edits, 0, opened.size):
            if isinstance(piece, bytes):
                stream.add(piece)
            else:
                stream.copy(*piece, plan.stays is not None)
        stream.flush()
        return stream.moved

    return stage_with(opened, plan.identity, folder, fill, audit, system, replaces=replaces, token=token)


def stage_with(
    opened: Opened,
    identity: Identity,
    folder: str,
    fill: Callable[[int], int],
    audit: Callable[[str], object],
    system: System = SYSTEM,
    *,
    replaces: bool = False,
    token: str = "",
) -> Staged:
    """Write a temporary file, and have it searched; what it holds is the caller's.

    Parameters
    ----------
    opened, folder, audit, system, replaces, token
        As of `stage`.
    identity : Identity
        What the original was when it was planned for.
    fill : callable
        Writes to an open descriptor, and gives how many bytes it wrote.
    """
    path = os.path.join(folder, beside.temporary_name(token))
    try:
        with (
            reported(opened.path if replaces else folder),
            folders.folder(folder, system, make=not replaces) as above,
        ):
            if replaces:
                may_change(system.fstat(opened.fd), identity)
            fd = beside.created(os.path.basename(path), above, system)
            try:
                written = fill(fd)
                audit(path)
                _dress(opened.fd, fd, replaces, system)
                opened.check()
                system.start_writing_back(fd, 0, written)  # while the next file is made
            except BaseException:
                with suppress(OSError):  # here, wherever the folder has been moved to
                    system.unlink(os.path.basename(path), dir_fd=above)
                raise
            finally:
                system.close(fd)
    except BaseException:
        with suppress(FileError):
            discard([path], system)
        raise
    return Staged(path, written)


def sync(staged: Sequence[str], system: System = SYSTEM) -> None:
    """Make staged files of one filesystem durable: one alone, or several with all that it holds.

    Raises
    ------
    AccessError
        If that can't be: what is on the disk is not known then.
    """
    if not staged:
        return
    above, name = os.path.split(staged[0])
    with reported(staged[0]), folders.folder(above, system) as folder:
        if len(staged) > 1:
            system.syncfs(folder)
            return
        fd = system.open(name, _STAGED, dir_fd=folder)
        try:
            system.fsync(fd)
        finally:
            system.close(fd)


def _dress(source: int, target: int, in_place: bool, system: System) -> None:
    """Give a new file the mode of the old one, and in place its owner, attributes and access lists."""
    if source == NO_FILE:
        return  # nobody said who may read it: its owner alone
    old = system.fstat(source)
    if in_place and (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
        system.fchown(target, old.st_uid, old.st_gid)
    attributes = system.attributes(source)
    for key, value in attributes.items() if in_place else ():  # access lists before the mode, whose mask is theirs
        with suppress(PermissionError) if key.startswith(_SECURITY) else nullcontext():
            system.set_attribute(target, key, value)
    mode = stat.S_IMODE(old.st_mode) & 0o777
    system.fchmod(target, mode if in_place else mode & _of_the_group(attributes.get(_ACCESS, b"")))


def _of_the_group(access: bytes) -> int:
    """Give what an access list leaves of a mode: its group bits are those of the mask, not of the group.

    From linux/posix_acl_xattr.h: a version, and for each entry tag, rights and ID.
    """
    if len(access) % 8 != 4:
        return 0o777
    rights: dict[int, int] = {tag: right for tag, right, _ in struct.iter_unpack("<HHI", access[4:])}
    return 0o707 | rights.get(_GROUP, 7) << 3


def discard(paths: Iterable[str], system: System = SYSTEM) -> None:
    """Take back files that are of no use."""
    for path in paths:
        above, name = os.path.split(path)
        with reported(path), folders.folder(above, system) as folder, suppress(FileNotFoundError):
            system.unlink(name, dir_fd=folder)
