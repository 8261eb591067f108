"""A second run leaves its own output as it is, byte for byte; and takes nothing else for its own."""

from __future__ import annotations

import datetime
import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pydicom
import pytest
from pydicom.fileset import FileSet

import fastanon
from fastanon.beside import is_record
from fastanon.report import Report
from fastanon.synthetic import Person
from fastanon.synthetic.image import make_slice, make_umap_slice
from fastanon.synthetic.interfile_files import make_listmode_files, make_norm_files, make_sinogram
from fastanon.synthetic.older import make_older_slice
from fastanon.synthetic.packed import make_report
from fastanon.synthetic.ptd import make_ptd
from fastanon.synthetic.raw import make_listmode, make_listmode_pair, make_norm_pair
from fastanon.synthetic.rda import make_rda
from fastanon.synthetic.twix import make_twix
from fastanon.synthetic.xa import make_xa_frames, make_xa_slice
from tests.profiles import study
from tests.study200 import close

PERSON = Person()
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
PAYLOAD = 1 << 12


def make_directory(folder: Path) -> None:
    """Write a DICOMDIR and two images."""
    files = FileSet()
    for number in (1, 2):
        path = make_slice(folder / f"{number}", PERSON, 16, 16, number)
        files.add(path)
    files.write(folder / "media")
    close(files)
    for number in (1, 2):
        (folder / f"{number}").unlink()


#: Makers of files; each is called with a folder.
MAKERS: dict[str, Callable[[Path], object]] = {
    "slice": lambda folder: make_slice(folder / "a.dcm", PERSON, 16, 16),
    "mu-map": lambda folder: make_umap_slice(folder / "a.dcm", PERSON),
    "csa1": lambda folder: make_older_slice(folder / "a.dcm", PERSON),
    "xa": lambda folder: make_xa_slice(folder / "a.dcm", PERSON),
    "xa-frames": lambda folder: make_xa_frames(folder / "a.dcm", PERSON),
    "report": lambda folder: make_report(folder / "a.dcm", PERSON),
    "listmode": lambda folder: make_listmode(folder / "a.IMA", PAYLOAD, PERSON),
    "listmode-bf": lambda folder: make_listmode_pair(folder / "a.dcm", PAYLOAD, PERSON),
    "norm-bf": lambda folder: make_norm_pair(folder / "a.dcm", PERSON),
    "ptd": lambda folder: make_ptd(folder / "a.ptd", PAYLOAD, PERSON),
    "ptd-dummy": lambda folder: make_ptd(folder / "a.ptd", PAYLOAD, PERSON, flavor="dummy"),
    "twix-vb": lambda folder: make_twix(folder / "a.dat", PERSON, "VB", 1, 4096),
    "twix-ve": lambda folder: make_twix(folder / "a.dat", PERSON, "VE", 2, 4096),
    "rda": lambda folder: make_rda(folder / "a.rda", PERSON),
    "sinogram": lambda folder: make_sinogram(folder / "a.s.hdr", PERSON, 1 << 14),
    "interfile-listmode": lambda folder: make_listmode_files(folder / "a.l.hdr", PERSON, PAYLOAD),
    "interfile-norm": lambda folder: make_norm_files(folder / "a.n.hdr", PERSON),
    "dicomdir": make_directory,
}
#: What has no place for a marker: pseudonyms say whose output it is.
UNMARKED = ("twix-vb", "twix-ve", "rda", "sinogram", "interfile-listmode", "interfile-norm")

EACH = pytest.mark.parametrize("kind", MAKERS)
PROFILES = pytest.mark.parametrize("profile", ["petmr", "niftypet"])
KEYS = pytest.mark.parametrize("key", [KEY, None], ids=["kept", "forgotten"])


@pytest.fixture
def made(kind: str, tmp_path: Path) -> Path:
    """Make the files of a kind."""
    folder = tmp_path / "made"
    folder.mkdir()
    MAKERS[kind](folder)
    return folder


