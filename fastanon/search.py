"""What identifies a file: its identifying fields, and every copy of their values outside its payloads."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, TypeVar

from fastanon import text
from fastanon.chance import Advance, Scanned, Scanner
from fastanon.container import read_parts
from fastanon.fields import Field, Place
from fastanon.identity import Needle, Value, needles_of
from fastanon.inside import Inside
from fastanon.limits import check
from fastanon.opened import Opened
from fastanon.own import is_own
from fastanon.part import Part, Run
from fastanon.payload import Payload
from fastanon.rules import FILE_NAME, Rule
from fastanon.runs import Runs
from fastanon.scan import Hit, Match, find
from fastanon.scheme import Scheme, Subject
from fastanon.siemens.spelled import Spelled
from fastanon.subjects import Host, Subjects, nobody
from fastanon.uids import SHORTEST, uids_in

BETWEEN = b" " * 8  # of no word in any encoding, and wider than what may stand between the parts of a name
_BLOCK, _MARGIN = 16 << 20, 4096  # no needle, joined with its neighbors, is longer than the margin

T = TypeVar("T")

_DAY = re.compile(r"\D*(\d{4})[-:./]?(\d{2})[-:./]?(\d{2})")


@dataclass(frozen=True, slots=True)
class Searched:
    """One part and what the search of it brought.

    Attributes
    ----------
    part : Part
        A part of the file, or one that lies in a part.
    base : int
        What its offsets are less than those in the file.
    fields : list of (Field, Rule)
        What changes.
    names : list of Field
        Names of other files.
    hits : list of (Hit, Field or None)
        Copies of values, with the text around them.
    uids : list of (Run, bytes)
        UIDs, by their shape.
    spelled : list of (Spelled, Hit)
        Copies in texts that are written as numbers.
    payloads : list of Scanned
        What stands in payloads.
    """

    part: Part
    base: int
    fields: list[tuple[Field, Rule]]
    names: list[Field]
    hits: list[tuple[Hit, Field | None]] = field(default_factory=list)
    uids: list[tuple[Run, bytes]] = field(default_factory=list)
    spelled: list[tuple[Spelled, Hit]] = field(default_factory=list)
    payloads: list[Scanned] = field(default_factory=list)


class Finding(NamedTuple):
    """What a search of one file brought.

    Attributes
    ----------
    parts : tuple of Searched
        Its parts, and the parts that lie in them.
    subjects : Subjects
        Whose it is.
    needles : tuple of Needle
        Its values.
    left_out : int
        How many values were too short or too common to be searched for.
    own : bool
        Whether it is output of the same profile and key: nothing in it is to change.
    """

    parts: tuple[Searched, ...]
    subjects: Subjects
    needles: tuple[Needle, ...]
    left_out: int
    own: bool = False

    @property
    def scanned(self) -> int:
        """Bytes outside payloads that were searched, or go; of own output none was."""
        return 0 if self.own else sum(stop - start for one in self.parts for start, stop in one.part.searched())

    @property
    def payload(self) -> int:
        """Bytes of payload."""
        return sum(payload.end - payload.start for one in self.parts for payload in one.part.payloads())

    @property
    def largest(self) -> Run | None:
        """The largest payload, if there is any."""
        parts = (one.part for one in self.parts if not one.part.space.codec)
        runs = [(payload.start, payload.end) for part in parts for payload in part.payloads()]
        return max(runs, key=lambda run: run[1] - run[0], default=None)

    @property
    def uids(self) -> frozenset[bytes]:
        """All UIDs met."""
        return frozenset(uid for one in self.parts for _, uid in one.uids)


def search(
    opened: Opened,
    scheme: Scheme,
    payloads: bool = False,
    advance: Advance = lambda _: None,
    host: Host = nobody,
    everything: bool = False,
) -> Finding:
    """Read a file's identifying fields, and find every copy of their values.

    Parameters
    ----------
    opened : Opened
        The file.
    scheme : Scheme
        What identifies, and what the values become.
    payloads : bool
        Whether to search the payloads too.
    advance : callable
        Is told of bytes of payload as they are searched.
    host : callable
        Says whose a study is, by its UID, for a file that names nobody.
    everything : bool
        Whether to search also what goes, and what changes as a whole.
    """
    found = identified(read_parts(opened), scheme, host)
    if found.own:
        return found
    find_copies(found, scheme, everything)
    if payloads:
        search_payloads(found, advance)
    return found


def search_payloads(found: Finding, advance: Advance) -> None:
    """Find all copies of a file's values in its payloads."""
    for number, scanned in in_payloads([one.part for one in found.parts], found.needles, advance):
        found.parts[number].payloads.append(scanned)


def identified(parts: Sequence[Part], scheme: Scheme, host: Host = nobody) -> Finding:
    """Read a file's identifying fields and its UIDs, and see whether it is own output; no copy is searched yet."""
    found = identity_of(parts, Subjects(parts, scheme, host), scheme)
    find_uids(found, scheme)
    if is_own([(one.part, one.fields) for one in found.parts], _changing(found), scheme):
        return Finding(
            tuple(Searched(one.part, one.base, [], []) for one in found.parts), found.subjects, (), 0, True
        )
    return found


