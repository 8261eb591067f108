"""Directories: offsets that follow every change of length, and names that follow the files' names."""

from __future__ import annotations

import functools
import io
import shutil
import struct
import tempfile
from collections.abc import Callable, Collection, Mapping
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.fileset import FileInstance, FileSet

from fastanon.container import read_parts
from fastanon.dicom import DicomPart
from fastanon.dicomdir import FileNames, file_ids, is_directory, is_file_id, offset_edits, renamed_file_id
from fastanon.edits import Edit, edited, in_order, with_lengths
from fastanon.errors import MalformedError, PlanError
from fastanon.fields import Field
from fastanon.opened import Opened
from tests import builder
from tests.builder import Item, Leaf, Node, Seq
from tests.corpus import samples

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

FOLDER = Path(pydicom.__path__[0]) / "data" / "test_files" / "dicomdirtests"
#: Cut by hand, lengths and all: it ends within an item.
CUT = "DICOMDIR-nooffset"
FILES = [s for s in samples() if s.path.name.upper().startswith("DICOMDIR") and s.path.name != CUT]
EACH = pytest.mark.parametrize("path", [s.path for s in FILES], ids=[s.name for s in FILES])

FIRST, LAST, RECORDS = 0x00041200, 0x00041202, 0x00041220
NEXT, LOWER, MRDR, FILE_ID, NAME = 0x00041400, 0x00041420, 0x00041504, 0x00041500, 0x00100010
OFFSETS = (FIRST, LAST, NEXT, LOWER, MRDR)


# What pydicom sees


def pydicom_reads(data: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(data), force=True)


def links(data: bytes) -> list[tuple[int | None, ...]]:
    """Give where every offset leads, by the number of the record; one that leads elsewhere is a KeyError."""
    ds = pydicom_reads(data)
    records = ds.get(RECORDS, ()) and ds[RECORDS].value
    number = {record.seq_item_tell: i for i, record in enumerate(records)}
    item = b"\xff\xfe\xe0\0" if ds.file_meta.TransferSyntaxUID == builder.BIG else b"\xfe\xff\0\xe0"
    assert all(data[at : at + 4] == item for at in number)

    def led(where: Dataset, tag: int) -> int | None:
        return number[where[tag].value] if tag in where and where[tag].value else None

    return [(led(ds, FIRST), led(ds, LAST))] + [(led(r, NEXT), led(r, LOWER), led(r, MRDR)) for r in records]


def visited(data: bytes) -> list[int]:
    """Give the numbers of the records from the first one on, each before those below it."""
    (first, _), *records = links(data)
    seen, todo = [], [first]
    while todo:
        at = todo.pop()
        if at is not None:
            seen.append(at)
            todo += records[at][:2]
    return seen


def values(data: bytes) -> dict[tuple[int, ...], object]:
    """Give every value that is no offset and no length, by tags and numbers of items."""
    found: dict[tuple[int, ...], object] = {}

    def read(ds: Dataset, above: tuple[int, ...]) -> None:
        for element in ds:
            key = (*above, int(element.tag))
            if element.VR == "SQ":
                for i, item in enumerate(element.value):
                    read(item, (*key, i))
            elif element.tag not in OFFSETS and element.tag & 0xFFFF:
                found[key] = element.value

    ds = pydicom_reads(data)
    read(ds.file_meta, ())
    read(ds, ())
    return found


# What fastanon plans


def parts_of(data: bytes) -> tuple[DicomPart, ...]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with Opened(file.name) as opened:
            return tuple(part for part in read_parts(opened) if isinstance(part, DicomPart))


def changed(data: bytes, new: Mapping[int, bytes | None]) -> bytes:
    """Replace values by the offsets of their elements, or remove the elements, and let everything follow."""
    parts = parts_of(data)
    fields = fields_at(parts, new)
    edits = []
    for at, value in new.items():
        start, end = fields[at].outer if value is None else fields[at].value
        edits.append(Edit(start, end - start, value or b"", "test"))
    edits = with_lengths(edits, [fields[at] for at in new])
    edits += offset_edits(parts[-1], edits)
    return edited(data, in_order(edits, len(data)))


