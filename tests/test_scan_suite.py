"""One suite for every matcher: what a naive search finds, each finds, and nothing else.

`test_scan_targets` runs this file again for CPUs that this one is not.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastanon.scan import Pattern
from tests.scanning import FILLER, GROUPS, KINDS, exact, folding, invented, made, naive

#: Bytes whose low nibbles are alike, or that differ in case only, or in bit 7.
COLLIDING = (b"AQaq1!", b"\x01\x11\x41\x61\x81\xc1", b"ab\xe9\xc9\0", b"kK\x0b\xcb[{")

everywhere = pytest.mark.parametrize("kind", KINDS)
for_all_groups = pytest.mark.parametrize("group", GROUPS)


def planted(patterns: list[Pattern], places: list[int], size: int, seed: int = 1) -> bytes:
    """Write patterns, some in upper case, over text; one that does not fit is cut off."""
    draw, data = random.Random(seed), bytearray((FILLER * (size // len(FILLER) + 1))[:size])
    for at in places:
        word, fold = draw.choice(patterns)
        word = word.upper() if fold and draw.random() < 0.5 else word
        data[at : at + len(word)] = word[: max(0, size - at)]
    return bytes(data)


@everywhere
@for_all_groups
def test_at_every_alignment(kind: str, group: str) -> None:
    patterns, _ = GROUPS[group]
    chosen = patterns[:3] + patterns[-3:]
    search = made(patterns, kind)
    for shift in range(64):
        data = planted(chosen, list(range(shift, 500, 83)), 500, shift)
        assert search.find(data) == naive(data, patterns)


@everywhere
@for_all_groups
def test_at_the_first_and_the_last_byte(kind: str, group: str) -> None:
    patterns, _ = GROUPS[group]
    search = made(patterns, kind)
    for number, (word, _) in enumerate(patterns[:12] + patterns[-12:]):
        size = len(word) + (0, 1, 17, 64, 129, 300)[number % 6]
        for data in (
            word,
            word + FILLER[: size - len(word)],
            FILLER[: size - len(word)] + word,
            word[:-1],
            word[1:],
        ):
            assert search.find(data) == naive(data, patterns)


@everywhere
@pytest.mark.parametrize("size", [*range(9), 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256, 257, 320])
def test_buffers_of_every_size(kind: str, size: int) -> None:
    patterns = folding(b"a", b"nn", b"ann", b"anna", b"annaann", b"nnannannann")
    for data in (b"anna" * size, b"Anna "[::-1] * size, b"\xe9" * size):
        assert made(patterns, kind).find(data[:size]) == naive(data[:size], patterns)


@everywhere
def test_overlapping_and_adjacent(kind: str) -> None:
    patterns = folding(b"ana", b"anana", b"nan", b"banana", b"ana", b"an") + exact(b"Ana", b"ana")
    data = b"banANAnanaAnaanaban" * 9
    assert made(patterns, kind).find(data) == naive(data, patterns)


@everywhere
def test_between_two_offsets(kind: str) -> None:
    patterns = folding(b"anna", b"nna", b"a") + exact(b"\xe9nna")
    data = bytearray(b"annannaann\xe9nna" * 60)
    search = made(patterns, kind).on(data)
    for start, stop in ((0, 0), (3, 3), (1, 2), (1, 64), (62, 66), (64, 128), (63, 300), (100, 780), (0, 840)):
        wanted = [(start + at, number) for at, number in naive(bytes(data[start:stop]), patterns)]
        assert search(start, stop) == wanted
    data[:] = b"." * len(data)
    assert search(0, len(data)) == []


@everywhere
@for_all_groups
def test_part_of_a_larger_buffer(kind: str, group: str) -> None:
    patterns, _ = GROUPS[group]
    data = planted(patterns, list(range(5, 5000, 97)), 5000)
    search = made(patterns, kind).on(data)
    for start, stop in ((0, 5000), (4096, 5000), (777, 4321)):
        wanted = [(start + at, number) for at, number in naive(data[start:stop], patterns)]
        assert search(start, stop) == wanted


@everywhere
def test_more_matches_than_there_is_room_for(kind: str) -> None:
    patterns = folding(*(b"a" * n for n in (1, 2, 3, 4, 5, 6, 7, 30)), b"b") + exact(b"a" * 5)
    data = b"aA" * 7000 + b"b" + b"a" * 99
    found = made(patterns, kind).find(data)
    runs = [(0, 14000), (14001, 14100)]
    wanted = [
        (at, number)
        for number, (word, fold) in enumerate(patterns)
        for start, stop in runs
        for at in range(start, stop - len(word) + 1)
        if (fold and word[:1] == b"a") or (not fold and start)
    ]
    assert found == sorted([*wanted, (14000, 8)])


@everywhere
@for_all_groups
def test_more_matches_than_that_with_each_kernel(kind: str, group: str) -> None:
    patterns, _ = GROUPS[group]
    word, _ = patterns[-1]
    step = len(word) + 8
    data = (word + b"\n" * 8) * 6000
    found = [(at, number) for at, number in made(patterns, kind).find(data) if number == len(patterns) - 1]
    assert found == [(at, len(patterns) - 1) for at in range(0, len(data), step)]


@everywhere
def test_more_matches_in_one_block_than_there_is_room_for(kind: str) -> None:
    patterns = folding(*(b"a" * n for n in range(4, 90)))
    wanted = [(at, n - 4) for at in range(700) for n in range(4, 90) if at + n <= 700]
    assert made(patterns, kind).find(b"a" * 700) == wanted


@everywhere
def test_only_letters_fold(kind: str) -> None:
    data = bytes(range(256)) * 2
    for fold in (False, True):
        patterns = [Pattern(bytes([n, n + 1]), fold) for n in range(255) if not (fold and 63 < n < 91)]
        assert made(patterns, kind).find(data) == naive(data, patterns)
        for pattern in patterns[::5]:
            assert made([pattern], kind).find(data) == naive(data, [pattern])


@everywhere
def test_equal_patterns_are_all_found(kind: str) -> None:
    patterns = folding(b"anna", b"anna") + exact(b"anna", b"anna")
    assert made(patterns, kind).find(b".Anna.anna") == [(1, 0), (1, 1), (6, 0), (6, 1), (6, 2), (6, 3)]


@everywhere
def test_nothing_to_look_for(kind: str) -> None:
    assert made([], kind).find(b"anna" * 100) == []


@everywhere
@pytest.mark.parametrize("pattern", [Pattern(b"", False), Pattern(b"Anna", True)])
def test_a_pattern_that_cannot_be_found_is_refused(kind: str, pattern: Pattern) -> None:
    with pytest.raises(ValueError, match="empty"):
        made([pattern], kind)


@everywhere
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_bytes_that_collide(kind: str, data: st.DataObject) -> None:
    letters = st.sampled_from(data.draw(st.sampled_from(COLLIDING)))
    text = bytes(data.draw(st.lists(letters, max_size=200)))
    words = st.lists(letters, min_size=1, max_size=8).map(bytes)
    drawn = data.draw(st.lists(st.tuples(words, st.booleans()), min_size=1, max_size=24))
    patterns = [Pattern(word.lower() if fold else word, fold) for word, fold in drawn]
    assert made(patterns, kind).find(text) == naive(text, patterns)


@everywhere
@settings(max_examples=60, deadline=None)
@given(
    st.binary(min_size=1, max_size=300), st.lists(st.tuples(st.integers(0, 299), st.integers(1, 70)), max_size=30)
)
def test_pieces_of_any_bytes(kind: str, text: bytes, pieces: list[tuple[int, int]]) -> None:
    words = {text[at % len(text) :][:size] for at, size in pieces}
    patterns = exact(*sorted(words)) + folding(*sorted(words))
    assert made(patterns, kind).find(text) == naive(text, patterns)


@everywhere
@pytest.mark.parametrize("count", [2, 9, 40, 128, 700])
def test_so_many_names(kind: str, count: int) -> None:
    patterns = invented(count)
    data = planted(patterns, list(range(0, 3000, 31)), 3000)
    assert made(patterns, kind).find(data) == naive(data, patterns)
