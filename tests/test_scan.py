"""The scanner against a search that is too simple to be wrong."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastanon import search
from fastanon.container import read_parts
from fastanon.identity import Needle
from fastanon.opened import Opened
from fastanon.scan import find
from tests import builder

LETTERS = st.sampled_from("aAbB .^\0\xe9")
TEXTS = st.text(LETTERS, max_size=24)
WORDS = st.lists(st.text(st.sampled_from("ab\xe9"), min_size=1, max_size=4), max_size=4, unique=True)
CODECS = st.sampled_from(["latin-1", "utf-16-le"])


def needle(word: str, codec: str = "latin-1", short: bool = False, kind: str = "name", new: str = "x") -> Needle:
    return Needle(word.lower().encode(codec), True, short, codec, kind, new)


def naive(data: bytes, needles: list[Needle]) -> set[int]:
    """Give every byte that a needle covers."""
    covered: set[int] = set()
    for one in needles:
        size = len(one.data)
        for at in range(len(data) - size + 1):
            if data[at : at + size].lower() == one.data and (not one.short or delimited(data, at, at + size, one)):
                covered |= set(range(at, at + size))
    return covered


def delimited(data: bytes, start: int, end: int, one: Needle) -> bool:
    unit = len("a".encode(one.codec))
    around = [data[start - unit : start] if start >= unit else b"", data[end : end + unit]]
    for character in around:
        if len(character) < unit:
            continue
        if character.decode(one.codec, "replace").isalnum() or (unit == 1 and character[0] > 0x7F):
            return False
    return True


@settings(max_examples=400, deadline=None)
@given(TEXTS, WORDS, st.booleans(), CODECS, st.integers(0, 1))
def test_everything_a_naive_search_finds_is_found(
    text: str, words: list[str], short: bool, codec: str, shift: int
) -> None:
    data = bytes(shift) + text.encode(codec)
    needles = [needle(word, codec, short) for word in words]
    hits = find(data, needles, base=1000)
    covered = {at - 1000 for hit in hits for at in range(hit.start, hit.end)}
    wanted = naive(data, needles)
    assert wanted <= covered
    joiners = set(b"^ ,_.-'=\0")
    assert {data[at] for at in covered - wanted} <= joiners
    assert [h.start for h in hits] == sorted(h.start for h in hits)
    assert all(a.end <= b.start for a, b in itertools.pairwise(hits))


@pytest.mark.parametrize(
    ("data", "words", "spans"),
    [
        (b"DOE JOHN", ["doe", "john"], [(0, 8)]),
        (b"doe, john", ["doe", "john"], [(0, 9)]),
        (b"doe and john", ["doe", "john"], [(0, 3), (8, 12)]),
        (b"doe    john", ["doe", "john"], [(0, 3), (7, 11)]),
        (b"doejohn", ["doe", "john"], [(0, 7)]),
        (b"johnjohn", ["john"], [(0, 8)]),
        (b"anana", ["ana"], [(0, 5)]),
        (b"", ["ana"], []),
        (b"an", ["ana"], []),
    ],
)
def test_neighbors_are_one_hit(data: bytes, words: list[str], spans: list[tuple[int, int]]) -> None:
    assert [(h.start, h.end) for h in find(data, [needle(word) for word in words])] == spans


def test_neighbors_of_different_kinds_stay_apart() -> None:
    hits = find(b"doe 12345678", [needle("doe"), needle("12345678", kind="id")])
    assert [(h.start, h.end, h.needle.kind) for h in hits] == [(0, 3, "name"), (4, 12, "id")]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"lee", True), (b" lee ", True), (b"^LEE^", True), (b"_lee_", True), (b"(lee)", True), (b"\0lee\0", True),
        (b"flee", False), (b"leek", False), (b"lee1", False), (b"\xe9lee", False), (b"lee\xc3\xa9", False),
    ],
)  # fmt: skip
def test_a_short_word_stands_alone(data: bytes, found: bool) -> None:
    assert bool(find(data, [needle("lee", short=True)])) is found


@pytest.mark.parametrize("shift", range(4))
def test_utf_16_is_found_at_every_alignment(shift: int) -> None:
    data = bytes(shift) + "a Lee^Kim.".encode("utf-16-le")
    hits = find(data, [needle("lee", "utf-16-le", True), needle("kim", "utf-16-le", True)])
    assert [(h.start, h.end) for h in hits] == [(shift + 4, shift + 18)]


@pytest.mark.parametrize("block", [16, 17, 31, 64, 1000])
@pytest.mark.parametrize("at", [0, 1, 9, 15, 16, 17, 30, 33, 100, 480])
def test_a_hit_across_blocks_is_found_once(
    block: int, at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_BLOCK", block)
    monkeypatch.setattr(search, "_MARGIN", 16)
    text = bytearray(b"." * 500)
    text[at : at + 11] = b"smithy jane"
    assert _starts(tmp_path, bytes(text), "smithy", "jane") == [(at, 11)]


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab. "), min_size=1, max_size=120), st.integers(1, 40))
def test_blocks_change_nothing(tmp_path_factory: pytest.TempPathFactory, text: str, block: int) -> None:
    folder = tmp_path_factory.mktemp("blocks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "_MARGIN", 400)
        patch.setattr(search, "_BLOCK", 1 << 20)
        whole = _starts(folder, text.encode(), "aab", "ba")
        patch.setattr(search, "_BLOCK", block)
        assert _starts(folder, text.encode(), "aab", "ba") == whole


def _starts(folder: Path, text: bytes, *words: str) -> list[tuple[int, int]]:
    """Search a text in a DICOM file; give offset in the text and length of each hit."""
    path = folder / "a.dcm"
    path.write_bytes(builder.part10((builder.Leaf(0x00104000, "LT", text),)))
    with Opened(path) as opened:
        parts = read_parts(opened)
        base = parts[-1].elements[0].value
        needles = tuple(needle(word) for word in words)
        return [(h.start - base, h.end - h.start) for part in parts for h in search.hits_in(part, needles)]
