"""Text that Siemens writes as numbers, one for each character: as it stands no needle finds it.

MEDCOM OOG has what was typed onto an image as ``(79, 114, 105)``; ASCCONV has comments a character a line, as
``sComment.0 = 0x46 # 'F'``. Both are seen in real headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_LIST = re.compile(rb"\((?: *+\d{1,3} *+,){2,}+ *+\d{1,3} *+\)")
_NUMBER = re.compile(rb"\d+")
_COMMENT = re.compile(rb"(?m)^[ \t]*+([\w.]*[cC]omment)[.\[]\d++\]?+[ \t]*+=[ \t]*+0x([\da-fA-F]{2})\b([^\n]*)$")
_QUOTED = re.compile(rb"'(.)'")

#: A tab, and the letter X, by the number of their decimal digits.
_X = {1: b"9", 2: b"88", 3: b"120"}


class Change(NamedTuple):
    """What becomes of a character that goes: as many bytes at an offset."""

    offset: int
    new: bytes


class Spelled(NamedTuple):
    """A text that is written as numbers.

    Attributes
    ----------
    name : str
        The parameter, or ``typed text``.
    text : bytes
        The characters.
    changes : tuple of tuple of Change
        For each character, how it becomes an X.
    """

    name: str
    text: bytes
    changes: tuple[tuple[Change, ...], ...]


def read(data: bytes, base: int) -> Iterator[Spelled]:
    """Give the texts that are written as numbers.

    Parameters
    ----------
    data : bytes
        A text, or a CSA header that holds one.
    base : int
        Its offset.
    """
    for found in _LIST.finditer(data) if data.startswith(b"STEP;") else ():
        numbers = list(_NUMBER.finditer(data, *found.span()))
        if all(int(n[0]) < 256 for n in numbers):
            changes = tuple((Change(base + n.start(), _X[len(n[0])]),) for n in numbers)
            yield Spelled("typed text", bytes(int(n[0]) for n in numbers), changes)
    comments: dict[str, list[re.Match[bytes]]] = {}
    for line in _COMMENT.finditer(data) if b"omment.0" in data or b"omment[0" in data else ():
        comments.setdefault(line[1].decode(), []).append(line)
    for name, lines in comments.items():
        yield Spelled(
            name, bytes(int(line[2], 16) for line in lines), tuple(_of_line(line, base) for line in lines)
        )


def _of_line(line: re.Match[bytes], base: int) -> tuple[Change, ...]:
    number = Change(base + line.start(2), b"58")
    shown = _QUOTED.search(line[3])
    return (number,) if shown is None else (number, Change(base + line.start(3) + shown.start(1), b"X"))
