"""In which units a file differs from another of its series.

Most slices have the very same tags and lengths. Then the bytes that differ are those of values alone, and the file
is cut where the other was, without a walk.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastanon import walk
from fastanon.opened import Opened
from fastanon.series.layout import Layout
from fastanon.series.template import PAYLOAD, SAME, TAG, Template, UnlikeError
from fastanon.siemens.csa import values_in

_AT_ONCE = 16  # units
_NOT_FREE = -1
#: Of what has no VR, or UN, the first bytes say whether it is a sequence.
_UNKNOWN_VRS = (0, int.from_bytes(b"UN", "little"))


class Difference(NamedTuple):
    """A file that was cut as another, the offsets of its units and of its end, and which of them differ."""

    layout: Layout
    starts: list[int]
    changed: list[int]


def walked(template: Template, layout: Layout) -> Difference:
    """Compare a file that was walked, unit by unit.

    Raises
    ------
    UnlikeError
        If it has other elements, or differs in what has to be the same.
    """
    starts = layout.starts(template.split)
    if starts is None:
        raise UnlikeError
    units, payload = template.units, template.payload_unit
    changed = [
        *_differing(template, layout, starts, 0, payload),
        *_differing(template, layout, starts, payload + 1, len(units)),
    ]
    places = {(units[n].part, units[n].number) for n in changed}
    if any(units[n].kind == SAME for n in changed) or any(
        template.layout.shape(*place) != layout.shape(*place) for place in places
    ):
        raise UnlikeError
    return Difference(layout, starts, changed)


def _differing(template: Template, layout: Layout, b: list[int], first: int, stop: int) -> Iterator[int]:
    """Give the units that are not the same, of some that follow each other: many at a time are compared."""
    old, new, a = template.data, layout.data, template.starts
    for n in range(first, stop, _AT_ONCE):
        end = min(n + _AT_ONCE, stop)
        if old[a[n] : a[end]] != new[b[n] : b[end]]:
            yield from (i for i in range(n, end) if old[a[i] : a[i + 1]] != new[b[i] : b[i + 1]])


class Frame:
    """The bytes of a file that say how others are read, and those of values, which say nothing but themselves.

    Parameters
    ----------
    template : Template
        The other file.
    difference : Difference
        This one, which was walked.
    """

    def __init__(self, template: Template, difference: Difference) -> None:
        self._template = template
        layout, self._starts, self._changed = difference
        unit, starts = template.payload_unit, self._starts
        payload = layout.row(template.units[unit])
        self._is_fit = not payload[walk.FLAGS] & walk.UNDEFINED  # of which fragments say where it ends
        self.size = len(layout.data)
        around = (
            (range(unit), slice(0, int(payload[walk.VALUE]))),
            (range(unit + 1, len(starts) - 1), slice(starts[unit + 1], self.size)),
        )
        self._around = [
            (run, np.frombuffer(layout.data[run], np.uint8), self._units_of(layout, units, run))
            for units, run in around
        ]
        self._layout = layout.of(b"")  # the payload is not kept

    def _units_of(self, layout: Layout, units: range, run: slice) -> npt.NDArray[np.int32]:
        """Give for each byte of a run the number of its unit, where it is one of a value."""
        found = np.full(run.stop - run.start, _NOT_FREE, np.int32)
        for n in units:
            for start, end in self._values(layout, n):
                found[start - run.start : end - run.start] = n
        return found

    def _values(self, layout: Layout, n: int) -> Iterator[tuple[int, int]]:
        """Give the runs of a unit that may be anything without another one being read otherwise."""
        starts, unit = self._starts, self._template.units[n]
        if unit.kind == TAG:
            yield from values_in(layout.data, starts[n], starts[n + 1])
        elif unit.kind not in (SAME, PAYLOAD) and not self._template.is_head(n):
            row = layout.row(unit)
            if row[walk.VR] not in _UNKNOWN_VRS and not row[walk.FLAGS] & (walk.NESTED | walk.UNDEFINED):
                yield int(row[walk.VALUE]), starts[n + 1]

    def difference(self, opened: Opened) -> Difference | None:
        """Compare a file of the same size; None where it may have to be cut otherwise."""
        data, template = opened.view, self._template
        if not self._is_fit or opened.size != self.size or not isinstance(data, bytes):
            return None
        other, seen = np.frombuffer(data, np.uint8), np.zeros(len(template.units), np.bool_)
        for run, own, units in self._around:
            found = units[np.flatnonzero(own != other[run])]
            if len(found) and found.min() == _NOT_FREE:
                return None
            seen[found] = True
        seen[self._changed] = True
        old, a, b = template.data, template.starts, self._starts
        differ = [n for n in np.flatnonzero(seen).tolist() if old[a[n] : a[n + 1]] != data[b[n] : b[n + 1]]]
        return Difference(self._layout.of(data, opened), b, differ)