def fields_at(parts: tuple[DicomPart, ...], wanted: Collection[int]) -> dict[int, Field]:
    """Give the fields of elements and items by the offsets of their headers."""
    found = {}
    for part in parts:
        for row in range(len(part.elements)):
            e = part.elements[row]
            if e.header in wanted:
                box = part.boxes.of(row)
                found[e.header] = Field((), part.space, (e.header, e.outer_end), (e.value, e.end), None, box)
    return found


@functools.cache
def editable(path: Path) -> list[tuple[int, tuple[int, ...]]]:
    """Give the offsets of text elements in both parts, and the key under which `values` has them."""
    found = []
    for part in parts_of(path.read_bytes()):
        number = -1
        for row in range(len(part.elements)):
            element = part.elements[row]
            number += element.tag == 0xFFFEE000
            if element.real_vr in ("PN", "LO", "SH", "CS") and element.tag >> 16 != 4:
                above = (RECORDS, number) if element.depth else ()
                found.append((element.header, (*above, element.tag)))
    return found


# Files of others


def test_there_are_directories_to_read() -> None:
    names = {sample.path.name for sample in FILES}
    assert names > {"DICOMDIR", "DICOMDIR-implicit", "DICOMDIR-bigEnd", "DICOMDIR-reordered"}
    with pytest.raises(MalformedError):
        parts_of((FOLDER / CUT).read_bytes())


@EACH
def test_a_directory_is_known(path: Path) -> None:
    meta, dataset = parts_of(path.read_bytes())
    assert not is_directory(meta.elements)
    assert is_directory(dataset.elements) == (RECORDS in pydicom_reads(path.read_bytes()))


@settings(deadline=None)  # no test depends on time
@given(st.data())
def test_records_are_visited_in_the_same_order(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([s.path for s in FILES]))
    chosen = data.draw(st.lists(st.sampled_from(editable(path)), unique=True, max_size=12))
    letters = st.text("ABC123", max_size=40) | st.none()
    new = {at: data.draw(letters) for at, _ in chosen}
    before = path.read_bytes()
    after = changed(before, {at: None if v is None else v.encode() for at, v in new.items()})
    assert links(after) == links(before)
    assert visited(after) == visited(before)
    expected = values(before)
    for at, key in chosen:
        if new[at] is None:
            del expected[key]
        else:
            expected[key] = new[at]
    assert {k: v or "" for k, v in values(after).items()} == {k: v or "" for k, v in expected.items()}


@EACH
def test_all_values_at_once(path: Path) -> None:
    before = path.read_bytes()
    for word in (b"", b"Q", b"A MUCH LONGER^NAME^THAN^THE^OLD ONE"):
        after = changed(before, {at: word for at, _ in editable(path)})
        assert links(after) == links(before)
        assert len(after) != len(before)


@EACH
def test_nothing_moves_without_growth(path: Path) -> None:
    data = path.read_bytes()
    part = parts_of(data)[-1]
    assert offset_edits(part, []) == []
    edits = [Edit(part.start, 8, data[part.start : part.start + 8], "test")]
    assert offset_edits(part, edits) == []


@EACH
def test_bytes_before_the_dataset_count_too(path: Path) -> None:
    before = path.read_bytes()
    edits = [Edit(0, 0, b"\0" * 6, "test")]
    edits += offset_edits(parts_of(before)[-1], edits)
    after = edited(before, in_order(edits, len(before)))
    # the file is now no DICOM file: read it without those bytes, from which the offsets count
    slots = [e for e in _slots(after[6:]) if e[1]]
    old = [e for e in _slots(before) if e[1]]
    assert [(at, value - 6) for at, value in slots] == old


