"""What identifies a file: its identifying fields, and every copy of their values outside its payloads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastanon import text
from fastanon.container import read_parts
from fastanon.fields import Field
from fastanon.identity import Needle, Value, needles_of
from fastanon.opened import Opened
from fastanon.part import Part
from fastanon.profile import FILE_NAME, Replacements, Rule
from fastanon.scan import Hit, find

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
    scanned: int
    payload: int
    packed: tuple[tuple[str, int], ...]


def search(opened: Opened, replacements: Replacements) -> Finding:
    """Read a file's identifying fields, and find every copy of their values outside its payloads."""
    parts = read_parts(opened)
    every = [(part, f, rule) for part in parts for f, rule in part.identifying()]
    fields = [found for found in every if found[2].kind != FILE_NAME]
    names = [(part, f) for part, f, rule in every if rule.kind == FILE_NAME]
    values = [value for part, f, rule in fields for value in _values(part, f, rule, replacements)]
    charsets = {f.text.encoding for _, f, _ in fields if f.text}
    needles, left_out = needles_of(values, charsets)
    hits = [(part, hit) for part in parts for hit in hits_in(part, needles)]
    return Finding(
        parts, fields, names, needles, left_out,
        [(part, hit, part.field_at(hit.start, hit.end)) for part, hit in hits],
        sum(stop - start for part in parts for start, stop in part.searched()),
        sum(end - start for part in parts for start, end in part.payload_runs()),
        tuple(run for part in parts for run in part.packed()),
    )  # fmt: skip


def hits_in(part: Part, needles: tuple[Needle, ...]) -> Iterator[Hit]:
    """Search a part, payloads left out."""
    if needles:
        for start, stop in part.searched():
            yield from _hits_in_run(part, needles, start, stop)


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
    raw, encoding, new = part.bytes_at(*f.value), f.text.encoding if f.text else "", replacements.of(rule)
    raws = raw.split(b"\\") if "\\" in encoding and b"\x1b" in raw else [b""]
    for n, value in enumerate(text.split_values(raw, encoding)):
        groups = value.split("=") if rule.kind == "name" else [value]
        raw_groups = raws[n].split(b"=") if n < len(raws) else []
        for g, group in enumerate(groups):
            yield Value(rule.kind, group.strip(" ^"), raw_groups[g] if g < len(raw_groups) else b"", new)
