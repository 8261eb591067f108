"""Copies and changes in place: what is planned becomes what is intended, and every other byte stays."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from fastanon import BatchError, LeakError
from fastanon.errors import DONE, LEFT
from fastanon.planner import Plan
from tests import builder
from tests.canary import CANARIES, assert_clean
from tests.niftypet import anonymize, plan
from tests.siemens_files import Study, dataset, digest, even, left_in, people, plain, read, save, write

FIRST, LAST, NUMBER, BIRTH = CANARIES
STUDY = Study(f"{LAST}^{FIRST}", planted=(f"{LAST}^{FIRST}", f"{FIRST} {LAST}"), number=NUMBER, birth=BIRTH)
SHORT = "Q^Z"
SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "big endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
}
IN_EACH = pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
WANTED = {"PatientName": "anonymised", "ReferringPhysicianName": "anonymised", "PatientBirthDate": "19800101"}


def values(ds: Dataset, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Give the raw bytes of every element that is no sequence, with its path."""
    for tag in list(ds.keys()):
        raw = ds.get_item(tag)
        if isinstance(raw, RawDataElement) and raw.VR not in ("SQ", None):
            yield f"{prefix}{tag}", raw.value or b""
            continue
        element = ds[tag]
        if element.VR == "SQ":
            for n, item in enumerate(element.value):
                yield from values(item, f"{prefix}{tag}[{n}]")
        else:
            yield f"{prefix}{tag}", (raw.value or b"") if isinstance(raw, RawDataElement) else b""


def planned_paths(path: Path) -> set[str]:
    """Name the elements in which a plan changes something: its last key that is no private content."""
    return {place.where for planned in plan(path) if isinstance(planned, Plan) for place in planned.places}


@IN_EACH
def test_a_copy_is_what_was_asked_for(syntax: str, tmp_path: Path) -> None:
    path = write(tmp_path / "in" / "a.dcm", STUDY, syntax)
    before, original = digest(path), read(path)
    report = anonymize(path, to=tmp_path / "out")
    copy = read(tmp_path / "out" / "a.dcm")
    assert digest(path) == before
    assert [(f.status, f.strategy, f.leaks) for f in report.files] == [("anonymized", "rewrite", 0)]
    assert list(people(copy)) == [(keyword, WANTED[keyword]) for keyword, _ in people(original)]
    assert copy.file_meta.TransferSyntaxUID == syntax
    assert copy.PixelData == original.PixelData
    assert left_in(plain(tmp_path / "out" / "a.dcm"), (*CANARIES, "rossetti", "carlo")) == []


