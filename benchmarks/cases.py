"""What is measured: floors, fastanon and its peers on the same files, in turn, each result looked at first."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.deidentifiers import Command
from benchmarks.inputs import SMALL, make_enhanced, make_slices
from benchmarks.lab import ALL, MIB, ONE, PEERS, Lab, done
from benchmarks.processes import Case, Cost, command, inside
from benchmarks.traces import names_in
from fastanon.synthetic import make_listmode, make_ptd, make_slice

#: The names of the cases that goals speak of.
CP, CAT = "`cp`, then `sync`", "`cat` to nowhere"
COPY, IN_PLACE = "fastanon `-o`", "fastanon `--in-place`"
TEXT, WARM = f"{IN_PLACE} `--audit text`", f"{IN_PLACE}, in process and warm"
PASS, NUMPY = "`python -c pass`", '`python -c "import numpy"`'
HELP, SLICE = "`fastanon --help`", "fastanon, one slice"
_PYDICOM = "pydicom reads and saves"


def fastanon(*options: str, in_place: bool = False) -> Command:
    """Give the command of the program, run as a user does."""
    words = [sys.executable, "-m", "fastanon", "anonymize", *options]
    return lambda given, to: [*words, str(to), "--in-place"] if in_place else [*words, str(given), "-o", str(to)]


def workers(number: int) -> list[str]:
    """Give the option for so many processes, if the program has it."""
    told = subprocess.run(
        [sys.executable, "-m", "fastanon", "anonymize", "--help"], capture_output=True, text=True
    )
    return ["-j", str(number)] if "-j " in told.stdout else []


def _copy(given: Path, to: Path) -> Sequence[str]:
    return ["sh", "-c", 'cp -r "$1" "$2" && sync -f "$2"', "sh", str(given), str(to / "copy")]


def _cat(given: Path, _: Path) -> Sequence[str]:
    return ["sh", "-c", 'cat "$1"/* > /dev/null', "sh", str(given)]


def slices(lab: Lab) -> dict[str, object]:
    """Measure a series of slices."""
    given = make_slices(lab.folder / "slices", lab.sizes.slices)
    cases = {CP: lab.floor(given, _copy)}
    for what, in_place in ((COPY, False), (IN_PLACE, True)):
        for number, count in ((ONE, 1), (ALL, lab.cores)):
            how = fastanon(*workers(count), in_place=in_place)
            cases[what + number] = lab.case(what + number, [given], how, in_place=in_place, ours=True)
    return lab.measure(cases | lab.peers(given, parallel=True), sum(map(names_in, given.iterdir())))


_INSIDE = "report = anonymize({!r}, in_place=True); assert report.exit_status == 0, report.summary()"


def listmode(lab: Lab) -> dict[str, object]:
    """Measure one file of list-mode."""
    given, small = lab.folder / "listmode", lab.folder / "small.IMA"
    given.mkdir()
    path = make_listmode(given / "listmode.IMA", lab.sizes.listmode)

    def warm(to: Path) -> Cost:
        make_listmode(small, 64 * MIB)
        before = f"from fastanon import anonymize; {_INSIDE.format(str(small))}"
        return inside(_INSIDE.format(str(to / path.name)), before)

    one = [given]
    cases = {
        CP: lab.floor(given, _copy),
        CAT: lab.floor(given, _cat),
        COPY: lab.case(COPY, one, fastanon(), ours=True),
        IN_PLACE: lab.case(IN_PLACE, one, fastanon(in_place=True), in_place=True, ours=True),
        TEXT: lab.case(TEXT, one, fastanon("--audit", "text", in_place=True), in_place=True, ours=True),
        WARM: lab.case(WARM, one, fastanon(), in_place=True, ours=True, run=warm),
    }
    return lab.measure(cases | lab.peers(given), names_in(path))


def enhanced(lab: Lab) -> dict[str, object]:
    """Measure one enhanced multi-frame image."""
    given = lab.folder / "enhanced"
    given.mkdir()
    path = make_enhanced(given / "enhanced.dcm", lab.sizes.frames)
    cases = {CP: lab.floor(given, _copy), COPY: lab.case(COPY, [given], fastanon(), nested=True, ours=True)}
    return lab.measure(cases | lab.peers(given, nested=True), names_in(path))


def start(lab: Lab) -> dict[str, object]:
    """Measure what the smallest tasks cost, as whole processes."""
    given = make_slices(lab.folder / "one", 1)
    cases = {
        PASS: lab.floor(given, lambda _, __: [sys.executable, "-c", "pass"]),
        HELP: lab.floor(given, lambda _, __: [sys.executable, "-m", "fastanon", "--help"]),
        NUMPY: lab.floor(given, lambda _, __: [sys.executable, "-c", "import numpy"]),
        SLICE: lab.case(SLICE, [given], fastanon(), ours=True),
        _PYDICOM: lab.case(_PYDICOM, [given], next(one.command for one in PEERS if one.name == _PYDICOM)),
    }
    more = Lab(lab.folder, lab.sizes._replace(runs=4 * lab.sizes.runs), lab.say)
    more.traces = lab.traces
    return more.measure(cases, names_in(next(given.iterdir())))


def growth(lab: Lab) -> dict[str, object]:
    """Measure more and more small files, and larger and larger payloads, once each."""
    given = lab.folder / "growing"
    given.mkdir()
    rows: dict[str, list[list[float]]] = {"files": [], "text": [], "full": []}
    how = fastanon(*workers(lab.cores))
    for count in lab.sizes.files:
        for number in range(len(list(given.iterdir())) + 1, count + 1):
            make_slice(given / f"{number:05d}.dcm", rows=SMALL, columns=SMALL, number=number)
        rows["files"].append(_once(lab.case("", [given], how), count, lab))
    large = lab.folder / "large"
    for audit in ("text", "full"):
        for size in lab.sizes.payloads:
            shutil.rmtree(large, ignore_errors=True)
            large.mkdir()
            make_ptd(large / "large.ptd", size, sparse=True)
            words = fastanon("--audit", audit, in_place=True)(large, large)
            case = Case(os.sync, lambda words=words: command(*words), lambda _: None)
            rows[audit].append(_once(case, size, lab))
    return {key: [list(row) for row in found] for key, found in rows.items()}


def _once(case: Case, size: int, lab: Lab) -> list[float]:
    case.ready()
    cost = case.run()
    done(cost)
    lab.say(f"growth, {size}: {cost.seconds:.3g} s, {cost.peak_mb:.0f} MB")
    return [size, round(cost.seconds, 4), round(cost.peak_mb, 1)]


SECTIONS: dict[str, Callable[[Lab], dict[str, object]]] = {
    "slices": slices, "listmode": listmode, "enhanced": enhanced, "start": start, "growth": growth,
}  # fmt: skip
