"""A CSA header or a protocol as a part of its own: what is known of one holds wherever the same bytes stand.

The series header is the same in every slice of a series, so it is read, searched and planned once.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from fastanon.fields import Field, Space, Text
from fastanon.identity import Needles
from fastanon.keep import AROUND, is_kept
from fastanon.part import Part, broken_text, holding, text_rules
from fastanon.rules import Rule
from fastanon.scheme import Scheme
from fastanon.siemens import csa, protocol, protocol_keys, spelled
from fastanon.siemens.spelled import Spelled

T = TypeVar("T")

#: Shorter texts are read where they stand.
LEAST = 1024

#: Base64 that is long enough to hold a name, and is no word: both cases, and a digit or a sign.
BASE64 = re.compile(rb"(?=[^ \0]*[a-z])(?=[^ \0]*[A-Z])(?=[^ \0]*[0-9+/])[A-Za-z0-9+/\r\n]{64,}={0,2}[ \0\r\n]*")

_REMEMBERED = 4  # answers for different needles or schemes: as many as series are read in turns


class Inside(Part):
    """The text of one private element, whose offsets count from its first byte.

    Parameters
    ----------
    data : bytes
        The value.
    tag : int
        Of the element.
    key : tuple of str
        Its path.
    """

    def __init__(self, data: bytes, tag: int, key: tuple[str, ...]) -> None:
        super().__init__(Space(), data, 0, len(data))
        self.tag, self.key = tag, key
        self.borders = frozenset((0, len(data)))
        self.fields = sorted(read_text(data, 0, self.space, key), key=lambda field: field.value)
        self._memory: dict[str, list[tuple[tuple[object, ...], Any]]] = {}

    def remember(self, what: str, given: tuple[object, ...], make: Callable[[], T]) -> T:
        """Give what was made before of the very same objects, or make it."""
        known = self._memory.setdefault(what, [])
        for keys, made in known:
            if all(map(_same, keys, given)):
                return made  # type: ignore[no-any-return]
        made = make()
        del known[_REMEMBERED - 1 :]
        known.insert(0, (given, made))
        return made

    def identifying(self, scheme: Scheme) -> Iterator[tuple[Field, Rule]]:
        """Give the fields that change, each with what happens to it."""
        return iter(
            self.remember("rules", (scheme,), lambda: list(text_rules(self.fields, protocol_keys.rule_of, scheme)))
        )

    def slack(self) -> Iterator[Field]:
        """Give the runs of leftover memory that hold anything."""
        return (field for field in self.fields if field.key[-1] == "slack")

    def packed(self) -> list[Field]:
        """Give every text that is packed, so that no search sees it: Siemens packs landmarks as base64."""
        return self.remember(
            "packed", (), lambda: [f for f in self.fields if BASE64.fullmatch(self.bytes_at(*f.value))]
        )

    def spelled(self) -> list[Spelled]:
        """Give the texts that are written as numbers."""
        return self.remember("spelled", (), self._spelled)

    def _spelled(self) -> list[Spelled]:
        found = spelled.read(self.bytes_at(0, self.stop), 0)
        return [one._replace(name=" > ".join((*self.key, one.name))) for one in found]

    def field_at(self, start: int, end: int) -> Field | None:
        """Give the text that holds all bytes of a hit; None in a key, in a number, or across a border."""
        at = max(0, start - AROUND)
        if is_kept(self.tag, self.bytes_at(at, end + AROUND), start - at, end - at):
            return None
        return holding(self.fields, start, end)

    def name_at(self, start: int, end: int) -> str:
        """Give the name of the text or the element that holds these bytes."""
        field = holding(self.fields, start, end)
        return " > ".join(self.key) if field is None else field.name

    def broken_at(self, start: int, end: int) -> Field | None:
        """Give the text of a broken structure that a hit touches."""
        return broken_text(self.fields, start, end)

    @property
    def broken(self) -> Field | None:
        """The first text whose structure contradicts itself."""
        return next((field for field in self.fields if field.broken), None)


def _same(one: object, other: object) -> bool:
    """Compare, but of needles, which are many, say only whether they are the very same."""
    return one is other or (type(one) is not tuple and not isinstance(one, Needles) and one == other)


@functools.lru_cache(16)
def inside_of(data: bytes, tag: int, key: tuple[str, ...]) -> Inside:
    """Read a text, or give what was read of the same one."""
    return Inside(data, tag, key)


def is_inside(data: bytes) -> bool:
    """Say whether a value is such a text."""
    return csa.is_csa(data) or protocol.is_protocol(data)


def read_text(data: bytes, base: int, space: Space, key: tuple[str, ...]) -> list[Field]:
    """Read a CSA header or a protocol; one that contradicts itself is one text, marked as broken."""
    if not csa.is_csa(data):
        return protocol.fields(data, base, space, key)
    try:
        return csa.fields(data, base, space, key)
    except csa.BrokenCsaError:
        run = (base, base + len(data))
        return [Field(key, space, run, run, Text("latin-1"), broken=True)]
