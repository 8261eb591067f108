"""How far a file is read before it is refused: bounds that no real file meets and every bomb does.

Readers ask for them when they read. ``FASTANON_LIMITS`` in the environment changes them for a process and those it
starts, `limited` for a block of Python.

>>> with limited(depth=8):
...     limits().depth
8
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

from fastanon.errors import MalformedError, UsageError

ENVIRONMENT = "FASTANON_LIMITS"

#: Inflated bytes that are never too many for their deflated size: an empty mask deflates to a thousandth.
FLOOR = 64 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what is read.

    Attributes
    ----------
    depth : int
        Sequences inside each other in a dataset, and braces in a protocol.
    elements : int
        Elements and items of one dataset.
    header : int
        Bytes of a dataset or of a twix header outside payloads.
    text : int
        Bytes of one CSA header, protocol or Interfile header.
    fields : int
        Pieces of text in one of these.
    values : int
        Characters of one name, ID, date or place that is searched for.
    needles : int
        Spellings of all values of a file that are searched for.
    hits : int
        Places where such a spelling stands, in one search.
    inflated : int
        Bytes of a deflated dataset or of a packed file in an archive, inflated.
    ratio : int
        Inflated bytes for each deflated byte, from `FLOOR` bytes on.
    members : int
        Files and folders in one archive.
    """

    depth: int = 64
    elements: int = 1_000_000
    header: int = 1 << 30
    text: int = 16 << 20
    fields: int = 100_000
    values: int = 4096
    needles: int = 50_000
    hits: int = 200_000
    inflated: int = 1 << 30
    ratio: int = 100
    members: int = 100_000

    def __post_init__(self) -> None:
        for field in fields(self):
            if type(value := getattr(self, field.name)) is not int or not 0 < value < 1 << 62:
                raise UsageError(f"limit {field.name}: a whole number from 1 on")


_given: list[Limits] = []


def limits() -> Limits:
    """Give the limits that hold now.

    Raises
    ------
    UsageError
        If the environment names a limit that there is not, or says no number.
    """
    return _given[-1] if _given else from_environment(os.environ.get(ENVIRONMENT, ""))


@functools.lru_cache(8)
def from_environment(text: str) -> Limits:
    """Read ``depth=64,elements=2000000``; what is not named keeps its default."""
    changes: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (word.strip() for word in part.partition("="))
        if not (value.isascii() and value.isdecimal() and len(value) < 20):
            raise UsageError(f"{ENVIRONMENT}: {part!r} is not NAME=NUMBER")
        changes[name] = int(value)
    return _changed(Limits(), changes)


@contextmanager
def limited(**changes: int) -> Iterator[Limits]:
    """Let other limits hold inside a ``with`` block, for the whole process; the rest stays as it is."""
    _given.append(_changed(limits(), changes))
    try:
        yield _given[-1]
    finally:
        _given.pop()


def check(name: str, size: int, what: str, offset: int | None = None) -> None:
    """Raise MalformedError, with the name of the limit, if a size is past it."""
    most = getattr(limits(), name)
    if size > most:
        raise MalformedError(f"more than {most} {what} (limit {name})", offset=offset)


def _changed(old: Limits, changes: dict[str, int]) -> Limits:
    names = [field.name for field in fields(Limits)]
    for name in changes.keys() - names:
        raise UsageError(f"limit {name!r}: one of {', '.join(names)}")
    return replace(old, **changes)
