"""The files that tests read: those installed with pydicom, and those of the folder in ``FASTANON_CORPUS``."""

from __future__ import annotations

import functools
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pydicom

#: With ``FASTANON_CORPUS`` set, a session that compares fewer of its files has failed.
REQUIRED = 300


class Sample(NamedTuple):
    """A file, and what it is called in tables and reports."""

    name: str
    path: Path
    from_corpus: bool


def corpus_folder() -> Path | None:
    """Give the folder of the corpus, if there is one."""
    named = os.environ.get("FASTANON_CORPUS")
    return Path(named) if named else None


@functools.cache
def samples() -> list[Sample]:
    """List every file, by walking folders: pydicom's own helper functions download."""
    installed = Path(pydicom.__path__[0]) / "data"
    found = [s for folder in ("test_files", "charset_files") for s in _under(installed / folder, installed, False)]
    corpus = corpus_folder()
    if corpus is not None:
        found += _under(corpus, corpus, True)
    return found


def _under(folder: Path, root: Path, from_corpus: bool) -> list[Sample]:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    return [Sample(p.relative_to(root).as_posix(), p, from_corpus) for p in files]


def dicom_files() -> list[Path]:
    """List the paths of all of them."""
    return [sample.path for sample in samples()]


@dataclass
class Tally:
    """What the conformance test has seen, for the last lines of a session."""

    compared: dict[bool, set[str]] = field(default_factory=lambda: {True: set(), False: set()})
    refused: dict[bool, set[str]] = field(default_factory=lambda: {True: set(), False: set()})
    notes: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """Say it."""
        said = [
            f"{what}: {len(self.compared[which])} files walked and compared, {len(self.refused[which])} refused"
            for which, what in ((True, "corpus"), (False, "pydicom's own"))
            if self.compared[which] or self.refused[which] or (which and corpus_folder() is not None)
        ]
        return said + [f"compared: {count} {what}" for what, count in sorted(self.notes.items())]

    @property
    def too_few(self) -> bool:
        """Whether a corpus was named and has not been compared."""
        return corpus_folder() is not None and len(self.compared[True]) < REQUIRED


TALLY = Tally()
