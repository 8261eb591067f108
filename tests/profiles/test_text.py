"""Clean (C) on text: the patient goes, and the rest stays (PS3.15 E.3.5)."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from tests.profiles import study
from tests.profiles.values import BIRTH, CANARIES, FIRST, LAST, NUMBER

CLEAN = ["clean-descriptors", "retain-modified-dates"]


def described(tmp_path: Path, text: str, **more: str) -> str:
    """Clean a description, and give it."""
    ds = study.patient(StudyDescription=text, **more)
    return str(study.of(ds, tmp_path, CLEAN).StudyDescription)


@pytest.mark.parametrize(
    "text",
    [
        f"call Mr {LAST}", f"call Mr {LAST.lower()}", f"call Mr {FIRST} {LAST}", f"call Mr {LAST}, {FIRST}",
        f"call Mr {LAST}^{FIRST}", f"call Mr {NUMBER}", f"call Mr {BIRTH}", "call Mr 1943-02-17",
        "call Mr 17.02.1943", f"call Mr {FIRST}.", f"call Mr {LAST[:1]}. {LAST}",
    ],
)  # fmt: skip
def test_the_patient_goes_and_the_rest_stays(text: str, tmp_path: Path) -> None:
    new = described(tmp_path, text)
    assert new.startswith("call Mr")
    assert not any(c.lower() in new.lower() for c in (*CANARIES, "1943"))


def test_text_without_the_patient_stays_as_it_is(tmp_path: Path) -> None:
    assert described(tmp_path, "PET/MR head, 20 min, FDG 350 MBq") == "PET/MR head, 20 min, FDG 350 MBq"


def test_words_of_the_name_inside_other_words_stay(tmp_path: Path) -> None:
    new = described(tmp_path, "maxillary view of Max", PatientName="Max^Li", PatientID="77120445")
    assert new.startswith("maxillary view of ")
    assert not new.endswith("Max")


@pytest.mark.parametrize("keyword", ["SeriesDescription", "ProtocolName", "ImageComments", "PatientComments"])
def test_every_description_without_the_option_goes(keyword: str, tmp_path: Path) -> None:
    new = study.of(study.patient(**{keyword: f"head {LAST}"}), tmp_path)
    assert LAST not in str(new.get(keyword, ""))
    assert "head" not in str(new.get(keyword, ""))


def test_other_peoples_names_and_numbers_go_from_text_too(tmp_path: Path) -> None:
    new = described(
        tmp_path, "asked by ROSSETTI, filed AQ-99123-7", ReferringPhysicianName="ROSSETTI^CARLO",
        AccessionNumber="AQ-99123-7",
    )  # fmt: skip
    assert new.startswith("asked by ")
    assert "ROSSETTI" not in new
    assert "99123" not in new


def test_dates_of_the_study_in_text_shift_with_it(tmp_path: Path) -> None:
    ds = study.patient(StudyDescription="scan of 20170327 repeated")
    new = study.of(ds, tmp_path, CLEAN)
    assert new.StudyDescription == f"scan of {new.StudyDate} repeated"
    assert new.StudyDate != "20170327"


@pytest.mark.parametrize("spelled", ["20170327", "2017-03-27", "27.03.2017"])
@pytest.mark.parametrize("options", [["clean-descriptors"], CLEAN], ids=["no dates", "modified dates"])
def test_the_date_of_the_study_does_not_stay_in_a_text(options: list[str], spelled: str, tmp_path: Path) -> None:
    text = str(
        study.of(study.patient(StudyDescription=f"scan of {spelled} again"), tmp_path, options).StudyDescription
    )
    assert spelled not in text
    assert text.startswith("scan of ")
    assert text.endswith(" again")


def test_the_place_and_the_device_go_from_text_or_stay_by_their_options(tmp_path: Path) -> None:
    ds = study.patient(
        StudyDescription="at Bedehospital, unit MRC51008", InstitutionName="Bedehospital", StationName="MRC51008"
    )
    path = study.write(tmp_path / "a.dcm", ds)
    new = study.cleaned(path, ["clean-descriptors"]).StudyDescription
    assert new.startswith("at ")
    assert "Bede" not in new
    assert "51008" not in new
    both = ["clean-descriptors", "retain-institution-identity", "retain-device-identity"]
    assert study.cleaned(path, both).StudyDescription == ds.StudyDescription


@pytest.mark.parametrize("profile", ["basic", "petmr"])
def test_text_of_which_the_table_says_nothing_loses_the_patient_too(profile: str, tmp_path: Path) -> None:
    ds = study.patient(ContrastBolusRoute=f"fog {LAST} rain", RescaleType="HU", ConvolutionKernel=f"soft {NUMBER}")
    new = study.of(ds, tmp_path, [], profile)
    assert new.ContrastBolusRoute.startswith("fog ")
    assert new.ContrastBolusRoute.endswith(" rain")
    assert new.RescaleType == "HU"
    assert not any(c in str(new) for c in CANARIES)


def test_uids_in_text_are_those_of_the_dataset(tmp_path: Path) -> None:
    new = study.of(study.patient(StudyDescription=f"see {study.INSTANCE}, please"), tmp_path, CLEAN)
    assert new.SOPInstanceUID != study.INSTANCE
    assert new.StudyDescription == f"see {new.SOPInstanceUID}, please"


def test_every_value_of_several_is_cleaned(tmp_path: Path) -> None:
    ds = study.patient(PatientName=f"{LAST}^{FIRST}")
    ds.add_new(0x00081080, "LO", ["cough", f"like {LAST} sen.", "fever"])  # Admitting Diagnoses Description
    new = study.of(ds, tmp_path, CLEAN)["AdmittingDiagnosesDescription"].value
    assert (new[0], new[2], len(new)) == ("cough", "fever", 3)
    assert new[1].startswith("like ")
    assert LAST not in new[1]


@pytest.mark.parametrize("charset", ["ISO_IR 100", "ISO_IR 192", "ISO 2022 IR 87"])
def test_characters_beyond_ascii_stay_readable(charset: str, tmp_path: Path) -> None:
    name, rest = ("Müßigbrodt^Jörg", "größer") if "87" not in charset else ("山田^太郎", "頭部")
    ds = Dataset()
    ds.SpecificCharacterSet = charset if "87" not in charset else ["", charset]
    ds.update(study.patient(PatientName=name, StudyDescription=f"{rest} {name.split('^')[0]} {rest}"))
    new = study.of(ds, tmp_path, CLEAN)
    assert new.StudyDescription.startswith(f"{rest} ")
    assert new.StudyDescription.endswith(f" {rest}")
    assert name.split("^")[0] not in new.StudyDescription
