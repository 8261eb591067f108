"""What can be edited: a `Field`, in `Box` after `Box`, in a `Space`.

Every format contributes a reader that yields fields; planning and writing know nothing else of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Slot(NamedTuple):
    """Where a length is written: offset and `struct` format of one number."""

    offset: int
    fmt: str


@dataclass(frozen=True, slots=True)
class Box:
    """A run of bytes whose length is written somewhere.

    Attributes
    ----------
    start, end : int
        The bytes counted.
    slots : tuple of Slot
        Where their number is written; none for an undefined length.
    align : int
        The content is filled up to a multiple of this, and the filling counted.
    fill : bytes
        One byte to fill up with.
    parent : Box or None
        The next box around it. Boxes of one space are told apart without it: by their bytes and slots.
    """

    start: int
    end: int
    slots: tuple[Slot, ...]
    align: int = 1
    fill: bytes = b"\0"
    parent: Box | None = field(default=None, compare=False, repr=False)


class Space(NamedTuple):
    """What offsets count in: the file (no parent), or a dataset inflated from `start` to `end` of one."""

    parent: Space | None = None
    codec: str = ""
    start: int = 0
    end: int = 0


class Text(NamedTuple):
    """How a value is spelled.

    Attributes
    ----------
    encoding : str
        A Specific Character Set as DICOM writes it, or a Python codec in lower case.
    pad : bytes
        What fills a value up.
    limit : int
        Longest value in characters, 0 without one.
    quotes : int
        Number of quotes around it in protocol text: 0, 1, 2 or 4.
    is_date : bool
        Whether it has to stay a date, as of VR DA and DT.
    """

    encoding: str = "latin-1"
    pad: bytes = b" "
    limit: int = 0
    quotes: int = 0
    is_date: bool = False


class Field(NamedTuple):
    """Something that can be edited.

    Attributes
    ----------
    key : tuple of str
        Its path by name, from the outside in.
    space : Space
        What its offsets count in.
    outer : tuple of int
        First byte and end of what removing it takes away.
    value : tuple of int
        First byte and end of the value.
    text : Text or None
        How it is spelled; None for numbers, codes and keywords, which no needle may touch.
    box : Box or None
        The innermost box around the value.
    fixed : bool
        Whether its length may not change.
    broken : bool
        Whether the structure around it contradicts itself: nothing in there is a key or a number for sure.
    """

    key: tuple[str, ...]
    space: Space
    outer: tuple[int, int]
    value: tuple[int, int]
    text: Text | None
    box: Box | None = None
    fixed: bool = True
    broken: bool = False

    @property
    def name(self) -> str:
        """The key as one string, for people."""
        return " > ".join(self.key)


class Place(NamedTuple):
    """Somewhere something identifying stands: its path by name, offset, length and kind, never its value."""

    where: str
    offset: int
    length: int
    kind: str
