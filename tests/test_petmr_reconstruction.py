"""Under the default profile too, NIPET and NIMPA read all that they need; dates move, and nothing between them.

The readers are those of ``tests.nipet``. NIMPA copies the birth date and does not read it (imio.py, ``dcminfo``):
it may be empty here. Every other date has to be one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pydicom
import pytest

import fastanon
from fastanon.errors import DONE
from fastanon.synthetic import Person, make_study
from tests import nipet
from tests.nipet import Scan
from tests.test_reconstruction import ELEMENTS, NIFTYPETS, PATIENTS, protocol_values

_KEY = bytes(range(32))
_WORDS = 4096
_BIRTH, _FRAME, _STUDY = "0010,0030", "0020,0052", "0020,000d"
_UIDS = ("0008,0018", "0020,000e", _STUDY, _FRAME)

#: Dates and the times beside them: study, series, acquisition, content, calibration.
_MOMENTS = (
    ("0008,0020", "0008,0030"), ("0008,0021", "0008,0031"), ("0008,0022", "0008,0032"), ("0008,0023", "0008,0033"),
    ("0018,1200", "0018,1201"),
)  # fmt: skip
_STAYING = [tag for tag in ELEMENTS if tag not in (*_UIDS, *(date for date, _ in _MOMENTS))]

_MOVING = (nipet.times, nipet.injection, nipet.radiopharmaceutical)
_READERS = [reader for reader in nipet.READERS if reader not in _MOVING]
_FILLING = (0x00020100, 0x00020102)
_INJECTION = ("0018,1078", "0018,1079")

#: What names a patient or an instance in a protocol.
_NAMES = re.compile(r"\w+LOID|tFrameOfReference|tReferenceImage\d")


class Pair(NamedTuple):
    """A file and its copy."""

    before: Scan
    after: Scan


def scans(folders: Iterable[Path]) -> dict[str, Scan]:
    """Read the DICOM files of folders, by their payloads: names of files and folders may be the patient's."""
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".dcm", ".IMA")]
    return {repr(nipet.payloads(scan)): scan for scan in map(Scan, sorted(files))}


def pairs_of(before: Path, after: Path) -> list[Pair]:
    """Give what NiftyPET's ``datain`` names: one list-mode pair, one single file, norm, mu-map and T1."""
    originals, copies = scans(before / name for name in NIFTYPETS), scans([after])
    assert len(originals) == len(NIFTYPETS)
    return [Pair(scan, copies[payloads]) for payloads, scan in originals.items()]


@pytest.fixture(scope="module", params=PATIENTS.values(), ids=PATIENTS)
def pairs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    folder = tmp_path_factory.mktemp("study")
    make_study(folder / "in", request.param, 4 * _WORDS, slices=1)
    assert fastanon.anonymize(folder / "in", to=folder / "out", key=_KEY).exit_status == DONE
    return pairs_of(folder / "in", folder / "out")


def test_what_is_read_stays(pairs: list[Pair]) -> None:
    for reader in _READERS:
        values = [reader(pair.before) for pair in pairs]
        assert [reader(pair.after) for pair in pairs] == values, reader.__name__
        assert any(values), reader.__name__
    for tag in _STAYING:
        values = [pair.before.raw.get(tag) for pair in pairs]
        assert [pair.after.raw.get(tag) for pair in pairs] == values, tag
        assert any(values), tag


def test_protocols_keep_all_but_names(pairs: list[Pair]) -> None:
    for pair in pairs:
        was, now = (protocol_values(scan) for scan in (pair.before, pair.after))
        assert len(was) > 500
        assert [key for key, _ in was] == [key for key, _ in now]
        changed = {key for (key, old), (_, new) in zip(was, now, strict=True) if old != new}
        assert {key for key in changed if not _NAMES.fullmatch(key)} == set()
        assert len([key for key in changed if not key.endswith("LOID")]) > 3


