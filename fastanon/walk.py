"""From bytes to a table of elements, no value decoded (PS3.5 chapter 7).

This file is plain Python over anything that gives bytes by index, and the same source is compiled by
``walk_kernels``: so it imports nothing at run time, keeps to integers, writes its rows into a flat buffer and
returns a status instead of raising. It is iterative, and the size of its scratch bounds the nesting.

A row has eight 64-bit columns::

    TAG     0xggggeeee
    VR      its two letters, the first in the low byte; 0 where the encoding has none
    HEADER  offset of the tag
    VALUE   offset of the first byte of the value
    LENGTH  bytes of the value, without a delimiter: the real one also where it was written as undefined
    DEPTH   number of items around it; an item counts itself
    PARENT  row of the item an element is in, of the sequence an item is in; -1 at the top
    FLAGS   UNDEFINED, IMPLICIT, BIG, ENCAPSULATED, NESTED (its items follow as rows)

Items have rows of their own (tag FFFE,E000), fragments of pixel data and delimiters have none.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from mmap import mmap

    from fastanon.pages import Indexed

Bytes: TypeAlias = "bytes | bytearray | memoryview | mmap | Indexed"
Ints: TypeAlias = "MutableSequence[int]"

COLUMNS = 8
TAG, VR, HEADER, VALUE, LENGTH, DEPTH, PARENT, FLAGS = range(COLUMNS)

UNDEFINED, IMPLICIT, BIG, ENCAPSULATED, NESTED = 1, 2, 4, 8, 16
GUESSED, EITHER = 32, 64  # in a mode only: no VR said that it is a sequence; items may be implicit or explicit

OK, FULL, PAST_END, BAD_VR, NOT_AN_ITEM, STRAY_DELIMITER, TOO_DEEP, UNDEFINED_VALUE = range(8)

#: What VR_KINDS says of two letters: how the length is written, and what follows.
UNKNOWN, SHORT, LONG, SEQUENCE, UNKNOWN_VR = range(5)

ITEM, ITEM_END, SEQUENCE_END, PIXEL_DATA = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0x7FE00010
NO_LENGTH = 0xFFFFFFFF

FRAME = 5
END, LIMIT, ROW, MODE, FALLBACK = range(FRAME)  # END -1: undefined. FALLBACK: rows to go back to, or -1
COUNT, STATUS, WHERE, FRAMES = range(4)


def state_size(depth: int) -> int:
    """Give how many numbers of scratch so many sequences inside each other need."""
    return FRAMES + FRAME * (2 * depth + 2)  # a sequence and its item are two levels


def u16(b: Bytes, p: int) -> int:
    """Read two bytes, little endian."""
    return b[p] | b[p + 1] << 8


def u32(b: Bytes, p: int) -> int:
    """Read four bytes, little endian."""
    return b[p] | b[p + 1] << 8 | b[p + 2] << 16 | b[p + 3] << 24


def u16_in(b: Bytes, p: int, mode: int) -> int:
    """Read two bytes in the byte order of the dataset."""
    x = u16(b, p)
    if mode & BIG:
        return x >> 8 | (x & 0xFF) << 8
    return x


def u32_in(b: Bytes, p: int, mode: int) -> int:
    """Read four bytes in the byte order of the dataset."""
    x = u32(b, p)
    if mode & BIG:
        return x >> 24 | (x >> 8 & 0xFF00) | (x & 0xFF00) << 8 | (x & 0xFF) << 24
    return x


def tag_in(b: Bytes, p: int, mode: int) -> int:
    """Read a tag: two numbers of 16 bits, each in the byte order of the dataset."""
    if mode & BIG:
        return u32_in(b, p, mode)
    return u16(b, p) << 16 | u16(b, p + 2)


def kind_of(vr: int, kinds: Sequence[int]) -> int:
    """Look up what two letters mean; -1 where they are no letters."""
    first, second = (vr & 255) - 65, (vr >> 8) - 65
    if first < 0 or first > 25 or second < 0 or second > 25:
        return -1
    return kinds[first * 26 + second]


def is_sequence_tag(tag: int, sequences: Sequence[int]) -> bool:
    """Look a tag up in the open-addressed table of sequences that the dictionary makes."""
    last = len(sequences) - 1
    h = tag * 40503 & last
    while sequences[h] != tag:
        if sequences[h] == 0:
            return False
        h = (h + 1) & last
    return True


def item_mode(b: Bytes, p: int, limit: int, mode: int, kinds: Sequence[int]) -> int:
    """Decide how an item is encoded, from the place where its first VR would stand.

    Items of an explicit dataset may be implicit, those of a UN always should be (PS3.5 6.2.2) and
    sometimes are not: letters there tell. An implicit dataset has no explicit items.
    """
    if mode & (IMPLICIT | EITHER) == IMPLICIT or p + 8 > limit or tag_in(b, p, mode) == ITEM_END:
        return mode & ~EITHER
    mode &= ~EITHER
    return mode | IMPLICIT if kind_of(u16(b, p + 4), kinds) < 0 else mode & ~IMPLICIT


def fragments_end(b: Bytes, p: int, limit: int, mode: int) -> int:
    """Give the offset of the delimiter behind encapsulated fragments (PS3.5 A.4), or -1."""
    while p + 8 <= limit:
        tag, length = tag_in(b, p, mode), u32_in(b, p + 4, mode)
        if tag == SEQUENCE_END:
            return p
        if tag != ITEM or length == NO_LENGTH:
            return -1
        p += 8 + length
    return -1


def sequence_mode(
    b: Bytes, p: int, limit: int, tag: int, kind: int, length: int, mode: int, sequences: Sequence[int]
) -> int:
    """Say whether a value is a sequence: -1 no, else the mode of its items, with GUESSED where it is one.

    Without a VR or as UN, the dictionary tells or the first tag inside does. Such a value of defined
    length is taken back and left closed when the inside turns out not to be items.
    """
    if kind == SEQUENCE:
        return mode
    if kind != UNKNOWN_VR and not (kind < 0 and mode & IMPLICIT):
        return -1
    inside = mode
    if kind == UNKNOWN_VR:
        inside = IMPLICIT | EITHER
        if p + 4 <= limit and tag_in(b, p, BIG) == ITEM:
            inside |= BIG
    if length == NO_LENGTH:
        return -1 if tag == PIXEL_DATA else inside
    if is_sequence_tag(tag, sequences):
        return inside if kind < 0 else inside | GUESSED
    if tag >> 16 & 1 and length >= 8 and p + 8 <= limit and tag_in(b, p, inside) == ITEM:
        return inside | GUESSED
    return -1


def header(b: Bytes, p: int, limit: int, mode: int, kinds: Sequence[int]) -> tuple[int, int, int, int, int]:
    """Read what stands before a value: (status, kind, VR, offset of the value, its length)."""
    if mode & IMPLICIT:
        return OK, -1, 0, p + 8, u32_in(b, p + 4, mode)
    vr = u16(b, p + 4)
    kind = kind_of(vr, kinds)
    if kind < 0:
        return BAD_VR, kind, vr, p, 0
    if kind == SHORT or (kind == UNKNOWN and u16(b, p + 6) != 0):
        return OK, kind, vr, p + 8, u16_in(b, p + 6, mode)
    if p + 12 > limit:
        return PAST_END, kind, vr, p, 0
    return OK, kind, vr, p + 12, u32_in(b, p + 8, mode)


def push(state: Ints, level: int, end: int, limit: int, row: int, mode: int, fallback: int) -> None:
    """Open a sequence or an item."""
    f = FRAMES + FRAME * level
    state[f + END], state[f + LIMIT], state[f + ROW] = end, limit, row
    state[f + MODE], state[f + FALLBACK] = mode, fallback


def put(
    table: Ints,
    row: int,
    tag: int,
    vr: int,
    at: int,
    value: int,
    length: int,
    depth: int,
    parent: int,
    flags: int,
) -> None:
    """Write one row."""
    r = row * COLUMNS
    table[r], table[r + 1], table[r + 2], table[r + 3] = tag, vr, at, value
    table[r + 4], table[r + 5], table[r + 6], table[r + 7] = length, depth, parent, flags


def guessed_level(state: Ints, level: int) -> int:
    """Find the innermost open sequence that was only guessed to be one; 0 if there is none."""
    while level > 0 and state[FRAMES + FRAME * level + FALLBACK] < 0:
        level -= 1
    return level


def walk(
    b: Bytes,
    start: int,
    stop: int,
    mode: int,
    only_group: int,
    table: Ints,
    state: Ints,
    kinds: Sequence[int],
    sequences: Sequence[int],
) -> int:
    """Fill `table` with the elements of one dataset.

    Parameters
    ----------
    b : bytes-like
        The file. Offsets count from its start.
    start, stop : int
        Where the dataset begins, and the first byte that can't belong to it.
    mode : int
        IMPLICIT and BIG, or'ed.
    only_group : int
        Stop before the first top-level element of another group: 2 reads the file meta information. 0 reads all.
    table, state : buffer of int64
        Rows to write; `state_size` numbers of scratch. ``state[COUNT]`` is the number of rows written.
    kinds : bytes-like
        676 numbers, see `kind_of`.
    sequences : buffer of int64
        The tags of sequences, see `is_sequence_tag`.

    Returns
    -------
    int
        A status. OK: ``state[WHERE]`` is the end of the dataset, which is before `stop` where another
        group or a zero tag follows. Otherwise it is the offset of what is wrong.
    """
    room = len(table) // COLUMNS
    deepest = (len(state) - FRAMES) // FRAME - 2
    rows, level, p = 0, 0, start
    end, limit, parent = stop, stop, -1
    push(state, 0, end, limit, -1, mode, -1)
    status = OK
    while True:
        if status != OK:  # a guess that went wrong is taken back, anything else is an error
            level = guessed_level(state, level)
            f = FRAMES + FRAME * level
            if level == 0 or status == FULL:
                break
            rows, r = state[f + FALLBACK], state[f + ROW] * COLUMNS
            table[r + FLAGS] &= ~NESTED
            p = table[r + VALUE] + table[r + LENGTH]
            closing, status = True, OK
        elif p == end:
            closing = True
        elif p + 8 > limit:
            status = PAST_END
            continue
        else:
            tag = tag_in(b, p, mode)
            closing = end < 0 and tag == (SEQUENCE_END if level & 1 else ITEM_END)
            if closing:
                r = parent * COLUMNS
                table[r + LENGTH] = p - table[r + VALUE]
                p += 8
        if closing:
            if level == 0:
                break
            level -= 1
            f = FRAMES + FRAME * level
            end, limit, parent, mode = state[f + END], state[f + LIMIT], state[f + ROW], state[f + MODE]
            continue
        if rows == room:
            status = FULL
            continue
        flags = mode & (IMPLICIT | BIG)
        if level & 1:
            if tag != ITEM:
                status = NOT_AN_ITEM
                continue
            kind, vr, value, length = -1, 0, p + 8, u32_in(b, p + 4, mode)
            inside = item_mode(b, value, limit, mode, kinds)
        else:
            if level == 0 and (tag == 0 or (only_group and tag >> 16 != only_group)):
                break
            if tag >> 16 == 0xFFFE:
                status = STRAY_DELIMITER
                continue
            status, kind, vr, value, length = header(b, p, limit, mode, kinds)
            if status != OK:
                continue
            inside = sequence_mode(b, value, limit, tag, kind, length, mode, sequences)
        if length != NO_LENGTH and value + length > limit:
            status = PAST_END
            continue
        if inside >= 0:
            if level >= deepest:
                status = TOO_DEEP
                continue
            flags |= NESTED
        elif length == NO_LENGTH:
            closed = fragments_end(b, value, limit, mode) if kind == LONG or kind < 0 else -1
            if closed < 0:
                status = UNDEFINED_VALUE
                continue
            length, flags = closed - value, flags | UNDEFINED | ENCAPSULATED
        put(
            table, rows, tag, vr, p, value, 0 if length == NO_LENGTH else length, (level + 1) >> 1, parent,
            flags | UNDEFINED if length == NO_LENGTH else flags,
        )  # fmt: skip
        rows += 1
        if inside < 0:
            p = value + length + (8 if flags & UNDEFINED else 0)
            continue
        level += 1
        parent, p = rows - 1, value
        end = -1 if length == NO_LENGTH else value + length
        limit = limit if length == NO_LENGTH else end
        # only a value of defined length, not an item, can be a guess
        guess = inside & GUESSED != 0 and length != NO_LENGTH
        mode = inside & ~GUESSED
        push(state, level, end, limit, parent, mode, rows if guess else -1)
    state[COUNT], state[STATUS], state[WHERE] = rows, status, p
    return status
