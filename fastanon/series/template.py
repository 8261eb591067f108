"""A file that was done the long way, unit by unit: what the search of each brought, and what it became."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from fastanon import dictionary
from fastanon.auditor import Secrets, places_left
from fastanon.container import read_parts
from fastanon.copies import CUT
from fastanon.edits import Edit, edited
from fastanon.fields import Place
from fastanon.identity import Value
from fastanon.markers import CODES, DATES, METHOD, REMOVED
from fastanon.names import Renamed
from fastanon.planner import Plan, drafts_of
from fastanon.positioned import Positioned
from fastanon.rules import Rule
from fastanon.scheme import Scheme
from fastanon.search import Finding, values_of, with_insides
from fastanon.series.layout import Layout
from fastanon.uids import uids_in

#: Kinds of units. What another file has in them may be: anything; nothing else; a number or a code, which stays;
#: words that no rule is for; UIDs, which are mapped; what has to be planned; a tag of a CSA header.
PAYLOAD, SAME, PLAIN, WORDS, UID, ELEMENT, TAG = range(7)

_INSERTED = ("marker", "filling")  # rules of elements that are new
_CHARACTER_SET = 0x00080005
#: What says how others are read, whose they are, and what was done: character set, image type, patient, study,
#: markers. A file that differs in them is not like this one.
_SAME = frozenset((
    0x00020000, 0x00020010, _CHARACTER_SET, 0x00080008, 0x00100010, 0x00100020, 0x0020000D, 0x00280301,
    REMOVED, METHOD, CODES, DATES,
))  # fmt: skip
_DIRECTORY = 0x0004  # the group of a DICOMDIR
_DATA_TYPE = 0x0008  # (0029,xx08), CSA Data Type: what kind a payload is of


class UnlikeError(Exception):
    """No other file can be planned by this one."""


class Unit(NamedTuple):
    """What kind a unit is of, and where it is: part, number among its top level, number of a CSA header's tag."""

    kind: int
    part: int = 0
    number: int = 0
    tag: int = -1


class Fate(NamedTuple):
    """What became of one unit.

    Attributes
    ----------
    edits, cuts : int
        How many, without what was inserted before it, and in how many of them a pseudonym was cut.
    growth : int
        How many bytes it became longer.
    before : bytes
        What was inserted in front of it.
    removed : bool
        Whether it went as a whole.
    structural, left : int
        Needles in keys, numbers and codes, before and after.
    values : tuple of Value
        Those of its identifying fields.
    """

    edits: int = 0
    cuts: int = 0
    growth: int = 0
    before: bytes = b""
    removed: bool = False
    structural: int = 0
    left: int = 0
    values: tuple[Value, ...] = ()


