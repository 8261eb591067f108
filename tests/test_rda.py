"""Siemens spectroscopy files: where the header ends, and which of its values are text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastanon.errors import MalformedError
from fastanon.fields import Space
from fastanon.siemens import rda
from tests.corpus import corpus_folder

BEGIN, END = b">>> Begin of header <<<", b">>> End of header <<<"
LINES = [
    b"PatientName: DOE^JANE", b"PatientID:  12345 ", b"PatientSex: F", b"PatientBirthDate: 19550330",
    b"StudyDate: 20160429", b"StudyTime: 115929.519000", b"StudyDescription: 2016", b"PatientAge: 061Y",
    b"PatientWeight: 55.000000", b"SeriesDescription: svs of Jane", b"PatientPosition: HFS",
    b"InstitutionName: ", b"StationName: MRC35119", b"ModelName: Skyra", b"DeviceSerialNumber: 45123",
    b"SoftwareVersion[0]: syngo MR D13", b"InstanceComments: first", b"second line", b"SequenceName: *svs_se",
    b"TR: 2000.000000", b"Nucleus: 1H", b"MRFrequency: 123.234655", b"CSIMatrixSize[0]: 1", b"HammingFilter: Off",
    b"TransmitCoil: Body", b"TransmitRefAmplitude[1H]: 347.063049", b"RowVector[1]: -0.251409",
    b"ReferringPhysician[0]: 7", b"SomethingNew: of Jane's", b"SomethingElse: 1e-05",
]  # fmt: skip
PAYLOAD = b"\nDOE^JANE\0\0\0\0\0\0\0"


def file(end: bytes = b"\r\n") -> bytes:
    return end.join([BEGIN, *LINES, END]) + end + PAYLOAD


def keyed(data: bytes, base: int = 0) -> list[tuple[str, bytes]]:
    return [
        (f.key[-1], data[f.value[0] - base : f.value[1] - base]) for f in rda.fields(data, base, Space(), ("rda",))
    ]


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_the_payload_starts_behind_the_mark(end: bytes) -> None:
    data = file(end)
    assert rda.is_rda(data)
    head, payload = rda.locate(data)
    assert data[head:].startswith(END)
    assert data[payload:] == PAYLOAD


def test_values_that_are_text() -> None:
    assert keyed(file(), 77) == [
        ("PatientName", b"DOE^JANE"), ("PatientID", b"12345"), ("PatientBirthDate", b"19550330"),
        ("StudyDate", b"20160429"), ("StudyDescription", b"2016"), ("PatientAge", b"061Y"),
        ("SeriesDescription", b"svs of Jane"), ("StationName", b"MRC35119"),
        ("DeviceSerialNumber", b"45123"), ("InstanceComments", b"first"), ("text", b"second line"),
        ("ReferringPhysician", b"7"), ("SomethingNew", b"of Jane's"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("PatientName", "patient"), ("PatientsName", "patient"), ("PatientID", "id"), ("PatientBirthDate", "dob"),
        ("ReferringPhysician", "physician"), ("PerformingPhysiciansName[0]", "physician"), ("StudyDate", "date"),
        ("PatientPosition", None), ("OtherPatientIDs", "id"), ("PatientBirthName", "patient"),
        ("InstitutionName", "institution"), ("AccessionNumber", "id"), ("PatientAge", "age"), ("", None),
    ],
)  # fmt: skip
def test_rules(key: str, rule: str | None) -> None:
    assert rda.rule_of(key) == rule


@pytest.mark.parametrize(
    "data",
    [
        BEGIN + b"\r\nPatientName: DOE\r\n",
        BEGIN + b"\r\nInstanceComments: " + END + b"\r\n",
        BEGIN + b"\r\n" + b" " * rda.MAX_HEADER + b"\r\n" + END,
    ],
)
def test_a_header_without_end_is_malformed(data: bytes) -> None:
    for read in (rda.locate, keyed):
        with pytest.raises(MalformedError, match=r"\.rda header") as error:
            read(data)
        assert error.value.offset == min(len(data), rda.MAX_HEADER)


@pytest.mark.parametrize("data", [b"", END, b"!INTERFILE:=", b"x" + BEGIN])
def test_what_it_is_not(data: bytes) -> None:
    assert not rda.is_rda(data)


@pytest.mark.skipif(corpus_folder() is None, reason="FASTANON_CORPUS is not set")
def test_real_file() -> None:
    folder = corpus_folder()
    assert folder is not None
    data = (folder / "openmrslab__suspect" / "SVS_30.rda").read_bytes()
    assert rda.is_rda(data)
    assert len(data) - rda.locate(data)[1] == 16 * 1024
    assert keyed(data) == [
        ("PatientName", b"445"), ("PatientID", b"Anonymous"), ("StudyDate", b"20160429"),
        ("SeriesDate", b"20160429"), ("SeriesDescription", b"svs_se_30_LSTG"),
        ("ProtocolName", b"svs_se_30_LSTG"), ("InstanceDate", b"20160429"), ("SequenceDescription", b"*svs_se"),
    ]  # fmt: skip


_pieces = st.sampled_from(
    [
        BEGIN,
        END,
        b"\r\n",
        b"\n",
        b"\r",
        b"PatientName:",
        b"New: ",
        b"DOE",
        b" ",
        b"\0",
        b":",
        b"[0]",
        b"17",
        b"\xfc",
    ]
)
_files = st.one_of(
    st.binary(max_size=200), st.lists(_pieces, max_size=40).map(lambda p: b"".join([*p, b"\n", END]))
)


@given(_files, st.integers(0, 1 << 40))
def test_fields_are_sorted_disjoint_and_before_the_mark(data: bytes, base: int) -> None:
    rda.is_rda(data)
    try:
        end, payload = rda.locate(data)
    except MalformedError:
        with pytest.raises(MalformedError):
            keyed(data)
        return
    assert 0 <= end < payload <= len(data)
    at = base
    edited = bytearray(data)
    for f in rda.fields(data, base, Space(), ()):
        assert at <= f.value[0] < f.value[1] <= base + end
        at = f.value[1]
        run = slice(f.value[0] - base, f.value[1] - base)
        assert not set(data[run]) & set(b"\r\n")
        edited[run] = b"x" * len(data[run])
    assert _keys(bytes(edited)) == _keys(data)
    assert rda.locate(bytes(edited)) == (end, payload)


def _keys(data: bytes) -> list[bytes]:
    """Read keys as MATLAB readers do: what stands before the first colon of a line, if it is one they know."""
    lines = data[: rda.locate(data)[0]].replace(b"\r", b"\n").split(b"\n")
    keys = (key.strip() for key, found, _ in (line.partition(b":") for line in lines) if found)
    return [key for key in keys if key in (b"PatientName", b"PatientName[0]", b"New")]
