"""Where the tags of a CSA header begin, and what in a tag is text or leftover: as `csa` has it, to be compiled."""

from __future__ import annotations

from collections.abc import MutableSequence

from fastanon.walk import Bytes, u32

FIRST = 16  # bytes before the first tag: SV10, four of any, the number of tags, 77
NAME = 64  # bytes of the name of a tag
_TAG, _ITEM = 84, 16  # bytes of the heads of a tag and of an item
_VR, _ITEMS = 68, 76  # where a tag has its VR, and the number of its items
_LARGEST = 0x7FFFFFFF

TEXT_VRS = b"LO", b"LT", b"PN", b"SH", b"ST", b"UI", b"UN", b"UT"
NUMBER_VRS = b"DS", b"IS"  # what is declared one and is none may be text
BINARY_VRS = b"UN", b"OB"
_TEXTS, _NUMBERS, _BINARIES = (
    tuple(int.from_bytes(vr, "little") for vr in vrs) for vrs in (TEXT_VRS, NUMBER_VRS, BINARY_VRS)
)

#: What a run of a tag is.
LEFTOVER, TEXT = 0, 1


def tag_starts(data: Bytes, start: int, stop: int, starts: MutableSequence[int]) -> int:
    """Find the tags of a header of the newer form.

    Parameters
    ----------
    data : bytes-like
        What holds it.
    start, stop : int
        The header.
    starts : buffer of int64
        Gets the offsets in `data`, and behind the last that of the end.

    Returns
    -------
    int
        The number of tags; 0 where counts and lengths do not lead to within 4 bytes of its end, or have no room.
    """
    if stop - start < FIRST or u32(data, start) != 0x30315653 or u32(data, start + 12) != 77:
        return 0
    count, at = u32(data, start + 8), start + FIRST
    if count + 1 > len(starts):
        return 0
    for number in range(count):
        starts[number] = at
        if at + _TAG > stop:
            return 0
        items = u32(data, at + _ITEMS)
        at += _TAG
        if items > _LARGEST:  # a negative number
            items = 0
        for _ in range(items):
            if at + _ITEM > stop:
                return 0
            length = u32(data, at + 4)
            at += _ITEM + length + (4 - length % 4) % 4
            if at > stop + 3:
                return 0
    if at < stop - 4 or at > stop:
        return 0
    starts[count] = stop
    return count


def first_nul(b: Bytes, start: int, stop: int) -> int:
    """Find the first NUL; the end if there is none."""
    while start < stop and b[start] != 0:
        start += 1
    return start


def is_number(b: Bytes, start: int, stop: int) -> bool:
    """Say whether all characters are those of numbers."""
    for at in range(start, stop):
        c = b[at]
        if not (0x30 <= c <= 0x39 or c in (0x20, 0x2B, 0x2D, 0x2E, 0x45, 0x65)):  # digits, space, + - . E e
            return False
    return True


def put_run(runs: MutableSequence[int], count: int, kind: int, start: int, stop: int) -> int:
    """Write a run if there is room; give how many there are then."""
    if 3 * count + 3 <= len(runs):
        runs[3 * count], runs[3 * count + 1], runs[3 * count + 2] = kind, start, stop
    return count + 1


def put_leftover(b: Bytes, runs: MutableSequence[int], count: int, start: int, stop: int) -> int:
    """Write a run of leftover memory, if anything is in it."""
    for at in range(start, stop):
        if b[at] != 0:
            return put_run(runs, count, LEFTOVER, start, stop)
    return count


def two_letters(vr: int) -> int:
    """Give the first two of four bytes, if the third ends them."""
    return vr & 0xFFFF if vr & 0xFF and vr & 0xFF00 and not vr & 0xFF0000 else 0


def tag_runs(b: Bytes, start: int, stop: int, runs: MutableSequence[int]) -> int:
    """Find the texts of a tag, and what the scanner's memory held before in what is behind them.

    Parameters
    ----------
    b : bytes-like
        What holds it.
    start, stop : int
        The tag.
    runs : buffer of int64
        Gets three numbers for each run, in order: LEFTOVER or TEXT, and the offsets in `b` of its first byte and
        behind its last. A text ends before its NUL; leftover memory that is all zero is none.

    Returns
    -------
    int
        How many there are; -1 where the tag contradicts itself, or there is no room.
    """
    if start + _TAG > stop:
        return -1
    vr, count = start + _VR, 0
    count = put_leftover(b, runs, count, first_nul(b, start, start + NAME) + 1, start + NAME)
    count = put_leftover(b, runs, count, first_nul(b, vr, vr + 4) + 1, vr + 4)
    kind, items, at = two_letters(u32(b, vr)), u32(b, start + _ITEMS), start + _TAG
    if items > _LARGEST:  # a negative number
        items = 0
    for _ in range(items):
        if at + _ITEM > stop:
            return -1
        length = u32(b, at + 4)
        at += _ITEM
        if length > stop - at:
            return -1
        end = at + length
        padded = min(end + (4 - length % 4) % 4, stop)
        text = end if kind in _BINARIES else first_nul(b, at, end)
        if kind in _TEXTS or (kind in _NUMBERS and not is_number(b, at, text)):
            count = put_run(runs, count, TEXT, at, text)
        count = put_leftover(b, runs, count, min(text + 1, end) if kind not in _BINARIES else end, padded)
        at = padded
    return count if 3 * count <= len(runs) else -1
