"""What is read by position through a call, and what a file becomes, against bytes in memory."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastanon import pages
from fastanon.edits import Edit
from fastanon.errors import ChangedError, NotMedicalError
from fastanon.opened import SMALL, Opened
from fastanon.outcome import Outcome
from fastanon.pages import BLOCK, Pages
from fastanon.positioned import Positioned

LARGE = SMALL + 3 * BLOCK + 12_345


#: More bytes than are read at once, of which no two blocks are the same.
DATA = b"".join(number.to_bytes(4, "little") for number in range(LARGE // 4 + 1))[:LARGE]


def over(data: bytes, asked: list[tuple[int, int]] | None = None) -> Positioned:
    def fetch(start: int, stop: int) -> bytes:
        if asked is not None:
            asked.append((start, stop))
        return data[start:stop]

    return Positioned("there", len(data), fetch, lambda: None)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, LARGE), st.integers(0, LARGE)), max_size=8))
def test_slices_indices_and_reads(places: list[tuple[int, int]]) -> None:
    opened = over(DATA)
    for first, second in places:
        start, stop = min(first, second), min(max(first, second), first + 2 * BLOCK)
        assert opened.view[start:stop] == DATA[start:stop] == opened.read(start, max(start, stop))
        assert start == LARGE or opened.view[start] == DATA[start]


def test_only_what_is_asked_for_is_fetched_and_little_is_kept() -> None:
    asked: list[tuple[int, int]] = []
    opened = over(DATA, asked)
    for at in range(100, 200):
        assert opened.view[at] == DATA[at]
    assert asked == [(0, BLOCK)]
    for at in range(0, LARGE, 1000):
        opened.read(at, min(at + 1000, LARGE))
    assert len(asked) == len(set(asked)) == -(-LARGE // BLOCK)  # each once, the first is still there
    assert max(stop - start for start, stop in asked) == BLOCK


def test_what_is_small_is_fetched_at_once() -> None:
    asked: list[tuple[int, int]] = []
    opened = over(DATA[:1000], asked)
    assert opened.view == DATA[:1000]
    opened.read(3, 900)
    assert asked == [(0, 1000)]
    with pytest.raises(NotMedicalError):
        over(b"")


def test_threads_see_the_same() -> None:
    opened = over(DATA)
    places = [(at, min(at + 5000, LARGE)) for at in range(0, LARGE, 77_777)]
    buffers = [bytearray(stop - start) for start, stop in places]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: opened.fill(memoryview(one[0]), one[1][0]), zip(buffers, places, strict=True)))
    assert buffers == [DATA[start:stop] for start, stop in places]


def test_a_block_that_is_another_the_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_KEPT", 1)
    changing = bytearray(DATA)
    found = Pages(LARGE, lambda start, stop: bytes(changing[start:stop]))
    found.read(0, 10)
    found.read(BLOCK, BLOCK + 10)
    changing[BLOCK - 1] ^= 1
    with pytest.raises(ChangedError, match="changed while it was read at offset 0"):
        found.read(5, 10)


def test_bytes_that_are_missing() -> None:
    for size in (LARGE, 1000):
        with pytest.raises(ChangedError):
            Positioned("there", size, lambda start, stop: DATA[start : stop - 1], lambda: None).read(0, 10)
    with pytest.raises(ChangedError, match="became shorter"):
        Pages(1000, lambda start, stop: DATA[start:stop]).read(990, 1001)


cuts = st.lists(st.tuples(st.integers(0, LARGE), st.binary(max_size=9)), max_size=12, unique_by=lambda cut: cut[0])


def edits_of(places: Sequence[tuple[int, bytes]], gone: int) -> list[Edit]:
    ordered = sorted(places)
    ends = [start for start, _ in ordered[1:]] + [LARGE]
    return [Edit(at, min(gone, end - at), new, "") for (at, new), end in zip(ordered, ends, strict=False)]


@settings(deadline=None, max_examples=50)
@given(cuts, st.sampled_from([0, 1, 300, BLOCK]), st.integers(0, LARGE), st.integers(0, 3 * BLOCK))
def test_an_outcome_is_what_an_edit_makes(
    places: list[tuple[int, bytes]], gone: int, start: int, length: int
) -> None:
    edits, parts, at = edits_of(places, gone), [], 0
    for edit in edits:  # as plainly as it can be done
        parts += [DATA[at : edit.offset], edit.new]
        at = edit.offset + edit.old
    expected = b"".join([*parts, DATA[at:]])
    with over(DATA) as opened, Outcome(opened, edits) as outcome:
        assert outcome.size == len(expected)
        assert (
            outcome.read(start, max(start, min(start + length, outcome.size))) == expected[start : start + length]
        )


def test_an_outcome_of_a_file_goes_out_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(DATA)
    with Opened(path) as opened, Outcome(opened, [Edit(7, 1, b"new", ""), Edit(LARGE, 0, b"end", "")]) as outcome:
        chunks = list(outcome.chunks())
        assert {len(chunk) for chunk in itertools.islice(chunks, len(chunks) - 1)} == {BLOCK}
        assert b"".join(chunks) == DATA[:7] + b"new" + DATA[8:] + b"end"
        path.write_bytes(DATA + b"x")
        with pytest.raises(ChangedError):
            outcome.check()
