"""Edits and the lengths they change: an edited file equals one that was written anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastanon.container import read_parts
from fastanon.edits import Edit, edited, in_order, pieces, with_lengths
from fastanon.errors import PlanError
from fastanon.fields import Field
from fastanon.opened import Opened
from tests.builder import EXPLICIT, GroupLength, Item, Leaf, Nodes, Seq, build, meta, part10, preorder, replaced
from tests.strategies import datasets, syntaxes

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def edits_of(path: Path, values: dict[int, bytes]) -> tuple[Edit, ...]:
    """Replace values by row of the dataset, and all lengths with them."""
    with Opened(path) as opened:
        part = read_parts(opened)[1]
        fields = [part.element_field(row) for row in values]
        edits = [
            Edit(f.value[0], f.value[1] - f.value[0], value, "test")
            for f, value in zip(fields, values.values(), strict=True)
        ]
        return in_order(with_lengths(edits, fields), opened.size)


def rows_with_text(nodes: Nodes) -> list[int]:
    """Give the rows of names and long strings of even tags, in preorder."""
    return [
        i
        for i, node in enumerate(preorder(nodes))
        if isinstance(node, Leaf) and node.vr in ("PN", "LO", "LT", "UT") and not node.tag >> 16 & 1
    ]


@st.composite
def changes(draw: st.DrawFn) -> tuple[Nodes, dict[int, bytes]]:
    nodes = draw(datasets(depth=3).filter(len))
    rows = rows_with_text(nodes)
    chosen = draw(st.sets(st.sampled_from(rows), max_size=6)) if rows else set()
    return nodes, {row: draw(st.binary(max_size=40)) for row in sorted(chosen)}


@MANY
@given(change=changes(), syntax=syntaxes)
def test_an_edited_file_equals_one_written_anew(
    tmp_path_factory: pytest.TempPathFactory, change: tuple[Nodes, dict[int, bytes]], syntax: str
) -> None:
    nodes, values = change
    path = tmp_path_factory.getbasetemp() / "edited.dcm"
    before = part10(nodes, syntax)
    path.write_bytes(before)
    assert edited(before, edits_of(path, values)) == part10(replaced(nodes, values), syntax)


@settings(MANY, max_examples=60)
@given(change=changes(), syntax=syntaxes)
def test_no_byte_outside_the_edits_differs(
    tmp_path_factory: pytest.TempPathFactory, change: tuple[Nodes, dict[int, bytes]], syntax: str
) -> None:
    nodes, values = change
    path = tmp_path_factory.getbasetemp() / "edited.dcm"
    before = part10(nodes, syntax)
    path.write_bytes(before)
    assert_same_outside(before, edits_of(path, values))


def assert_same_outside(before: bytes, edits: tuple[Edit, ...]) -> None:
    """Walk old and new bytes side by side; what no edit covers must be the same."""
    after, old_at, new_at = edited(before, edits), 0, 0
    for edit in edits:
        same = edit.offset - old_at
        assert after[new_at : new_at + same] == before[old_at : edit.offset]
        assert after[new_at + same : new_at + same + len(edit.new)] == edit.new
        old_at, new_at = edit.end, new_at + same + len(edit.new)
    assert after[new_at:] == before[old_at:]


@given(data=st.binary(max_size=60), cuts=st.lists(st.integers(0, 60), max_size=8), new=st.binary(max_size=5))
def test_edited_against_slices(data: bytes, cuts: list[int], new: bytes) -> None:
    """The oracle replaces from the end, so that no offset moves."""
    bounds = sorted(min(cut, len(data)) for cut in cuts)
    edits = [
        Edit(a, b - a, new, "test", i) for i, (a, b) in enumerate(zip(bounds[::2], bounds[1::2], strict=False))
    ]
    expected = data
    for edit in reversed(in_order(edits, len(data))):
        expected = expected[: edit.offset] + edit.new + expected[edit.end :]
    assert edited(data, in_order(edits, len(data))) == expected
    ranges = [p for p in pieces(in_order(edits, len(data)), 0, len(data)) if isinstance(p, tuple)]
    assert sum(b - a for a, b in ranges) == len(data) - sum(edit.old for edit in edits)


@given(
    first=st.tuples(st.integers(0, 20), st.integers(1, 10)),
    second=st.tuples(st.integers(0, 20), st.integers(0, 10)),
)
def test_in_order_refuses_edits_that_share_a_byte(first: tuple[int, int], second: tuple[int, int]) -> None:
    (a, n), (b, m) = first, second
    edits = [Edit(a, n, b"", "first"), Edit(b, m, b"new", "second")]
    shares = a < b < a + n if m == 0 else a < b + m and b < a + n
    if shares:
        with pytest.raises(PlanError, match="overlap"):
            in_order(edits, 100)
    else:
        assert sorted(in_order(edits, 100), key=lambda e: e.rule) == edits


@pytest.mark.parametrize(("offset", "old"), [(-1, 1), (9, 2), (11, 0)])
def test_in_order_refuses_what_lies_outside(offset: int, old: int) -> None:
    with pytest.raises(PlanError):
        in_order([Edit(offset, old, b"", "outside")], 10)


def test_insertions_at_one_offset_keep_their_order() -> None:
    edits = [Edit(3, 2, b"3", "replace"), Edit(3, 0, b"2", "insert", 2), Edit(3, 0, b"1", "insert", 1)]
    assert edited(b"abcdefg", in_order(edits, 7)) == b"abc123fg"


@pytest.mark.parametrize(("size", "fits"), [(65533, True), (65534, True), (65535, False), (65536, False)])
def test_sixteen_bits_of_length(tmp_path: Path, size: int, fits: bool) -> None:
    nodes: Nodes = (Seq(0x00081140, (Item((Leaf(0x00081030, "LO", b"ab"),)),)),)
    path = tmp_path / "long.dcm"
    path.write_bytes(part10(nodes))
    value = {2: b"x" * size}
    if fits:
        assert edited(path.read_bytes(), edits_of(path, value)) == part10(replaced(nodes, value))
    else:
        with pytest.raises(PlanError, match="does not fit"):
            edits_of(path, value)


def test_thirty_two_bits_of_length_hold_what_sixteen_do_not(tmp_path: Path) -> None:
    nodes: Nodes = (Leaf(0x0040A160, "UT", b"ab"),)
    path = tmp_path / "long.dcm"
    path.write_bytes(part10(nodes))
    value = {0: b"x" * 70_001}
    assert edited(path.read_bytes(), edits_of(path, value)) == part10(replaced(nodes, value))


def test_padding_stands_behind_what_fills_an_empty_value(tmp_path: Path) -> None:
    nodes: Nodes = (Seq(0x00081140, (Item((Leaf(0x00100010, "PN", b""),)),)),)
    path = tmp_path / "empty.dcm"
    path.write_bytes(part10(nodes))
    assert edited(path.read_bytes(), edits_of(path, {2: b"abc"})) == part10(replaced(nodes, {2: b"abc"}))


def test_a_length_that_changes_outside_every_field_is_refused() -> None:
    with pytest.raises(PlanError, match="outside every field"):
        with_lengths([Edit(10, 2, b"abc", "stray")], [])


def test_removal_takes_the_element_and_corrects_all_around_it(tmp_path: Path) -> None:
    name, rest = Leaf(0x00100010, "PN", b"A^B"), Leaf(0x00100020, "LO", b"ab")
    nodes: Nodes = (Seq(0x00081140, (Item((GroupLength(0x00100000), name, rest)),)),)
    path = tmp_path / "removed.dcm"
    path.write_bytes(part10(nodes))
    with Opened(path) as opened:
        f = read_parts(opened)[1].element_field(3)
        edits = with_lengths([removal(f)], [f])
        after = edited(path.read_bytes(), in_order(edits, opened.size))
    assert after == part10((Seq(0x00081140, (Item((GroupLength(0x00100000), rest)),)),))


def removal(f: Field) -> Edit:
    return Edit(f.outer[0], f.outer[1] - f.outer[0], b"", "remove")


def test_length_to_end_counts_what_is_behind_it(tmp_path: Path) -> None:
    nodes: Nodes = (GroupLength(0x00080000), GroupLength(0x00080001), Leaf(0x00080090, "PN", b"A^B"))
    nodes += (Leaf(0x00100010, "PN", b"C^D"),)
    path = tmp_path / "end.dcm"
    path.write_bytes(part10(nodes))
    values = {2: b"longer^name", 3: b"x"}
    assert edited(path.read_bytes(), edits_of(path, values)) == part10(replaced(nodes, values))


def test_the_box_of_a_part_without_meta(tmp_path: Path) -> None:
    nodes: Nodes = (Leaf(0x00080005, "CS", b"ISO_IR 100"), Leaf(0x00100010, "PN", b"A^B"))
    path = tmp_path / "bare.dcm"
    path.write_bytes(build(nodes)[0])
    with Opened(path) as opened:
        part = read_parts(opened)[0]
        f = part.element_field(1)
        edits = with_lengths([Edit(f.value[0], 4, b"longer", "test")], [f])
        after = edited(path.read_bytes(), in_order(edits, opened.size))
        del part
    assert after == build(replaced(nodes, {1: b"longer"}))[0]
    assert len(meta(EXPLICIT)) > 132
