"""The operating system says no, or does half, at every call of every job: what is called done is done.

All calls that write go through one object, whose methods fail here in turn: each with one error, and those that
change something also with those of a full and of a broken disk. Syncs are counted and not made: whether they come
in time is the matter of ``tools/crash_model.py``.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import fastanon
from fastanon import planner, sharing
from fastanon.system import SYSTEM, System
from tests.canary import leaks_in
from tests.crash.benches import Bench, bench
from tests.crash.scenarios import SCENARIOS, Outcome, slice_of
from tests.crash.states import HarmError, differences, judged, ours, snapshot

_NAMES = [name for name in vars(System) if not name.startswith("_")]
_SYNCS = ("fsync", "syncfs")
_READING = ("open", "close", "fstat", "stat", "fstatvfs", "pread", "attributes", "start_writing_back")
_INJECTED: Counter[str] = Counter()
_FEWEST = 500


def refuse(code: int) -> Callable[..., Any]:
    """Make a call fail before it does anything; what is to be closed is closed."""

    def fail(name: str, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
        if name == "close":
            call(*args, **more)
        raise OSError(code, os.strerror(code))

    return fail


def fail_behind(name: str, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
    """Do all that was asked and say that it failed, as network filesystems may."""
    done = call(*args, **more)
    if name == "open":
        os.close(done)
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def torn(name: str, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
    """Write half and fail."""
    call(*_less(name, args, lambda size: size // 2), **more)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def short(name: str, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
    """Do less than was asked and say so."""
    return call(*_less(name, args, lambda size: (size + 2) // 3), **more)


def _less(name: str, args: tuple[Any, ...], less: Callable[[int], int]) -> tuple[Any, ...]:
    if name == "pwrite":
        return (args[0], args[1][: less(len(args[1]))], *args[2:])
    at = {"copy_file_range": 2, "pread": 1}[name]
    return (*args[:at], less(args[at]), *args[at + 1 :])


_CODES = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS, errno.EINTR)
_TURNS = [errno.errorcode[code] for code in _CODES]
#: What goes wrong, and with which calls.
FAULTS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    **{errno.errorcode[code]: (refuse(code), tuple(_NAMES)) for code in _CODES},
    "behind": (fail_behind, ("open", "rename", "rename_new", "unlink", "mkdir", "fsync", "syncfs", "ftruncate")),
    "torn": (torn, ("pwrite", "copy_file_range")),
    "short": (short, ("pwrite", "copy_file_range", "pread")),
}  # fmt: skip


class Calls:
    """All calls of a job, one of which goes wrong."""

    def __init__(self, patch: pytest.MonkeyPatch, fault: str, at: int = 0) -> None:
        self._fault, self._among = FAULTS[fault]
        self._at = at
        self.made: list[str] = []
        for name in _NAMES:
            patch.setattr(SYSTEM, name, self._wrapped(name, getattr(SYSTEM, name)))

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **more: Any) -> Any:
            if name in self._among:
                self.made.append(f"{name} {args[0]}" if name == "open" else name)
            if name in self._among and len(self.made) == self._at:
                return self._fault(name, call, *args, **more)
            return call(*args, **more)

        return wrapped


def run(one: Bench, root: Path, fault: str, at: int = 0) -> tuple[Outcome, list[str]]:
    """Do a job in which a call goes wrong; give what was said and which calls might have."""
    with pytest.MonkeyPatch.context() as patch:
        calls = Calls(patch, fault, at)
        return one.scenario.run(root, one.key), calls.made


def points(calls: list[str], fault: str) -> list[int]:
    """Choose the calls that go wrong, counted from 1."""
    if fault not in _TURNS:
        return list(range(1, len(calls) + 1))
    turn = _TURNS.index(fault)
    return [
        at
        for at, name in enumerate(calls, 1)
        if at % len(_TURNS) == turn or (fault in ("ENOSPC", "EIO") and name.split()[0] not in _READING)
    ]


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Bench]]:
    folder = tmp_path_factory.mktemp("scenarios")
    small = replace(SCENARIOS["copy"], make=lambda below: slice_of(below / "a.dcm", pixels=1 << 14))
    with pytest.MonkeyPatch.context() as patch:
        for module in (planner, sharing):
            patch.setattr(module, "WORTH", 1 << 12)  # else it would be too small to share blocks
        for name in _SYNCS:
            patch.setattr(SYSTEM, name, lambda *_: None)
        jobs = {**SCENARIOS, "copy": small}
        yield {name: bench(scenario, folder / name.replace(" ", "-")) for name, scenario in jobs.items()}
    shutil.rmtree(folder)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_called_done_is_done(name: str, fault: str, benches: dict[str, Bench]) -> None:
    one = benches[name]
    root = one.fresh("counted")
    _, calls = run(one, root, fault)
    assert snapshot(root) == one.new
    shutil.rmtree(root)
    harm = []
    for at in points(calls, fault):
        root = one.fresh(f"{fault}-{at}")
        try:
            check(one, root, fault, at)
        except HarmError as error:
            harm.append(f"call {at} of {len(calls)}, {calls[at - 1]}: {error}")
        shutil.rmtree(root)
        _INJECTED[name] += 1
    assert not harm, "\n".join(harm)


def check(one: Bench, root: Path, fault: str, at: int) -> None:
    """Let a call go wrong, and look at what was said and at what is there: then, and recovered."""
    outcome, made = run(one, root, fault, at)
    unread = made[:at].count("open /") == 1  # nobody could know yet whose name stands in its path
    if leaks_in(outcome.said) and not unread:
        raise HarmError("what is said holds a value of the patient")
    if all(outcome.done) and snapshot(root) != one.new:
        raise HarmError("called done, but " + differences(snapshot(root), one.new))
    if fault == "short" and not all(outcome.done):
        raise HarmError("not continued")
    problems = [found.error.reason for found in fastanon.recover(root) if found.error is not None]
    if problems or ours(snapshot(root)):
        raise HarmError(f"not recovered: {problems}, {ours(snapshot(root))} is left")
    states = judged(one.fates, snapshot(root))
    if len(states) == len(outcome.done):
        assert all(state == "new" for state, done in zip(states, outcome.done, strict=True) if done)


def test_enough_has_gone_wrong() -> None:
    """Run behind the others."""
    assert len(_INJECTED) == len(SCENARIOS)
    assert sum(_INJECTED.values()) >= _FEWEST
