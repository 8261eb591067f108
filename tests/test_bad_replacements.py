"""Replacements that no DICOM value may hold, and values in files that are longer than they may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastanon import dcmanonym
from fastanon.cli import main
from fastanon.errors import REFUSED, USAGE, ReplacementError
from tests.canary import CANARIES
from tests.niftypet import NIFTYPET, anonymize, plan
from tests.siemens_files import Study, digest, left_in, people, read, without_pixels, write

FIRST, LAST, NUMBER, BIRTH = CANARIES
STUDY = Study(f"{LAST}^{FIRST}", number=NUMBER, birth=BIRTH)

NAMES = {
    "a backslash": "A\\B",
    "a double quote": 'A"B',
    "an opening brace": "A{B",
    "a closing brace": "A}B",
    "a line feed": "A\nB",
    "an escape": "A\x1bB",
    "a NUL": "A\0B",
    "a tabulator": "A\tB",
    "too many components": "A^B^C^D^E^F",
    "too many groups": "A=B=C=D",
    "65 characters": "A" * 65,
    "65 in the second group": "A=" + "B" * 65,
}
DATES = ("", "1980", "19801301", "19800230", "1980-01-01", "٠١٩٨٠٠١٠", "198001011", "anonymised", "00000000")


@pytest.mark.parametrize("what", ["patient", "physician"])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_no_value_may_hold(name: str, what: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", STUDY)
    before = digest(path)
    for call in (anonymize, plan, dcmanonym):
        with pytest.raises(ReplacementError, match=what):
            call(path, **{what: NAMES[name]}, **({"in_place": True} if call is anonymize else {}))
    assert digest(path) == before


@pytest.mark.parametrize("date", DATES)
def test_a_date_that_is_none(date: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a.dcm", STUDY)
    before = digest(path)
    assert main(["anonymize", *NIFTYPET, str(path), "--in-place", "--dob", date]) == USAGE
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert digest(path) == before


@pytest.mark.parametrize("name", ["A" * 64, "A=B=C", "A^B^C^D^E", "O'Neil^Mary Ann"])
def test_names_that_just_fit(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", STUDY)
    anonymize(path, in_place=True, patient=name)
    assert {str(value) for keyword, value in people(read(path)) if keyword == "PatientName"} == {name}


@pytest.mark.parametrize("charset", ["ISO_IR 6", "", "ISO_IR 144", ["", "ISO 2022 IR 87"]])
def test_a_name_that_the_character_set_lacks(
    charset: str | list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.dcm", Study(f"{LAST}^{FIRST}", charset))
    good = write(tmp_path / "b.dcm", STUDY)
    before = digest(path)
    assert main(["anonymize", *NIFTYPET, str(tmp_path), "--in-place", "--patient", "Müller"]) == REFUSED
    (line,) = capsys.readouterr().err.splitlines()
    assert str(path) in line
    assert "character set" in line
    assert digest(path) == before
    assert "Müller" in dict(people(read(good))).values()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("length", [65, 200])
def test_a_name_in_the_file_may_be_too_long(length: int, tmp_path: Path) -> None:
    name = (f"{LAST}^{FIRST}" + "A" * length)[:length]
    path = write(tmp_path / "a.dcm", Study(name, planted=(f"{LAST}^{FIRST}",)))
    assert anonymize(path, in_place=True).exit_status == 0
    assert dict(people(read(path)))["PatientName"] == "anonymised"
    assert left_in(without_pixels(path), [LAST]) == []