def moments(scan: Scan) -> Iterator[tuple[str, datetime]]:
    """Read every date with its time as NIMPA and NIPET do: one that is none raises."""
    for date, time in _MOMENTS:
        yield date, nipet.moment((scan.raw[date].strip() + scan.raw[time].strip()).decode("ascii"))
    injected = nipet.radiopharmaceutical(scan) or {}
    yield from (
        (tag, nipet.moment(injected[tag].decode("ascii").strip())) for tag in _INJECTION if tag in injected
    )
    for line in re.findall(r"date \(yyyy:mm:dd\)\s*:=\s*([\d:]+)", nipet.interfile(scan) or ""):
        yield "Interfile", datetime.strptime(line, "%Y:%m:%d")


def test_dates_are_dates_and_move_together(pairs: list[Pair]) -> None:
    moved: set[timedelta] = set()
    for pair in pairs:
        was, now = list(moments(pair.before)), list(moments(pair.after))
        assert [name for name, _ in was] == [name for name, _ in now]
        moved |= {old - new for (_, old), (_, new) in zip(was, now, strict=True)}
    assert len(moved) == 1
    days = moved.pop()
    assert timedelta(days=1) <= days <= timedelta(days=3650)
    assert days % timedelta(days=1) == timedelta(0)
    names = [name for pair in pairs for name, _ in moments(pair.after)]
    assert {"Interfile", *_INJECTION} < set(names)


def test_the_tracer_stays(pairs: list[Pair]) -> None:
    for pair in pairs:
        was, now = (nipet.radiopharmaceutical(scan) or {} for scan in (pair.before, pair.after))
        assert list(was) == list(now)
        assert {tag for tag in was if was[tag] != now[tag]} == {tag for tag in was if tag in _INJECTION}
        doses = [(nipet.injection(scan) or [])[:3] for scan in (pair.before, pair.after)]
        assert doses[0] == doses[1]


def test_uids_are_others_and_still_agree(pairs: list[Pair]) -> None:
    for tag in _UIDS:
        was, now = [pair.before.raw[tag] for pair in pairs], [pair.after.raw[tag] for pair in pairs]
        assert not set(was) & set(now)
        assert [was.index(uid) for uid in was] == [now.index(uid) for uid in now]
    for pair in pairs:
        named = [value for key, value in protocol_values(pair.after) if key == "tFrameOfReference"]
        assert set(named) == {pair.after.text(0x00200052)}


def test_the_patient_is_another(pairs: list[Pair]) -> None:
    for tag in ("0010,0010", "0010,0020", "0008,0080"):
        assert all(pair.after.raw[tag].strip() for pair in pairs), tag
        assert not {pair.before.raw[tag] for pair in pairs} & {pair.after.raw[tag] for pair in pairs}, tag
        assert len({pair.after.raw[tag] for pair in pairs}) == 1, tag
    assert {pair.after.raw[_BIRTH] for pair in pairs} == {b""}


def test_in_place_gives_the_same(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_study(tmp_path / name, Person(), 4 * _WORDS, slices=1)
    fastanon.anonymize(tmp_path / "one", to=tmp_path / "out", key=_KEY)
    fastanon.anonymize(tmp_path / "two", in_place=True, key=_KEY)
    for copy, own in pairs_of(tmp_path / "out", tmp_path / "two"):
        assert copy.path.stat().st_size == own.path.stat().st_size - filling(own.path)
        assert digest(copy.path) == digest(own.path)


def filling(path: Path) -> int:
    """Give the bytes of File Meta Private Information, with which a header keeps its size in place."""
    meta = pydicom.filereader.read_file_meta_info(path)
    return sum((8, 12)[tag == 0x00020102] + len(meta[tag].value) for tag in _FILLING if tag in meta)


def digest(path: Path) -> dict[int, object]:
    """Read everything but the filling."""
    ds = pydicom.dcmread(path)
    found = {**{e.tag: e.value for e in ds.file_meta}, **{e.tag: e.value for e in ds}}
    return {int(tag): value for tag, value in found.items() if tag not in (0x00020000, *_FILLING)}
