"""The audit finds what is left, whatever wrote it; what changes while it is read is an error; long runs show."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pydicom
import pytest

import fastanon
from fastanon import anonymize, bulk, identity, planner, search, spellings
from fastanon.cli import main
from fastanon.errors import DONE, FAILED, LEFT, REFUSED, USAGE
from fastanon.profile import RULES
from fastanon.report import Report
from fastanon.search import Place as Leak
from fastanon.work import Work
from tests import auditing
from tests.auditing import NOBODY, PATIENT, PAYLOADS, PLACES, SAMPLES, VALUES, Place, Value, Who, write
from tests.builder import Leaf
from tests.canary import CANARIES, assert_clean
from tests.planted.people import PEOPLE
from tests.planted.spelling import ESCAPED, Spelled, encodings

FIRST, LAST, NUMBER, BIRTH = CANARIES
ROOT = Path(fastanon.__file__).parent.parent
NOTHING = b"[nothing]"
Mutation: TypeAlias = Callable[[pytest.MonkeyPatch], None]
CASES = [(name, value) for name, place in PLACES.items() for value in VALUES if place.takes(value)]


def leaks_of(report: Report) -> list[Leak]:
    return [leak for file in report.files if file.audit for leak in file.audit.leaks]


# -------------------------------------------------------------------------------------- planted by hand


def misses(place: Place, value: Value, files: dict[str, bytes], report: Report) -> str:
    """Say what is wrong with a report on a copy with this value at this place; nothing where all is right."""
    planted = place.spelled(value)
    offsets = [view.index(planted) for view in map(place.inside, files.values()) if planted in view]
    assert len(offsets) == 1
    assert sum(place.inside(data).count(planted) for data in files.values()) == 1
    leaks = leaks_of(report)
    if report.exit_status != LEFT or len(leaks) != 1:
        return f"exit {report.exit_status}, {len(leaks)} leaks"
    (leak,) = leaks
    longer = leak.length - len(planted)
    if leak.offset != offsets[0] or not 0 <= longer <= value.is_wide:
        return f"{leak.length} bytes at {leak.offset} for {len(planted)} at {offsets[0]}"
    return "" if leak.kind == value.kind and place.where in leak.where else f"called {leak.kind} in {leak.where}"


@pytest.mark.parametrize("name", PLACES)
def test_every_value_is_found(name: str, tmp_path: Path) -> None:
    place, wrong = PLACES[name], []
    original = write(tmp_path / "original", place.files(PATIENT, NOTHING))
    for value in filter(place.takes, VALUES):
        files = place.files(NOBODY, value.planted)
        report = fastanon.audit(write(tmp_path / "copy", files), against=original)
        wrong += [f"{value}: {found}" for found in [misses(place, value, files, report)] if found]
    assert not wrong, "\n".join(wrong)


def test_no_case_is_missing() -> None:
    assert len({place for place, _ in CASES}) >= 25
    assert len(CASES) >= 2000  # there were 2,384 when this was written
    assert {value.kind for _, value in CASES} == {"name", "id", "date"}
    assert {value.codec for _, value in CASES} >= {"latin-1", "utf-8", "utf-16-le", "utf-16-be"}


@pytest.mark.parametrize("name", [*PLACES, *SAMPLES])
def test_nothing_planted_is_no_leak(name: str, tmp_path: Path) -> None:
    make = PLACES[name].files if name in PLACES else SAMPLES[name]
    original = write(tmp_path / "original", make(PATIENT, b"[QUILLFEATHER]"))
    report = fastanon.audit(write(tmp_path / "copy", make(NOBODY, NOTHING)), against=original)
    assert (report.exit_status, leaks_of(report)) == (DONE, [])
    assert [file.audit.structural for file in report.files if file.audit] == [0]


ABROAD = [
    pytest.param(s, id=f"{s.person.shape}-{s.encoding}")
    for person in PEOPLE
    for s in encodings(person)
    if s.encoding == ESCAPED or s.encoding == person.codec not in ("ascii", "latin-1", "utf-8")
]


@pytest.mark.parametrize("spelled", ABROAD)
def test_names_in_the_character_set_of_the_dataset(spelled: Spelled, tmp_path: Path) -> None:
    charset = spelled.person.charset.encode()
    who, wrong = PATIENT._replace(name=spelled.person.raw, charset=charset), []
    original = write(tmp_path / "original", {"a.dcm": auditing.dicom(who)})
    for form in spelled.forms + spelled.respelled:
        text = Leaf(0x00104000, "LT", b"[" + form + b"]")
        copy = {"a.dcm": auditing.dicom(NOBODY._replace(charset=charset), text)}
        report = fastanon.audit(write(tmp_path / "copy", copy), against=original)
        at, leaks = copy["a.dcm"].index(form), leaks_of(report)
        inside = [k for k in leaks if at <= k.offset and k.offset + k.length <= at + len(form)]
        if report.exit_status != LEFT or leaks != inside or {k.where for k in leaks} != {"PatientComments"}:
            wrong.append(f"{form!r}: exit {report.exit_status}, {leaks}")
    assert not wrong, "\n".join(wrong)


def _is_name(data: bytes) -> bool:
    return b"/" not in data and b"\0" not in data and data == data.decode("utf-8", "ignore").encode()


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("value", [value for value in VALUES if _is_name(value.data)])
def test_names_of_files_and_folders(value: Value, folder: bool, tmp_path: Path) -> None:
    original = write(tmp_path / "original", {"a.dcm": auditing.dicom(PATIENT)})
    name = value.planted.decode() + ("/a.dcm" if folder else ".dcm")
    copy = write(tmp_path / "copy", {name: auditing.dicom(NOBODY)})
    report = fastanon.audit(copy, against=original)
    assert report.exit_status == LEFT
    assert leaks_of(report) == [Leak("file name", 1, len(value.data), value.kind)]
    assert_clean(report.to_json())


#: Elements that identify (PS3.6), written down here once more.
TAGS = {
    0x00080050: "SH", 0x00080090: "PN", 0x00100010: "PN", 0x00100020: "LO", 0x00100030: "DA", 0x00101000: "LO",
    0x00101001: "PN", 0x00101005: "PN", 0x00101050: "LO", 0x00101060: "PN", 0x00101090: "LO", 0x00380010: "LO",
}  # fmt: skip


def own_field(tag: int) -> Leaf:
    """Write an element with a value that stands nowhere else."""
    values = {"DA": b"19511231", "PN": b"ALIASSON^BERTA"}
    return Leaf(tag, TAGS[tag], values.get(TAGS[tag], b"ZQ-99-1234"))


@pytest.mark.parametrize("tag", TAGS, ids=hex)
def test_a_field_that_was_not_replaced(tag: int, tmp_path: Path) -> None:
    field = own_field(tag)
    original = write(tmp_path / "original", {"a.dcm": auditing.dicom(PATIENT, field)})
    copy = write(tmp_path / "copy", {"a.dcm": (data := auditing.dicom(NOBODY, field))})
    report = fastanon.audit(copy, against=original)
    assert report.exit_status == LEFT
    (leak,) = leaks_of(report)
    assert (leak.offset, leak.length) == (data.index(field.value), len(field.value))


def test_a_tag_is_listed_here_too() -> None:
    assert set(TAGS) == set(RULES)


# ---------------------------------------------------------------------------------------- what is no leak


@pytest.mark.parametrize("name", SAMPLES)
def test_in_samples_it_is_counted(name: str, tmp_path: Path) -> None:
    original = write(tmp_path / "original", SAMPLES[name](PATIENT, NOTHING))
    copy = write(tmp_path / "copy", SAMPLES[name](NOBODY, b"QUILLFEATHER"))
    report = fastanon.audit(copy, against=original)
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
    report = fastanon.audit(copy, against=original)
    assert (report.exit_status, leaks_of(report)) == (DONE, [])
    hits = [sum(one.hits.values()) for file in report.files if file.audit for one in file.audit.bulk]
    assert hits == [0 if text == b"Rosset" else 1]


STRUCTURE: dict[str, tuple[Who, Callable[[Who], bytes]]] = {
    "a birth date in a UID": (
        PATIENT, lambda who: auditing.dicom(who, Leaf(0x0020000D, "UI", b"1.3.12.2.1107.5.2.19430217.1")),
    ),
    "a birth date in a UID in a text": (
        PATIENT, lambda who: auditing.dicom(who, Leaf(0x00104000, "LT", b"see 1.3.12.2.1107.5.2.19430217.1 too")),
    ),
    "MaxSize of a protocol": (
        PATIENT._replace(name=b"MAX^ADALBERT"),
        lambda who: auditing.dicom(
            who, Leaf(0x00211019, "OB", auditing.xprotocol(who, b'<ParamArray."Ids"> { <Max> 1 <MaxSize> 50 }'))
        ),
    ),
    "a parameter's name": (
        PATIENT._replace(name=b"HEAD^ADALBERT"),
        lambda who: auditing.dicom(
            who, Leaf(0x00211019, "OB", auditing.xprotocol(who, b'<ParamLong."HEAD">  { 1  }'))
        ),
    ),
    "a code": (
        PATIENT._replace(name=b"HEAD^ADALBERT"), lambda who: auditing.dicom(who, Leaf(0x00180015, "CS", b"HEAD")),
    ),
    "a key of Interfile": (
        PATIENT._replace(name=b"HEAD^ADALBERT"),
        lambda who: auditing.interfile(who, b"HEAD:=1", b"data format:=HEAD"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STRUCTURE)
def test_in_structure_it_is_counted(name: str, tmp_path: Path) -> None:
    who, make = STRUCTURE[name]
    original = write(tmp_path / "original", {"a": make(who)})
    report = fastanon.audit(write(tmp_path / "copy", {"a": make(NOBODY)}), against=original)
    assert (report.exit_status, leaks_of(report)) == (DONE, [])
    assert [file.audit.structural > 0 for file in report.files if file.audit] == [True]


@pytest.mark.parametrize(
    "who",
    [Who(b"", b"", b"", b""), PATIENT._replace(name=b"LI^XU", number=b"12", birth=b"", physician=b"NA")],
    ids=["nobody", "short"],
)
def test_what_was_not_searched_for_is_said(who: Who, tmp_path: Path) -> None:
    """A copy that was compared with nothing is not clean without a word."""
    original = write(tmp_path / "original", {"a.dcm": auditing.dicom(who)})
    report = fastanon.audit(write(tmp_path / "copy", {"a.dcm": auditing.dicom(NOBODY)}), against=original)
    assert any(file.messages or file.warnings for file in report.files)


# ------------------------------------------------------------------------------ an anonymizer that forgets


def left_by_anonymizer(folder: Path, files: dict[str, bytes]) -> tuple[Report, dict[str, bytes]]:
    """Anonymize copies of files, and give its report and what it wrote."""
    report = anonymize(write(folder / "original", files), to=folder / "out")
    written = sorted(path for path in (folder / "out").rglob("*") if path.is_file())
    return report, {str(path.relative_to(folder / "out")): path.read_bytes() for path in written}


@pytest.mark.parametrize("name", [name for name in PLACES if name != "bf"])  # which is reported, and never edited
def test_what_the_audit_finds_the_anonymizer_removes(name: str, tmp_path: Path) -> None:
    place = PLACES[name]
    for number, text in enumerate((b"zyxwarth.quillfeather", NUMBER.encode(), b"1943:02:17")):
        folder, value = tmp_path / str(number), Value("", text)
        report, written = left_by_anonymizer(folder, place.files(PATIENT, value.planted))
        assert report.exit_status == DONE
        assert not any(place.spelled(value) in place.inside(data) for data in written.values())
        assert fastanon.audit(folder / "out", against=folder / "original").exit_status == DONE


class Mutant(NamedTuple):
    """What the anonymizer is made to forget.

    Attributes
    ----------
    target : str
        What is replaced while it runs.
    stand_in : object
        By what.
    place : str
        Where something stands in the file.
    text : str or bytes
        What.
    who : Who
        Whose file it is.
    """

    target: str
    stand_in: Any
    place: str
    text: str | bytes
    who: Who = PATIENT


NEVER = re.compile("(?!)")
LEE = PATIENT._replace(name=b"LEE^ANN")
BERG = PATIENT._replace(name=b"VAN DER BERG^PIETER")
LONG = PATIENT._replace(name=b"WOLFESCHLEGELSTEINHAUSEN^HUBERT")
ALIAS, GROUPS = (PATIENT._replace(name=b"QUILLFEATHER^Z%bALIASSON^BERTA" % joint) for joint in (b"\\", b"="))
UTF8 = PATIENT._replace(name=f"{LAST}^Zyxwärth".encode(), charset=b"ISO_IR 192")
IVANOVA = PATIENT._replace(name="ИВАНОВА^НАТАЛЬЯ".encode("iso8859-5"), charset=b"ISO_IR 144")


def _without(*codecs: str) -> tuple[str, ...]:
    return tuple(codec for codec in identity._EVERYWHERE if codec not in codecs)


NARROW = _without("utf-16-le", "utf-16-be")


def _components_only(name: str) -> set[str]:
    return {name, *name.split("^")}


def _no_nfd(*args: Any, forms: Callable[..., Any] = spellings.forms) -> Iterator[tuple[str, str]]:
    return (found for found in forms(*args) if "\u0308" not in found[0])


def _in_lower_case(*args: Any, needles: Callable[..., Any] = identity.needles_of) -> Any:
    found, left_out = needles(*args)
    return tuple(replace(needle, fold=False) for needle in found), left_out


def _values_but(drop: Callable[[Any], bool]) -> Callable[..., Any]:
    values = search._values
    return lambda part, f, rule, new: () if drop(rule) else values(part, f, rule, new)


def _first_value(*args: Any, values: Callable[..., Any] = search._values) -> Any:
    return islice(values(*args), 1)


def _hits_but(drop: Callable[[int, Any], bool]) -> Callable[..., Any]:
    uncovered = planner._uncovered
    return lambda *args: (found for n, found in enumerate(uncovered(*args)) if not drop(n, found[0]))


def _no_patch(*args: Any, decide: Callable[..., Any] = bulk.decide, **more: Any) -> Any:
    return replace(decide(*args, **more)[0], patched=(), left=()), []


def _one_edit_less(*args: Any, plan: Callable[..., Any] = Work.plan) -> Any:
    found = plan(*args)
    return replace(found, edits=found.edits[:-1])


MUTANTS = {
    "no form without accents": Mutant("spellings._spellings", lambda name: {name}, "text", FIRST),
    "no two letters for one": Mutant("spellings._SPREAD", {}, "text", "Zyxwaerth"),
    "no lost letters": Mutant("spellings._lossy_forms", lambda _: set(), "text", "Zyxw?rth"),
    "no cut names": Mutant("spellings.CUTS", (), "private UN", "WOLFESCHLEGELSTE", LONG),
    "no decomposed letters": Mutant("spellings.forms", _no_nfd, "text", "Zyxwa\u0308rth".encode()),
    "no joints": Mutant("spellings._name_forms", _components_only, "text", "LEEANN", LEE),
    "no single words": Mutant("spellings._name_forms", _components_only, "text", "Berg", BERG),
    "no dates but DICOM's": Mutant("spellings.DATE_FORMS", spellings.DATE_FORMS[:1], "text", "17.02.1943"),
    "no UTF-16": Mutant("identity._EVERYWHERE", NARROW, "private UN", b"L\0E\0E\0", LEE),
    "no UTF-8": Mutant("identity._EVERYWHERE", _without("utf-8"), "text", "Zyxwärth".encode()),
    "no Latin-1": Mutant("identity._EVERYWHERE", _without("latin-1", "cp1252"), "text", "Zyxwärth", UTF8),
    "no character set": Mutant("text.codecs_of", lambda _: [], "text", "ИВАНОВА".encode("iso8859-5"), IVANOVA),
    "no upper case": Mutant("search.needles_of", _in_lower_case, "text", LAST),
    "no physicians": Mutant("search._values", _values_but(lambda r: r.source == "physician"), "text", "Rossetti"),
    "no IDs": Mutant("search._values", _values_but(lambda rule: rule.kind == "id"), "text", NUMBER),
    "no second value": Mutant("search._values", _first_value, "text", "Aliasson", ALIAS),
    "no second component group": Mutant("search._values", _first_value, "text", "Aliasson", GROUPS),
    "no short names": Mutant("scan.words.is_word", lambda *_: False, "text", "LEE", LEE),
    "no names": Mutant("planner._uncovered", _hits_but(lambda _, h: h.needle.kind == "name"), "text", LAST),
    "no numbers": Mutant("planner._uncovered", _hits_but(lambda _, h: h.needle.kind == "id"), "text", NUMBER),
    "no dates": Mutant("planner._uncovered", _hits_but(lambda _, h: h.needle.kind == "date"), "text", BIRTH),
    "no second copy": Mutant("planner._uncovered", _hits_but(lambda n, _: n == 1), "text", f"{NUMBER}][{NUMBER}"),
    "no fields": Mutant("planner._field_edits", lambda *_: (), "text", NOTHING),
    "no number edits": Mutant("planner.number_edits", lambda _: [], "OOG, as numbers", LAST),
    "no typed text": Mutant("siemens.spelled._LIST", re.compile(b"(?!)"), "OOG, as numbers", LAST),
    "no spelled comments": Mutant("dicom.DicomPart.spelled", lambda _: [], "ASCCONV, a character a line", LAST),
    "nothing inflated": Mutant("planner._in_file", lambda p, e: [] if p.space.codec else e, "deflated", LAST),
    "no payload": Mutant("planner.bulk.decide", _no_patch, "list-mode", LAST),
    "no payload under 64 bytes": Mutant("chance.LEAST_BYTES", 64, "ptd", LAST),
    "no payload at all": Mutant("search.in_payloads", lambda *_: (), "measurement", LAST),
    "the last edit": Mutant("work.Work.plan", _one_edit_less, "text", LAST),
    "no preamble": Mutant("dicom.DicomPart._outside", lambda *_: None, "preamble", LAST),
    "no private bulk": Mutant("dicom.DicomPart._read_bulk", lambda *_: [], "private UN", LAST),
    "no public bulk": Mutant("dicom._may_hold_text", lambda _: False, "document", LAST),
    "no LT": Mutant("dicom.TEXT_VRS", frozenset(("LO", "PN", "SH")), "text", LAST),
    "all text is kept": Mutant("dicom.is_kept", lambda *_: True, "text", LAST),
    "no text of CSA": Mutant("siemens.csa._text_fields", lambda *_: [], "CSA text", LAST),
    "no slack of CSA names": Mutant("siemens.csa._after_nul", lambda *_: (0, 0), "CSA slack of a name", LAST),
    "no labels": Mutant("siemens.protocol.PROGRAM_WORDS", {"Label"}, "XProtocol label", LAST),
    "no keys of protocols": Mutant("siemens.protocol_keys._RULE_OF", {}, "twix text", NUMBER),
    "no slack of twix": Mutant("siemens.twix._slack", lambda *_: [], "twix alignment pad", LAST),
    "no text of twix": Mutant("siemens.twix._strings", lambda *_: [], "twix text", LAST),
    "no comments of Interfile": Mutant("siemens.interfile._TEXT", NEVER, "Interfile", LAST),
    "no names of Interfile": Mutant("siemens.interfile._RULES", (), "Interfile", NOTHING),
    "no text of rda": Mutant("siemens.rda._is_text", lambda *_: False, "rda", LAST),
    "no IDs of rda": Mutant("siemens.rda._RULES", (), "rda", NOTHING),
}  # fmt: skip


def audited(mutate: Mutation, folder: Path, files: dict[str, bytes]) -> list[int]:
    """Anonymize files as they should be and with a mutant, and give what the audit without it says of either."""
    found, changes = [], (lambda _: None, mutate)
    for number, change in enumerate(changes):
        below = folder / str(number)
        with pytest.MonkeyPatch.context() as patch:
            change(patch)
            identity.needles_of.cache_clear()
            report, _ = left_by_anonymizer(below, files)
        identity.needles_of.cache_clear()
        assert {file.status for file in report.files} <= {"anonymized", "copied"}
        found.append(fastanon.audit(below / "out", against=below / "original").exit_status)
    return found


@pytest.mark.parametrize("name", MUTANTS)
def test_an_anonymizer_that_forgets_is_caught(name: str, tmp_path: Path) -> None:
    mutant = MUTANTS[name]
    text = mutant.text.encode("latin-1") if isinstance(mutant.text, str) else mutant.text
    files = PLACES[mutant.place].files(mutant.who, b"[" + text + b"]")
    target = f"fastanon.{mutant.target}"
    assert audited(lambda m: m.setattr(target, mutant.stand_in), tmp_path, files) == [DONE, LEFT]


@pytest.mark.parametrize("tag", TAGS, ids=hex)
def test_a_profile_that_forgets_an_element_is_caught(tag: int, tmp_path: Path) -> None:
    files = {"a.dcm": auditing.dicom(PATIENT, own_field(tag))}
    assert audited(lambda m: m.delitem(RULES, tag), tmp_path, files) == [DONE, LEFT]


def test_names_of_files_that_were_not_cleaned_are_caught(tmp_path: Path) -> None:
    files = {f"{LAST}.dcm": auditing.dicom(PATIENT)}
    mutate = "fastanon.names.Mask.cleaned"
    assert audited(lambda m: m.setattr(mutate, lambda _, name, __: name), tmp_path, files) == [DONE, LEFT]


def test_copies_over_the_border_of_a_block_are_caught(tmp_path: Path) -> None:
    """Some of ten copies begin in one block of 64 bytes and end in the next."""

    def mutate(m: pytest.MonkeyPatch) -> None:
        m.setattr(search, "_BLOCK", 64)
        m.setattr(search, "_MARGIN", 0)

    files = PLACES["text"].files(PATIENT, f"[{LAST}]".encode() * 10)
    assert audited(mutate, tmp_path, files) == [DONE, LEFT]


# ---------------------------------------------------------------------------------------- the command line


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Make an original and a clean copy, each in its folder."""
    original = write(tmp_path / "original", PLACES["text"].files(PATIENT, NOTHING))
    return original, write(tmp_path / "copy", PLACES["text"].files(NOBODY, NOTHING))


