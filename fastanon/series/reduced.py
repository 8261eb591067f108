"""What differs between a file and another, as a dataset of its own: planned and audited the long way."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from fastanon import walk
from fastanon.auditor import Secrets, places_left
from fastanon.copies import CUT
from fastanon.dicom import DicomPart
from fastanon.edits import edited, in_order
from fastanon.elements import read_elements
from fastanon.fields import Place, Space
from fastanon.identity import Value
from fastanon.names import Renamed
from fastanon.part import Part
from fastanon.planner import drafts_of, joined
from fastanon.scheme import Scheme
from fastanon.search import Finding, fields_of, find_copies, find_uids, values_of, with_insides
from fastanon.series.layout import Layout, shortened
from fastanon.series.template import TAG, Fate, Template, UnlikeError

_AROUND = -1  # the unit of what is there only to say how others are read


class Reduced:
    """Some units of a file, and what says how they are read.

    Parameters
    ----------
    template : Template
        The other file.
    layout, starts
        Where the units of this one begin.
    units : sequence of int
        Those that differ, in order.

    Attributes
    ----------
    values : dict of int to list of Value
        Of the identifying fields of each unit.
    """

    def __init__(
        self, template: Template, layout: Layout, starts: list[int], units: Sequence[int], scheme: Scheme
    ) -> None:
        self._template, self._scheme = template, scheme
        self._layout, self._starts, self.units = layout, starts, units
        self._at: list[int] = []  # where each piece begins in this dataset
        self._of: list[int] = []  # and which unit it is
        pieces: list[bytes] = []
        size = meta = 0
        for unit, piece in self._pieces():
            self._at.append(size)
            self._of.append(unit)
            pieces.append(piece)
            size += len(piece)
            if unit >= 0 and template.units[unit].part == 0:
                meta = size
        self._data, self._meta = b"".join(pieces), meta
        self.parts = self._read(self._data, meta)
        subjects = template.found.subjects
        self._found = Finding(fields_of(self.parts, scheme), subjects, template.found.needles, 0)
        self.values: dict[int, list[Value]] = {}
        for one in self._found.parts:
            for offset, value in values_of(one, subjects, scheme):
                self.values.setdefault(self._unit_at(self._at, offset + one.base), []).append(value)
        find_uids(self._found, scheme)
        self.uids = frozenset(uid for one in self._found.parts for _, uid in one.uids)

    def _pieces(self) -> Iterator[tuple[int, bytes]]:
        """Give the units and what stands around them, in the order of the file."""
        template, data = self._template, self._layout.dataset.data
        assert isinstance(data, bytes)
        every = dict.fromkeys(template.around(self.units), _AROUND)
        every.update(zip(self.units, self.units, strict=True))
        tags: dict[int, list[int]] = {}
        for unit in sorted(every):
            if template.units[unit].kind == TAG:
                tags.setdefault(template.units[unit].number, []).append(unit)
        for unit in sorted(every):
            one = template.units[unit]
            if one.kind != TAG:
                yield every[unit], data[self._starts[unit] : self._starts[unit + 1]]
            elif unit == tags[one.number][0]:
                yield from self._header(data, one.number, tags[one.number])

    def _header(self, data: bytes, number: int, units: list[int]) -> Iterator[tuple[int, bytes]]:
        row = int(self._layout.tops[1][number])
        table = self._layout.tables[1]
        first = int(table[row, walk.VALUE]) + 16
        runs = [(self._starts[unit], self._starts[unit + 1]) for unit in units]
        pieces = shortened(data, int(table[row, walk.HEADER]), int(table[row, walk.VALUE]), first, runs)
        yield from zip((_AROUND, *units), pieces, strict=True)

    def _read(self, data: bytes, meta: int) -> tuple[Part, ...]:
        mode = int(self._layout.tables[1][0, walk.FLAGS]) & walk.IMPLICIT
        runs = ((0, meta, 0), (meta, len(data), mode))
        return tuple(
            DicomPart(Space(), data, read_elements(data, start, stop, mode, compiled=True), start, stop)
            for start, stop, mode in runs
            if start < stop
        )

    def _unit_at(self, starts: list[int], offset: int) -> int:
        return self._of[bisect_right(starts, offset) - 1]

    def planned(self, renamed: Renamed) -> dict[int, tuple[bytes, Fate]]:
        """Give what becomes of each unit, and what is left then.

        Raises
        ------
        UnlikeError
            If the long way has more to say.
        """
        scheme = self._scheme
        find_copies(self._found, scheme)
        drafts = list(drafts_of(self._found, scheme, renamed, True))
        if any(draft.leaks for draft, _ in drafts) or any(one.part.notes for one in self._found.parts):
            raise UnlikeError
        edits = in_order(joined(drafts, 1, len(self._data))[0], len(self._data))
        ends = [*self._at[1:], len(self._data)]
        own: dict[int, list[int]] = {unit: [0, 0, 0, 0] for unit in self.units}
        moved = [0] * len(self._at)
        for edit in edits:
            piece = bisect_right(self._at, edit.offset - (not edit.old)) - 1
            if edit.end > ends[piece]:
                raise UnlikeError
            moved[piece] += edit.growth
            if self._of[piece] >= 0:
                counts = own[self._of[piece]]
                counts[0] += 1
                counts[1] += edit.rule.endswith(CUT)
                counts[2] += edit.growth
                counts[3] |= (edit.offset, edit.end) == (self._at[piece], ends[piece]) and not edit.new
        new = edited(self._data, edits)
        outs = [0]
        for start, end, more in zip(self._at, ends, moved, strict=True):
            outs.append(outs[-1] + end - start + more)
        left = self._left(new, outs)
        structural = self._counted(self._at, ((p, base) for d, base in drafts for p in d.left))
        return {
            unit: (
                new[outs[n] : outs[n + 1]],
                Fate(own[unit][0], own[unit][1], own[unit][2], b"", bool(own[unit][3]),
                        structural.get(unit, 0), left.get(unit, 0)),
            )
            for n, unit in enumerate(self._of)
            if unit >= 0
        }  # fmt: skip

    def _left(self, new: bytes, outs: list[int]) -> dict[int, int]:
        """Search what it became, as the audit of a copy does."""
        meta = next(
            (out for out, at in zip(outs, [*self._at, len(self._data)], strict=True) if at == self._meta), 0
        )
        parts = list(with_insides(self._read(new, meta)))
        old = self._template.secrets
        secrets = Secrets(old.needles, old.uids | self.uids)
        left = places_left(parts, secrets, self._scheme)
        if any(place.where for place in left) or any(part.packed() or part.notes for part, _ in parts):
            raise UnlikeError
        return self._counted(outs, ((place, 0) for place in left))

    def _counted(self, starts: list[int], places: Iterable[tuple[Place, int]]) -> dict[int, int]:
        found: dict[int, int] = {}
        for place, base in places:
            if not place.where:
                unit = self._unit_at(starts, place.offset + base)
                found[unit] = found.get(unit, 0) + 1
        return found
