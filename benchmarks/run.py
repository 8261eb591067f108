"""Whole-process benchmarks: floor, fastanon and a rival on the same input in the same run.

    python -m benchmarks.run [--runs 7] [--folder DIR] [CASE ...]

Every case first asserts that its result is right. A goal that is missed is printed as missed. The folder
needs 7 GB; what counts are the ratios.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pydicom

from benchmarks.processes import Cost, command, in_turn, python, ratio, seconds
from fastanon.synthetic import Person, make_listmode, make_slice

MIB = 1 << 20
ROW = "| {:<43} | {:>9} | {:>9} | {:>9} | {:>12} | {:>12} | {} |"
PYDICOM = "ds = pydicom.dcmread({0!r}); ds.PatientName = 'anonymised'; ds.save_as({1!r})"


def payload_digest(path: Path) -> str:
    """Digest the payload, found by pydicom and read from the file in blocks."""
    with path.open("rb") as file:
        last = list(pydicom.dcmread(file, defer_size=1 << 16, specific_tags=None)._dict.values())[-1]
        file.seek(last.value_tell)
        digest, left = hashlib.blake2b(), last.length
        while left:
            block = file.read(min(left, 8 * MIB))
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()


def check(path: Path, digest: str) -> None:
    """Assert that the patient is another and the payload the same."""
    name = str(pydicom.dcmread(path, stop_before_pixels=True, defer_size=1 << 16).PatientName)
    assert name
    assert not name.startswith(Person().family)
    assert payload_digest(path) == digest


def row(name: str, floor: float, ours: float, rival: float, measured: str, goal: str, met: bool) -> None:
    """Print one line of the table."""
    numbers = [f"{x * 1000:.3g} ms" if x < 1 else f"{x:.3g} s" for x in (floor, ours, rival)]
    print(ROW.format(name, *numbers, measured, goal, "met" if met else "MISSED"), flush=True)


def in_place(folder: Path, runs: int, profile: str = "niftypet") -> None:
    """2 GiB and 64 MiB in place: bytes written, memory, and that time does not grow with the payload."""
    files = {size: folder / f"{size}.IMA" for size in (64, 2048)}
    digests = {}
    for size, path in files.items():
        make_listmode(path, size * MIB)
        digests[size] = payload_digest(path)
    keep = {size: path.read_bytes()[:MIB] for size, path in files.items()}

    def again(size: int) -> Callable[[], Cost]:
        def case() -> Cost:
            with files[size].open("r+b") as file:  # the old header, so that every run has the same to do
                file.write(keep[size])
                os.fsync(file.fileno())
            return python(
                f"anonymize({str(files[size])!r}, in_place=True, profile={profile!r}, audit='text')",
                "from fastanon import anonymize; import fastanon.api",
            )

        return case

    def floor() -> Cost:
        code = (
            "f = open({0!r}, 'r+b'); d = f.read(1 << 20); f.seek(0); f.write(d); f.flush(); os.fsync(f.fileno())"
        )
        return python(code.format(str(files[2048])), "import os")

    small, large, least = in_turn(runs, again(64), again(2048), floor)
    for size, path in files.items():
        check(path, digests[size])
    rival = python(PYDICOM.format(str(files[2048]), str(folder / "rival.IMA")), "import pydicom")
    grown, peak = ratio(large, small), max(c.peak_mb for c in large)
    written = max(c.written for c in large)
    both = (seconds(least), seconds(large), rival.seconds)
    what = f"2 GiB in place, {profile}"
    row(f"{what}: bytes written", *both, f"{written / 1000:.0f} kB", "< 1 MB", written < MIB)
    row(f"{what}: peak memory", *both, f"{peak:.0f} MB", "< 150 MB", peak < 150)
    row(f"{what}: time over 64 MiB's", *both, f"{grown:.2f}x", "<= 1.2x", grown <= 1.2)


_WARM = """
import os
from fastanon.auditor import Secrets, of_copy
from fastanon.schemes import make_scheme
from fastanon.identity import Value, needles_of
os.sched_setaffinity(0, {cpus})
needles = needles_of((Value("name", "QUARTERMAINE^ALLAN^J", "", ""), Value("id", "QM-1887-0042", "", "")))[0]
secrets, scheme = Secrets.of(needles), make_scheme("niftypet")
of_copy({small!r}, secrets, scheme)
"""


_LOADED = "import os, numba, numpy, fastanon.auditor, fastanon.scan.compiled"


def full_audit(folder: Path, runs: int) -> None:
    """Every byte of 2 GiB searched for the values of somebody else, in process and warm, beside cat."""
    large, small = folder / "large.IMA", folder / "small.IMA"
    make_listmode(large, 2048 * MIB)
    make_listmode(small, 64 * MIB)
    code = (
        f"found = of_copy({str(large)!r}, secrets, scheme); "
        f"assert (found.scanned, found.payload, found.leaks) == ({large.stat().st_size}, 0, ()), found"
    )

    def audit(cpus: set[int]) -> Callable[[], Cost]:
        return lambda: python(code, _WARM.format(cpus=cpus, small=str(small)), inside=True)

    def cat() -> Cost:
        return command("sh", "-c", f"cat '{large}' > /dev/null")

    def rival() -> Cost:
        return command("sh", "-c", f"rg -aic --no-mmap -e quartermaine -e allan -e qm-1887-0042 '{large}' || true")

    cpus = sorted(os.sched_getaffinity(0))
    one, two, least = in_turn(runs, audit({cpus[0]}), audit(set(cpus[:2])), cat)
    other = rival().seconds if shutil.which("rg") else float("nan")
    for name, mine, goal in (("one thread", one, 2.0), ("two threads", two, 1.3)):
        found = ratio(mine, least)
        times = (seconds(least), seconds(mine), other)
        row(f"2 GiB audited in full, {name}", *times, f"{found:.2f}x cat", f"<= {goal}x", found <= goal)
    peak = python(_WARM.format(cpus=set(cpus), small=str(large)).replace("import os\n", ""), _LOADED).peak_mb
    row("2 GiB audited in full: peak memory", *times, f"{peak:.0f} MB", "< 150 MB", peak < 150)


def to_copy(folder: Path, runs: int) -> None:
    """To a new file, beside cp followed by sync."""
    for size in (512, 2048):
        source, ours, floor = folder / "source.IMA", folder / "ours", folder / "floor.IMA"
        make_listmode(source, size * MIB)
        digest = payload_digest(source)

        def fastanon(source: Path = source, ours: Path = ours) -> Cost:
            shutil.rmtree(ours, ignore_errors=True)
            return command(sys.executable, "-m", "fastanon", "anonymize", str(source), "-o", str(ours))

        def cp(source: Path = source, floor: Path = floor) -> Cost:
            floor.unlink(missing_ok=True)
            return command("sh", "-c", f"cp '{source}' '{floor}' && sync '{floor}'")

        mine, least = in_turn(runs, fastanon, cp)
        check(ours / "source.IMA", digest)
        rival = python(PYDICOM.format(str(source), str(floor)), "import pydicom")
        found = ratio(mine, least)
        times = (seconds(least), seconds(mine), rival.seconds)
        row(f"{size} MiB to a new file, audited", *times, f"{found:.2f}x cp+sync", "<= 1.5x", found <= 1.5)


def one_slice(folder: Path, runs: int) -> None:
    """One slice through the whole command line."""
    path, output = folder / "slice.dcm", folder / "slices"
    make_slice(path)

    def fastanon() -> Cost:
        shutil.rmtree(output, ignore_errors=True)
        return command(sys.executable, "-m", "fastanon", "anonymize", str(path), "-o", str(output))

    def floor() -> Cost:
        return command(sys.executable, "-c", "import numpy")

    def rival() -> Cost:
        code = "import pydicom; " + PYDICOM.format(str(path), str(folder / "rival.dcm"))
        return command(sys.executable, "-c", code)

    mine, least, other = in_turn(runs, fastanon, floor, rival)
    assert pydicom.dcmread(output / "slice.dcm").PixelData == pydicom.dcmread(path).PixelData
    code = (
        f"main(['anonymize', {str(path)!r}, '-o', {str(folder / 'again')!r}]); assert 'numba' not in sys.modules"
    )
    python(code, "import sys; from fastanon.cli import main")
    found = ratio(mine, least)
    times = (seconds(least), seconds(mine), seconds(other))
    row("one slice, whole command line", *times, f"{found:.2f}x numpy", "<= 2.5x", found <= 2.5)


CASES = {
    "in_place": in_place,
    "refit": partial(in_place, profile="petmr"),
    "full_audit": full_audit,
    "to_copy": to_copy,
    "one_slice": one_slice,
}


def main() -> None:
    """Run the cases that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--folder", help="where the inputs are made; a temporary folder by default")
    options = parser.parse_args()
    print(ROW.format("case", "floor", "fastanon", "pydicom", "measured", "goal", ""))
    print(ROW.format(*["---"] * 7))
    for name in options.cases or CASES:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            CASES[name](Path(folder), options.runs)


if __name__ == "__main__":
    main()
