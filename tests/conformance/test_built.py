"""The walk on files made by `tests.builder`: every row is where it was put, and where pydicom finds it."""

from __future__ import annotations

import functools
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastanon import walk as w
from fastanon.container import read_parts
from fastanon.elements import Elements, read_elements
from fastanon.errors import FileError
from fastanon.opened import Opened
from tests.builder import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    Fragments,
    GroupLength,
    Item,
    Leaf,
    Nodes,
    Placed,
    Seq,
    build,
    meta,
    part10,
    without_un,
)
from tests.conformance import reference
from tests.strategies import datasets, syntaxes, with_fragments

MODES = {EXPLICIT: 0, JPEG: 0, DEFLATED: 0, IMPLICIT: w.IMPLICIT, BIG: w.BIG}
WALKS = [pytest.param(False, id="plain"), pytest.param(True, id="compiled")]


def placed(elements: Elements) -> list[Placed]:
    rows = [elements[i] for i in range(len(elements))]
    return [Placed(e.tag, e.header, e.value, e.length, e.depth, bool(e.flags & w.UNDEFINED)) for e in rows]


@pytest.mark.parametrize("compiled", WALKS)
@settings(max_examples=150, deadline=None)
@given(nodes=datasets(), syntax=syntaxes, base=st.sampled_from([0, 1, 7, 200]), fragments=st.booleans())
def test_rows_are_where_they_were_put(
    compiled: bool, nodes: Nodes, syntax: str, base: int, fragments: bool
) -> None:
    if fragments and syntax == EXPLICIT:
        nodes = with_fragments(nodes)
    data, wanted = build(nodes, syntax, base)
    elements = read_elements(b"\xff" * base + data, base, base + len(data), MODES[syntax], compiled=compiled)
    assert placed(elements) == wanted
    assert elements.end == base + len(data)
    reference.assert_tiled(elements, base)


@settings(max_examples=100, deadline=None)
@given(nodes=datasets(), syntax=st.sampled_from([EXPLICIT, IMPLICIT, BIG, DEFLATED, JPEG]))
def test_pydicom_finds_the_same(tmp_path_factory: pytest.TempPathFactory, nodes: Nodes, syntax: str) -> None:
    nodes = tuple(sorted((Leaf(0x00080018, "UI", b"1.2"), *nodes), key=lambda node: node.tag))
    if syntax == BIG:  # pydicom reads the little endian inside of a UN as big endian
        nodes = without_un(nodes)
    path = tmp_path_factory.getbasetemp() / "built.dcm"
    path.write_bytes(part10(with_fragments(nodes) if syntax == JPEG else nodes, syntax))
    notes: Counter[str] = Counter()
    with Opened(path) as opened:
        parts = read_parts(opened)
        for part, theirs in zip(parts, reference.read(path), strict=True):
            found = reference.opened_values(part.elements)
            assert reference.fastanon_rows(part, notes) == reference.pydicom_rows(theirs, found, notes)
        del part, parts


SMALL: Nodes = (
    GroupLength(0x00080000),
    Leaf(0x00080005, "CS", b"ISO_IR 100"),
    Seq(0x00081140, (Item((Leaf(0x00081150, "UI", b"1.2"),)), Item((), undefined=True)), undefined=True),
    Leaf(0x00090010, "LO", b"MAKER"),
    Seq(0x00091001, (Item((Leaf(0x00100010, "PN", b"A^B"),)),), vr="UN"),
    Leaf(0x00100010, "PN", b"A^B"),
    Leaf(0x7FE00010, "OW", b"\1\2\3\4"),
)


@pytest.mark.parametrize("compiled", WALKS)
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG, DEFLATED, JPEG])
def test_cut_off_anywhere(syntax: str, compiled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cut file is refused, or the cut is between two elements and the ones before it are there."""
    monkeypatch.setattr("fastanon.container.read_elements", functools.partial(read_elements, compiled=compiled))
    nodes = (*SMALL[:-1], Fragments(0x7FE00010, (b"", b"\1\2\3"))) if syntax == JPEG else SMALL
    whole, path = part10(nodes, syntax), tmp_path / "cut.dcm"
    every = rows_of(path, whole)
    accepted = []
    for size in range(len(whole)):
        try:
            rows = rows_of(path, whole[:size])
        except FileError:
            continue
        assert rows == every[: len(rows)]
        if len(rows) < len(every):
            accepted.append(size)
        else:
            assert whole[size:] == b"\0", "only the padding of a deflated dataset is not missed"
    assert accepted == cuts(nodes, syntax)


def rows_of(path: Path, data: bytes) -> list[Placed]:
    path.write_bytes(data)
    with Opened(path) as opened:
        return [row for part in read_parts(opened) for row in placed(part.elements)]


def cuts(nodes: Nodes, syntax: str) -> list[int]:
    """Give the sizes at which a file may end: before an element at the top, but the first."""
    if syntax == DEFLATED:  # what is deflated says where it ends
        return []
    return [row.header for row in build(nodes, syntax, len(meta(syntax)))[1] if row.depth == 0][1:]
