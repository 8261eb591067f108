"""Programs of others that read or check DICOM, and the errors that they report of a file.

dciodvfy does not know deflated datasets: it is given them inflated.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.corpus import Sample, samples


class Program(NamedTuple):
    """One of them: its command, the package of Debian that has it, what begins an error, whether it inflates."""

    command: tuple[str, ...]
    package: str
    error: re.Pattern[str]
    inflates: bool = True

    @property
    def name(self) -> str:
        """Its name."""
        return self.command[0]

    @property
    def missing(self) -> str:
        """Why it can't run here; empty if it can."""
        return "" if shutil.which(self.name) else f"{self.name} is not installed (Debian: {self.package})"


PROGRAMS = (
    Program(("dciodvfy", "-new"), "dicom3tools", re.compile(r"Error - |dciodvfy: .*Assertion"), False),
    Program(("dcmdump", "--log-level", "error"), "dcmtk", re.compile("[EF]: ")),
    Program(("gdcmdump", "--error"), "libgdcm-tools", re.compile("Error|Failed")),
)

#: Set to ``required``, it makes a missing program a failure.
VARIABLE = "FASTANON_VALIDATORS"

_SECONDS = 60
_DEFLATED, _PLAIN = b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.1"

#: What belongs to one file and not to a kind of error, in this order, and what stands in its place.
_OWN = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r"(?<=\[)\d+(?=\])", ""),  # numbers of items and values
        (r"= <.*?>(?= - |$)", "= <>"),  # values, as dciodvfy's -new shows them
        (r"= '.' \(0x[0-9a-f]+\)", "= ''"),  # characters in them
        (r'"[^"]*"', '""'),
        (r"(?<=\()\d+(?=\))", ""),  # lengths
        (r"(?<![\w(,])(?<!Type )(?:0x[0-9a-f]+|-?\d[\d.]*)(?![\w,)])", "N"),  # lengths, offsets, UIDs; no tags
    )
)


@functools.cache
def distinct() -> list[Sample]:
    """Give one file of each content, in the order of their names."""
    by_content = {hashlib.sha256(s.path.read_bytes()).digest(): s for s in reversed(samples())}
    return sorted(by_content.values(), key=lambda sample: sample.name)


def require(program: Program) -> None:
    """Fail where a missing program is a failure, skip with the reason elsewhere."""
    if program.missing:
        (pytest.fail if os.environ.get(VARIABLE) == "required" else pytest.skip)(program.missing)


def errors(programs: Sequence[Program], path: Path) -> dict[str, Counter[str]]:
    """Give the errors that programs report of a file, by program, without what belongs to this file alone.

    They run side by side.
    """
    with tempfile.TemporaryDirectory() as folder:
        given = [path if program.inflates else inflated(path, Path(folder)) for program in programs]
        started = [_start(program, file) for program, file in zip(programs, given, strict=True)]
        counted = [_counted(*three) for three in zip(programs, started, given, strict=True)]
    return {program.name: found for program, found in zip(programs, counted, strict=True)}


def inflated(path: Path, folder: Path) -> Path:
    """Give a copy with a plain dataset if it is deflated (PS3.5 A.5), the file itself otherwise."""
    data = path.read_bytes()
    start = 144 + int.from_bytes(data[140:144], "little")  # behind the group of (0002,0000), PS3.10 7.1
    if _DEFLATED not in data[132:start]:
        return path
    copy = folder / path.name
    meta = data[:start].replace(_DEFLATED, _PLAIN.ljust(len(_DEFLATED), b"\0"))
    copy.write_bytes(meta + zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[start:]))
    return copy


def _start(program: Program, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*program.command, path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="latin-1",
    )


def _counted(program: Program, process: subprocess.Popen[str], path: Path) -> Counter[str]:
    said = process.communicate(timeout=_SECONDS)[1].replace(str(path), "FILE")
    found = Counter(normalised(line) for line in said.splitlines() if program.error.match(line))
    if process.returncode < 0:
        found[f"stopped by signal {-process.returncode}"] += 1
    return found


@functools.cache
def errors_of_input(programs: Sequence[Program], path: Path) -> dict[str, Counter[str]]:
    """Give the same, asked once a session."""
    return errors(programs, path)


def normalised(line: str) -> str:
    """Give a line without values, numbers and names of files."""
    return functools.reduce(lambda text, own: own[0].sub(own[1], text), _OWN, line)
