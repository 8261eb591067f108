"""What is planned by another file of its series is what it becomes the long way, to the byte and to the count."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from fastanon.synthetic import Person, make_slice, make_study
from tests.corpus import dicom_files
from tests.series.both import compare

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

SLICES = 9
THOROUGH = bool(os.environ.get("FASTANON_THOROUGH"))


@pytest.fixture
def slices(tmp_path: Path) -> list[Path]:
    (tmp_path / "in").mkdir()
    return [make_slice(tmp_path / "in" / f"{n:04d}.dcm", Person(), 32, 32, n) for n in range(1, SLICES + 1)]


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("profile", ["petmr", "basic", "niftypet"])
def test_a_series(slices: list[Path], monkeypatch: pytest.MonkeyPatch, profile: str, in_place: bool) -> None:
    assert compare(slices[0].parent, monkeypatch, in_place, profile) == SLICES - 2


@pytest.mark.parametrize("in_place", [False, True])
def test_a_whole_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_place: bool) -> None:
    make_study(tmp_path / "in", Person(), 1 << 12, slices=6)
    assert compare(tmp_path / "in", monkeypatch, in_place) >= 8


def test_two_patients_in_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = Person(), Person(name="OKONKWO^IFEOMA", patient_id="IO-5521-77")
    (tmp_path / "in").mkdir()
    for n in range(1, 13):
        make_slice(tmp_path / "in" / f"{n:04d}.dcm", people[n % 2], 32, 32, n)
    assert compare(tmp_path / "in", monkeypatch) == 8


def _name(ds: Dataset) -> str:
    return str(ds.PatientName).split("^")[0]


def _set(keyword: str, value: object) -> Callable[[Dataset], None]:
    return lambda ds: setattr(ds, keyword, value)


def _in_csa(old: bytes, new: Callable[[Dataset], bytes]) -> Callable[[Dataset], None]:
    """Overwrite a piece of the image's CSA header with another, at equal length."""

    def change(ds: Dataset) -> None:
        element = next(e for e in ds if e.tag.group == 0x29 and isinstance(e.value, bytes) and old in e.value)
        at = element.value.index(old)
        put = new(ds)[: len(element.value) - at]
        element.value = element.value[:at] + put + element.value[at + len(put) :]

    return change


