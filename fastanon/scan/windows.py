"""Which bytes of each pattern are looked for, and in which of eight buckets: what a filter by shuffles is made of.

A window is a place in a pattern and, for each of the filter's six tables, the set of nibbles that may stand there,
a word of 16 bits. A bucket takes what any of its windows takes at each place, so windows that are alike belong
together. Patterns are put, one by one and then again, where they add least to what gets through by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastanon.scan.pattern import Pattern

BUCKETS, COLUMNS = 8, 6
#: The set of all nibbles: any byte will do.
ANY = 0xFFFF
_ROUNDS = 3

# Per mille of the low nibbles, bytes from 0x80 left out: list-mode words (byte 3 is 0x40 to 0x55 or 0 to 0x15, the
# others are random), the text of protocols (counted in that of fastanon.synthetic.protocol and of public Siemens
# files), and 16-bit numbers that are small. Then the high nibbles of the same.
_LOW = (
    (46,) * 6 + (35,) * 10,
    (170, 78, 68, 125, 83, 90, 18, 11, 20, 76, 24, 23, 62, 53, 61, 47),
    (900,) + (20,) * 15,
)
_HIGH = (
    (111, 71, 47, 47, 165, 91) + (47,) * 10,
    (38, 0, 190, 111, 85, 87, 335, 210) + (1,) * 8,
    (900,) + (20,) * 15,
)
#: How much it counts that something gets through, in list-mode words, text and small numbers.
_WEIGHTS = np.array([3, 1, 0.3])


class Window(NamedTuple):
    """A place in a pattern, and the nibbles that the tables take for it."""

    offset: int
    sets: tuple[int, ...]


class Filter(NamedTuple):
    """What a kernel loads, and how often it lets something through.

    Attributes
    ----------
    offsets : list of int
        Where in each pattern its window begins.
    tables : numpy.ndarray
        uint8[6, 16]: the buckets that take a nibble.
    open : numpy.ndarray
        uint8[6, 16]: the buckets that take any byte, the same 16 times.
    rates : numpy.ndarray
        Share of list-mode bytes that pass the first column, the first two, and so on.
    """

    offsets: list[int]
    tables: npt.NDArray[np.uint8]
    open: npt.NDArray[np.uint8]
    rates: npt.NDArray[np.float64]


Windows = Callable[[Pattern], Iterator[Window]]
Sets = npt.NDArray[np.int64]


def low_windows(pattern: Pattern) -> Iterator[Window]:
    """Give the windows of six bytes that low nibbles alone can tell: the first below 0x80, and two more.

    Other bytes may be any there, and so may those beyond the end of a short pattern.
    """
    data = pattern.data
    for at in range(max(1, len(data) - COLUMNS + 1)):
        window = data[at : at + COLUMNS]
        if window[0] < 0x80 and sum(byte < 0x80 for byte in window) > 2:
            sets = [1 << (byte & 15) if byte < 0x80 else ANY for byte in window]
            yield Window(at, (*sets, *[ANY] * (COLUMNS - len(sets))))


def full_windows(pattern: Pattern) -> Iterator[Window]:
    """Give the windows of three bytes: low and high nibble of each, two high ones where a letter folds."""
    data = pattern.data
    for at in range(max(1, len(data) - 3)):
        sets = []
        for byte in data[at : at + 3]:
            letter = pattern.fold and bytes([byte]).isalpha()
            sets += [1 << (byte & 15), 1 << (byte >> 4) | (1 << (byte - 32 >> 4) if letter else 0)]
        yield Window(at, (*sets, *[ANY] * (COLUMNS - len(sets))))


def _chances(shares: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Give for each of the 65536 sets of nibbles how often one of them stands somewhere."""
    sums = np.zeros(1)
    for share in shares:
        sums = np.concatenate([sums, sums + share / 1000])
    sums[ANY] = 1
    return sums


_CHANCES = np.array([[_chances(low), _chances(high)] for low, high in zip(_LOW, _HIGH, strict=True)])


def make_filter(choices: list[list[Window]], nibbles: tuple[int, ...]) -> Filter:
    """Choose a window for each pattern, and its bucket.

    Parameters
    ----------
    choices : list of list of Window
        The windows of each pattern, at least one.
    nibbles : tuple of int
        Whether a column is of low (0) or of high nibbles (1).
    """
    columns, bits = np.array(nibbles), 1 << np.arange(BUCKETS)
    chosen, buckets = _chosen([np.array([window.sets for window in windows]) for windows in choices], columns)
    takes = buckets[:, :, None] >> np.arange(16) & 1
    return Filter(
        [windows[i].offset for windows, i in zip(choices, chosen, strict=True)],
        np.tensordot(bits, takes, 1).astype(np.uint8),
        np.repeat(bits @ (buckets == ANY), 16).reshape(COLUMNS, 16).astype(np.uint8),
        _CHANCES[0, columns, buckets].cumprod(axis=-1).sum(axis=0),
    )


def _chosen(options: list[npt.NDArray[np.int64]], columns: npt.NDArray[np.int64]) -> tuple[list[int], Sets]:
    """Give which of its options each pattern has, and what the buckets take then.

    Those with the fewest options go first; then each may change its mind.
    """
    places = columns * (ANY + 1)

    def cost(sets: Sets) -> npt.NDArray[np.float64]:
        rates = _CHANCES.reshape(len(_WEIGHTS), -1).take(sets + places, axis=1).prod(axis=-1)
        costs: npt.NDArray[np.float64] = _WEIGHTS @ rates.reshape(len(_WEIGHTS), -1)
        return costs.reshape(sets.shape[:-1])

    chosen, bucket = [0] * len(options), np.full(len(options), -1)
    taken, buckets = np.zeros((len(options), COLUMNS), int), np.zeros((BUCKETS, COLUMNS), int)
    for i in _ROUNDS * sorted(range(len(options)), key=lambda i: len(options[i])):
        if bucket[i] >= 0:
            old, bucket[i] = bucket[i], -1
            buckets[old] = np.bitwise_or.reduce(taken[bucket == old], axis=0, initial=0)
        now, *then = cost(np.concatenate([buckets[None], buckets | options[i][:, None]]))
        added = np.array(then) - now
        chosen[i], bucket[i] = divmod(int(added.argmin()), BUCKETS)
        taken[i] = options[i][chosen[i]]
        buckets[bucket[i]] |= taken[i]
    return chosen, buckets
