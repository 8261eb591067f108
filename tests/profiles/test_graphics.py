"""Overlays, curves, graphic annotations and icons: what is drawn may be a name (PS3.15 E.3.3)."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

from tests.profiles import study
from tests.profiles.values import LAST

FACE = b"\xfa\xce" * 16
GROUPS = (0x6000, 0x6002, 0x601E)


def overlaid(ds: Dataset) -> Dataset:
    """Add overlays of every kind."""
    for group in GROUPS:
        ds.add_new(group << 16 | 0x0010, "US", 8)
        ds.add_new(group << 16 | 0x0011, "US", 4)
        ds.add_new(group << 16 | 0x0022, "LO", "ink")
        ds.add_new(group << 16 | 0x3000, "OW", FACE)
        ds.add_new(group << 16 | 0x4000, "LT", f"drawn for {LAST} by hand")
    return ds


@pytest.mark.parametrize("options", [(), ("clean-graphics",)])
def test_overlay_data_goes_at_every_depth(options: tuple[str, ...], tmp_path: Path) -> None:
    ds = overlaid(study.image())
    setattr(ds, study.HOLDER, study.holding(overlaid(Dataset()), overlaid(Dataset())))
    new = study.of(ds, tmp_path, options)
    assert len(study.places(new)) == 5
    for place in study.places(new):
        for group in GROUPS:
            # nobody can clean what nobody can read, and a plane without its data is none (PS3.3 C.9.2)
            assert [element.tag for element in place if element.tag.group == group] == []
    assert new.PixelData == study.PIXELS


def test_overlay_comments_go_and_are_cleaned_by_the_option(tmp_path: Path) -> None:
    ds = study.image()
    for group in GROUPS:
        ds.add_new(group << 16 | 0x4000, "LT", f"drawn for {LAST} by hand")
    path = study.write(tmp_path / "a.dcm", ds)
    plain, clean = study.cleaned(path), study.cleaned(path, ["clean-graphics"])
    for group in GROUPS:
        assert group << 16 | 0x4000 not in plain
        if group << 16 | 0x4000 not in clean:
            continue
        text = str(clean[group << 16 | 0x4000].value)
        assert text.startswith("drawn for ")
        assert text.endswith(" by hand")
        assert LAST not in text


@pytest.mark.parametrize("group", range(0x5000, 0x5020, 6))
def test_curves_go_whole(group: int, tmp_path: Path) -> None:
    ds = study.image()
    ds.add_new(group << 16 | 0x0005, "US", 2)
    ds.add_new(group << 16 | 0x0022, "LO", f"pulse of {LAST}")
    ds.add_new(group << 16 | 0x3000, "OW", FACE)
    new = study.of(ds, tmp_path)
    assert not [element.tag for element in new if element.tag.group == group]


def test_curves_are_cleaned_or_gone_by_the_option(tmp_path: Path) -> None:
    ds = study.image()
    ds.add_new(0x50000022, "LO", f"pulse of {LAST}")
    ds.add_new(0x50003000, "OW", FACE)
    new = study.of(ds, tmp_path, ["clean-graphics"])
    assert 0x50003000 not in new or FACE not in new[0x50003000].value
    assert LAST not in str(new)


def test_text_in_graphic_annotations(tmp_path: Path) -> None:
    text = study.item(UnformattedTextValue=f"see {LAST} here", AnchorPoint=[1.0, 2.0])
    shape = study.item(GraphicType="POLYLINE", NumberOfGraphicPoints=2)
    ds = study.image(
        GraphicAnnotationSequence=[study.item(TextObjectSequence=[text], GraphicObjectSequence=[shape])]
    )
    path = study.write(tmp_path / "a.dcm", ds)
    plain, clean = study.cleaned(path), study.cleaned(path, ["clean-graphics", "clean-descriptors"])
    assert len(plain.GraphicAnnotationSequence) >= 1
    assert "see" not in str(plain.GraphicAnnotationSequence)
    kept = clean.GraphicAnnotationSequence[0]
    assert kept.GraphicObjectSequence[0].GraphicType == "POLYLINE"
    assert LAST not in str(kept)
    assert kept.TextObjectSequence[0].UnformattedTextValue.startswith("see ")


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "encapsulated"])
@pytest.mark.parametrize("undefined", [False, True], ids=["length", "undefined length"])
def test_icons_go_with_their_own_pixels(packed: bool, undefined: bool, tmp_path: Path) -> None:
    icon = Dataset()
    icon.Rows, icon.Columns = 8, 4
    icon.add_new(0x7FE00010, "OB", encapsulate([FACE]) if packed else FACE)
    icon["PixelData"].is_undefined_length = packed
    ds = study.image(IconImageSequence=[icon])
    ds["IconImageSequence"].is_undefined_length = icon.is_undefined_length_sequence_item = undefined
    if packed:
        ds.PixelData = encapsulate([study.PIXELS])
        ds["PixelData"].is_undefined_length = True
    setattr(ds, study.HOLDER, [study.item(IconImageSequence=[icon])])
    path = study.write(tmp_path / "a.dcm", ds, *([JPEGBaseline8Bit] if packed else []))
    new = study.cleaned(path)
    assert "IconImageSequence" not in new
    assert "IconImageSequence" not in getattr(new, study.HOLDER)[0]
    assert new.PixelData == ds.PixelData
    assert FACE in path.read_bytes()
    assert FACE not in study.run(path)[1].read_bytes()
