"""The same dataset in every encoding: what the profile does may not depend on how a value is written (PS3.5)."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import data_element_generator
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

import fastanon
from tests import builder
from tests.builder import BIG, DEFLATED, EXPLICIT, IMPLICIT, GroupLength, Item, Leaf, Seq
from tests.profiles import study
from tests.profiles.values import BIRTH, CANARIES, FIRST, LAST, NUMBER

SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
OPTIONS = ["clean-descriptors", "retain-modified-dates", "retain-patient-characteristics"]


def full() -> Dataset:
    """Make a dataset with an attribute for each action, and the same in items."""
    inner = study.item(
        SeriesDescription=f"fog {LAST} rain", SeriesDate="20200229", PatientAge="093Y", PatientWeight="72.5",
        SeriesInstanceUID="1.3.12.2.1107.5.1.2.3", OperatorsName=f"{FIRST}^{LAST}", InstitutionName="St Bede",
        ReferencedImageSequence=[study.item(ReferencedSOPInstanceUID=study.INSTANCE)], PregnancyStatus=4,
        PatientComments=f"call Mr {LAST}", AccessionNumber="AQ-99123-7", DeviceSerialNumber="51008",
    )  # fmt: skip
    inner.add_new(0x00090010, "LO", "ACME 1.1")
    inner.add_new(0x00091001, "UN", LAST.encode())
    ds = study.patient()
    ds.update(inner)
    setattr(ds, study.HOLDER, study.holding(inner, inner))
    return ds


def flat(ds: Dataset, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Give path and value of every element."""
    for element in ds:
        if element.VR == "SQ":
            yield f"{prefix}{element.tag}", f"{len(element.value)} items"
            for n, item in enumerate(element.value):
                yield from flat(item, f"{prefix}{element.tag}[{n}]")
        else:
            yield f"{prefix}{element.tag}", str(element.value)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
