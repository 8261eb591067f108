"""How a command becomes a case: a fresh copy before each run, and a look at the result of the first."""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.deidentifiers import PROGRAMS, Command
from benchmarks.inputs import halves
from benchmarks.processes import Case, Cost, command, in_turn
from benchmarks.traces import Traces, traces

MIB = 1 << 20
PEERS = tuple(one for one in PROGRAMS if not one.name.startswith("fastanon"))
ONE, ALL = ", one process", ", all cores"

#: Runs all its arguments at the same time; fails if one of them does.
_AT_ONCE = (
    'for c; do sh -c "$c" & pids="$pids $!"; done; for p in $pids; do wait $p || failed=1; done; exit ${failed:-0}'
)


class Sizes(NamedTuple):
    """How much is measured."""

    slices: int = 2000
    listmode: int = 2048 * MIB
    frames: int = 500
    runs: int = 3
    budget: float = 12.0
    files: tuple[int, ...] = (100, 300, 1000, 3000, 10_000)
    payloads: tuple[int, ...] = tuple(mib * MIB for mib in (64, 256, 1024, 4096, 16_384))


HALF = Sizes(
    500, 1024 * MIB, 500, 3, 12.0, (100, 300, 1000, 3000), tuple(mib * MIB for mib in (64, 256, 1024, 4096))
)
QUICK = Sizes(40, 64 * MIB, 20, 1, 3.0, (10, 30, 100), (64 * MIB, 128 * MIB, 256 * MIB))


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
        self._out, self._spent = folder / "out", folder / "spent"

    def case(
        self, name: str, given: list[Path], how: Command, *, in_place: bool = False, nested: bool = False,
        ours: bool = False, run: Callable[[Path], Cost] | None = None,
    ) -> Case:  # fmt: skip
        """Make a case of a command for each of some folders, all at the same time."""
        to = [self._out / str(n) for n in range(len(given))]

        def ready() -> None:
            self._put_away()
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
            return command("sh", "-c", _AT_ONCE, "sh", *map(shlex.join, words))

        def check(cost: Cost) -> None:
            pairs = zip(given, to, strict=True)
            found = [traces(sorted(source.iterdir()), target, nested=nested) for source, target in pairs]
            words = (" or ".join(dict.fromkeys(getattr(one, w) for one in found)) for w in ("payload", "private"))
            self.traces[name] = Traces(sum(one.names for one in found), *words)
            if ours:
                done = cost.status, self.traces[name].names, self.traces[name].whole
                assert done == (0, 0, True), (name, cost, found)

        return Case(ready, start, check)

    def _put_away(self) -> None:
        """Empty what was written, and keep its names.

        ext4 without a journal passes over every inode that was freed within the last minutes: whoever writes after
        thousands of files were deleted would pay for that, up to twice what it takes to copy them.
        """
        if self._out.exists():
            for path in self._out.rglob("*"):
                if path.is_file() and not path.is_symlink():
                    os.truncate(path, 0)
            self._spent.mkdir(exist_ok=True)
            self._out.rename(self._spent / str(time.monotonic_ns()))

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

    def floor(self, given: Path, how: Command) -> Case:
        """Make a case of which no more is wanted than that it succeeds."""
        return self.case("", [given], how)._replace(check=done)

    def measure(self, cases: dict[str, Case], before: int = 0) -> dict[str, object]:
        """Run cases in turn; give what they cost and left. `before` is the number of names in the input."""
        costs = in_turn(self.sizes.runs, cases, self.sizes.budget, self.say)
        found = {name: {**_told(runs), **self._left(name)} for name, runs in costs.items()}
        self.traces.clear()
        return {"names": before, "cases": found}

    def _left(self, name: str) -> dict[str, object]:
        return self.traces[name]._asdict() | {"whole": self.traces[name].whole} if name in self.traces else {}


def _told(runs: list[Cost]) -> dict[str, object]:
    middle = {
        key: sorted(getattr(run, key) for run in runs)[len(runs) // 2] for key in ("cpu", "peak_mb", "written")
    }
    return {"seconds": [round(run.seconds, 5) for run in runs], **middle, "status": runs[0].status}


def halves_of(folder: Path, parts: int) -> list[Path]:
    """Give the folders that the files of a folder were dealt to, made at the first call."""
    made = sorted(folder.parent.glob(f"{folder.name}-*-of-{parts}"))
    return made or halves(folder, parts)


def done(cost: Cost) -> None:
    """Assert that a command succeeded."""
    assert cost.status == 0, cost
