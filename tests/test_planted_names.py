"""Names of every shape, planted in every place and encoding: none is left, and nothing beside them has changed."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from tests.niftypet import anonymize
from tests.planted import folder
from tests.planted.csa import csa
from tests.planted.dicom import identity, part10
from tests.planted.marked import Marked, Span
from tests.planted.people import NUMBER, PEOPLE
from tests.planted.spelling import Person, Spelled, encodings, searched
from tests.siemens_files import csa_tags, read

CASES = [pytest.param(s, id=f"{s.person.shape}-{s.encoding}") for person in PEOPLE for s in encodings(person)]

#: The places; each has to hold a name of every person.
PLACES = (
    "(0008,1030) LO > ", "(0010,4000) LT > ", "(0040,a160) UT > ", "(0008,1070) PN > ", "(0033,1001) LO > ",
    "(0033,1002) UN > ", "(0033,1003) OB > ", "(0033,1004) OW > ", "explicit.dcm > ", "implicit.dcm > ",
    "preamble", "(0029,1010) OB > CSA2", "(0029,1110) UN > CSA1", "(0029,1210) UN > CSA2", "(0029,3510) OW > CSA2",
    "(0029,3520) OB > CSA1", "ItemLO LO", "ItemLT LT", "ItemSH SH", "ItemST ST", "ItemUT UT", "ItemUN UN",
    "ItemPN PN", "BehindLO LO", "TwiceLO LO", "name[64] > ", "vr[4] > ", "pad > ", "(0029,1720) OB > CSA2",
    "(0029,1820) UN > CSA1", "MrPhoenixProtocol UN > protocol", "(0021,1019) OB > protocol",
    *(f"{n} quotes > {form}" for n in (1, 2, 4) for form in ("one line", "many lines", "modifiers", "array")),
    "1 quotes, keyed", "2 quotes, keyed", "4 quotes, keyed", "ASCCONV 1", "ASCCONV 2", "ASCCONV 4",
    "(0029,1310) OB > ", *(f"OB > Interfile {end!r}" for end in (b"\n", b"\r\n", b"\r\r\n")), "large.ptd",
    "dummy.ptd", "pair.dcm", "lm.l.hdr", "sino.s.hdr", "daily.n.hdr", "image.hs", "b'%comment:='", "b'; '",
    "b'!name of data file:'", "b'Patient name := '", "b'%data set [1]:'", "svs.rda", "second line", "VB > ",
    "VD > ", "slot > ", "protName", "header pad", "alignment pad", "unused entry", "behind the directory",
    "behind NUL", "Meas > ", "MeasYaps > ", "Dicom > ", "Phoenix > ", "Spice > ", "Notes > ",
)  # fmt: skip
#: Pairs of a place (in a file) and a spelling, each once; there were 179,713 when this was written.
COMBINATIONS = 179_000


def outside(data: bytes, spans: list[Span]) -> bytes:
    """Give bytes with those of payloads blanked."""
    blanked = bytearray(data)
    for span in spans:
        if span.kind == "payload":
            blanked[span.start : span.end] = b"\xff" * (span.end - span.start)
    return bytes(blanked)


def place_of(spans: list[Span], at: int) -> str:
    """Name the last span that begins before an offset."""
    index = bisect_right([span.start for span in spans], at) - 1
    if index < 0:
        return f"at {at}, before all places"
    span = spans[index]
    return span.place if at < span.end else f"at {at}, behind {span.place}"


def left_in(data: bytes, spans: list[Span], forms: set[bytes]) -> Iterator[str]:
    """Name the places where a form stands, found as simply as it can be done."""
    folded = outside(data, spans).lower()
    for form in forms:
        at = folded.find(form)
        while at >= 0:
            yield f"left: {place_of(spans, at)}"
            at = folded.find(form, at + 1)


def changed_outside(before: bytes, after: bytes, spans: list[Span]) -> Iterator[str]:
    """Name what changed that held nothing of the patient, and leftover memory that is not cleared."""
    at = 0
    for span in (
        *(span for span in spans if span.kind != "payload"),
        Span(len(before), len(before), "", "the end"),
    ):
        if before[at : span.start] != after[at : span.start]:
            where = next(n for n in range(at, span.start) if before[n] != after[n])
            yield f"changed: at {where}, {where - at} bytes from the place before {span.place}"
        if span.kind == "slack" and after[span.start : span.end].strip(b"\0"):
            yield f"not cleared: {span.place}"
        at = span.end


def digests(data: bytes, spans: list[Span]) -> list[str]:
    return [hashlib.sha256(data[s.start : s.end]).hexdigest() for s in spans if s.kind == "payload"]


def problems_in(marked: Marked, after: bytes, forms: set[bytes]) -> Iterator[str]:
    """Compare one file before and after."""
    spans = list(marked.spans())
    for span in (span for span in spans if span.kind == "copy"):
        if not any(form in marked.data[span.start : span.end].lower() for form in forms):
            yield f"never planted: {span.place}"
    if len(after) != len(marked):
        yield f"size: {len(marked)} became {len(after)}, {spans[0].place}"
        return
    yield from left_in(after, spans, forms)
    yield from changed_outside(marked.data, after, spans)
    if digests(marked.data, spans) != digests(after, spans):
        yield f"payload: {spans[0].place}"


@pytest.mark.parametrize("spelled", CASES)
def test_planted_names_go_and_nothing_else(spelled: Spelled, tmp_path: Path) -> None:
    files, forms = folder.files(spelled), searched(spelled.person)
    folder.write(tmp_path, files)
    report = anonymize(tmp_path, in_place=True)
    problems = [str(f) for f in report.files if f.status not in ("anonymized", "unchanged")]
    for name, marked in files.items():
        problems += problems_in(marked, (tmp_path / name).read_bytes(), forms)
    assert not problems, "\n".join([f"{len(problems)} problems", *sorted(set(problems))])
    assert report.exit_status == 0
    assert {f.status for f in anonymize(tmp_path, in_place=True).files} == {"unchanged"}


def test_no_combination_is_missing() -> None:
    count, shapes = 0, {person.shape for person in PEOPLE}
    missing = {(place, shape) for place in PLACES for shape in shapes}
    for person in PEOPLE:
        held: set[str] = set()
        for spelled in encodings(person):
            for marked in folder.files(spelled).values():
                spans = [span for span in marked.spans() if span.kind in ("copy", "slack")]
                held.update(span.place for span in spans)
        count += len(held)
        missing -= {(place, person.shape) for place in PLACES if any(place in one for one in held)}
    assert missing == set()
    assert count >= COMBINATIONS
    assert len(shapes) == len(PEOPLE) >= 12
    assert len(CASES) >= 68


@pytest.mark.filterwarnings("ignore:The (PN component|value) length:UserWarning")  # more than VRs allow
def test_others_read_what_is_written_here(tmp_path: Path) -> None:
    """The files are what they claim to be, for pydicom and nibabel, and the spans are where the bytes are."""
    for spelled in (next(encodings(person)) for person in PEOPLE):
        found = folder.files(spelled)
        folder.write(tmp_path, found, lambda file: file in ("explicit.dcm", "implicit.dcm"))
        for name in ("explicit.dcm", "implicit.dcm"):
            ds = read(tmp_path / name)
            assert ds.PatientID == NUMBER.decode()
            assert {"MAX", "Left0", "BehindLO"} <= set(csa_tags(ds[0x00291010].value))
        if isinstance(spelled.person.name, str):
            assert ds.PatientName == spelled.person.name


def test_a_name_in_a_csa_item_that_should_be_a_number(tmp_path: Path) -> None:
    header = csa([("ProtocolChangeHistory", "IS", [b"of DOE, JANE"], b"")], True)
    rows = [*identity(PEOPLE[0]), (0x00290010, "LO", b"SIEMENS CSA HEADER"), (0x00291010, "OB", header)]
    folder.write(tmp_path, {"a.dcm": part10(rows)})
    report = anonymize(tmp_path, in_place=True)
    assert b"DOE" not in (tmp_path / "a.dcm").read_bytes()
    assert report.exit_status == 0


#: They stand in the files as keys, tags, numbers and codes too.
WORDS = "MAX TIM HEAD LONG LIST NORM IRIS".split()


def structure(ds: Dataset) -> list[tuple[str, str]]:
    """Give tags and VRs, and of CSA headers names, VRs, and numbers of values."""
    found = [(str(e.tag), e.VR) for e in ds.iterall()]
    for element in ds.iterall():
        if isinstance(element.value, bytes) and element.value.startswith(b"SV10"):
            tags = csa_tags(element.value)
            found += [(name, f"{tag['vr']} {len(tag['items'])}") for name, tag in tags.items()]
    return found


@pytest.mark.parametrize("word", WORDS)
def test_words_that_are_structure_stay(word: str, tmp_path: Path) -> None:
    person = Person(
        word, "ISO_IR 100", "latin-1", f"{word}^ALBERTINA", (word, f"{word}, ALBERTINA"), (word.title(),)
    )
    for spelled in encodings(person):
        files = folder.files(spelled)
        folder.write(tmp_path / "before", files)
        folder.write(tmp_path / "after", files)
        assert anonymize(tmp_path / "after", in_place=True).exit_status == 0
        problems = []
        for name, marked in files.items():
            after, spans = (tmp_path / "after" / name).read_bytes(), list(marked.spans())
            problems += changed_outside(marked.data, after, spans)
            copies = [span for span in spans if span.kind == "copy"]
            problems += [
                s.place for s in copies if re.search(rb"(?i)\b%b\b" % word.encode(), after[s.start : s.end])
            ]
        assert not problems, "\n".join(problems)
        for name in (name for name in files if name.endswith(".dcm")):
            before, after = read(tmp_path / "before" / name), read(tmp_path / "after" / name)
            assert structure(before) == structure(after)
            assert [*before.ImageType, before.SequenceName] == [*after.ImageType, after.SequenceName]
            assert after.get("ImageComments", "PET Listmode data").startswith("PET Listmode data")
