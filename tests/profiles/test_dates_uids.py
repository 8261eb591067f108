"""Dates and UIDs as they are met: broken, partial, multiple, known to everybody."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from pydicom import config
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pydicom.valuerep import validate_value

from tests.profiles import study

SHIFT = ["retain-modified-dates"]
WELL_KNOWN = "1.2.840.10008.1.4.1.1"  # Talairach Brain Atlas Frame of Reference


def patched(path: Path, old: bytes, new: bytes) -> Path:
    """Write bytes of the same length over a value."""
    data = path.read_bytes()
    assert data.count(old) == 1
    assert len(old) == len(new)
    path.write_bytes(data.replace(old, new))
    return path


def day(text: str) -> datetime.date:
    return datetime.datetime.strptime(text[:8], "%Y%m%d").date()


def days(new: Dataset) -> int:
    """Give the shift, from the study date of every file here."""
    return (day("20170327") - day(new.StudyDate)).days


@pytest.mark.parametrize("options", [[], SHIFT, ["retain-modified-dates", "retain-device-identity"]])
@pytest.mark.parametrize("value", [b"00000000", b"20170230", b"ABCDEFGH", b"99999999", b"2017033 "])
def test_what_is_no_date_is_refused_or_valid_afterwards(options: list[str], value: bytes, tmp_path: Path) -> None:
    path = study.write(
        tmp_path / "a.dcm", study.patient(ContentDate="19991231", DateOfSecondaryCapture="19991230")
    )
    patched(patched(path, b"19991231", value), b"19991230", value)
    result, target = study.run(path, options)
    if result.status == "refused":
        assert not target.exists()
        return
    new = study.read(target)
    for name in ("ContentDate", "DateOfSecondaryCapture"):
        text = str(new.get(name, ""))
        assert text != value.decode() or value == b"00000000"
        if text != "00000000":
            validate_value("DA", text, config.RAISE)


def test_dates_with_dots_shift_like_the_others(tmp_path: Path) -> None:
    path = study.write(tmp_path / "a.dcm", study.patient(SeriesDate="2020051200"[:8], ContentDate="20170327"))
    data = path.read_bytes()
    at = data.index(b"20200512") - 2
    path.write_bytes(data[:at] + b"\x0a\x00" + b"2020.05.12" + data[at + 10 :])
    new = study.cleaned(path, SHIFT)
    text = str(new.SeriesDate).replace(".", "").replace("-", "")
    assert (day("20200512") - day(text)).days == days(new)


def test_everything_shifts_by_the_same_days_and_times_stay(tmp_path: Path) -> None:
    ds = study.patient(
        SeriesDate="20200229", AcquisitionDate="20191231", ContentDate="20200301", SeriesTime="235959.999999",
        AcquisitionDateTime="20200229101112.123456+0100", AcquisitionTime="101112.5",
    )  # fmt: skip
    ds.RadiopharmaceuticalInformationSequence = [
        study.item(RadiopharmaceuticalStartDateTime="20200229090000.000000", RadiopharmaceuticalStartTime="090000")
    ]
    ds.add_new(0x00181200, "DA", ["20190101", "20190102"])
    new = study.of(ds, tmp_path, SHIFT)
    start = new.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartDateTime
    olds = ["20200229", "20191231", "20200301", "20200229", "20190101", "20190102", "20200229"]
    news = [
        new.SeriesDate, new.AcquisitionDate, new.ContentDate, new.AcquisitionDateTime, *new.DateOfLastCalibration,
        start,
    ]  # fmt: skip
    assert {(day(a) - day(str(b))).days for a, b in zip(olds, news, strict=True)} == {days(new)}
    assert 1 <= days(new) <= 3650
    assert new.AcquisitionDateTime[8:] == "101112.123456+0100"
    assert (new.SeriesTime, new.AcquisitionTime, new.StudyTime) == ("235959.999999", "101112.5", "142536")
    assert start[8:] == "090000.000000"
    assert new.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime == "090000"


@pytest.mark.parametrize("value", ["2020", "202003", "2020033110", "20200331-20200402", "-20200331"])
def test_partial_dates_and_ranges_keep_their_form(value: str, tmp_path: Path) -> None:
    new = study.of(study.patient(AcquisitionDateTime=value), tmp_path, SHIFT).AcquisitionDateTime
    assert new != value
    assert ["".join("9" if c.isdigit() else c for c in text) for text in (new, value)].count("") == 0
    assert len(new) == len(value)
    validate_value("DT", str(new), config.RAISE)


def test_the_option_for_full_dates_keeps_every_date(tmp_path: Path) -> None:
    new = study.of(
        study.patient(SeriesDate="20170328", PatientBirthDate="19430217"), tmp_path, ["retain-full-dates"]
    )
    assert (new.StudyDate, new.StudyTime, new.SeriesDate) == ("20170327", "142536", "20170328")
    assert new.PatientBirthDate == ""


def test_dates_of_which_the_table_says_nothing_shift_too(tmp_path: Path) -> None:
    ds = study.patient(DateOfGainCalibration="20170301", StudyUpdateDateTime="20170302101112")  # in no row
    setattr(ds, study.HOLDER, [study.item(DateOfGainCalibration="20170301")])
    new = study.of(ds, tmp_path, SHIFT)
    olds = ["20170301", "20170302", "20170301"]
    news = [
        new.DateOfGainCalibration,
        new.StudyUpdateDateTime,
        getattr(new, study.HOLDER)[0].DateOfGainCalibration,
    ]
    assert {(day(a) - day(str(b))).days for a, b in zip(olds, news, strict=True)} == {days(new)}


def test_well_known_uids_stay_and_all_others_are_mapped_once(tmp_path: Path) -> None:
    one, two = "1.3.12.2.1107.5.2.38.51008.1", "1.3.12.2.1107.5.2.38.51008.20170327142536953"
    ds = study.patient(FrameOfReferenceUID=WELL_KNOWN, StudyInstanceUID=one, SeriesInstanceUID=two)
    ds.add_new(0x0008001A, "UI", [study.CLASS, WELL_KNOWN])
    ds.ReferencedSeriesSequence = [
        study.item(
            SeriesInstanceUID=two, ReferencedSOPClassUID=study.CLASS, ReferencedSOPInstanceUID=study.INSTANCE
        )
    ]
    ds.IrradiationEventUID = [one, two]
    new = study.of(ds, tmp_path)
    item = new.ReferencedSeriesSequence[0]
    assert (new.SOPClassUID, item.ReferencedSOPClassUID, new.FrameOfReferenceUID) == (
        study.CLASS,
        study.CLASS,
        WELL_KNOWN,
    )
    assert new.RelatedGeneralSOPClassUID == [study.CLASS, WELL_KNOWN]
    assert new.IrradiationEventUID == [new.StudyInstanceUID, new.SeriesInstanceUID]
    assert item.SeriesInstanceUID == new.SeriesInstanceUID
    assert item.ReferencedSOPInstanceUID == new.SOPInstanceUID
    assert len({one, two, study.INSTANCE, new.StudyInstanceUID, new.SeriesInstanceUID, new.SOPInstanceUID}) == 6


def test_new_uids_are_valid_and_padded_as_the_standard_has_it(tmp_path: Path) -> None:
    lengths = range(8, 65)
    olds = ["1.3.12." + "2345678901" * 6 for _ in lengths]
    olds = [old[:length].removesuffix(".") for old, length in zip(olds, lengths, strict=True)]
    ds = study.patient(ReferencedImageSequence=[study.item(ReferencedSOPInstanceUID=old) for old in olds])
    news = [item.get_item(0x00081155).value for item in study.of(ds, tmp_path).ReferencedImageSequence]
    for old, raw in zip(olds, news, strict=True):
        text = raw.decode("ascii").removesuffix("\0")  # PS3.5 9.1: one NUL, where the length is odd
        assert len(raw) % 2 == 0
        assert UID(text).is_valid, old
        assert len(old) < 25 or len(text) == len(old)
    assert len({*news, *(old.encode() for old in olds)}) == 2 * len(olds)


def test_a_uid_is_the_same_however_it_is_padded(tmp_path: Path) -> None:
    one = "1.3.12.2.1107.5.2.38.7"
    ds = study.patient(StudyInstanceUID=one + ".9", SeriesInstanceUID="1.3.12.2.1107.5.2.38.811")
    ds.FrameOfReferenceUID = WELL_KNOWN
    path = study.write(tmp_path / "a.dcm", ds)
    patched(path, (one + ".9").encode(), one.encode() + b"\0\0")
    patched(path, b"1.3.12.2.1107.5.2.38.811", one.encode() + b"  ")
    patched(path, WELL_KNOWN.encode() + b"\0", WELL_KNOWN.encode() + b" ")
    new = study.cleaned(path)
    assert new.SeriesInstanceUID == new.StudyInstanceUID != one
    assert str(new.FrameOfReferenceUID).strip() == WELL_KNOWN


@pytest.mark.parametrize(
    "uid", ["1.2.abc.3.4.5.6.7.8", "1.02.3.4.5.6.7.8.99", "not a uid at all!", "1..2.3.4.5.6.7.8"]
)
def test_what_is_no_uid_is_refused_or_becomes_one(uid: str, tmp_path: Path) -> None:
    place = "1.9.".ljust(len(uid), "7")
    path = study.write(tmp_path / "a.dcm", study.patient(StudyInstanceUID=place))
    result, target = study.run(patched(path, place.encode(), uid.encode()))
    if result.status == "refused":
        assert not target.exists()
        return
    new = study.read(target).StudyInstanceUID
    assert new != uid
    assert UID(new).is_valid
