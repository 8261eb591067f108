"""Is any value left? The needles of the original, searched for in what was written."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from fastanon import bulk
from fastanon.bulk import Bulk
from fastanon.chance import Advance, Scanned
from fastanon.container import read_parts
from fastanon.fields import Field, Place
from fastanon.identity import Needle, Needles
from fastanon.opened import Opened
from fastanon.opening import opened_at
from fastanon.part import Part, holding
from fastanon.planner import Plan
from fastanon.rules import DUMMIES
from fastanon.scheme import Scheme
from fastanon.search import (
    Matched,
    hits_in,
    hits_in_numbers,
    in_payloads,
    left_at,
    place_in_numbers,
    remembered,
    with_insides,
)
from fastanon.uids import SHORTEST, uids_in


class Audit(NamedTuple):
    """What was searched, and what was found.

    Attributes
    ----------
    how : str
        ``plan``: the search that planned the edits saw every other byte, and the edits were read back.
        ``copy``: what was written was read again, before it got its name. ``preview``: what stands around the
        payload afterwards was searched before anything was written, and what was written was read back.
        ``before``: a run before did it, and nothing was searched now.
    scanned, payload : int
        Bytes that were searched, and bytes of payload that were not.
    leaks : tuple of Place
        Where something identifying is left.
    structural : int
        Needles met in keys, numbers, codes and kept words.
    packed : tuple of (str, int)
        Name and size of packed texts, which were not searched.
    bulk : tuple of Bulk
        What was found in the payloads that were searched.
    """

    how: str
    scanned: int
    payload: int
    leaks: tuple[Place, ...]
    structural: int
    packed: tuple[tuple[str, int], ...] = ()
    bulk: tuple[Bulk, ...] = ()


def of_plan(plan: Plan) -> Audit:
    """Give the audit of a file that was patched, or that needed no edit: the plan saw every other byte."""
    searched = sum(one.size for one in plan.bulk)
    scanned, payload = plan.scanned + searched, plan.payload - searched
    return Audit("plan", scanned, payload, plan.leaks, plan.structural, plan.packed, plan.bulk)


def of_preview(preview: Opened, plan: Plan, secrets: Secrets, scheme: Scheme) -> Audit:
    """Give the audit of what will be around the payload of a file; the plan saw the payload."""
    seen = of_opened(preview, secrets, scheme, payloads=False)
    searched = sum(one.size for one in plan.bulk)
    leaks = seen.leaks + tuple(place for one in plan.bulk for place in one.left)
    scanned, payload = seen.scanned + searched, seen.payload - searched
    return seen._replace(how="preview", scanned=scanned, payload=payload, leaks=leaks, bulk=plan.bulk)


class Secrets(NamedTuple):
    """What a copy may not hold: needles of the original, and its UIDs where these are mapped."""

    needles: tuple[Needle, ...]
    uids: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, needles: tuple[Needle, ...], uids: Iterable[bytes] = ()) -> Secrets:
        """Leave out the dates that others or dummies have become: nobody can tell these apart."""
        return cls(_telling(needles), frozenset(uid for uid in uids if len(uid) >= SHORTEST))


@functools.lru_cache(8)  # the slices of a series have the same
def _telling(needles: tuple[Needle, ...]) -> tuple[Needle, ...]:
    dates = [needle for needle in needles if needle.kind == "date"]
    become = {needle.new.encode(needle.codec, "replace") for needle in dates}
    become |= {DUMMIES[vr][:8].encode(codec) for vr in ("DA", "DT") for codec in {n.codec for n in dates}}
    return Needles(needle for needle in needles if needle.kind != "date" or needle.data not in become)


def of_copy(
    path: str,
    secrets: Secrets,
    scheme: Scheme,
    payloads: bool = True,
    advance: Advance = lambda _: None,
    matched: Matched | None = None,
) -> Audit:
    """Walk what was written and search it.

    Parameters
    ----------
    path : str
        The file.
    secrets, scheme, payloads, advance, matched
        As of `of_opened`.
    """
    with opened_at(path) as opened:
        return of_opened(opened, secrets, scheme, payloads, advance, matched)


def of_opened(
    opened: Opened,
    secrets: Secrets,
    scheme: Scheme,
    payloads: bool = True,
    advance: Advance = lambda _: None,
    matched: Matched | None = None,
) -> Audit:
    """Walk an open file and search it.

    Parameters
    ----------
    opened : Opened
        The file.
    secrets : Secrets
        Of the original.
    scheme : Scheme
        What should have changed.
    payloads : bool
        Whether to search the payloads too.
    advance : callable
        Is told of bytes of payload as they are searched.
    matched : Matched, optional
        What was found in a payload when it was read back, as it was written.
    """
    parts = read_parts(opened)
    every = list(with_insides(parts))
    left = places_left(every, secrets, scheme)
    leaks = [place for place in left if place.where]
    seen = _seen(parts, in_payloads(parts, secrets.needles, advance, matched)) if payloads else ()
    leaks += [place for one in seen for place in one.left]
    scanned = sum(stop - start for part, _ in every for start, stop in part.searched())
    searched = sum(one.size for one in seen)
    payload = sum(one.end - one.start for part in parts for one in part.payloads())
    packed = tuple((f.name, f.value[1] - f.value[0]) for part, _ in every for f in part.packed())
    opened.check()
    structural = sum(not place.where for place in left)
    return Audit("copy", scanned + searched, payload - searched, tuple(leaks), structural, packed, seen)


def places_left(every: Iterable[tuple[Part, int]], secrets: Secrets, scheme: Scheme) -> list[Place]:
    """Give the places of all that is left in parts with offsets; those in keys and numbers have no name."""
    return [
        place._replace(offset=place.offset + at)
        for part, at in every
        for place in (
            *_left(part, secrets, scheme),
            *(place_in_numbers(*hit) for hit in hits_in_numbers(part, secrets.needles)),
        )
    ]


def _seen(parts: Sequence[Part], found: Iterable[tuple[int, Scanned]]) -> tuple[Bulk, ...]:
    return tuple(bulk.decide(parts[number], scanned, patch=False)[0] for number, scanned in found)


def _left(part: Part, secrets: Secrets, scheme: Scheme) -> list[Place]:
    """Give the places of all hits; without a name those in keys, numbers and codes that no rule replaces."""
    uids = [found for found in remembered(part, "uids", (), _uids) if found[1] in secrets.uids]
    hits = partial(_hits_left, secrets.needles, scheme)
    left = remembered(part, "left", (secrets.needles, scheme), hits)
    return [*left, *_uids_left(part, uids, scheme)] if uids else left


def _uids(part: Part) -> list[tuple[tuple[int, int], bytes]]:
    return list(uids_in(part))


def _hits_left(needles: tuple[Needle, ...], scheme: Scheme, part: Part) -> list[Place]:
    left = []
    own: list[Field] | None = None
    for hit in hits_in(part, needles):
        own = _changing(part, scheme) if own is None else own
        f = part.field_at(hit.start, hit.end) or holding(own, hit.start, hit.end)
        size = hit.end - hit.start
        left.append(left_at(part, hit) if f is None else Place(f.name, hit.start, size, hit.needle.kind))
    return left


def _uids_left(part: Part, uids: list[tuple[tuple[int, int], bytes]], scheme: Scheme) -> Iterator[Place]:
    own = _changing(part, scheme)
    for (start, end), _ in uids:
        f = part.field_at(start, end) or holding(own, start, end)
        if f is not None:
            yield Place(f.name, start, end - start, "UID")


def _changing(part: Part, scheme: Scheme) -> list[Field]:
    """Give the fields whose values should have changed."""
    changed = (f for f, rule in part.identifying(scheme) if rule.action != "N")
    return sorted(changed, key=lambda f: f.value)
