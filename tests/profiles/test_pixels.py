"""Clean Pixel Data: claimed only where the dataset says that nothing is burned in; pixels never change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.profiles import study

OPTION = ["clean-pixel-data"]


def test_an_image_that_says_no_is_clean(tmp_path: Path) -> None:
    new = study.of(study.image(BurnedInAnnotation="NO"), tmp_path, OPTION)
    assert "113101" in [code.CodeValue for code in new.DeidentificationMethodCodeSequence]
    assert (new.BurnedInAnnotation, new.PixelData) == ("NO", study.PIXELS)


@pytest.mark.parametrize("says", ["YES", "", None, "UNKNOWN"])
def test_any_other_image_is_refused(says: str | None, tmp_path: Path) -> None:
    ds = study.image() if says is None else study.image(BurnedInAnnotation=says)
    path = study.write(tmp_path / "a.dcm", ds)
    before = path.read_bytes()
    result, target = study.run(path, OPTION)
    assert result.status == "refused"
    assert not target.exists()
    assert path.read_bytes() == before


@pytest.mark.parametrize("element", [0x7FE00008, 0x7FE00009])
def test_other_pixels_are_pixels_too(element: int, tmp_path: Path) -> None:
    ds = study.patient()
    ds.add_new(element, "OF" if element & 1 == 0 else "OD", bytes(64))
    assert study.run(study.write(tmp_path / "a.dcm", ds), OPTION)[0].status == "refused"


def test_an_answer_of_an_item_is_none_of_the_image(tmp_path: Path) -> None:
    ds = study.image()
    setattr(ds, study.HOLDER, [study.item(BurnedInAnnotation="NO")])
    assert study.run(study.write(tmp_path / "a.dcm", ds), OPTION)[0].status == "refused"


@pytest.mark.parametrize("says", ["YES", "NO"])
def test_without_the_option_nothing_is_claimed(says: str, tmp_path: Path) -> None:
    new = study.of(study.image(BurnedInAnnotation=says, RecognizableVisualFeatures="YES"), tmp_path)
    assert [code.CodeValue for code in new.DeidentificationMethodCodeSequence] == ["113100"]
    assert (new.BurnedInAnnotation, new.RecognizableVisualFeatures, new.PixelData) == (says, "YES", study.PIXELS)
