"""What was aimed at, beside what was measured: a goal that is missed stays a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmarks.cases import CAT, COPY, CP, HELP, IN_PLACE, NUMPY, PASS, SLICE, TEXT, WARM
from benchmarks.lab import ALL, ONE, PEERS
from benchmarks.processes import median

Found = dict[str, Any]

#: What, in which section, which case over which, and how much it may be.
RATIOS = (
    ("slices to a new folder, one process, over `cp -r`", "slices", COPY + ONE, CP, 1.5),
    ("slices to a new folder, all cores, over `cp -r`", "slices", COPY + ALL, CP, 1.0),
    ("slices in place, all cores, over `cp -r`", "slices", IN_PLACE + ALL, CP, 1.0),
    ("list-mode to a new file, over `cp`", "listmode", COPY, CP, 1.5),
    ("list-mode in place, in process and warm, over `cat`", "listmode", WARM, CAT, 2.0),
    ("enhanced multi-frame to a new file, over `cp`", "enhanced", COPY, CP, 2.0),
    ("`fastanon --help` over `python -c pass`", "start", HELP, PASS, 3.0),
    ('one slice over `python -c "import numpy"`', "start", SLICE, NUMPY, 2.0),
)
#: The most seconds of a whole process, cold, for list-mode in place with `--audit text`.
TEXT_SECONDS = 0.3
#: How many times as fast as each peer that keeps an enhanced image whole.
TIMES_FASTER = 5.0
#: What passes for linear and for flat: of the largest over the one in the middle.
LINEAR, FLAT = 1.25, 1.25


class Row(NamedTuple):
    """A goal: what, what was measured, what was wanted, and whether that was met."""

    what: str
    measured: str
    wanted: str
    met: bool


def seconds(found: Found, section: str, case: str) -> float:
    """Give the median of a case."""
    return median(found[section]["cases"][case]["seconds"])


def over(found: Found, section: str, case: str, other: str) -> float:
    """Give the median of the ratios pair by pair, which a drifting machine does not bend."""
    cases = found[section]["cases"]
    pairs = zip(cases[case]["seconds"], cases[other]["seconds"], strict=False)
    return median([ours / theirs for ours, theirs in pairs])


def rows(found: Found) -> Iterator[Row]:
    """Judge all goals."""
    for what, section, case, other, most in RATIOS:
        ratio = over(found, section, case, other)
        yield Row(what, f"{ratio:.2f}x", f"at most {most}x", ratio <= most)
    cold = seconds(found, "listmode", TEXT)
    yield Row(
        "list-mode in place, `--audit text`, whole process",
        f"{cold:.2f} s",
        f"under {TEXT_SECONDS} s",
        cold < TEXT_SECONDS,
    )
    for parallel in (ONE, ALL):
        yield _ahead(found, parallel)
    yield _enhanced(found)
    yield from _growth(found["growth"])


def _done(found: Found, section: str, suffix: str = "") -> dict[str, Found]:
    """Give the peers that did their work, by name."""
    cases = found[section]["cases"]
    named = ((one.name, cases.get(one.name + suffix)) for one in PEERS)
    return {name: case for name, case in named if case and case["status"] == 0 and case["payload"] != "no output"}


def _ahead(found: Found, suffix: str) -> Row:
    name = min(_done(found, "slices", suffix), key=lambda name: seconds(found, "slices", name + suffix))
    faster = 1 / over(found, "slices", COPY + suffix, name + suffix)
    return Row(
        f"slices{suffix}, over the fastest peer, {name}", f"{faster:.2f}x its files/s", "over 1x", faster > 1
    )


def _enhanced(found: Found) -> Row:
    whole = [name for name, case in _done(found, "enhanced").items() if case["whole"]]
    name = min(whole, key=lambda name: seconds(found, "enhanced", name))
    faster = 1 / over(found, "enhanced", COPY, name)
    what = f"enhanced multi-frame, over the fastest peer that keeps it whole, {name}"
    return Row(what, f"{faster:.2f}x as fast", f"at least {TIMES_FASTER:g}x", faster >= TIMES_FASTER)


def _growth(found: Found) -> Iterator[Row]:
    """Judge the largest by the one in the middle: the smallest may do without the compiled scanner."""
    for key, unit, noun in (("files", 1, "files"), ("full", 1 << 20, "MiB")):
        middle, last = found[key][len(found[key]) // 2], found[key][-1]
        sizes = f"{last[0] // unit:,} {noun}", f"{middle[0] // unit:,}"
        grown = last[1] / last[0] / (middle[1] / middle[0])
        yield Row(
            f"{sizes[0]}, time of each over that of {sizes[1]}",
            f"{grown:.2f}x",
            f"at most {LINEAR}x",
            grown <= LINEAR,
        )
        grown = last[2] / middle[2]
        yield Row(
            f"{sizes[0]}, peak memory over that of {sizes[1]}", f"{grown:.2f}x", f"at most {FLAT}x", grown <= FLAT
        )
