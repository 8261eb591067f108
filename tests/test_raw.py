"""Every format from end to end: the patient goes, the payload stays; and others read what the makers write."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from fastanon import synthetic
from fastanon.synthetic import (
    Person,
    make_older_slice,
    make_ptd,
    make_rda,
    make_sinogram,
    make_twix,
    planted_forms,
)
from tests.niftypet import anonymize

PEOPLE = [
    Person(),
    Person(name="O'BRIEN^MARY", physician="VAN DER BERG^ANNA"),
    Person(name="SMITH-JONES^AL"),
    Person(name="MADONNA"),
    Person(name="DE LA CRUZ^MARIA^J"),
]
NAMES = pytest.mark.parametrize("person", PEOPLE, ids=[p.name for p in PEOPLE])

Make = Callable[[Path, Person], object]

#: Extension and maker of each file; a sinogram and its like have their data beside them.
MAKERS: dict[str, tuple[str, Make]] = {
    "ptd": (".ptd", lambda path, person: make_ptd(path, 1 << 16, person)),
    "ptd dummy": (".ptd", lambda path, person: make_ptd(path, 4, person, flavor="dummy")),
    "twix VB": (".dat", lambda path, person: make_twix(path, person, version="VB")),
    "twix VE": (".dat", lambda path, person: make_twix(path, person, version="VE")),
    "rda": (".rda", make_rda),
    "sinogram": (".s.hdr", make_sinogram),
    "list-mode": (".l.hdr", synthetic.make_listmode_files),
    "norm": (".n.hdr", synthetic.make_norm_files),
    "XA": (".dcm", synthetic.make_xa_slice),
    "XA enhanced": (".dcm", synthetic.make_xa_frames),
    "CSA1": (".dcm", make_older_slice),
    "report": (".dcm", synthetic.make_report),
}
FORMATS = pytest.mark.parametrize("kind", MAKERS)
INTERFILES = pytest.mark.parametrize(
    ("kind", "ending"), [("sinogram", "\r\n"), ("list-mode", "\n"), ("norm", "\r\r\n")]
)


def made(folder: Path, kind: str, person: Person) -> Path:
    """Make a file in a folder of its own."""
    extension, make = MAKERS[kind]
    make(folder / f"raw{extension}", person)
    return folder / f"raw{extension}"


def left(data: bytes, person: Person) -> list[bytes]:
    """Search for what was planted, in plain words."""
    return [form for forms in planted_forms(person).values() for form in forms if form.lower() in data.lower()]


@NAMES
@FORMATS
def test_nothing_planted_is_left(kind: str, person: Person, tmp_path: Path) -> None:
    path = made(tmp_path, kind, person)
    before = path.read_bytes()
    beside = {p: p.read_bytes() for p in tmp_path.iterdir() if p != path}
    assert left(before, person)
    report = anonymize(path, in_place=True)
    after = path.read_bytes()
    assert report.exit_status == 0, report.files
    assert left(after, person) == []
    assert report.files[0].edits > 0
    again = anonymize(path, in_place=True)
    assert (again.files[0].status, path.read_bytes()) == ("unchanged", after)
    assert {p: p.read_bytes() for p in tmp_path.iterdir() if p != path} == beside


@NAMES
def test_a_name_typed_onto_an_image_goes(person: Person, tmp_path: Path) -> None:
    """Syngo keeps such text as the decimal codes of its letters."""
    path = make_older_slice(tmp_path / "typed.dcm", person, annotation=person.listed)
    codes = ", ".join(str(ord(letter)) for letter in person.family).encode()
    assert path.read_bytes().count(codes) == 1
    anonymize(path, in_place=True)
    assert codes not in path.read_bytes()


# ------------------------------------------------------------------------------------------------- ptd


@NAMES
def test_a_ptd_keeps_its_payload_and_its_trailer_counts(person: Person, tmp_path: Path) -> None:
    path = made(tmp_path, "ptd", person)
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


# ------------------------------------------------------------------------------------------------- twix


def measurements(data: bytes, version: str) -> list[tuple[list[str], bytes]]:
    """Read names of texts, and data: VE has a directory that says where each measurement is, VB is one."""
    runs = [(0, len(data))]
    if version == "VE":
        zero, count = struct.unpack_from("<2I", data)
        assert zero == 0
        runs = [struct.unpack_from("<2Q", data, 16 + 152 * i) for i in range(count)]
    found = []
    for start, size in runs:
        header, texts = struct.unpack_from("<2I", data, start)
        at, names = start + 8, []
        for _ in range(texts):
            end = data.index(b"\0", at)
            names.append(data[at:end].decode("ascii"))
            at = end + 5 + int.from_bytes(data[end + 1 : end + 5], "little")
        assert 0 <= start + header - at < 32
        found.append((names, data[start + header : start + size]))
    return found


@pytest.mark.parametrize(("version", "count"), [("VB", 1), ("VE", 3)])
def test_measurement_data_is_the_same(version: str, count: int, tmp_path: Path) -> None:
    path = tmp_path / "raw.dat"
    make_twix(path, Person(), version=version, measurements=count, data_bytes=1 << 16)
    before = path.read_bytes()
    anonymize(path, to=tmp_path / "out")
    after = (tmp_path / "out" / "raw.dat").read_bytes()
    assert len(after) == len(before)
    old = measurements(before, version)
    assert [names for names, _ in old] == [["Config", "Dicom", "Meas", "MeasYaps", "Phoenix", "Spice"]] * count
    assert all(len(data) == 1 << 16 for _, data in old)
    assert measurements(after, version) == old


# ------------------------------------------------------------------------------------------- text headers


def rda_header(path: Path) -> dict[str, str]:
    """Parse the header of an .rda strictly."""
    header, end, _ = path.read_bytes().partition(b">>> End of header <<<\r\n")
    first, *lines, last = header.decode("latin-1").split("\r\n")
    assert (first, last, bool(end)) == (">>> Begin of header <<<", "", True)
    pairs = [re.fullmatch(r"(\w+(?:\[\w+\])?): ([^\r\n]*)", line) for line in lines]
    assert all(pairs)
    found = {pair[1]: pair[2] for pair in pairs if pair}
    assert len(found) == len(lines)
    return found


def rda_points(path: Path) -> np.ndarray:
    """Read what follows the header as complex doubles."""
    mark = b">>> End of header <<<\r\n"
    return np.fromfile(path, "<c16", offset=path.read_bytes().index(mark) + len(mark))


def test_an_rda_keeps_its_numbers(tmp_path: Path) -> None:
    path, person = made(tmp_path, "rda", Person()), Person()
    old, points = rda_header(path), rda_points(path)
    assert (old["PatientName"], old["PatientID"], old["PatientBirthDate"]) == (
        person.name, person.patient_id, person.birth_date,
    )  # fmt: skip
    assert old["PerformingPhysician"] == old["ReferringPhysician"] == person.physician
    assert len(points) == int(old["VectorSize"])
    assert 16 < np.abs(points[:64]).mean() / np.abs(points[256:320]).mean() * 1.2 < 24  # halves every 64
    assert np.isfinite(points).all()
    anonymize(path, in_place=True)
    new = rda_header(path)
    assert list(new) == list(old)
    changed = {key for key in old if new[key].rstrip() != old[key]}
    assert changed == {
        "PatientName", "PatientID", "PatientBirthDate", "StudyDescription", "ReferringPhysician",
        "PerformingPhysician", "InstanceComments",
    }  # fmt: skip
    assert rda_points(path).tobytes() == points.tobytes()


def interfile_header(path: Path, ending: str) -> list[tuple[str, str]]:
    """Parse an Interfile header strictly: ASCII, ``key:=value``, comments, empty lines, one line ending."""
    text = path.read_bytes().decode("ascii")
    *lines, last = text.split(ending)
    assert last == ""
    assert not any(set("\r\n\0") & set(line) for line in lines)
    pairs = [
        re.fullmatch(r"([!%]?[A-Za-z][^:=]*(?:\([^)]*\))?(?: \[\d+\])?) ?:=(.*)", line)
        for line in lines
        if line and not line.startswith(";")
    ]
    assert all(pairs)
    return [(pair[1].strip("!% "), pair[2]) for pair in pairs if pair]


@INTERFILES
def test_an_interfile_header_keeps_its_form(kind: str, ending: str, tmp_path: Path) -> None:
    path, person = made(tmp_path, kind, Person()), Person()
    old = interfile_header(path, ending)
    assert old[0] == ("INTERFILE", "")
    assert dict(old)["name of data file"] == path.with_suffix("").name
    assert dict(old)["patient dob (yyyy:mm:dd)"] == person.birth_dates[0]
    anonymize(path, in_place=True)
    new = interfile_header(path, ending)
    assert [key for key, _ in new] == [key for key, _ in old]
    kept = [pair for pair in old if not left(pair[1].encode(), person)]
    assert [(key, value.rstrip()) for key, value in new if (key, value) in old] == kept
    assert dict(new)["patient dob (yyyy:mm:dd)"] == "1980:01:01"
    assert dict(new)["study date (yyyy:mm:dd)"] == "2017:03:27"


def test_an_interfile_header_says_what_its_data_are(tmp_path: Path) -> None:
    person = Person()
    sinogram, words, norm = (made(tmp_path, kind, person) for kind in ("sinogram", "list-mode", "norm"))
    listed = dict(interfile_header(words, "\n"))
    assert 4 * int(listed["total listmode word counts"]) == words.with_suffix("").stat().st_size
    assert norm.with_suffix("").stat().st_size == 323_404
    told = dict(interfile_header(sinogram, "\r\n"))
    starts = [int(told[f"data offset in bytes [{i}]"]) for i in (1, 2)]
    assert 6 * int(told["matrix size [3]"]) == starts[0] < starts[1] < sinogram.with_suffix("").stat().st_size
    assert told["data set [1]"] == "{0,,raw.s}"


def test_a_renamed_header_names_its_renamed_data(tmp_path: Path) -> None:
    person = Person()
    (tmp_path / "in").mkdir()
    data = make_sinogram(tmp_path / "in" / f"{person.file_name}.s.hdr", person)[1]
    assert anonymize(tmp_path / "in", to=tmp_path / "out").exit_status == 0
    header, copied = sorted((tmp_path / "out").iterdir(), key=lambda p: p.suffix != ".hdr")
    assert person.file_name not in header.name + copied.name
    assert copied.name == header.with_suffix("").name
    assert copied.read_bytes() == data.read_bytes()
    assert dict(interfile_header(header, "\r\n"))["name of data file"].rstrip() == copied.name
