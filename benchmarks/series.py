"""The slices of one series under the whole profile, beside the walk and write of the same slices with one edit.

``python -m benchmarks.series [--slices N] [--runs N]`` makes slices with CSA headers, asserts that the patient is
gone from what the profile wrote and that pixels are kept, and prints medians of runs in turn, in process and warm.
The rival is pydicom, which reads a slice, sets the name and saves.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pydicom

from fastanon.container import read_parts
from fastanon.dicom import DicomPart
from fastanon.edits import Edit
from fastanon.files import Source
from fastanon.landing import Landing, land
from fastanon.names import Mask, Met, Renamed
from fastanon.opened import Opened
from fastanon.planner import Plan
from fastanon.rewrite import stage, sync
from fastanon.schemes import make_scheme
from fastanon.synthetic import Person, make_study
from fastanon.work import Options, Work

GOAL = 3.0


def one_edit(source: Path, target: Path) -> None:
    """Walk a slice and write it with another name in it."""
    with Opened(str(source)) as opened:
        dataset = read_parts(opened)[-1]
        assert isinstance(dataset, DicomPart)
        element = dataset.elements[dataset.elements.rows_of((0x00100010,))[0]]
        edit = Edit(element.value, element.length, b"X" * element.length, "name")
        plan = Plan(str(source), opened.identity, (edit,), (), 0, 0, 0)
        staged = stage(opened, plan, str(target.parent), lambda _: None)
    sync([staged.path])
    land([Landing(((staged.path, str(target)),))])


def with_profile(audit: str, many: bool = False) -> Callable[[Path, Path], None]:
    """Give what does a slice under `petmr`, on its own or by another of its series."""
    scheme = make_scheme()
    works: dict[Path, Work] = {}

    def one(source: Path, target: Path) -> None:
        work = works.setdefault(
            target.parent, Work(Options(scheme, str(target.parent), audit), lambda _: None, many)
        )
        with Opened(str(source)) as opened:
            found = work.search(opened, Source(str(source), source.name), lambda _: None)
            renamed = Renamed(Mask(scheme), Met(found.needles), {})
            made = work.do(opened, Source(str(source), source.name), found, renamed)
        scheme.rows.clear()
        sync([made.staged])
        land([Landing(((made.staged, str(target)),))])

    return one


def with_pydicom(source: Path, target: Path) -> None:
    """Set the name with pydicom."""
    ds = pydicom.dcmread(source)
    ds.PatientName = "X"
    ds.save_as(target)


def check(source: Path, target: Path) -> None:
    """Assert that a slice was done."""
    before, after = pydicom.dcmread(source), pydicom.dcmread(target)
    assert after.PixelData == before.PixelData
    assert Person().family.encode() not in target.read_bytes().upper()
    assert after.SOPInstanceUID != before.SOPInstanceUID
    assert after.StudyDate != before.StudyDate


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slices", type=int, default=24)
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    cases = {
        "walk and write, one edit": one_edit, "petmr": with_profile("none"),
        "petmr, audited in full": with_profile("full"),
        "the same, by another slice": with_profile("full", many=True), "pydicom sets the name": with_pydicom,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        slices = make_study(root / "study", Person(), 1 << 16, slices=options.slices).t1
        with_profile("none")(slices[0], root / "checked.dcm")
        check(slices[0], root / "checked.dcm")
        size = slices[0].stat().st_size
        times: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(options.runs + 1):
            for name, do in cases.items():
                times[name].append(_time(do, slices, root))
    floor = statistics.median(times["walk and write, one edit"][1:])
    print(f"{len(slices)} slices of {size} bytes; goal of petmr: {GOAL}x")
    for name, found in times.items():
        middle = statistics.median(found[1:])  # the first warms up
        print(f"{name:<28} {1e3 * middle / len(slices):>8.2f} ms a slice  {middle / floor:>6.2f}x")


def _time(do: Callable[[Path, Path], None], slices: list[Path], root: Path) -> float:
    target = root / "out.dcm"
    start = time.perf_counter()
    for path in slices:
        do(path, target)
        target.unlink()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
