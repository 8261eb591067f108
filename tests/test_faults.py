"""The operating system says no at every call in turn: never success with damage, nothing left lying about."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fastanon import apply
from fastanon.errors import AccessError, FileError
from fastanon.opened import Opened
from fastanon.planner import plan_in_place
from fastanon.system import System
from tests.niftypet import scheme
from tests.siemens_files import Study, left_in, without_pixels, write

STUDY = Study("VAN DER BERG^ANNA")
PATCH, REWRITE = "anonymised", "A MUCH LONGER^NAME^THAN^THE^OLD ONE"
BOTH = pytest.mark.parametrize("patient", [PATCH, REWRITE], ids=["patch", "rewrite"])
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
        elif self.torn and name in ("write", "pwrite"):
            call(args[0], args[1][: len(args[1]) // 2], *args[2:])
        raise OSError(self.code, os.strerror(self.code))


def unsupported(*_: object) -> int:
    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


class Stingy(System):
    """Reads and writes that do less than was asked, and no copying in the kernel."""

    write = staticmethod(lambda fd, data: os.write(fd, data[:7]))
    pwrite = staticmethod(lambda fd, data, at: os.pwrite(fd, data[:1], at))
    copy_file_range = staticmethod(unsupported)


class StingyKernel(System):
    """Copying in the kernel that does less than was asked."""

    copy_file_range = staticmethod(
        lambda source, target, count, at: os.copy_file_range(source, target, min(count, 100), at)
    )


def change(path: Path, patient: str, system: System, target: Path | None = None) -> None:
    with Opened(path) as opened:
        plan = plan_in_place(opened, scheme(patient))
        if target is None and plan.strategy == "patch":
            apply.patch(plan, system)
        else:
            apply.rewrite(opened, plan, str(target or path), lambda _: None, system)


def made(tmp_path: Path, patient: str) -> tuple[bytes, bytes, int]:
    """Give a file before, after, and how many calls lead there."""
    path = write(tmp_path / "model" / "a.dcm", STUDY)
    before, system = path.read_bytes(), Faulty()
    change(path, patient, system)
    return before, path.read_bytes(), len(system.made)


@ERRORS
@BOTH
def test_no_call_may_fail_unnoticed(patient: str, code: int, tmp_path: Path) -> None:
    before, after, calls = made(tmp_path, patient)
    assert calls > 5
    for number in range(1, calls + 1):
        path = tmp_path / str(number) / "a.dcm"
        path.parent.mkdir()
        path.write_bytes(before)
        system = Faulty(number, code)
        with pytest.raises(AccessError) as caught:
            change(path, patient, system)
        assert os.strerror(code) in str(caught.value)
        assert str(path) in str(caught.value)
        assert [p.name for p in path.parent.iterdir()] == ["a.dcm"]
        if patient == REWRITE:
            assert path.read_bytes() == (after if "rename" in system.made[: number - 1] else before)
        else:
            assert len(path.read_bytes()) == len(before)
        change(path, patient, System())  # and it can be done again
        assert path.read_bytes() == after


@BOTH
def test_after_a_torn_write_it_can_be_done_again(patient: str, tmp_path: Path) -> None:
    before, after, calls = made(tmp_path, patient)
    for number in range(1, calls + 1):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(before)
        with pytest.raises((AccessError, OSError)):
            change(path, patient, Faulty(number, torn=True))
        change(path, patient, System())
        # a copy torn inside a name leaves a piece of it that is no word any more: that takes a journal
        gone = ["van der berg", "berg", "anna", "rossetti", "carlo"] if patient == REWRITE else ["van der berg"]
        assert left_in(without_pixels(path), gone) == []
        assert len(path.read_bytes()) == len(after)


@ERRORS
def test_a_copy_that_fails_leaves_nothing(code: int, tmp_path: Path) -> None:
    path, system = write(tmp_path / "a.dcm", STUDY), Faulty()
    before = path.read_bytes()
    change(path, PATCH, system, tmp_path / "model" / "a.dcm")
    renamed = system.made.index("rename") + 1
    for number in range(1, len(system.made) + 1):
        target = tmp_path / str(number) / "a.dcm"
        with pytest.raises(AccessError):
            change(path, PATCH, Faulty(number, code), target)
        left = list(target.parent.iterdir()) if target.parent.exists() else []
        assert left == ([target] if number > renamed else [])
        assert path.read_bytes() == before


@BOTH
@pytest.mark.parametrize("system", [Stingy(), StingyKernel()], ids=["memory", "kernel"])
def test_short_reads_and_writes_are_continued(system: System, patient: str, tmp_path: Path) -> None:
    _, after, _ = made(tmp_path, patient)
    path = write(tmp_path / "a.dcm", STUDY)
    change(path, patient, system)
    assert path.read_bytes() == after


@BOTH
@pytest.mark.parametrize("kind", ["grown", "touched", "replaced"])
def test_a_file_that_changes_meanwhile_is_not_written(kind: str, patient: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", STUDY)
    with Opened(path) as opened:
        plan = plan_in_place(opened, scheme(patient))
        if kind == "grown":
            path.write_bytes(path.read_bytes() + bytes(2))
        elif kind == "touched":
            os.utime(path, ns=(1, 1))
        else:
            path.rename(tmp_path / "old.dcm")
            write(path, Study("SOMEBODY^ELSE"))
        before = path.read_bytes()
        with pytest.raises(FileError):
            _apply(opened, plan, path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def _apply(opened: Opened, plan: Any, path: Path) -> None:
    if plan.strategy == "patch":
        apply.patch(plan)
    else:
        apply.rewrite(opened, plan, str(path), lambda _: None)


@BOTH
def test_a_failing_audit_keeps_the_file(patient: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", STUDY)
    before = path.read_bytes()
    with Opened(path) as opened:
        plan = plan_in_place(opened, scheme(patient))
        with pytest.raises(ZeroDivisionError):
            apply.rewrite(opened, plan, str(path), lambda _: 1 / 0)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.dcm"]
