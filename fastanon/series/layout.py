"""A DICOM file cut into units that can be planned apart: elements of the top level, and tags of CSA headers."""

from __future__ import annotations

import copy
import functools
import struct
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from fastanon import walk as w
from fastanon.dicom import DicomPart
from fastanon.fields import Space
from fastanon.opened import Opened
from fastanon.part import Part
from fastanon.siemens import csa
from fastanon.siemens.csa_tags import FIRST
from fastanon.siemens.csa_tags_compiled import tag_starts

Table = npt.NDArray[np.int64]


class Layout:
    """Where the units of one file begin.

    Parameters
    ----------
    meta, dataset : DicomPart
        The file, little endian and not deflated.

    Attributes
    ----------
    tables : tuple of ndarray
        The rows of both parts, int64[n, 8] as of `fastanon.walk`.
    tops : tuple of ndarray
        The rows of the top level, int64[m].
    signature : bytes
        Tags and VRs of the top level.
    """

    def __init__(self, meta: DicomPart, dataset: DicomPart) -> None:
        assert isinstance(dataset.data, bytes)
        self.meta, self.dataset, self.data = meta, dataset, dataset.data
        self.tables = _table(meta), _table(dataset)
        self.tops = tuple(np.flatnonzero(table[:, w.PARENT] < 0) for table in self.tables)
        both = zip(self.tables, self.tops, strict=True)
        self.signature = b"|".join(table[top, : w.VR + 1].tobytes() for table, top in both)  # TAG and VR

    def of(self, data: bytes, opened: Opened | None = None) -> Layout:
        """Give the layout of a file whose tags, VRs and lengths are the very same, and where they are."""
        other = copy.copy(self)
        other.meta, other.dataset = (
            DicomPart(Space(), data, part.elements, part.start, part.stop, opened)
            for part in (self.meta, self.dataset)
        )
        other.data = data
        return other

    @functools.cached_property
    def headers(self) -> tuple[list[int], list[int]]:
        """Where the elements of the top level begin."""
        first, second = (t[top, w.HEADER].tolist() for t, top in zip(self.tables, self.tops, strict=True))
        return first, second

    def tags_of(self, row: int) -> list[int] | None:
        """Give the offsets of the tags of the CSA header in an element of the dataset, and of its end."""
        value, length = self.tables[1][row, w.VALUE : w.LENGTH + 1].tolist()
        starts = np.empty(csa.MAX_TAGS + 1, np.int64)
        count = tag_starts(self.data, value, value + length, starts)
        return starts[: count + 1].tolist() if count else None

    def starts(self, split: Sequence[tuple[int, int]]) -> list[int] | None:
        """Give the offset of each unit, and of the end of the file.

        Parameters
        ----------
        split : sequence of (int, int)
            Which elements of the top level are cut into the tags of their CSA header, by their number, and how
            many tags there are to be.

        Returns
        -------
        list of int or None
            None if it can't be cut so.
        """
        first, second = self.headers
        found, at = [0, *first], 0
        for number, count in split:
            tags = self.tags_of(int(self.tops[1][number]))
            if tags is None or len(tags) != count + 1:
                return None
            found += second[at : number + 1] + tags[:-1]
            at = number + 1
        return [*found, *second[at:], self.dataset.stop]

    def row(self, unit: tuple[int, int, int, int]) -> Table:
        """Give the row of a unit's element; a unit is as `template.Unit`."""
        _, part, number, _ = unit
        row: Table = self.tables[part][self.tops[part][number]]
        return row

    def value(self, unit: tuple[int, int, int, int]) -> int:
        """Give where the value of a unit's element begins."""
        return int(self.row(unit)[w.VALUE])

    def tag(self, unit: tuple[int, int, int, int]) -> int:
        """Give the tag of a unit's element."""
        return int(self.row(unit)[w.TAG])

    def rows(self, part: int, number: int) -> Table:
        """Give the rows of an element of the top level and of all in it."""
        top, table = self.tops[part], self.tables[part]
        return table[top[number] : top[number + 1] if number + 1 < len(top) else len(table)]

    def shape(self, part: int, number: int) -> bytes:
        """Give the tags in an element of the top level, and which of them are filled."""
        rows = self.rows(part, number)
        return rows[:, w.TAG].tobytes() + (rows[:, w.LENGTH] > 0).tobytes()


def layout_of(parts: Sequence[Part]) -> Layout | None:
    """Cut a file; None if it is of a kind that is not."""
    if len(parts) != 2:
        return None
    meta, dataset = parts
    if not (isinstance(meta, DicomPart) and isinstance(dataset, DicomPart) and meta.is_meta):
        return None
    plain = isinstance(dataset.data, bytes) and not dataset.space.codec and dataset.outer is None
    if not plain or not len(dataset.elements) or dataset.elements.end != dataset.stop or meta.start:
        return None
    layout = Layout(meta, dataset)
    return None if (layout.tables[1][0, w.FLAGS] & w.BIG) else layout


def _table(part: DicomPart) -> Table:
    return np.frombuffer(part.elements.table, np.int64).reshape(-1, w.COLUMNS)


def shortened(
    data: bytes, header: int, value: int, start: int, tags: Sequence[tuple[int, int]]
) -> Iterator[bytes]:
    """Spell an element with some of the tags of its CSA header; the first piece is all before these.

    Parameters
    ----------
    data : bytes
        The file.
    header, value : int
        Where the element begins, and its value, whose length stands in the four bytes before.
    start : int
        Where the first tag of the header begins.
    tags : sequence of (int, int)
        Those that stay.
    """
    length = FIRST + sum(stop - at for at, stop in tags)
    size = struct.pack("<I", length)
    count = struct.pack("<I", len(tags))
    yield data[header : value - 4] + size + data[value : value + 8] + count + data[start - 4 : start]
    yield from (data[at:stop] for at, stop in tags)