#: What may be different in one file of a series.
CHANGES: dict[str, Callable[[Dataset], None]] = {
    "longer number": _set("InstanceNumber", "12345"),
    "empty number": _set("SliceLocation", None),
    "another day": _set("AcquisitionDate", "20170329"),
    "the name in a comment": lambda ds: setattr(ds, "ImageComments", f"seen by {_name(ds)}, {_name(ds)}"),
    "the name in a description": lambda ds: setattr(ds, "SeriesDescription", f"{_name(ds)} T1"),
    "the name in a code": lambda ds: setattr(ds, "ScanOptions", _name(ds).upper()[:16].replace(" ", "_")),
    "a new name": _set("OperatorsName", "Vandermeulen^Griet"),
    "another patient": _set("PatientName", "Lindqvist^Astrid"),
    "another patient's ID": _set("PatientID", "LA-77-1234"),
    "another study": _set("StudyInstanceUID", generate_uid(entropy_srcs=["study"])),
    "an old age": _set("PatientAge", "094Y"),
    "another sex": _set("PatientSex", "O"),
    "another character set": _set("SpecificCharacterSet", "ISO_IR 192"),
    "another image type": _set("ImageType", ["DERIVED", "SECONDARY", "M"]),
    "no accession number": lambda ds: delattr(ds, "AccessionNumber"),
    "a marker": _set("DeidentificationMethod", "by hand"),
    "a text more": _set("ProtocolName", "localizer for the second time"),
    "a UID of its own as text": lambda ds: setattr(ds, "ImageComments", ds.SOPInstanceUID),
    "a UID of the series as text": lambda ds: setattr(ds, "ImageComments", ds.SeriesInstanceUID),
    "the name in a private element": lambda ds: ds.private_block(0x51, "SIEMENS MR HEADER").add_new(
        0x0E, "LO", _name(ds)
    ),
    "an unknown private element": lambda ds: ds.private_block(0x77, "OTHER", create=True).add_new(1, "LO", "x"),
    "base64 in a private element": lambda ds: ds.private_block(0x51, "SIEMENS MR HEADER").add_new(
        0x0F, "LT", "QWxsYW4gUXVhcnRlcm1haW5l" * 4
    ),
    "the name in the pixels": lambda ds: setattr(
        ds, "PixelData", b" " + _name(ds).encode() + b" " + ds.PixelData[len(_name(ds)) + 2 :]
    ),
    "other pixels": lambda ds: setattr(ds, "PixelData", bytes(len(ds.PixelData))),
    "fewer rows": lambda ds: (setattr(ds, "Rows", 16), setattr(ds, "PixelData", ds.PixelData[: 16 * 64])),  # type: ignore[func-returns-value]
    "the name in a CSA header's text": _in_csa(b"PixelFileName", lambda _: b"PixelFileName\0" + bytes(86) + b"x"),
    "the name in a CSA header's name": _in_csa(b"SlicePosition_PCS", lambda ds: _name(ds).encode()),
    "the name behind a CSA header's name": _in_csa(
        b"SlicePosition_PCS", lambda ds: b"SlicePosition_PCS\0" + _name(ds).encode()
    ),
    "a broken CSA header": _in_csa(b"SV10", lambda _: b"SV10\4\3\2\1\xff\xff\xff\x7f"),
    "an item more": lambda ds: ds.add_new(0x00081140, "SQ", [Dataset(), Dataset()]),
}  # fmt: skip


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_one_file_differs(
    slices: list[Path], monkeypatch: pytest.MonkeyPatch, change: Callable[[Dataset], None], in_place: bool
) -> None:
    for path in slices[3:5]:
        ds = pydicom.dcmread(path)
        change(ds)
        ds.save_as(path)
    assert compare(slices[0].parent, monkeypatch, in_place) >= SLICES - 2 - 2 - 2


@pytest.mark.parametrize("seed", range(240 if THOROUGH else 12))
def test_bytes_overwritten_anywhere(slices: list[Path], monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Names, digits, UIDs and noise fall on values, heads of elements, CSA tags and leftovers alike."""
    dice = random.Random(seed)
    ds = pydicom.dcmread(slices[0])
    words = [
        _name(ds).encode(),
        str(ds.PatientID).encode(),
        b"20170327",
        ds.StudyInstanceUID.encode(),
        b"\0\0",
        b"7",
    ]
    for path in slices[2:]:
        data = bytearray(path.read_bytes())
        for _ in range(dice.choice((1, 1, 3))):
            word = dice.choice(words)
            at = dice.randrange(132, len(data) - 2048 - len(word))
            data[at : at + len(word)] = word
        path.write_bytes(data)
    assert compare(slices[0].parent, monkeypatch)


def _is_small(path: Path) -> bool:
    return 2048 < path.stat().st_size < 1 << 19


#: Parts of the corpus in which no file is planned by another.
ALL_ALONE = {8, 11, 12, 13, 20}


@pytest.mark.parametrize("part", range(24 if THOROUGH else 6))
def test_real_files_that_differ_by_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    """Each file stands six times in its folder, with other digits in some of its values."""
    dice = random.Random(part)
    for number, path in enumerate(list(filter(_is_small, dicom_files()))[part::24]):
        folder = tmp_path / "in" / str(number)
        folder.mkdir(parents=True)
        data = path.read_bytes()
        places = [at for at in range(256, min(len(data), 1 << 17)) if data[at] in b"0123456789"]
        for n in range(6):
            other = bytearray(data)
            for at in dice.sample(places, min(len(places), n)):
                other[at] = dice.choice(b"0123456789")
            (folder / f"{n}.dcm").write_bytes(other)
    assert bool(compare(tmp_path / "in", monkeypatch)) == (part not in ALL_ALONE)
