"""Whose study a file came with that names nobody, such as a norm scan or an Interfile header."""

from __future__ import annotations

import os
from typing import NamedTuple

from fastanon.scheme import Subject


class Whose(NamedTuple):
    """Whose a file is: the patient, whether the file names one, and the study."""

    named: bool
    whole: Subject
    study: str


class Hosts:
    """The patients met in a run, by study and by folder."""

    def __init__(self) -> None:
        self._studies: dict[str, Subject] = {}
        self._folders: dict[str, set[Subject]] = {}
        self._last: tuple[str, Whose] | None = None

    def add(self, path: str, subjects: Whose) -> None:
        """Remember whose a file is, for its study, its folder and all above."""
        last = os.path.dirname(path), subjects
        if subjects.named and last != self._last:  # as of most files of a series
            self._last = last
            self._studies.setdefault(subjects.study, subjects.whole)
            for folder in _above(path):
                self._folders.setdefault(folder, set()).add(subjects.whole)

    def of(self, path: str, study: str) -> Subject | None:
        """Give the patient of the study, or the only one of the nearest folder that has any."""
        if study and study in self._studies:
            return self._studies[study]
        found = next((met for folder in _above(path) if (met := self._folders.get(folder))), set())
        return next(iter(found)) if len(found) == 1 else None


def _above(path: str) -> list[str]:
    folders = [os.path.dirname(path)]
    while os.path.dirname(folders[-1]) != folders[-1]:
        folders.append(os.path.dirname(folders[-1]))
    return folders
