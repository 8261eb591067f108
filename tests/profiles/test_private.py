"""Private elements: gone with their creators, but for the safe list and the blocks that a profile names."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

import fastanon
from tests.profiles import study
from tests.profiles.blocks import VALUES, private, private_tags, safe, with_private
from tests.profiles.table import needs_tables
from tests.profiles.values import LAST

RAW = b"\xde\xad\xbe\xef" * 8


def test_the_basic_profile_has_none(tmp_path: Path) -> None:
    own = private("ACME 1.1", 0x0009, 0x10, x01=("LO", "words"), x02=("PN", f"{LAST}^X"))
    siemens = private("SIEMENS MR HEADER", 0x0019, 0x11, x0c=("IS", "1000"), xee=("UN", b"\1\2"))
    siemens.add_new(0x00191203, "UN", b"orphan")
    nested = private("ACME 1.1", 0x0011, 0x42, x01=("SQ", [study.item(PatientName=f"{LAST}^X")]))
    for place in study.places(study.of(with_private(own, siemens, nested), tmp_path)):
        assert private_tags(place) == []


@pytest.mark.parametrize("options", [[], ["retain-safe-private"]], ids=["basic", "safe private"])
@pytest.mark.parametrize("tag", [0x00090001, 0x0009000F, 0x20010005, 0x00290008])
def test_elements_that_no_creator_can_reserve_go_too(options: list[str], tag: int, tmp_path: Path) -> None:
    inner = Dataset()
    inner.add_new(tag, "LO", "words")
    ds = with_private(inner)
    for place in study.places(study.of(ds, tmp_path, options)):
        assert private_tags(place) == []


@needs_tables
@pytest.mark.parametrize("block", [0x10, 0x42, 0xFF])
def test_every_safe_attribute_is_kept_with_its_creator(block: int, tmp_path: Path) -> None:
    for n, row in enumerate(safe()):
        group, element, vr = int(row["group"], 16), row["element"][-2:], row["vr"]
        value = [study.item(CodeValue="T-1")] if vr == "SQ" else VALUES[vr]
        wanted = private(row["privateCreator"], group, block, **{f"x{element}": (vr, value)})
        both = private(
            row["privateCreator"], group, block, **{f"x{element}": (vr, value), "xfe": ("LO", "unsafe")}
        )
        ds = with_private(both, private("ACME 1.1", group, block ^ 0x20, x01=("LO", "unsafe")))
        new = study.cleaned(study.write(tmp_path / f"{n}" / "a.dcm", ds), ["retain-safe-private"])
        for place in study.places(new):
            assert private_tags(place) == private_tags(wanted), row
            at = private_tags(wanted)[1]
            if vr in ("UI", "DA", "DT"):
                assert place[at].value != value, row
            else:
                assert place[at].value == (int(value) if vr == "IS" else wanted[at].value), row


@needs_tables
def test_a_safe_attribute_without_a_written_vr_is_kept_as_it_is(tmp_path: Path) -> None:
    for n, row in enumerate(row for row in safe() if row["vr"] != "SQ"):
        wanted = private(row["privateCreator"], int(row["group"], 16), 0x10)
        tag = int(row["group"], 16) << 16 | 0x1000 | int(row["element"][-2:], 16)
        wanted.add_new(tag, "UN", b"12345678")
        path = study.write(tmp_path / f"{n}" / "a.dcm", with_private(wanted), ImplicitVRLittleEndian)
        for place in study.places(study.cleaned(path, ["retain-safe-private"])):
            assert place.get_item(tag).value == b"12345678", row  # raw, before pydicom makes a number of it
            assert private_tags(place) == [tag & 0xFFFF0000 | 0x10, tag], row


def test_creators_of_nothing_go(tmp_path: Path) -> None:
    ds = Dataset()
    ds.add_new(0x00290010, "LO", "SIEMENS CSA HEADER")
    ds.add_new(0x00290011, "LO", f"made by {LAST}")
    for place in study.places(study.of(with_private(ds), tmp_path, ["retain-safe-private"])):
        assert private_tags(place) == []


@pytest.mark.parametrize("creator", ["SIEMENS MR HEADER2", "siemens mr header", "ACME", ""])
def test_the_same_element_of_another_creator_is_not_safe(creator: str, tmp_path: Path) -> None:
    ds = with_private(private(creator, 0x0019, 0x10, x0c=("IS", "1000")))
    for place in study.places(study.of(ds, tmp_path, ["retain-safe-private"])):
        assert private_tags(place) == []


def test_a_creator_counts_in_its_own_item_only(tmp_path: Path) -> None:
    ds = study.patient()
    ds.update(private("SIEMENS MR HEADER", 0x0019, 0x10, x0c=("IS", "1000")))
    setattr(ds, study.HOLDER, [Dataset()])
    getattr(ds, study.HOLDER)[0].add_new(0x0019100C, "IS", "1000")
    new = study.of(ds, tmp_path, ["retain-safe-private"])
    assert private_tags(new) == [0x00190010, 0x0019100C]
    assert private_tags(getattr(new, study.HOLDER)[0]) == []


def test_a_safe_text_is_cleaned_of_the_patient(tmp_path: Path) -> None:
    ds = with_private(private("Philips Imaging DD 001", 0x2001, 0x10, xc1=("LO", f"seen {LAST} here")))
    for place in study.places(study.of(ds, tmp_path, ["retain-safe-private"])):
        assert LAST not in str(place)


def raw_data() -> Dataset:
    """Make a dataset as a Biograph mMR writes raw data."""
    ds = study.patient(ImageType=["ORIGINAL", "PRIMARY", "PET_LISTMODE"])
    ds.update(private("SIEMENS CSA NON-IMAGE", 0x0029, 0x10, x08=("CS", "MRPETLM")))
    ds.update(private("SIEMENS CSA NON-IMAGE", 0x7FE1, 0x10, x10=("OB", RAW)))
    return ds


@pytest.mark.parametrize("options", [[], ["retain-safe-private"]], ids=["basic", "safe private"])
def test_raw_data_are_refused_and_not_destroyed(options: list[str], tmp_path: Path) -> None:
    path = study.write(tmp_path / "a.dcm", raw_data())
    before = path.read_bytes()
    result, target = study.run(path, options)
    assert result.status == "refused"
    assert not target.exists()
    assert path.read_bytes() == before


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "absent"])
def test_the_header_of_raw_data_beside_it_is_refused_too(empty: bool, tmp_path: Path) -> None:
    ds = raw_data()
    del ds[0x7FE11010]
    ds[0x00291008].value = "MRPETLM_LARGE"
    ds.add_new(0x00291010, "OB", b"!INTERFILE:=\r\n%comment:=x\r\n")
    if empty:
        ds.add_new(0x7FE11010, "OB", b"")
    path = study.write(tmp_path / "a.dcm", ds)
    beside = path.with_suffix(".bf")
    beside.write_bytes(RAW)
    before = path.read_bytes()
    report = fastanon.anonymize([path], in_place=True, profile="basic", key=study.KEY)
    assert "refused" in [f.status for f in report.files]
    assert (path.read_bytes(), beside.read_bytes()) == (before, RAW)


def test_raw_data_with_their_header_in_a_dataset_behind_them_are_refused_too(tmp_path: Path) -> None:
    ds = raw_data()
    del ds[0x7FE10010], ds[0x7FE11010]
    ds.add_new(0x00291010, "OB", b"!INTERFILE:=\r\n%comment:=x\r\n")
    dataset = study.write(tmp_path / "a.dcm", ds).read_bytes()
    path = tmp_path / "b.ptd"
    path.write_bytes(RAW * 64 + dataset + struct.pack("<i", len(dataset)) + b"LARGE_PET_LM_RAWDATA")
    result, target = study.run(path)
    assert result.status == "refused"
    assert not target.exists()


def test_the_default_profile_keeps_them(tmp_path: Path) -> None:
    new = study.of(raw_data(), tmp_path, profile="petmr")
    assert new[0x7FE11010].value == RAW
    assert new[0x00291008].value == "MRPETLM"
    assert LAST not in str(new)
