"""A payload that passes once is searched as one that can be read again: the two are asked the same."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fastanon.chance import PIECE, Scanner
from fastanon.identity import Needle, Value, needles_of
from fastanon.opened import Opened
from fastanon.part import TextPart
from fastanon.passing import Passing
from fastanon.payload import Payload

NAMES = ("LEE^JO", "THISTLEWOOD^JO", "MÜLLER-LÜDENSCHEIDT^KATHARINA", "王^小明")
WORDS = (
    b"LEE",
    b"JO",
    b"THISTLEWOOD",
    b"jo thistlewood",
    b"Thistlewood, Jo",
    "M\u00fcller".encode(),
    b"19430217",
    b" ",
    b"\0",
)
START = 1000


def needles() -> tuple[Needle, ...]:
    values = [Value("name", name, "utf-8", "x") for name in NAMES]
    values += [Value("date", "19430217", "ascii", ""), Value("id", "KX-8841-77Q", "ascii", "")]
    return needles_of(tuple(values))[0]


def payload(size: int, seed: int, letters: bool) -> bytes:
    """Give bytes in which names stand by chance, whole, cut off, and at borders of what is searched at once."""
    rng = random.Random(seed)
    data = bytearray(rng.choices(b"JOELE eo\0", k=size) if letters else rng.randbytes(size))
    places = [rng.randrange(size) for _ in range(60)]
    places += [
        border + rng.randrange(-20, 4) for border in (0, 1 << 20, 4 << 20, (4 << 20) - 512, size) if border <= size
    ]
    for at in places:
        word = bytes(rng.choice((b"", b"\0", b" "))) + rng.choice(WORDS) + rng.choice((b"", b"\0", b"x"))
        at = max(0, min(at, size - len(word)))
        data[at : at + len(word)] = word
    return bytes(data)


@pytest.mark.parametrize("letters", [False, True])
@pytest.mark.parametrize("kind", ["list-mode", "pixels"])
@pytest.mark.parametrize(("size", "seed"), [(30, 1), (5000, 2), (PIECE + 7, 3), ((5 << 20) + 3, 4), (9 << 20, 5)])
def test_both_find_the_same(size: int, seed: int, kind: str, letters: bool, tmp_path: Path) -> None:
    if letters and size > 100_000:
        size //= 40  # each of the letters is a hit
    data = payload(size, seed, letters)
    path = tmp_path / "a"
    path.write_bytes(bytes(START) + data + bytes(100))
    there = Payload(START, START + size, kind)
    with Opened(path) as opened:
        expected = Scanner(needles(), size).scan(TextPart(opened, payloads=[there]), there)
    passing, rng, at = Passing(needles(), there), random.Random(seed), 0
    while at < size:
        step = rng.choice((1, 7, 1000, 65536, 3 << 20))
        passing.feed(data[at : at + step])
        at += step
    assert passing.scanned() == expected
    assert expected.hits or size == 30
    assert bool(expected.real) == (kind == "list-mode") or size == 30
