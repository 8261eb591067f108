"""Long runs show on a terminal how far they are; short ones, and where nobody looks, draw nothing."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

import pytest

import fastanon
from tests.auditing.case import NOBODY, PATIENT, Who, write
from tests.auditing.dicom import dicom
from tests.builder import Leaf
from tests.canary import assert_clean
from tests.niftypet import NIFTYPET

ROOT = Path(fastanon.__file__).parent.parent


_WATCHED = """
import sys
if sys.argv[2] == "without":
    sys.modules["tqdm"] = None  # which makes its import an error; pydicom imports it where it can
from fastanon import progress
from fastanon.cli import main
progress._PATIENCE = float(sys.argv[1])
print(main(sys.argv[3:]))
"""


def watched(patience: float, *arguments: object, terminal: bool) -> tuple[str, str]:
    """Run the program in a process of its own; give what it wrote on standard output and error."""
    with_tqdm = "with" if terminal else "without"
    command = [sys.executable, "-c", _WATCHED, str(patience), with_tqdm, *map(str, arguments)]
    env = {**os.environ, "TQDM_MININTERVAL": "0"}  # each chunk is drawn
    if not terminal:
        ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
        return ended.stdout, ended.stderr
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.close(theirs)
        drawn = b"".join(iter(lambda: _read(ours), b""))
        os.close(ours)
        return process.communicate()[0], drawn.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the other side was closed
        return b""


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Make a file with 16 MiB of payload."""
    return write(tmp_path / "large", {"a.dcm": _with_much(PATIENT)})


def _with_much(who: Who) -> bytes:
    return dicom(who, Leaf(0x7FE11010, "OB", bytes(16 << 20)))


def _arguments(command: str, folder: Path) -> list[object]:
    if command == "audit":
        return ["audit", write(folder.parent / "copy", {"a.dcm": _with_much(NOBODY)}), "--against", folder]
    if command == "copy":
        return ["anonymize", *NIFTYPET, folder, "-o", folder.parent / "out"]
    longer = ["--patient", "SOMEBODY WITH A MUCH LONGER^NAME"] if command == "rewrite" else []
    return ["anonymize", *NIFTYPET, folder, "--in-place", *longer]


@pytest.mark.parametrize("command", ["copy", "audit"])
def test_nothing_is_drawn_where_nobody_looks(command: str, large: Path) -> None:
    out, err = watched(0, *_arguments(command, large), terminal=False)
    assert out.splitlines()[-1] == "0"
    assert err == ""


@pytest.mark.parametrize("command", ["in place", "rewrite", "copy", "audit"])
def test_a_terminal_sees_bytes_rate_and_time_left(command: str, large: Path) -> None:
    out, drawn = watched(0, *_arguments(command, large), terminal=True)
    assert out.splitlines()[-1] == "0"
    *lines, last = (line.strip() for line in drawn.split("\r"))
    rates = r"\[\d+:\d+<(?:\d+:\d+|\?), *(?:[\d.]+[kMG]?|\?)B/s\]"
    wanted = re.compile(rf"[01]/1 files: +(\d+)%\|.*\| [\d.]+[kM]?/[\d.]+M {rates}")
    matches = [wanted.fullmatch(line) for line in filter(None, lines)]
    assert all(matches), lines
    shares = [int(match[1]) for match in matches if match]
    assert shares == sorted(shares)
    assert len(set(shares)) > 2
    assert sum("?" not in line for line in lines if line) > 1  # rate and time left are known
    assert last == ""  # it is gone at the end
    assert_clean(out, drawn)


def test_a_short_run_draws_nothing(large: Path) -> None:
    out, drawn = watched(1e9, *_arguments("copy", large), terminal=True)
    assert (out.splitlines()[-1], drawn) == ("0", "")


def test_workers_are_seen_too(tmp_path: Path) -> None:
    folder = write(tmp_path / "large", {f"{n}.dcm": dicom(PATIENT) for n in range(70)})
    out, drawn = watched(0, "anonymize", *NIFTYPET, folder, "-o", tmp_path / "out", "-j", 2, terminal=True)
    assert out.splitlines()[-1] == "0"
    lines = [line.strip() for line in drawn.split("\r") if line.strip()]
    done = [int(line.partition("/")[0]) for line in lines if "files:" in line]
    assert done == sorted(done)
    assert done[-1] == 70
    assert "100%" in lines[-1]
    assert_clean(out, drawn)
