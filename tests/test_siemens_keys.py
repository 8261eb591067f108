"""What keys of Siemens' texts say of their values; in real texts, that nothing which identifies goes without."""

from __future__ import annotations

import functools
import re
import warnings
from collections import Counter
from collections.abc import Iterator

import pydicom
import pytest

from fastanon.fields import Field, Space
from fastanon.opened import Opened
from fastanon.siemens import csa, interfile, protocol, rda, twix
from fastanon.siemens.protocol_keys import DATED_NUMBER, is_kept, rule_of
from tests.corpus import corpus_folder, samples
from tests.test_csa import csa1, csa2
from tests.test_protocol import corpus_texts

RULES = {
    "patient": "tPatientName PatientsName",
    "physician": "PerfPhysicianName tPerfPhysiciansName tReferringPhysician ReferringPhysiciansName",
    "operator": "OperatorName OperatorsName tOperatorName tOperatorsName",
    "dob": "PatientBirthDay PatientsBirthDate",
    "age": "PatientAge PatReinPattern<age>",
    "id": "PatientID tPatientID",
    "loid": "Patient Study PatientLOID PatientLoid StudyLOID StudyLoid SeriesLOID ParentLoid DefaultSeriesLoid"
    " DefaultSeriesLoids4Split StudyLOIDS4Split SeriesLOIDS4Split MppsLOIDS4Split MppsLoids4Split tCurrentMppsLoid"
    " StudyLOIDS4SplitAndPause SeriesLOIDS4SplitAndPause MppsLOIDS4SplitAndPause Studyloids4Split ParentUid"
    " MppsLOIDS4DMWLPause MeasUID MeasUid ExamMemoryUID StudyID",
    "uid": "FrameOfReference tFrameOfReference tReferenceImage0 tReferenceImage2 tReferenceImage17"
    " ReferencedImageSequence RepresentativeImage DICOM_UID_ROOT",
    "institution": "InstitutionName InstitutionAddress tInstitutionName InstitutionalDepartmentName",
    "station": "StationName HOST_NAME HOST_NAME_SERVER_LINUX",
    "device": "DeviceSerialNumber",
    "date": "PrepareTimestamp atTXCalibDate StudyDate lFinalMatrixSizePhase",
    None: "patientname Patients Patient<Label> StudyDescription StudyComment lPatientSex atTXCalibTime sTime date"
    " lFinalMatrixSizeRead SoftwareVersions tBaselineString ProtocolName tName ManufacturersModelName Manufacturer"
    " tSystemType CoilID Colloid Steroid4 Uid",
}


@pytest.mark.parametrize(
    ("rule", "name"), [(rule, name) for rule, names in RULES.items() for name in names.split()]
)
def test_rules_of_parameters(rule: str | None, name: str) -> None:
    assert rule_of(name) == rule


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("%study date (yyyy:mm:dd)", "date"), ("!study date (dd:mm:yryr)", "date"), ("exam date", "date"),
        ("%tracer injection date (yyyy:mm:dd)", "date"), ("%calibration date (yyyy:mm:dd)", "date"),
        ("%decay correction reference date (yyyy:mm:dd)", "date"), ("%expiration date (yyyy:mm:dd)", "date"),
        ("%study UTC (sec)", "date"), ("%tracer injection UTC (sec)", "date"), ("study_date", "date"),
        ("%study time (hh:mm:ss GMT+00:00)", None), ("%calibration time (hh:mm:ss)", None),
        ("%decay correction", None), ("decay correction factor", None), ("date of keys", None),
        ("program date", None), ("%software release date", None), ("%software version", None),
        ("%GLOBAL SCANNER CALIBRATION FACTOR", None), ("scanner quantification factor (Bq*s/ECAT counts)", None),
        ("update interval (sec)", None), ("image relative start time (sec)", None), ("version of keys", None),
        ("original institution", "institution"), ("department", "institution"), ("hospital name", "institution"),
        ("%operator", "operator"), ("operators name", "operator"), ("contact person", "operator"),
        ("station name", "station"), ("%host name", "station"), ("%gantry serial number", "device"),
        ("%source serial", "device"), ("study id", "loid"), ("%series instance UID", "uid"),
        ("%patient age", "age"), ("patient DOB", "dob"), ("originating system", None), ("septa state", None),
        ("number of operators", None), ("%singles scale factor", None), ("image duration (sec)", None),
    ],
)  # fmt: skip
def test_rules_of_interfile(key: str, rule: str | None) -> None:
    assert interfile.rule_of(key) == rule
    found = [f.key[-1] for f in interfile.fields(f"!INTERFILE:=\n{key}:=2017\n".encode(), 0, Space(), ())]
    assert bool(found) is (rule is not None)


