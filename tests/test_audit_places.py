"""The audit finds every value at every place, in every character set, in names of files; and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastanon.errors import DONE, LEFT
from fastanon.fields import Place as Leak
from fastanon.profiles import load
from fastanon.report import Report
from tests.auditing.case import NOBODY, NOTHING, PATIENT, VALUES, Place, Value, leaks_of, write
from tests.auditing.dicom import TAGS, dicom, own_field
from tests.auditing.places import PLACES, SAMPLES
from tests.builder import Leaf
from tests.canary import assert_clean
from tests.niftypet import audit
from tests.planted.people import PEOPLE
from tests.planted.spelling import ESCAPED, Spelled, encodings

CASES = [(name, value) for name, place in PLACES.items() for value in VALUES if place.takes(value)]


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
        report = audit(write(tmp_path / "copy", files), against=original)
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
    report = audit(write(tmp_path / "copy", make(NOBODY, NOTHING)), against=original)
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
    original = write(tmp_path / "original", {"a.dcm": dicom(who)})
    for form in spelled.forms + spelled.respelled:
        text = Leaf(0x00104000, "LT", b"[" + form + b"]")
        copy = {"a.dcm": dicom(NOBODY._replace(charset=charset), text)}
        report = audit(write(tmp_path / "copy", copy), against=original)
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
    original = write(tmp_path / "original", {"a.dcm": dicom(PATIENT)})
    name = value.planted.decode() + ("/a.dcm" if folder else ".dcm")
    copy = write(tmp_path / "copy", {name: dicom(NOBODY)})
    report = audit(copy, against=original)
    assert report.exit_status == LEFT
    assert leaks_of(report) == [Leak("file name", 1, len(value.data), value.kind)]
    assert_clean(report.to_json())


@pytest.mark.parametrize("tag", TAGS, ids=hex)
def test_a_field_that_was_not_replaced(tag: int, tmp_path: Path) -> None:
    field = own_field(tag)
    original = write(tmp_path / "original", {"a.dcm": dicom(PATIENT, field)})
    copy = write(tmp_path / "copy", {"a.dcm": (data := dicom(NOBODY, field))})
    report = audit(copy, against=original)
    assert report.exit_status == LEFT
    (leak,) = leaks_of(report)
    assert (leak.offset, leak.length) == (data.index(field.value), len(field.value))


def test_a_tag_is_listed_here_too() -> None:
    assert set(TAGS) == set(load("niftypet").actions)
