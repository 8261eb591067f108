"""The same flat list of elements, from pydicom and from fastanon.

The rules by which the two are made comparable:

* Of elements with one tag in one dataset pydicom keeps the last, so fastanon's earlier ones are left out.
* pydicom knows no length of items and of sequences of undefined length: -1 on both sides; see `assert_tiled`.
  Of an empty one without a VR it can't say that it is a sequence: 0 on both sides.
* A value of undefined length that is no sequence has the length of what stands before its delimiter.
* What fastanon opens and pydicom keeps closed (private sequences, mostly) is read by pydicom's `read_sequence`.
* Behind the dataset, zeros up to the end of the file are elements (0000,0000) to pydicom, and none to fastanon.

What a rule did is counted, and the session says how often.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_sequence
from pydicom.hooks import raw_element_vr

from fastanon import walk as w
from fastanon.dicom import DicomPart as Part
from fastanon.elements import Element, Elements

_NO_LENGTH = 0xFFFFFFFF
_ITEM = 0xFFFEE000


class Row(NamedTuple):
    """What both say of an element, a sequence or an item; `vr` is empty where it was not read."""

    value: int
    tag: int
    length: int
    depth: int
    vr: str


def read(path: Path) -> tuple[Dataset, Dataset]:
    """Read the file meta information and the dataset as pydicom does, with all elements as raw as they come.

    `dcmread` itself looks at some elements, which converts them, and loses their lengths; so what its inner
    function gives is copied.
    """
    raw: list[Dataset] = []

    def copying(*args: Any, at_top_level: bool = True, **kwargs: Any) -> Dataset:
        dataset = read_dataset(*args, at_top_level=at_top_level, **kwargs)
        if at_top_level:
            raw.append(Dataset(dict(dataset._dict)))
        return dataset

    with warnings.catch_warnings(), mock.patch.object(pydicom.filereader, "read_dataset", copying):
        warnings.simplefilter("ignore")
        pydicom.dcmread(path, force=True, defer_size=None)
    meta, commands, dataset = raw[-3:]
    return meta, Dataset({**commands._dict, **dataset._dict})


def pydicom_rows(dataset: Dataset, opened: frozenset[int], notes: Counter[str]) -> list[Row]:
    """List the elements that pydicom read; `opened` are offsets of values that fastanon took for sequences."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sorted(_rows(dataset, 0, 0, opened, notes))


def _rows(dataset: Dataset, depth: int, base: int, opened: frozenset[int], notes: Counter[str]) -> Iterator[Row]:
    for element in list(dataset._dict.values()):  # looking up a private creator converts it
        if not isinstance(element, RawDataElement):
            yield Row(base + element.file_tell, int(element.tag), -1 if len(element.value) else 0, depth, "")
            yield from _items(element.value, depth, base, opened, notes)
            continue
        value, undefined = element.value or b"", element.length == _NO_LENGTH
        at, length = base + element.value_tell, len(value) if undefined else element.length
        yield Row(at, int(element.tag), length, depth, "" if undefined else element.VR or "")
        known = not undefined and _is_sequence(element, dataset)
        if value and (known or at in opened):
            notes["sequences that pydicom keeps closed"] += not known
            inside = read_sequence(
                BytesIO(value), element.is_implicit_VR, element.is_little_endian, len(value), "latin-1"
            )
            yield from _items(inside, depth, at, opened, notes)


def _items(
    items: Iterable[Dataset], depth: int, base: int, opened: frozenset[int], notes: Counter[str]
) -> Iterator[Row]:
    for item in items:
        yield Row(base + item.file_tell + 8, _ITEM, -1, depth + 1, "")
        yield from _rows(item, depth + 1, base, opened, notes)


def _is_sequence(element: RawDataElement, dataset: Dataset) -> bool:
    """Say what pydicom would, were the element looked at."""
    found: dict[str, str] = {}
    raw_element_vr(element, found, ds=dataset)
    return found["VR"] == "SQ"


def fastanon_rows(part: Part, notes: Counter[str]) -> list[Row]:
    """List the elements that fastanon found."""
    elements = [part.elements[i] for i in range(len(part.elements))]
    last = {(e.parent, e.tag): i for i, e in enumerate(elements) if e.tag != _ITEM}
    rows, left_out = [], set()
    for i, e in enumerate(elements):
        if e.parent in left_out or (e.tag != _ITEM and last[e.parent, e.tag] != i):
            left_out.add(i)
            notes["elements left out as duplicates"] += 1
        else:
            rows.append(_row(e))
    return sorted(rows)


def _row(e: Element) -> Row:
    undefined = bool(e.flags & w.UNDEFINED)
    no_length = e.tag == _ITEM or (undefined and e.nested and e.length)
    return Row(e.value, e.tag, -1 if no_length else e.length, e.depth, "" if undefined else e.vr)


def opened_values(elements: Elements) -> frozenset[int]:
    """Give the offsets of the values that fastanon took for sequences."""
    rows = (elements[i] for i in range(len(elements)))
    return frozenset(e.value for e in rows if e.nested and e.tag != _ITEM)


def assert_tiled(elements: Elements, start: int) -> None:
    """Check that rows leave no byte between them: each begins where the one before it in its parent ended."""
    reached = {-1: start}
    for i in range(len(elements)):
        e = elements[i]
        assert e.header == reached[e.parent], f"row {i} does not begin where the one before it ended"
        assert e.parent < 0 or e.outer_end <= elements[e.parent].end, f"row {i} leaves its parent"
        reached[e.parent] = e.outer_end
        if e.nested:
            reached[i] = e.value
    for i, end in reached.items():
        assert end == (elements.end if i < 0 else elements[i].end), f"bytes left at the end of row {i}"
