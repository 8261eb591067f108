"""The tables of the page, from what was measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from benchmarks.cases import COPY, CP, HELP, IN_PLACE, NUMPY, PASS, SLICE, TEXT
from benchmarks.goals import Found, over, rows
from benchmarks.lab import ALL, ONE, PEERS
from benchmarks.processes import median

_DASH = "-"
How = Callable[[float], float]


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Give a table in Markdown."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *lines))


def number(value: float) -> str:
    """Give three digits, all before the point, and at most three behind it."""
    if not value:
        return "0"
    return f"{value:,.{min(3, max(0, 2 - math.floor(math.log10(abs(value)))))}f}"


def goals(found: Found) -> str:
    """Give every goal, met or missed."""
    lines = ((row.what, row.measured, row.wanted, "met" if row.met else "**MISSED**") for row in rows(found))
    return table(("", "measured", "wanted", ""), lines)


def main_table(found: Found) -> str:
    """Give what the README shows: who does how much, and what is left."""
    head = ("", "slices/s", "list-mode, s", "enhanced, s", "names left", "pixels", "list-mode", "CSA headers")
    ours = [("to a folder", COPY), ("in place", IN_PLACE), ("in place, `--audit text`", TEXT)]
    lines = [(CP, *_speeds(found, CP), "all", "", "", "")]
    lines += [(f"**fastanon** {what}", *_all(found, case)) for what, case in ours]
    lines += [(one.name, *_all(found, one.name)) for one in PEERS if _measured(found, one.name)]
    return table(head, lines)


def _measured(found: Found, name: str) -> bool:
    return any(name in found[section]["cases"] for section in ("listmode", "enhanced"))


def _all(found: Found, name: str) -> tuple[str, ...]:
    keys = {"slices": name + ONE, "listmode": name, "enhanced": name}
    cases = {section: found[section]["cases"].get(key) for section, key in keys.items()}
    left = " / ".join(_left(found, section, case) for section, case in cases.items())
    pixels = _agreed(_payload(cases[section]) for section in ("slices", "enhanced") if cases[section])
    events = _agreed(_payload(case) for case in (cases["listmode"],) if case)
    private = _agreed(cases[section]["private"] for section in ("slices", "listmode") if cases[section])
    return (*_speeds(found, name), left, pixels, events, private)


def _agreed(words: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(words)) or _DASH


def _speeds(found: Found, name: str) -> tuple[str, str, str]:
    cases, count = found["slices"]["cases"], found["sizes"]["slices"]
    shown = (_seconds(cases.get(name + suffix), lambda s: count / s) for suffix in (ONE, ALL))
    files = _seconds(cases[name], lambda s: count / s) if name in cases else " / ".join(shown)
    return files, *(_seconds(found[section]["cases"].get(name)) for section in ("listmode", "enhanced"))


def _seconds(case: Found | None, how: How = lambda seconds: seconds) -> str:
    if case and case["status"]:
        return "failed"
    return number(how(_median(case))) if case else _DASH


def _median(case: Found) -> float:
    return median(case["seconds"])


def _left(found: Found, section: str, case: Found | None) -> str:
    """Give the copies of the name in each file, the last one counted as a whole."""
    if not case or case["payload"] == "no output":
        return _DASH
    return str(math.ceil(case["names"] / (found["sizes"]["slices"] if section == "slices" else 1)))


def _payload(case: Found) -> str:
    return case["payload"] + (f", exit {case['status']}" if case["status"] else "")


def slices(found: Found) -> str:
    """Give all that was measured of a series."""
    count = found["sizes"]["slices"]
    return _section(found, "slices", ("files/s", "names left in a file", "CSA headers"), [CP], lambda s: count / s)


def one_file(found: Found, section: str, private: str, floors: Sequence[str]) -> str:
    """Give all that was measured of one large file."""
    return _section(found, section, ("s", "names left", private), floors)


def _section(
    found: Found,
    section: str,
    heads: tuple[str, str, str],
    floors: Sequence[str],
    how: How = lambda seconds: seconds,
) -> str:
    speed, names, private = heads
    ratios = [f"over {floor.split(',')[0]}" for floor in floors]
    head = ("", speed, *ratios, "processor, s", "peak, MB", "written, MB", names, "payload", private)
    lines = []
    for name, case in found[section]["cases"].items():
        failed = bool(case["status"])
        times = [_DASH if failed else f"{over(found, section, name, floor):.2f}x" for floor in floors]
        left = (_left(found, section, case), _payload(case), case["private"]) if "names" in case else ("", "", "")
        lines.append((name, _seconds(case, how), *times, *_costs(case), *left))
    return table(head, [*lines, *_missing(found, len(head))])


def _costs(case: Found) -> tuple[str, str, str]:
    return number(case["cpu"]), number(case["peak_mb"]), number(case["written"] / 1e6)


def _missing(found: Found, columns: int) -> Iterator[tuple[str, ...]]:
    for name, why in found["missing"].items():
        yield name, why, *[""] * (columns - 2)


def start(found: Found) -> str:
    """Give what the smallest tasks cost."""
    floors = {HELP: PASS, SLICE: NUMPY}
    lines = []
    for name, case in found["start"]["cases"].items():
        floor = floors.get(name, PASS if name == NUMPY else NUMPY)
        shown = "" if name == PASS else f"{over(found, 'start', name, floor):.2f}x {floor}"
        lines.append(
            (name, number(1000 * _median(case)), number(1000 * case["cpu"]), number(case["peak_mb"]), shown)
        )
    return table(("", "ms", "processor, ms", "peak, MB", "over"), lines)


def growth(found: Found) -> str:
    """Give the figures of the plot."""
    shown = {
        "files": ("{:,.0f} files of 92 kB, all cores", 1), "full": ("{:,.0f} MiB, every byte audited", 1 << 20),
        "text": ("{:,.0f} MiB, text audited", 1 << 20),
    }  # fmt: skip
    lines = [(what.format(row[0] / unit), number(row[1]), number(row[2]))
             for key, (what, unit) in shown.items() for row in found["growth"][key]]  # fmt: skip
    return table(("", "s", "peak, MB"), lines)