@pytest.mark.parametrize("undefined", [False, True], ids=["lengths", "undefined"])
@pytest.mark.parametrize("profile", ["basic", "petmr"])
def test_every_encoding_gives_the_same_dataset(syntax: str, undefined: bool, profile: str, tmp_path: Path) -> None:
    options = OPTIONS if profile == "basic" else []
    wanted = study.of(full(), tmp_path / "wanted", options, profile)
    ds = full()
    for place in study.places(ds):
        place.is_undefined_length_sequence_item = undefined
        for element in place:
            element.is_undefined_length = undefined and element.VR == "SQ"
    new = study.cleaned(study.write(tmp_path / "a.dcm", ds, syntax), options, profile)
    assert new.file_meta.TransferSyntaxUID == syntax
    assert list(flat(new)) == list(flat(wanted))
    assert not any(c.lower() in str(new).lower() for c in CANARIES)
    assert len(study.places(new)) == 5


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
@pytest.mark.parametrize("profile", ["basic", "petmr"])
def test_in_place_gives_what_a_copy_is(syntax: str, profile: str, tmp_path: Path) -> None:
    path = study.write(tmp_path / "a.dcm", full(), syntax)
    options = OPTIONS if profile == "basic" else []
    _, copy = study.run(path, options, profile)
    report = fastanon.anonymize(path, in_place=True, profile=profile, options=options, key=study.KEY)
    assert [(f.status, f.leaks) for f in report.files] == [("anonymized", 0)]
    assert path.read_bytes() == copy.read_bytes()


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_a_dataset_without_meta_information(syntax: str, tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(builder.build((*leaves()[:3], *WHO[2:]), syntax)[0])
    result, target = study.run(path)
    assert result.status == "anonymized", result.messages
    data = target.read_bytes()
    assert not any(c.encode() in data for c in CANARIES)
    assert b"words" not in data
    assert b"113100" in data


def on_disk(data: bytes, syntax: str) -> list[RawDataElement]:
    """Give the elements of the top level as they follow one another."""
    stream = io.BytesIO(data)
    stream.seek(144 + struct.unpack_from("<I", data, 140)[0])
    return list(data_element_generator(stream, syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian))


@pytest.mark.parametrize("syntax", SYNTAXES[:3], ids=lambda uid: uid.name)
@pytest.mark.parametrize("profile", ["basic", "petmr"])
def test_tags_stay_in_order_and_lengths_even(syntax: str, profile: str, tmp_path: Path) -> None:
    _, target = study.run(study.write(tmp_path / "a.dcm", full(), syntax), profile=profile)
    found = on_disk(target.read_bytes(), syntax)
    tags = [element.tag for element in found]
    assert tags == sorted(set(tags))
    assert 0x00120063 in tags
    assert all(len(element.value or b"") % 2 == 0 for element in found if isinstance(element, RawDataElement))


def leaves(vr: str = "") -> tuple[Leaf, ...]:
    """Make elements of which each has an action; as another VR, if it is given."""
    said = [
        (0x00080020, "DA", b"20170327"), (0x00080050, "SH", b"AQ-99123-7"), (0x0008103E, "LO", b"words"),
        (0x00081070, "PN", f"{LAST}^{FIRST}".encode()), (0x0020000D, "UI", b"1.3.12.2.1107.5.1.2.3"),
    ]  # fmt: skip
    return tuple(Leaf(tag, vr or own, value) for tag, own, value in said)


WHO = (
    Leaf(0x00080016, "UI", study.CLASS.encode()), Leaf(0x00080018, "UI", b"1.2.3.4"),
    Leaf(0x00100010, "PN", f"{LAST}^{FIRST}".encode()), Leaf(0x00100020, "LO", NUMBER.encode()),
    Leaf(0x00100030, "DA", BIRTH.encode()),
)  # fmt: skip


def run_built(nodes: builder.Nodes, tmp_path: Path, syntax: str = EXPLICIT) -> tuple[Dataset, bytes]:
    path = tmp_path / "a.dcm"
    path.write_bytes(builder.part10(nodes, syntax))
    result, target = study.run(path)
    assert result.status == "anonymized", result.messages
    new = study.read(target)
    list(new.iterall())
    return new, target.read_bytes()


@pytest.mark.parametrize("undefined", [False, True])
def test_a_known_tag_of_unknown_vr_is_treated_as_what_it_is(undefined: bool, tmp_path: Path) -> None:
    tags = {leaf.tag: leaf for leaf in (*WHO, *leaves("UN"))}
    who = [Leaf(leaf.tag, "UN", leaf.value) if leaf.tag >> 16 == 0x10 else leaf for leaf in tags.values()]
    holder = Seq(0x00540016, (Item(leaves()),), undefined=undefined, vr="UN")
    nodes = (*sorted(who, key=lambda leaf: leaf.tag), holder)
    new, data = run_built(nodes, tmp_path)
    assert not any(c.encode() in data for c in CANARIES)
    assert "SeriesDescription" not in new
    assert new.AccessionNumber == ""
    assert new.StudyInstanceUID not in ("", "1.3.12.2.1107.5.1.2.3")
    inner = new[0x00540016].value[0]
    assert "SeriesDescription" not in inner
    assert inner.StudyInstanceUID == new.StudyInstanceUID
    assert b"words" not in data


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG, DEFLATED])
def test_group_lengths_are_right_or_gone(syntax: str, tmp_path: Path) -> None:
    lengths = [GroupLength(group << 16) for group in (0x0008, 0x0010, 0x0020, 0x0028)]
    body = [*WHO, *leaves(), *lengths, Leaf(0x00280010, "US", b"\1\1")]
    nodes = tuple(sorted(body, key=lambda node: node.tag))
    new, _ = run_built(nodes, tmp_path, syntax)
    for group in (0x0008, 0x0010, 0x0020, 0x0028):
        if group << 16 in new:
            own = Dataset()
            own.update({e.tag: e for e in new if e.tag.group == group and e.tag.element})
            order = BIG if syntax == BIG else IMPLICIT if syntax == IMPLICIT else EXPLICIT
            copied = tuple(
                Seq(e.tag, ()) if e.VR == "SQ" else Leaf(e.tag, e.VR, bytes(length_of(new, e.tag))) for e in own
            )
            assert new[group << 16].value == len(builder.build(copied, order)[0]), hex(group)


def length_of(ds: Dataset, tag: int) -> int:
    """Give the length of a value on disk."""
    element = ds[tag]
    if element.VR in ("US", "UL"):
        return struct.calcsize({"US": "H", "UL": "I"}[element.VR])
    text = "\\".join(map(str, element.value)) if element.VM > 1 else str(element.value or "")
    return len(text) + len(text) % 2


def test_every_occurrence_of_a_tag_counts(tmp_path: Path) -> None:
    late = (Leaf(0x00100010, "PN", f"{LAST}^{FIRST}".encode()), Leaf(0x0008103E, "LO", b"words"))
    pixels = Leaf(0x7FE00010, "OW", bytes(64))
    path = tmp_path / "a.dcm"
    path.write_bytes(builder.part10((*WHO, *leaves()[2:3], pixels, *late)))
    result, target = study.run(path)
    if result.status != "refused":
        data = target.read_bytes()
        assert not any(c.encode() in data for c in CANARIES)
        assert b"words" not in data
