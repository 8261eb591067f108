"""Bytes with marked spans, and the three kinds of bytes that hide a name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from tests.planted.spelling import WIDE, Spelled


class Span(NamedTuple):
    """Bytes that mean something, from the first to the end: a `copy`, a `field`, `slack` or `payload`."""

    start: int
    end: int
    kind: str
    place: str


@dataclass(frozen=True)
class Marked:
    """Bytes that were joined from others, each with its offset; `kind` is set where all of them are one span."""

    data: bytes
    parts: tuple[tuple[int, Marked], ...] = ()
    place: str = ""
    kind: str = ""

    def __len__(self) -> int:
        return len(self.data)

    def under(self, place: str) -> Marked:
        """Put a word before the names of all places."""
        return Marked(self.data, ((0, self),), place)

    def spans(self, base: int = 0, before: str = "") -> Iterator[Span]:
        """Give all spans, in order."""
        place = f"{before}{self.place} > " if self.place and not self.kind else before
        if self.kind:
            yield Span(base, base + len(self), self.kind, before + self.place)
        for offset, part in self.parts:
            yield from part.spans(base + offset, place)


Part: TypeAlias = "bytes | Marked"


def cat(*parts: Part) -> Marked:
    """Join bytes; spans move with them."""
    found, at = [], 0
    for part in parts:
        if isinstance(part, Marked) and (part.parts or part.kind):
            found.append((at, part))
        at += len(part)
    return Marked(b"".join(part.data if isinstance(part, Marked) else part for part in parts), tuple(found))


def mark(data: bytes, kind: str, place: str) -> Marked:
    """Make all of some bytes one span."""
    return Marked(data, (), place, kind if data else "")


def filled(part: Part, size: int, fill: bytes = b"\0") -> Marked:
    """Fill up to a size."""
    return cat(part, fill * (size - len(part)))


def copies(s: Spelled, between: bytes = b" ", forms: Iterable[bytes] | None = None) -> Marked:
    """Write forms one after the other, each in brackets of its encoding."""
    codec = WIDE if s.wide else "ascii"
    opened, closed, between = (text.decode().encode(codec) for text in (b"[", b"]", between))
    words = [
        cat(opened, mark(f, "copy", repr(f)), closed) for f in (s.forms + s.respelled if forms is None else forms)
    ]
    return cat(*(part for word in words for part in (word, between)))


def slack(form: bytes, room: int) -> Marked:
    """Write leftover memory, cut where the room ends."""
    return mark(form[:room], "slack", f"slack {form[:room]!r}")


def payload(s: Spelled) -> Marked:
    """Write list-mode words with names that stand inside of longer words, as chance would have it."""
    letters = b"q\0q\0" if s.wide else b"qqqq"
    # in the middle of a name of three words one stands delimited, and is no chance
    whole = (form for form in (*s.forms, *s.respelled) if b" " not in form)
    data = b"\x11\x22\x33\x44" * 64 + letters.join((b"", *whole, b""))
    return mark(data + bytes(-len(data) % 4), "payload", "payload")