class Ended(NamedTuple):
    """How the program ended: status, standard output, standard error, JSON report."""

    status: int
    out: str
    err: str
    report: dict[str, Any]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Give what runs the program; nothing of the patient's may come out."""

    def audit(copy: Path, original: Path) -> Ended:
        status = main(["audit", str(copy), "-v", "--against", str(original), "--report", str(tmp_path / "r.json")])
        taken, report = capsys.readouterr(), (tmp_path / "r.json").read_text()
        for text in (taken.out, taken.err, report):
            assert_clean(text)
            assert not re.search("(?i)zyxw|rossetti|1943[-.:/]02|17.02.1943|Traceback", text)
        return Ended(status, taken.out, taken.err, json.loads(report))

    return audit


def test_a_clean_copy_ends_with_0(pair: tuple[Path, Path], run: Callable[..., Ended]) -> None:
    original, copy = pair
    ended = run(copy, original)
    assert (ended.status, ended.err) == (DONE, "")
    assert "nothing identifying found again" in ended.out
    (file,) = ended.report["files"]
    assert (file["status"], file["audit"]["leaks"]) == ("audited", [])
    assert file["audit"]["bytes_scanned"] == (copy / "a.dcm").stat().st_size


@pytest.mark.parametrize("name", PLACES)
def test_a_leak_ends_with_3(name: str, tmp_path: Path, run: Callable[..., Ended]) -> None:
    place, value = PLACES[name], Value("name", b"zyxwarth.quillfeather")
    original = write(tmp_path / "original", place.files(PATIENT, NOTHING))
    ended = run(write(tmp_path / "copy", place.files(NOBODY, value.planted)), original)
    assert ended.status == LEFT
    (leak,) = [leak for file in ended.report["files"] for leak in file["audit"]["leaks"]]
    assert place.where in leak["where"]
    (line,) = [line for line in ended.err.splitlines() if line.startswith("  ")]
    assert line.split()[0] == str(leak["offset"])
    assert line.endswith(f"{leak['where']}: name")


