"""The loops that are compiled: functions of addresses and integers that allocate, raise and divide by nothing.

A searching kernel goes through the positions from `p` to `stop`, whole spans of 128, and reads up to `REACH` bytes
from the first of a span. Each pattern has a window, or in `grams` a few, by whose first bytes it is known. What
passes the filter is looked up by the hash of these bytes, and what the table has under that is compared in full.
Matches between the addresses `lo` and `hi` go to `out`, address and pattern of each, and their number before them.
A kernel stops before a span, or a block of it, that might bring more than there is `room` for, and returns where.

The filter by shuffles is Teddy, from Hyperscan (Wang et al., NSDI 2019), here on low nibbles alone: eight buckets
of patterns are the bits of a byte, and a byte of the text picks from a table of 16 those buckets that have such a
byte there. The filter by two bytes is from the memchr crate.
"""

from __future__ import annotations

from typing import Any

from numba.extending import register_jitable

from fastanon.scan.fields import (
    AHEAD,
    BLOCK,
    CASE,
    DISTANCE,
    ENTRIES,
    ENTRY,
    FIRST,
    FIRST_FOLD,
    FLAGS,
    FOLDING,
    HEADS,
    KEY,
    LENGTH,
    MATCHES,
    MULTIPLIER,
    NOTE,
    NUMBER,
    OFFSET,
    PATTERN,
    SECOND,
    SECOND_FOLD,
    SHIFT,
    SPAN,
    STEP,
    STRETCH,
    TABLES,
)
from fastanon.scan.vector import (
    high,
    i64,
    load,
    load_twice,
    lowest,
    mask,
    moved,
    nonzero,
    prefetch,
    put,
    put32,
    shuffle,
    splat,
    u8,
    u32,
    width,
)

_LOW32 = 0xFFFFFFFF

_part = register_jitable(forceinline=True)  # a call would have every vector loaded again


@_part
def slot(p: int, key: int, shift: int) -> int:
    """Hash the first bytes of a window, those that the mask `key` leaves, whatever their case."""
    at: int = (((u32(p) | CASE) & key) * MULTIPLIER & _LOW32) >> shift
    return at


@register_jitable
def compare(p: int, at: int, lo: int, hi: int, plan: int, out: int, n: int) -> int:
    """Compare the patterns of one slot with the text around a window; give the new number of matches."""
    heads, match = i64(plan + HEADS) + 4 * at, out + 8 * MATCHES + 16 * n
    entry = i64(plan + ENTRIES) + ENTRY * u32(heads)
    last = i64(plan + ENTRIES) + ENTRY * u32(heads + 4)
    while entry < last:
        start, length = p - i64(entry + OFFSET), i64(entry + LENGTH)
        if start >= lo and start + length <= hi:
            pattern, folding, j = i64(entry + PATTERN), i64(entry + FOLDING), 0
            while j < length and u8(folding + u8(start + j)) == u8(pattern + j):
                j += 1
            if j == length:
                put(match, start)
                put(match + 8, i64(entry + NUMBER))
                match += 16
                n += 1
        entry += ENTRY
    return n


@_part
def look_up(p: int, bits: int, lo: int, hi: int, plan: int, out: int, n: int) -> int:
    """Look up every position of a block that has its bit set.

    Four at a time, whether there are as many or not: to guess their number wrong costs more than to look in vain.
    """
    flags, key, shift = i64(plan + FLAGS), i64(plan + KEY), i64(plan + SHIFT)
    while bits:
        rest, known = bits, 0
        for _ in range(4):
            known |= u8(flags + slot(p + lowest(rest), key, shift))
            rest &= rest - 1
        while known and bits != rest:
            n = compare(p + lowest(bits), slot(p + lowest(bits), key, shift), lo, hi, plan, out, n)
            bits &= bits - 1
        bits = rest
    return n


