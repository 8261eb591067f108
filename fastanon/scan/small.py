"""The scanner of the standard library: `bytes.find` for each needle. It imports nothing that is slow to load."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from fastanon.identity import JOINERS, Needle

_BETWEEN = frozenset("".join(JOINERS) + "'=")
_WIDEST_GAP = 3


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where a needle stands; offsets count in the space that was searched."""

    start: int
    end: int
    needle: Needle


def find(data: bytes, needles: Iterable[Needle], base: int = 0, borders: Container[int] = ()) -> list[Hit]:
    """Find every place of every needle, and join what belongs together.

    Parameters
    ----------
    data : bytes
        What is searched.
    needles : iterable of Needle
        What for.
    base : int
        Offset of the first byte of `data`.
    borders : container of int
        Offsets at which a value begins or ends: a word does too, whatever the byte beyond looks like.

    Returns
    -------
    list of Hit
        Disjoint, in order. Hits that overlap, and parts of a name with only a joiner between them, are one.
    """
    folded = data.lower()
    found = [
        Hit(at, at + len(needle.data), needle)
        for needle in needles
        for at in _find_one(folded if needle.fold else data, needle.data)
        if not needle.short or _is_word(data, at, needle, base, borders)
    ]
    found.sort(key=lambda h: (h.start, -h.end))
    return [Hit(base + h.start, base + h.end, h.needle) for h in _merged(found, data)]


def _find_one(haystack: bytes, needle: bytes) -> Iterator[int]:
    at = haystack.find(needle)
    while at >= 0:
        yield at
        at = haystack.find(needle, at + 1)


def _is_word(data: bytes, at: int, needle: Needle, base: int, borders: Container[int]) -> bool:
    end = at + len(needle.data)
    return (_stops(data, at - needle.unit, needle) or base + at in borders) and (
        _stops(data, end, needle) or base + end in borders
    )


def _stops(data: bytes, at: int, needle: Needle) -> bool:
    """Say whether the character at an offset is no part of a word."""
    if at < 0 or at + needle.unit > len(data):
        return True
    code = data[at] | data[at + 1] << 8 if needle.unit == 2 else data[at]
    return not (chr(code).isalnum() or (needle.unit == 1 and code > 0x7F))


def _merged(found: list[Hit], data: bytes) -> list[Hit]:
    merged: list[Hit] = []
    for hit in found:
        last = merged[-1] if merged else None
        if last and (hit.start < last.end or _belong(last, hit, data)):
            # the longer of the two says what it is
            needle = max(last, hit, key=lambda h: h.end - h.start).needle
            merged[-1] = Hit(last.start, max(last.end, hit.end), needle)
        else:
            merged.append(hit)
    return merged


def _belong(last: Hit, hit: Hit, data: bytes) -> bool:
    a, b = last.needle, hit.needle
    if a.kind != "name" or (b.kind, b.new, b.unit) != (a.kind, a.new, a.unit):
        return False
    gap = data[last.end : hit.start]
    return len(gap) <= _WIDEST_GAP * a.unit and set(gap.decode("latin-1").replace("\0", "")) <= _BETWEEN