def test_a_leak_in_a_path_is_masked(pair: tuple[Path, Path], run: Callable[..., Ended]) -> None:
    original, copy = pair
    (copy / "a.dcm").rename(copy / f"{LAST}_{FIRST}_{BIRTH}_{NUMBER}.dcm")
    ended = run(copy, original)
    assert ended.status == LEFT
    assert [leak["where"] for leak in ended.report["files"][0]["audit"]["leaks"]] == ["file name"] * 3


BROKEN = {
    "truncated": lambda data: data[:-9],
    "no medical file": lambda _: b"notes on QUILLFEATHER, born 1943-02-17\n" * 9,
    "empty": lambda _: b"",
}


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize("which", ["original", "copy"])
@pytest.mark.parametrize("how", BROKEN)
def test_what_is_refused_ends_with_4(how: str, which: str, tmp_path: Path, run: Callable[..., Ended]) -> None:
    path = tmp_path / which / "a.dcm"
    path.write_bytes(BROKEN[how](path.read_bytes()))
    ended = run(tmp_path / "copy", tmp_path / "original")
    assert ended.status == REFUSED
    assert [line.startswith(f"{path}: refused") for line in ended.err.splitlines()] == [True]
    assert [f["audit"] for f in ended.report["files"] if f["status"] == "refused"] == [None]


