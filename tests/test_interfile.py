"""Interfile headers: which values are text, where they stand, and what no edit may touch."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastanon.fields import Space, Text
from fastanon.siemens import interfile
from fastanon.synthetic.interfile import listmode_header, norm_header
from fastanon.synthetic.person import Person
from tests.corpus import corpus_folder

#: Keys that NIPET, STIR and pet-rd-tools read, in any of the headers here.
READ = (
    "!originating system", "%SMS-MI version number", "!data offset in bytes", "!type of data", "data format",
    "%study time (hh:mm:ss GMT+00:00)", "isotope name", "radiopharmaceutical",
    "%tracer injection time (hh:mm:ss GMT+00:00)", "tracer activity at time of injection (Bq)",
    "%patient orientation", "%patient scan orientation", "image duration (sec)", "%segment table",
    "%total listmode word counts", "%LM event and tag words format (bits)", "%preset unit", "applied corrections",
    "scan data type description [1]", "%emission data type description [2]", "!total number of data sets",
    "number of data files", "patient weight (kg)", "patient sex", "patient width (cm)", "%transaxial profile",
)  # fmt: skip
HRRT = b"""!INTERFILE
!originating system := HRRT
!name of data file := DOE-JANE-2012.2.22.10.9.8_EM.l64
!study date (dd:mm:yryr) := 22:02:2012
data format := listmode
Patient name := DOE, JANE
%patient DOB (yyyy:mm:dd) := 1955:03:30
Patient ID := 2004008
Patient sex := Female
Referring physician := ROSSETTI, CARLO
original institution := St. Elsewhere
study ID := 0815
"""


def keyed(data: bytes, base: int = 0) -> list[tuple[str, bytes]]:
    return [
        (f.key[-1], data[f.value[0] - base : f.value[1] - base])
        for f in interfile.fields(data, base, Space(), ("header",))
    ]


def naive(data: bytes) -> list[tuple[bytes, bytes]]:
    """Read the lines as NIPET and STIR do: what stands before and behind the first `:=`."""
    lines = data.replace(b"\r", b"\n").replace(b"\0", b"\n").split(b"\n")
    return [
        (key.strip(), value.strip()) for key, found, value in (line.partition(b":=") for line in lines) if found
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r\r\n", b"\r"])
@pytest.mark.parametrize("blank", [b"", b" ", b"\t  "])
def test_lines_may_end_in_any_way(end: bytes, blank: bytes) -> None:
    lines = [
        b"", b"; made by JANE", b"!INTERFILE :=", b"!name of data file :=" + blank + b"C:\\temp\\DOE.l" + blank,
        b"%comment:=" + blank + b"a := b", b"number of rings:=64", b"%COMMENT [2]:=" + blank,
    ]  # fmt: skip
    data = end.join(lines) + end + b" \0\0"
    assert interfile.is_interfile(data)
    assert keyed(data, 1000) == [
        (";", b"made by JANE"),
        ("name of data file", b"C:\\temp\\DOE.l"),
        ("comment", b"a := b"),
    ]


def test_a_header_of_the_hrrt_names_the_patient() -> None:
    found = keyed(HRRT)
    assert interfile.is_interfile(HRRT)
    assert found == [
        ("name of data file", b"DOE-JANE-2012.2.22.10.9.8_EM.l64"),
        ("study date (dd:mm:yryr)", b"22:02:2012"), ("patient name", b"DOE, JANE"),
        ("patient dob (yyyy:mm:dd)", b"1955:03:30"), ("patient id", b"2004008"),
        ("referring physician", b"ROSSETTI, CARLO"), ("original institution", b"St. Elsewhere"),
        ("study id", b"0815"),
    ]  # fmt: skip
    rules = [interfile.rule_of(key) for key, _ in found]
    assert rules == ["file", "date", "patient", "dob", "id", "physician", "institution", "loid"]


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("!patient ID", "id"), ("%patient DOB", "dob"), (";Patient's name", "patient"),
        ("Patients birth date", "dob"), ("patient's birth name", "patient"),
        ("patientname", "patient"), ("patient_id [1]", "id"), ("other patient ids", "id"),
        ("date of birth", "dob"),
        ("%performing physician's name", "physician"), ("patient last name", "patient"), ("study ID", "loid"),
        ("patient orientation", None), ("patient width", None), ("patient sex", None), ("isotope name", None),
        ("%SMS-MI header name space", None), ("name of data file", "file"),
        ("%data set [2]", "file"), ("number of files", None), ("", None), ("filter name", None),
    ],
)  # fmt: skip
def test_rules(key: str, rule: str | None) -> None:
    assert interfile.rule_of(key) == rule


@pytest.mark.parametrize("key", READ)
def test_what_programs_read_is_no_field(key: str) -> None:
    assert keyed(b"!INTERFILE:=\n" + key.encode() + b":=DOE\n") == []


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (b"{0,,DOE_JANE.s}", [b"DOE_JANE.s"]),
        (b"{1073741824, a.s.hdr , b.s }", [b"a.s.hdr", b"b.s"]),
        (b"{0,,DOE, JANE.s}", [b"DOE, JANE.s"]),
        (b"{0,one.v}", [b"one.v"]),
        (b"{0,,}", []),
        (b"{0}", []),
        (b"{0,,cut off.s", [b"cut off.s"]),
        (b"bare.s", [b"bare.s"]),
    ],
)
def test_of_a_data_set_the_names_are_text(value: bytes, names: list[bytes]) -> None:
    assert keyed(b"!INTERFILE:=\n%data set [1]:=" + value + b"\r\n") == [("data set [1]", name) for name in names]


def test_comments_and_lines_without_a_key_are_text() -> None:
    data = (
        b"!INTERFILE:=\n;patient name := DOE\n ; number of rings := 5\n!GENERAL\n{ 1, 2 }\nleft of DOE\0more\n;\n"
    )
    assert keyed(data) == [
        ("patient name", b"DOE"), (";", b"number of rings := 5"), ("text", b"left of DOE"), ("text", b"more"),
    ]  # fmt: skip


def test_what_follows_the_end_is_no_text() -> None:
    header = b"!INTERFILE:=\n%comment:=x\r\n!END OF INTERFILE :="
    data = header + b"\r\nDOE DOE"
    assert interfile.end_of(data) == len(header)
    assert keyed(data) == [("comment", b"x")]
    assert interfile.end_of(b"!INTERFILE:=\n") == 13


@pytest.mark.parametrize(
    ("data", "is_one"),
    [
        (b"!INTERFILE  :=\n", True), (b"\xef\xbb\xbf!interfile:=", True), (b"INTERFILE := \n", True),
        (b"\r\r\n;\r\r\n! INTERFILE :=", True), (b"!INTERFILE\n", False), (b"", False),
        (b"!INTERFILE\na:=b", True), (b"INTERFILE\na:=b", False),
        (b"key:=!INTERFILE:=", False), (b"SV10!INTERFILE:=", False), (b"\n" * 5000 + b"!INTERFILE:=", False),
    ],
)  # fmt: skip
def test_what_it_is(data: bytes, is_one: bool) -> None:
    assert interfile.is_interfile(data) is is_one


def test_synthetic_headers() -> None:
    person = Person()
    lists, norm = listmode_header(person, 99, 5), norm_header(person)
    dates = ("study date (yyyy:mm:dd)", "tracer injection date (yyyy:mm:dd)")
    assert [key for key, _ in keyed(lists)] == ["name of data file", *dates, "comment", "comment"]
    calibrated = "calibration date (yyyy:mm:dd)"
    described = "raw normalization scans description"
    assert [key for key, _ in keyed(norm)] == ["name of data file", dates[0], calibrated, described]
    for data in (lists, norm):
        outside = bytearray(data)
        for f in interfile.fields(data, 0, Space(), ()):
            assert f.text == Text("ascii")
            outside[slice(*f.value)] = bytes(f.value[1] - f.value[0])
        assert person.file_name.encode() not in outside
        assert Person.ascii(person.listed).encode() not in outside


@pytest.mark.skipif(corpus_folder() is None, reason="FASTANON_CORPUS is not set")
def test_real_headers() -> None:
    folder = corpus_folder()
    assert folder is not None
    paths = [path for path in sorted((folder / "UCL__STIR").iterdir()) if path.is_file()]
    found = {path.name: keyed(path.read_bytes()) for path in paths if interfile.is_interfile(path.read_bytes())}
    assert found["template_span11.hs"] == [("name of data file", b"template_span11.s")]
    assert [(key.partition(" (")[0], value) for key, value in found["mMR_listmode.l.hdr"][:-1]] == [
        ("name of data file", b"mMR_listmode.l"), ("study date", b"2017:03:27"),
        ("tracer injection date", b"2017:03:27"),
    ]  # fmt: skip
    assert found["mMR_listmode.l.hdr"][-1][0] == "comment"


_pieces = st.sampled_from(
    [b"!INTERFILE:=", b"\n", b"\r\r\n", b"\0", b":=", b";", b"%", b"patient name", b"%data set [1]:={", b",", b"}",
     b"%comment:=", b" ", b"\t", b"name of data file", b"DOE", b"\xff", b"!END OF INTERFILE", b"17"]
)  # fmt: skip
_headers = st.one_of(st.binary(max_size=200), st.lists(_pieces, max_size=40).map(b"".join))


@given(_headers, st.integers(0, 1 << 40))
def test_fields_are_sorted_disjoint_and_within_values(data: bytes, base: int) -> None:
    interfile.is_interfile(data)
    at = base
    for f in interfile.fields(data, base, Space(), ("a",)):
        start, end = f.value
        assert at <= start < end <= base + len(data)
        at = end
        value = data[start - base : end - base]
        assert not set(value) & set(b"\r\n\0")
        assert value == value.strip(b" \t")
        before = data[: start - base].replace(b"\r", b"\n").replace(b"\0", b"\n").rpartition(b"\n")[2]
        assert f.key[-1] == "text" or b":=" in before or b";" in before


@given(_headers)
def test_an_edit_of_equal_length_leaves_the_lines_as_they_are(data: bytes) -> None:
    edited = bytearray(data)
    keys = []
    for f in interfile.fields(data, 0, Space(), ()):
        if f.key[-1] in ("text", ";"):
            continue
        edited[slice(*f.value)] = b"x" * (f.value[1] - f.value[0])
        keys.append(f.key[-1])
    before, after = naive(data), naive(bytes(edited))
    assert [key for key, _ in before] == [key for key, _ in after]
    changed = [key.decode("latin-1") for (key, old), (_, new) in zip(before, after, strict=True) if old != new]
    # a comment out of which a patient's line was read is not what the naive reader takes for a key
    assert {" ".join(key.lower().strip(" \t!%;").split()) for key in changed} <= set(keys)


@pytest.mark.parametrize(
    "line", [b" " * 200_000, b"patient " * 25_000, b";" + b"[" * 200_000, b"%data set:={" + b"," * 200_000]
)
def test_long_lines_take_no_long_time(line: bytes) -> None:
    started = time.process_time()  # of this process alone, however busy the machine is
    interfile.fields(line + b":=" + line, 0, Space(), ())
    assert time.process_time() - started < 2
