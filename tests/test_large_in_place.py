"""Gigabytes of list-mode in place: what is written and what is kept in memory does not grow with the file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fastanon.synthetic.ptd import make_ptd

SIZE = (8 if os.environ.get("FASTANON_THOROUGH") else 1) << 30
WRITES = "pwrite64,pwritev,pwritev2,write,writev,copy_file_range,sendfile,ftruncate"

#: Runs in a process of its own, after everything has been imported and compiled on a file of another folder.
CODE = """
import resource, sys
import fastanon
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert fastanon.anonymize(sys.argv[1], in_place=True).exit_status == 0
before = peak()
report = fastanon.anonymize(sys.argv[2], in_place=True)
assert (report.exit_status, report.files[0].strategy) == (0, "refit"), report
print(peak() - before)
"""


def written(trace: str, path: Path) -> int:
    """Add up the bytes that calls on a file and on what lies beside it have written."""
    lines = [line for line in trace.splitlines() if f"<{path.parent}" in line and "ftruncate" not in line]
    return sum(int(found[1]) for line in lines if (found := re.search(r"= (\d+)$", line)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a file that is a hole but for its header."""
    (tmp_path / "large").mkdir()
    return make_ptd(tmp_path / "large" / "a.ptd", SIZE, sparse=True)


def test_memory_does_not_grow_with_the_file(path: Path, tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    small = make_ptd(tmp_path / "small" / "a.ptd", 64 << 20, sparse=True)
    run = subprocess.run([sys.executable, "-c", CODE, small, path], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 150 << 10  # kB
    assert path.stat().st_size < SIZE + (1 << 20)
    assert path.stat().st_blocks * 512 < 1 << 20  # the payload is still the hole that it was


def test_little_is_written(path: Path, tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        if os.environ.get("FASTANON_VALIDATORS"):
            pytest.fail("strace is missing")
        pytest.skip("strace is missing")
    trace = tmp_path / "trace"
    strace = ["strace", "-f", "-y", "-e", f"trace={WRITES}", "-e", "signal=none", "-o", str(trace)]
    command = [sys.executable, "-m", "fastanon", "anonymize", str(path), "--in-place", "--audit", "text"]
    subprocess.run([*strace, *command], check=True, capture_output=True)
    assert 10_000 < written(trace.read_text(), path) < 1_000_000