def _slots(data: bytes) -> list[tuple[int, int]]:
    """Give where every offset stands and what it is, as pydicom reads them."""
    ds = pydicom_reads(data)
    order = ">" if ds.file_meta.TransferSyntaxUID == builder.BIG else "<"
    part = parts_of(data)[-1]
    found = []
    for row in part.elements.rows_of(OFFSETS):
        at = part.elements[row].value
        found.append((at, struct.unpack_from(order + "I", data, at)[0]))
    datasets = [ds, *(ds[RECORDS].value if RECORDS in ds else ())]
    theirs = sorted(each[tag].value for each in datasets for tag in OFFSETS if tag in each)
    assert sorted(value for _, value in found) == theirs
    return found


@EACH
def test_a_broken_offset_is_refused_and_nothing_else(path: Path) -> None:
    data = path.read_bytes()
    order = ">" if pydicom_reads(data).file_meta.TransferSyntaxUID == builder.BIG else "<"
    part = parts_of(data)[-1]
    for at, value in _slots(data):
        for wrong in (value + 2, value + 8, 1, len(data), 0xFFFFFFFF):
            broken = bytearray(data)
            struct.pack_into(order + "I", broken, at, wrong)
            part.data = bytes(broken)
            for edits in ([], [Edit(0, 1, b"longer", "test")]):
                with pytest.raises(PlanError, match="leads to no directory record") as error:
                    offset_edits(part, edits)
                assert error.value.offset == at
                assert error.value.tag in OFFSETS
                assert str(wrong) not in error.value.reason


# Directories that are written here


class Record(NamedTuple):
    """A record of a made directory: the number of the one above it, and what it holds."""

    above: int | None
    name: bytes
    file_id: bytes
    mrdr: int | None
    undefined: bool
    nested: bool


class Shape(NamedTuple):
    """How a directory is written; `places` gives the number of the record at each place of the sequence."""

    syntax: str
    undefined: bool
    lengths: bool
    places: tuple[int, ...]


def directory(records: list[Record], shape: Shape) -> bytes:
    """Write a directory twice: the first time to see where the items stand."""
    head = builder.meta(shape.syntax)
    nodes = _nodes(records, shape, {})
    if shape.syntax != builder.DEFLATED:
        _, placed = builder.build(nodes, shape.syntax, len(head))
        items = [p.header for p in placed if p.tag == builder.ITEM and p.depth == 1]
        nodes = _nodes(records, shape, dict(zip(shape.places, items, strict=True)))
    return builder.part10(nodes, shape.syntax)


def _nodes(records: list[Record], shape: Shape, at: Mapping[int, int]) -> tuple[Node, ...]:
    order = ">" if shape.syntax == builder.BIG else "<"

    def leaf(tag: int, number: int | None) -> Leaf:
        return Leaf(tag, "UL", struct.pack(order + "I", at.get(number, 0) if number is not None else 0))

    def below(above: int | None) -> list[int]:
        return [i for i, record in enumerate(records) if record.above == above and i in shape.places]

    def item(number: int) -> Item:
        record = records[number]
        beside, lower = below(record.above), below(number)
        after = beside[beside.index(number) + 1 :]
        nodes: list[Node] = [builder.GroupLength(0x00040000)] if shape.lengths else []
        nodes += [leaf(NEXT, after[0] if after else None), leaf(LOWER, lower[0] if lower else None)]
        nodes += [Leaf(0x00041430, "CS", b"PRIVATE"), Leaf(FILE_ID, "CS", record.file_id), leaf(MRDR, record.mrdr)]
        if record.nested:
            texts = (Leaf(0x00080100, "SH", record.name), Leaf(0x00080104, "LO", record.name))
            inner = Item(texts, record.undefined)
            nodes.append(Seq(0x00081140, (inner,), not record.undefined))
        nodes.append(Leaf(NAME, "PN", record.name))  # the last: its padding comes to stand before the next item
        return Item(tuple(nodes), record.undefined)

    roots = below(None)
    items = tuple(map(item, shape.places))
    return (
        leaf(FIRST, roots[0] if roots else None),
        leaf(LAST, roots[-1] if roots else None),
        Leaf(0x00041212, "US", b"\0\0"),
        Seq(RECORDS, items, shape.undefined),
    )


