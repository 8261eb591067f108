"""A part of a file: what the search and the planner need to know of any format."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import TypeAlias

from fastanon.fields import Field, Space
from fastanon.opened import Opened
from fastanon.payload import Payload
from fastanon.rules import FILE_NAME, Rule
from fastanon.scheme import Scheme
from fastanon.siemens.spelled import Spelled
from fastanon.text import decode
from fastanon.walk import Bytes

Run: TypeAlias = tuple[int, int]


class Part:
    """A run of bytes in one space, with the fields in it.

    Parameters
    ----------
    space : Space
        What offsets count in.
    data : bytes-like
        The bytes of that space.
    start, stop : int
        The bytes this part answers for.
    opened : Opened or None
        The file, where the space is the file.

    Attributes
    ----------
    borders : container of int
        Offsets at which a value begins or ends.
    fixed : bool
        Whether no length in it may change.
    notes : list of str
        What a person should know about its structure.
    """

    borders: Container[int] = ()
    fixed = False

    def __init__(self, space: Space, data: Bytes, start: int, stop: int, opened: Opened | None = None) -> None:
        self.space, self.data, self.opened = space, data, opened
        self.start, self.stop = start, stop
        self.notes: list[str] = []

    def bytes_at(self, start: int, stop: int) -> bytes:
        """Copy bytes out of the space."""
        return bytes(self.data[start:stop])

    def read(self, start: int, stop: int) -> bytes:
        """Copy bulk out of the space, from the file by positioned reads and not through the map."""
        return self.bytes_at(start, stop) if self.opened is None else self.opened.read(start, stop)

    def payloads(self) -> list[Payload]:
        """Give the runs of bulk data without text, in order."""
        return []

    def kind_beside(self) -> str:
        """Give the kind of payload that a file beside this one holds, if there is one."""
        return "raw data"

    def packed(self) -> list[Field]:
        """Give every text that is packed, so that no search sees it."""
        return []

    def spelled(self) -> list[Spelled]:
        """Give the texts that are written as numbers, in which needles do not stand as they are."""
        return []

    def insides(self) -> Sequence[tuple[int, Part]]:
        """Give the parts of their own that lie in this one, with the offset of each."""
        return ()

    def searched(self) -> Iterator[Run]:
        """Give the runs that are not payload."""
        start = self.start
        for payload in self.payloads():
            yield start, payload.start
            start = payload.end
        yield start, self.stop

    def identifying(self, scheme: Scheme) -> Iterator[tuple[Field, Rule]]:  # noqa: ARG002  # readers do
        """Give the fields that change, each with what happens to it."""
        yield from ()

    def patient(self) -> tuple[str, str]:
        """Give ID and name of the patient whose data it is; empty where it names nobody."""
        return "", ""

    def study(self) -> str:
        """Give the Study Instance UID, empty without one."""
        return ""

    def records(self) -> list[tuple[int, int, tuple[str, str]]]:
        """Give the runs that are about a patient of their own, each with ID and name."""
        return []

    def slack(self) -> Iterator[Field]:
        """Give the runs of leftover memory that hold anything."""
        yield from ()

    def field_at(self, start: int, end: int) -> Field | None:
        """Give the text that holds all bytes of a hit; None in a key, in a number, or across a border."""
        raise NotImplementedError

    def boxed(self, field: Field) -> Field:
        """Give a field with all lengths around it, if they are not in it yet."""
        return field

    def name_at(self, start: int, end: int) -> str:
        """Give the name of what holds these bytes; empty where that has none."""
        field = self.field_at(start, end)
        return "" if field is None else field.name

    def broken_at(self, start: int, end: int) -> Field | None:
        """Give the text of a broken structure that a hit touches: what can't be edited there is a leak."""
        raise NotImplementedError

    def _note_broken(self, fields: Iterable[Field]) -> None:
        """Say once of a structure that it is broken."""
        first = next((field for field in fields if field.broken), None)
        if first is not None:
            self._note(first.name, first.value[0])

    def _note(self, name: str, offset: int) -> None:
        self.notes.append(f"{name} at offset {offset} contradicts itself: searched as plain text")


