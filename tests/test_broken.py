"""Siemens' headers that contradict themselves: needles alone, a warning, and what can't be mended is a leak."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from fastanon import dcmanonym
from fastanon.cli import main
from fastanon.errors import DONE, LEFT
from fastanon.report import FileResult
from tests.niftypet import NIFTYPET, anonymize
from tests.siemens_files import (
    BIRTH,
    Study,
    dataset,
    even,
    image_header,
    protocol,
    read,
    save,
    series_header,
    sv10,
)

NAME = "OKONKWO^CHIDINMA"
FORMS = [b"OKONKWO^CHIDINMA", b"okonkwo, chidinma", b"Chidinma Okonkwo"]
UID = f"1.3.12.2.1107.5.2.38.51011.{BIRTH}155811".encode()

GOOD = series_header(FORMS, b"residue")
TEXT = protocol(FORMS)

BROKEN_CSA = {
    "a tag too many": GOOD[:8] + struct.pack("<I", 6) + GOOD[12:],
    "a tag too few": GOOD[:8] + struct.pack("<I", 4) + GOOD[12:],
    "no 77": GOOD[:12] + struct.pack("<I", 78) + GOOD[16:],
    "an item longer than the header": GOOD[:104] + struct.pack("<I", 1 << 30) + GOOD[108:],
    "cut off": GOOD[: len(GOOD) // 2 * 2 - 60],
    "bytes behind it": GOOD + b"Okonkwo, Chidinma" + bytes(9),
}
BROKEN_TEXT = {
    "no last brace": TEXT.rstrip()[:-1],
    "no first brace": TEXT.replace(b"{", b" ", 1),
    "a quote too many": TEXT.replace(b'"Count"', b'"Cou"nt"'),
    "a quote too few": TEXT.replace(b'"  }\n', b"  }\n", 1),
    "a word outside quotes": TEXT.replace(b"{ 1 }", b"{ OKONKWO^CHIDINMA }"),
}


def anonymized(path: Path, tag: int, value: bytes) -> tuple[FileResult, bytes, bytes]:
    """Put a value into a private element, anonymize in place, and give result, old and new value."""
    whole: Dataset = dataset(Study(NAME))
    whole[0x0029, tag].value = even(value)
    save(path, whole)
    old = read(path)[0x0029, tag].value
    report = anonymize(path, in_place=True, patient="Somebody Else")
    return report.files[0], old, read(path)[0x0029, tag].value


def assert_gone(result: FileResult, old: bytes, new: bytes) -> None:
    assert any("contradicts itself" in message for message in result.warnings)
    assert b"okonkwo" in old.lower()
    assert b"okonkwo" not in new.lower()
    assert b"chidinma" not in new.lower()
    assert len(new) == len(old)


@pytest.mark.parametrize("lie", BROKEN_CSA)
def test_a_csa_header_that_lies_is_searched_as_text(lie: str, tmp_path: Path) -> None:
    result, old, new = anonymized(tmp_path / "a.dcm", 0x1020, BROKEN_CSA[lie])
    assert_gone(result, old, new)
    assert (result.status, result.leaks) == ("anonymized", 0)


@pytest.mark.parametrize("lie", BROKEN_TEXT)
def test_a_protocol_that_lies_is_searched_as_text(lie: str, tmp_path: Path) -> None:
    tags = [("UsedPatientWeight", "IS", [b"66"]), ("MrPhoenixProtocol", "UN", [BROKEN_TEXT[lie]])]
    result, old, new = anonymized(tmp_path / "a.dcm", 0x1020, sv10(tags))  # type: ignore[arg-type]
    assert_gone(result, old, new)
    assert (result.status, result.leaks) == ("anonymized", 0)


@pytest.mark.parametrize("to", [False, True])
def test_what_can_not_be_mended_there_is_a_leak(to: bool, tmp_path: Path) -> None:
    """A birth date inside a UID stays, and of a sound header that is known; of a broken one nothing is."""
    for value, leaks in ((image_header(UID), 0), (image_header(UID)[:-80], 1)):
        path = tmp_path / f"{leaks}.dcm"
        whole = dataset(Study(NAME))
        whole[0x0029, 0x1010].value = even(value)
        save(path, whole)
        report = anonymize(path, to=tmp_path / "out") if to else anonymize(path, in_place=True)
        (result,) = report.files
        assert (result.leaks, report.exit_status) == (leaks, LEFT if leaks else DONE)
        if result.audit and leaks:
            (place,) = result.audit.leaks
            data = (tmp_path / "out" / path.name if to else path).read_bytes()
            assert data[place.offset : place.offset + place.length] == BIRTH.encode()
            assert BIRTH not in report.to_json()


def test_a_sound_file_warns_of_nothing(tmp_path: Path) -> None:
    result, _, new = anonymized(tmp_path / "a.dcm", 0x1020, GOOD)
    assert not any("contradicts" in message for message in result.warnings)
    assert b"okonkwo" not in new.lower()


def test_the_command_line_says_so_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = dataset(Study(NAME))
    whole[0x0029, 0x1020].value = even(BROKEN_CSA["no 77"])
    save(tmp_path / "a.dcm", whole)
    assert main(["anonymize", *NIFTYPET, str(tmp_path / "a.dcm"), "--in-place"]) == DONE
    assert capsys.readouterr().err.count("contradicts itself") == 1
    with pytest.warns(UserWarning, match="contradicts itself"):
        dcmanonym(tmp_path / "a.dcm")
