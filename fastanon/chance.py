"""Needles in payloads: what stands there by chance, and what does not.

In random bytes a name of three letters stands twice in four million; list-mode and pixels are far from random. So
chance is computed from the bytes of that payload itself, by their place in words of four. A hit is taken for real
only if it has 8 bytes, stands delimited on both sides, and less than one in a thousand million is to be expected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from fastanon.identity import Needle, Needles
from fastanon.kept_kernels import is_off
from fastanon.part import Part, Run
from fastanon.payload import Payload
from fastanon.scan import Fill, Hit, Match, Seen, find, is_word, matcher_of, through
from fastanon.system import cpus

#: What is taken for real: bytes of the needle, and hits to be expected by chance.
LEAST_BYTES, MOST_EXPECTED = 8, 1e-9

#: From this size on it is worth while to share the work, and to load compiled kernels for their own sake.
LARGE = 64 << 20
_SAMPLE, PIECE = 32 << 20, 512 << 10  # bytes that chance is computed from, taken evenly in pieces
#: Bytes around a place that say whether a value stands there: before it, and twice as many from it on.
AROUND = 256
_MOST_THREADS = 4  # more wait for memory

Counts: TypeAlias = Sequence[Sequence[int]]  # [4][256]
Advance: TypeAlias = Callable[[int], object]


class Scanned(NamedTuple):
    """What the search of one payload brought.

    Attributes
    ----------
    payload : Payload
        Where.
    hits : dict of str to int
        Places at which a needle stands, by its kind.
    expected : dict of str to float
        How many there are to be expected by chance, for the same needles.
    real : tuple of Hit
        Those that are no chance; offsets in the file.
    """

    payload: Payload
    hits: dict[str, int]
    expected: dict[str, float]
    real: tuple[Hit, ...]


class Scanner:
    """Searches payloads for the needles of one file.

    Parameters
    ----------
    needles : iterable of Needle
        What for.
    size : int
        Bytes of all payloads.
    advance : callable
        Is told of bytes as they are done, by any thread.
    many : bool
        Whether many files are searched by it, so that it is worth while to load compiled kernels.
    """

    def __init__(
        self, needles: Iterable[Needle], size: int, advance: Advance = lambda _: None, many: bool = False
    ) -> None:
        # what has an escape is two bytes a letter in text that says so, and no word in bulk
        self.needles = Needles(needle for needle in needles if not needle.escape)
        self._matcher = matcher_of(self.needles, size, many)
        self._threads = min(cpus(), _MOST_THREADS) if size >= LARGE else 1
        self._advance, self._compiled = advance, many or size >= LARGE

    def scan(self, part: Part, payload: Payload, seen: Seen | None = None) -> Scanned:
        """Search one payload; `seen` gets each of its chunks in order, as it was searched.

        Raises
        ------
        ChangedError
            If the file becomes shorter meanwhile.
        """
        if isinstance(part.data, bytes) and seen is None:  # a small file, or an inflated dataset
            found = self._matcher.find(memoryview(part.data)[payload.start : payload.end])
            self._advance(payload.size)
            return self.judged(part, payload, [(payload.start + at, number) for at, number in found])
        assert part.opened is not None
        run, threads = (payload.start, payload.end), self._threads if seen is None else 1
        return self.judged(part, payload, self.matches(part.opened.fill, run, threads, seen))

    def matches(self, fill: Fill, run: Run, threads: int = 1, seen: Seen | None = None) -> list[Match]:
        """Find all places in a run of what `fill` reads at which a needle stands, whether by chance or not."""

        def searched(at: int, chunk: memoryview) -> None:
            if seen is not None:
                seen(at, chunk)
            self._advance(len(chunk))

        return through(fill, self._matcher, *run, threads, searched)

    def judged(self, part: Part, payload: Payload, matches: Sequence[Match]) -> Scanned:
        """Say which of the places in a payload are no chance."""
        if not matches:
            return Scanned(payload, {}, {}, ())
        expected = expected_hits(self.needles, self._counts(part, payload), payload.end - payload.start)
        hits, by_chance = by_kind(self.needles, (number for _, number in matches), expected)
        rare = {n for n, count in enumerate(expected) if count < MOST_EXPECTED}
        places = [] if payload.is_samples else [at for at, number in matches if number in rare]
        return Scanned(payload, hits, by_chance, tuple(self._real(part, payload, places)))

    def _counts(self, part: Part, payload: Payload) -> Counts:
        """Count bytes by their place in words of four, in pieces that are taken evenly."""
        size = payload.end - payload.start
        starts = range(payload.start, payload.end, sample_step(size))
        pieces = (part.read(at, min(at + PIECE, payload.end)) for at in starts)
        return histogram(pieces, compiled=self._compiled)

    def _real(self, part: Part, payload: Payload, places: list[int]) -> Iterator[Hit]:
        """Give the hits that are long enough and stand delimited, joined as in text."""
        done = payload.start
        for at in places:
            if at < done:
                continue
            start, stop = max(payload.start, at - AROUND), min(at + 2 * AROUND, payload.end)
            hit = real_hit(part.read(start, stop), start, payload, at, self.needles)
            if hit is not None:
                yield hit
                done = hit.end


def sample_step(size: int) -> int:
    """Give how far apart pieces are taken from a payload of so many bytes."""
    return max(PIECE, size // (_SAMPLE // PIECE) // 4 * 4)


def real_hit(window: bytes, start: int, payload: Payload, at: int, needles: Iterable[Needle]) -> Hit | None:
    """Give what stands at a place of a payload if it is long enough and stands delimited, joined as in text.

    Parameters
    ----------
    window : bytes
        What is around the place.
    start : int
        Offset of the window.
    payload : Payload
        Where it ends, a value may.
    at : int
        The place: the offset of a needle.
    needles : iterable of Needle
        What for.
    """
    stop = start + len(window)
    for hit in find(window, needles, start):
        long = hit.start <= at < hit.end and hit.end - hit.start >= LEAST_BYTES
        whole = (start == payload.start or start < hit.start) and (stop == payload.end or hit.end < stop)
        if long and whole and is_word(window, hit.start - start, hit.end - start, hit.needle):
            return hit
    return None


def by_kind(
    needles: Sequence[Needle], numbers: Iterable[int], expected: Sequence[float]
) -> tuple[dict[str, int], dict[str, float]]:
    """Give for each kind of value that was met how often, and how often chance would have it."""
    hits = Counter(needles[number].kind for number in numbers)
    by_chance = dict.fromkeys(hits, 0.0)
    for needle, count in zip(needles, expected, strict=True):
        if needle.kind in hits:
            by_chance[needle.kind] += count
    return dict(hits), by_chance


def expected_hits(needles: Sequence[Needle], counts: Counts, size: int) -> list[float]:
    """Give the number of hits of each needle that are to be expected in as many bytes by chance.

    Parameters
    ----------
    needles : sequence of Needle
        What for.
    counts : sequence of sequence of int
        [4][256]: how often each byte was seen in each place of a word of four.
    size : int
        Bytes of the payload.
    """
    totals = [max(sum(row), 1) for row in counts]
    found = []
    for needle in needles:
        chance = 0.0
        for phase in range(4):
            product = 1.0
            for n, byte in enumerate(needle.data):
                row = counts[(phase + n) % 4]
                either = needle.fold and 0x61 <= byte <= 0x7A
                product *= (row[byte] + (row[byte - 32] if either else 0)) / totals[(phase + n) % 4]
            chance += product
        found.append(chance * size / 4)
    return found


def histogram(pieces: Iterable[bytes], compiled: bool) -> Counts:
    """Count bytes by their place in words of four; each piece begins with a word."""
    if compiled and not is_off():
        import numpy as np

        from fastanon.scan.compiled import histogram as count

        counts = np.zeros((4, 256), np.uint64)
        for piece in pieces:
            count(piece, counts)
        return counts.tolist()
    found = [Counter[int]() for _ in range(4)]
    for piece in pieces:
        for place in range(4):
            found[place].update(piece[place::4])
    return [[one[byte] for byte in range(256)] for one in found]
