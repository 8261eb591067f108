"""A disk that is full in the middle of a run: what was done stays, what failed is named, the rest comes later."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import fastanon
from fastanon import tasks
from fastanon.errors import DONE, FAILED
from fastanon.system import System
from tests.test_workers import KEY, slices, tree


@contextmanager
def full(call: str, which: Callable[[int], bool]) -> Iterator[list[int]]:
    """Let one kind of call say that there is no space, by its running number."""
    real, made = getattr(System, call), [0]

    def perhaps(*arguments: Any, **more: Any) -> Any:
        made[0] += 1
        if which(made[0]):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments, **more)

    setattr(System, call, staticmethod(perhaps))
    try:
        yield made
    finally:
        setattr(System, call, staticmethod(real))


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tasks, "MOST_FILES", 3)
    return slices(tmp_path / "in", *(f"{n}.dcm" for n in range(9)))


@pytest.mark.parametrize("call", ["pwrite", "fsync", "syncfs", "rename_new", "fchmod"])
def test_copies(call: str, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with full(call, lambda number: number == 0) as made:
        fastanon.anonymize(source, to=tmp_path / "whole", key=KEY)
    assert made[0] > 2
    with full(call, lambda number: number > made[0] // 2):
        report = fastanon.anonymize(source, to=out, key=KEY)
    assert report.exit_status == FAILED
    failed = [one for one in report.files if one.status == "failed"]
    assert 0 < len(failed) <= 9
    assert all(any("No space" in message for message in one.messages) for one in failed)
    whole = tree(tmp_path / "whole")
    assert all(whole[name] == data for name, data in tree(out).items())
    assert not list(out.glob("*.tmp"))
    done = {Path(one.output).name for one in report.files if one.status == "anonymized"}
    assert done <= set(tree(out))
    again = fastanon.anonymize(source, to=out, key=KEY)
    assert again.exit_status == DONE
    assert tree(out) == whole
    assert again.count("unchanged") >= len(done)


@pytest.mark.parametrize("call", ["pwrite", "fsync", "syncfs"])
def test_in_place(call: str, source: Path) -> None:
    before = tree(source)
    for number in (1, 2):
        with full(call, lambda at, number=number: at == number):  # type: ignore[misc]
            report = fastanon.anonymize(source, in_place=True, key=KEY)
        if report.exit_status == FAILED:
            break
    assert report.exit_status == FAILED
    fastanon.recover(source)
    after = tree(source)
    report = fastanon.anonymize(source, in_place=True, key=KEY)
    assert report.exit_status == DONE
    whole = tree(source)
    assert all(after[name] in (before[name], whole[name]) for name in before)
    assert not [name for name in os.listdir(source) if name.startswith(".")]
