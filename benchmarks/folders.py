"""Run a program over a folder of files, and find out which of them it can't do."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.deidentifiers import Program


class Ran(NamedTuple):
    """What came of a folder: wall time, the files that failed, whether a first run stopped at one of them."""

    seconds: float
    failed: frozenset[str]
    stopped: bool


def run(program: Program, given: Path, to: Path, seconds: int) -> Ran:
    """Run a program over a folder of files; where it stops at some, once more over all that it can do alone."""
    took, code = _timed(program, given, to, seconds)
    failed = _missing(program, given, to)
    stopped = bool(failed) and code != 0
    if stopped:
        failed = {name for name in failed if not _does(program, given / name, to.with_name("alone"), seconds)}
        rest = to.with_name("rest")
        shutil.copytree(given, rest, ignore=lambda _, __: failed)
        shutil.rmtree(to)
        took, _ = _timed(program, rest, to, seconds)
        failed |= _missing(program, rest, to)
    for name in failed:
        (to / name).unlink(missing_ok=True)
    return Ran(took, frozenset(failed), stopped)


def _timed(program: Program, given: Path, to: Path, seconds: int) -> tuple[float, int]:
    start = time.perf_counter()
    code = _call(program, given, to, seconds)
    return time.perf_counter() - start, code


def _does(program: Program, path: Path, folder: Path, seconds: int) -> bool:
    """Say whether a program can do one file."""
    (folder / "in").mkdir(parents=True)
    shutil.copyfile(path, folder / "in" / path.name)
    _call(program, folder / "in", folder / "out", seconds)
    done = not _missing(program, folder / "in", folder / "out")
    shutil.rmtree(folder)
    return done


def again(program: Program, given: Path, to: Path, seconds: int) -> None:
    """Give a program its own output."""
    _call(program, given, to, seconds)


def _call(program: Program, given: Path, to: Path, seconds: int) -> int:
    """Run it and give its exit status; a run that takes too long is ended."""
    if program.in_place:
        shutil.copytree(given, to)
    else:
        to.mkdir()
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(
            program.command(given, to), stdin=quiet, stdout=quiet, stderr=quiet, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return -1
    return done.returncode


def _missing(program: Program, given: Path, to: Path) -> set[str]:
    """Give the files that have no output; in place, those that are as they were."""
    names = {path.name for path in given.iterdir()}
    if program.in_place:
        return {name for name in names if (given / name).read_bytes() == (to / name).read_bytes()}
    return {name for name in names if not (to / name).is_file()}
