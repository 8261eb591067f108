"""The walk against pydicom on every file there is: the same elements at the same offsets, or a refusal by name."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass

import pytest

from fastanon import container
from fastanon.container import read_parts
from fastanon.elements import read_elements
from fastanon.errors import FileError
from fastanon.opened import Opened
from tests.conformance import reference
from tests.conformance.refused import NO_DICOM, REFUSED
from tests.corpus import TALLY, Sample, samples


@dataclass
class Walked:
    """What a walk brought; `parts` hold no bytes of the file."""

    tables: list[tuple[list[int], int]]
    rows: list[list[reference.Row]]
    opened: list[frozenset[int]]
    tail: bytes
    notes: Counter[str]


def walked(sample: Sample) -> Walked:
    notes: Counter[str] = Counter()
    with Opened(sample.path) as opened:
        parts = read_parts(opened)
        for part in parts:
            reference.assert_tiled(part.elements, part.elements.headers[0] if part.elements.tags else part.start)
        last = parts[-1]
        return Walked(
            [(list(part.elements.table), part.elements.end) for part in parts],
            [reference.fastanon_rows(part, notes) for part in parts],
            [reference.opened_values(part.elements) for part in parts],
            last.bytes_at(last.elements.end, last.stop),
            notes,
        )


EVERY = pytest.mark.parametrize(
    "sample", [pytest.param(s, id=s.name) for s in samples() if s.name not in NO_DICOM]
)


@EVERY
def test_same_elements_at_the_same_offsets_as_pydicom(sample: Sample) -> None:
    if sample.name in REFUSED:
        assert_refused(sample)
        TALLY.refused[sample.from_corpus].add(sample.name)
        return
    ours = walked(sample)
    theirs = pydicom_rows(sample, ours)
    got, wanted = [row for rows in ours.rows for row in rows], [row for rows in theirs for row in rows]
    assert wanted, "pydicom found no element"
    assert got == wanted
    TALLY.compared[sample.from_corpus].add(sample.name)
    TALLY.notes.update(ours.notes + Counter(elements=len(wanted)))


def pydicom_rows(sample: Sample, ours: Walked) -> list[list[reference.Row]]:
    meta, dataset = reference.read(sample.path)
    datasets = [meta, dataset] if len(ours.rows) == 2 else [dataset]
    assert len(ours.rows) == 2 or not len(meta), "fastanon read no file meta information"
    found = [
        reference.pydicom_rows(d, opened, ours.notes) for d, opened in zip(datasets, ours.opened, strict=True)
    ]
    end = ours.tables[-1][1]
    behind = [row for row in found[-1] if row.value > end]
    assert {row.tag for row in behind} <= {0}, "elements behind what fastanon takes for the end"
    assert not ours.tail.strip(b"\0")
    ours.notes["files with zeros behind the dataset"] += bool(ours.tail)
    return [*found[:-1], [row for row in found[-1] if row.value <= end]]


def assert_refused(sample: Sample) -> None:
    with pytest.raises(FileError) as caught, Opened(sample.path) as opened:
        read_parts(opened)
    assert REFUSED[sample.name] in caught.value.where


@EVERY
def test_the_compiled_walk_gives_the_same_table(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = outcome(sample)
    monkeypatch.setattr(container, "read_elements", functools.partial(read_elements, compiled=True))
    assert outcome(sample) == plain


def outcome(sample: Sample) -> str | list[tuple[list[int], int]]:
    try:
        with Opened(sample.path) as opened:
            return [(list(part.elements.table), part.elements.end) for part in read_parts(opened)]
    except FileError as error:
        return str(error)


def test_every_refusal_names_a_file_that_exists() -> None:
    names = {sample.name for sample in samples()}
    installed = {name for name in REFUSED if name.startswith(("test_files/", "charset_files/"))}
    assert installed <= names
