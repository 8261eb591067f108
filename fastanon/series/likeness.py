"""A file that differs little from another: what is the same is not searched and planned again."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from fastanon import bulk
from fastanon.auditor import Audit, of_plan
from fastanon.chance import Scanner
from fastanon.edits import Edit
from fastanon.errors import FileError
from fastanon.names import Renamed
from fastanon.opened import Opened
from fastanon.part import Run
from fastanon.payload import Payload
from fastanon.planner import Plan, messages
from fastanon.scan import matcher_of
from fastanon.scheme import Scheme
from fastanon.search import BETWEEN, Searched
from fastanon.series.difference import Difference
from fastanon.series.direct import Direct, directly
from fastanon.series.reduced import Reduced
from fastanon.series.template import Fate, Template, UnlikeError
from fastanon.uids import uids_in_bytes
from fastanon.walk import LENGTH, VALUE

Became = dict[int, tuple[bytes, Fate]]

#: Of edits that were planned for the other file.
RULE = "as another of its series"


class Likeness:
    """What a search of such a file brought: as `Finding`, but for what is the same in the other.

    Parameters
    ----------
    template : Template
        The other file.
    difference : Difference
        This one, and how it differs.
    scheme : Scheme
        What values become.

    Raises
    ------
    UnlikeError
        If they are not alike.
    """

    own = False

    def __init__(self, template: Template, difference: Difference, scheme: Scheme) -> None:
        self._template, self._scheme = template, scheme
        self._layout, self._starts, self._changed = difference
        self._direct = self._directly(self._matched())
        self._planned = [n for n in self._changed if n not in self._direct]
        if any(map(template.is_head, self._planned)):
            raise UnlikeError
        planned = self._planned
        self._reduced = Reduced(template, self._layout, self._starts, planned, scheme) if planned else None
        if not self._same_values():
            raise UnlikeError
        self.subjects, self.needles = template.found.subjects, template.found.needles
        start, length = self._layout.row(template.units[template.payload_unit])[VALUE : LENGTH + 1].tolist()
        self.payload = Payload(start, start + length, template.payload_kind)
        self.left = 0
        self.parts = tuple(Searched(part, 0, [], []) for part in (self._layout.meta, self._layout.dataset))

    def scan(self, scanner: Scanner) -> None:
        """Search the payload."""
        if self.payload.start < self.payload.end:
            self.parts[1].payloads.append(scanner.scan(self._layout.dataset, self.payload))

    @property
    def largest(self) -> Run:
        """The payload."""
        return self.payload.start, self.payload.end

    def _matched(self) -> dict[int, list[Run]]:
        """Give where needles stand in the units that differ; offsets count from the first byte of each.

        Raises
        ------
        UnlikeError
            If one begins in one unit and ends in the next, where one of them differs.
        """
        data, starts = self._layout.data, self._starts
        matcher = matcher_of(self._template.found.needles, 0)
        reach = matcher.longest - 1
        runs = [(max(starts[n] - reach, 0), min(starts[n + 1] + reach, starts[-1])) for n in self._changed]
        offsets = list(accumulate((stop - start + len(BETWEEN) for start, stop in runs), initial=0))
        matched: dict[int, list[Run]] = {}
        for place, number in matcher.find(BETWEEN.join([data[start:stop] for start, stop in runs])):
            run = bisect_right(offsets, place) - 1
            n = self._changed[run]
            first = place - offsets[run] + runs[run][0] - starts[n]
            last, size = first + len(matcher.patterns[number].data), starts[n + 1] - starts[n]
            if last <= 0 or first >= size:
                continue  # in a unit beside it
            if first < 0 or last > size:
                raise UnlikeError
            matched.setdefault(n, []).append((first, last))
        return matched

    def _directly(self, matched: dict[int, list[Run]]) -> dict[int, Direct]:
        """Give what becomes of the units in which little can happen, if no needle and no UID is left there."""
        units, starts, needles = self._template.units, self._starts, self._template.found.needles
        known: dict[int, Direct] = {}
        ends: list[int] = []
        for n in self._changed:
            run = (starts[n], starts[n + 1])
            one = directly(units[n], self._layout, run, self._scheme, needles, matched.get(n, ()))
            if one is not None:
                known[n] = one
                ends.append(len(one.stays) + len(BETWEEN) + (ends[-1] if ends else 0))
        stays = BETWEEN.join(one.stays for one in known.values())
        found = {at for at, _ in matcher_of(needles, len(stays)).find(stays)}
        found |= {run[0] for run, uid in uids_in_bytes(stays) if self._is_old(uid, known)}
        left = {list(known)[bisect_right(ends, at)] for at in found}
        return {n: one for n, one in known.items() if n not in left}

    def _is_old(self, uid: bytes, known: dict[int, Direct]) -> bool:
        """Say whether a UID is none that was put there."""
        is_new = self._scheme.pseudonyms.uid_bits(uid.decode()) and uid not in self._template.uids
        return not is_new or any(uid in one.uids for one in known.values())

    def _same_values(self) -> bool:
        """Say whether the identifying values are those of the other file, in the same order."""
        fates, values = self._template.fates, self._reduced.values if self._reduced else {}
        if not values and not any(fates[n].values for n in self._changed):
            return True
        changed = frozenset(self._changed)
        every = (v for n, one in enumerate(fates) for v in (values.get(n, ()) if n in changed else one.values))
        return tuple(dict.fromkeys(every)) == self._template.values

    @property
    def uids(self) -> frozenset[bytes]:
        """All UIDs of this file, and those of the other."""
        return self._template.uids | self.uids_new

    @property
    def uids_new(self) -> frozenset[bytes]:
        """The UIDs in what differs."""
        found = self._reduced.uids if self._reduced else frozenset()
        return found.union(*(one.uids for one in self._direct.values()))

    def planned(self, opened: Opened, renamed: Renamed) -> Plan | None:
        """Plan the file; None if it has to be done the long way."""
        try:
            return self._plan(opened, renamed)
        except (UnlikeError, FileError):  # whose offset would not be that of the file
            return None

    def _plan(self, opened: Opened, renamed: Renamed) -> Plan:
        self._refuse_names(renamed)
        self._scheme.rows.update(self._template.rows)  # of whom is who a vault may not know from there
        became: Became = {n: (one.new, one.fate) for n, one in self._direct.items()}
        if not self.uids_new.isdisjoint(self._template.uids_left):
            raise UnlikeError
        if self._reduced:
            became |= self._reduced.planned(renamed)
        fates = {n: fate for n, (_, fate) in became.items()}
        self._refuse_moves(fates)
        bulks = tuple(bulk.decide(self._layout.dataset, one, patch=False)[0] for one in self.parts[1].payloads)
        if any(one.left for one in bulks):
            raise UnlikeError
        old, template = self._template.plan, self._template
        edited, cuts, structural, self.left = self._totals(fates)
        plan = old._replace(
            path=opened.path, identity=opened.identity, edits=self._edits(became, opened.size),
            changed=edited, scanned=opened.size - self.payload.size,
            payload=self.payload.size, structural=structural, bulk=bulks,
            messages=messages(template.found.left_out, cuts),
            stays=old.stays and self.largest,
        )  # fmt: skip
        opened.check()
        return plan

    def _refuse_names(self, renamed: Renamed) -> None:
        """Refuse where the names of other files have become others meanwhile."""
        if any(renamed.of(*asked) != given for asked, given in self._template.asked.items()):
            raise UnlikeError

    def _refuse_moves(self, fates: dict[int, Fate]) -> None:
        """Refuse where a private element stays that went, or the length of the meta information changes."""
        template, growth = self._template, 0
        for n, new in fates.items():
            old = template.fates[n]
            if old.removed != new.removed:
                raise UnlikeError
            if template.units[n].part == 0:
                growth += new.growth - old.growth
        if growth:
            raise UnlikeError

    def _totals(self, fates: dict[int, Fate]) -> tuple[int, int, int, int]:
        """Give how many edits there are, pseudonyms cut, needles in keys before and after."""
        old = self._template.fates
        counts = [self._template.totals]
        for n, new in fates.items():
            was = old[n]
            more = (
                new.edits - was.edits,
                new.cuts - was.cuts,
                new.structural - was.structural,
                new.left - was.left,
            )
            counts.append(more)
        edits, cuts, structural, left = map(sum, zip(*counts, strict=True))
        return edits, cuts, structural, left

    def audited(self, plan: Plan, how: str = "") -> Audit:
        """Give the audit of what was planned: what is the same was searched in the other file."""
        if not how and plan.stays is None:
            return of_plan(plan)
        searched = sum(one.size for one in plan.bulk)
        around = plan.scanned + sum(edit.growth for edit in plan.edits)
        return Audit(how or "preview", around + searched, plan.payload - searched, (), self.left, (), plan.bulk)

    def _edits(self, became: Became, size: int) -> tuple[Edit, ...]:
        """Give the edits: one of all before the payload, one of all behind it."""
        unit = self._template.payload_unit
        at, end = self._starts[unit], self._starts[unit + 1]
        before, behind = self._joined(became, 0, unit), self._joined(became, unit + 1, len(self._starts) - 1)
        if self._template.in_place and (len(before) != at or len(behind) != size - end):
            raise UnlikeError
        first = min([self._template.first, *(self._starts[n] for n in self._changed)])
        edits = (Edit(first, at - first, before[first:], RULE), Edit(end, size - end, behind, RULE))
        return tuple(edit for edit in edits if edit.old or edit.new)

    def _joined(self, became: Became, first: int, stop: int) -> bytes:
        """Give what units become: where nothing differs, what those of the other file became."""
        template = self._template
        pieces: list[bytes] = []
        at = first
        for n in (n for n in self._changed if first <= n < stop):
            pieces += (template.output[template.outs[at] : template.outs[n]], template.fates[n].before)
            pieces.append(became[n][0])
            at = n + 1
        pieces.append(template.output[template.outs[at] : template.outs[stop]])
        return b"".join(pieces)
