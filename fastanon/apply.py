"""Writing in place: what is going to be written stands in a journal on the disk before the first byte changes.

A commit is: journal, fsync, fsync of the folder; the writes of all its files, one sync; the new names of files,
fsync of their folders; away with the journal, fsync of the folder. Cut off anywhere, every file is the old one or
can be made the new one by doing all of it again, which `roll_forward` does.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import NamedTuple

from fastanon import beside, folders
from fastanon.beside import read_all, reported, write_all
from fastanon.errors import AccessError, ChangedError, FileError, UnsupportedError
from fastanon.journal import NAME, Entry, Journal, TornError, pack, parse, said_by
from fastanon.opened import Identity
from fastanon.system import SYSTEM, System

_CHANGE = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_PATIENCE, _PAUSE = 10.0, 0.05  # seconds for which another process may have the folder
_LARGEST = 256 << 20  # bytes of a journal
_UNFINISHED = "its changes are not finished: fastanon recover finishes them"


class Change(NamedTuple):
    """What becomes of one file in place.

    Attributes
    ----------
    path : str
        The file, absolute.
    identity : Identity
        The file that this was planned for; no other is written.
    writes : tuple of (int, bytes)
        Offsets and what stands there afterwards, in order.
    size : int
        Of the file afterwards, in bytes.
    to : str
        Its path afterwards, where nothing may be; `path` if it stays.
    """

    path: str
    identity: Identity
    writes: tuple[tuple[int, bytes], ...]
    size: int
    to: str


class Recovered(NamedTuple):
    """What was found in one folder.

    Attributes
    ----------
    folder : str
        Where.
    files : int
        How many were finished.
    torn : bool
        Whether a journal or a temporary file was removed that no file was changed by.
    error : FileError or None
        Why it could not be finished.
    """

    folder: str
    files: int
    torn: bool
    error: FileError | None = None


class _Landing(NamedTuple):
    """An open file and what becomes of it."""

    fd: int
    name: str
    entry: Entry


def commit(changes: Sequence[Change], system: System = SYSTEM) -> list[FileError | None]:
    """Change files of one folder, durably.

    Parameters
    ----------
    changes : sequence of Change
        All in one folder, each file once.
    system : System
        Where the calls go.

    Returns
    -------
    list of FileError or None
        For each what kept it from being changed, or from being finished; then its reason says so.

    Raises
    ------
    FileError
        If nothing at all could be changed. All files are as they were.
    """
    above = os.path.dirname(changes[0].path)
    with reported(above), folders.folder(above, system) as folder, ExitStack() as stack:
        journal = _journal(folder, above, system, stack)
        try:
            found = [_landing(change, folder, system, stack) for change in changes]
            landings = [landing for landing in found if isinstance(landing, _Landing)]
            _announce(landings, journal, folder, system)
        except BaseException:
            system.unlink(NAME, dir_fd=folder)  # nothing has been changed
            raise
        errors = [None if isinstance(landing, _Landing) else landing for landing in found]
        try:
            _land(folder, above, landings, system)
            system.unlink(NAME, dir_fd=folder)
            system.fsync(folder)
        except (FileError, OSError) as error:
            why = error.where if isinstance(error, FileError) else os.strerror(error.errno or 0)
            unfinished = [AccessError(f"{why}; {_UNFINISHED}", path=change.path) for change in changes]
            return [known or new for known, new in zip(errors, unfinished, strict=True)]
    if any(change.to != change.path for change in changes):
        prune(above)
    return errors


def prune(folder: str) -> None:
    """Remove a folder from which all files have gone, and those above that are empty then: its name may tell."""
    with suppress(OSError):  # not empty
        os.removedirs(folder)


def roll_forward(above: str, system: System = SYSTEM, root: str = "") -> Recovered | None:
    """Finish what a process that is gone had begun in a folder, and remove its temporary files.

    Parameters
    ----------
    above : str
        The folder.
    system : System
        Where the calls go.
    root : str
        No file leaves this folder, which somebody named; by default the folder itself.

    Returns
    -------
    Recovered or None
        None where nothing was left over.

    Raises
    ------
    FileError
        If the journal is in use or can't be believed, or a file that it names is not there. It stays.
    """
    with reported(above), folders.folder(above, system) as folder:
        found = _roll_forward(folder, above, system, root or above)
        swept = beside.sweep(folder, system)
        if swept:
            system.fsync(folder)
    if found is not None and found.files:
        prune(above)
    return found or (Recovered(above, 0, True) if swept else None)


def _roll_forward(folder: int, above: str, system: System, root: str) -> Recovered | None:
    try:
        with beside.left_over(NAME, folder, system) as fd:
            if fd is None:
                return None
            try:
                entries = _read(fd, above, root, system)
            except TornError:
                entries = None
            if entries is not None:
                _land_again(folder, above, entries, system)
            system.unlink(NAME, dir_fd=folder)
            system.fsync(folder)
    except BlockingIOError:
        raise AccessError(f"is being changed by {_holder(folder, system)}", path=above) from None
    return Recovered(above, len(entries or ()), entries is None)


def _read(fd: int, above: str, root: str, system: System) -> tuple[Entry, ...]:
    """Read a journal that leads nowhere but below a folder that somebody named: an archive may have brought it."""
    size = system.fstat(fd).st_size
    if size > _LARGEST:
        raise UnsupportedError("a journal that is larger than any of this program", path=above)
    entries = parse(read_all(fd, 0, size, system)).entries
    for entry in entries:
        to = os.path.normpath(os.path.join(above, entry.to or "."))
        if os.path.commonpath([to, root]) != root:
            raise UnsupportedError(
                "its journal leads out of the folder that was named; name one above", path=above
            )
    return entries


def _land_again(folder: int, above: str, entries: Sequence[Entry], system: System) -> None:
    with os.scandir(folder) as listed:
        names = {one.inode(): one.name for one in listed}
    with ExitStack() as stack:
        landings = [_found(entry, names.get(entry.inode, ""), folder, above, system, stack) for entry in entries]
        _land(folder, above, [landing for landing in landings if landing is not None], system)


def _found(entry: Entry, name: str, folder: int, above: str, system: System, stack: ExitStack) -> _Landing | None:
    """Open the file that a journal means; None where it is done and has its new name, in another folder."""
    to = os.path.normpath(os.path.join(above, entry.to)) if entry.to else ""
    if to and _inode_at(to) == entry.inode:
        with folders.folder(os.path.dirname(to), system) as target:
            system.fsync(target)  # the name may not be on the disk yet
        if os.path.dirname(to) != above:
            return None
        entry = entry._replace(to="")
    if not name:
        raise ChangedError("its journal names a file that is not there", path=above)
    fd = _open(name, folder, system, stack)
    found = system.fstat(fd)
    sizes = sorted((entry.before, entry.after))
    same = found.st_dev == os.fstat(folder).st_dev and stat.S_ISREG(found.st_mode)
    if not same or not sizes[0] <= found.st_size <= sizes[1] or found.st_nlink != 1:
        raise ChangedError("its journal names a file that has changed since", path=above)
    return _Landing(fd, name, entry)


def _inode_at(path: str) -> int:
    try:
        return os.stat(path, follow_symlinks=False).st_ino
    except OSError:
        return -1


def _journal(folder: int, above: str, system: System, stack: ExitStack) -> int:
    """Make the journal of a folder, which is its lock; what another process left over is finished first."""
    patience = time.monotonic() + _PATIENCE
    while True:
        with suppress(FileExistsError):
            fd = beside.created(NAME, folder, system, must_lock=True)
            stack.callback(system.close, fd)
            return fd
        try:
            _roll_forward(folder, above, system, above)
        except AccessError:
            if time.monotonic() > patience:
                raise
            time.sleep(_PAUSE)


def _holder(folder: int, system: System) -> str:
    """Say who holds a journal, as far as it says so."""
    with suppress(OSError):
        fd = system.open(NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        try:
            return said_by(system.pread(fd, 512, 0))
        finally:
            system.close(fd)
    return "another process"


def _landing(change: Change, folder: int, system: System, stack: ExitStack) -> _Landing | FileError:
    """Open a file that is to change, or say why it may not."""
    try:
        with reported(change.path):
            fd = _open(os.path.basename(change.path), folder, system, stack)
            may_change(system.fstat(fd), change.identity)
            if change.to != change.path and os.path.lexists(change.to):
                raise UnsupportedError("exists already, not overwritten", path=change.to)
    except FileError as error:
        return error
    to = "" if change.to == change.path else os.path.relpath(change.to, os.path.dirname(change.path))
    entry = Entry(change.identity.inode, change.identity.size, change.size, to, change.writes)
    return _Landing(fd, os.path.basename(change.path), entry)


def _open(name: str, folder: int, system: System, stack: ExitStack) -> int:
    fd = system.open(name, _CHANGE, dir_fd=folder)
    stack.callback(system.close, fd)
    return fd


def may_change(found: os.stat_result, identity: Identity) -> None:
    """Make sure that a file is the one that was planned for, and that nobody minds.

    Raises
    ------
    ChangedError
        If it is another.
    UnsupportedError
        If it is read-only or has other hard links.
    """
    if Identity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns) != identity:
        raise ChangedError("changed since it was planned for, not written")
    if not found.st_mode & 0o222:
        raise UnsupportedError("read-only, not written")
    if found.st_nlink > 1:
        raise UnsupportedError("has other hard links, which in-place editing would miss")


def _announce(landings: Sequence[_Landing], journal: int, folder: int, system: System) -> None:
    """Write the journal, so that from now on all can be done again."""
    entries = tuple(landing.entry for landing in landings)
    found = system.fstat(journal)
    data = pack(Journal(os.getpid(), os.uname().nodename, found.st_dev, entries))
    beside.refuse_full(journal, len(data), system)
    write_all(lambda part, at: system.pwrite(journal, part, at), data, 0)
    system.fsync(journal)
    system.fsync(folder)


def _land(folder: int, above: str, landings: Sequence[_Landing], system: System) -> None:
    """Write everything, sync it, read it back, and give files their new names: as often as it takes."""
    for landing in landings:
        _write(landing, system)
    if len(landings) == 1:
        system.fsync(landings[0].fd)
    elif landings:
        system.syncfs(folder)
    for fd, _, entry in landings:
        for offset, data in entry.writes:
            if read_all(fd, offset, offset + len(data), system) != data:
                raise ChangedError("an edit did not read back as it was written", offset=offset)
    for _, name, entry in landings:
        if entry.to:
            _rename(name, os.path.normpath(os.path.join(above, entry.to)), folder, system)


def _write(landing: _Landing, system: System) -> None:
    for offset, data in landing.entry.writes:
        write_all(lambda part, at: system.pwrite(landing.fd, part, at), data, offset)
    if landing.entry.after != landing.entry.before:
        system.ftruncate(landing.fd, landing.entry.after)


def _rename(name: str, to: str, folder: int, system: System) -> None:
    with folders.folder(os.path.dirname(to), system, make=True) as target:
        system.rename_new(name, os.path.basename(to), folder, target)
        system.fsync(target)
    system.fsync(folder)
