"""Twix files: parts are where the bytes say, nothing planted is outside the fields, and nothing broken is read."""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastanon.errors import FileError, MalformedError, NotMedicalError, UnsupportedError
from fastanon.fields import Field, Space
from fastanon.opened import Opened
from fastanon.siemens import twix
from fastanon.siemens.twix import Twix
from fastanon.synthetic import Person, planted_forms
from fastanon.synthetic.twix import make_twix
from tests.canary import CANARIES
from tests.corpus import corpus_folder
from tests.niftypet import anonymize

FIRST, LAST, NUMBER, BIRTH = CANARIES
PERSON = Person(name=f"{LAST}^{FIRST.upper()}", patient_id=NUMBER, birth_date=BIRTH)
CUT = PERSON.name[len(PERSON.name) // 3 :][:12].encode()
BUFFERS = ["Config", "Dicom", "Meas", "MeasYaps", "Phoenix", "Spice"]
TABLE, START, ENTRY = 9736, 10240, 152
GIB = 1 << 30

Runs = list[tuple[int, int]]


class Recorder(Opened):
    """Remembers what was read, and has no map to read through."""

    reads: Runs

    def read(self, start: int, stop: int) -> bytes:
        """Read, and write down what."""
        self.reads = [*getattr(self, "reads", []), (start, stop)]
        return super().read(start, stop)


@pytest.fixture(scope="module")
def wholes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("twix")
    return {v: make_twix(folder / v, PERSON, v, data_bytes=4096).read_bytes() for v in ("VE", "VB")}


def read(path: Path, data: bytes | None = None) -> tuple[Twix, list[Field]]:
    """Locate and read, and check what holds for every file that is not refused."""
    if data is not None:
        path.write_bytes(data)
    with Opened(path) as opened:
        found = twix.locate(opened)
        fields = twix.fields(found, opened, Space())
        size = opened.size
    at = 0
    for run in sorted([f.value for f in fields] + [m.data for m in found.measurements if m.data[0] < m.data[1]]):
        assert at <= run[0] < run[1] <= size
        at = run[1]
    for field in fields:
        assert field.fixed
        assert field.text is not None
        assert field.outer[0] <= field.value[0] < field.value[1] <= field.outer[1]
    return found, fields


def by_hand(data: bytes, start: int) -> tuple[list[tuple[str, int, int]], int, int]:
    """Read a header with nothing but struct: name and run of each buffer, end of the last, start of the data."""
    header, count = struct.unpack_from("<II", data, start)
    at, found = start + 8, []
    for _ in range(count):
        end = data.index(b"\0", at)
        (size,) = struct.unpack_from("<I", data, end + 1)
        found.append((data[at:end].decode(), end + 5, end + 5 + size))
        at = end + 5 + size
    return found, at, start + header


def check_by_hand(data: bytes, found: Twix) -> None:
    _, count = struct.unpack_from("<II", data)
    assert count == len(found.measurements)
    for i, measurement in enumerate(found.measurements):
        _, _, start, length = struct.unpack_from("<IIQQ", data, 8 + ENTRY * i)
        buffers, end, begin = by_hand(data, start)
        assert [(b.name, *b.text) for b in measurement.buffers] == buffers
        assert measurement.pad == (end, begin)
        assert measurement.data == (begin, start + length)
        assert (measurement.start, measurement.cut) == (start, False)


def occurrences(data: bytes) -> Iterator[tuple[int, int]]:
    forms = {form for forms in planted_forms(PERSON).values() for form in forms} | {CUT}
    for form in forms:
        yield from (match.span() for match in re.finditer(re.escape(form), data))


# ------------------------------------------------------------------------------------------- a real file


@pytest.fixture(scope="module")
def real() -> Path:
    folder = corpus_folder()
    path = folder / "pehses__twixtools" / "epi.dat" if folder else None
    if path is None or not path.is_file():
        pytest.skip("FASTANON_CORPUS does not name a folder with twixtools' epi.dat")
    return path


def test_parts_of_a_real_file_are_where_struct_finds_them(real: Path) -> None:
    data = real.read_bytes()
    found, fields = read(real)
    check_by_hand(data, found)
    assert found.version == "VD"
    assert [b.name for b in found.measurements[0].buffers] == BUFFERS
    names = {f.key: data[slice(*f.value)] for f in fields if f.key[0] == "twix directory"}
    assert names == {("twix directory", "patName"): b"x" * 16, ("twix directory", "protName"): b"ep2d_bold"}
    assert [data[slice(*f.value)] for f in fields if f.key[-1] == "slack"] == [b"\xa0\xc9\xb4"]


def test_keys_of_a_real_file(real: Path) -> None:
    data = real.read_bytes()
    _, fields = read(real)
    parts = {(f.key[1], part) for f in fields for part in f.key[2:]}
    assert {("Dicom", "tPatientName"), ("Config", "PatientID"), ("Meas", "tPatientName")} <= parts
    assert any(name == "MeasYaps" and part.startswith("tReferenceImage") for name, part in parts)
    serials = [m.span() for m in re.finditer(rb'(?<=")66327(?=")|1\.3\.12\.2\.1107[.\d]{20,}', data)]
    assert len(serials) > 10
    inside = [any(f.value[0] <= a and b <= f.value[1] for f in fields) for a, b in serials]
    assert all(inside)


def test_twixtools_reads_the_same_texts(real: Path) -> None:
    """An independent reader, where it is installed."""
    reader = pytest.importorskip("twixtools.twixprot", reason="twixtools is not installed", exc_type=ImportError)
    found, _ = read(real)
    with real.open("rb") as file:
        file.seek(found.measurements[0].start)
        theirs = reader.parse_twix_hdr(file)
    data = real.read_bytes()
    for buffer in found.measurements[0].buffers:
        assert theirs[f"{buffer.name}_raw"] == data[slice(*buffer.text)].decode("latin-1")


# ----------------------------------------------------------------------------------------- what was planted


def test_twixtools_reads_the_synthetic_file(tmp_path: Path) -> None:
    reader = pytest.importorskip("twixtools", reason="twixtools is not installed", exc_type=ImportError)
    path = make_twix(tmp_path / "a.dat", PERSON, measurements=3)
    scans = reader.read_twix(
        str(path), parse_data=False, parse_pmu=False, parse_geometry=False, verbose=False, parse_prot=True
    )
    data = path.read_bytes()
    for scan, measurement in zip(scans, read(path)[0].measurements, strict=True):
        assert len(scan["hdr_str"]) == measurement.header
        assert scan["hdr"]["Dicom"]["tPatientName"] == PERSON.name
        for buffer in measurement.buffers:
            assert scan["hdr"][f"{buffer.name}_raw"] == data[slice(*buffer.text)].decode("latin-1")


@pytest.mark.parametrize("measurements", [1, 2, 5, 64])
def test_directory_and_headers(tmp_path: Path, measurements: int) -> None:
    path = make_twix(tmp_path / "a.dat", PERSON, measurements=measurements, data_bytes=1000)
    data = path.read_bytes()
    found, fields = read(path)
    check_by_hand(data, found)
    assert sum(f.key == ("twix directory", "patName") for f in fields) == measurements
    assert found.unused == (8 + ENTRY * measurements, TABLE)
    assert {f.key[1] for f in fields if f.key[0] == "twix"} == {*BUFFERS, "slack"}


@pytest.mark.parametrize("version", ["VE", "VB"])
def test_everything_planted_lies_in_a_field_and_none_of_it_in_the_data(
    tmp_path: Path, wholes: dict[str, bytes], version: str
) -> None:
    data = wholes[version]
    found, fields = read(tmp_path / "a.dat", data)
    planted = list(occurrences(data))
    assert len(planted) > 60
    for start, end in planted:
        assert any(f.value[0] <= start and end <= f.value[1] for f in fields), data[start - 20 : end + 20]
        assert not any(a < end and start < b for a, b in (m.data for m in found.measurements))
    for kind in ["patName", "protName", None]:
        key = ("twix directory", *filter(None, [kind]), "slack")
        assert any(f.key == key and CUT in data[slice(*f.value)] for f in fields) or version == "VB"
    assert any(f.key == ("twix", "slack") and CUT in data[slice(*f.value)] for f in fields)
    named = {f.key[1] for f in fields if CUT in data[slice(*f.value)] and f.key[0] == "twix"}
    assert named == {*BUFFERS, "slack"}


def test_zeros_are_no_slack(tmp_path: Path, wholes: dict[str, bytes]) -> None:
    data = wholes["VE"]
    _, fields = read(tmp_path / "a.dat", data)
    clean = bytearray(data)
    for field in fields:
        if field.key[-1] == "slack":
            clean[slice(*field.value)] = bytes(field.value[1] - field.value[0])
    after = read(tmp_path / "a.dat", bytes(clean))[1]
    assert after == [f for f in fields if f.key[-1] != "slack"]


def test_a_slot_offers_its_whole_width(tmp_path: Path, wholes: dict[str, bytes]) -> None:
    _, fields = read(tmp_path / "a.dat", wholes["VE"])
    slot = next(f for f in fields if f.key == ("twix directory", "patName"))
    assert slot.outer == (32, 96)
    assert slot.value == (32, 32 + len(PERSON.name))
    assert slot.text is not None
    assert (slot.text.pad, slot.text.limit) == (b"\0", 63)


def test_a_slot_may_be_full_or_empty(tmp_path: Path, wholes: dict[str, bytes]) -> None:
    data = bytearray(wholes["VE"])
    data[32:96], data[96:160] = b"N" * 64, bytes(64)
    _, fields = read(tmp_path / "a.dat", bytes(data))
    first = [f for f in fields if f.value[0] < 160]
    assert [(f.key, f.value) for f in first] == [(("twix directory", "patName"), (32, 96))]


def test_text_that_is_no_protocol_is_one_field(tmp_path: Path) -> None:
    """And what stands behind its NUL is leftover memory."""
    texts = {"Config": b"operator Smith\0", "Other": b"short\0left over", "Empty": b""}
    body = b"".join(n.encode() + b"\0" + struct.pack("<I", len(t)) + t for n, t in texts.items())
    body += b"pad" + bytes(-(11 + len(body)) % 32)
    entry = struct.pack("<IIQQ64s64s", 1, 2, START, 8 + len(body), b"", b"gre")
    data = (struct.pack("<II", 0, 1) + entry).ljust(START, b"\0") + struct.pack("<II", 8 + len(body), 3) + body
    _, fields = read(tmp_path / "a.dat", data)
    assert {f.key[1:]: data[slice(*f.value)].rstrip(b"\0") for f in fields} == {
        ("protName",): b"gre", ("Config",): b"operator Smith", ("Other",): b"short",
        ("Other", "slack"): b"left over", ("slack",): b"pad",
    }  # fmt: skip


def test_data_are_not_read(tmp_path: Path, wholes: dict[str, bytes]) -> None:
    for version, data in wholes.items():
        path = tmp_path / version
        path.write_bytes(data)
        with Recorder(path) as opened:
            opened.view = b""  # a small file is read at once when it is opened
            opened.reads.clear()
            found = twix.locate(opened)
            located = sum(stop - start for start, stop in opened.reads)
            twix.fields(found, opened, Space())
        assert located < 5000
        for start, stop in opened.reads:
            assert not any(start < b and a < stop for a, b in (m.data for m in found.measurements))


@pytest.mark.parametrize(("version", "measurements"), [("VE", 2), ("VB", 1)])
def test_offsets_have_64_bits(tmp_path: Path, version: str, measurements: int) -> None:
    path = make_twix(tmp_path / "a.dat", PERSON, version, measurements, 5 * GIB, sparse=True)
    found, fields = read(path)
    assert path.stat().st_size > measurements * 5 * GIB
    assert path.stat().st_blocks * 512 < 4 << 20
    assert [b - a for a, b in (m.data for m in found.measurements)] == [5 * GIB] * measurements
    if version == "VE":
        assert found.measurements[1].start > 5 * GIB
        with Opened(path) as opened:
            far = [f for f in fields if f.value[0] > 5 * GIB and "tPatientName" in f.key]
            assert {opened.read(*f.value).decode() for f in far} == {PERSON.name}


def test_every_run_gives_the_same_bytes(tmp_path: Path, wholes: dict[str, bytes]) -> None:
    for version, data in wholes.items():
        assert make_twix(tmp_path / "a.dat", PERSON, version, data_bytes=4096).read_bytes() == data


@pytest.mark.parametrize("wrong", [{"version": "VC"}, {"measurements": 0}, {"measurements": 65}])
def test_maker_refuses(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="version"):
        make_twix(tmp_path / "a.dat", **wrong)  # type: ignore[arg-type]
    assert not any(tmp_path.iterdir())


# ------------------------------------------------------------------------------------------------ sniffing


def test_other_files_are_no_twix(dicom_files: list[Path]) -> None:
    taken = {path.name for path in dicom_files if twix.is_twix(path.read_bytes()[: twix.HEAD])}
    assert taken <= {"epi.dat"}


@pytest.mark.parametrize(
    "head",
    [
        bytes(160),
        b"",
        struct.pack("<II", 0, 1) + bytes(152),
        struct.pack("<II", 0, 65) + struct.pack("<IIQ", 1, 1, START) + bytes(136),
        (struct.pack("<IIIIQQ", 0, 1, 1, 1, START, 9) + b"\0" * 96 + b"DICM").ljust(160, b"\0"),
        struct.pack("<II", 4096, 1) + b"Config\0" + struct.pack("<I", 2000) + bytes(range(160)),
        struct.pack("<II", 4096, 99) + b"Config\0" + struct.pack("<I", 2000) + b" " * 160,
        struct.pack("<IIIIQQ", 0, 1, 1, 1, START, 9),
    ],
)
def test_heads_that_are_no_twix(tmp_path: Path, head: bytes) -> None:
    assert not twix.is_twix(head)
    if head:
        with pytest.raises(NotMedicalError):
            read(tmp_path / "a", head)


# -------------------------------------------------------------------------------------------------- broken


def put(data: bytes, at: int, fmt: str, value: int) -> bytes:
    return data[:at] + struct.pack(fmt, value) + data[at + struct.calcsize(fmt) :]


SECOND = 8 + ENTRY
HEADER = START + 8
WRONG = {
    "first offset inside the directory": (8 + 8, "<Q", 512),
    "second offset inside the first": (SECOND + 8, "<Q", START + 512),
    "second offset that of the first": (SECOND + 8, "<Q", START),
    "first length zero": (8 + 16, "<Q", 0),
    "first length over the second": (8 + 16, "<Q", 1 << 20),
    "first length shorter than the header": (8 + 16, "<Q", 4096),
    "length with the highest bit": (8 + 16, "<Q", (1 << 64) - 1),
    "header longer than its measurement": (START, "<I", 1 << 30),
    "header of nothing": (START, "<I", 0),
    "header shorter than its buffers": (START, "<I", 64),
    "no buffers": (START + 4, "<I", 0),
    "many buffers": (START + 4, "<I", 1 << 31),
    "a buffer too many": (START + 4, "<I", 7),
    "name of a buffer": (HEADER, "<B", 0),
    "length of a buffer": (HEADER + 7, "<I", 0xFFFFFFFF),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_numbers(tmp_path: Path, wholes: dict[str, bytes], what: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read(tmp_path / "a.dat", put(wholes["VE"], *WRONG[what]))
    assert caught.value.offset is not None


@pytest.mark.parametrize("offset", [1 << 33, 1 << 40, (1 << 64) - 1])
def test_an_entry_past_the_end_of_a_file_that_was_cut_off(
    tmp_path: Path, wholes: dict[str, bytes], offset: int
) -> None:
    """The first measurement is there; of the second only its name in the directory."""
    (second,) = struct.unpack_from("<Q", wholes["VE"], SECOND + 8)
    path, before = tmp_path / "a.dat", put(wholes["VE"], SECOND + 8, "<Q", offset)[:second]
    path.write_bytes(before)
    report = anonymize(path, in_place=True)
    after = path.read_bytes()
    assert report.exit_status == 0
    assert any("past the end" in message for message in report.files[0].warnings)
    assert not any(form.lower() in after.lower() for form in planted_forms(PERSON)["name"] if len(form) > 5)
    (header,) = struct.unpack_from("<I", before, START)
    (length,) = struct.unpack_from("<Q", before, 8 + 16)
    data = slice(START + header, START + length)
    assert after[data] == before[data] != b""


@pytest.mark.parametrize(("at", "offset"), [(8 + 8, 1 << 40), (SECOND + 8, 1 << 33)])
def test_an_entry_past_the_end_with_its_measurement_still_there_is_refused(
    tmp_path: Path, wholes: dict[str, bytes], at: int, offset: int
) -> None:
    """What belongs to no entry may be text or data: nothing in it is changed on a guess."""
    with pytest.raises(UnsupportedError, match="no measurement"):
        read(tmp_path / "a.dat", put(wholes["VE"], at, "<Q", offset))


def test_bytes_of_nobody(tmp_path: Path, wholes: dict[str, bytes]) -> None:
    data = wholes["VE"]
    for wrong in (
        data + b"x" * 512,  # behind the last measurement
        put(data, START + 4, "<I", 5),  # the last buffer is none any more
        put(data, START, "<I", struct.unpack_from("<I", data, START)[0] + 32),  # data in the filling
        data[:TABLE] + b"x" * 512 + data[TABLE:],
    ):
        with pytest.raises((UnsupportedError, MalformedError)):
            read(tmp_path / "a.dat", wrong)
    last = struct.unpack_from("<Q", data, SECOND + 16)[0]
    with pytest.raises(UnsupportedError):  # 600 bytes of data that no entry owns
        read(tmp_path / "a.dat", put(data, SECOND + 16, "<Q", last - 600))
    end = struct.unpack_from("<Q", data, SECOND + 8)[0] + last
    assert len(read(tmp_path / "a.dat", data[:end] + bytes(5000))[0].measurements) == 2


def test_one_measurement_of_unknown_length_goes_to_the_end(tmp_path: Path) -> None:
    data = make_twix(tmp_path / "a.dat", PERSON, measurements=1).read_bytes()
    (only,) = read(tmp_path / "a.dat", put(data, 8 + 16, "<Q", 0))[0].measurements
    assert only.data[1] == len(data)
    assert not only.cut


def test_data_may_be_cut_short_but_no_header(tmp_path: Path, wholes: dict[str, bytes]) -> None:
    data = wholes["VE"]
    _, second = read(tmp_path / "a.dat", data)[0].measurements
    for size in (second.data[1] - 1, second.data[0] + 1, second.data[0]):
        first, last = read(tmp_path / "a.dat", data[:size])[0].measurements
        assert (first.cut, last.cut) == (False, True)
        assert last.data == (second.data[0], size)
    for size in (second.data[0] - 1, second.start + 9, second.start + 7, START + 9, START, TABLE):
        with pytest.raises(MalformedError):
            read(tmp_path / "a.dat", data[:size])


@pytest.mark.parametrize("version", ["VE", "VB"])
def test_truncated_anywhere(tmp_path: Path, wholes: dict[str, bytes], version: str) -> None:
    path = tmp_path / "a.dat"
    path.write_bytes(wholes[version][:12288])
    for size in range(12288, 0, -1):
        with path.open("r+b") as file:
            file.truncate(size)
        with Opened(path) as opened, pytest.raises(FileError):
            twix.locate(opened)


@pytest.mark.parametrize("version", ["VE", "VB"])
def test_any_byte_may_be_wrong(tmp_path: Path, wholes: dict[str, bytes], version: str) -> None:
    """Every byte of the directory's two entries and of the first header's beginning, in each of 8 bits."""
    data, path = bytearray(wholes[version]), tmp_path / "a.dat"
    path.write_bytes(data)
    start = START if version == "VE" else 0
    refused = 0
    for at in sorted({*(range(SECOND + ENTRY) if start else ()), *range(start, start + 24)}):
        for value in {data[at] ^ (1 << bit) for bit in range(8)} | {0, 255}:
            with path.open("r+b") as file:
                file.seek(at)
                file.write(bytes([value]))
            with Opened(path) as opened:
                try:
                    found = twix.locate(opened)
                except FileError:
                    refused += 1
                else:
                    assert all(m.data[1] <= opened.size for m in found.measurements)
        with path.open("r+b") as file:
            file.seek(at)
            file.write(data[at : at + 1])
    assert refused > 50


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits=st.lists(st.tuples(st.integers(0, 10800), st.binary(min_size=1, max_size=9)), min_size=1, max_size=4),
    version=st.sampled_from(["VE", "VB"]),
)
def test_several_bytes_may_be_wrong(
    tmp_path: Path, wholes: dict[str, bytes], edits: list[tuple[int, bytes]], version: str
) -> None:
    data = bytearray(wholes[version])
    for at, new in edits:
        data[at : at + len(new)] = new
    with contextlib.suppress(FileError):
        read(tmp_path / "a.dat", bytes(data))