def find_uids(found: Finding, scheme: Scheme) -> None:
    """Find all UIDs outside payloads, where they are mapped."""
    for one in found.parts if scheme.maps_uids else ():
        one.uids.extend(remembered(one.part, "uids", (), lambda part: list(uids_in(part))))


def find_copies(found: Finding, scheme: Scheme, everything: bool = False) -> None:
    """Find all copies of a file's values outside payloads."""
    for one in found.parts:
        hits = partial(_hits_with_text, found.needles, [] if everything else one.fields)
        one.hits.extend(remembered(one.part, "hits", (found.needles, scheme, everything), hits))
        one.spelled.extend(hits_in_numbers(one.part, found.needles))


def _changing(found: Finding) -> Iterator[bytes]:
    """Give the UIDs in text, which would change."""
    for one in found.parts:
        for run, uid in one.uids:
            if len(uid) >= SHORTEST and one.part.field_at(*run) is not None:
                yield uid


def with_insides(parts: Iterable[Part]) -> Iterator[tuple[Part, int]]:
    """Give all parts, and behind each those that lie in it, with the offsets of these."""
    for part in parts:
        yield part, 0
        yield from ((inside, base) for base, inside in part.insides())


def remembered(part: Part, what: str, given: tuple[object, ...], make: Callable[[Part], list[T]]) -> list[T]:
    """Ask a part, or one that lies in a part for what it was asked before."""
    return part.remember(what, given, lambda: make(part)) if isinstance(part, Inside) else make(part)


def _hits_with_text(
    needles: tuple[Needle, ...], fields: list[tuple[Field, Rule]], part: Part
) -> list[tuple[Hit, Field | None]]:
    """Give all hits with the text around them, but for those in values that change as a whole."""
    whole = Runs(f.value for f, rule in fields if rule.action != "N")
    hits = hits_in(part, needles, (f.outer for f, rule in fields if rule.action == "X"))
    return [(hit, None if whole.hold(hit.start, hit.end) else part.field_at(hit.start, hit.end)) for hit in hits]


def identity_of(parts: Iterable[Part], subjects: Subjects, scheme: Scheme) -> Finding:
    """Read a file's identifying fields, and make needles of their values; nothing is searched yet."""
    found = fields_of(parts, scheme)
    values = tuple(value for one in found for _, value in values_of(one, subjects, scheme))
    return Finding(found, subjects, *needles_of(values))


def fields_of(parts: Iterable[Part], scheme: Scheme) -> tuple[Searched, ...]:
    """Read the identifying fields of a file, and where it names others."""
    found: list[Searched] = []
    for part, base in with_insides(parts):
        every = list(part.identifying(scheme))
        fields = [(f, rule) for f, rule in every if rule.kind != FILE_NAME]
        found.append(Searched(part, base, fields, [f for f, rule in every if rule.kind == FILE_NAME]))
    return tuple(found)


def values_of(one: Searched, subjects: Subjects, scheme: Scheme) -> list[tuple[int, Value]]:
    """Give the values of the identifying fields of a part, each with its offset in it."""
    make = partial(_values_of, fields=one.fields, scheme=scheme, subjects=subjects)
    return remembered(one.part, "values", (scheme, subjects.whole), make)


def _values_of(
    part: Part, fields: list[tuple[Field, Rule]], scheme: Scheme, subjects: Subjects
) -> list[tuple[int, Value]]:
    found: list[tuple[int, Value]] = []
    days: dict[tuple[object, ...], list[Value]] = {}  # of thousands of frames, few are not the same
    for f, rule in (one for one in fields if one[1].kind):
        subject = subjects.at(part, f.value[0])
        key = (part.bytes_at(*f.value), f.text, rule, subject.days) if _is_day(rule) else ()
        values = days.get(key) if key else None
        if values is None:
            values = list(_values(part, f, rule, scheme, subject))
        if key:
            days[key] = values
        found += [(f.value[0], value) for value in values]
    return found


def _is_day(rule: Rule) -> bool:
    return rule.kind == "date" and rule.source != "dob"


class Matched(NamedTuple):
    """A run that was searched already, and the places at which a needle stands in it."""

    run: Run
    matches: list[Match]


def in_payloads(
    parts: Iterable[Part], needles: tuple[Needle, ...], advance: Advance, matched: Matched | None = None
) -> Iterator[tuple[int, Scanned]]:
    """Search all payloads of a file but one that was; give the number of the part with each."""
    found = [(n, part, one) for n, part in enumerate(parts) for one in part.payloads() if one.start < one.end]
    scanner = Scanner(needles, sum(payload.end - payload.start for _, _, payload in found), advance)

    def scanned(part: Part, payload: Payload) -> Scanned:
        if matched is not None and matched.run == (payload.start, payload.end):
            return scanner.judged(part, payload, matched.matches)
        return scanner.scan(part, payload)

    return ((n, scanned(part, payload)) for n, part, payload in found if needles)


