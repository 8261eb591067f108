"""The scanner beside a floor and its rivals, on list-mode words, random bytes and the text of protocols.

    python -m benchmarks.scan [--size 2048] [--runs 7] [--folder DIR] [TEXT ...]

Before anything is timed, the list of all matches in 256 MiB must be hyperscan's own. Files are searched from the
page cache; the floor reads them in the same chunks and does nothing. What counts are the ratios within one round:
the median of them is shown. With FASTANON_CORPUS set, "siemens" is the text in the files of that folder.
"""

from __future__ import annotations

import argparse
import mmap
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import hyperscan
import numpy as np
from ahocorasick import Automaton

from fastanon.identity import Value, needles_of
from fastanon.scan import Match, Pattern, in_file, matcher, stream
from fastanon.synthetic.person import Person
from fastanon.synthetic.protocol import phoenix_protocol
from fastanon.synthetic.words import listmode_blocks

MIB = 1 << 20
IN_MEMORY = 256 * MIB

#: Common family names, of 4 to 11 letters: 128 to look for, and some that stand in the text of protocols.
NAMES = """smith johnson williams jones brown davis miller wilson moore taylor anderson thomas jackson white
harris martin thompson garcia martinez robinson clark rodriguez lewis walker allen young hernandez wright lopez
scott green adams baker gonzalez nelson carter mitchell perez roberts turner phillips campbell parker evans
edwards collins stewart sanchez morris rogers reed morgan murphy bailey rivera cooper richardson howard torres
peterson ramirez james watson brooks kelly sanders price bennett barnes henderson coleman jenkins perry powell
patterson hughes flores washington butler simmons foster gonzales bryant alexander russell griffin schmidt
mueller schneider fischer weber meyer wagner becker schulz hoffmann schaefer koch bauer richter klein schroeder
neumann schwarz zimmermann braun krueger hofmann hartmann lange schmitt werner krause lehmann koehler maier
herrmann koenig walter mayer huber kaiser fuchs peters lang scholz moeller weiss jung hahn friedrich keller
guenther frank berger winkler roth beck lorenz baumann franke albrecht""".split()

#: Invented patients: name, date of birth, number.
PATIENTS = (
    ("VAN DER BERG^ANNA", "19540312", "MRN-00471108"),
    ("M\xdcLLER^J\xdcRGEN", "19610923", "4471108"),
    ("GARC\xcdA L\xd3PEZ^MAR\xcdA JOS\xc9", "19870102", "HX0099812"),
    ("SMITH^JOHN", "19490717", "12345678"),
)

#: Goals: the largest time over the floor's in bulk, and the least speed over hyperscan's, in bulk and in text.
OVER_FLOOR = {"1 name": 1.4, "32 names": 1.6, "128 names": 1.9}
OVER_HYPERSCAN = {f"{n} names": {True: 2.5, False: 1.0} for n in (8, 32, 128)}


def pattern_sets() -> dict[str, list[Pattern]]:
    """Give the sets to look for: plain names, and all that is searched for of one patient and of four."""
    sets = {f"{n} name{'s' * (n > 1)}": [Pattern(x.encode(), True) for x in NAMES[:n]] for n in (1, 8, 32, 128)}
    for n in (1, 4):
        values = [
            Value(kind=kind, text=text, encoding="ISO_IR 100", new="x")
            for patient in PATIENTS[:n]
            for kind, text in zip(("name", "date", "id"), patient, strict=True)
        ]
        needles, _ = needles_of(tuple(values))
        sets[f"{n} patient{'s' * (n > 1)}"] = sorted({Pattern(needle.data, needle.fold) for needle in needles})
    return sets


def repeated(blocks: list[bytes], size: int) -> Iterator[bytes]:
    """Give blocks again and again, so many bytes in all."""
    for block in cycle(blocks):
        if size <= 0:
            return
        yield block[:size]
        size -= len(block)


def random_blocks(size: int) -> Iterator[bytes]:
    """Give random bytes."""
    draw = np.random.default_rng(1)
    return (draw.bytes(min(8 * MIB, size - at)) for at in range(0, size, 8 * MIB))


def protocol_blocks(size: int) -> Iterator[bytes]:
    """Give protocols of people who are not searched for."""
    people = [Person(name=f"{name.upper()}^EVE", patient_id=f"PX{n:06d}") for n, name in enumerate(NAMES[128:])]
    texts = [phoenix_protocol(person, f"1.2.3.{n}", f"seq_{n}") for n, person in enumerate(people)]
    return repeated([text.encode("latin-1") for text in texts], size)


def siemens_blocks(size: int) -> Iterator[bytes]:
    """Give the runs of text in the files of the corpus that hold a protocol."""
    found = []
    for path in sorted(Path(os.environ["FASTANON_CORPUS"]).rglob("*")):
        data = path.read_bytes() if path.is_file() and path.stat().st_size < 64 * MIB else b""
        if b"ASCCONV" in data:
            found.append(b"".join(re.findall(rb"[\t\r\n -~\xa0-\xff]{200,}", data)))
    return repeated(found, size)


TEXTS: dict[str, Callable[[int], Iterator[bytes]]] = {
    "list-mode": listmode_blocks, "random": random_blocks, "protocol": protocol_blocks,
    **({"siemens": siemens_blocks} if "FASTANON_CORPUS" in os.environ else {}),
}  # fmt: skip