@pytest.mark.parametrize(
    ("key", "rule", "value"),
    [
        ("StudyDate", "date", "20160429"), ("SeriesDate", "date", "2016"), ("InstanceDate", "date", "20160429"),
        ("PatientAge", "age", "063Y"), ("OperatorsName", "operator", "X"), ("InstitutionName", "institution", "X"),
        ("InstitutionalDepartmentName", "institution", "X"), ("StationName", "station", "MRC35119"),
        ("DeviceSerialNumber", "device", "45123"), ("StudyID", "loid", "1"), ("StudyInstanceUID", "uid", "1.2.3"),
        ("StudyTime", None, "115929.519000"), ("SoftwareVersion[0]", None, "syngo MR D13"), ("TR", None, "2000.0"),
        ("PatientSex", None, "F"), ("PatientWeight", None, "55.0"), ("ModelName", None, "Skyra"),
    ],
)  # fmt: skip
def test_rules_of_rda(key: str, rule: str | None, value: str) -> None:
    text = f">>> Begin of header <<<\r\n{key}: {value}\r\n>>> End of header <<<\r\n"
    found = rda.fields(text.encode(), 0, Space(), ("rda",))
    assert rda.rule_of(key) == rule
    assert [text[slice(*f.value)] for f in found] == ([value] if rule else [])


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("sSpecPara.lFinalMatrixSizePhase\t = \t20170920\n", "20170920"),
        (
            "lA = 20170920\na.b[0].lFinalMatrixSizePhase=20170920\nlB = 0x2\nlFinalMatrixSizeRead = 20170920",
            "20170920",
        ),
        ('<ParamLong."lFinalMatrixSizePhase"> { <LimitRange> { 0 99999999 } 20170920 }', "20170920"),
        ("sSpecPara.lFinalMatrixSizePhase = 64", None),
        ("sSpecPara.lFinalMatrixSizePhase = 201709201", None),
        ("sSpecPara.lFinalMatrixSizePhase = 20171320", None),
        ("sSpecPara.lFinalMatrixSizePhase = -20170920", None),
        ("sSpecPara.lFinalMatrixSizePhase = 20170920.5", None),
        ("sSpecPara.lFinalMatrixSizeRead = 20170920", None),
        ('<ParamLong."lOther"> { 20170920 }', None),
    ],
)
@pytest.mark.parametrize("broken", ["", "\n}"])
def test_a_number_that_is_a_date(text: str, date: str | None, broken: str) -> None:
    """A broken text gives what stands around it as pieces, and the date by itself."""
    text += broken
    found = [f for f in protocol.fields(text.encode(), 0, Space(), ("text",)) if f.key[-1] == DATED_NUMBER]
    assert [text[slice(*f.value)] for f in found] == ([date] if date else [])
    assert all(f.text is not None and f.text.quotes == 0 and not f.broken for f in found)


def test_a_date_is_found_once() -> None:
    text = '<ParamLong."lFinalMatrixSizePhase"> { 20170920 lFinalMatrixSizePhase = 20170921 }'
    found = [f.value for f in protocol.fields(text.encode(), 0, Space(), ("text",))]
    assert [text[slice(*span)] for span in found] == ["20170920", "20170921"]


