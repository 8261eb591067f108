"""Every sequence of Table E.1-1 under every option: gone, empty, filled with dummies, or cleaned inside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from tests.profiles import study
from tests.profiles.table import CHOICES, Row, in_datasets, needs_tables
from tests.profiles.values import CANARIES, FIRST, LAST, Judge, is_valid

pytestmark = needs_tables
UID = "1.3.12.2.1107.5.99.20160315"
KEPT = {"CodeValue": "T-11170", "CodeMeaning": f"fog {LAST} rain"}


def rows() -> list[Row]:
    return [row for row in in_datasets() if row.vr == "SQ"]


def one_item() -> Dataset:
    """Make an item that has a bit of everything, and another one inside."""
    ds = study.item(**KEPT, CodingSchemeDesignator="SRT", NumericValue="72.5", RescaleType="WEIGHT")
    ds.PersonName, ds.ReferencedSOPInstanceUID, ds.TextValue = f"{LAST}^{FIRST}", UID, "ward seven"
    ds.ConceptNameCodeSequence = [study.item(CodeValue="T-11171", CodeMeaning="femur")]
    return ds


def all_of_them() -> Dataset:
    ds = Dataset()
    for row in rows():
        ds.add_new(row.tag, "SQ", [one_item(), one_item()])
    return ds


def elements(ds: Dataset) -> Iterator[DataElement]:
    """Give every element that is no sequence, at every depth."""
    for element in ds:
        if element.VR == "SQ":
            for inner in element.value:
                yield from elements(inner)
        else:
            yield element


def is_dummy(new: DataElement, keeps_uids: bool) -> bool:
    """Say whether there is something, and nothing of what was there."""
    text = (element for element in elements(one_item()) if element.VR != "CS")  # CS says how an item is built
    old = {str(element.value) for element in text} - ({UID} if keeps_uids else set())
    said = [str(element.value) for one in new.value for element in elements(one)]
    return bool(said) and not old.intersection(said) and not any(c in text for c in CANARIES for text in said)


def is_cleaned(new: DataElement, judge: Judge, keeps_uids: bool) -> bool:
    if len(new.value) != 2:
        return False
    for item in new.value:
        code = [judge.outcomes(one_item()[name], item.get_item(name) and item[name]) for name in KEPT]
        uid = judge.outcomes(one_item()["ReferencedSOPInstanceUID"], item["ReferencedSOPInstanceUID"])
        concept = item.ConceptNameCodeSequence[0]
        if "same" not in code[0] or "cleaned" not in code[1] or ("same" if keeps_uids else "uid") not in uid:
            return False
        if any(c in str(item) for c in CANARIES) or (concept.CodeValue, concept.CodeMeaning) != (
            "T-11171",
            "femur",
        ):
            return False
    return all(is_valid(element) for item in new.value for element in elements(item) if not element.is_empty)


def outcome(new: DataElement | None, judge: Judge, keeps_uids: bool) -> str:
    if new is None:
        return "absent"
    if not new.value:
        return "empty"
    if is_dummy(new, keeps_uids):
        return "dummy"
    return "cleaned" if is_cleaned(new, judge, keeps_uids) else "left"


@pytest.mark.parametrize("options", CHOICES, ids=lambda options: "+".join(options) or "none")
def test_every_sequence_becomes_what_the_table_says(options: tuple[str, ...], tmp_path: Path) -> None:
    ds = study.patient(BurnedInAnnotation="NO")
    ds.update(all_of_them())
    setattr(ds, study.HOLDER, study.holding(all_of_them(), all_of_them()))
    judge = Judge()
    wrong = set()
    new = study.places(study.of(ds, tmp_path, options))
    assert len(new) == 5
    for n, after in enumerate(new):
        for row in rows():
            seen = outcome(after.get(row.tag), judge, "retain-uids" in options)
            if seen not in row.allowed(set(options)):
                wrong.add((f"{row.tag:08X} {row.basic}", "top" if n == 0 else "item", seen))
    assert sorted(wrong) == []


def test_what_is_in_a_sequence_that_goes_is_the_patients_too(tmp_path: Path) -> None:
    ds = study.patient(SeriesDescription="seen by Brzeczyszczykiewicz today")
    ds.ReferringPhysicianIdentificationSequence = [study.item(PersonName="Brzeczyszczykiewicz^Grzegorz")]
    new = study.of(ds, tmp_path, ["clean-descriptors"])
    assert "ReferringPhysicianIdentificationSequence" not in new
    assert "brzecz" not in new.SeriesDescription.lower()
    assert new.SeriesDescription.startswith("seen by ")


def test_equal_items_of_two_sequences_are_no_copies_of_each_other(tmp_path: Path) -> None:
    other = study.item(PatientID="ZK-4410-223", TypeOfPatientID="TEXT")
    ds = study.patient(OtherPatientIDsSequence=[other])
    ds.ReferencedStudySequence = [study.item(OtherPatientIDsSequence=[other])]
    setattr(ds, study.HOLDER, [other])
    new = study.of(ds, tmp_path)
    assert "OtherPatientIDsSequence" not in new
    assert "ZK-4410-223" not in str(new)
    assert getattr(new, study.HOLDER)[0].TypeOfPatientID == "TEXT"


def test_content_of_reports_is_cleaned_in_depth(tmp_path: Path) -> None:
    leaf = study.item(ValueType="TEXT", TextValue=f"call Mr {LAST}")
    middle = study.item(ValueType="PNAME", PersonName=f"{LAST}^{FIRST}", ContentSequence=[leaf])
    ds = study.patient(ContentSequence=[study.item(ValueType="CONTAINER", ContentSequence=[middle, middle])])
    new = study.of(ds, tmp_path, ["clean-structured-content", "clean-descriptors"])
    for item in new.ContentSequence[0].ContentSequence:
        assert item.ValueType == "PNAME"
        assert item.PersonName
        assert item.ContentSequence[0].ValueType == "TEXT"
        assert not any(c.lower() in str(item).lower() for c in CANARIES)
