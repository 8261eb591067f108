"""An anonymizer that is made to forget something is caught by the audit; as it should be, it removes all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest

from fastanon import bulk, draft, identity, planner, search, spellings
from fastanon.errors import DONE, LEFT
from fastanon.report import Report
from fastanon.rules import Rule
from fastanon.scheme import Scheme
from tests.auditing.case import NOTHING, PATIENT, Value, Who, write
from tests.auditing.dicom import TAGS, dicom, own_field
from tests.auditing.places import PLACES
from tests.canary import CANARIES
from tests.niftypet import anonymize, audit

FIRST, LAST, NUMBER, BIRTH = CANARIES
Mutation: TypeAlias = Callable[[pytest.MonkeyPatch], None]


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
        assert audit(folder / "out", against=folder / "original").exit_status == DONE


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
    return tuple(needle._replace(fold=False) for needle in found), left_out


def _values_but(drop: Callable[[Any], bool]) -> Callable[..., Any]:
    values = search._values
    return lambda part, f, rule, *more: () if drop(rule) else values(part, f, rule, *more)


def _first_value(*args: Any, values: Callable[..., Any] = search._values) -> Any:
    return islice(values(*args), 1)


def _hits_but(drop: Callable[[int, Any], bool]) -> Callable[..., Any]:
    uncovered = draft.Draft._uncovered
    return lambda *args: (found for n, found in enumerate(uncovered(*args)) if not drop(n, found[0]))


def _no_patch(*args: Any, decide: Callable[..., Any] = bulk.decide, **more: Any) -> Any:
    return decide(*args, **more)[0]._replace(patched=(), left=()), []


def _one_edit_less(*args: Any, plan: Callable[..., Any] = planner.make_plan, **more: Any) -> Any:
    found = plan(*args, **more)
    return found._replace(edits=[edit for edit in found.edits if edit.rule != "marker"][:-1])


UNCOVERED = "draft.Draft._uncovered"
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
    "no names": Mutant(UNCOVERED, _hits_but(lambda _, h: h.needle.kind == "name"), "text", LAST),
    "no numbers": Mutant(UNCOVERED, _hits_but(lambda _, h: h.needle.kind == "id"), "text", NUMBER),
    "no dates": Mutant(UNCOVERED, _hits_but(lambda _, h: h.needle.kind == "date"), "text", BIRTH),
    "no second copy": Mutant(UNCOVERED, _hits_but(lambda n, _: n == 1), "text", f"{NUMBER}][{NUMBER}"),
    "no fields": Mutant("actions.edits_of", lambda *_: (), "text", NOTHING),
    "no number edits": Mutant("draft.number_edits", lambda _: [], "OOG, as numbers", LAST),
    "no typed text": Mutant("siemens.spelled._LIST", re.compile(b"(?!)"), "OOG, as numbers", LAST),
    "no spelled comments": Mutant("dicom.DicomPart.spelled", lambda _: [], "ASCCONV, a character a line", LAST),
    "nothing inflated": Mutant("planner._deflated", lambda _: [], "deflated", LAST),
    "no payload": Mutant("draft.bulk.decide", _no_patch, "list-mode", LAST),
    "no payload under 64 bytes": Mutant("chance.LEAST_BYTES", 64, "ptd", LAST),
    "no payload at all": Mutant("search.in_payloads", lambda *_: (), "measurement", LAST),
    "the last edit": Mutant("work.make_plan", _one_edit_less, "text", LAST),
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
        found.append(audit(below / "out", against=below / "original").exit_status)
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
    files = {"a.dcm": dicom(PATIENT, own_field(tag))}
    rule_of = Scheme.rule_of

    def forgetful(scheme: Scheme, other: int, vr: str) -> Rule | None:
        return None if other == tag else rule_of(scheme, other, vr)

    assert audited(lambda m: m.setattr(Scheme, "rule_of", forgetful), tmp_path, files) == [DONE, LEFT]


def test_names_of_files_that_were_not_cleaned_are_caught(tmp_path: Path) -> None:
    files = {f"{LAST}.dcm": dicom(PATIENT)}
    mutate = "fastanon.names.Mask.cleaned"
    assert audited(lambda m: m.setattr(mutate, lambda _, name, __: name), tmp_path, files) == [DONE, LEFT]


def test_copies_over_the_border_of_a_block_are_caught(tmp_path: Path) -> None:
    """Some of ten copies begin in one block of 64 bytes and end in the next."""

    def mutate(m: pytest.MonkeyPatch) -> None:
        m.setattr(search, "_BLOCK", 64)
        m.setattr(search, "_MARGIN", 0)

    files = PLACES["text"].files(PATIENT, f"[{LAST}]".encode() * 10)
    assert audited(mutate, tmp_path, files) == [DONE, LEFT]