def hits_in(part: Part, needles: tuple[Needle, ...], gone: Iterable[Run] = ()) -> Iterator[Hit]:
    """Search a part, payloads and what goes left out."""
    runs = _without(part.searched(), gone) if needles else []
    if sum(stop - start for start, stop in runs) <= _BLOCK:
        yield from _hits_in_small(part, needles, runs)
        return
    for start, stop in runs:
        yield from _hits_in_run(part, needles, start, stop)


def _without(runs: Iterable[Run], gone: Iterable[Run]) -> list[Run]:
    """Take sorted runs out of others."""
    holes, found = sorted(gone), []
    for start, stop in runs:
        at = bisect_left(holes, (start, start))
        while at < len(holes) and holes[at][0] < stop:
            if start <= holes[at][0] and holes[at][1] <= stop:
                found.append((start, holes[at][0]))
                start = holes[at][1]
            at += 1
        found.append((start, stop))
    return [run for run in found if run[0] < run[1]]


def _hits_in_small(part: Part, needles: tuple[Needle, ...], runs: list[Run]) -> Iterator[Hit]:
    """Search all runs at once, with something between them that is in no needle and no word."""
    pieces = [part.read(*run) for run in runs]
    joined = _Joined(runs, part.borders)
    for hit in find(BETWEEN.join(pieces), needles, 0, joined) if pieces else ():
        at = joined.offset(hit.start)
        if joined.offset(hit.end - 1) - at == hit.end - hit.start - 1:  # else it reaches from one run into another
            yield Hit(at, at + hit.end - hit.start, hit.needle)


class _Joined:
    """Runs that are joined: the offset of a byte in its run, and whether a value begins or ends there."""

    def __init__(self, runs: list[Run], borders: Container[int]) -> None:
        self._borders, self._starts, self._moves, at = borders, [0], [runs[0][0] if runs else 0], 0
        for (start, stop), (following, _) in itertools.pairwise(runs):
            at += stop - start + len(BETWEEN)
            self._starts.append(at)
            self._moves.append(following - at)

    def offset(self, at: int) -> int:
        return at + self._moves[bisect_right(self._starts, at) - 1]

    def __contains__(self, at: object) -> bool:
        return isinstance(at, int) and self.offset(at) in self._borders


def hits_in_numbers(part: Part, needles: tuple[Needle, ...]) -> Iterator[tuple[Spelled, Hit]]:
    """Search the texts that are written as numbers; the offsets of hits are those of characters."""
    return ((text, hit) for text in part.spelled() for hit in find(text.text, needles))


def place_in_numbers(text: Spelled, hit: Hit) -> Place:
    """Say where a hit in such a text begins."""
    first, last = text.changes[hit.start][0], text.changes[hit.end - 1][-1]
    return Place(text.name, first.offset, last.offset + len(last.new) - first.offset, hit.needle.kind)


def left_at(part: Part, hit: Hit) -> Place:
    """Say where a hit is left: in a broken text, or in a key, a number or a code, which have no name here."""
    broken = part.broken_at(hit.start, hit.end)
    return Place(broken.name if broken else "", hit.start, hit.end - hit.start, hit.needle.kind)


def _hits_in_run(part: Part, needles: tuple[Needle, ...], start: int, stop: int) -> Iterator[Hit]:
    """Search block by block; what begins in one and ends in the next is found in the first."""
    done = start
    for at in range(start, stop, _BLOCK):
        data = part.read(max(at - _MARGIN, start), min(at + _BLOCK + _MARGIN, stop))
        for hit in find(data, needles, max(at - _MARGIN, start), part.borders):
            if hit.start >= done and hit.start < at + _BLOCK:
                yield hit
                done = hit.end


def _values(part: Part, f: Field, rule: Rule, scheme: Scheme, subject: Subject) -> Iterator[Value]:
    raw = part.bytes_at(*f.value)
    encoding = f.text.encoding if f.text else ""
    if encoding in ("latin-1", "ascii") or not text.is_known(encoding):  # Siemens' texts declare none
        encoding = text.guessed(raw)
    for value in text.split_values(raw, encoding):
        check("values", len(value), "characters in a value that identifies", f.value[0])
        if _is_day(rule):
            yield from _day(rule, value, scheme, subject)
            continue
        new = scheme.new(rule._replace(action="D", vr=""), value, subject) if value.strip(" ^=") else ""
        for group in value.split("=") if rule.kind == "name" else [value]:
            yield Value(rule.kind, group.strip(" ^"), encoding, new, scheme.keyed)


def _day(rule: Rule, value: str, scheme: Scheme, subject: Subject) -> Iterator[Value]:
    """Give the day of a date or a date-time, and the day that it becomes."""
    found = _DAY.match(value)
    if found is not None:
        day = "".join(found.groups())
        yield Value(rule.kind, day, "ascii", (scheme.shifted("DA", day, subject) or "") if scheme.shifts else "")