def csa_fields(data: bytes) -> list[tuple[str, bytes]]:
    found = csa.fields(data, 0, Space(), ("CSA",))
    return [(f.key[-1], data[slice(*f.value)]) for f in found if f.key[-1] != "slack"]


def test_a_uid_of_a_csa_header_is_a_field() -> None:
    uid = b"1.3.12.2.1107.5.2.38.99999.2017032715581112300000001"
    data = csa2((("ReferencedImageSequence", b"UI", 25, uid), ("RepresentativeImage", b"UI", 25, None)))
    assert csa_fields(data) == [("ReferencedImageSequence", uid)]


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (b"1;HFS;100.70;33.68;2;0;2;-783721569", [b"1;HFS;100.70;", b"33.68", b";2;0;2;-783721569"]),
        (b"1;HS;83.99;91.00;2", [b"1;HS;83.99;", b"91.00", b";2"]),
        (b"1;HFS;of DOE;33.68;2", [b"1;HFS;of DOE;33.68;2"]),
        (b"1;HFS;100.70", [b"1;HFS;100.70"]),
    ],
)
def test_the_age_at_registration_is_a_field(value: bytes, parts: list[bytes]) -> None:
    found = csa_fields(csa2((("PatReinPattern", b"ST", 23, value),)))
    assert [text for _, text in found] == parts
    assert [text for key, text in found if rule_of(key) == "age"] == parts[1:2]
    assert csa_fields(csa1()) == [("Comment", csa_fields(csa1())[0][1])]


# ------------------------------------------------------------------- what stands in real texts, and is it reached?

needs_corpus = pytest.mark.skipif(corpus_folder() is None, reason="FASTANON_CORPUS is not set")

#: The same shape as that of the map of UIDs.
_UID = re.compile(rb"(?<![\d.])\d+(?:\.\d+){4,}(?![\d.])")
#: Words in the name of a string parameter that promise an ID, a date, a UID, a person or a place.
_TELLS = re.compile(
    r"(?i)loid|(?<!g)uid(?!e)|serial|institution|station|host_?name|operator|physician|birth|patients?(id|name|age)?$"
    r"|^t?study(id|date)?$|date$|timestamp|frameofreference|reference(d)?image|department|accession"
)
#: Strings of these names are of machines: hashes of coils and tables, hosts of their own, sizes, choices.
_OF_MACHINES = {"tCheckUUID", "ZZMatrixVectorUUID", "OnlineTargetHostName"}


def is_uid(value: bytes) -> bool:
    return len(value) >= 25 and not value.startswith(b"1.2.840.10008.")


def real_fields() -> Iterator[tuple[str, Field, bytes]]:
    """Give the fields of all real protocols, wherever they stand, and their values."""
    for name, text in corpus_texts():
        for field in protocol.fields(text, 0, Space(), (name,)):
            yield name, field, text[slice(*field.value)]


@needs_corpus
def test_no_real_parameter_that_tells_is_without_a_rule() -> None:
    names = {f.key[-1] for _, f, _ in real_fields() if len(f.key) > 1 and not f.key[-1].endswith(">")}
    told = {name for name in names if _TELLS.search(name)}
    assert {name for name in told if rule_of(name) is None} <= _OF_MACHINES
    assert len(told) > 30


@needs_corpus
def test_no_real_value_that_tells_is_without_a_rule() -> None:
    """LOIDs, dates and UIDs of these shapes stand nowhere else; baselines have dates, and are kept."""
    shapes = re.compile(
        rb"6[._]0[._]\d{8}|(?<!\d)(?:19[4-9]|20[0-3])\d[:./_-]?(?:0[1-9]|1[0-2])[:./_-]?[0-3]\d(?!\d)"
    )
    counts: Counter[str | None] = Counter()
    for name, field, value in real_fields():
        outside = _UID.sub(lambda uid: b"" if is_uid(uid[0]) else uid[0], value)
        rule = rule_of(field.key[-1])
        if len(field.key) > 1 and (outside != value or shapes.search(outside)):
            counts[rule] += 1
            assert rule is not None or not shapes.search(outside), (name, field.name)
    assert counts["loid"] > 40
    assert counts["uid"] > 100
    assert counts["date"] >= 3 + 4  # atTXCalibDate, lFinalMatrixSizePhase


