"""The calls of the public face as programs use them: whatever is iterable, profiles as values, a report."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pydicom
import pytest

import fastanon
from fastanon.errors import BatchError, FileError, LeakError, UsageError
from fastanon.pseudonyms import Pseudonyms, new_key, read_key
from fastanon.synthetic import Person, make_slice, make_study
from tests.canary import CANARIES, assert_clean
from tests.profiles import study
from tests.test_again import digests

FIRST, LAST, NUMBER, BIRTH = CANARIES
PERSON = Person(f"{LAST}^{FIRST}", NUMBER, BIRTH)
KEY = bytes(range(32))
SCAN = datetime.date(2017, 3, 27)
STUDY_UID = "1.3.6.1.4.1.9590.100.1.2.333444555666777"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write three files of the patient; the second names nobody, and is done last."""
    for n in range(3):
        ds = study.patient(SOPInstanceUID=f"{study.INSTANCE}.{n}", StudyInstanceUID=STUDY_UID)
        ds.InstitutionName = "Nowhere Hospital"
        if n == 1:
            del ds.PatientName, ds.PatientID, ds.PatientBirthDate
        study.write(tmp_path / "in" / f"{n}.dcm", ds)
    return tmp_path / "in"


# what may be given

OPTIONS: dict[str, Callable[[], Iterable[str]]] = {
    "set": lambda: {"retain-uids", "retain-full-dates"},
    "keys": lambda: {"retain-uids": 1, "retain-full-dates": 2}.keys(),
    "generator": lambda: (option for option in ("retain-full-dates", "retain-uids")),
    "iterator": lambda: iter(("retain-uids", "retain-full-dates")),
}


@pytest.mark.parametrize("kind", OPTIONS)
def test_options_are_any_iterable_and_a_profile_is_a_value(kind: str, folder: Path, tmp_path: Path) -> None:
    fastanon.anonymize(folder, to=tmp_path / "named", profile="basic", options=OPTIONS[kind](), key=KEY)
    profile = fastanon.load_profile("basic", OPTIONS[kind]())
    assert isinstance(profile, fastanon.Profile)
    report = fastanon.anonymize(folder, to=tmp_path / "loaded", profile=profile, key=KEY)
    assert digests(tmp_path / "named") == digests(tmp_path / "loaded")
    ds = pydicom.dcmread(tmp_path / "loaded" / "0.dcm")
    assert (ds.SOPInstanceUID, ds.StudyDate) == (f"{study.INSTANCE}.0", "20170327")
    assert ds.PatientName != f"{LAST}^{FIRST}"
    assert report.profile.startswith("basic")


def test_a_profile_has_its_options_already(folder: Path) -> None:
    for profile, options in ((fastanon.load_profile("basic"), ["retain-uids"]), ("basic", "retain-uids")):
        with pytest.raises(UsageError, match="option"):
            fastanon.anonymize(folder, in_place=True, profile=profile, options=options)


@pytest.mark.parametrize("spell", [str, Path], ids=["str", "Path"])
def test_a_profile_of_ones_own(spell: Callable[[Path], str | Path], folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('description = "ours"\nextends = "petmr"\n[actions]\nInstitutionName = "K"\n')
    fastanon.anonymize(folder, to=tmp_path / "named", profile=spell(path), key=KEY)
    report = fastanon.anonymize(
        folder, to=tmp_path / "loaded", profile=fastanon.load_profile(spell(path)), key=KEY
    )
    assert digests(tmp_path / "named") == digests(tmp_path / "loaded")
    ds = pydicom.dcmread(tmp_path / "loaded" / "0.dcm")
    assert ds.InstitutionName == "Nowhere Hospital"
    assert report.profile.startswith("own")
    assert report.profile in ds.DeidentificationMethod


def test_a_key_is_bytes_or_a_path(folder: Path, tmp_path: Path) -> None:
    new_key(tmp_path / "k")
    keys = (read_key(tmp_path / "k"), tmp_path / "k", str(tmp_path / "k"))
    reports = [fastanon.anonymize(folder, to=tmp_path / f"out{n}", key=key) for n, key in enumerate(keys)]
    assert digests(tmp_path / "out0") == digests(tmp_path / "out1") == digests(tmp_path / "out2")
    assert {one.key for one in reports} == {Pseudonyms(keys[0]).fingerprint}  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="32 bytes"):
        fastanon.anonymize(folder, to=tmp_path / "out", key=bytes(31))


