"""Every attribute of Table E.1-1 that is a value, under every option: at the top, in items, in their items."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VM
from pydicom.dataset import Dataset

from fastanon.errors import UsageError
from tests.profiles import study
from tests.profiles.table import BULK, CHOICES, COLUMNS, DATES, PAIRS, Row, in_datasets, needs_tables, rows
from tests.profiles.values import Judge, is_valid, value_of

pytestmark = needs_tables


def plain_rows() -> list[Row]:
    return [row for row in in_datasets() if row.vr != "SQ"]


def all_of_them(options: set[str]) -> Dataset:
    """Make a dataset that has each attribute, with the patient's name in it where it is to be cleaned."""
    ds = Dataset()
    for row in plain_rows():
        text = row.allowed(options) == {"cleaned"} and row.vr in ("LO", "LT", "SH", "ST", "UC", "UT")
        ds.add_new(row.tag, row.vr, value_of(row.tag, row.vr, text))
    return ds


@pytest.mark.parametrize("options", CHOICES, ids=lambda options: "+".join(options) or "none")
def test_every_value_becomes_what_the_table_says(options: tuple[str, ...], tmp_path: Path) -> None:
    ds, inner = all_of_them(set(options)), all_of_them(set(options))
    ds.SOPClassUID, ds.BurnedInAnnotation = study.CLASS, "NO"
    setattr(ds, study.HOLDER, study.holding(inner, inner))
    old = study.places(ds)
    new = study.places(study.of(ds, tmp_path, options))
    assert len(old) == len(new) == 5
    judge = Judge()
    wrong = set()
    for n, (before, after) in enumerate(zip(old, new, strict=True)):
        for row in plain_rows():
            seen = judge.outcomes(before[row.tag], after.get(row.tag))
            if not seen & row.allowed(set(options)):
                place = ("top", "item", "item", "inner item", "inner item")[n]
                wrong.add(
                    (f"{row.tag:08X} {row.vr} {row.basic}", place, *sorted(row.allowed(set(options))), *seen)
                )
    assert sorted(wrong) == []


def several() -> Dataset:
    """Make a dataset with three values in each attribute that may have so many."""
    ds = Dataset()
    for row in plain_rows():
        if dictionary_VM(row.tag).endswith(("-n", "-32")) and row.vr not in BULK:
            one = value_of(row.tag, row.vr)
            ds.add_new(row.tag, row.vr, [one, f"{one}.7" if row.vr == "UI" else one, one])
    return ds


@pytest.mark.parametrize("options", [(), ("retain-modified-dates",)], ids=["none", "dates"])
def test_of_several_values_none_is_forgotten(options: tuple[str, ...], tmp_path: Path) -> None:
    ds, judge = several(), Judge()
    tried = [row for row in plain_rows() if row.tag in ds]
    assert {row.vr for row in tried} >= {"DA", "TM", "UI", "LO", "PN"}
    ds.SOPClassUID = study.CLASS
    new = study.of(ds, tmp_path, options)
    seen = {f"{row.tag:08X}": judge.outcomes(ds[row.tag], new.get(row.tag)) for row in tried}
    assert [tag for row, tag in zip(tried, seen, strict=True) if not seen[tag] & row.allowed(set(options))] == []


@pytest.mark.parametrize("options", [(), ("retain-modified-dates", "clean-descriptors")], ids=["none", "two"])
def test_empty_values_go_or_stay_empty_or_get_a_dummy(options: tuple[str, ...], tmp_path: Path) -> None:
    ds = Dataset()
    for row in in_datasets():
        ds.add_new(row.tag, row.vr, [] if row.vr == "SQ" else None)
    ds.SOPClassUID, ds.SOPInstanceUID, ds.PatientName = study.CLASS, study.INSTANCE, "X^Y"
    new = study.of(ds, tmp_path, options)
    for row in in_datasets():
        if row.tag in new:
            assert row.allowed(set(options)) != {"absent"}, row
            assert new[row.tag].is_empty or is_valid(new[row.tag]), row
        else:
            assert "absent" in row.allowed(set(options)), row


def test_all_rows_of_the_table_are_tried() -> None:
    assert len(in_datasets()) == 617 - 4
    assert {row.vr for row in plain_rows()} > {
        "AE",
        "AS",
        "CS",
        "DA",
        "DS",
        "DT",
        "IS",
        "LO",
        "OB",
        "PN",
        "UI",
        "UT",
    }


def test_the_judge_sees_a_value_that_is_left() -> None:
    ds, judge = all_of_them(set()), Judge()
    for row in plain_rows():
        assert judge.outcomes(ds[row.tag], ds[row.tag]) <= {"same", "cleaned", "shifted"}, row


def test_the_pairs_that_are_tried_are_those_that_meet_in_an_attribute() -> None:
    pairs = itertools.combinations(COLUMNS, 2)
    meeting = {frozenset(pair) for pair in pairs if any({*pair} <= {*row.options} for row in rows())}
    assert meeting - {frozenset(DATES)} == {frozenset(pair) for pair in PAIRS}


def test_both_kinds_of_dates_are_an_error(tmp_path: Path) -> None:
    path = study.write(tmp_path / "a.dcm", study.patient())
    with pytest.raises(UsageError):
        study.run(path, DATES)
    assert sorted(tmp_path.iterdir()) == [path]
