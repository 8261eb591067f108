"""An image of thousands of frames, of which a few are odd: what holds for all others does not for them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

import fastanon
from tests.builder import Item, Leaf, Node, Nodes, Seq, part10

FRAMES = 20_000
NAME, ID, DAY = "QUILLFEATHER^ZELMA", "MRN-7700431", "20170327"
_FRAMES, _IMAGES, _PATIENTS, _FLOW = 0x52009230, 0x00081140, 0x00081120, 0x00340001
_THICKNESS, _TIME, _COMMENTS, _OPERATOR = 0x00180050, 0x00189074, 0x00209158, 0x00081070
_CREATOR, _TEXT = 0x00210010, 0x00211011
KEPT, OTHER = b"SIEMENS MR SDI 02", b"MAKER OF TESTS"

FIRST_NAME, LAST, RUSSIAN, DUMMY, GONE, INNER, NO_DAY, COPY = (
    12_345,
    19_999,
    4_321,
    9_998,
    10_000,
    10_001,
    15_000,
    17_000,
)


def thickness(value: str) -> Leaf:
    return Leaf(_THICKNESS, "DS", value.encode())


def seq(tag: int, *nodes: Node) -> Seq:
    """Give a sequence of one item, its length or that of the item undefined."""
    undefined = bool(tag & 1)
    return Seq(tag, (Item(nodes, not undefined),), undefined)


#: What the odd frames hold in place of the same elements of others.
ODD: dict[int, tuple[Node, ...]] = {
    FIRST_NAME: (Leaf(_COMMENTS, "LT", b"zelma, before lunch"),),
    LAST: (Leaf(_COMMENTS, "LT", f"{NAME} {ID}".encode()),),
    RUSSIAN: (
        Leaf(0x00080005, "CS", b"ISO_IR 144"),
        Leaf(_OPERATOR, "PN", "Петров^Глеб".encode("iso8859-5")),
        Leaf(_COMMENTS, "LT", "для Петров".encode("iso8859-5")),
    ),
    DUMMY: (seq(_FLOW, thickness("9.5"), Leaf(_TIME, "DT", b"20170327111111")),),
    GONE: (seq(_PATIENTS, thickness("8.5"), seq(_FLOW, thickness("8.25")), Leaf(_COMMENTS, "LT", b"elsewhere")),),
    INNER: (seq(_IMAGES, thickness("7.5"), seq(_FLOW, thickness("7.25"), seq(_PATIENTS, thickness("7.125")))),),
    NO_DAY: (Leaf(_TIME, "DT", b"00000000"),),
    COPY: (Leaf(_COMMENTS, "LT", b"again on 2017-03-29"),),  # the day of ordinary frames alone
}


def blocks(number: int) -> Nodes:
    """Give every tenth frame a private block: of a creator that is kept, now and then behind another."""
    if number % 10:
        return ()
    if number % 20:
        return (Leaf(_CREATOR, "LO", KEPT), Leaf(_TEXT, "LO", b"kept"))
    return (
        Leaf(_CREATOR, "LO", OTHER),
        Leaf(_CREATOR + 1, "LO", KEPT),
        Leaf(_TEXT, "LO", b"not kept"),
        Leaf(_TEXT + 0x100, "LO", b"kept"),
    )


def taken(number: int) -> str:
    """Say when a frame was taken."""
    return f"201703{27 + number % 3}1700{number % 60:02}.123"


def frame(number: int) -> Item:
    nodes: tuple[Node, ...] = (
        thickness(str(number)),
        Leaf(_TIME, "DT", taken(number).encode()),
        Leaf(_COMMENTS, "LT", b"none"),
    )
    found = {node.tag: node for node in (*nodes, *blocks(number), *ODD.get(number, ()))}
    return Item(tuple(found[tag] for tag in sorted(found)), number % 3 == 0)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("frames") / "image.dcm"
    path.write_bytes(part10((
        Leaf(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.4.1"),
        Leaf(0x00080020, "DA", DAY.encode()),
        Leaf(0x00100010, "PN", NAME.encode()),
        Leaf(0x00100020, "LO", ID.encode()),
        Seq(_FRAMES, tuple(map(frame, range(FRAMES)))),
        Leaf(0x7FE00010, "OW", bytes(64)),
    )))  # fmt: skip
    return path


@pytest.fixture(scope="module")
def pair(image: Path) -> tuple[list[Dataset], bytes]:
    """Give the frames of a copy as pydicom reads them, and its bytes."""
    fastanon.anonymize(image, to=image.parent / "out").raise_for_leaks()
    (path,) = (image.parent / "out").iterdir()
    return list(pydicom.dcmread(path)[_FRAMES].value), path.read_bytes()


def test_ordinary_frames_keep_all_but_their_days(pair: tuple[list[Dataset], bytes]) -> None:
    shifts = set()
    for number, ds in enumerate(pair[0]):
        if number not in ODD:
            old, new = taken(number), ds[_TIME].value
            assert (ds[_THICKNESS].value, ds[_COMMENTS].value, new[8:]) == (number, "none", old[8:])
            shifts.add(day_of(old) - day_of(new))
    (shift,) = shifts
    assert shift > datetime.timedelta()
    assert pair[0][COPY][_COMMENTS].value == f"again on {day_of('20170329') - shift}"


def day_of(value: str) -> datetime.date:
    return datetime.datetime.strptime(value[:8], "%Y%m%d").date()


def test_names_in_single_frames_are_gone(pair: tuple[list[Dataset], bytes]) -> None:
    frames, data = pair
    for word in ("quillfeather", "zelma", "7700431"):
        assert word.encode() not in data.lower()
    for codec in ("utf-8", "iso8859-5"):
        assert "Петров".encode(codec) not in data
        assert "Глеб".encode(codec) not in data
    assert frames[FIRST_NAME][_COMMENTS].value.endswith(", before lunch")
    assert frames[RUSSIAN][_COMMENTS].value.startswith("для ")
    assert len(frames[LAST][_COMMENTS].value) <= len(f"{NAME} {ID}")


def test_sequences_that_go_and_that_get_dummies(pair: tuple[list[Dataset], bytes]) -> None:
    frames, data = pair
    assert _PATIENTS not in frames[GONE]
    assert frames[DUMMY][_FLOW][0][_THICKNESS].value == 0
    assert frames[DUMMY][_FLOW][0][_TIME].value[:8] != DAY
    record = frames[INNER][_IMAGES][0]
    assert record[_THICKNESS].value == 7.5
    assert record[_FLOW][0][_THICKNESS].value == 0
    assert _PATIENTS not in record[_FLOW][0]
    for number in (DUMMY, GONE, INNER):  # and what stands beside them stays
        assert frames[number][_THICKNESS].value == number
    assert frames[NO_DAY][_TIME].value == "00000000"
    assert b"elsewhere" not in data


def test_private_blocks_are_those_of_their_creator(pair: tuple[list[Dataset], bytes]) -> None:
    for number, ds in enumerate(pair[0]):
        private = {element.tag: str(element.value) for element in ds if element.tag.is_private}
        block = 0 if number % 20 else 1
        kept = {_CREATOR + block: KEPT.decode(), _TEXT + 0x100 * block: "kept"}
        assert private == (kept if number % 10 == 0 else {})


def test_odd_frames_are_told_by_their_place(image: Path) -> None:
    data, (planned,), (found,) = image.read_bytes(), fastanon.plan(image), fastanon.inspect(image)
    assert isinstance(planned, fastanon.Plan)
    for places in (planned.places, found.copies):
        assert {data.index(b"zelma, before"), data.rindex(NAME.encode())} <= {place.offset for place in places}
