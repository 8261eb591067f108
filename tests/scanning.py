"""What the scanner's tests share: an oracle, every implementation, patterns for each kernel."""

from __future__ import annotations

import functools
import random

from fastanon.kept_kernels import kernel
from fastanon.scan import Match, Matcher, Pattern, matcher

#: The implementations that numba's target has.
KINDS = ("small", "portable", *(("vector",) if kernel("shuffled")() else ()))

#: Text in which the bytes of the patterns below are common, those that match and those that almost do.
FILLER = b'<ParamString."t"> { "1.5" } \0\0\x01\0 \xe9\xc3\xa9 Anna jANSEN 2017\r\n' * 20


def naive(data: bytes, patterns: list[Pattern]) -> list[Match]:
    """Compare every pattern at every offset."""
    return list(_compared(data, tuple(patterns)))


@functools.lru_cache(2000)  # every implementation is asked the same
def _compared(data: bytes, patterns: tuple[Pattern, ...]) -> tuple[Match, ...]:
    found = []
    for at in range(len(data)):
        for number, (pattern, fold) in enumerate(patterns):
            piece = data[at : at + len(pattern)]
            if (piece.lower() if fold else piece) == pattern:
                found.append((at, number))
    return tuple(found)


def folding(*words: bytes) -> list[Pattern]:
    """Give patterns that match in either case."""
    return [Pattern(word.lower(), True) for word in words]


def exact(*words: bytes) -> list[Pattern]:
    """Give patterns that match as they are."""
    return [Pattern(word, False) for word in words]


def spelled(*names: str) -> list[Pattern]:
    """Give names as headers, programs and Windows write them."""
    codecs = ("latin-1", "utf-8", "utf-16-le", "utf-16-be")
    return folding(*dict.fromkeys(name.lower().encode(codec) for name in names for codec in codecs))


def invented(count: int, seed: int = 1) -> list[Pattern]:
    """Give so many names that nobody has, of 4 to 12 letters."""
    draw = random.Random(seed)
    words = {"".join(draw.choices("abcdefghijklmnopqrstuvwxyz^", k=draw.randint(4, 12))) for _ in range(count)}
    return folding(*(word.encode() for word in sorted(words)))


#: Patterns, and the kernel that vectors have for them.
GROUPS = {
    "one": (folding(b"jansen^anna"), "two_bytes"),
    "one of high bytes": (exact(b"\xe9\xc3\xa9\xe9"), "two_bytes"),
    "one of two bytes": (exact(b"\0\x01"), "two_bytes"),
    "one byte": (exact(b"\xff"), "both_nibbles"),
    "few": (folding(b"jansen", b"anna", b"van der berg", b"lee"), "few"),
    "UTF-16 and accents": (spelled("Bj\xf6rn", "\xc5se", "Jansen"), "few both_nibbles"),
    "dates and numbers": (exact(b"19540312", b"1954-03-12", b"0000", b"\0" * 6), "few"),
    "many": (invented(150), "many"),
    "no ASCII": (exact(b"\xe9\xe8", b"\xd0\x98\xd0\xb2", b"\x1b\xe9", b"\xe9"), "both_nibbles"),
    "all lengths": (
        [Pattern(bytes(97 + (i * n) % 7 for i in range(n)), n % 2 > 0) for n in range(2, 71)],
        "few two_bytes",
    ),
}


def made(patterns: list[Pattern], kind: str) -> Matcher:
    """Get a matcher of one kind."""
    return matcher(patterns, kind=kind)  # type: ignore[arg-type]
