"""Whose every byte of a file is: one patient's, or in a DICOMDIR the record's (PS3.3 F.3)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeAlias

from fastanon.part import Part
from fastanon.scheme import Scheme, Subject

#: Says whose a study is, by its UID; None where nobody knows.
Host: TypeAlias = Callable[[str], Subject | None]


def nobody(_study: str) -> Subject | None:
    """Say that nobody knows whose a study is."""
    return None


class Subjects:
    """The patients of a file.

    Parameters
    ----------
    parts : sequence of Part
        The file.
    scheme : Scheme
        What gives each patient a shift.
    host : callable
        Says whose the study is, if the file names nobody.

    Attributes
    ----------
    named : bool
        Whether the file names a patient.
    whole : Subject
        Whose it is.
    study : str
        Study Instance UID, empty without one.
    """

    def __init__(self, parts: Sequence[Part], scheme: Scheme, host: Host = nobody) -> None:
        own = next((found for part in parts if any(found := part.patient())), ("", ""))
        self.study = next(filter(None, (part.study() for part in parts)), "")
        self.named = bool(own[0].strip() or own[1].strip(" ^="))
        self.whole = scheme.subject(*own) if self.named else host(self.study) or scheme.nobody()
        self._records = {
            id(part): [(start, end, scheme.subject(*who)) for start, end, who in part.records()] for part in parts
        }
        self._starts = {at: [start for start, _, _ in records] for at, records in self._records.items()}

    def at(self, part: Part, offset: int) -> Subject:
        """Give whose the byte at an offset is."""
        at = bisect_right(self._starts.get(id(part), ()), offset) - 1
        if at >= 0:
            _, end, subject = self._records[id(part)][at]
            if offset < end and subject.identifier:
                return subject
        return self.whole
