"""Raw data that is no DICOM, from end to end: the patient goes, the payload stays."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from fastanon import anonymize
from fastanon.synthetic import Person, make_ptd, make_twix, planted_forms

PEOPLE = [
    Person(),
    Person(name="O'BRIEN^MARY", physician="VAN DER BERG^ANNA"),
    Person(name="SMITH-JONES^AL"),
    Person(name="MADONNA"),
    Person(name="DE LA CRUZ^MARIA^J"),
]
NAMES = pytest.mark.parametrize("person", PEOPLE, ids=[p.name for p in PEOPLE])


def ptd(path: Path, person: Person) -> Path:
    made = make_ptd(path.with_suffix(".ptd"), 1 << 16, person)
    return Path(made)


def twix_vb(path: Path, person: Person) -> Path:
    make_twix(path.with_suffix(".dat"), person, version="VB")
    return path.with_suffix(".dat")


def twix_ve(path: Path, person: Person) -> Path:
    make_twix(path.with_suffix(".dat"), person, version="VE")
    return path.with_suffix(".dat")


def interfile(path: Path, person: Person) -> Path:
    path = path.with_suffix(".l.hdr")
    year, month, day = person.birth_date[:4], person.birth_date[4:6], person.birth_date[6:]
    lines = [
        "!INTERFILE := ", "%comment := scan of " + person.spoken, "!patient name := " + person.name,
        f"%patient dob (yyyy:mm:dd) := {year}:{month}:{day}", "!name of data file := " + person.file_name + ".l",
        "%study date (yyyy:mm:dd) := 2017:03:27",
        "%total listmode word counts := 1000", "%patient id := " + person.patient_id,
    ]  # fmt: skip
    path.write_bytes("\r\n".join(lines).encode("latin-1") + b"\r\n")
    return path


def rda(path: Path, person: Person) -> Path:
    path = path.with_suffix(".rda")
    lines = [
        ">>> Begin of header <<<", "PatientName: " + person.name, "PatientID: " + person.patient_id,
        "PatientBirthDate: " + person.birth_date, "StudyDescription: " + person.listed, "TE: 30.0",
        "VOIThickness: 20.0", ">>> End of header <<<",
    ]  # fmt: skip
    path.write_bytes("\r\n".join(lines).encode("latin-1") + b"\r\n" + bytes(range(256)) * 64)
    return path


MAKERS = [ptd, twix_vb, twix_ve, interfile, rda]
FORMATS = pytest.mark.parametrize("make", MAKERS, ids=[m.__name__ for m in MAKERS])


def left(data: bytes, person: Person) -> list[bytes]:
    """Search for what was planted, in plain words.

    The accession number and the other name stand only in comments of raw data: no field of such a file says
    that they identify, so nobody can know.
    """
    kinds = ("name", "id", "birth", "physician")
    forms = planted_forms(person)
    return [form for kind in kinds for form in forms[kind] if form.lower() in data.lower()]


@NAMES
@FORMATS
def test_nothing_planted_is_left(make: Callable[[Path, Person], Path], person: Person, tmp_path: Path) -> None:
    path = make(tmp_path / "raw", person)
    before = path.read_bytes()
    assert left(before, person)
    report = anonymize(path, in_place=True)
    after = path.read_bytes()
    assert report.exit_status == 0, report.files
    assert left(after, person) == []
    assert report.files[0].edits > 0
    again = anonymize(path, in_place=True)
    assert (again.files[0].status, path.read_bytes()) == ("unchanged", after)


@NAMES
def test_a_ptd_keeps_its_payload_and_its_trailer_counts(person: Person, tmp_path: Path) -> None:
    path = ptd(tmp_path / "raw", person)
    before = path.read_bytes()
    report = anonymize(path, in_place=True, patient="A MUCH LONGER^NAME^THAN^THE^OLD ONE")
    after = path.read_bytes()
    assert report.exit_status == 0
    assert after[: 1 << 16] == before[: 1 << 16]
    length = int.from_bytes(after[-24:-20], "little")
    assert after[-20:] == b"LARGE_PET_LM_RAWDATA"
    stream = after[-24 - length : -24]
    assert len(after) == (1 << 16) + length + 24
    (tmp_path / "tail.dcm").write_bytes(stream)
    assert str(pydicom.dcmread(tmp_path / "tail.dcm").PatientName) == "A MUCH LONGER^NAME^THAN^THE^OLD ONE"


def test_in_place_only_the_tail_of_a_large_ptd_is_written(tmp_path: Path) -> None:
    path = tmp_path / "large.ptd"
    make_ptd(path, 3 << 30, sparse=True)
    report = anonymize(path, in_place=True)
    assert (report.exit_status, report.files[0].strategy) == (0, "patch")
    assert report.files[0].bytes_written < 1 << 20
    assert os.stat(path).st_blocks * 512 < 64 << 20  # still sparse


@pytest.mark.parametrize("version", ["VB", "VE"])
def test_measurement_data_is_the_same(version: str, tmp_path: Path) -> None:
    path = tmp_path / "raw.dat"
    make_twix(path, Person(), version=version, measurements=1, data_bytes=1 << 16)  # type: ignore[arg-type]
    before = path.read_bytes()
    anonymize(path, to=tmp_path / "out")
    after = (tmp_path / "out" / "raw.dat").read_bytes()
    assert len(after) == len(before)
    # by hand: VE has a directory, whose first entry says where the measurement is; VB is the measurement
    start, length = struct.unpack_from("<2Q", before, 16) if version == "VE" else (0, len(before))
    data = slice(start + struct.unpack_from("<I", before, start)[0], start + length)
    assert data.stop - data.start >= 1 << 16
    assert after[data] == before[data]


def test_interfile_keeps_its_form(tmp_path: Path) -> None:
    path = interfile(tmp_path / "raw", Person())
    size = path.stat().st_size
    anonymize(path, in_place=True)
    text = path.read_text("ascii")
    assert "%patient dob (yyyy:mm:dd) := 1980:01:01\n" in text
    assert "%study date (yyyy:mm:dd) := 2017:03:27\n" in text
    assert "%total listmode word counts := 1000\n" in text
    assert path.stat().st_size == size
