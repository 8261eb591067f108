"""Copies under the default profile as pydicom reads them: what stays, what moves, and what a key decides."""

from __future__ import annotations

import datetime
import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pydicom
import pytest
from pydicom import config
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pydicom.valuerep import validate_value

import fastanon
from fastanon.beside import is_record
from fastanon.pseudonyms import new_key
from tests.corpus import TALLY, Sample, corpus_folder
from tests.validators import distinct

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, of the files as they came

_STANDARD = "1.2.840.10008."  # PS3.6 A: names of DICOM's own
_YEARS = range(1850, 2201)  # others are no dates of a patient or a scanner
_BULK = re.compile(r"7fe0,00(08|09|10)|7fe1,..10")
_ID, _BIRTH, _ACCESSION = "0010,0020", "0010,0030", "0008,0050"

#: Its content is a dummy (D in Table E.1-1, or the standard's X/Z/D come to it), times too.
_DUMMY = re.compile(r"(.*/)?0008,1111\[.*")

#: What says how a file was de-identified is written anew, whatever it was.
_MARKERS = re.compile("0012,006[234].*|0028,0303")

#: UIDs that name no instance, by keyword: software, classes of objects, encodings, tables of codes.
_GENERAL = re.compile(
    r".*(Class|TransferSyntax\w*|CodingScheme|Context|MappingResource|CreatorVersion|ContextGroupExtensionCreator)UID\w*"
)

_FEWEST, _FEWEST_WITH_CORPUS = 150, 300
_NOTE = "copies under petmr that pydicom has read"


class Value(NamedTuple):
    """An element as pydicom decodes it; where it raises, the VR is ``error``."""

    vr: str
    texts: tuple[str, ...]
    data: bytes = b""


class Pair(NamedTuple):
    """A file and its copy, by the path of each element; nothing of a file that is refused."""

    sample: Sample
    copy: Path | None
    before: dict[str, Value]
    after: dict[str, Value]

    def both(self, *vrs: str) -> Iterator[tuple[str, Value, Value]]:
        """Give the elements of these VRs, or of any, that are still there."""
        for path, value in self.before.items():
            if path in self.after and (value.vr in vrs or not vrs):
                yield path, value, self.after[path]


def elements(ds: Dataset, prefix: str = "") -> Iterator[tuple[str, Value]]:
    """Decode every element at every depth."""
    for tag in list(ds.keys()):
        path = f"{prefix}{tag.group:04x},{tag.element:04x}"
        try:
            element = ds[tag]
            value = element.value
            many = [] if value is None else [value] if element.VM < 2 or element.VR == "SQ" else value
            texts = tuple(map(str, many)) if not isinstance(value, bytes) and element.VR != "SQ" else ()
        except Exception as error:  # noqa: BLE001  # what pydicom raises is compared, whatever it is
            yield path, Value("error", (type(error).__name__,))
            continue
        yield path, Value(element.VR, texts, value if isinstance(value, bytes) else b"")
        for number, item in enumerate(value if element.VR == "SQ" else ()):
            yield from elements(item, f"{path}[{number}]/")


def read(path: Path) -> dict[str, Value]:
    """Give all elements by path; none of what pydicom can't open."""
    try:
        ds = pydicom.dcmread(path, force=True)
    except Exception:  # noqa: BLE001  # the same
        return {}
    return dict(elements(ds.file_meta)) | dict(elements(ds))


def copied(sample: Sample, folder: Path, key: Path) -> Path | None:
    (result,) = fastanon.anonymize(sample.path, to=folder, key=key).files
    assert result.status in ("anonymized", "copied", "refused"), result
    there = folder.rglob("*") if folder.exists() else ()
    found = [path for path in there if path.is_file() and not is_record(path.name)]
    assert len(found) == (result.status != "refused")
    return found[0] if found else None


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("one", "two"):
        new_key(folder / name)
    return folder / "one", folder / "two"


