"""Where the tags of a CSA header begin: the walk of `csa` without a look at what they hold, to be compiled."""

from __future__ import annotations

from collections.abc import MutableSequence

from fastanon.walk import Bytes, u32

FIRST = 16  # bytes before the first tag: SV10, four of any, the number of tags, 77
_TAG, _ITEM, _ITEMS = 84, 16, 76  # bytes of the heads of a tag and of an item; where their number stands
_LARGEST = 0x7FFFFFFF


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