class Template:
    """One file.

    Parameters
    ----------
    layout : Layout
        Where its units begin.
    found, plan, renamed
        What the search brought, and what was planned, and under which names.
    scheme : Scheme
        What values became.
    in_place : bool
        Whether it stayed where it was, and its payload too.

    Attributes
    ----------
    units : list of Unit
        In order.
    payload_unit : int
        Which of them is the payload.
    starts, outs : list of int
        Where each begins, and where what it became does; and the ends of both.
    fates : list of Fate
        For each.
    output : bytes
        The whole file as it became.
    first : int
        Where it begins to be another.

    Raises
    ------
    UnlikeError
        If an edit reaches across units, or what becomes of one depends on others.
    """

    def __init__(
        self, layout: Layout, found: Finding, plan: Plan, renamed: Renamed, scheme: Scheme, in_place: bool
    ) -> None:
        self.layout, self.found, self.plan, self.renamed = layout, found, plan, renamed
        self.asked, self.rows = dict(renamed.asked), dict(scheme.rows)
        self.in_place = in_place
        self.data = layout.data
        self.payload_kind = layout.dataset.payloads()[0].kind
        self.secrets = Secrets.of(found.needles, found.uids)
        self._edits_by_unit: list[list[Edit]] = []
        self._cut()
        self._assign(plan.edits)
        self.output = edited(self.data, plan.edits)
        self.uids = found.uids
        self.first = plan.edits[0].offset if plan.edits else len(self.data)
        self._weigh(scheme)
        cuts, structural, left = (
            sum(getattr(one, name) for one in self.fates) for name in ("cuts", "structural", "left")
        )
        self.totals = len(plan.edits), cuts, structural, left
        self.values = tuple(dict.fromkeys(value for one in self.fates for value in one.values))

    def _cut(self) -> None:
        """Make the units: the preamble, elements, and tags of CSA headers that stay."""
        layout, dataset = self.layout, self.layout.dataset
        gone = {e.offset for e in self.plan.edits if not e.new}
        self.split: list[tuple[int, int]] = []
        fields = {f.outer[0]: rule for one in self.found.parts if not one.base for f, rule in one.fields}
        self.units = [Unit(SAME)]
        self.units += [Unit(self._kind(0, n, fields), 0, n) for n in range(len(layout.tops[0]))]
        for number, row in enumerate(layout.tops[1].tolist()):
            kind = self._kind(1, number, fields)
            self.units.append(Unit(kind, 1, number))
            tags = layout.tags_of(row) if row in dataset.inside_rows and kind == ELEMENT else None
            if tags and dataset.elements.headers[row] not in gone:
                self.split.append((number, len(tags) - 1))
                self.units[-1] = Unit(PLAIN, 1, number)
                self.units += [Unit(TAG, 1, number, tag) for tag in range(len(tags) - 1)]
        starts = layout.starts(self.split)
        assert starts is not None
        self.starts = starts
        self.payload_unit = next(n for n, one in enumerate(self.units) if one.kind == PAYLOAD)

    def _kind(self, part: int, number: int, fields: Mapping[int, Rule]) -> int:
        both = (self.layout.meta, self.layout.dataset)[part]
        row = int(self.layout.tops[part][number])
        tag = both.elements.tags[row]
        if row in both.payload_rows:
            return PAYLOAD
        if tag in _SAME or not tag & 0xFFFF or dictionary.is_private_creator(tag):
            return SAME
        if tag >> 16 == 0x0029 and tag & 0xFF == _DATA_TYPE:
            return SAME
        element, rule = both.elements[row], fields.get(both.elements.headers[row])
        if element.nested:
            return ELEMENT
        if rule is not None:
            return UID if rule.action == "U" and element.real_vr == "UI" else ELEMENT
        return PLAIN if both.is_plain(row) else WORDS if element.real_vr in dictionary.TEXT_VRS else ELEMENT

    def is_head(self, unit: int) -> bool:
        """Say whether a unit is the head of a CSA header: no element of its own."""
        return [one.kind for one in self.units[unit : unit + 2]] == [PLAIN, TAG]

    def around(self, units: Iterable[int]) -> list[int]:
        """Give the units that say how others are read: the character set, and the creators of private groups."""
        groups = {self.layout.tag(self.units[n]) >> 16 for n in units if self.units[n].part}
        tags = ((n, self.layout.tag(one)) for n, one in enumerate(self.units) if one.kind == SAME and one.part)
        return [n for n, tag in tags if tag == _CHARACTER_SET or (tag >> 16 & 1 and tag >> 16 in groups)]

    def unit_at(self, offset: int, behind: bool = False) -> int:
        """Give the number of the unit that holds a byte, or ends there: what is inserted behind a value is its."""
        return bisect_right(self.starts, offset - behind) - 1

    def _assign(self, edits: Iterable[Edit]) -> None:
        by_unit: list[list[Edit]] = [[] for _ in self.units]
        for edit in edits:
            unit = self.unit_at(edit.offset, behind=not edit.old and edit.rule not in _INSERTED)
            if edit.end > self.starts[unit + 1] or self.units[unit].kind == PAYLOAD:
                raise UnlikeError
            by_unit[unit].append(edit)
        self._edits_by_unit = by_unit
        self.outs, at = [], 0
        for unit, own in enumerate(by_unit):
            self.outs.append(at)
            at += self.starts[unit + 1] - self.starts[unit] + sum(e.growth for e in own)
        self.outs.append(at)

    def _weigh(self, scheme: Scheme) -> None:
        """Say of each unit what was found in it, and what is left."""
        structural = self._structural(scheme)
        left = self._left(scheme)
        values: dict[int, list[Value]] = {}
        for one in self.found.parts:
            for offset, value in values_of(one, self.found.subjects, scheme):
                values.setdefault(self.unit_at(offset + one.base), []).append(value)
        self.fates = []
        for unit, own in enumerate(self._edits_by_unit):
            start, stop = self.starts[unit : unit + 2]
            before = [e for e in own if not e.old and e.offset == start and e.rule in _INSERTED]
            inside = [e for e in own if e not in before]
            self.fates.append(Fate(
                len(inside), sum(e.rule.endswith(CUT) for e in inside), sum(e.growth for e in inside),
                b"".join(e.new for e in before),
                any((e.offset, e.end) == (start, stop) and not e.new for e in inside),
                structural.get(unit, 0), left.get(unit, 0), tuple(values.get(unit, ())),
            ))  # fmt: skip

    def _structural(self, scheme: Scheme) -> dict[int, int]:
        drafts = drafts_of(self.found, scheme, self.renamed, True)
        return _counted(self.starts, [(place, base) for draft, base in drafts for place in draft.left])

    def _left(self, scheme: Scheme) -> dict[int, int]:
        """Search what it became, as the audit of a copy does."""
        new = self.output
        held = Positioned(self.plan.path, len(new), lambda start, stop: new[start:stop], lambda: None)
        parts = list(with_insides(read_parts(held)))
        left = places_left(parts, self.secrets, scheme)
        if any(place.where for place in left) or any(part.packed() or part.notes for part, _ in parts):
            raise UnlikeError
        self.uids_left = frozenset(uid for part, _ in parts for _, uid in uids_in(part))
        return _counted(self.outs, [(place, 0) for place in left])


def _counted(starts: list[int], places: Iterable[tuple[Place, int]]) -> dict[int, int]:
    """Count places without a name by the unit in which they begin."""
    found: dict[int, int] = {}
    for place, base in places:
        if not place.where:
            unit = bisect_right(starts, place.offset + base) - 1
            found[unit] = found.get(unit, 0) + 1
    return found


def is_fit(layout: Layout, found: Finding, plan: Plan, scheme: Scheme) -> bool:
    """Say whether others may be planned by a file: nothing in it is out of the ordinary."""
    dataset = layout.dataset
    tags = dataset.elements.tags
    clean = not (plan.leaks or plan.warnings or plan.packed or any(one.patched for one in plan.bulk))
    counted = not scheme.strips and (dataset.elements.counted or scheme.keyed)
    payloads = [one for part in found.parts for one in part.part.payloads()]
    rows = [i for part in (layout.meta, layout.dataset) for i in part.payload_rows]
    return (
        clean
        and not found.own
        and found.subjects.named
        and not counted
        and "clean-pixel-data" not in scheme.profile.options
        and len(payloads) == 1
        and dataset.elements.parents[rows[0]] < 0
        and not any(tag >> 24 in (0x50, 0x60) or tag >> 16 == _DIRECTORY for tag in tags)
    )
