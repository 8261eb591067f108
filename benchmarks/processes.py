"""Run a piece of Python in a process of its own, and read what it cost."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

_WRAPPER = """
import json, sys, time
def status(name):
    with open('/proc/self/status') as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name + ':'))
def written():
    with open('/proc/self/io') as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith('wchar:'))
{imports}
before = status('VmHWM'), written(), time.perf_counter()
{code}
print(json.dumps({{'seconds': time.perf_counter() - before[2], 'peak_kb': status('VmHWM') - before[0],
    'written': written() - before[1]}}), file=sys.stderr)
"""


@dataclass(frozen=True)
class Cost:
    """Seconds of a process or inside of it, and memory and bytes written of the code behind its imports."""

    seconds: float
    peak_mb: float = 0.0
    written: int = 0


def python(code: str, imports: str = "", inside: bool = False) -> Cost:
    """Time a piece of Python, start and imports included or not.

    Peak memory is VmHWM, mapped pages included, above that after `imports`.
    """
    source = _WRAPPER.format(imports=imports, code=code)
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - start
    told = json.loads(done.stderr.strip().splitlines()[-1])
    return Cost(told["seconds"] if inside else seconds, told["peak_kb"] / 1000, told["written"])


def command(*words: str) -> Cost:
    """Time a command."""
    start = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return Cost(time.perf_counter() - start)


def in_turn(runs: int, *cases: Callable[[], Cost]) -> list[list[Cost]]:
    """Run cases A B C A B C ..., after one round that is not counted."""
    costs: list[list[Cost]] = [[] for _ in cases]
    for n in range(runs + 1):
        for case, found in zip(cases, costs, strict=True):
            cost = case()
            if n:
                found.append(cost)
    return costs


def seconds(costs: list[Cost]) -> float:
    """Give the median."""
    return statistics.median(cost.seconds for cost in costs)


def ratio(ours: list[Cost], other: list[Cost]) -> float:
    """Give the median of the ratios pair by pair, which a drifting machine does not bend."""
    return statistics.median(a.seconds / b.seconds for a, b in zip(ours, other, strict=True))