def holding(fields: list[Field], start: int, end: int) -> Field | None:
    """Find the one of sorted, disjoint fields that holds all bytes of a hit."""
    at = bisect_right(fields, start, key=lambda f: f.value[0]) - 1
    return fields[at] if at >= 0 and end <= fields[at].value[1] else None


def broken_text(fields: list[Field], start: int, end: int) -> Field | None:
    """Find the first of sorted, disjoint fields that is of a broken structure and that a hit touches."""
    at = max(bisect_right(fields, start, key=lambda f: f.value[0]) - 1, 0)
    while at < len(fields) and fields[at].value[0] < end:
        if fields[at].broken and start < fields[at].value[1]:
            return fields[at]
        at += 1
    return None


def text_rules(
    fields: Iterable[Field], rule_of: Callable[[str], str | None], scheme: Scheme
) -> Iterator[tuple[Field, Rule]]:
    """Give those fields whose last key says who it is, each with what happens to it."""
    for field in fields:
        word = rule_of(field.key[-1])
        if word is None or field.text is None:
            continue
        rule = Rule("N", FILE_NAME) if word == "file" else scheme.text_rule(word)
        if rule is not None:
            yield field, rule


class TextPart(Part):
    """A file that is text with a known structure, or text around payloads.

    Parameters
    ----------
    opened : Opened
        The file.
    fields : iterable of Field
        All text in it; slack has ``slack`` as the last part of its key.
    rule_of : callable
        Gives the rule for the last part of a key, or None.
    payloads : list of Payload
        Runs of bulk data.
    spelled : list of Spelled
        Texts in it that are written as numbers.
    start, stop : int
        The bytes it answers for; the whole file by default.
    """

    def __init__(
        self,
        opened: Opened,
        fields: Iterable[Field] = (),
        rule_of: Callable[[str], str | None] = lambda _: None,
        payloads: list[Payload] | None = None,
        spelled: list[Spelled] | None = None,
        start: int = 0,
        stop: int | None = None,
    ) -> None:
        super().__init__(Space(), opened.view, start, opened.size if stop is None else stop, opened)
        self.fields = sorted(fields, key=lambda f: f.value)
        self.borders = frozenset(offset for f in self.fields for offset in f.value)
        self._rule_of, self._payloads, self._spelled = rule_of, payloads or [], spelled or []
        self._note_broken(self.fields)

    def payloads(self) -> list[Payload]:
        """Give the runs of bulk data without text, in order."""
        return self._payloads

    def spelled(self) -> list[Spelled]:
        """Give the texts that are written as numbers."""
        return self._spelled

    def identifying(self, scheme: Scheme) -> Iterator[tuple[Field, Rule]]:
        """Give the fields that change, each with what happens to it."""
        return text_rules(self.fields, self._rule_of, scheme)

    def patient(self) -> tuple[str, str]:
        """Give the first ID and the first name that a key of it holds."""
        return self._first("id"), self._first("patient")

    def _first(self, word: str) -> str:
        found = (f for f in self.fields if f.text is not None and self._rule_of(f.key[-1]) == word)
        values = (decode(self.bytes_at(*f.value), "latin-1").strip(" \0") for f in found)
        return next(filter(None, values), "")

    def slack(self) -> Iterator[Field]:
        """Give the runs of leftover memory that hold anything."""
        return (field for field in self.fields if field.key[-1] == "slack")

    def field_at(self, start: int, end: int) -> Field | None:
        """Give the text that holds all bytes of a hit; None where it lies in a key or a number."""
        return holding(self.fields, start, end)

    def broken_at(self, start: int, end: int) -> Field | None:
        """Give the text of a broken structure that a hit touches."""
        return broken_text(self.fields, start, end)
