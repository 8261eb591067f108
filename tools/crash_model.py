"""Every state in which a power cut can leave a disk, recovered: each file has to be the old one or the new one.

The calls are those that ``fastanon.apply`` and ``fastanon.rewrite`` make, recorded while they run; nothing here
knows the protocol. Until the file or the folder that they belong to is synced, any of them may be on the disk and
any may not: each sector of a write, each change of a size, each new, changed or removed name on its own, in the
order of the calls. Every such state is laid out in a real folder, with the real inodes, and given to the real
``recover``.

    python tools/crash_model.py                  all states; exit status 1 if any is lost
    python tools/crash_model.py --without 0      without the first sync of each scenario: has to lose some
"""

from __future__ import annotations

import argparse
import itertools
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from fastanon import apply
from fastanon.apply import Change
from fastanon.edits import Edit
from fastanon.errors import FileError
from fastanon.journal import NAME
from fastanon.landing import Landing, land
from fastanon.opened import Opened, identity_at
from fastanon.planner import Plan
from fastanon.rewrite import stage, sync
from fastanon.system import SYSTEM, System

SECTOR = 512
_SYNCS = ("fsync", "syncfs")


class Step(NamedTuple):
    """Something that is on the disk or is not: what it belongs to, and how it changes a state."""

    owner: object
    do: Callable[[State], None]


class State(NamedTuple):
    """What is on a disk: bytes by inode, inodes by path."""

    files: dict[int, bytes]
    names: dict[str, int]

    def copy(self) -> State:
        """Give one that can be changed."""
        return State(dict(self.files), dict(self.names))


