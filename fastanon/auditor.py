"""Is any value left? The needles of the original, searched for in what was written."""

from __future__ import annotations

from dataclasses import dataclass

from fastanon.container import read_parts
from fastanon.identity import Needle
from fastanon.opened import Opened
from fastanon.part import Part
from fastanon.planner import Plan
from fastanon.scan import Hit
from fastanon.search import Place, hits_in, hits_in_numbers, left_at, place_in_numbers


@dataclass(frozen=True, slots=True)
class Audit:
    """What was searched, and what was found.

    Attributes
    ----------
    how : str
        ``plan``: the search that planned the edits saw every other byte, and the edits were read back.
        ``copy``: what was written was read again, before it got its name.
    scanned, payload : int
        Bytes that were searched, and bytes that were not because they are bulk data.
    leaks : tuple of Place
        Where something identifying is left.
    structural : int
        Needles met in keys, numbers, codes and kept words.
    packed : tuple of (str, int)
        Name and size of packed texts, which were not searched.
    """

    how: str
    scanned: int
    payload: int
    leaks: tuple[Place, ...]
    structural: int
    packed: tuple[tuple[str, int], ...] = ()


def of_plan(plan: Plan) -> Audit:
    """Give the audit of a file that was patched, or that needed no edit: the plan saw every other byte."""
    return Audit("plan", plan.scanned, plan.payload, plan.leaks, plan.structural, plan.packed)


def of_copy(path: str, needles: tuple[Needle, ...]) -> Audit:
    """Walk and search what was written, payloads left out."""
    with Opened(path) as opened:
        parts = read_parts(opened)
        left = [_left(part, hit) for part in parts for hit in hits_in(part, needles)]
        leaks = tuple(place for place in left if place.where)
        leaks += tuple(place_in_numbers(*hit) for part in parts for hit in hits_in_numbers(part, needles))
        scanned = sum(stop - start for part in parts for start, stop in part.searched())
        payload = sum(end - start for part in parts for start, end in part.payload_runs())
        packed = tuple(run for part in parts for run in part.packed())
    return Audit("copy", scanned, payload, leaks, sum(not place.where for place in left), packed)


def _left(part: Part, hit: Hit) -> Place:
    field = part.field_at(hit.start, hit.end)
    return (
        left_at(part, hit) if field is None else Place(field.name, hit.start, hit.end - hit.start, hit.needle.kind)
    )