@pytest.fixture(scope="module", params=distinct(), ids=lambda sample: sample.name)
def pair(
    request: pytest.FixtureRequest, keys: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Pair:
    copy = copied(request.param, tmp_path_factory.mktemp("copy") / "out", keys[0])
    if copy is None:
        return Pair(request.param, None, {}, {})
    TALLY.notes[_NOTE] += 1
    return Pair(request.param, copy, read(request.param.path), read(copy))


def test_every_element_is_decoded(pair: Pair) -> None:
    raised = [path for path, value in pair.after.items() if value.vr == "error"]
    assert [path for path in raised if pair.before.get(path, Value("", ())).vr != "error"] == []
    assert bool(pair.after) == bool(pair.before)
    assert [path for path, was, now in pair.both() if was.vr != now.vr and not _MARKERS.fullmatch(path)] == []


def test_bulk_stays(pair: Pair) -> None:
    bulk = {path: value.data for path, value in pair.before.items() if _BULK.fullmatch(path[-9:])}
    missing = [path for path in bulk if path not in pair.after]
    assert [path for path in missing if path.rpartition("[")[0] in pair.after or "/" not in path] == []
    kept = [path for path in bulk if path in pair.after]
    assert [path for path in kept if _digest(bulk[path]) != _digest(pair.after[path].data)] == []


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_pixels_are_decoded_to_the_same(pair: Pair) -> None:
    if "7fe0,0010" not in pair.after:
        return
    assert pair.copy is not None
    was, now = (_pixels(path) for path in (pair.sample.path, pair.copy))
    assert was == now


def _pixels(path: Path) -> tuple[object, ...]:
    try:
        array = pydicom.dcmread(path, force=True).pixel_array
    except Exception as error:  # noqa: BLE001  # most often no decoder is installed
        return (type(error).__name__,)
    return array.shape, array.dtype, _digest(array.tobytes())


def test_class_syntax_and_body_stay(pair: Pair) -> None:
    for path in ("0002,0002", "0002,0010", "0008,0016", "0010,0040", "0010,1020", "0010,1030"):
        assert pair.before.get(path) == pair.after.get(path), path


def test_the_instance_uid_is_that_of_the_meta_information(pair: Pair) -> None:
    was, now = ([values.get(path) for path in ("0002,0003", "0008,0018")] for values in (pair.before, pair.after))
    if None not in was and was[0] == was[1]:
        assert now[0] == now[1]


def valid(vr: str, texts: tuple[str, ...]) -> bool:
    """Say whether pydicom finds the values right for their VR."""
    try:
        for text in texts:
            validate_value(vr, text, config.RAISE)
            assert vr != "UI" or not text or UID(text).is_valid
    except (ValueError, AssertionError):
        return False
    return True


def test_values_are_valid_where_they_were(pair: Pair) -> None:
    for path, now in pair.after.items():
        was = pair.before.get(path)
        if was is None or (was.vr == now.vr and valid(was.vr, was.texts)):
            assert valid(now.vr, now.texts), (path, was, now)


def day(text: str) -> datetime.date | None:
    """Read a full date at the start of a value of DA or DT."""
    match = re.match(r"(\d{4})(\.?)(\d\d)\2(\d\d)", text)
    try:
        found = datetime.date(int(match[1]), int(match[3]), int(match[4])) if match else None
    except ValueError:
        return None
    return found if found and found.year in _YEARS else None


def moved(pair: Pair) -> Iterator[tuple[str, str, str, str]]:
    """Give whose it is, path, old and new value of each date that is still one."""
    whose = patients(pair.sample.path)
    for path, was, now in pair.both("DA", "DT"):
        if path[-9:] != _BIRTH and any(map(day, was.texts)):
            assert len(was.texts) == len(now.texts), path
            record = re.match(r"0004,1220\[\d+\]", path)
            person = whose[record[0] if record else ""]
            yield from ((person, path, a, b) for a, b in zip(was.texts, now.texts, strict=True) if day(a))


def patients(path: Path) -> dict[str, str]:
    """Give whose a dataset is, and each record of a DICOMDIR by the tree of its offsets (PS3.3 F.3)."""
    ds = pydicom.dcmread(path, force=True)
    records = {item.seq_item_tell: item for item in ds.get("DirectoryRecordSequence", ())}
    above: dict[int, int] = {}
    for at, item in records.items():
        below = item.get("OffsetOfReferencedLowerLevelDirectoryEntity", 0)
        while below in records and below not in above:
            above[below] = at
            below = records[below].get("OffsetOfTheNextDirectoryRecord", 0)
    whose = {"": _patient(ds)}
    for number, at in enumerate(records):
        while at in above and not _patient(records[at]):
            at = above[at]
        whose[f"0004,1220[{number}]"] = _patient(records[at]) or whose[""]
    return whose


def _patient(ds: Dataset) -> str:
    return str(ds.get("PatientID") or "").strip() or str(ds.get("PatientName") or "").strip(" ^=")


#: By how many days the dates of each patient have gone back.
_DAYS: dict[str, int] = {}


def test_dates_of_a_patient_move_together(pair: Pair) -> None:
    for person, path, old, new in moved(pair):
        before, after = day(old), day(new)
        assert before is not None
        assert after is not None, (path, old, new)
        assert (len(old), _rest(old)) == (len(new), _rest(new)), (path, old, new)
        days = (before - after).days
        assert 1 <= days <= 3650, (path, old, new)
        assert _DAYS.setdefault(person, days) == days, (path, old, new)


def _rest(text: str) -> str:
    """Give what stands behind the date."""
    return text[10 if "." in text[:8] else 8 :]


def test_times_of_day_stay(pair: Pair) -> None:
    moved = [(path, was, now) for path, was, now in pair.both("TM") if was != now]
    assert [three for three in moved if not _DUMMY.fullmatch(three[0])] == []


def test_a_second_run_changes_nothing(pair: Pair, keys: tuple[Path, Path], tmp_path: Path) -> None:
    if pair.copy is None:
        return
    once = shutil.copyfile(pair.copy, tmp_path / pair.copy.name)  # without its mode, which may be read-only
    (result,) = fastanon.anonymize(once, in_place=True, key=keys[0]).files
    assert result.status == "unchanged", result
    assert once.read_bytes() == pair.copy.read_bytes()


def test_the_same_key_gives_the_same_bytes(pair: Pair, keys: tuple[Path, Path], tmp_path: Path) -> None:
    again = copied(pair.sample, tmp_path / "out", keys[0])
    assert (again and again.read_bytes()) == (pair.copy and pair.copy.read_bytes())


def test_another_key_gives_other_people_and_instances(pair: Pair, keys: tuple[Path, Path], tmp_path: Path) -> None:
    copy = copied(pair.sample, tmp_path / "out", keys[1])
    other = read(copy) if copy else {}
    assert list(other) == list(pair.after)
    for path, was, now in pair.both():
        if is_own(path, was.vr):
            threes = zip(was.texts, now.texts, other[path].texts, strict=True)
            assert [t for t in threes if t[1] and not t[0].startswith(_STANDARD) and len(set(t)) < 3] == [], path


def is_own(path: str, vr: str) -> bool:
    """Say whether an element names a person, an ID of one, or an instance."""
    return vr == "PN" or path in (_ID, _ACCESSION) or (vr == "UI" and not _GENERAL.fullmatch(_keyword(path)))


def _keyword(path: str) -> str:
    return keyword_for_tag(int(path[-9:].replace(",", ""), 16))


def test_enough_was_compared() -> None:
    """Run behind the others: files that were refused have compared nothing."""
    assert TALLY.notes[_NOTE] >= (_FEWEST_WITH_CORPUS if corpus_folder() else _FEWEST)