@pytest.mark.parametrize("kind", ["generator", "iterator", "map"])
def test_paths_from_anywhere_and_results_in_their_order(kind: str, folder: Path, tmp_path: Path) -> None:
    paths = [folder / f"{n}.dcm" for n in (2, 1, 0)]
    sources: dict[str, Any] = {
        "generator": (path for path in paths),
        "iterator": iter(paths),
        "map": map(str, paths),
    }
    report = fastanon.anonymize(sources[kind], to=tmp_path / "out", key=KEY)
    assert isinstance(report, fastanon.Report)
    assert [one.source for one in report.files] == [str(path) for path in paths]
    assert [one.output for one in report.files] == [str(tmp_path / "out" / path.name) for path in paths]
    assert all(isinstance(one, fastanon.FileResult) and one.listed and one.audit for one in report.files)
    assert report.count("anonymized") == 3
    report.raise_for_leaks()


# what is raised


def test_a_leak_is_raised(tmp_path: Path) -> None:
    """The profile niftypet does not rename, and in place nobody else does."""
    make_slice(tmp_path / f"{LAST}.dcm", PERSON, 16, 16)
    report = fastanon.anonymize(tmp_path, in_place=True, profile="niftypet")
    with pytest.raises(LeakError, match="1 places") as caught:
        report.raise_for_leaks()
    assert_clean(str(caught.value), report.to_json())


def test_a_refused_file_is_raised(folder: Path, tmp_path: Path) -> None:
    (folder / "1.dcm").write_bytes((folder / "0.dcm").read_bytes()[:-3])
    report = fastanon.anonymize(folder, to=tmp_path / "out")
    assert [one.status for one in report.files] == ["anonymized", "refused", "anonymized"]
    with pytest.raises(BatchError, match=r"1\.dcm: refused") as caught:
        report.raise_for_leaks()
    assert not isinstance(caught.value, LeakError)


def test_nothing_is_raised_of_nothing(tmp_path: Path) -> None:
    assert fastanon.anonymize(iter(()), to=tmp_path / "out").files == ()


# plans


@pytest.mark.parametrize("profile", ["petmr", "basic", "niftypet"])
def test_a_plan_is_what_is_done(profile: str, folder: Path) -> None:
    loaded = fastanon.load_profile(profile)
    (folder / "broken.dcm").write_bytes((folder / "0.dcm").read_bytes()[:-3])
    before = digests(folder)
    plans = fastanon.plan(iter(sorted(folder.iterdir())), profile=loaded, key=KEY)
    assert digests(folder) == before
    assert [type(one) for one in plans[:3]] == [fastanon.Plan] * 3
    assert isinstance(plans[3], FileError)
    assert_clean(repr(plans))
    report = fastanon.anonymize(folder, in_place=True, profile=loaded, key=KEY)
    for planned, done in zip(plans[:3], report.files[:3], strict=True):
        assert isinstance(planned, fastanon.Plan)
        assert (planned.path, planned.strategy, len(planned.edits)) == (done.source, done.strategy, done.edits)


# audits


@pytest.fixture(scope="module", params=["petmr", "basic", "niftypet"])
def audited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """Give a profile, a study and fastanon's copy of it; `basic` does without the raw data, which it refuses."""
    root = tmp_path_factory.mktemp(request.param)
    made = make_study(root / "made", PERSON, 1 << 12, 2)
    for path in (*made.listmode, *made.norm, *made.ptd, *made.report) if request.param == "basic" else ():
        path.unlink()
    fastanon.anonymize(made.folder, to=root / "copy", profile=request.param, key=KEY).raise_for_leaks()
    return request.param, made.folder, root / "copy"


