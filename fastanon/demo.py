"""``fastanon demo``: a synthetic study through the whole program, and a count that trusts none of it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from fastanon import api
from fastanon.errors import DONE, LEFT, UsageError
from fastanon.report import Report
from fastanon.synthetic import Person, make_study, planted_forms


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
    size = sum(path.stat().st_size for path in study.files)
    print(f"1. A synthetic Biograph mMR study: {len(study.files)} files, {size / 1e6:.0f} MB, in {root / 'study'}")
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
    print(f"   {'series':<8} {'files':>5} {'fields':>7} {'copies':>7} {'CSA leftovers':>14}   for example")
    found = api.inspect(study)
    for series in dict.fromkeys(Path(one.path).relative_to(study.resolve()).parts[0] for one in found):
        ones = [one for one in found if series in Path(one.path).parts]
        one = max(ones, key=lambda o: len(o.copies))
        example = next((f"{p.where.split(' > ')[-1]} at {p.offset}" for p in one.copies[::-1]), "")
        numbers = f"{len(one.fields):>7} {len(one.copies):>7} {one.slack:>14}"
        print(f"   {series:<8} {len(ones):>5} {numbers}   {example}")
    print()


def _count(root: Path, person: Person, report: Report) -> int:
    """Search every byte of both folders for what was planted, payloads included, without fastanon's search."""
    print("4. Counted by a plain search for the planted values in every byte, payloads included:\n")
    print(f"   {'':<12} {'before':>7} {'after':>7}")
    before, after = (_everything(root / name) for name in ("study", "anonymized"))
    left = 0
    for kind, forms in planted_forms(person).items():
        counts = [_occurrences(forms, files) for files in (before, after)]
        left += counts[1]
        print(f"   {kind:<12} {counts[0]:>7} {counts[1]:>7}")
    same = _digests(before.values()) == _digests(after.values())
    print(f"\n   payloads (list-mode, norm, pixels): {'the same, bit for bit' if same else 'NOT the same'}")
    clean = not left and same and report.exit_status == DONE
    print(f"\n{'Done: nothing that was planted is left.' if clean else 'NOT clean: see the report.'}")
    return DONE if clean else LEFT


def _everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _occurrences(forms: Iterable[bytes], files: dict[str, bytes]) -> int:
    texts = [os.path.basename(name).lower().encode() + b"\0" + data.lower() for name, data in files.items()]
    return sum(text.count(form.lower()) for form in forms for text in texts)


def _digests(files: Iterable[bytes]) -> list[str]:
    """Digest the last value of each file, as pydicom reads it; a .bf is all payload."""
    return sorted(hashlib.blake2b(_payload(data)).hexdigest() for data in files)


def _payload(data: bytes) -> bytes:
    from io import BytesIO

    import pydicom

    if data[128:132] != b"DICM":
        return data
    dataset = pydicom.dcmread(BytesIO(data))
    last = next(reversed(list(dataset.keys())))
    value = dataset.get_item(last).value
    return value if isinstance(value, bytes) else b""
