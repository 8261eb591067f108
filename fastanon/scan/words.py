"""Needles in bytes: matches that are words, and neighbors joined."""

from __future__ import annotations

import functools
from collections.abc import Container, Iterable
from typing import NamedTuple

from fastanon.identity import Needle, Needles
from fastanon.limits import check
from fastanon.scan.door import is_little, matcher
from fastanon.scan.pattern import Matcher, Pattern
from fastanon.spellings import JOINERS

_BETWEEN = frozenset("".join(JOINERS) + "'=")
_WIDEST_GAP = 3
_LAST_OF_ALPHABETS = 0x5FF
_KEPT = 32
_compiled: dict[tuple[Needle, ...], Matcher] = {}  # the last few
_LONGEST_RUN = 512  # of ideographs after one escape


class Hit(NamedTuple):
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

    Raises
    ------
    MalformedError
        If there are more than the limit.
    """
    known = needles if isinstance(needles, Needles) else tuple(needles)
    matches = matcher_of(known, len(data)).find(data)
    check("hits", len(matches), "places where a value stands", base or None)
    places = [(at, known[number]) for at, number in matches]
    little = {(at, len(needle.data)) for at, needle in places if needle.codec == "utf-16-le"}
    found = [
        Hit(at, at + len(needle.data), needle)
        for at, needle in places
        # text in UTF-16 of either order is found as both, but where it ends
        if not (needle.codec == "utf-16-be" and (at, len(needle.data) + 1) in little)
        and (not needle.short or is_word(data, at, at + len(needle.data), needle, base, borders))
        and (not needle.escape or _is_designated(data, at, needle.escape))
    ]
    found.sort(key=lambda h: (h.start, -h.end))
    return [Hit(base + h.start, base + h.end, h.needle) for h in _merged(found, data)]


def matcher_of(needles: tuple[Needle, ...], size: int, many: bool = False) -> Matcher:
    """Get ready to look for needles in about as many bytes, or in many files; what was made for the last is kept.

    What was compiled for needles is used for a little text too: to make it takes longer than most searches.
    """
    if needles not in _compiled and (many or not is_little(size, len(needles))):
        _compiled[needles] = matcher(patterns_of(needles))
        if len(_compiled) > _KEPT:
            _compiled.pop(next(iter(_compiled)), None)
    return _compiled.get(needles) or _small(needles)


@functools.lru_cache(_KEPT)
def _small(needles: tuple[Needle, ...]) -> Matcher:
    return matcher(patterns_of(needles), kind="small")


def patterns_of(needles: Iterable[Needle]) -> list[Pattern]:
    """Give the bytes of needles."""
    return [Pattern(needle.data, needle.fold) for needle in needles]


def is_word(
    data: bytes, start: int, end: int, needle: Needle, base: int = 0, borders: Container[int] = ()
) -> bool:
    """Say whether a hit stands delimited on both sides; arguments are those of `find`, and the hit in `data`."""
    cut = (end - start) % needle.unit  # the zero before UTF-16
    return (_stops(data, start - cut - needle.unit, needle) or base + start in borders) and (
        _stops(data, end, needle) or base + end in borders
    )


def _stops(data: bytes, at: int, needle: Needle) -> bool:
    """Say whether the character at an offset is no part of a word."""
    if at < 0 or at + needle.unit > len(data):
        return True
    if needle.unit == 1:
        return not (chr(data[at]).isalnum() or data[at] > 0x7F)
    code = int.from_bytes(data[at : at + 2], "little" if needle.codec == "utf-16-le" else "big")
    # two bytes of something else look like an ideograph, and before ideographs no word ends
    return code > _LAST_OF_ALPHABETS or not chr(code).isalnum()


def _is_designated(data: bytes, at: int, escape: bytes) -> bool:
    """Say whether two-byte characters stand at an offset: the last escape before says so (PS3.5 6.1.2.5.3)."""
    start = data.rfind(b"\x1b", max(0, at - _LONGEST_RUN), at)
    return data.startswith(escape, start) and start >= 0 and (at - start - len(escape)) % 2 == 0


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
    if len(gap) > _WIDEST_GAP * a.unit or len(gap) % a.unit or a.escape or b.escape or len(a.data) % a.unit:
        return False
    return set(gap.decode("latin-1") if a.unit == 1 else gap.decode(a.codec, "replace")) <= _BETWEEN