@st.composite
def directories(draw: st.DrawFn) -> tuple[list[Record], Shape]:
    count = draw(st.integers(0, 6))
    everyone = st.none() | st.integers(0, count - 1) if count else st.none()
    text = st.text("AB^ ", max_size=9).map(str.encode)
    records = [
        Record(
            draw(st.none() | st.integers(0, i - 1)) if i else None, draw(text), draw(text), draw(everyone),
            draw(st.booleans()), draw(st.booleans()),
        )
        for i in range(count)
    ]  # fmt: skip
    syntax = draw(st.sampled_from([builder.EXPLICIT, builder.IMPLICIT, builder.BIG]))
    places = tuple(draw(st.permutations(range(count))))
    return records, Shape(syntax, draw(st.booleans()), draw(st.booleans()), places)


@given(directories(), st.lists(st.text("CD^", max_size=70).map(str.encode), min_size=12, max_size=12))
def test_the_result_is_the_directory_written_anew(made: tuple[list[Record], Shape], new: list[bytes]) -> None:
    records, shape = made
    before = directory(records, shape)
    renamed = [r._replace(name=new[2 * i], file_id=new[2 * i + 1]) for i, r in enumerate(records)]
    elements = parts_of(before)[-1].elements
    wanted = {}
    owner = -1
    for row in range(len(elements)):
        element = elements[row]
        owner += element.tag == builder.ITEM and element.depth == 1
        if element.tag in (NAME, 0x00080100, 0x00080104):
            wanted[element.header] = renamed[shape.places[owner]].name
        elif element.tag == FILE_ID:
            wanted[element.header] = renamed[shape.places[owner]].file_id
    after = changed(before, wanted)
    assert after == directory(renamed, shape)
    assert links(after) == links(before)


def plain(above: int | None, mrdr: int | None = None) -> Record:
    return Record(above, b"A^B", b"DIR\\FILE", mrdr, False, True)


@pytest.mark.parametrize("syntax", [builder.EXPLICIT, builder.IMPLICIT, builder.BIG])
@pytest.mark.parametrize("undefined", [False, True])
def test_a_record_that_nobody_refers_to_can_go(syntax: str, undefined: bool) -> None:
    # its own offsets go with it: record 3 leads to record 1
    records = [plain(None), plain(0), plain(0), plain(99, 1)]
    for places in permutations(range(4)):
        shape = Shape(syntax, undefined, False, places)
        before = directory(records, shape)
        item = _items(before)[places.index(3)]
        without = shape._replace(places=tuple(p for p in places if p != 3))
        assert changed(before, {item: None}) == directory(records, without)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_record_that_is_referred_to_can_not_go(number: int) -> None:
    records = [plain(None), plain(0), plain(0)]
    before = directory(records, Shape(builder.EXPLICIT, False, False, (0, 1, 2)))
    with pytest.raises(PlanError, match="that is removed") as error:
        changed(before, {_items(before)[number]: None})
    assert error.value.tag in OFFSETS


def test_the_whole_sequence_can_not_go() -> None:
    before = directory([plain(None)], Shape(builder.EXPLICIT, False, False, (0,)))
    with pytest.raises(PlanError, match="that is removed") as error:
        changed(before, {_items(before)[0] - 12: None})
    assert error.value.tag == FIRST


@pytest.mark.parametrize("order", [1, -1])
def test_edits_may_come_in_any_order(order: int) -> None:
    """What is inserted behind a record that goes does not hide that it goes."""
    before = directory([plain(None), plain(None)], Shape(builder.EXPLICIT, False, False, (0, 1)))
    first, second = _items(before)
    edits = [Edit(first, second - first, b"", "test"), Edit(second, 0, b"more", "test")]
    with pytest.raises(PlanError, match="that is removed"):
        offset_edits(parts_of(before)[-1], edits[::order])


