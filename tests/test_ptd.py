"""A ptd is where its last 24 bytes say, or refused."""

from __future__ import annotations

import contextlib
import struct
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from fastanon.errors import FileError, MalformedError, UnsupportedError
from fastanon.opened import Opened
from fastanon.siemens import ptd
from fastanon.siemens.ptd import Ptd
from fastanon.synthetic import Person, planted_forms
from fastanon.synthetic.ptd import make_ptd
from fastanon.synthetic.words import listmode_block
from tests.canary import CANARIES
from tests.niftypet import anonymize

FIRST, LAST, NUMBER, BIRTH = CANARIES
PERSON = Person(name=f"{LAST}^{FIRST.upper()}", patient_id=NUMBER, birth_date=BIRTH)
MARK = b"LARGE_PET_LM_RAWDATA"
WORDS = 1 << 12


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_ptd(tmp_path_factory.mktemp("ptd") / "a.ptd", 4 * WORDS, PERSON).read_bytes()


@pytest.fixture(scope="module")
def dummy(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_ptd(tmp_path_factory.mktemp("ptd") / "a.ptd", 4, PERSON, flavor="dummy").read_bytes()


def locate(path: Path, data: bytes | None = None) -> Ptd | None:
    if data is not None:
        path.write_bytes(data)
    with Opened(path) as opened:
        return ptd.locate(opened)


def parts(path: Path, data: bytes | None = None) -> Ptd:
    found = locate(path, data)
    assert found is not None
    return found


def test_parts_are_where_struct_finds_them(tmp_path: Path, whole: bytes) -> None:
    found = parts(tmp_path / "a", whole)
    (length,) = struct.unpack("<i", whole[-24:-20])
    slot = len(whole) - 24
    assert found.dicom == (slot - length, slot)
    assert found.payload == (0, slot - length) == (0, 4 * WORDS)
    assert found.length_slot is not None
    assert struct.unpack_from(found.length_slot.fmt, whole, found.length_slot.offset) == (length,)
    assert found.flavor == ptd.LARGE


def test_pydicom_reads_the_stream(tmp_path: Path, whole: bytes, dummy: bytes) -> None:
    for data in (whole, dummy):
        found = parts(tmp_path / "a", data)
        dataset = pydicom.dcmread(BytesIO(data[slice(*found.dicom)]))
        assert dataset.PatientName == PERSON.name
        assert dataset.private_block(0x29, "SIEMENS CSA NON-IMAGE")[0x08].value == "PET_LISTMODE_T"
        assert len(list(dataset.iterall())) > 100


def test_the_payload_is_words_and_nobody_stands_in_it(tmp_path: Path, whole: bytes) -> None:
    payload = whole[slice(*parts(tmp_path / "a", whole).payload)]
    assert payload == listmode_block(0, WORDS)
    stream = whole[len(payload) :]
    for kind in ("name", "id", "birth"):
        assert any(form in stream for form in planted_forms(PERSON)[kind])
        assert not any(form in payload for form in planted_forms(PERSON)[kind] if len(form) > 5)


def test_dummy_data_end_with_a_mark(tmp_path: Path, dummy: bytes) -> None:
    found = parts(tmp_path / "a", dummy)
    assert found == Ptd((0, 10), (10, len(dummy) - 4), None, ptd.DUMMY)


def test_a_ptd_may_have_no_payload(tmp_path: Path, whole: bytes) -> None:
    found = parts(tmp_path / "a", whole[4 * WORDS :])
    assert found.payload == (0, 0)


def test_offsets_have_64_bits(tmp_path: Path) -> None:
    path = make_ptd(tmp_path / "a.ptd", 5 << 30, PERSON, sparse=True)
    found = parts(path)
    assert path.stat().st_blocks * 512 < 1 << 20
    assert found.payload == (0, 5 << 30)
    assert found.length_slot is not None
    assert found.length_slot.offset == path.stat().st_size - 24


def test_every_run_gives_the_same_bytes(tmp_path: Path, whole: bytes) -> None:
    assert make_ptd(tmp_path / "a.ptd", 4 * WORDS, PERSON).read_bytes() == whole


@pytest.mark.parametrize("wrong", [{"payload_bytes": 6}, {"payload_bytes": 0}, {"flavor": "tiny"}])
def test_maker_refuses(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="|".join(wrong)):
        make_ptd(tmp_path / "a.ptd", **{"payload_bytes": 4, **wrong})  # type: ignore[arg-type]
    assert not any(tmp_path.iterdir())


def test_other_files_are_no_ptd(dicom_files: list[Path]) -> None:
    for path in dicom_files:
        if path.stat().st_size:
            assert locate(path) is None


@pytest.mark.parametrize("data", [b"x", b"dummy data", b"dummy data for a test\n" * 20, bytes(5000), b"LARGE"])
def test_small_files_are_no_ptd(tmp_path: Path, data: bytes) -> None:
    assert locate(tmp_path / "a", data) is None


WRONG_LENGTHS = pytest.mark.parametrize("by", [-1, 1, 4, -(1 << 31), (1 << 31) - 1, None])


def with_length(whole: bytes, by: int | None) -> bytes:
    (length,) = struct.unpack("<i", whole[-24:-20])
    new = 0 if by is None else by if abs(by) > 1 << 20 else length + by
    return whole[:-24] + struct.pack("<i", new) + MARK


@WRONG_LENGTHS
def test_with_a_wrong_length_the_stream_is_found(tmp_path: Path, whole: bytes, by: int | None) -> None:
    right, found = parts(tmp_path / "a", whole), parts(tmp_path / "b", with_length(whole, by))
    assert (found.payload, found.dicom) == (right.payload, right.dicom)
    assert (found.length_slot, found.broken, right.broken) == (None, True, False)


@WRONG_LENGTHS
def test_with_a_wrong_length_it_is_cleaned_at_equal_length(tmp_path: Path, whole: bytes, by: int | None) -> None:
    before = with_length(whole, by)
    path = tmp_path / "a.ptd"
    path.write_bytes(before)
    report = anonymize(path, in_place=True, patient="SOMEBODY^WITH A MUCH LONGER NAME^THAN IT WAS")
    after = path.read_bytes()
    assert (report.exit_status, report.files[0].strategy) == (0, "patch")
    assert any("another length" in message for message in report.files[0].warnings)
    assert len(after) == len(before)
    assert after[: 4 * WORDS] == before[: 4 * WORDS]
    assert after[-24:] == before[-24:]
    assert not any(form.lower() in after.lower() for form in planted_forms(PERSON)["name"] if len(form) > 5)
    assert pydicom.dcmread(BytesIO(after[4 * WORDS : -24])).PatientName != PERSON.name


def test_two_streams_before_a_wrong_length_are_refused(tmp_path: Path, whole: bytes) -> None:
    stream = whole[4 * WORDS : -24]
    with pytest.raises(MalformedError):
        locate(tmp_path / "a", with_length(stream + whole, 1))


def test_a_stream_that_does_not_end_at_a_wrong_length_is_refused(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.ptd"
    path.write_bytes(with_length(whole[:-24] + b"SMITH" * 10 + whole[-24:], 1))
    before = path.read_bytes()
    assert anonymize(path, in_place=True).files[0].status == "refused"
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "data",
    [
        MARK,
        b"\0" * 4 + MARK,
        bytes(200) + struct.pack("<i", 200) + MARK,
        bytes(200) + struct.pack("<i", -200) + MARK,
        bytes(128) + b"DICM" + struct.pack("<i", 133) + MARK,
    ],
)
def test_trailer_without_a_stream(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(MalformedError):
        locate(tmp_path / "a", data)


@pytest.mark.parametrize("behind", [b"\0", b"\n", bytes(400), MARK[:7]])
def test_bytes_behind_the_trailer(tmp_path: Path, whole: bytes, behind: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        locate(tmp_path / "a", whole + behind)
    assert caught.value.offset == len(whole)


def test_trailer_cut_off_anywhere(tmp_path: Path, whole: bytes) -> None:
    """As long as some of the mark shows; a file without it is like any other unknown bytes."""
    for cut in range(1, 15):
        with pytest.raises(MalformedError):
            locate(tmp_path / "a", whole[:-cut])
    for cut in range(15, 100):
        assert locate(tmp_path / "a", whole[:-cut]) is None


def test_any_bit_of_the_trailer_may_be_wrong(tmp_path: Path, whole: bytes) -> None:
    for at in range(len(whole) - 24, len(whole)):
        for bit in range(8):
            data = bytearray(whole)
            data[at] ^= 1 << bit
            with contextlib.suppress(FileError):
                found = locate(tmp_path / "a", bytes(data))
                assert found is None or found.broken


def test_dummy_data_with_anything_unknown(tmp_path: Path, dummy: bytes) -> None:
    moved = dummy[:10] + b"\0\0" + dummy[10:]
    for data in (dummy + b"\0", dummy[:-1], dummy[:-4], moved, dummy[:142]):
        with pytest.raises(UnsupportedError) as caught:
            locate(tmp_path / "a", data)
        assert caught.value.offset is not None