@needs_corpus
def test_numbers_that_are_dates_are_those_of_their_exams() -> None:
    """Of three DICOM files, by pydicom: the number is the Study Date. A fourth header is no DICOM file."""
    dated = 0
    for sample in samples():
        data = sample.path.read_bytes()
        found = re.findall(rb"lFinalMatrixSizePhase\s*=\s*(\d{8})\b", data)
        if found and data[128:132] == b"DICM":
            assert found == [pydicom.dcmread(sample.path, stop_before_pixels=True).StudyDate.encode()]
            dated += 1
    assert dated == 3
    fields = [value for _, field, value in real_fields() if field.key[-1] == DATED_NUMBER]
    assert sorted(map(bytes.decode, fields)) == ["20170920", "20180124", "20180814", "20220711"]


@functools.cache
def real_twix() -> tuple[bytes, tuple[Field, ...], int]:
    folder = corpus_folder()
    assert folder is not None
    path = folder / "pehses__twixtools" / "epi.dat"
    with Opened(path) as opened:
        found = twix.locate(opened)
        return path.read_bytes(), tuple(twix.fields(found, opened, Space())), found.measurements[0].data[0]


@needs_corpus
@pytest.mark.parametrize(
    ("pattern", "reached"),
    [  # of the exam's date, the scanner's serial number, LOIDs, the place: how many by a rule, or by a UID's shape
        (rb"20210622", {"loid": 5, "uid": 20}),
        (rb"45385", {"device": 3, "uid": 21}),
        (rb"6[._]0[._]663\d{5}", {"loid": 53}),
        (rb"DZNE|Bonn", {"institution": 10}),
        (rb"20090304", {"date": 3}),
    ],
)
def test_each_copy_in_a_real_twix_file_is_reached(pattern: bytes, reached: dict[str, int]) -> None:
    data, fields, end = real_twix()
    counts: Counter[str | None] = Counter()
    for hit in re.finditer(pattern, data[:end]):
        around = [f for f in fields if f.value[0] <= hit.start() and hit.end() <= f.value[1]]
        counts[rule_of(around[0].key[-1]) if around else "nothing"] += 1
    assert counts == reached


@needs_corpus
def test_real_csa_headers_have_uids_ages_and_no_dates() -> None:
    counts: Counter[str | None] = Counter()
    for name, value in real_csa_items():
        counts[rule_of(name)] += 1
        if rule_of(name) == "age":
            assert 0 <= float(value) < 120
        if name != "SrMsgBuffer":
            assert rule_of(name) or not _UID.search(value)
    assert counts["uid"] == 6
    assert counts["age"] == 20


def real_csa_items() -> Iterator[tuple[str, bytes]]:
    """Give the items of all real CSA headers, as files and in DICOM files, that are text but no protocol."""
    for data in real_csa_headers():
        try:
            found = csa.fields(data, 0, Space(), ("CSA",))
        except csa.BrokenCsaError:
            continue
        yield from ((f.key[1], data[slice(*f.value)]) for f in found if len(f.key) == 2 and f.key[1] != "slack")


def real_csa_headers() -> Iterator[bytes]:
    for sample in samples():
        data = sample.path.read_bytes()
        if csa.is_csa(data):
            yield data
        elif b"SV10" in data and data[128:132] == b"DICM":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of pydicom, about values that are not valid
                elements = list(pydicom.dcmread(sample.path, stop_before_pixels=True).iterall())
            yield from (e.value for e in elements if isinstance(e.value, bytes) and csa.is_csa(e.value))


def test_kept_words_win_over_rules() -> None:
    for name in ("tMeasuredBaselineString", "PatPosition", "sPatientPos", "SoftwareVersions"):
        assert is_kept(name)
        assert rule_of(name) is None
        assert protocol.fields(f'{name} = "N4_VE11C_LATEST_20160120"'.encode(), 0, Space(), ("text",)) == []