def test_an_edit_of_half_an_offset_is_not_passed_over() -> None:
    before = directory([plain(None)], Shape(builder.EXPLICIT, False, False, (0,)))
    part = parts_of(before)[-1]
    slot = part.elements[part.elements.rows_of((FIRST,))[0]].value
    edits = [Edit(0, 0, b"more", "test"), Edit(slot, 2, b"\0\0", "test")]
    with pytest.raises(PlanError, match="overlap"):
        in_order(edits + offset_edits(part, edits), len(before))


def _items(data: bytes) -> list[int]:
    return [record.seq_item_tell for record in pydicom_reads(data)[RECORDS].value]


def test_an_offset_must_fit_32_bits() -> None:
    class Long(bytes):
        """Nobody wants to hold 4 GiB for a test."""

        def __len__(self) -> int:
            return 1 << 32

    part = parts_of(directory([plain(None)], Shape(builder.EXPLICIT, False, False, (0,))))[-1]
    with pytest.raises(PlanError, match="32 bits"):
        offset_edits(part, [Edit(0, 0, Long(), "test")])


@pytest.mark.parametrize("value", [b"\1\0", b"\1\0\0\0\1\0\0\0"])
def test_an_offset_of_another_size_is_refused(value: bytes) -> None:
    part = parts_of(builder.part10((Leaf(FIRST, "UL", value), Seq(RECORDS, ()))))[-1]
    with pytest.raises(PlanError, match="no number of 32 bits") as error:
        offset_edits(part, [])
    assert error.value.tag == FIRST


def test_an_offset_that_is_empty_or_zero_stays_so() -> None:
    nodes = (Leaf(FIRST, "UL", b""), Leaf(LAST, "UL", bytes(4)), Seq(RECORDS, ()))
    assert offset_edits(parts_of(builder.part10(nodes))[-1], [Edit(0, 0, b"longer", "test")]) == []


def test_only_records_are_led_to() -> None:
    """An item of another sequence is none."""
    data = directory([plain(None)], Shape(builder.EXPLICIT, False, False, (0,)))
    _, dataset = parts_of(data)
    rows = dataset.elements.rows_of((builder.ITEM,))
    inner = next(dataset.elements[row] for row in rows if dataset.elements[row].depth == 2)
    slot = dataset.elements[dataset.elements.rows_of((FIRST,))[0]].value
    broken = data[:slot] + struct.pack("<I", inner.header) + data[slot + 4 :]
    with pytest.raises(PlanError, match="leads to no directory record"):
        offset_edits(parts_of(broken)[-1], [])


def test_a_deflated_directory_is_refused() -> None:
    data = directory([plain(None)], Shape(builder.DEFLATED, False, False, (0,)))
    with pytest.raises(PlanError, match="deflated"):
        offset_edits(parts_of(data)[-1], [])


# Names of files


@EACH
def test_file_ids_are_those_that_pydicom_reads(path: Path) -> None:
    data = path.read_bytes()
    part = parts_of(data)[-1]
    records = pydicom_reads(data).get("DirectoryRecordSequence") or ()
    theirs = [tuple(record.ReferencedFileID) for record in records if "ReferencedFileID" in record]
    assert [components for _, components in file_ids(part)] == theirs
    assert all(part.elements.tags[row] == FILE_ID for row, _ in file_ids(part))


def test_file_ids_are_stripped_and_empty_ones_left_out() -> None:
    spelled = (b"A\\B ", b"", b"  ", b"ONE", b" X \\Y\0", "GRÖßE\\1".encode(), "GRÖßE\\12".encode("latin-1"))
    items = tuple(Item((Leaf(FILE_ID, "CS", value),)) for value in spelled)
    part = parts_of(builder.part10((Seq(RECORDS, items),)))[-1]
    found = [components for _, components in file_ids(part)]
    assert found == [("A", "B"), ("ONE",), ("X", "Y"), ("GRÖßE", "1"), ("GRÖßE", "12")]


