"""The operating system says no at every call in turn: never success with damage, nothing left lying about."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fastanon import apply, refit
from fastanon.apply import Change
from fastanon.errors import AccessError, FileError
from fastanon.journal import NAME
from fastanon.landing import Landing, land
from fastanon.opened import Opened
from fastanon.planner import Plan, plan_in_place
from fastanon.rewrite import discard, stage, sync
from fastanon.schemes import make_scheme
from fastanon.system import SYSTEM, System
from tests.niftypet import scheme
from tests.siemens_files import Study, write

STUDY = Study("VAN DER BERG^ANNA")
#: What leads to a strategy.
SCHEMES = {
    "patch": scheme("anonymised"),
    "refit": make_scheme("petmr", key=bytes(range(32))),
    "rewrite": scheme("A^NAME^OF^MORE LETTERS THAN^THERE IS ROOM FOR"),
}
EACH = pytest.mark.parametrize("strategy", SCHEMES)
ERRORS = pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])


class Faulty(System):
    """Calls that are counted; one of them fails."""

    def __init__(self, fail_at: int = 0, code: int = errno.EIO, torn: bool = False) -> None:
        self.fail_at, self.code, self.torn = fail_at, code, torn
        self.made: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        call = object.__getattribute__(self, name)
        if name.startswith("_") or not hasattr(System, name):
            return call
        return lambda *args, **more: self._call(name, call, *args, **more)

    def _call(self, name: str, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
        self.made.append(name)
        if len(self.made) != self.fail_at:
            return call(*args, **more)
        if name == "close":
            call(*args)
        elif self.torn and name == "pwrite":
            call(args[0], args[1][: len(args[1]) // 2], *args[2:])
        raise OSError(self.code, os.strerror(self.code))


def unsupported(*_: object) -> int:
    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


class Stingy(System):
    """Reads and writes that do less than was asked, and no copying in the kernel."""

    pwrite = staticmethod(lambda fd, data, at: os.pwrite(fd, data[:7], at))
    copy_file_range = staticmethod(unsupported)


class StingyKernel(System):
    """Copying in the kernel that does less than was asked."""

    copy_file_range = staticmethod(
        lambda source, target, count, at, to: os.copy_file_range(source, target, min(count, 100), at, to)
    )


def change(path: Path, strategy: str, system: System = SYSTEM, target: Path | None = None) -> None:
    with Opened(path) as opened:
        plan = plan_in_place(opened, SCHEMES[strategy])
        if target is None:
            in_place(opened, plan, system)
        else:
            rewrite(opened, plan, str(target), lambda _: None, system)


def rewrite(
    opened: Opened, plan: Plan, target: str, audit: Callable[[str], object], system: System = SYSTEM
) -> None:
    """Write one file and give it its name, as a run does for each of a bunch."""
    replaced = plan.identity if target == plan.path else None
    staged = stage(opened, plan, os.path.dirname(target), audit, system, replaces=replaced is not None)
    try:
        sync([staged.path], system)
    except FileError:
        discard([staged.path])
        raise
    for error in land([Landing(((staged.path, target),), replaced)], system):
        if error is not None:
            raise error


def in_place(opened: Opened, plan: Plan, system: System = SYSTEM) -> None:
    """Write by the strategy of the plan; what a commit could not do is raised."""
    if plan.strategy == "rewrite":
        rewrite(opened, plan, plan.path, lambda _: None, system)
        return
    writes, size = refit.spelled(plan.edits, opened.size, opened.read)
    for error in apply.commit([Change(plan.path, plan.identity, writes, size, plan.path)], system):
        if error is not None:
            raise error


def made(tmp_path: Path, strategy: str) -> tuple[bytes, bytes, int]:
    """Give a file before, after, and how many calls lead there."""
    path = write(tmp_path / "model" / "a.dcm", STUDY)
    before, system = path.read_bytes(), Faulty()
    with Opened(path) as opened:
        assert plan_in_place(opened, SCHEMES[strategy]).strategy == strategy
    change(path, strategy, system)
    return before, path.read_bytes(), len(system.made)


@ERRORS
@EACH
def test_no_call_may_fail_unnoticed(strategy: str, code: int, tmp_path: Path) -> None:
    before, after, calls = made(tmp_path, strategy)
    assert calls > 5
    for number in range(1, calls + 1):
        path = tmp_path / str(number) / "a.dcm"
        path.parent.mkdir()
        path.write_bytes(before)
        with pytest.raises(AccessError) as caught:
            change(path, strategy, Faulty(number, code))
        assert os.strerror(code) in str(caught.value)
        assert str(path.parent) in str(caught.value)
        names = sorted(p.name for p in path.parent.iterdir())
        if NAME in names:
            assert "fastanon recover" in str(caught.value)
            apply.roll_forward(str(path.parent))
            assert path.read_bytes() == after
        else:
            assert path.read_bytes() in (before, after)
        assert [p.name for p in path.parent.iterdir()] == ["a.dcm"]
        change(path, strategy)  # and it can be done again
        assert path.read_bytes() == after


@EACH
def test_a_torn_write_is_finished(strategy: str, tmp_path: Path) -> None:
    before, after, calls = made(tmp_path, strategy)
    for number in range(1, calls + 1):
        path = tmp_path / str(number) / "a.dcm"
        path.parent.mkdir()
        path.write_bytes(before)
        with pytest.raises((AccessError, OSError)):
            change(path, strategy, Faulty(number, torn=True))
        apply.roll_forward(str(path.parent))
        assert path.read_bytes() in (before, after)
        assert [p.name for p in path.parent.iterdir()] == ["a.dcm"]


@ERRORS
def test_a_copy_that_fails_leaves_nothing(code: int, tmp_path: Path) -> None:
    path, system = write(tmp_path / "a.dcm", STUDY), Faulty()
    before = path.read_bytes()
    change(path, "patch", system, tmp_path / "model" / "a.dcm")
    renamed = system.made.index("rename_new") + 1
    for number in range(1, len(system.made) + 1):
        target = tmp_path / str(number) / "a.dcm"
        with pytest.raises(AccessError):
            change(path, "patch", Faulty(number, code), target)
        left = list(target.parent.iterdir()) if target.parent.exists() else []
        assert left == ([target] if number > renamed else [])
        assert path.read_bytes() == before


@EACH
@pytest.mark.parametrize("system", [Stingy(), StingyKernel()], ids=["memory", "kernel"])
def test_short_reads_and_writes_are_continued(system: System, strategy: str, tmp_path: Path) -> None:
    _, after, _ = made(tmp_path, strategy)
    path = write(tmp_path / "a.dcm", STUDY)
    change(path, strategy, system)
    assert path.read_bytes() == after


@EACH
@pytest.mark.parametrize("kind", ["grown", "touched", "replaced"])
def test_a_file_that_changes_meanwhile_is_not_written(kind: str, strategy: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", STUDY)
    with Opened(path) as opened:
        plan = plan_in_place(opened, SCHEMES[strategy])
        if kind == "grown":
            path.write_bytes(path.read_bytes() + bytes(2))
        elif kind == "touched":
            os.utime(path, ns=(1, 1))
        else:
            path.rename(tmp_path / "old.dcm")
            write(path, Study("SOMEBODY^ELSE"))
        before = path.read_bytes()
        with pytest.raises(FileError):
            in_place(opened, plan)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_a_failing_audit_keeps_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", STUDY)
    before = path.read_bytes()
    with Opened(path) as opened:
        plan = plan_in_place(opened, SCHEMES["rewrite"])
        with pytest.raises(ZeroDivisionError):
            rewrite(opened, plan, plan.path, lambda _: 1 / 0)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.dcm"]
