"""What may be chance, and what is structure, is counted and is no leak; what was not searched for is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fastanon.errors import DONE
from tests.auditing.case import NOBODY, NOTHING, PATIENT, Who, leaks_of, write
from tests.auditing.dicom import dicom
from tests.auditing.places import PAYLOADS, SAMPLES
from tests.auditing.raw import interfile
from tests.auditing.texts import xprotocol
from tests.builder import Leaf
from tests.niftypet import audit


@pytest.mark.parametrize("name", SAMPLES)
def test_in_samples_it_is_counted(name: str, tmp_path: Path) -> None:
    original = write(tmp_path / "original", SAMPLES[name](PATIENT, NOTHING))
    copy = write(tmp_path / "copy", SAMPLES[name](NOBODY, b"QUILLFEATHER"))
    report = audit(copy, against=original)
    assert (report.exit_status, leaks_of(report)) == (DONE, [])
    (file,) = report.files
    assert file.audit
    assert [(one.kind, one.hits) for one in file.audit.bulk] == [(name, {"name": 1})]


@pytest.mark.parametrize("text", [b"qQUILLFEATHER", b"QUILLFEATHERq", b"Rosset", b"\0ROSSETT\0"])
@pytest.mark.parametrize("name", PAYLOADS)
def test_in_data_what_may_be_chance_is_counted(name: str, text: bytes, tmp_path: Path) -> None:
    who = PATIENT._replace(physician=b"ROSSETT^AL")  # 7 letters
    original = write(tmp_path / "original", PAYLOADS[name].files(who, NOTHING))
    copy = write(tmp_path / "copy", PAYLOADS[name].files(NOBODY, text))
    report = audit(copy, against=original)
    assert (report.exit_status, leaks_of(report)) == (DONE, [])
    hits = [sum(one.hits.values()) for file in report.files if file.audit for one in file.audit.bulk]
    assert hits == [0 if text == b"Rosset" else 1]


STRUCTURE: dict[str, tuple[Who, Callable[[Who], bytes]]] = {
    "a birth date in a UID": (
        PATIENT, lambda who: dicom(who, Leaf(0x0020000D, "UI", b"1.3.12.2.1107.5.2.19430217.1")),
    ),
    "a birth date in a UID in a text": (
        PATIENT, lambda who: dicom(who, Leaf(0x00104000, "LT", b"see 1.3.12.2.1107.5.2.19430217.1 too")),
    ),
    "MaxSize of a protocol": (
        PATIENT._replace(name=b"MAX^ADALBERT"),
        lambda who: dicom(
            who, Leaf(0x00211019, "OB", xprotocol(who, b'<ParamArray."Ids"> { <Max> 1 <MaxSize> 50 }'))
        ),
    ),
    "a parameter's name": (
        PATIENT._replace(name=b"HEAD^ADALBERT"),
        lambda who: dicom(
            who, Leaf(0x00211019, "OB", xprotocol(who, b'<ParamLong."HEAD">  { 1  }'))
        ),
    ),
    "a code": (
        PATIENT._replace(name=b"HEAD^ADALBERT"), lambda who: dicom(who, Leaf(0x00180015, "CS", b"HEAD")),
    ),
    "a key of Interfile": (
        PATIENT._replace(name=b"HEAD^ADALBERT"),
        lambda who: interfile(who, b"HEAD:=1", b"data format:=HEAD"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STRUCTURE)
def test_in_structure_it_is_counted(name: str, tmp_path: Path) -> None:
    who, make = STRUCTURE[name]
    original = write(tmp_path / "original", {"a": make(who)})
    report = audit(write(tmp_path / "copy", {"a": make(NOBODY)}), against=original)
    assert (report.exit_status, leaks_of(report)) == (DONE, [])
    assert [file.audit.structural > 0 for file in report.files if file.audit] == [True]


@pytest.mark.parametrize(
    "who",
    [Who(b"", b"", b"", b""), PATIENT._replace(name=b"LI^XU", number=b"12", birth=b"", physician=b"NA")],
    ids=["nobody", "short"],
)
def test_what_was_not_searched_for_is_said(who: Who, tmp_path: Path) -> None:
    """A copy that was compared with nothing is not clean without a word."""
    original = write(tmp_path / "original", {"a.dcm": dicom(who)})
    report = audit(write(tmp_path / "copy", {"a.dcm": dicom(NOBODY)}), against=original)
    assert any(file.messages or file.warnings for file in report.files)
