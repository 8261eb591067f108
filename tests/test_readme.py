"""What the README shows is what happens."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from fastanon.synthetic import Person, make_study

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
INSTALLS, SHELL = (text for language, text in BLOCKS if language == "sh")
PYTHON = [text for language, text in BLOCKS if language == "python"]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a small study in the folder that the README calls ``study/``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    make_study("study", Person(), listmode_bytes=1 << 16, slices=2)
    for path in Path("study").rglob("VAN_DER_BERG_ANNA*"):  # in place a name in a path is a leak, as it should be
        path.rename(path.with_name(path.name.replace("VAN_DER_BERG_ANNA", "P")))
    return tmp_path


@pytest.mark.parametrize("block", range(len(PYTHON)))
@pytest.mark.shows_values
def test_python_blocks_run(study: Path, block: int) -> None:
    done = subprocess.run([sys.executable, "-c", PYTHON[block]], cwd=study, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "VAN DER BERG" in done.stdout  # both show what is sensitive first


@pytest.mark.shows_values
def test_shell_blocks_run(study: Path) -> None:
    for line in SHELL.splitlines():
        command = [sys.executable, "-m", *shlex.split(line)]
        done = subprocess.run(command, cwd=study, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), line
    assert (study / "report.json").exists()


def test_the_table_of_the_profile_is_what_the_program_shows() -> None:
    command = [sys.executable, "-m", "fastanon", "profile", "show", "petmr", "--markdown"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    shown = re.search(r"<!-- profile -->\n(.*?)<!-- end of profile -->", README, re.DOTALL)
    assert shown is not None
    assert done.stdout == shown[1]


def test_the_profile_of_ones_own_can_be_loaded(tmp_path: Path) -> None:
    from fastanon import load_profile

    (own,) = (text for language, text in BLOCKS if language == "toml")
    (tmp_path / "own.toml").write_text(own)
    profile = load_profile(tmp_path / "own.toml")
    assert (profile.action(0x00081030), profile.action(0x00081010)) == ("X", "D")
    assert "OUR SITE 01" in profile.creators


def test_the_two_commands_are_what_ci_runs() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    lines = [line.split("#")[0].strip() for line in INSTALLS.splitlines()]
    assert len(lines) == 2
    for part in (part.strip() for line in lines for part in line.split("&&")):
        program, *arguments = shlex.split(part)
        call = re.compile(rf'"\$bin/{program}"\s+{re.escape(" ".join(arguments)) if arguments else ""}')
        assert call.search(script.replace("'", "") + "\n"), part


def test_exit_statuses_are_those_of_the_program() -> None:
    from fastanon import errors

    told = re.search(r"exit status is (\d) if everything.*?, (\d) if\s+something failed, (\d) for wrong", README)
    assert told is not None
    assert [int(n) for n in told.groups()] == [errors.DONE, errors.FAILED, errors.USAGE]
