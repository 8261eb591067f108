"""How deep sequences may stand inside each other: 64, by every way of writing them, and never a crash."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fastanon import walk as w
from fastanon.elements import read_elements
from fastanon.errors import MalformedError
from fastanon.limits import limited

WALKS = pytest.mark.parametrize("compiled", [pytest.param(False, id="plain"), pytest.param(True, id="compiled")])
ITEM = b"\xfe\xff\x00\xe0"
ENDS = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"


def u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def undefined(levels: int) -> tuple[bytes, int]:
    opening = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" + ITEM + b"\xff\xff\xff\xff"
    return opening * levels + ENDS * levels, 0


def defined(levels: int) -> tuple[bytes, int]:
    """Write lengths from the inside out; one level adds the two headers, 20 bytes."""
    parts = [
        b"\x08\0\x40\x11SQ\0\0" + u32(20 * left - 12) + ITEM + u32(20 * left - 20) for left in range(levels, 0, -1)
    ]
    return b"".join(parts), 0


def implicit(levels: int) -> tuple[bytes, int]:
    parts = [b"\x08\0\x40\x11" + u32(16 * left - 8) + ITEM + u32(16 * left - 16) for left in range(levels, 0, -1)]
    return b"".join(parts), w.IMPLICIT


def guessed(levels: int) -> tuple[bytes, int]:
    parts = [b"\x09\0\x01\x10" + u32(16 * left - 8) + ITEM + u32(16 * left - 16) for left in range(levels, 0, -1)]
    return b"".join(parts), w.IMPLICIT


WRITERS = pytest.mark.parametrize("write", [undefined, defined, implicit])


@WALKS
@WRITERS
def test_64_are_read(write: Callable[[int], tuple[bytes, int]], compiled: bool) -> None:
    data, mode = write(64)
    elements = read_elements(data, 0, len(data), mode, compiled=compiled)
    assert len(elements) == 128
    assert elements[127].depth == 64
    assert elements.end == len(data)


@WALKS
@WRITERS
@pytest.mark.parametrize("levels", [65, 10_000])
def test_more_are_refused(write: Callable[[int], tuple[bytes, int]], levels: int, compiled: bool) -> None:
    data, mode = write(levels)
    with pytest.raises(MalformedError, match="more than 64 sequences") as caught:
        read_elements(data, 0, len(data), mode, compiled=compiled)
    assert caught.value.offset is not None


@WALKS
@WRITERS
def test_the_limit_may_be_another(write: Callable[[int], tuple[bytes, int]], compiled: bool) -> None:
    for levels in (3, 200):
        with limited(depth=levels):
            data, mode = write(levels)
            assert len(read_elements(data, 0, len(data), mode, compiled=compiled)) == 2 * levels
            data, mode = write(levels + 1)
            with pytest.raises(MalformedError, match=f"more than {levels} sequences"):
                read_elements(data, 0, len(data), mode, compiled=compiled)


@WALKS
@pytest.mark.parametrize("levels", [65, 10_000])
def test_a_guess_that_goes_too_deep_is_left_closed(levels: int, compiled: bool) -> None:
    """What only looks like sequences is no reason to refuse; it is one value, whose text is searched."""
    data, mode = guessed(levels)
    elements = read_elements(data, 0, len(data), mode, compiled=compiled)
    last = elements[len(elements) - 1]
    assert not last.nested
    assert last.end == elements.end == len(data)
    assert max(elements[i].depth for i in range(len(elements))) <= 64


@WALKS
def test_many_broken_guesses_cost_no_more_than_their_bytes(compiled: bool) -> None:
    """Each level is taken back in turn: the walk must not begin anew at each."""
    inner = b"\x10\0\x10\0\xff\xff\0\0"
    for _ in range(63):
        item = ITEM + u32(len(inner)) + inner
        inner = b"\x09\0\x01\x10" + u32(len(item)) + item
    data = inner * 200
    elements = read_elements(data, 0, len(data), w.IMPLICIT, compiled=compiled)
    assert elements.end == len(data)
