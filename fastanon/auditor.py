"""Is any value left? The needles of the original, searched for in what was written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fastanon import bulk
from fastanon.bulk import Bulk
from fastanon.chance import Advance, Scanned
from fastanon.container import read_parts
from fastanon.identity import Needle
from fastanon.opened import Opened
from fastanon.part import Part, holding
from fastanon.planner import Plan
from fastanon.search import Place, hits_in, hits_in_numbers, in_payloads, left_at, place_in_numbers


@dataclass(frozen=True, slots=True)
class Audit:
    """What was searched, and what was found.

    Attributes
    ----------
    how : str
        ``plan``: the search that planned the edits saw every other byte, and the edits were read back.
        ``copy``: what was written was read again, before it got its name.
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


def of_copy(
    path: str, needles: tuple[Needle, ...], payloads: bool = True, advance: Advance = lambda _: None
) -> Audit:
    """Walk what was written and search it.

    Parameters
    ----------
    path : str
        The file.
    needles : tuple of Needle
        Of the original.
    payloads : bool
        Whether to search the payloads too.
    advance : callable
        Is told of bytes of payload as they are searched.
    """
    with Opened(path) as opened:
        parts = read_parts(opened)
        left = [place for part in parts for place in _left(part, needles)]
        leaks = [place for place in left if place.where]
        leaks += [place_in_numbers(*hit) for part in parts for hit in hits_in_numbers(part, needles)]
        seen = _seen(in_payloads(parts, needles, advance)) if payloads else ()
        leaks += [place for one in seen for place in one.left]
        scanned = sum(stop - start for part in parts for start, stop in part.searched())
        searched = sum(one.size for one in seen)
        payload = sum(one.end - one.start for part in parts for one in part.payloads())
        packed = tuple(run for part in parts for run in part.packed())
        opened.check()
    structural = sum(not place.where for place in left)
    return Audit("copy", scanned + searched, payload - searched, tuple(leaks), structural, packed, seen)


def _seen(found: Iterable[tuple[Part, Scanned]]) -> tuple[Bulk, ...]:
    return tuple(bulk.decide(part, scanned, patch=False)[0] for part, scanned in found)


def _left(part: Part, needles: tuple[Needle, ...]) -> Iterator[Place]:
    """Give the places of all hits; without a name those in keys, numbers and codes that no rule replaces."""
    own = sorted((f for f, _ in part.identifying()), key=lambda f: f.value)
    for hit in hits_in(part, needles):
        f = part.field_at(hit.start, hit.end) or holding(own, hit.start, hit.end)
        yield left_at(part, hit) if f is None else Place(f.name, hit.start, hit.end - hit.start, hit.needle.kind)
