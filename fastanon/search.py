"""What identifies a file: its identifying fields, and every copy of their values outside its payloads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from fastanon import text
from fastanon.chance import Advance, Scanned, Scanner
from fastanon.container import read_parts
from fastanon.fields import Field
from fastanon.identity import Needle, Value, needles_of
from fastanon.opened import Opened
from fastanon.part import Part
from fastanon.profile import FILE_NAME, Replacements, Rule
from fastanon.scan import Hit, find
from fastanon.siemens.spelled import Spelled

_BLOCK, _MARGIN = 16 << 20, 4096  # no needle, joined with its neighbors, is longer than the margin


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere something identifying stands: its path by name, offset, length and kind, never its value."""

    where: str
    offset: int
    length: int
    kind: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a search of one file brought: fields, names of other files, and hits with the text around them."""

    parts: tuple[Part, ...]
    fields: list[tuple[Part, Field, Rule]]
    names: list[tuple[Part, Field]]
    needles: tuple[Needle, ...]
    left_out: int
    hits: list[tuple[Part, Hit, Field | None]]
    spelled: list[tuple[Part, Spelled, Hit]]
    payloads: list[tuple[Part, Scanned]]
    scanned: int
    payload: int
    packed: tuple[tuple[str, int], ...]


def search(
    opened: Opened, replacements: Replacements, payloads: bool = False, advance: Advance = lambda _: None
) -> Finding:
    """Read a file's identifying fields, and find every copy of their values.

    Parameters
    ----------
    opened : Opened
        The file.
    replacements : Replacements
        What the values become, for the needles to tell.
    payloads : bool
        Whether to search the payloads too.
    advance : callable
        Is told of bytes of payload as they are searched.
    """
    parts = read_parts(opened)
    fields, names, needles, left_out = identity_of(parts, replacements)
    hits = [(part, hit) for part in parts for hit in hits_in(part, needles)]
    return Finding(
        parts, fields, names, needles, left_out,
        [(part, hit, part.field_at(hit.start, hit.end)) for part, hit in hits],
        [(part, text, hit) for part in parts for text, hit in hits_in_numbers(part, needles)],
        list(in_payloads(parts, needles, advance)) if payloads else [],
        sum(stop - start for part in parts for start, stop in part.searched()),
        sum(payload.end - payload.start for part in parts for payload in part.payloads()),
        tuple(run for part in parts for run in part.packed()),
    )  # fmt: skip


class IdentityOf(NamedTuple):
    """What says whose file it is: fields and rules, names of other files, needles, number of values without."""

    fields: list[tuple[Part, Field, Rule]]
    names: list[tuple[Part, Field]]
    needles: tuple[Needle, ...]
    left_out: int


def identity_of(parts: Iterable[Part], replacements: Replacements) -> IdentityOf:
    """Read a file's identifying fields, and make needles of their values."""
    every = [(part, f, rule) for part in parts for f, rule in part.identifying()]
    fields = [found for found in every if found[2].kind != FILE_NAME]
    names = [(part, f) for part, f, rule in every if rule.kind == FILE_NAME]
    values = tuple(value for part, f, rule in fields for value in _values(part, f, rule, replacements))
    return IdentityOf(fields, names, *needles_of(values))


def in_payloads(
    parts: Iterable[Part], needles: tuple[Needle, ...], advance: Advance
) -> Iterator[tuple[Part, Scanned]]:
    """Search all payloads of a file."""
    found = [(part, one) for part in parts for one in part.payloads() if one.start < one.end]
    scanner = Scanner(needles, sum(payload.end - payload.start for _, payload in found), advance)
    return ((part, scanner.scan(part, payload)) for part, payload in found if needles)


def hits_in(part: Part, needles: tuple[Needle, ...]) -> Iterator[Hit]:
    """Search a part, payloads left out."""
    if needles:
        for start, stop in part.searched():
            yield from _hits_in_run(part, needles, start, stop)


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


def _values(part: Part, f: Field, rule: Rule, replacements: Replacements) -> Iterator[Value]:
    raw, new = part.bytes_at(*f.value), replacements.of(rule)
    encoding = f.text.encoding if f.text else ""
    if encoding in ("latin-1", "ascii"):  # of Siemens' texts, which declare none
        encoding = text.guessed(raw)
    for value in text.split_values(raw, encoding):
        for group in value.split("=") if rule.kind == "name" else [value]:
            yield Value(rule.kind, group.strip(" ^"), encoding, new)
