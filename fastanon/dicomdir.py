"""A DICOMDIR refers to its own records by offset in the file, and to other files by name (PS3.3 F.3.2.2)."""

from __future__ import annotations

import functools
import re
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from fastanon import text, walk
from fastanon.edits import Edit
from fastanon.elements import Element, Elements
from fastanon.errors import PlanError

if TYPE_CHECKING:  # it may ask here whether it is a directory
    from fastanon.dicom import DicomPart

_RECORDS, _FILE_ID = 0x00041220, 0x00041500
_NEXT, _LOWER = 0x00041400, 0x00041420
_PATIENT = frozenset((0x00100010, 0x00100020))
_OF_RECORDS = frozenset((_NEXT, _LOWER, *_PATIENT))

#: First and last record of the root, next record, first record below, and the retired one of several references.
_OFFSETS = frozenset((0x00041200, 0x00041202, 0x00041400, 0x00041420, 0x00041504))

_LARGEST = 0xFFFFFFFF

#: PS3.10 8.2: eight components of eight of these.
_COMPONENT, _COMPONENTS = re.compile(r"[A-Z0-9_]{1,8}"), 8

#: What ISO 9660 writes behind a name without extension, or a part of it: ``NAME.;1`` (PS3.12 F.1.2.1).
_VERSION = re.compile(r"\.?(;[0-9]+)?(?=/|\Z)")


def is_directory(elements: Elements) -> bool:
    """Say whether a dataset has a Directory Record Sequence (0004,1220)."""
    return bool(elements.rows_of((_RECORDS,)))


def offset_edits(part: DicomPart, edits: Sequence[Edit]) -> list[Edit]:
    """Let the offsets of directory records follow all changes of length.

    An offset is a UL in the byte order of the dataset. It counts bytes from the start of the file, preamble
    included, to the tag of a record's item; 0 means that there is no record (PS3.3 F.3.2.2).

    Parameters
    ----------
    part : DicomPart
        A DICOMDIR's dataset.
    edits : sequence of Edit
        All edits planned for the file, those of lengths included. Disjoint, in any order, offsets in the file.

    Returns
    -------
    list of Edit
        Of the offsets that change, in the order of the file. An offset that an edit takes away has none.

    Raises
    ------
    PlanError
        If an offset is no number of 32 bits or will be none, leads to no record, or leads to one that is taken
        away. Also if the dataset is deflated: no offset in the file leads to its records.
    """
    if part.space.codec:
        raise PlanError("offsets into a deflated dataset", tag=_RECORDS)
    moves, records = _Moves(edits), _records(part.elements)
    slots = (part.elements[row] for row in part.elements.rows_of(_OFFSETS))
    kept = (slot for slot in slots if slot.length and not moves.take(slot.value, slot.end))
    return [edit for slot in kept for edit in _offset_edit(part, slot, records, moves)]


def patients_of(elements: Elements, value: Callable[[int], bytes]) -> dict[int, dict[int, int]]:
    """Say whose every record is: that of a record with name or ID, and of all that it leads to (PS3.3 F.3.2.2).

    Parameters
    ----------
    elements : Elements
        A DICOMDIR's dataset; of any other nothing comes back.
    value : callable
        Gives the bytes of an element by its row.

    Returns
    -------
    dict
        By the row of a record's item, the rows of the elements in the patient's record, by tag.
    """
    sequences = set(elements.rows_of((_RECORDS,)))
    if not sequences:
        return {}
    inside: dict[int, dict[int, int]] = {}
    for row in elements.rows_of(_OF_RECORDS):
        inside.setdefault(elements.parents[row], {})[elements.tags[row]] = row
    items = {elements.headers[row]: row for row in inside if elements.parents[row] in sequences}
    found: dict[int, dict[int, int]] = {}
    for root in [row for row in items.values() if not _PATIENT.isdisjoint(inside[row])]:
        found[root] = inside[root]
        waiting = [_follow(inside[root], _LOWER, items, elements, value)]
        while waiting:
            row = waiting.pop()
            if row >= 0 and row not in found:
                found[row] = inside[root]
                waiting += [_follow(inside[row], link, items, elements, value) for link in (_NEXT, _LOWER)]
    return found


def _follow(
    rows: Mapping[int, int], link: int, items: Mapping[int, int], elements: Elements, value: Callable[[int], bytes]
) -> int:
    """Give the row of the record that an offset leads to, -1 without one."""
    if link not in rows:
        return -1
    order = "big" if elements[rows[link]].flags & walk.BIG else "little"
    return items.get(int.from_bytes(value(rows[link]), order), -1)  # type: ignore[arg-type]


