"""Plans of files made by `tests.builder`: what they change, and that a second one changes nothing."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastanon.edits import edited
from fastanon.errors import PlanError
from fastanon.opened import Opened
from fastanon.planner import Plan, plan_in_place
from tests.builder import BIG, DEFLATED, IMPLICIT, Item, Leaf, Nodes, Seq, part10, without_un
from tests.canary import leaks_in
from tests.niftypet import scheme
from tests.strategies import BORN, ID, NAME, all_syntaxes, studies

MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NEW = scheme(patient="Nobody^Anonymous", physician="Doctor", dob="19800101")


def plan_of(path: Path, data: bytes) -> Plan:
    path.write_bytes(data)
    with Opened(path) as opened:
        return plan_in_place(opened, NEW)


@MANY
@given(nodes=studies(), syntax=all_syntaxes)
def test_a_plan_and_the_file_after_it(tmp_path_factory: pytest.TempPathFactory, nodes: Nodes, syntax: str) -> None:
    nodes = without_un(nodes) if syntax == BIG else nodes
    path, before = tmp_path_factory.getbasetemp() / "planned.dcm", part10(nodes, syntax)
    plan = plan_of(path, before)
    assert_sorted_and_disjoint(plan, len(before))
    after = edited(before, plan.edits)
    assert plan_of(path, after).edits == ()
    dataset = read(after)
    assert dataset.PixelData == NAME.encode() * 2, "a payload is never edited"
    assert dataset.PatientID == "x" * (len(ID) + len(ID) % 2)
    assert dataset.PatientBirthDate == "19800101"
    assert dataset.PatientName == NEW.given.patient
    for found in every(dataset):
        assert_values(found)


def assert_sorted_and_disjoint(plan: Plan, size: int) -> None:
    at = 0
    for edit in plan.edits:
        assert edit.offset >= at
        at = edit.end
    assert at <= size


def read(data: bytes) -> pydicom.Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(BytesIO(data))


def every(dataset: pydicom.Dataset) -> Iterator[pydicom.Dataset]:
    yield dataset
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for element in dataset:
            for item in element.value if element.VR == "SQ" else ():
                yield from every(item)


def assert_values(dataset: pydicom.Dataset) -> None:
    """Check every name of one dataset, and that no text has a copy of a planted value."""
    for keyword, new in (("PatientName", NEW.given.patient), ("ReferringPhysicianName", NEW.given.physician)):
        assert dataset.get(keyword, "") in (new, ""), keyword
    other = str(dataset.get("OtherPatientNames", ""))
    assert other in (NEW.given.patient, "") or not other.strip("x")
    for element in dataset:
        if element.VR not in ("SQ", "OW", "OB", "UN"):
            assert not leaks_in(str(element.value)), element.tag


@pytest.mark.parametrize("syntax", [IMPLICIT, BIG, DEFLATED])
@pytest.mark.parametrize("empty", [b"", b"  "])
def test_nobody_named_is_nobody_renamed(tmp_path: Path, syntax: str, empty: bytes) -> None:
    nodes: Nodes = (Leaf(0x00100010, "PN", empty), Leaf(0x00100020, "LO", empty), Leaf(0x00100030, "DA", empty))
    assert plan_of(tmp_path / "empty.dcm", part10(nodes, syntax)).edits == ()


def test_a_plan_never_shows_a_value(tmp_path: Path) -> None:
    nodes: Nodes = (
        Leaf(0x00081030, "LO", f"study of {NAME}".encode()),
        Leaf(0x00100010, "PN", NAME.encode()),
        Leaf(0x00100030, "DA", BORN.encode()),
    )
    plan = plan_of(tmp_path / "shown.dcm", part10(nodes))
    assert len(plan.places) == 3
    assert not leaks_in(repr(plan.places) + repr([edit.rule for edit in plan.edits]) + repr(plan))


@given(size=st.integers(65500, 65534))
@settings(max_examples=10, deadline=None)
def test_names_that_grow_past_sixteen_bits_are_an_error(
    tmp_path_factory: pytest.TempPathFactory, size: int
) -> None:
    """Many values in one element, each shorter than its replacement."""
    value = (b"A\\" * 40_000)[:size]
    nodes: Nodes = (Seq(0x00081140, (Item((Leaf(0x00100010, "PN", value),)),)),)
    with pytest.raises(PlanError, match="does not fit"):
        plan_of(tmp_path_factory.getbasetemp() / "many.dcm", part10(nodes))