class Hyperscan:
    """A database of the same patterns."""

    def __init__(self, patterns: list[Pattern]) -> None:
        self.sizes = [len(pattern.data) for pattern in patterns]
        self.database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self.database.compile(
            expressions=[b"".join(b"\\x%02x" % byte for byte in pattern.data) for pattern in patterns],
            ids=list(range(len(patterns))),
            elements=len(patterns),
            flags=[hyperscan.HS_FLAG_CASELESS if pattern.fold else 0 for pattern in patterns],
        )

    def find(self, data: bytes) -> list[Match]:
        """Give what `Matcher.find` does."""
        found: list[Match] = []
        self.database.scan(data, lambda n, _, end, *__: found.append((end - self.sizes[n], n)))
        return sorted(found)


def aho_corasick(patterns: list[Pattern], text: str) -> Callable[[], int]:
    """Get ready to count matches, all of them in either case, in a text that is in lower case."""
    automaton = Automaton()
    for n, pattern in enumerate(patterns):
        automaton.add_word(pattern.data.decode("latin-1"), n)
    automaton.make_automaton()
    return lambda: sum(1 for _ in automaton.iter(text))


def ripgrep(patterns: list[Pattern], path: Path) -> Callable[[], object] | None:
    """Get ready to count lines, unless it is not installed or a pattern holds what ends a line."""
    if not shutil.which("rg") or any({0, 10} & set(pattern.data) for pattern in patterns):
        return None
    words = [word for pattern in patterns for word in ("-e", os.fsdecode(pattern.data))]
    command = ["rg", "-aicF", "--no-unicode", "--no-config", *words, str(path)]
    return lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=False)


def floor(fd: int, size: int) -> None:
    """Read a file as `in_file` does."""
    view, at = memoryview(mmap.mmap(-1, stream.CHUNK)), 0
    while at < size:
        at += os.preadv(fd, [view], at)


def seconds(case: Callable[[], object]) -> float:
    """Time a call."""
    start = time.perf_counter()
    case()
    return time.perf_counter() - start


def measure(cases: dict[str, Callable[[], object]], runs: int) -> dict[str, list[float]]:
    """Time cases in turn, A B C A B C ..."""
    times: dict[str, list[float]] = {case: [] for case in cases}
    for _ in range(runs):
        for case, run in cases.items():
            times[case].append(seconds(run))
    return times


def ratio(ours: list[float], other: list[float]) -> float:
    """Give the median of the ratios pair by pair, which a drifting machine does not bend."""
    return statistics.median(a / b for a, b in zip(ours, other, strict=True))


def compare(text: str, patterns: list[Pattern], name: str, path: Path, runs: int) -> str:
    """Check one set against hyperscan, time all, and give a row of the table."""
    search, rival = matcher(patterns), Hyperscan(patterns)
    with path.open("rb") as file:
        data, fd, size = file.read(IN_MEMORY), file.fileno(), path.stat().st_size
        assert search.find(data) == rival.find(data), (text, name)
        cases: dict[str, Callable[[], object]] = {
            "floor": lambda: floor(fd, size),
            "one": lambda: in_file(fd, search, 0, size),
            "two": lambda: in_file(fd, search, 0, size, threads=2),
            "here": lambda: search.find(data),
            "hyperscan": lambda: rival.find(data),
        }
        times = measure(cases, runs)
    rg, part = ripgrep(patterns, path), data[: 64 * MIB].lower().decode("latin-1")
    bulk = text in ("list-mode", "random")
    return ROW.format(
        text,
        f"{name}, {len(patterns)}",
        speed(size, times["floor"]),
        with_goal(ratio(times["one"], times["floor"]), OVER_FLOOR.get(name) if bulk else None, False),
        f"{ratio(times['one'], times['two']):.2f}x",
        speed(len(data), times["here"]),
        with_goal(ratio(times["hyperscan"], times["here"]), OVER_HYPERSCAN.get(name, {}).get(bulk), True),
        speed(size, [seconds(rg)]) if rg else "-",
        speed(len(part), [seconds(aho_corasick(patterns, part))]),
    )


def speed(size: int, times: list[float]) -> str:
    """Give GB/s."""
    return f"{size / statistics.median(times) / 1e9:.2f}"


def with_goal(value: float, goal: float | None, at_least: bool) -> str:
    """Show a ratio beside its goal."""
    if goal is None:
        return f"{value:.2f}x"
    missed = value < goal if at_least else value > goal
    return f"{value:.2f}x ({goal}){' MISSED' if missed else ''}"


ROW = "| {:<9} | {:<15} | {:>5} | {:>19} | {:>9} | {:>9} | {:>19} | {:>7} | {:>12} |"


def main() -> None:
    """Make the files, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="*", choices=[*TEXTS, []], metavar="TEXT", help=", ".join(TEXTS))
    parser.add_argument("--size", type=int, default=2048, help="MiB of each file")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--folder", help="where the files are made; a temporary folder by default")
    options = parser.parse_args()
    heads = ("text", "patterns", "floor", "over the floor", "2 threads", "in memory", "over hyperscan", "ripgrep")
    print("Speeds in GB/s; floor, in memory: medians.", ROW.format(*heads, "ahocorasick"), sep="\n")
    print(ROW.format(*["---"] * 9))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for text in options.texts or TEXTS:
            path = Path(folder) / text
            with path.open("wb") as file:
                file.writelines(TEXTS[text](options.size * MIB))
            for name, patterns in pattern_sets().items():
                print(compare(text, patterns, name, path, options.runs), flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
