"""``fastanon demo``: a synthetic study through the whole program, and a count that trusts none of it."""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from fastanon import api
from fastanon.errors import DONE, LEFT, UsageError
from fastanon.fields import Place
from fastanon.report import Report
from fastanon.synthetic import Person, make_study, planted_forms
from fastanon.synthetic.packed import unpack
from fastanon.synthetic.payload import payload_of


def demo(folder: str | os.PathLike[str], listmode_bytes: int = 24 << 20) -> int:
    """Make a study, show what identifies it, anonymize it, count what is left.

    Parameters
    ----------
    folder : path
        Must not exist yet. It gets ``study``, ``anonymized`` and ``report.json``.
    listmode_bytes : int
        Size of each list-mode payload.

    Returns
    -------
    int
        The exit status: 0, or 3 if a planted value is left or a payload is not what it was.

    Raises
    ------
    UsageError
        If the folder exists.
    """
    root = Path(folder)
    if root.exists():
        raise UsageError(f"{root}: exists already; name a new folder")
    person = Person()
    start = time.perf_counter()
    study = make_study(root / "study", person, listmode_bytes)
    size = sum(path.stat().st_size for path in study.files) / 1e6
    print(f"1. A synthetic study of one patient: {len(study.files)} files, {size:.0f} MB, in {root / 'study'}")
    print(f"   made in {time.perf_counter() - start:.1f} s; the patient is invented\n")
    _show(root / "study")
    start = time.perf_counter()
    report = api.anonymize(root / "study", to=root / "anonymized")
    seconds = time.perf_counter() - start
    (root / "report.json").write_text(report.to_json(), encoding="ascii")
    print(f"3. Anonymized to {root / 'anonymized'} in {seconds:.1f} s; report in {root / 'report.json'}")
    print(f"   {report.summary()}\n")
    return _count(root, person, report)


def _show(study: Path) -> None:
    print("2. What identifies the patient (fastanon inspect), a file of each series:\n")
    print(f"   {'series':<8} {'files':>5} {'fields':>7} {'copies':>7} {'leftovers':>10}   for example")
    found: dict[str, list[api.Inspection]] = {}
    for one in api.inspect(study):
        found.setdefault(Path(one.path).relative_to(study.resolve()).parts[0], []).append(one)
    fullest = {series: max(ones, key=lambda one: len(one.copies)) for series, ones in found.items()}
    common = Counter(name for one in fullest.values() for name in {_name(place) for place in one.copies})
    for series, one in fullest.items():
        numbers = f"{len(one.fields):>7} {len(one.copies):>7} {one.slack:>10}"
        print(f"   {series:<8} {len(found[series]):>5} {numbers}   {_example(one.copies, common)}")
    print("\n   leftovers: what the scanner's memory held before, between the values of a header\n")


def _name(place: Place) -> str:
    return " > ".join(place.where.split(" > ")[-2:])


def _example(copies: Iterable[Place], common: Counter[str]) -> str:
    """Give a place that few series have; the next series shows another one."""
    place = min(copies, key=lambda place: (common[_name(place)], -place.where.count(">")), default=None)
    if place is None:
        return ""
    common[_name(place)] += len(common)
    return f"{_name(place)} at {place.offset}"


def _count(root: Path, person: Person, report: Report) -> int:
    """Search every byte of both folders for what was planted, payloads included, without fastanon's search."""
    print("4. Counted by a plain search for the planted values in every byte, payloads included:\n")
    print(f"   {'':<12} {'before':>7} {'after':>7} {'packed':>7}")
    before, after = (_everything(root / name) for name in ("study", "anonymized"))
    reports = sorted((root / "anonymized" / "REPORT").iterdir())
    packed = [text.lower() for path in reports for text in unpack(path.read_bytes())]
    totals = [0, 0, 0]
    for kind, forms in planted_forms(person).items():
        counts = [_occurrences(forms, texts) for texts in (before, after, packed)]
        totals = [a + b for a, b in zip(totals, counts, strict=True)]
        print(f"   {kind:<12} {counts[0]:>7} {counts[1]:>7} {counts[2]:>7}")
    same = _digests(root / "study") == _digests(root / "anonymized")
    listed = sum(len(one.audit.packed) for one in report.files if one.audit)
    print("\n   packed: in zip and base64 after the run, in texts that the report lists as not searched")
    print(f"   payloads (list-mode, norm, pixels, spectra): {'the same, bit for bit' if same else 'NOT the same'}")
    clean = not totals[1] and same and report.exit_status == DONE and (listed == len(packed) or not totals[2])
    where = f", but for what {listed} packed texts hold" if totals[2] else ""
    print(f"\n{f'Done: nothing that was planted is left{where}.' if clean else 'NOT clean: see the report.'}")
    return DONE if clean else LEFT


def _everything(folder: Path) -> list[bytes]:
    """Give every file in lower case, its name first."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path.name.lower().encode() + b"\0" + path.read_bytes().lower() for path in files]


def _occurrences(forms: Iterable[bytes], texts: Iterable[bytes]) -> int:
    return sum(text.count(form.lower()) for form in forms for text in texts)


def _digests(folder: Path) -> list[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(hashlib.blake2b(payload_of(path)).hexdigest() for path in files)
