"""What a kernel reads: its filter, and the table in which it looks up what passed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastanon.kept_kernels import Kernel, kernel
from fastanon.scan import fields as k
from fastanon.scan.pattern import Pattern
from fastanon.scan.windows import Filter, Windows, full_windows, low_windows, make_filter

#: A pattern and its number.
Numbered = tuple[int, Pattern]

#: Bytes of protocols and of small numbers, the commonest first, letters in lower case (counted as in windows.py).
_COMMON = b"\0 eslatci.or0nd\t]m1p[\"=2xu\nf3_475h69y8gb<>k{}v:w-#z/^&;,%q@()'\\\r\xff"

#: Share of positions that may pass five bytes in list-mode before it pays to look at a sixth.
_FEW = 1e-3
_KEY = 4
_WIDEST_STEP = 8
_FURTHEST = 64
_FOLDING = np.array([np.arange(256), list(bytes(range(256)).lower())], np.uint8)


@dataclass(frozen=True)
class Plan:
    """A kernel and its tables.

    Attributes
    ----------
    kernel : callable
        Of `kernels`; it searches.
    address : int
        Of the fields that it reads.
    most : int
        Patterns, or windows of patterns, under the fullest slot: no position can match more.
    kept : tuple of numpy.ndarray
        What has addresses in the fields.
    """

    kernel: Kernel
    address: int
    most: int
    kept: tuple[npt.NDArray[Any], ...]


def by_windows(group: list[Numbered]) -> Plan:
    """Plan for patterns that have windows of low nibbles."""
    found = _filter(group, low_windows, (0,) * 6)
    return _plan("few" if found.rates[4] < _FEW else "many", group, _places(found), found)


def by_bytes(group: list[Numbered]) -> Plan:
    """Plan for patterns of any bytes."""
    found = _filter(group, full_windows, (0, 1) * 3)
    return _plan("both_nibbles", group, _places(found), found)


def by_two(one: Numbered) -> Plan:
    """Plan for one pattern of at least two bytes: the two that are rarest."""
    data, fold = one[1]
    rarest = sorted(range(min(len(data), _FURTHEST)), key=lambda i: _COMMON.find(data[i : i + 1].lower()) % 256)
    i, j = sorted(rarest[-2:])
    case = [0x20 if fold and data[at : at + 1].isalpha() else 0 for at in (i, j)]
    fields = {
        k.FIRST: data[i],
        k.FIRST_FOLD: case[0],
        k.SECOND: data[j],
        k.SECOND_FOLD: case[1],
        k.DISTANCE: j - i,
    }
    return _plan("two_bytes", [one], [(0, i)], None, fields)


def by_grams(group: list[Numbered]) -> Plan:
    """Plan for the hash of a few bytes at every so many."""
    shortest = min(len(pattern.data) for _, pattern in group)
    step = min(_WIDEST_STEP, 1 << max(shortest - _KEY + 1, 1).bit_length() - 1)
    places = [(i, at) for i in range(len(group)) for at in range(step)]
    return _plan("grams", group, places, None, {k.STEP: step})


def _filter(group: list[Numbered], windows: Windows, nibbles: tuple[int, ...]) -> Filter:
    return make_filter([list(windows(pattern)) for _, pattern in group], nibbles)


def _places(found: Filter) -> list[tuple[int, int]]:
    return list(enumerate(found.offsets))


def _plan(
    name: str,
    group: list[Numbered],
    places: list[tuple[int, int]],
    found: Filter | None,
    fields: dict[int, int] | None = None,
) -> Plan:
    """Write down where everything is that a kernel reads.

    Parameters
    ----------
    name : str
        Which kernel it is for.
    group : list of Numbered
        The patterns.
    places : list of tuple
        Windows: which pattern of the group, and the offset in it.
    found : Filter, optional
        The tables for shuffles.
    fields : dict, optional
        What else the kernel reads.
    """
    key = (1 << 8 * min(_KEY, *(len(group[i][1].data) - at for i, at in places), _KEY)) - 1
    shift = 32 - min(15, max(10, (64 * len(places)).bit_length()))
    slots = np.array([_slot(group[i][1].data[at:], key, shift) for i, at in places])
    order = slots.argsort(kind="stable")
    heads = np.searchsorted(slots[order], np.arange((1 << 32 - shift) + 1)).astype(np.uint32)
    flags = (np.diff(heads) > 0).astype(np.uint8)
    entries, text = _entries(group, [places[i] for i in order])
    tables = np.concatenate([found.tables, found.open]) if found else np.zeros(0, np.uint8)
    plan = np.zeros(k.FIELDS, np.int64)
    written = {
        k.TABLES: tables.ctypes.data, k.FLAGS: flags.ctypes.data, k.HEADS: heads.ctypes.data,
        k.ENTRIES: entries.ctypes.data, k.KEY: key, k.SHIFT: shift, **(fields or {}),
    }  # fmt: skip
    for field, value in written.items():
        plan[field // 8] = value
    most, kept = int(np.diff(heads).max()), (plan, tables, flags, heads, entries, text)
    return Plan(kernel(name), plan.ctypes.data, most, kept)


def _slot(window: bytes, key: int, shift: int) -> int:
    """Do what `kernels.slot` does."""
    first = int.from_bytes(window[:_KEY], "little")
    return ((first | k.CASE) & key) * k.MULTIPLIER % (1 << 32) >> shift


def _entries(
    group: list[Numbered], places: list[tuple[int, int]]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Give what is compared at each window, in the order of the fields of an entry, and the bytes it points to."""
    text = np.frombuffer(b"".join(pattern.data for _, pattern in group), np.uint8)
    starts = text.ctypes.data + np.cumsum([0, *(len(pattern.data) for _, pattern in group)])
    folding = [_FOLDING.ctypes.data + 256 * pattern.fold for _, pattern in group]
    rows = [(starts[i], folding[i], len(group[i][1].data), at, group[i][0]) for i, at in places]
    return np.array(rows, np.int64), text
