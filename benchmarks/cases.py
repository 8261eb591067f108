"""What is measured: floors, fastanon and its peers on the same files, in turn, each result looked at first."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.deidentifiers import PROGRAMS
from benchmarks.inputs import SMALL, halves, make_enhanced, make_slices
from benchmarks.processes import Case, Cost, command, in_turn, inside
from benchmarks.traces import Traces, names_in, traces
from fastanon.synthetic import make_listmode, make_ptd, make_slice

MIB = 1 << 20
PEERS = tuple(one for one in PROGRAMS if not one.name.startswith("fastanon"))

#: The names of the cases that goals speak of.
CP, CAT = "`cp`, then `sync`", "`cat` to nowhere"
COPY, IN_PLACE = "fastanon `-o`", "fastanon `--in-place`"
ONE, ALL = ", one process", ", all cores"
TEXT, WARM = f"{IN_PLACE} `--audit text`", f"{IN_PLACE}, in process and warm"
PASS, NUMPY = "`python -c pass`", '`python -c "import numpy"`'
HELP, SLICE = "`fastanon --help`", "fastanon, one slice"
_PYDICOM = "pydicom reads and saves"

Command = Callable[[Path, Path], Sequence[str]]


class Sizes(NamedTuple):
    """How much is measured."""

    slices: int = 2000
    listmode: int = 2048 * MIB
    frames: int = 500
    runs: int = 5
    budget: float = 60.0
    files: tuple[int, ...] = (100, 300, 1000, 3000, 10_000)
    payloads: tuple[int, ...] = tuple(mib * MIB for mib in (64, 256, 1024, 4096, 16_384))


QUICK = Sizes(40, 64 * MIB, 20, 2, 5.0, (10, 30, 100), (4 * MIB, 16 * MIB, 64 * MIB))


class Lab:
    """A folder to work in, how much, and what was found.

    Attributes
    ----------
    traces : dict of str to Traces
        What each case left, by its name, of the section that is being measured.
    """

    def __init__(self, folder: Path, sizes: Sizes, say: Callable[[str], object]) -> None:
        self.folder, self.sizes, self.say = folder, sizes, say
        self.cores = len(os.sched_getaffinity(0))
        self.traces: dict[str, Traces] = {}
        self._out = folder / "out"

    def case(
        self, name: str, given: list[Path], how: Command, *, in_place: bool = False, nested: bool = False,
        ours: bool = False, run: Callable[[Path], Cost] | None = None,
    ) -> Case:  # fmt: skip
        """Make a case of a command for each of some folders, all at the same time."""
        to = [self._out / str(n) for n in range(len(given))]

        def ready() -> None:
            shutil.rmtree(self._out, ignore_errors=True)
            for source, target in zip(given, to, strict=True):
                if in_place:
                    shutil.copytree(source, target)
                else:
                    target.mkdir(parents=True)
            os.sync()  # what others have written is none of its business

        def start() -> Cost:
            if run is not None:
                return run(to[0])
            words = [how(*pair) for pair in zip(given, to, strict=True)]
            if len(words) == 1:
                return command(*words[0])
            return command("sh", "-c", " & ".join(map(shlex.join, words)) + " & wait")

        def check(cost: Cost) -> None:
            pairs = zip(given, to, strict=True)
            found = [traces(sorted(source.iterdir()), target, nested=nested) for source, target in pairs]
            words = (" or ".join(dict.fromkeys(getattr(one, w) for one in found)) for w in ("payload", "private"))
            self.traces[name] = Traces(sum(one.names for one in found), *words)
            if ours:
                assert (cost.status, self.traces[name].names, self.traces[name].whole) == (0, 0, True), (cost, found)

        return Case(ready, start, check)

    def peers(self, given: Path, *, parallel: bool = False, nested: bool = False) -> dict[str, Case]:
        """Make a case of every peer that is installed, or two."""
        how = {"in_place": False, "nested": nested}
        cases = {}
        for one in (one for one in PEERS if not one.missing):
            how["in_place"] = one.in_place
            cases[one.name + ONE * parallel] = self.case(one.name + ONE * parallel, [given], one.command, **how)
            if parallel:
                name = one.name + ALL
                cases[name] = self.case(name, halves_of(given, self.cores), one.command, **how)
        return cases

    def measure(self, cases: dict[str, Case], before: int = 0) -> dict[str, object]:
        """Run cases in turn; give what they cost and left. `before` is the number of names in the input."""
        costs = in_turn(self.sizes.runs, cases, self.sizes.budget, self.say)
        found = {name: {**_told(runs), **self._left(name)} for name, runs in costs.items()}
        self.traces.clear()
        return {"names": before, "cases": found}

    def _left(self, name: str) -> dict[str, object]:
        return self.traces[name]._asdict() | {"whole": self.traces[name].whole} if name in self.traces else {}


def _told(runs: list[Cost]) -> dict[str, object]:
    middle = {key: sorted(getattr(run, key) for run in runs)[len(runs) // 2] for key in ("cpu", "peak_mb", "written")}
    return {"seconds": [round(run.seconds, 5) for run in runs], **middle, "status": runs[0].status}


def halves_of(folder: Path, parts: int) -> list[Path]:
    """Give the folders that the files of a folder were dealt to, made at the first call."""
    made = sorted(folder.parent.glob(f"{folder.name}-*-of-{parts}"))
    return made or halves(folder, parts)


def fastanon(*options: str, in_place: bool = False) -> Command:
    """Give the command of the program, run as a user does."""
    words = [sys.executable, "-m", "fastanon", "anonymize", *options]
    return lambda given, to: [*words, str(to), "--in-place"] if in_place else [*words, str(given), "-o", str(to)]


def workers(number: int) -> list[str]:
    """Give the option for so many processes, if the program has it."""
    told = subprocess.run([sys.executable, "-m", "fastanon", "anonymize", "--help"], capture_output=True, text=True)
    return ["-j", str(number)] if "-j " in told.stdout else []


def _copy(given: Path, to: Path) -> Sequence[str]:
    return ["sh", "-c", 'cp -r "$1" "$2" && sync -f "$2"', "sh", str(given), str(to / "copy")]


def _cat(given: Path, _: Path) -> Sequence[str]:
    return ["sh", "-c", 'cat "$1"/* > /dev/null', "sh", str(given)]


def _floor(how: Command, lab: Lab, given: Path) -> Case:
    return lab.case("", [given], how)._replace(check=lambda cost: _done(cost))


def _done(cost: Cost) -> None:
    assert cost.status == 0, cost


def slices(lab: Lab) -> dict[str, object]:
    """Measure a series of slices."""
    given = make_slices(lab.folder / "slices", lab.sizes.slices)
    cases = {CP: _floor(_copy, lab, given)}
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
        CP: _floor(_copy, lab, given),
        CAT: _floor(_cat, lab, given),
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
    cases = {CP: _floor(_copy, lab, given), COPY: lab.case(COPY, [given], fastanon(), nested=True, ours=True)}
    return lab.measure(cases | lab.peers(given, nested=True), names_in(path))


def start(lab: Lab) -> dict[str, object]:
    """Measure what the smallest tasks cost, as whole processes."""
    given = make_slices(lab.folder / "one", 1)
    cases = {
        PASS: _floor(lambda _, __: [sys.executable, "-c", "pass"], lab, given),
        HELP: _floor(lambda _, __: [sys.executable, "-m", "fastanon", "--help"], lab, given),
        NUMPY: _floor(lambda _, __: [sys.executable, "-c", "import numpy"], lab, given),
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
    _done(cost)
    lab.say(f"growth, {size}: {cost.seconds:.3g} s, {cost.peak_mb:.0f} MB")
    return [size, round(cost.seconds, 4), round(cost.peak_mb, 1)]


SECTIONS: dict[str, Callable[[Lab], dict[str, object]]] = {
    "slices": slices, "listmode": listmode, "enhanced": enhanced, "start": start, "growth": growth,
}  # fmt: skip