def file_ids(part: DicomPart) -> list[tuple[int, tuple[str, ...]]]:
    """Give row and components of every Referenced File ID (0004,1500) that is not empty."""
    values = ((row, part.value(row)) for row in part.elements.rows_of((_FILE_ID,)))
    spelled = ((row, text.decode(value, text.guessed(value))) for row, value in values if value.strip(b" \0"))
    return [(row, tuple(one.strip(" \0") for one in value.split("\\"))) for row, value in spelled]


class FileNames(dict[str, str]):
    """New paths of files by their old ones, for `renamed_file_id`: their other spellings are worked out once."""

    @functools.cached_property
    def folded(self) -> dict[str, str]:
        """Old paths by what is left of them without case and version; what stands for several is left out."""
        found: dict[str, list[str]] = {}
        for path in self:
            found.setdefault(_folded(path), []).append(path)
        return {key: paths[0] for key, paths in found.items() if len(paths) == 1}


def renamed_file_id(components: tuple[str, ...], names: Mapping[str, str]) -> tuple[str, ...] | None:
    """Give the File ID that a file has under its new name.

    Parameters
    ----------
    components : tuple of str
        A File ID.
    names : mapping of str
        Path of each file to its new path, both relative to the folder of the DICOMDIR, with ``/`` between. Where
        the exact path is not among them, one counts that differs in case only, or in the version ``;1`` of
        ISO 9660. For many File IDs give `FileNames`: of any other mapping the spellings are worked out each time.

    Returns
    -------
    tuple of str or None
        As the file is called then, whether `is_file_id` or not; None of a file that is not among `names`. A file
        that keeps its name keeps its File ID as it is spelled.
    """
    old: str | None = "/".join(components)
    if old not in names:
        known = names if isinstance(names, FileNames) else FileNames(names)
        old = known.folded.get(_folded("/".join(components)))
    if old is None:
        return None
    return components if names[old] == old else tuple(names[old].split("/"))


def is_file_id(components: Sequence[str]) -> bool:
    """Say whether PS3.10 8.2 allows this: 1 to 8 components, each of 1 to 8 of ``A-Z 0-9 _``."""
    return 1 <= len(components) <= _COMPONENTS and all(map(_COMPONENT.fullmatch, components))


def _folded(path: str) -> str:
    return _VERSION.sub("", path).lower()


class _Moves:
    """What edits do to the bytes that they leave."""

    def __init__(self, edits: Iterable[Edit]) -> None:
        self.edits = sorted(edits, key=lambda edit: (edit.offset, edit.end))
        self.ends = [edit.end for edit in self.edits]
        self.growth = list(accumulate((edit.growth for edit in self.edits), initial=0))

    def moved(self, offset: int) -> int:
        """Give where a byte comes to stand: behind all that is inserted before it."""
        return offset + self.growth[bisect_right(self.ends, offset)]

    def take(self, start: int, end: int) -> bool:
        """Say whether one edit takes all of these bytes away."""
        at = bisect_right(self.ends, start)
        return at < len(self.edits) and self.edits[at].offset <= start and end <= self.ends[at]


def _records(elements: Elements) -> frozenset[int]:
    """Give the offsets of the items of (0004,1220)."""
    items = (elements[row] for row in elements.rows_of((walk.ITEM,)))
    return frozenset(item.header for item in items if elements.tags[item.parent] == _RECORDS)


def _offset_edit(part: DicomPart, slot: Element, records: frozenset[int], moves: _Moves) -> Iterator[Edit]:
    fmt = ">I" if slot.flags & walk.BIG else "<I"
    if slot.length != struct.calcsize(fmt):
        raise PlanError("an offset that is no number of 32 bits", offset=slot.value, tag=slot.tag)
    old = int(struct.unpack(fmt, part.bytes_at(slot.value, slot.end))[0])
    if not old:
        return
    if old not in records:
        raise PlanError("an offset that leads to no directory record", offset=slot.value, tag=slot.tag)
    if moves.take(old, old + 1):
        raise PlanError("an offset to a directory record that is removed", offset=slot.value, tag=slot.tag)
    new = moves.moved(old)
    if not 0 < new <= _LARGEST:
        raise PlanError("an offset that no longer fits 32 bits", offset=slot.value, tag=slot.tag)
    if new != old:
        yield Edit(slot.value, slot.length, struct.pack(fmt, new), "offset of a directory record")
