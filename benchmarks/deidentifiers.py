"""Programs that de-identify DICOM, each run as its own documentation shows it, with its defaults."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

#: deid's "get" and "put" with the recipe that it takes when none is named.
_DEID = """
import sys
from pathlib import Path
from deid.dicom import get_identifiers, replace_identifiers
files = sorted(map(str, Path(sys.argv[1]).iterdir()))
replace_identifiers(dicom_files=files, ids=get_identifiers(files), save=True, output_folder=sys.argv[2])
"""


class Program(NamedTuple):
    """One of them: its name, its distribution, how it is run, and whether on copies in place."""

    name: str
    distribution: str
    command: Callable[[Path, Path], Sequence[str]]
    in_place: bool = False

    @property
    def version(self) -> str:
        """Its version; fastanon may run from its source."""
        try:
            return metadata.version(self.distribution)
        except metadata.PackageNotFoundError:
            from fastanon import __version__

            return __version__


def _module(*arguments: str) -> Callable[[Path, Path], Sequence[str]]:
    """Give the command of a module that takes the input, and the output behind `arguments`."""
    return lambda given, to: [sys.executable, "-m", arguments[0], *arguments[1:], str(given), "-o", str(to)]


PROGRAMS = (
    Program("fastanon petmr", "fastanon", _module("fastanon", "anonymize")),
    Program("fastanon basic", "fastanon", _module("fastanon", "anonymize", "--profile", "basic")),
    # its names of new files tell no more which is which; in place they stay
    Program(
        "dicognito", "dicognito", lambda _, to: [sys.executable, "-m", "dicognito", "--in-place", str(to)], True
    ),
    Program(
        "dicom-anonymizer",
        "dicom-anonymizer",
        lambda given, to: [sys.executable, "-m", "dicomanonymizer.anonymizer", str(given), str(to)],
    ),
    Program("deid", "deid", lambda given, to: [sys.executable, "-c", _DEID, str(given), str(to)]),
)


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
