"""People: names with all their parts, ages, dates of birth, and what the user wants to read instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import config
from pydicom.dataset import Dataset
from pydicom.valuerep import validate_value

import fastanon
from tests.profiles import study
from tests.profiles.values import BIRTH, FIRST, LAST

FULL = f"{LAST}^{FIRST}^Ottokar^Dr.^MD"
NAMES = {
    "five components": ("ISO_IR 100", FULL, [LAST, FIRST, "Ottokar"]),
    "three groups": (
        ["", "ISO 2022 IR 87"],
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
        ["Yamada", "山田", "やまだ", "太郎"],
    ),
    "both": ("ISO_IR 192", f"{FULL}=王^小東^中^博士^君={LAST}^{FIRST}^Otto^Dr.^MD", [LAST, "小東", "Ottokar"]),
    "ideographic only": ("ISO_IR 192", "=王^小東=", ["小東"]),
}


@pytest.mark.parametrize(("charset", "name", "parts"), NAMES.values(), ids=NAMES)
def test_no_part_of_a_name_is_left(charset: str | list[str], name: str, parts: list[str], tmp_path: Path) -> None:
    ds = Dataset()
    ds.SpecificCharacterSet = charset
    ds.update(
        study.patient(PatientName=name, NamesOfIntendedRecipientsOfResults=[name, name], PatientBirthName=name)
    )
    ds.add_new(0x00401101, "SQ", [study.item(PersonName=name)])
    ds.StudyDescription = f"of {parts[0]} here"
    ds.ContentCreatorName = name
    new = study.of(ds, tmp_path, ["clean-descriptors"], patient=None)
    assert not any(part.lower() in str(new).lower() for part in parts)
    assert new.ContentCreatorName  # Z/D: present and filled
    for value in str(new.ContentCreatorName).split("="):
        validate_value("PN", value, config.RAISE)
    assert new.StudyDescription.startswith("of ")


AGES = {
    "089Y": "089Y",
    "090Y": "090Y",
    "091Y": "090Y",
    "104Y": "090Y",
    "034Y": "034Y",
    "011M": "011M",
    "120D": "120D",
}


@pytest.mark.parametrize(("age", "wanted"), AGES.items())
@pytest.mark.parametrize("profile", ["basic", "petmr"])
def test_ages_over_89_become_90(age: str, wanted: str, profile: str, tmp_path: Path) -> None:
    ds = study.patient(PatientAge=age)
    setattr(ds, study.HOLDER, [study.item(PatientAge=age)])
    options = ["retain-patient-characteristics"] if profile == "basic" else []
    new = study.of(ds, tmp_path, options, profile)
    assert new.PatientAge == wanted
    assert getattr(new, study.HOLDER)[0].PatientAge == wanted


@pytest.mark.filterwarnings("ignore:Invalid value for VR AS")
@pytest.mark.parametrize("age", ["93Y", "093y", "93", "0093Y", "93 Y", "101"])
def test_ages_over_89_that_are_written_wrongly_do_not_stay(age: str, tmp_path: Path) -> None:
    ds = study.patient(PatientWeight="72.5")
    ds.PatientAge = age
    new = study.of(ds, tmp_path, ["retain-patient-characteristics"])
    assert "".join(c for c in str(new.get("PatientAge", "")) if c.isdigit()).lstrip("0") in ("", "90")


def test_without_the_option_there_is_no_age(tmp_path: Path) -> None:
    assert "PatientAge" not in study.of(study.patient(PatientAge="034Y"), tmp_path)


@pytest.mark.parametrize("profile", ["basic", "petmr"])
@pytest.mark.parametrize("age", ["034Y", "104Y"])
def test_the_birth_date_is_empty_or_given(profile: str, age: str, tmp_path: Path) -> None:
    path = study.write(tmp_path / "a.dcm", study.patient(PatientAge=age, PatientBirthTime="0304"))
    plain = study.cleaned(path, profile=profile)
    given = study.cleaned(path, profile=profile, dob="19500101")
    assert (plain.PatientBirthDate, given.PatientBirthDate) == ("", "19500101")
    assert "PatientBirthTime" not in plain
    assert BIRTH not in str(plain) + str(given)


@pytest.mark.parametrize("profile", ["basic", "petmr"])
def test_given_names_stand_where_names_stood(profile: str, tmp_path: Path) -> None:
    ds = study.patient(ReferringPhysicianName="ROSSETTI^CARLO")
    setattr(ds, study.HOLDER, [study.item(PatientName=FULL, PatientID="KX-8841-77Q")])
    new = study.of(ds, tmp_path, [], profile, patient="TRIAL-007", physician="NOBODY")
    assert (new.PatientName, new.PatientID) == ("TRIAL-007", "TRIAL-007")
    assert new.ReferringPhysicianName == "NOBODY"
    assert getattr(new, study.HOLDER)[0].PatientName == "TRIAL-007"


def test_a_mapping_gives_the_id(tmp_path: Path) -> None:
    ds = study.patient(PatientID=" kx-8841-77q")
    new = study.of(ds, tmp_path, [], "petmr", mapping={"KX-8841-77Q": "SITE1-004"})
    assert (new.PatientID, new.PatientName) == ("SITE1-004", "SITE1-004")


@pytest.mark.parametrize("profile", ["basic", "petmr"])
def test_a_file_of_nobody_is_done_too(profile: str, tmp_path: Path) -> None:
    ds = study.item(SOPClassUID=study.CLASS, SOPInstanceUID=study.INSTANCE, StationName="MRC51008")
    new = study.of(ds, tmp_path, [], profile)
    assert "PatientName" not in new
    assert new.StationName not in ("", "MRC51008")
    assert new.SOPInstanceUID != study.INSTANCE
    assert "DeidentificationMethod" in new


@pytest.mark.parametrize("profile", ["basic", "petmr"])
def test_files_of_one_run_belong_together_without_a_kept_key(profile: str, tmp_path: Path) -> None:
    for n, name in enumerate(["one", "two"]):
        ds = study.patient(SOPInstanceUID=f"1.3.12.2.1107.5.2.{n}", StudyInstanceUID="1.3.12.2.1107.5.3.20170327")
        ds.ReferencedImageSequence = [study.item(ReferencedSOPInstanceUID=f"1.3.12.2.1107.5.2.{1 - n}")]
        study.write(tmp_path / "in" / f"{name}.dcm", ds)
    options = ["retain-modified-dates"] if profile == "basic" else []
    for run in "ab":
        fastanon.anonymize(tmp_path / "in", to=tmp_path / run, profile=profile, options=options)
    first, second = (study.read(tmp_path / "a" / f"{name}.dcm") for name in ("one", "two"))
    other = study.read(tmp_path / "b" / "one.dcm")
    assert (first.PatientID, first.StudyDate, first.StudyInstanceUID) == (
        second.PatientID, second.StudyDate, second.StudyInstanceUID,
    )  # fmt: skip
    assert first.ReferencedImageSequence[0].ReferencedSOPInstanceUID == second.SOPInstanceUID
    assert second.ReferencedImageSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert not {first.PatientID, first.SOPInstanceUID} & {other.PatientID, other.SOPInstanceUID}


@pytest.mark.parametrize("profile", ["basic", "petmr"])
def test_the_same_patient_has_the_same_id_in_every_file_and_nobody_else_has_it(
    profile: str, tmp_path: Path
) -> None:
    ids = [
        study.cleaned(
            study.write(tmp_path / f"{n}" / "a.dcm", study.patient(PatientID=number)), [], profile
        ).PatientID
        for n, number in enumerate(["KX-8841-77Q", "KX-8841-77Q", "KX-8841-77R"])
    ]
    assert ids[0] == ids[1] != ids[2]
    other = study.of(study.patient(PatientID="KX-8841-77Q"), tmp_path, [], profile, key=bytes(range(1, 33)))
    assert other.PatientID != ids[0]
