"""What a command, or a piece of Python inside of one, costs; and commands in turn."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

#: Starts a command from a small process, since a child's peak memory is at least that of its parent, and waits
#: for its end before it reads what was written: what the processes that it waited for have written is in it.
_LAUNCHER = """
import json, os, subprocess, sys, time
quiet = subprocess.DEVNULL
start = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdin=quiet, stdout=quiet, stderr=subprocess.PIPE)
told = child.stderr.read()
os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
seconds = time.perf_counter() - start
with open(f"/proc/{child.pid}/io") as lines:
    written = next(int(line.split()[1]) for line in lines if line.startswith("wchar:"))
_, status, used = os.wait4(child.pid, 0)
print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000, written,
    os.waitstatus_to_exitcode(status), told[-400:].decode(errors="replace")]))
"""

_INSIDE = """
import sys, time
{before}
start = time.perf_counter()
{code}
print("inside:", time.perf_counter() - start, file=sys.stderr)
"""


class Cost(NamedTuple):
    """Wall and processor seconds, peak memory of the largest process, bytes written, exit status, last errors."""

    seconds: float
    cpu: float
    peak_mb: float
    written: int
    status: int
    told: str


def command(*words: str) -> Cost:
    """Run a command to its end."""
    launched = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *words]
    done = subprocess.run(launched, capture_output=True, text=True, check=True)
    return Cost(*json.loads(done.stdout))


def inside(code: str, before: str) -> Cost:
    """Time a piece of Python in a process that is warm; memory and bytes are those of the whole process."""
    cost = command(sys.executable, "-c", _INSIDE.format(before=before, code=code))
    if cost.status:
        raise RuntimeError(cost.told)
    return cost._replace(seconds=float(cost.told.split("inside:")[1]), told="")


class Case(NamedTuple):
    """Something to run: what is made ready before each run, and the run."""

    ready: Callable[[], object]
    run: Callable[[], Cost]
    #: Is called once, after the first run; raises where the result is wrong.
    check: Callable[[Cost], object]


def in_turn(
    runs: int, cases: dict[str, Case], budget: float, say: Callable[[str], object]
) -> dict[str, list[Cost]]:
    """Run cases A B C A B C ..., first a round that is not counted.

    A case that has taken more seconds than `budget` is not run again; if that was in the first round, it counts.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in cases}
    for n in range(runs + 1):
        for name, case in cases.items():
            found = costs[name]
            if sum(cost.seconds for cost in found) > budget:
                continue
            case.ready()
            found.append(case.run())
            if n == 0:
                case.check(found[0])
            say(f"{name}: {found[-1].seconds:.3g} s")
    return {name: found[1:] or found for name, found in costs.items()}


def median(values: Sequence[float]) -> float:
    """Give the median."""
    return statistics.median(values)


def ratio(ours: list[Cost], other: list[Cost]) -> float:
    """Give the median of the ratios pair by pair, which a drifting machine does not bend."""
    return statistics.median(a.seconds / b.seconds for a, b in zip(ours, other, strict=False))