@_part
def tables_of(plan: int) -> Any:
    """Load the tables of five bytes, and the buckets for which the second and so on may be any."""
    t = i64(plan + TABLES)
    tables = load_twice(t), load_twice(t + 16), load_twice(t + 32), load_twice(t + 48), load_twice(t + 64)
    return tables, (load_twice(t + 112), load_twice(t + 128), load_twice(t + 144), load_twice(t + 160))


@_part
def five(p: int, t: Any, w: Any) -> Any:
    """Give the buckets that have a window at each of 32 positions, by five bytes."""
    first = shuffle(t[0], load(p)) & (w[0] | shuffle(t[1], load(p + 1))) & (w[1] | shuffle(t[2], load(p + 2)))
    return first & (w[2] | shuffle(t[3], load(p + 3))) & (w[3] | shuffle(t[4], load(p + 4)))


@_part
def next_five(p: int, t: Any, w: Any) -> Any:
    """Do the same where all these loads would cross a cache line, which costs more than to move bytes."""
    x, y = load(p), load(p + 16)
    first = shuffle(t[0], x) & (w[0] | shuffle(t[1], moved(x, y, 1))) & (w[1] | shuffle(t[2], moved(x, y, 2)))
    return first & (w[2] | shuffle(t[3], moved(x, y, 3))) & (w[3] | shuffle(t[4], moved(x, y, 4)))


def few(p: int, stop: int, lo: int, hi: int, plan: int, out: int, room: int) -> int:
    """Find windows by the low nibbles of five bytes: next to nothing passes, and what does is looked up at once.

    Bit 7 of a byte rejects it, but for buckets in which it may be any.
    """
    t, w = tables_of(plan)
    n = 0
    while p < stop and n <= room:
        prefetch(p + AHEAD)
        a, b = five(p, t, w), next_five(p + 32, t, w)
        if nonzero(a | b):
            n = look_up(p, mask(a) | mask(b) << 32, lo, hi, plan, out, n)
        p += BLOCK
    put(out, n)
    return p


def many(p: int, stop: int, lo: int, hi: int, plan: int, out: int, room: int) -> int:
    """Find windows by the low nibbles of six bytes where more passes.

    The CPU cannot guess in which blocks, so there is no branch: a note is written in any case, and kept or not.
    """
    t, w = tables_of(plan)
    t5, w5 = load_twice(i64(plan + TABLES) + 80), load_twice(i64(plan + TABLES) + 176)
    n = 0
    while p < stop and n <= room:
        end, note = min(p + STRETCH * BLOCK, stop), out + 8
        while p < end:
            prefetch(p + AHEAD)
            a = five(p, t, w) & (w5 | shuffle(t5, load(p + 5)))
            b = next_five(p + 32, t, w) & (w5 | shuffle(t5, moved(load(p + 32), load(p + 48), 5)))
            put(note, p)
            # as one number LLVM would make it in a wider register, which halves the speed of all shuffles here
            put32(note + 8, mask(a))
            put32(note + 12, mask(b))
            note += NOTE if nonzero(a | b) else 0
            p += BLOCK
        at = out + 8
        while at < note and n <= room:
            n = look_up(i64(at), i64(at + 8), lo, hi, plan, out, n)
            at += NOTE
        p = i64(at) if at < note else p
    put(out, n)
    return p


def both_nibbles(p: int, stop: int, lo: int, hi: int, plan: int, out: int, room: int) -> int:
    """Find windows of three bytes of any kind, by both nibbles of each."""
    t = i64(plan + TABLES)
    low0, high0, low1 = load_twice(t), load_twice(t + 16), load_twice(t + 32)
    high1, low2, high2 = load_twice(t + 48), load_twice(t + 64), load_twice(t + 80)
    nibble = splat(15)
    n = 0
    while p < stop and n <= room:
        prefetch(p + AHEAD)
        x, y, z = load(p), load(p + 1), load(p + 2)
        a = shuffle(low0, x & nibble) & shuffle(low1, y & nibble) & shuffle(low2, z & nibble)
        a = a & shuffle(high0, high(x)) & shuffle(high1, high(y)) & shuffle(high2, high(z))
        x, y, z = load(p + 32), load(p + 33), load(p + 34)
        b = shuffle(low0, x & nibble) & shuffle(low1, y & nibble) & shuffle(low2, z & nibble)
        b = b & shuffle(high0, high(x)) & shuffle(high1, high(y)) & shuffle(high2, high(z))
        if nonzero(a | b):
            n = look_up(p, mask(a) | mask(b) << 32, lo, hi, plan, out, n)
        p += BLOCK
    put(out, n)
    return p


