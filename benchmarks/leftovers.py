"""The same files through fastanon and its peers: what each leaves, breaks and keeps, as a Markdown table.

    FASTANON_CORPUS=DIR python -m benchmarks.leftovers [--files 50] [--keep DIR]

What is left is found without fastanon: pydicom reads what identifies in the input, and every byte of the output is
searched for it. Errors are dciodvfy's, where it is installed. The folder of the corpus may hold phi_census.json,
made by other means: a list of files, each with "identifying_values" of "value", "class" and "keywords".
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from benchmarks.deidentifiers import PROGRAMS, Program
from benchmarks.folders import again, run
from benchmarks.remains import KINDS, PIXELS, Census, Sample, Values, identifying, kept, kind_of, left, measured
from tests.validators import PROGRAMS as VALIDATORS
from tests.validators import errors

#: Of one folder of the corpus at most so many files, none of them larger: a variety that runs in minutes.
PER_FOLDER, LARGEST = 8, 2 << 20
SECONDS = 600
#: Those that de-identify by default: other rows of `PROGRAMS` do what they are told.
COMPARED = ("fastanon petmr", "fastanon basic", "dicognito", "dicom-anonymizer", "deid")

#: The rows of what is kept, lost and broken: the key of the count, and what it says.
KEPT = (
    ("pixels", "pixel data the same, files"),
    ("CSA", "CSA headers kept, every tag and length"),
    ("payloads", "other private values of 1 KiB and more kept, at their length"),
    ("payloads same", "the same, not a bit changed"),
    ("private", "private elements kept"),
    ("dates", "dates kept or shifted, not emptied"),
    ("links", "UIDs that stood in several places and are still one in several"),
)
BROKEN = (
    ("no instance", "files without a SOP, series or study instance UID"),
    ("meta", "files whose (0002,0003) and (0008,0018) no longer agree"),
    ("several", "UIDs that became several"),
    ("merged", "UIDs that several became"),
    ("unreadable", "files that pydicom can't read"),
    ("errors", "files with an error that dciodvfy did not find before"),
    ("changed again", "files that a second run changes"),
    ("dates again", "files whose dates a second run changes"),
)


def choose(corpus: Path, count: int) -> list[Sample]:
    """Give the files with private data first, then by how many values identify; ties by name."""
    ranked = []
    for path in sorted(p for p in corpus.rglob("*") if p.is_file() and p.stat().st_size <= LARGEST):
        try:
            sample = Sample(path)
        except (InvalidDicomError, OSError, ValueError, NotImplementedError, KeyError, TypeError, AttributeError):
            continue  # pydicom does not read it: then no peer does
        if PIXELS in sample.dataset or sample.private():
            filled = sum(bool(kind_of(key)) and bool(str(v)) for key, (_, v) in sample.values.items())
            ranked.append((not sample.private(), -filled, path.relative_to(corpus).as_posix(), sample))
    chosen: list[Sample] = []
    folders: Counter[str] = Counter()
    for *_, name, sample in sorted(ranked, key=lambda one: one[:3]):
        folder = name.split("/")[0]
        if folders[folder] < PER_FOLDER and len(chosen) < count:
            folders[folder] += 1
            chosen.append(sample)
    return chosen


def new_errors(olds: dict[str, Sample], folder: Path) -> int | None:
    """Count the files in which dciodvfy finds an error that it did not find before."""
    dciodvfy = VALIDATORS[:1]
    if dciodvfy[0].missing:
        return None
    pairs = [(old.path, folder / name) for name, old in olds.items() if (folder / name).is_file()]
    return sum(
        any(errors(dciodvfy, new)[n] - errors(dciodvfy, old)[n] for n in ("dciodvfy",)) for old, new in pairs
    )


def second(olds: Iterable[str], one: Path, two: Path) -> Counter[str]:
    """Count the files that a second run changes, and those whose dates it changes."""
    found: Counter[str] = Counter()
    for name in olds:
        if (one / name).is_file() and (two / name).is_file():
            found["changed again"] += (one / name).read_bytes() != (two / name).read_bytes()
            before, after = Sample(one / name).dates(), Sample(two / name).dates()
            found["dates again"] += any(day != after[key] for key, day in before.items() if key in after)
    return found


def census_of(corpus: Path) -> Census:
    """Read what others found to identify in each file, if there is such a list."""
    path = corpus / "phi_census.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["files"] if path.is_file() else []
    return {row["file"]: row.get("identifying_values", []) for row in rows}


def column(program: Program, olds: dict[str, Sample], values: dict[str, Values], root: Path) -> dict[str, object]:
    """Run one program twice, and give what is measured by the keys of the rows."""
    one, two = root / program.name / "one", root / program.name / "two"
    one.parent.mkdir()
    ran = run(program, root / "in", one, SECONDS)
    again(program, one, two, SECONDS)
    found = measured(olds, one, values) + second(olds, one, two)
    return {
        **{key: found[key] for key, _ in (*KEPT, *BROKEN)},
        **{kind: found[f"left: {kind}"] for kind in KINDS},
        "errors": new_errors(olds, one),
        "failed": f"{len(ran.failed)}{', and stopped there' if ran.stopped else ''}",
        "seconds": f"{ran.seconds:.1f}",
    }


def table(columns: dict[str, dict[str, object]]) -> str:
    """Give the table in Markdown."""
    rows = [("failed", "files without output"), *((kind, f"{kind} left, files") for kind in KINDS)]
    rows += [*KEPT, *BROKEN, ("seconds", "wall time of all files, s")]
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    lines += [f"| {said} | {' | '.join(str(c.get(key, '')) for c in columns.values())} |" for key, said in rows]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=50)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave inputs and outputs here")
    options = parser.parse_args()
    corpus = Path(os.environ["FASTANON_CORPUS"])
    root = options.keep or Path(tempfile.mkdtemp())
    (root / "in").mkdir(parents=True)
    census, olds, values = census_of(corpus), {}, {}
    for number, sample in enumerate(choose(corpus, options.files)):
        name = f"{number:03d}.dcm"
        shutil.copyfile(sample.path, root / "in" / name)
        olds[name] = sample
        values[name] = identifying(sample, census, sample.path.relative_to(corpus).as_posix())
    columns: dict[str, dict[str, object]] = {"in the input": dict(present(olds, values))}
    for program in (one for one in PROGRAMS if one.name in COMPARED):
        columns[f"{program.name} {program.version}"] = column(program, olds, values, root)
        print(program.name, "done", file=sys.stderr)
    print(f"{len(olds)} files; {datetime.date.today()}; pydicom {pydicom.__version__}\n\n{table(columns)}")
    if not options.keep:
        shutil.rmtree(root)


def present(olds: dict[str, Sample], values: dict[str, Values]) -> Counter[str]:
    """Count in the input what can be left, and what there is to keep."""
    found = Counter(kind for name, old in olds.items() for kind in left(old.path.read_bytes(), values[name]))
    for old in olds.values():
        found.update({key: count for key, count in kept(old, old).items() if key in dict(KEPT)})
    places = Counter(uid for old in olds.values() for uid in old.own_uids().values())
    found["links"] = sum(count > 1 for count in places.values())
    return found


if __name__ == "__main__":
    main()
