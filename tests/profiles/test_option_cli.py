"""Profiles and options on the command line: the same as from code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.canary import assert_clean
from tests.profiles import study
from tests.profiles.table import ROOT
from tests.profiles.values import LAST


def command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own; nothing of the patient may come out of it."""
    done = subprocess.run(
        [sys.executable, "-m", "fastanon", *map(str, words)], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert_clean(done.stdout, done.stderr)
    return done


def test_options_of_the_basic_profile(tmp_path: Path) -> None:
    ds = study.patient(SeriesDescription=f"head {LAST} AC", PatientWeight="72.5", PatientAge="093Y")
    path = study.write(tmp_path / "a.dcm", ds)
    options = ["clean-descriptors", "retain-modified-dates", "retain-patient-characteristics"]
    words = [word for option in options for word in ("--option", option)]
    done = command("anonymize", path, "--profile", "basic", *words, "--dob", "19500101", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    new = study.read(tmp_path / "out" / "a.dcm")
    assert new.SeriesDescription.startswith("head ")
    assert new.SeriesDescription.endswith(" AC")
    assert (new.PatientWeight, new.PatientAge, new.PatientBirthDate) == (72.5, "090Y", "19500101")
    assert new.StudyDate not in ("", "20170327")
    codes = [item.CodeValue for item in new.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113107", "113108"]


@pytest.mark.parametrize(
    "options",
    [
        ("retain-full-dates", "retain-modified-dates"), ("clean-recognizable-visual-features",),
        ("retain-everything",),
    ],
)  # fmt: skip
def test_options_that_are_no_choice(options: tuple[str, ...], tmp_path: Path) -> None:
    path = study.write(tmp_path / "a.dcm", study.patient())
    before = path.read_bytes()
    words = [word for option in options for word in ("--option", option)]
    done = command("anonymize", path, "--profile", "basic", *words, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert options[0] in done.stderr
    assert not (tmp_path / "out").exists()
    assert path.read_bytes() == before


def test_what_if_writes_nothing(tmp_path: Path) -> None:
    path = study.write(tmp_path / "a.dcm", study.patient())
    before = path.read_bytes()
    done = command("anonymize", path, "--profile", "basic", "--option", "retain-uids", "--what-if")
    assert done.returncode == 0
    assert "PatientName" in done.stdout or "(0010,0010)" in done.stdout
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