class Recorder(System):
    """Makes the calls and remembers what each does to a disk.

    Parameters
    ----------
    root : str
        Paths are told from here.
    without : int
        Which sync is left out, -1 for none.
    """

    def __init__(self, root: str, without: int = -1) -> None:
        self._root, self._without, self._syncs = root, without, 0
        self.log: list[Step | object] = []  # steps, and owners of what a sync has made durable

    def __getattribute__(self, name: str) -> Any:
        call = object.__getattribute__(self, name)
        known = not name.startswith("_") and hasattr(System, name)
        return (lambda *args, **more: self._made(name, call, *args, **more)) if known else call

    def _made(self, name: str, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
        if name in _SYNCS:
            self._syncs += 1
            if self._syncs - 1 == self._without:
                return None
        result = call(*args, **more)
        note = getattr(self, f"_note_{name}", None)
        if note is not None:
            self.log.extend(note(result, *args, **more))
        return result

    def _path(self, fd: int, name: str = "") -> str:
        return os.path.relpath(os.path.join(os.readlink(f"/proc/self/fd/{fd}"), name), self._root)

    def _note_open(self, fd: int, name: str, flags: int, _mode: int = 0, dir_fd: int = -1) -> Iterator[Step]:
        if flags & os.O_CREAT:
            path, inode = self._path(dir_fd, name), os.fstat(fd).st_ino
            yield Step(_folder(path), lambda state: _appear(state, path, inode))

    def _note_pwrite(self, count: int, fd: int, data: memoryview, at: int) -> Iterator[Step]:
        inode, new = os.fstat(fd).st_ino, bytes(data[:count])
        for start in range(at - at % SECTOR, at + count, SECTOR):
            first, last = max(start, at), min(start + SECTOR, at + count)
            yield Step(inode, _writer(inode, first, new[first - at : last - at]))

    def _note_copy_file_range(
        self, count: int, _source: int, target: int, _count: int, _start: int, to: int
    ) -> Iterator[Step]:
        return self._note_pwrite(count, target, memoryview(os.pread(target, count, to)), to)

    def _note_ftruncate(self, _: None, fd: int, size: int) -> Iterator[Step]:
        inode = os.fstat(fd).st_ino
        yield Step(inode, lambda state: _resize(state, inode, size))

    def _note_rename(self, _: None, old: str, new: str, src_dir_fd: int, dst_dir_fd: int) -> Iterator[Step]:
        here, there = self._path(src_dir_fd, old), self._path(dst_dir_fd, new)
        yield Step(_folder(there), lambda state: _rename(state, here, there))

    def _note_rename_new(self, _: None, old: str, new: str, old_fd: int, new_fd: int) -> Iterator[Step]:
        return self._note_rename(None, old, new, old_fd, new_fd)

    def _note_unlink(self, _: None, name: str, dir_fd: int) -> Iterator[Step]:
        path = self._path(dir_fd, name)
        yield Step(_folder(path), lambda state: _vanish(state, path))

    def _note_fsync(self, _: None, fd: int) -> Iterator[object]:
        found = os.fstat(fd)
        yield self._path(fd) if stat.S_ISDIR(found.st_mode) else found.st_ino

    def _note_syncfs(self, _: None, _fd: int) -> Iterator[object]:
        yield None


def _folder(path: str) -> str:
    return os.path.dirname(path) or "."


def _appear(state: State, path: str, inode: int) -> None:
    state.names[path] = inode
    state.files.setdefault(inode, b"")


def _writer(inode: int, at: int, data: bytes) -> Callable[[State], None]:
    def write(state: State) -> None:
        old = state.files.get(inode, b"").ljust(at, b"\0")
        state.files[inode] = old[:at] + data + old[at + len(data) :]

    return write


def _resize(state: State, inode: int, size: int) -> None:
    state.files[inode] = state.files[inode][:size].ljust(size, b"\0")


def _rename(state: State, here: str, there: str) -> None:
    if here in state.names:
        state.names[there] = state.names.pop(here)


def _vanish(state: State, path: str) -> None:
    state.names.pop(path, None)


def states(start: State, log: Sequence[Step | object]) -> Iterator[State]:
    """Give every state in which the disk can be found: all subsets of what is pending, before each sync."""
    durable = start.copy()
    pending: list[Step] = []
    for entry in log:
        if isinstance(entry, Step):
            pending.append(entry)
            continue
        yield from _subsets(durable, pending)
        synced = [step for step in pending if entry in (None, step.owner)]
        for step in synced:
            step.do(durable)
        pending = [step for step in pending if step not in synced]
    yield from _subsets(durable, pending)


def _subsets(durable: State, pending: Sequence[Step]) -> Iterator[State]:
    for chosen in itertools.product((False, True), repeat=len(pending)):
        state = durable.copy()
        for step in itertools.compress(pending, chosen):
            step.do(state)
        yield state


class Scenario(NamedTuple):
    """Files, and what is done to them.

    Attributes
    ----------
    name : str
        Of the scenario.
    files : dict of str to bytes
        By path.
    run : callable
        Does it, given the folder and a system.
    """

    name: str
    files: dict[str, bytes]
    run: Callable[[str, System], object]


class Result(NamedTuple):
    """How many different states there were, and how many of them were lost."""

    states: int
    lost: int


def check(scenario: Scenario, without: int = -1) -> Result:
    """Recover from every state of a scenario, and of some of these recoveries.

    Parameters
    ----------
    scenario : Scenario
        What is done.
    without : int
        Which sync is left out, -1 for none: then states have to be lost.
    """
    with tempfile.TemporaryDirectory(dir=_memory()) as base:
        place = _Place(os.path.join(base, "study"), os.path.join(base, "stash"), scenario.files)
        start = _made(scenario.files, place.root)
        recorder = Recorder(place.root, without)
        scenario.run(place.root, recorder)
        place.new = _contents(place.root)
        found = list(_different(states(start, recorder.log)))
        lost = sum(map(place.loses, found))
        begun = [state for state in found if NAME in state.names and not place.loses(state)]
        for state in begun[:: len(begun) // 3 + 1]:
            again = Recorder(place.root)
            place.loses(state, again)
            more = list(_different(states(state, again.log)))
            lost += sum(map(place.loses, more))
            found += more
        return Result(len(found), lost)


class _Place:
    """A real folder into which states are put, and a stash for inodes that no name of a state leads to."""

    def __init__(self, root: str, stash: str, old: dict[str, bytes]) -> None:
        self.root, self._stash, self._old = root, stash, old
        self.new: dict[str, bytes] = {}
        os.makedirs(root)
        os.mkdir(stash)

    def loses(self, state: State, system: System = SYSTEM) -> bool:
        """Say whether recovery from a state gives anything but old and new files."""
        self._lay_out(state)
        try:
            apply.roll_forward(self.root, system)
        except FileError:
            return True
        found = _contents(self.root)
        known = self._old.items() | self.new.items()
        gone = [path for path in self._old if path not in found and f"new-{path}" not in found]
        return bool(found.items() - known or gone or len(found) > len(self.new))

    def _lay_out(self, state: State) -> None:
        """Put a state into the folder: an inode that is there already stays the same one."""
        for name in os.listdir(self.root):
            path = os.path.join(self.root, name)
            os.rename(path, os.path.join(self._stash, str(os.stat(path).st_ino)))
        for path, inode in state.names.items():
            full, kept = os.path.join(self.root, path), os.path.join(self._stash, str(inode))
            if os.path.exists(kept):
                os.rename(kept, full)
            fd = os.open(full, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.write(fd, state.files[inode])
            os.close(fd)


def _memory() -> str | None:
    return "/dev/shm" if os.path.isdir("/dev/shm") else None


def _made(files: dict[str, bytes], root: str) -> State:
    state = State({}, {})
    for path, data in files.items():
        full = os.path.join(root, path)
        with open(full, "wb") as file:
            file.write(data)
        _appear(state, path, os.stat(full).st_ino)
        state.files[os.stat(full).st_ino] = data
    return state


def _contents(root: str) -> dict[str, bytes]:
    found = {}
    for name in os.listdir(root):
        with open(os.path.join(root, name), "rb") as file:
            found[name] = file.read()
    return found


def _different(found: Iterator[State]) -> Iterator[State]:
    """Leave out states that are the same but for what no name leads to."""
    seen = set()
    for state in found:
        key = tuple(sorted((path, state.files[inode]) for path, inode in state.names.items()))
        if key not in seen:
            seen.add(key)
            yield state


def _file(size: int) -> bytes:
    return bytes(i * 7 % 251 for i in range(size))


def _changed(runs: Sequence[tuple[int, int]], growth: int = 0, moves: bool = False, count: int = 1) -> Scenario:
    """Make the scenario of a commit: runs of bytes in each of several files."""
    size = 4 * SECTOR * 4

    def run(root: str, system: System) -> None:
        changes = []
        for name in sorted(os.listdir(root)):
            path = os.path.join(root, name)
            writes = tuple((at, bytes(length)) for at, length in runs)
            to = os.path.join(root, f"new-{name}") if moves else path
            changes.append(Change(path, identity_at(path), writes, size + growth, to))
        errors = apply.commit(changes, system)
        if any(errors):
            raise RuntimeError("a commit did not go through")

    kind = "patch" if not growth else "refit"
    name = f"{kind} of {' '.join(f'{at}+{length}' for at, length in runs)}, {count} files"
    return Scenario(name + (", moved" if moves else ""), {f"{n}.dcm": _file(size) for n in range(count)}, run)


def _rewritten(edits: Sequence[Edit], target: str) -> Scenario:
    """Make the scenario of a file written anew, in its place or beside it."""

    def run(root: str, system: System) -> None:
        path = os.path.join(root, "0.dcm")
        with Opened(path) as opened:
            plan = Plan(path, opened.identity, tuple(edits), (), 0, 0, 0)
            new = os.path.join(root, target)
            staged = stage(opened, plan, os.path.dirname(new), lambda _: None, system, replaces=new == path)
        sync([staged.path], system)
        if any(land([Landing(((staged.path, new),), plan.identity if new == path else None)], system)):
            raise RuntimeError("a file did not get its name")

    kinds = " ".join(f"{edit.offset}{edit.growth:+}" for edit in edits)
    return Scenario(f"rewrite of {kinds}, to {target}", {"0.dcm": _file(3 * SECTOR)}, run)


#: An edit that lies in one sector, on the border of two, over three.
_LAYOUTS = ((100, 300), (400, 300), (400, 900))


def scenarios() -> Iterator[Scenario]:
    """Give all: 1 to 4 edits in every layout of sectors, grown and shrunk files, groups, new names, new files."""
    for count in range(1, 5):
        for layout in itertools.product(_LAYOUTS, repeat=count):
            yield _changed([(n * 4 * SECTOR + at, length) for n, (at, length) in enumerate(layout)])
    for growth in (-700, 700):
        yield _changed([(100, 2000), (6 * SECTOR, 16 * SECTOR - 6 * SECTOR + min(growth, 0))], growth)
    yield _changed([(400, 900)], count=3)
    yield _changed([(400, 300), (3000, 300)], moves=True, count=2)
    inserted = [Edit(100, 0, b"n" * 700, "x"), Edit(900, 30, b"", "x")]
    for edits in (inserted, inserted[:1], inserted[1:]):
        yield _rewritten(edits, "0.dcm")
    yield _rewritten(inserted, "copy.dcm")


def main(arguments: Sequence[str] | None = None) -> int:
    """Check all scenarios and say what was lost."""
    parser = argparse.ArgumentParser(description="Recover from every state in which a crash can leave a disk.")
    parser.add_argument("--without", type=int, default=-1, metavar="N", help="leave out the N-th sync, from 0")
    without = parser.parse_args(arguments).without
    total = lost = 0
    for scenario in scenarios():
        result = check(scenario, without)
        total, lost = total + result.states, lost + result.lost
        print(f"{scenario.name}: {result.states} states, {result.lost} lost", flush=True)
    print(f"{total} states, {lost} lost")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
