"""Rows asked for by tag, by place and by offset: `tests.builder` knows where it put them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fastanon import walk as w
from fastanon.elements import Borders, read_elements
from tests.builder import BIG, EXPLICIT, IMPLICIT, ITEM, Nodes, build
from tests.strategies import datasets, syntaxes

MODES = {EXPLICIT: 0, IMPLICIT: w.IMPLICIT, BIG: w.BIG}
BASE = 16


@settings(max_examples=150, deadline=None)
@given(nodes=datasets(), syntax=syntaxes, some=st.integers(0, 3))
def test_rows_are_found_as_they_were_put(nodes: Nodes, syntax: str, some: int) -> None:
    data, placed = build(nodes, syntax, BASE)
    elements = read_elements(bytes(BASE) + data, BASE, BASE + len(data), MODES[syntax])
    tags = {row.tag for row in placed}
    wanted = {tag for tag in tags if tag % 4 >= some} | {0x00990099}
    assert elements.rows_of(wanted) == [i for i, row in enumerate(placed) if row.tag in wanted]
    assert elements.tops == [i for i, row in enumerate(placed) if row.depth == 0]
    kinds = {tag: sorted(i for kind, _, rows in elements.kinds for i in rows if kind == tag) for tag in tags}
    assert kinds == {
        tag: [i for i, row in enumerate(placed) if row.tag == tag] if tag != ITEM else [] for tag in tags
    }
    assert all(elements[i].real_vr == vr for _, vr, rows in elements.kinds for i in rows)


@settings(max_examples=150, deadline=None)
@given(nodes=datasets(), syntax=syntaxes)
def test_what_lies_inside_and_where_values_end(nodes: Nodes, syntax: str) -> None:
    data, placed = build(nodes, syntax, BASE)
    elements = read_elements(bytes(BASE) + data, BASE, BASE + len(data), MODES[syntax])
    for i, row in enumerate(placed):
        inside = [n for n, one in enumerate(placed) if row.header < one.header < row.value + row.length]
        assert list(elements.inside(i)) == inside
    borders = {row.value for row in placed} | {row.value + row.length for row in placed}
    assert {at for at in range(BASE + len(data) + 9) if at in Borders(elements)} == borders
