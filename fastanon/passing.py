"""Needles in a payload that passes once: found and counted as in one that can be read again."""

from __future__ import annotations

from fastanon.chance import (
    AROUND,
    LARGE,
    MOST_EXPECTED,
    PIECE,
    Scanned,
    by_kind,
    expected_hits,
    histogram,
    real_hit,
    sample_step,
)
from fastanon.identity import Needle
from fastanon.payload import Payload
from fastanon.scan import Hit, matcher_of

_BLOCK = 4 << 20


class Passing:
    """Searches one payload on its way.

    Parameters
    ----------
    needles : iterable of Needle
        What for.
    payload : Payload
        Where.
    """

    def __init__(self, needles: tuple[Needle, ...], payload: Payload) -> None:
        self._needles = tuple(needle for needle in needles if not needle.escape)
        self._payload, self._size = payload, payload.end - payload.start
        self._matcher = matcher_of(self._needles, self._size)
        self._step = sample_step(self._size)
        self._samples: list[bytearray] = []
        self._matches: list[tuple[int, Hit | None]] = []
        self._data, self._base = bytearray(), payload.start  # what is searched next, with what is around it
        self._from = payload.start

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._sample(data)
        self._data += data
        if len(self._data) >= _BLOCK:
            self._search(self._base + len(self._data) - 2 * AROUND)

    def _sample(self, data: bytes) -> None:
        """Keep pieces that are taken evenly, from which chance is computed."""
        at = self._base + len(self._data) - self._payload.start
        while data:
            number, inside = divmod(at, self._step)
            if number == len(self._samples):
                self._samples.append(bytearray())
            self._samples[number] += data[: max(0, PIECE - inside)]
            data, at = data[self._step - inside :], at + self._step - inside

    def _search(self, stop: int) -> None:
        """Search for what begins before an offset; keep what may stand around what follows."""
        data = bytes(self._data)
        for place, number in self._matcher.find(data):
            at = self._base + place
            if self._from <= at < stop:
                self._matches.append((number, self._hit_at(data, at)))
        self._from = stop
        kept = max(0, stop - AROUND - self._base)
        del self._data[:kept]
        self._base += kept

    def _hit_at(self, data: bytes, at: int) -> Hit | None:
        start, stop = max(self._payload.start, at - AROUND), min(at + 2 * AROUND, self._payload.end)
        window = data[start - self._base : stop - self._base]
        return None if self._payload.is_samples else real_hit(window, start, self._payload, at, self._needles)

    def scanned(self) -> Scanned:
        """Give what was found, once all has passed."""
        self._search(self._payload.end)
        if not self._matches:
            return Scanned(self._payload, {}, {}, ())
        counts = histogram(map(bytes, self._samples), compiled=self._size >= LARGE)
        expected = expected_hits(self._needles, counts, self._size)
        found = by_kind(self._needles, (number for number, _ in self._matches), expected)
        real: list[Hit] = []
        for number, hit in self._matches:
            rare = hit is not None and expected[number] < MOST_EXPECTED
            if hit is not None and rare and not (real and hit.start < real[-1].end):
                real.append(hit)
        return Scanned(self._payload, *found, tuple(real))