def digests(folder: Path) -> dict[str, str]:
    """Give every file below a folder by its name."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not is_record(path.name))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def statuses(report: Report) -> set[str]:
    return {one.status for one in report.files}


def in_place(folder: Path, **how: object) -> Report:
    report = fastanon.anonymize(folder, in_place=True, **how)  # type: ignore[arg-type]
    assert not statuses(report) & {"refused", "failed"}, str(report)
    return report


# every format


@KEYS
@PROFILES
@EACH
def test_in_place_again(made: Path, profile: str, key: bytes | None) -> None:
    original = digests(made)
    assert "anonymized" in statuses(in_place(made, profile=profile, key=key))
    first = digests(made)
    assert first != original
    assert statuses(in_place(made, profile=profile, key=key)) == {"unchanged"}
    assert digests(made) == first


@KEYS
@PROFILES
@EACH
def test_a_copy_of_a_copy(made: Path, profile: str, key: bytes | None, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    fastanon.anonymize(made, to=one, profile=profile, key=key)
    again = fastanon.anonymize(one, to=two, profile=profile, key=key)
    assert statuses(again) == {"copied"}
    assert digests(one) == digests(two)
    assert statuses(in_place(one, profile=profile, key=key)) == {"unchanged"}
    assert digests(one) == digests(two)


@EACH
def test_another_kept_key_changes_it_again(made: Path) -> None:
    in_place(made, key=KEY)
    first = digests(made)
    assert "anonymized" in statuses(in_place(made, key=OTHER))
    changed = digests(made)
    assert set(changed.values()) != set(first.values())
    assert statuses(in_place(made, key=OTHER)) == {"unchanged"}
    assert digests(made) == changed


@EACH
def test_a_kept_key_after_a_forgotten_one(made: Path) -> None:
    """What was anonymous may still get the pseudonyms of a key; then it stays."""
    in_place(made)
    in_place(made, key=KEY)
    first = digests(made)
    assert statuses(in_place(made, key=KEY)) == {"unchanged"}
    assert digests(made) == first


@pytest.mark.parametrize("kind", UNMARKED)
def test_an_unmarked_file_beside_a_marked_one(made: Path) -> None:
    """As in a study: the first run gives it the shift of the patient, the second knows it by itself."""
    make_slice(made / "z.dcm", PERSON, 16, 16)
    in_place(made, key=KEY)
    first = digests(made)
    assert statuses(in_place(made, key=KEY)) == {"unchanged"}
    assert digests(made) == first


# the strategies


def small(tmp_path: Path, **more: object) -> Path:
    return study.write(tmp_path / "in" / "a.dcm", study.patient(**more))


STRATEGIES: dict[str, Mapping[str, object]] = {
    "patch": {"profile": "niftypet", "key": KEY, "dob": "19800101"},
    "patch, forgotten": {"profile": "niftypet"},
    "rewrite": {"profile": "petmr", "key": KEY},
    "rewrite, forgotten": {"profile": "petmr"},
    "rewrite, basic": {"profile": "basic", "key": KEY},
}


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_in_place(name: str, tmp_path: Path) -> None:
    how = STRATEGIES[name]
    if "patch" in name:  # pseudonyms of 20 letters, and NiftyPET's words, fit what stood there
        path = small(tmp_path, PatientName="Q" * 19 + "^", PatientID="X" * 20, ReferringPhysicianName="R" * 20)
    else:
        path = small(tmp_path)
    (result,) = in_place(path.parent, **how).files
    assert (result.status, result.strategy) == ("anonymized", name.split(",")[0])
    first, times = path.read_bytes(), path.stat()
    (again,) = in_place(path.parent, **how).files
    assert (again.status, again.strategy, again.bytes_written) == ("unchanged", "none", 0)
    assert path.read_bytes() == first
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (times.st_mtime_ns, times.st_ino)


# dates


def shift(path: Path) -> int:
    """Give the days by which the study date went back; and check that every other date went with it."""
    ds = pydicom.dcmread(path)
    days = (datetime.date(2017, 3, 27) - datetime.datetime.strptime(ds.StudyDate, "%Y%m%d").date()).days
    moved = datetime.datetime.strptime(ds.AcquisitionDateTime, "%Y%m%d%H%M%S.%f")
    assert datetime.datetime(2020, 2, 29, 10, 11, 12, 123456) - moved == datetime.timedelta(days)
    return days


def test_dates_shift_once(tmp_path: Path) -> None:
    path = small(tmp_path, AcquisitionDateTime="20200229101112.123456")
    in_place(path.parent, key=KEY)
    days = shift(path)
    assert days > 0
    for how in ({"key": KEY}, {"key": KEY, "audit": "text"}, {"key": KEY}):
        in_place(path.parent, **how)
        assert shift(path) == days


def test_a_new_file_beside_own_output_gets_the_same_shift_and_name(tmp_path: Path) -> None:
    """A run that was broken off, or a study that grew."""
    path = small(tmp_path, AcquisitionDateTime="20200229101112.123456")
    later = path.with_name("b.dcm")
    shutil.copyfile(path, tmp_path / "kept")
    in_place(path.parent, key=KEY)
    first = path.read_bytes()
    shutil.copyfile(tmp_path / "kept", later)
    report = in_place(path.parent, key=KEY)
    assert sorted(one.status for one in report.files) == ["anonymized", "unchanged"]
    assert path.read_bytes() == later.read_bytes() == first


def test_a_scan_of_nobody_is_not_shifted_again(tmp_path: Path) -> None:
    """A norm scan took the shift of its study, and comes again without the study."""
    path = small(tmp_path, AcquisitionDateTime="20200229101112.123456", StudyInstanceUID="1.2.3.4.5.6")
    norm = study.patient(
        AcquisitionDateTime="20200229101112.123456", StudyInstanceUID="1.2.3.4.5.6", SOPInstanceUID="1.2.3.4.7"
    )
    del norm.PatientName, norm.PatientID, norm.PatientBirthDate
    alone = study.write(tmp_path / "in" / "norm.dcm", norm)
    in_place(path.parent, key=KEY)
    days = shift(path)
    assert shift(alone) == days
    first = alone.read_bytes()
    path.unlink()
    assert statuses(in_place(alone.parent, key=KEY)) == {"unchanged"}
    assert alone.read_bytes() == first


# what only claims to be own output

CLAIMS = (
    "fastanon 0.1.0 petmr 00000000",
    "fastanon 0.1.0 petmr",
    "fastanon",
    "petmr",
    "other 0.1.0 petmr 00000000",
)


@KEYS
@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_of_another_key_is_not_believed(claim: str, key: bytes | None, tmp_path: Path) -> None:
    path = small(tmp_path, DeidentificationMethod=claim, PatientIdentityRemoved="YES")
    (result,) = in_place(path.parent, key=key).files
    assert result.status == "anonymized"
    assert study.LAST.encode() not in path.read_bytes()


@KEYS
def test_own_output_that_got_its_patient_back_is_done_again(key: bytes | None, tmp_path: Path) -> None:
    """An archive writes the patient that it knows over what it is sent; the marker stays."""
    path = small(tmp_path)
    in_place(path.parent, key=key)
    ds = pydicom.dcmread(path)
    ds.PatientName, ds.PatientID = f"{study.LAST}^{study.FIRST}", study.NUMBER
    ds.save_as(path)
    (result,) = in_place(path.parent, key=key).files
    assert result.status == "anonymized"
    assert study.LAST.encode() not in path.read_bytes()
    assert study.NUMBER.encode() not in path.read_bytes()


def test_what_keeps_more_is_no_output_of_a_stricter_run(tmp_path: Path) -> None:
    path = small(tmp_path, StationName="SCANNER7")
    loose = ["retain-full-dates", "retain-device-identity", "retain-uids"]
    in_place(path.parent, profile="basic", options=loose, key=KEY)
    assert pydicom.dcmread(path).StudyDate == "20170327"
    in_place(path.parent, profile="basic", key=KEY)
    data = path.read_bytes()
    assert [text for text in (b"20170327", b"SCANNER7", study.INSTANCE.encode()) if text in data] == []


def test_another_profile_changes_it_again(tmp_path: Path) -> None:
    path = small(tmp_path, SeriesDescription="head")
    in_place(path.parent, profile="niftypet", key=KEY)
    assert pydicom.dcmread(path).StudyDate == "20170327"
    assert statuses(in_place(path.parent, profile="petmr", key=KEY)) == {"anonymized"}
    assert pydicom.dcmread(path).StudyDate != "20170327"