@IN_EACH
@pytest.mark.parametrize("patient", [SHORT, "A MUCH LONGER^NAME^THAN^THE^OLD ONE", "anonymised"])
def test_elements_outside_the_plan_keep_their_bytes(syntax: str, patient: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", STUDY, syntax)
    places = planned_paths(path)
    before = list(values(read(path)))
    anonymize(path, in_place=True, patient=patient)
    after = list(values(read(path)))
    assert [tag for tag, _ in before] == [tag for tag, _ in after]
    changed = {tag for (tag, old), (_, new) in zip(before, after, strict=True) if old != new}
    assert changed == EXPECTED
    assert len({place.split(" > ")[0] for place in places}) <= len(changed)


#: Every element in which siemens_files plants something; no other may differ.
EXPECTED = {
    *(f"({tag})" for tag in "0008,0090 0008,1030 0010,0010 0010,0020 0010,0030 0010,21B0 0029,1010".split()),
    *(f"({tag})" for tag in "0029,1020 0033,1001 0033,1002 0033,1003".split()),
    "(0400,0561)[0](0010,0010)",
    *(f"(0400,0561)[0](0400,0550)[0]({tag})" for tag in "0008,0090 0010,0010 0010,0020 0010,0030".split()),
}


def test_equal_length_is_patched_where_it_stands(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", STUDY)
    inode, old = path.stat().st_ino, path.read_bytes()
    (planned,) = plan(path)
    assert isinstance(planned, Plan)
    report = anonymize(path, in_place=True)
    assert report.files[0].strategy == planned.strategy == "patch"
    assert path.stat().st_ino == inode
    new = path.read_bytes()
    assert len(new) == len(old)
    edited = {at for edit in planned.edits for at in range(edit.offset, edit.end)}
    assert {at for at, (a, b) in enumerate(zip(old, new, strict=True)) if a != b} <= edited
    assert all(new[e.offset : e.end] == e.new for e in planned.edits)


def test_what_does_not_fit_is_rewritten(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", STUDY)
    path.chmod(0o640)
    inode, size, mode = path.stat().st_ino, path.stat().st_size, path.stat().st_mode
    report = anonymize(path, in_place=True, patient="A MUCH LONGER^NAME^THAN^THE^OLD ONE")
    assert report.files[0].strategy == "rewrite"
    assert path.stat().st_ino != inode
    assert (path.stat().st_size - size) % 2 == 0
    assert path.stat().st_mode == mode
    assert [p.name for p in tmp_path.iterdir()] == ["a.dcm"]
    names = [value for keyword, value in people(read(path)) if keyword == "PatientName"]
    assert names == ["A MUCH LONGER^NAME^THAN^THE^OLD ONE"] * 3


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("syntax", [builder.EXPLICIT, builder.IMPLICIT, builder.BIG])
def test_every_length_around_a_longer_name_grows(syntax: str, undefined: bool, tmp_path: Path) -> None:
    path, longer = tmp_path / "a.dcm", "A MUCH LONGER^NAME^THAN^THE^OLD ONE"
    path.write_bytes(builder.part10(nested("Doe^Jo", undefined), syntax))
    report = anonymize(path, in_place=True, patient=longer)
    assert report.files[0].strategy == "rewrite"
    assert path.read_bytes() == builder.part10(nested(longer, undefined), syntax)


def nested(name: str, undefined: bool) -> builder.Nodes:
    """Name a patient at three depths, each inside a group length, the deepest inside a private UN sequence."""
    who = (builder.GroupLength(0x00100000), builder.Leaf(0x00100010, "PN", name.encode()))
    uid = builder.Leaf(0x00080018, "UI", b"1.2.3")
    inner = builder.Seq(0x00081140, (builder.Item((uid, *who), undefined), builder.Item(())), undefined)
    outer = builder.Seq(0x00081115, (builder.Item((inner, *who), undefined),), undefined)
    end = builder.Leaf(0x00180050, "DS", b"1.5")
    return (builder.GroupLength(0x00080000), builder.GroupLength(0x00080001), uid, outer, *who, end)


def test_a_plan_shows_no_value_and_writes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", STUDY)
    before, changed = digest(tmp_path), path.stat().st_mtime_ns
    (planned,) = plan(tmp_path)
    assert isinstance(planned, Plan)
    assert planned.edits
    assert_clean(repr(planned), str(planned), *(edit.new for edit in planned.edits))
    assert (digest(tmp_path), path.stat().st_mtime_ns) == (before, changed)


def test_the_report_is_as_the_design_says(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.dcm", STUDY)
    (tmp_path / "in" / "note.txt").write_text("no DICOM" * 40)
    report = anonymize(tmp_path / "in", to=tmp_path / "out")
    said = json.loads(report.to_json())
    assert said["schema"] == 1
    assert {"fastanon", "profile", "files", "totals"} <= set(said)
    entry, refused = said["files"]
    assert {"source", "output", "status", "strategy", "edits", "bytes_written", "audit", "messages"} <= set(entry)
    wanted = {"bytes_scanned", "not_scanned", "leaks", "structural", "chance"}
    assert wanted <= set(entry["audit"])
    assert (entry["status"], refused["status"]) == ("anonymized", "refused")
    assert entry["audit"]["leaks"] == []
    assert entry["bytes_written"] == (tmp_path / "out" / "a.dcm").stat().st_size
    assert_clean(report.to_json(), report.summary(), *map(str, report.files))


def test_leaks_and_refusals_are_raised(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", STUDY)
    assert anonymize(path, to=tmp_path / "out").raise_for_leaks() is None
    (tmp_path / "bad.dcm").write_bytes(path.read_bytes()[:700])
    with pytest.raises(BatchError, match=r"bad\.dcm"):
        anonymize(tmp_path / "bad.dcm", to=tmp_path / "out").raise_for_leaks()
    folder = tmp_path / f"{LAST}_{FIRST}"
    write(folder / f"{LAST}.dcm", STUDY)
    report = anonymize(folder, in_place=True)
    assert report.exit_status == LEFT
    with pytest.raises(LeakError):
        report.raise_for_leaks()


def test_an_output_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path / "in" / "a.dcm", STUDY)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.dcm").write_bytes(b"mine")
    report = anonymize([path, write(tmp_path / "in" / "b.dcm", STUDY)], to=tmp_path / "out")
    assert [f.status for f in report.files] == ["refused", "anonymized"]
    assert (tmp_path / "out" / "a.dcm").read_bytes() == b"mine"
    assert report.exit_status != DONE


def test_nobody_is_given_a_name(tmp_path: Path) -> None:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.PatientName = "1.2.840.10008.5.1.4.1.1.7", "1.2.3", ""
    path = save(tmp_path / "a.dcm", ds)
    report = anonymize(path, to=tmp_path / "out")
    assert report.files[0].status == "copied"
    assert (tmp_path / "out" / "a.dcm").read_bytes() == path.read_bytes()


def test_payload_of_siemens_is_not_touched(tmp_path: Path) -> None:
    ds, raw = dataset(STUDY), even(b"q" + f"{LAST}^{FIRST}".encode() * 99 + b"q" + bytes(300))
    del ds.PixelData
    ds.add_new((0x7FE1, 0x0010), "LO", "SIEMENS CSA NON-IMAGE")
    ds.add_new((0x7FE1, 0x1010), "OB", raw)
    path = save(tmp_path / "a.dcm", ds)
    anonymize(path, to=tmp_path / "out", patient=SHORT)
    data = (tmp_path / "out" / "a.dcm").read_bytes()
    assert data.endswith(raw)
    assert left_in(data[: -len(raw)], CANARIES) == []
    assert pydicom.dcmread(io.BytesIO(data))[0x7FE1, 0x1010].value == raw


@pytest.mark.parametrize("syntax", [builder.EXPLICIT, builder.IMPLICIT, builder.BIG])
@pytest.mark.parametrize("group", [0x0011, 0x0033, 0x0041, 0x4130, 0x5A5B])
def test_a_short_name_may_fill_a_value(group: int, syntax: str, tmp_path: Path) -> None:
    nodes = (
        builder.Leaf(0x00090010, "LO", b"ACME NOTES 1.0"),
        builder.Leaf(0x00091001, "LO", b"ANNA"),  # what follows is no letter, though it may look like one
        builder.Leaf(0x00100010, "PN", b"LEE^ANNA"),
        builder.Leaf(0x00104000, "LT", b"ANNA"),
        builder.Leaf(group << 16 | 0x10, "LO", b"ACME NOTES 1.0"),
    )
    path = tmp_path / "a.dcm"
    path.write_bytes(builder.part10(nodes, syntax))
    report = anonymize(path, in_place=True)
    assert left_in(path.read_bytes(), ["anna", "lee^"]) == []
    assert report.exit_status == DONE