def test_what_pydicom_refuses_ends_with_4(
    pair: tuple[Path, Path], run: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dcmread(*_: object, **__: object) -> None:
        raise ValueError(f"{LAST}^{FIRST} is no value")

    monkeypatch.setattr(pydicom, "dcmread", dcmread)
    original, copy = pair
    ended = run(copy, original)
    assert ended.status == REFUSED
    assert "pydicom can't read it" in ended.err
    assert [file["audit"] for file in ended.report["files"]] == [None]


@pytest.mark.parametrize("which", ["original", "copy"])
def test_what_is_not_there_ends_with_1(which: str, pair: tuple[Path, Path], run: Callable[..., Ended]) -> None:
    original, copy = pair
    found = run(copy / "none" if which == "copy" else copy, original / "none" if which == "original" else original)
    assert found.status == FAILED
    assert "No such file" in found.err


def test_a_leak_counts_more_than_a_refusal_and_less_than_a_failure(
    tmp_path: Path, pair: tuple[Path, Path], run: Callable[..., Ended]
) -> None:
    original, copy = pair
    write(copy, {"b.dcm": PLACES["text"].files(NOBODY, LAST.encode())["a.dcm"], "c.dcm": b"notes"})
    assert run(copy, original).status == LEFT
    (original / "link").symlink_to(tmp_path / "nowhere")
    assert run(copy, original).status == LEFT
    assert main(["audit", str(copy), str(copy / "none"), "--against", str(original)]) == FAILED


def test_without_originals_it_ends_with_2(pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    original, copy = pair
    with pytest.raises(SystemExit) as ended:
        main(["audit", str(copy)])
    assert ended.value.code == USAGE
    assert "--against" in capsys.readouterr().err
    assert main(["audit", str(copy), "--against", str(original / "*.ima")]) == USAGE


# ------------------------------------------------------------------- files that change while they are read


CALLS: dict[str, Callable[[Path, Path], Report]] = {
    "in place": lambda folder, _: anonymize(folder / "it", in_place=True),
    "copy": lambda folder, out: anonymize(folder / "it", to=out),
    "audit": lambda folder, _: fastanon.audit(folder / "it", against=folder / "original"),
}

#: File, and how it is read: the header by `pread`, payloads by `preadv`.
READ = {"header": ("a.dcm", "pread"), "payload": ("a.dcm", "preadv"), "payload beside": ("b.bf", "preadv")}


def _shrink(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 200)  # inside the last page: see the test of a map


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(bytes(200))


def _touch(path: Path) -> None:
    os.utime(path, ns=(0, 0))


def _put_another(path: Path) -> None:
    other = path.parent.parent / "other"
    other.write_bytes(auditing.dicom(PATIENT, Leaf(0x00104000, "LT", b"QUILLFEATHER again")))
    os.replace(other, path)


CHANGES = {"shrinks": _shrink, "grows": _grow, "is written to": _touch, "is replaced": _put_another}


def meddle(monkeypatch: pytest.MonkeyPatch, reader: str, path: Path, change: Callable[[Path], None]) -> list[str]:
    """Have a file changed when a system call first reads it, or the copy that is made of it."""
    original, done = getattr(os, reader), []

    def read(fd: int, *more: Any) -> Any:
        name = os.readlink(f"/proc/self/fd/{fd}")
        if not done and (name == str(path) or (path.suffix == ".bf" and "/out/.fastanon-" in name)):
            done.append(name)
            change(path)
        return original(fd, *more)

    monkeypatch.setattr(os, reader, read)
    return done


def changing(folder: Path, name: str) -> Path:
    """Write a file with a payload inside or beside it, and another with none; give the path of the first."""
    data, text = auditing.payload(b"nothing"), Leaf(0x00104000, "LT", b"of QUILLFEATHER")
    files = {"a.dcm": auditing.dicom(PATIENT, text, Leaf(0x7FE11010, "OB", data))}
    if name == "b.bf":
        files = {"b.dcm": auditing.dicom(PATIENT, text), "b.bf": data}
    files["z.dcm"] = auditing.dicom(PATIENT)
    write(folder / "original", files)
    return write(folder / "it", files) / name


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize("call", CALLS)
def test_a_file_that_changes_is_an_error(
    call: str, read: str, change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, reader = READ[read]
    path = changing(tmp_path, name)
    wanted = {file.name: file.read_bytes() for file in path.parent.iterdir() if file.stem == path.stem}

    def meddled(at: Path) -> None:
        CHANGES[change](at)
        wanted[at.name] = at.read_bytes()

    done = meddle(monkeypatch, reader, path, meddled)
    report = CALLS[call](tmp_path, tmp_path / "out")
    assert len(done) == 1
    result, other = report.files
    assert (result.status, result.audit) == ("refused", None)
    assert "changed" in result.messages[0] or "shorter" in result.messages[0]
    assert_clean(report.to_json(), report.summary())
    assert {file.name: file.read_bytes() for file in path.parent.iterdir() if file.stem == path.stem} == wanted
    assert [file.name for file in tmp_path.glob("out/*")] == (["z.dcm"] if call == "copy" else [])
    assert other.status in ("anonymized", "audited")


_CUT_OFF = """
import mmap, os, sys
from pathlib import Path
import pytest
from tests.test_audit import CALLS, meddle
patch, path = pytest.MonkeyPatch(), Path(sys.argv[3]) / "it/a.dcm"
cut = lambda path: os.truncate(path, mmap.PAGESIZE)
if sys.argv[2] == "before it is read":
    meddle(patch, "pread", path, cut)
else:
    from fastanon.opened import Opened
    read = Opened._map
    def opened(self):
        read(self)
        if self.path == str(path):
            cut(path)
    patch.setattr(Opened, "_map", opened)
print([(f.status, f.audit) for f in CALLS[sys.argv[1]](path.parents[1], path.parents[1] / "out").files])
"""


@pytest.mark.parametrize(
    ("call", "when"),
    [("audit", "before it is read"), ("audit", "when it was opened"), ("in place", "when it was opened")],
)
def test_a_file_that_is_cut_off_kills_nobody(call: str, when: str, tmp_path: Path) -> None:
    """A page of a map that is gone ends the process with SIGBUS."""
    files = {"a.dcm": auditing.dicom(PATIENT, Leaf(0x00091010, "UN", bytes(20_000)))}
    write(tmp_path / "original", files)
    write(tmp_path / "it", files)
    command = [sys.executable, "-c", _CUT_OFF, call, when, str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "[('refused', None)]\n"), ended.stderr[-500:]


# ------------------------------------------------------------------------------------------------ progress

_WATCHED = """
import sys
if sys.argv[2] == "without":
    sys.modules["tqdm"] = None  # which makes its import an error; pydicom imports it where it can
from fastanon import progress
from fastanon.cli import main
progress._PATIENCE = float(sys.argv[1])
print(main(sys.argv[3:]))
"""


def watched(patience: float, *arguments: object, terminal: bool) -> tuple[str, str]:
    """Run the program in a process of its own; give what it wrote on standard output and error."""
    with_tqdm = "with" if terminal else "without"
    command = [sys.executable, "-c", _WATCHED, str(patience), with_tqdm, *map(str, arguments)]
    env = {**os.environ, "TQDM_MININTERVAL": "0"}  # each chunk is drawn
    if not terminal:
        ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
        return ended.stdout, ended.stderr
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.close(theirs)
        drawn = b"".join(iter(lambda: _read(ours), b""))
        os.close(ours)
        return process.communicate()[0], drawn.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the other side was closed
        return b""


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Make a file with 16 MiB of payload."""
    return write(tmp_path / "large", {"a.dcm": _with_much(PATIENT)})


def _with_much(who: Who) -> bytes:
    return auditing.dicom(who, Leaf(0x7FE11010, "OB", bytes(16 << 20)))


def _arguments(command: str, folder: Path) -> list[object]:
    if command == "audit":
        return ["audit", write(folder.parent / "copy", {"a.dcm": _with_much(NOBODY)}), "--against", folder]
    if command == "copy":
        return ["anonymize", folder, "-o", folder.parent / "out"]
    longer = ["--patient", "SOMEBODY WITH A MUCH LONGER^NAME"] if command == "rewrite" else []
    return ["anonymize", folder, "--in-place", *longer]


@pytest.mark.parametrize("command", ["copy", "audit"])
def test_nothing_is_drawn_where_nobody_looks(command: str, large: Path) -> None:
    out, err = watched(0, *_arguments(command, large), terminal=False)
    assert out.splitlines()[-1] == "0"
    assert err == ""


@pytest.mark.parametrize("command", ["in place", "rewrite", "copy", "audit"])
def test_a_terminal_sees_bytes_rate_and_time_left(command: str, large: Path) -> None:
    out, drawn = watched(0, *_arguments(command, large), terminal=True)
    assert out.splitlines()[-1] == "0"
    *lines, last = (line.strip() for line in drawn.split("\r"))
    wanted = re.compile(r"(\d+)%\|.*\| [\d.]+[kM]?/[\d.]+M \[\d+:\d+<(?:\d+:\d+|\?), *(?:[\d.]+[kMG]?|\?)B/s\]")
    matches = [wanted.fullmatch(line) for line in filter(None, lines)]
    assert all(matches), lines
    shares = [int(match[1]) for match in matches if match]
    assert shares == sorted(shares)
    assert len(set(shares)) > 2
    assert sum("?" not in line for line in lines if line) > 1  # rate and time left are known
    assert last == ""  # it is gone at the end
    assert_clean(out, drawn)


def test_a_short_run_draws_nothing(large: Path) -> None:
    out, drawn = watched(1e9, *_arguments("copy", large), terminal=True)
    assert (out.splitlines()[-1], drawn) == ("0", "")
