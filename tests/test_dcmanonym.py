"""NiftyPET's call, on files made with pydicom, read with pydicom, nibabel and csa_header."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from csa_header import CsaHeader

from fastanon import dcmanonym
from tests.canary import CANARIES
from tests.siemens_files import (
    NUMBER,
    PHYSICIAN,
    Study,
    csa_tags,
    dataset,
    digest,
    even,
    left_in,
    people,
    read,
    save,
    series_header,
    without_pixels,
    write,
)


class Case(NamedTuple):
    """A name, its character set, where it is planted, and what no byte outside the pixels may spell."""

    name: str
    charset: str | list[str]
    planted: tuple[str, ...]
    gone: tuple[str, ...]
    raw: tuple[bytes, ...] = ()


LATIN, UNICODE = "ISO_IR 100", "ISO_IR 192"
UMLAUTS = ("MÜLLER", "Müller", "müller", "JÖRG", "Jörg", "jörg")
NAMES = {
    "several words": Case(
        "VAN DER BERG^ANNA", LATIN,
        ("VAN DER BERG^ANNA", "Van der Berg, Anna", "anna van der berg", "ANNA^VAN DER BERG"),
        ("van der berg", "anna"),
    ),
    "apostrophe": Case(
        "O'BRIEN^MARY", LATIN, ("O'BRIEN^MARY", "Mary O'Brien", "O'Brien, Mary", "MARY_O'BRIEN"),
        ("o'brien", "brien", "mary"),
    ),
    "hyphen and two letters": Case(
        "SMITH-JONES^AL", LATIN, ("SMITH-JONES^AL", "Al Smith-Jones", "Smith-Jones, Al", "AL^SMITH-JONES"),
        ("smith", "jones", "al smith", "al^smith", "jones al", "jones^al", "jones, al"),
    ),
    "middle name": Case(
        "DOE^JOHN^A", LATIN, ("DOE^JOHN^A", "John Doe", "Doe, John", "John A Doe"), ("doe", "john", "john a"),
    ),
    "one word": Case("MADONNA", LATIN, ("MADONNA", "Madonna", "madonna", "MaDonna"), ("madonna",)),
    "latin 1": Case("MÜLLER^JÖRG", LATIN, ("MÜLLER^JÖRG", "Jörg Müller", "Müller, Jörg", "jörg müller"), UMLAUTS),
    "utf-8": Case("MÜLLER^JÖRG", UNICODE, ("MÜLLER^JÖRG", "Jörg Müller", "Müller, Jörg", "jörg müller"), UMLAUTS),
    "particles": Case(
        "DE LA CRUZ^MARIA", LATIN,
        ("DE LA CRUZ^MARIA", "Maria de la Cruz", "De La Cruz, Maria", "MARIA^DE LA CRUZ"),
        ("de la cruz", "cruz", "maria"),
    ),
    "Japanese": Case(
        "Yamada^Tarou=山田^太郎=やまだ^たろう", ["", "ISO 2022 IR 87"],
        ("Yamada^Tarou", "Tarou Yamada", "山田^太郎", "山田太郎"),
        ("yamada", "tarou", "山田", "太郎", "やまだ", "たろう"),
        (b"\x1b$B;3ED", b"\x1b$BB@O:", b"\x1b$B$d$^$@"),
    ),
    "short": Case(
        "LEE^KIM", LATIN, ("LEE^KIM", "Kim Lee", "Lee, Kim", "KIM_LEE"), ("lee^", "kim lee", "kim", "lee,"),
    ),
}  # fmt: skip
CASES = pytest.mark.parametrize("case", NAMES.values(), ids=NAMES)
BLOCKS = pytest.mark.parametrize("block", [0x10, 0x11, 0x5A, 0xFF])


def study_of(case: Case, block: int = 0x10) -> Study:
    return Study(case.name, case.charset, case.planted, block)


@CASES
def test_names_and_dates_are_replaced_at_every_depth(case: Case, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", study_of(case))
    dcmanonym(path)
    wanted = {"PatientName": "anonymised", "ReferringPhysicianName": "anonymised", "PatientBirthDate": "19800101"}
    found = list(people(read(path)))
    assert found == [(keyword, wanted[keyword]) for keyword, _ in found]
    assert len(found) == 7


@CASES
def test_a_naive_search_finds_no_name(case: Case, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", study_of(case))
    before = without_pixels(path)
    assert left_in(before, case.gone)
    dcmanonym(path)
    gone = (*case.gone, "rossetti", "carlo", NUMBER, "19610503", "1961-05-03")
    assert left_in(without_pixels(path), gone, case.raw) == []


@CASES
@BLOCKS
def test_csa_headers_still_parse(case: Case, block: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", study_of(case, block))
    before = read(path)
    dcmanonym(path)
    after = read(path)
    for tag in ((0x0029, block << 8 | 0x10), (0x0029, block << 8 | 0x20)):
        old, new = before[tag].value, after[tag].value
        assert len(old) == len(new)
        assert _shape(csa_tags(old)) == _shape(csa_tags(new))
        theirs, ours = CsaHeader(old).read(), CsaHeader(new).read()
        assert list(theirs) == list(ours)
        assert _numbers(theirs) == _numbers(ours)


def _shape(header: dict) -> list[tuple]:
    return [(name, tag["vr"], tag["vm"], tag["n_items"]) for name, tag in header.items()]


def _numbers(header: dict) -> dict:
    """Everything that is no text a person wrote, the parsed protocol included."""
    flat = {name: tag["value"] for name, tag in header.items() if tag["VR"] in ("IS", "CS", "SH")}
    for name, value in (header.get("MrPhoenixProtocol") or {"value": {}})["value"].items():
        flat[f"protocol {name}"] = "text" if str(name).startswith("t") else value
    return flat


@CASES
def test_the_rest_is_kept(case: Case, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", study_of(case))
    before = read(path)
    dcmanonym(path)
    after = read(path)
    assert after.PixelData == before.PixelData
    kept = (
        "PatientPosition Manufacturer ManufacturerModelName SoftwareVersions ImageComments ProtocolName StudyDate"
    )
    for keyword in kept.split():
        assert after[keyword].value == before[keyword].value, keyword
    assert after.PatientPosition == "HFS"
    assert [e.tag for e in after.iterall()] == [e.tag for e in before.iterall()]


@CASES
def test_a_second_call_changes_nothing(case: Case, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", study_of(case))
    dcmanonym(path)
    once = digest(path)
    dcmanonym(path)
    assert digest(path) == once


@pytest.mark.parametrize("word", ["MAX", "TIM", "HEAD", "LIST", "LONG", "NORM", "SIEMENS", "PARAM", "LISTMODE"])
def test_structure_survives_a_patient_called_like_it(word: str, tmp_path: Path) -> None:
    study = Study(f"{word}^QQ", planted=(f"{word}^QQ", word), comments="PET Listmode data NORM")
    path = write(tmp_path / "a.dcm", study)
    before = read(path)
    dcmanonym(path)
    after, text = read(path), path.read_bytes()
    for keyword in ("Manufacturer", "ManufacturerModelName", "SoftwareVersions", "PatientPosition", "Modality"):
        assert after[keyword].value == before[keyword].value
    assert "Listmode" in after.ImageComments
    for kept in (b"<MaxSize> 1000000000", b'<ParamLong."Count">', b"51130001", b'<ParamMap."">', b"ulVersion"):
        assert kept in text
    new = after[0x0029, 0x1020].value
    assert _shape(csa_tags(new)) == _shape(csa_tags(before[0x0029, 0x1020].value))
    assert _numbers(CsaHeader(new).read())
    assert left_in(without_pixels(path), [f"{word}^QQ"]) == []
    assert [element.tag for element in after] == [element.tag for element in before]


def test_several_names_stand_in_one_header(tmp_path: Path) -> None:
    ds = dataset(Study("DE LA CRUZ^MARIA"))
    names = [b"DE LA CRUZ^MARIA", b"ROSSETTI^CARLO", b"Maria de la Cruz", b"Rossetti, Carlo", b"CARLO ROSSETTI"]
    texts = [even(series_header(names[n:] + names[:n])) for n in range(4)]
    for n, text in enumerate(texts):
        ds.add_new((0x0029, 0x1020 + 0x1000 * n), "OB", text)
        ds.add_new((0x0029, 0x0010 + 0x10 * n), "LO", "SIEMENS CSA HEADER")
    path = save(tmp_path / "a.dcm", ds)
    dcmanonym(str(path))
    after = read(path)
    assert left_in(without_pixels(path), ["cruz", "maria", "rossetti", "carlo"]) == []
    for n, text in enumerate(texts):
        new = after[0x0029, 0x1020 + 0x1000 * n].value
        assert len(new) == len(text)
        assert _numbers(CsaHeader(new).read()) == _numbers(CsaHeader(text).read())


def test_it_is_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a.dcm", canary_study())
    assert dcmanonym(path) is None
    assert capsys.readouterr() == ("", "")


def test_verbose_prints_a_line_a_file_without_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [write(tmp_path / f"{n}.dcm", canary_study()) for n in range(3)]
    dcmanonym(paths, verbose=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for line, path in zip(lines, paths, strict=True):
        assert path.name in line
        assert not any(value.lower() in line.lower() for value in (*CANARIES, "rossetti", "carlo"))


@pytest.mark.shows_values
def test_displayonly_shows_values_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a.dcm", canary_study())
    before = digest(path)
    dcmanonym(path, displayonly=True)
    shown = capsys.readouterr().out
    assert digest(path) == before
    for value in ("QUILLFEATHER^Zyxwarth", "KX-8841-77Q", "19430217", PHYSICIAN):
        assert value in shown


@pytest.mark.parametrize("patient", ["anonymised", "P1", "A LONGER^REPLACEMENT^THAN^ANY", "", "Müller"])
def test_the_replacements_are_those_asked_for(patient: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", canary_study())
    dcmanonym(path, patient=patient, physician="Dr Who", dob="19000229"[:6] + "28", Cnt={"any": 1})
    found = dict(people(read(path)))
    assert found == {"PatientName": patient, "ReferringPhysicianName": "Dr Who", "PatientBirthDate": "19000228"}
    assert left_in(without_pixels(path), CANARIES) == []


def canary_study() -> Study:
    first, last, number, birth = CANARIES
    name = f"{last}^{first}"
    return Study(name, planted=(name, f"{first} {last}"), birth=birth, number=number)
