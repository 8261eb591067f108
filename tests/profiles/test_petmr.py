"""The default profile: what quantification and readers need stays, and is the patient's no longer."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from tests.profiles import study
from tests.profiles.blocks import VALUES, private, private_tags, safe, with_private
from tests.profiles.table import needs_tables
from tests.profiles.values import BIRTH, FIRST, LAST, NUMBER

KEPT = {
    "ImageType": ["ORIGINAL", "PRIMARY", "PET_LISTMODE"], "Manufacturer": "SIEMENS", "Modality": "PT",
    "SoftwareVersions": "syngo MR E11", "ManufacturerModelName": "Biograph_mMR", "ImageComments": "Listmode",
    "ProtocolName": "UTE_AC", "SeriesDescription": "AC_Images", "StudyDescription": "brain", "PatientSex": "F",
    "PatientWeight": 72.5, "PatientSize": 1.81, "PatientAge": "061Y", "StudyTime": "142536",
    "AcquisitionTime": "142537.5", "SequenceName": "fl3d", "EchoTime": "2.46", "RepetitionTime": "5.5",
}  # fmt: skip
CREATORS = (
    "SIEMENS CSA HEADER", "SIEMENS CSA NON-IMAGE", "SIEMENS MEDCOM HEADER", "SIEMENS MEDCOM HEADER2",
    "SIEMENS MED PT", "SIEMENS MR HEADER",
)  # fmt: skip


def out(ds: Dataset, tmp_path: Path, **more: object) -> Dataset:
    return study.of(ds, tmp_path, profile="petmr", **more)


def test_what_quantification_reads_stays(tmp_path: Path) -> None:
    new = out(study.patient(**KEPT), tmp_path)
    assert {name: new[name].value for name in KEPT} == KEPT


@pytest.mark.parametrize("keyword", ["ImageComments", "SeriesDescription", "ProtocolName", "StudyDescription"])
def test_descriptions_are_cleaned(keyword: str, tmp_path: Path) -> None:
    text = str(out(study.patient(**{keyword: f"Listmode {LAST} AC"}), tmp_path)[keyword].value)
    assert text.startswith("Listmode ")
    assert text.endswith(" AC")
    assert LAST not in text


def test_who_and_where_it_was_is_gone(tmp_path: Path) -> None:
    old = {
        "InstitutionName": "St Bede", "StationName": "MRC51008", "DeviceSerialNumber": "51008", "StudyID": "77120",
        "AccessionNumber": "AQ-99123-7", "OperatorsName": "WEISS^EVA", "ReferringPhysicianName": "ROSSETTI^CARLO",
        "OtherPatientIDs": "ZK-4410-223", "InstitutionAddress": "Elm Street 9",
    }  # fmt: skip
    ds = study.patient(**old)
    setattr(ds, study.HOLDER, [study.item(**old)])
    new = str(out(ds, tmp_path))
    assert not [value for value in (*old.values(), LAST, FIRST, NUMBER, BIRTH, study.INSTANCE) if value in new]


@pytest.mark.parametrize("creator", CREATORS)
def test_kept_creators_keep_their_blocks_cleaned_inside(creator: str, tmp_path: Path) -> None:
    ds = with_private(private(creator, 0x0029, 0x10, x31=("LO", "4.1.3"), x60=("LO", f"of {LAST} too")))
    for place in study.places(out(ds, tmp_path)):
        assert private_tags(place) == [0x00290010, 0x00291031, 0x00291060]
        assert place[0x00291031].value == "4.1.3"
        assert place[0x00291060].value.startswith("of ")
        assert LAST not in place[0x00291060].value


@pytest.mark.parametrize("creator", ["SIEMENS MED NM", "GEMS_IDEN_01", "ACME 1.1", "SIEMENS CSA HEADER XX", ""])
def test_all_other_creators_go(creator: str, tmp_path: Path) -> None:
    ds = with_private(private(creator, 0x0029, 0x10, x31=("LO", "4.1.3")))
    for place in study.places(out(ds, tmp_path)):
        assert private_tags(place) == []


@needs_tables
def test_the_safe_list_is_kept(tmp_path: Path) -> None:
    for n, row in enumerate(safe()):
        if row["vr"] in VALUES and row["vr"] not in ("UI", "DA", "DT"):
            element = {f"x{row['element'][-2:]}": (row["vr"], VALUES[row["vr"]])}
            ds = with_private(private(row["privateCreator"], int(row["group"], 16), 0x10, **element))
            for place in study.places(out(ds, tmp_path / str(n))):
                assert len(private_tags(place)) == 2, row


def test_private_date_times_shift_with_the_study(tmp_path: Path) -> None:
    block = private(
        "SIEMENS MED PT", 0x0071, 0x10, x22=("DT", "20170228142600.000000"), x23=("DA", "20170301"),
        x24=("UI", study.INSTANCE), x25=("UN", b"20161231142600.5"), x26=("UN", b"20160229"),
    )  # fmt: skip
    new = out(with_private(block), tmp_path)
    days = (_day("20170327") - _day(new.StudyDate)).days
    assert 1 <= days <= 3650
    for place in study.places(new):
        texts = [str(place[0x00711022].value), str(place[0x00711023].value)]
        texts += [bytes(place[tag].value).decode() for tag in (0x00711025, 0x00711026)]
        assert [text[8:] for text in texts] == ["142600.000000", "", "142600.5", ""]
        olds = ["20170228", "20170301", "20161231", "20160229"]
        assert {(_day(a) - _day(b)).days for a, b in zip(olds, texts, strict=True)} == {days}
        assert place[0x00711024].value == new.SOPInstanceUID


def _day(text: str) -> datetime.date:
    return datetime.datetime.strptime(text[:8], "%Y%m%d").date()


def test_uids_in_private_text_are_those_of_the_dataset(tmp_path: Path) -> None:
    block = private(
        "SIEMENS MR HEADER", 0x0019, 0x10, x60=("LO", f"see {study.INSTANCE} there"),
        x61=("UN", study.INSTANCE.encode()), x62=("UI", "1.2.840.10008.1.2.1"),
    )  # fmt: skip
    new = out(with_private(block), tmp_path)
    assert new.SOPInstanceUID != study.INSTANCE
    for place in study.places(new):
        assert place[0x00191060].value == f"see {new.SOPInstanceUID} there"
        assert bytes(place[0x00191061].value).rstrip(b"\0").decode() == new.SOPInstanceUID
        assert place[0x00191062].value == "1.2.840.10008.1.2.1"


def test_private_sequences_are_cleaned_inside(tmp_path: Path) -> None:
    inner = study.item(
        PatientName=f"{LAST}^{FIRST}", SeriesDate="20170327", SeriesInstanceUID=study.INSTANCE,
        PatientWeight="72.5", SeriesDescription=f"fog {LAST} rain",
    )  # fmt: skip
    inner.update(private("ACME 1.1", 0x0009, 0x10, x01=("LO", "words")))
    inner.update(private("SIEMENS MEDCOM HEADER", 0x0029, 0x11, x31=("LO", "4.1.3"), x60=("LO", f"of {LAST} too")))
    new = out(with_private(private("SIEMENS MEDCOM HEADER", 0x0029, 0x10, x40=("SQ", [inner, inner]))), tmp_path)
    for place in study.places(new):
        assert private_tags(place) == [0x00290010, 0x00291040]
        assert len(place[0x00291040].value) == 2
        for item in place[0x00291040].value:
            assert private_tags(item) == [0x00290011, 0x00291131, 0x00291160]
            assert (item.SeriesDate, item.SeriesInstanceUID) == (new.StudyDate, new.SOPInstanceUID)
            assert item.PatientWeight == 72.5
            assert item.SeriesDescription.startswith("fog ")
            assert LAST not in str(item)


def test_dates_of_the_radiopharmaceutical_shift_and_its_times_stay(tmp_path: Path) -> None:
    dose = study.item(
        RadiopharmaceuticalStartTime="131500.000000", RadiopharmaceuticalStartDateTime="20170327131500.000000",
        RadionuclideTotalDose="3.5e8", RadionuclideHalfLife="6586.2",
    )  # fmt: skip
    new = out(study.patient(RadiopharmaceuticalInformationSequence=[dose]), tmp_path)
    item = new.RadiopharmaceuticalInformationSequence[0]
    assert item.RadiopharmaceuticalStartDateTime == f"{new.StudyDate}131500.000000"
    assert item.RadiopharmaceuticalStartTime == "131500.000000"
    assert (item.RadionuclideTotalDose, item.RadionuclideHalfLife) == (3.5e8, 6586.2)