def two_bytes(p: int, stop: int, lo: int, hi: int, plan: int, out: int, room: int) -> int:
    """Find one pattern by two of its bytes at their distance."""
    first, second, distance = splat(i64(plan + FIRST)), splat(i64(plan + SECOND)), i64(plan + DISTANCE)
    # a letter is compared with bit 5 set, so both its cases are equal to the lower one
    f, g = splat(i64(plan + FIRST_FOLD)), splat(i64(plan + SECOND_FOLD))
    n = 0
    while p < stop and n <= room:
        prefetch(p + AHEAD)
        prefetch(p + BLOCK + AHEAD)
        q = p + distance
        a = ((load(p) | f) == first) & ((load(q) | g) == second)
        b = ((load(p + 32) | f) == first) & ((load(q + 32) | g) == second)
        c = ((load(p + 64) | f) == first) & ((load(q + 64) | g) == second)
        d = ((load(p + 96) | f) == first) & ((load(q + 96) | g) == second)
        if nonzero(a | b | c | d):
            n = look_up(p, mask(a) | mask(b) << 32, lo, hi, plan, out, n)
            n = look_up(p + BLOCK, mask(c) | mask(d) << 32, lo, hi, plan, out, n)
        p += SPAN
    put(out, n)
    return p


def grams(p: int, stop: int, lo: int, hi: int, plan: int, out: int, room: int) -> int:
    """Find patterns by the hash of a few bytes at every `STEP`-th address: no vectors, for any CPU.

    The step is a power of two up to 8; a pattern has a window for each place that it can have to the steps.
    """
    flags, key, shift, step = i64(plan + FLAGS), i64(plan + KEY), i64(plan + SHIFT), i64(plan + STEP)
    n = 0
    while p < stop and n <= room:
        end = p + BLOCK
        while p < end:
            h0, h1 = slot(p, key, shift), slot(p + step, key, shift)
            h2, h3 = slot(p + 2 * step, key, shift), slot(p + 3 * step, key, shift)
            if u8(flags + h0) | u8(flags + h1) | u8(flags + h2) | u8(flags + h3):
                n = compare(p, h0, lo, hi, plan, out, n)
                n = compare(p + step, h1, lo, hi, plan, out, n)
                n = compare(p + 2 * step, h2, lo, hi, plan, out, n)
                n = compare(p + 3 * step, h3, lo, hi, plan, out, n)
            p += 4 * step
    put(out, n)
    return p


def count_bytes(p: int, stop: int, counts: int) -> int:
    """Count bytes by the rest that their distance from `p` leaves at 4; `counts` is uint64[4, 256]."""
    while p < stop - 3:
        four = u32(p)
        a, b = counts + 8 * (four & 255), counts + 2048 + 8 * (four >> 8 & 255)
        c, d = counts + 4096 + 8 * (four >> 16 & 255), counts + 6144 + 8 * (four >> 24)
        put(a, i64(a) + 1)
        put(b, i64(b) + 1)
        put(c, i64(c) + 1)
        put(d, i64(d) + 1)
        p += 4
    while p < stop:
        at = counts + 8 * u8(p)
        put(at, i64(at) + 1)
        counts += 2048
        p += 1
    return p


def shuffled() -> int:
    """Say how many bytes the CPU shuffles at once: 0 where vectors are not for it."""
    lanes: int = width()  # type: ignore[call-arg]  # as numba calls it
    return lanes
