"""A job is killed at its calls: then recovered, every file is old or new, and the same job can be done again.

Some of the jobs are killed here, on the filesystem of the tests. The tool ``kill_points.py`` kills all of them at
every call, and on three.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fastanon import apply
from tests.crash.benches import bench
from tests.crash.killing import CHANGING, Tally, kills, missing
from tests.crash.scenarios import SCENARIOS

#: Jobs, and of how many calls one is taken.
_STEPS = {"patch three": 3, "refit": 1, "rewrite": 2, "rewrite and name": 3, "copy pair": 3, "folder name": 3}


@pytest.fixture(autouse=True)
def _strace() -> None:
    """Skip what can't be done here, unless nothing may be skipped."""
    why = missing()
    if why and os.environ.get("FASTANON_VALIDATORS") == "required":
        pytest.fail(f"FASTANON_VALIDATORS=required, but {why}")
    if why:
        pytest.skip(why)


def tally_of(name: str, folder: Path, step: int) -> Tally:
    tally = Tally()
    for kill in kills(bench(SCENARIOS[name], folder / "bench"), step):
        tally.add(kill)
    return tally


@pytest.mark.parametrize("name", _STEPS)
def test_every_file_is_old_or_new_and_the_job_can_be_done_again(name: str, tmp_path: Path) -> None:
    tally = tally_of(name, tmp_path, _STEPS[name])
    assert not tally.found("harm"), tally.harm()
    assert tally.found("folder") <= (
        name == "folder name"
    )  # between the end of the journal and that of the folder
    assert tally.found("old")
    assert tally.found("new")
    assert {kill.call for kill in tally.kills} & set(CHANGING)


def test_without_a_journal_files_are_harmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "_announce", lambda *_: None)
    tally = tally_of("patch three", tmp_path, 3)
    assert "neither old nor new" in tally.harm()
    assert {kill.call for kill in tally.kills if kill.found == "harm"} <= {"pwrite64", "syncfs"}
