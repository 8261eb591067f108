"""Blocks of private elements, and the list of those that are safe (PS3.15 Table E.3.10-1)."""

from __future__ import annotations

import json
from typing import Any

from pydicom.dataset import Dataset

from tests.profiles import study
from tests.profiles.table import SOURCE

VALUES: dict[str, Any] = {
    "CS": "FAST", "LO": "kept words", "SH": "kept", "DS": "1.5", "IS": "7", "FD": 1.5, "FL": 1.5, "US": 7, "SS": 7,
    "UL": 7, "SL": 7, "ST": "kept", "LT": "kept", "UI": "1.2.3.4.5.6.7.8", "DA": "20170327", "TM": "142536",
    "AT": 0x00181030, "OB": b"\x07\x09", "OW": b"\x07\x09", "UN": b"\x07\x09",
}  # fmt: skip


def safe() -> list[dict[str, str]]:
    """Give the rows of the table, none where it is not here."""
    path = SOURCE / "safe_private_attributes_E.3.10-1_2025b.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else []


def private(creator: str, group: int, block: int, **elements: tuple[str, Any]) -> Dataset:
    """Make a dataset with one block; elements by their last two digits."""
    ds = Dataset()
    ds.add_new(group << 16 | block, "LO", creator)
    for name, (vr, value) in elements.items():
        ds.add_new(group << 16 | block << 8 | int(name[1:], 16), vr, value)
    return ds


def with_private(*blocks: Dataset) -> Dataset:
    """Put blocks at the top, in an item, and in an item of that."""
    ds, inner = study.patient(), Dataset()
    for block in blocks:
        ds.update(block)
        inner.update(block)
    setattr(ds, study.HOLDER, study.holding(inner, inner))
    return ds


def private_tags(ds: Dataset) -> list[int]:
    """Give the tags of all private elements of one level."""
    return [int(element.tag) for element in ds if element.tag.is_private]