def test_own_output_has_nothing_left(audited: tuple[str, Path, Path]) -> None:
    profile, original, copy = audited
    report = fastanon.audit(copy, against=original, profile=profile)
    assert [str(one) for one in report.files if one.leaks or one.status != "audited"] == []
    assert len(report.files) == (13 if profile == "basic" else 19)
    report.raise_for_leaks()


@pytest.mark.parametrize("own", [True, False], ids=["own place", "text"])
@pytest.mark.parametrize("keyword", ["InstitutionName", "SOPInstanceUID", "StudyDate", "PatientName"])
def test_what_is_planted_is_found(
    keyword: str, own: bool, audited: tuple[str, Path, Path], tmp_path: Path
) -> None:
    profile, original, copy = audited
    old = pydicom.dcmread(original / "T1" / "0001.dcm")
    ds = pydicom.dcmread(copy / "T1" / "0001.dcm")
    if own:
        ds[keyword].value = old[keyword].value
    else:
        ds.SeriesDescription = f"of {old[keyword].value} too"
    ds.save_as(tmp_path / "0001.dcm")
    report = fastanon.audit(tmp_path, against=original / "T1", profile=fastanon.load_profile(profile))
    stays = profile == "niftypet" and keyword != "PatientName"
    assert (report.leaks > 0) != stays
    assert_clean(report.to_json())


# scans of nobody


def dated(path: Path, who: tuple[str, str] | None, study_uid: str = "") -> Path:
    ds = study.patient()
    if who:
        ds.PatientName, ds.PatientID = who
    else:
        del ds.PatientName, ds.PatientID, ds.PatientBirthDate
    if study_uid:
        ds.StudyInstanceUID = study_uid
    return study.write(path, ds)


def headed(path: Path) -> Path:
    """Write an Interfile header that names nobody, and its data."""
    path.write_bytes(b"!INTERFILE:=\r\n%study date (yyyy:mm:dd):=2017:03:27\r\n!name of data file:=a.n\r\n")
    path.with_suffix("").write_bytes(bytes(range(256)))
    return path


def days(path: Path) -> int:
    """Give the days by which the study date of a file went back."""
    if path.suffix == ".hdr":
        (found,) = re.findall(rb"date \(yyyy:mm:dd\):=(\d{4}):(\d\d):(\d\d)", path.read_bytes())
        return (SCAN - datetime.date(*map(int, found))).days
    return (SCAN - datetime.datetime.strptime(pydicom.dcmread(path).StudyDate, "%Y%m%d").date()).days


A, B = (f"{LAST}^{FIRST}", NUMBER), ("OESTERBLOM^INGVAR", "0815-4242-99")


@pytest.mark.parametrize("to", [True, False], ids=["copy", "in place"])
def test_a_scan_of_nobody_takes_the_shift_of_its_study(to: bool, tmp_path: Path) -> None:
    """By the study's UID, whatever lies nearer; without one that of the only patient of the nearest folder."""
    root = tmp_path / "in"
    a = dated(root / "a" / "0.dcm", A, f"{STUDY_UID}.1")
    b = dated(root / "b" / "0.dcm", B, f"{STUDY_UID}.2")
    by_study = dated(root / "b" / "norm.dcm", None, f"{STUDY_UID}.1")
    by_folder = [dated(root / "b" / "sub" / "n.dcm", None), headed(root / "b" / "a.n.hdr")]
    above, nobody = dated(root / "a" / "x" / "y" / "n.dcm", None), dated(root / "c" / "n.dcm", None)
    header = headed(root / "a.n.hdr")
    out = tmp_path / "out" if to else root
    report = fastanon.anonymize(root, key=KEY, **({"to": out} if to else {"in_place": True}))  # type: ignore[arg-type]
    assert {one.status for one in report.files} == {"anonymized"}
    report.raise_for_leaks()
    found = {
        path: days(out / path.relative_to(root)) for path in (a, b, by_study, *by_folder, above, nobody, header)
    }
    assert found[a] != found[b]
    assert found[by_study] == found[above] == found[a]
    assert [found[path] for path in by_folder] == [found[b]] * 2
    assert found[nobody] == found[header] == Pseudonyms(KEY).days("")