NAMES = {
    "PT/IM1": "ANON/IM1", "PT/IM2": "PT/IM2", "PT/IM3": "A name of any length/x.dcm", "pt2/im1.;1": "P/Q",
    "PT3;1/IM1": "P/R", "pt4/IM1": "P/S", "PT4/im1": "P/T", "PT5/IM1": "UP", "pt5/im1": "DOWN",
    "pt6/im1": "pt6/im1",
}  # fmt: skip


@pytest.mark.parametrize("names", [NAMES, FileNames(NAMES)], ids=["dict", "FileNames"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("PT/IM1", "ANON/IM1"),
        ("PT/IM2", "PT/IM2"),  # keeps its name
        ("PT/IM3", "A name of any length/x.dcm"),  # no File ID, and followed
        ("PT2/IM1", "P/Q"),  # lower case and a version
        ("PT3/IM1", "P/R"),  # a version in the middle
        ("PT4/IM1", None),  # one of two
        ("PT5/IM1", "UP"),  # exact before alike
        ("pt5/im1", "DOWN"),
        ("PT6/IM1", "PT6/IM1"),  # keeps its name, and its File ID stays valid
        ("PT/IM", None),
        ("IM1", None),
        ("", None),
    ],
)
def test_a_file_id_follows_its_file(names: Mapping[str, str], old: str, new: str | None) -> None:
    wanted = None if new is None else tuple(new.split("/"))
    assert renamed_file_id(tuple(old.split("/")), names) == wanted


@pytest.mark.parametrize(
    ("components", "valid"),
    [
        (("PT000000", "IM_1"), True), (("1",) * 8, True), (("1",) * 9, False), ((), False), (("",), False),
        (("A" * 9,), False), (("im1",), False), (("IM1.DCM",), False), (("A B",), False), (("Ä",), False),
        (("IM1\n",), False), (("٣",), False),
    ],
)  # fmt: skip
def test_what_a_file_id_may_be(components: tuple[str, ...], valid: bool) -> None:
    assert is_file_id(components) == valid


def instances(path: Path) -> list[FileInstance]:
    """Give the files of a file-set, in pydicom's order."""
    fileset = FileSet(path)
    fileset._stage["t"].cleanup()  # there is no other way to close one, and left open it warns
    return list(fileset)


def _lower(name: str) -> str:
    return name.lower()


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-implicit", "DICOMDIR-bigEnd", "TINY_ALPHA/DICOMDIR"])
@pytest.mark.parametrize("medium", [str, _lower, lambda name: f"{name}.;1"], ids=["same", "lower case", "version"])
def test_pydicom_finds_every_renamed_file(name: str, medium: Callable[[str], str], tmp_path: Path) -> None:
    source = FOLDER / name
    before = instances(source)
    new: dict[str, str] = {}
    for i, instance in enumerate(before):
        old = Path(instance.path).relative_to(source.parent)
        new[medium(old.as_posix())] = f"patient{i % 3}/{'x' * (i % 11)}{i}"
        target = tmp_path / new[medium(old.as_posix())]
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(instance.path, target)
    assert len(new) > 30
    data = source.read_bytes()
    part = parts_of(data)[-1]
    named = {row: renamed_file_id(components, FileNames(new)) for row, components in file_ids(part)}
    values = {part.elements[row].header: "\\".join(found or ()).encode() for row, found in named.items()}
    (tmp_path / "DICOMDIR").write_bytes(changed(data, values))
    after = instances(tmp_path / "DICOMDIR")
    assert [i.SOPInstanceUID for i in after] == [i.SOPInstanceUID for i in before]
    assert [Path(i.path).relative_to(tmp_path).as_posix() for i in after] == list(new.values())
    assert [i.load().SOPInstanceUID for i in after] == [i.SOPInstanceUID for i in before]
