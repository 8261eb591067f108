"""A header whose parts change length, in its old room: the payload behind it does not move.

What removal frees pays for what insertion needs. The rest is made up with File Meta Private Information, zeros
under a UID of our own (PS3.10 7.1); where it is too little for that, what is optional in the file meta information
goes too, and the group lengths that PS3.5 7.2 has retired.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence

from fastanon.boxes import group_box
from fastanon.dicom import DicomPart
from fastanon.edits import Edit, edited, with_lengths
from fastanon.fields import Field
from fastanon.part import Part, Run
from fastanon.runs import Runs
from fastanon.uids import FILLING

_CREATOR, _INFORMATION = 0x00020100, 0x00020102
#: Bytes of (0002,0100) with our UID and (0002,0102) without a value.
_LEAST = 8 + len(FILLING) + 12
#: Optional in the file meta information: Implementation Version Name, application entities, their addresses.
_OPTIONAL = (0x00020013, 0x00020016, 0x00020017, 0x00020018, 0x00020026, 0x00020027, 0x00020028)


def kept_payload(parts: Iterable[Part], edits: Iterable[Edit]) -> Run | None:
    """Give the largest payload that stays, around which the rest is arranged."""
    changed = Runs((e.offset, e.end) for e in edits if e.growth)
    runs = [(one.start, one.end) for part in parts if not part.space.codec for one in part.payloads()]
    stay = [run for run in runs if run[0] < run[1] and not changed.touch(*run)]
    return max(stay, key=lambda run: run[1] - run[0], default=None)


def fitted(
    parts: Sequence[Part], edits: list[Edit], fields: list[Field], payload: Run, block: int = 0
) -> list[Edit] | None:
    """Arrange for a payload not to move, or to move by whole blocks.

    Parameters
    ----------
    parts : sequence of Part
        Those of the file that count in its own offsets.
    edits, fields : list of Edit, list of Field
        As for `with_lengths`.
    payload : (int, int)
        Its first byte and end.
    block : int
        By a multiple of how many bytes it may move; 0 for not at all.

    Returns
    -------
    list of Edit or None
        All edits with those of lengths; None where there is no room.
    """
    done = with_lengths(edits, fields)
    freed = -_growth(done, payload)
    if not (freed % block if block else freed):
        return done
    meta = next((p for p in parts if isinstance(p, DicomPart) and p.is_meta and p.stop <= payload[0]), None)
    goes = None if meta is None or meta.fixed else _old_filling(meta, edits)
    if meta is None or goes is None:
        return None
    freed += sum(map(_size, goes))
    if block:
        freed = (freed - _LEAST) % block + _LEAST
    spare = _spare(meta, parts, edits, payload)
    while freed and freed < _LEAST and spare:
        goes.append(spare.pop(0))
        freed += _size(goes[-1])
    if freed % 2 or (freed and freed < _LEAST):
        return None
    more = [Edit(f.outer[0], _size(f), b"", "filling") for f in goes]
    if freed:
        goes.append(_room(meta))
        more.append(Edit(goes[-1].value[0], 0, _filling(freed), "filling"))
    return with_lengths([*edits, *more], [*fields, *goes])


def _growth(edits: Iterable[Edit], payload: Run) -> int:
    return sum(edit.growth for edit in edits if edit.offset < payload[0])


def _size(f: Field) -> int:
    return f.outer[1] - f.outer[0]


def _old_filling(meta: DicomPart, edits: list[Edit]) -> list[Field] | None:
    """Give our filling of an earlier run; None where private information of others stays."""
    touched = Runs((e.offset, e.end) for e in edits)
    rows = meta.elements.rows_of((_CREATOR, _INFORMATION))
    stay = [f for f in map(meta.element_field, rows) if not touched.touch(*f.outer)]
    if stay and meta.text(rows[0]).encode() != FILLING:
        return None
    return stay


def _spare(meta: DicomPart, parts: Iterable[Part], edits: list[Edit], payload: Run) -> list[Field]:
    """Give what nobody misses, in the order in which it goes."""
    touched = Runs((e.offset, e.end) for e in edits)
    found = [meta.element_field(i) for i in meta.elements.rows_of(_OPTIONAL)]
    for part in parts:
        if isinstance(part, DicomPart) and not part.is_meta and not part.fixed:
            tags = part.elements.tags
            found += [part.element_field(i) for i in part.elements.tops if not tags[i] & 0xFFFF]
    return [f for f in found if f.outer[1] <= payload[0] and not touched.touch(*f.outer)]


def _room(meta: DicomPart) -> Field:
    """Give the place of the filling: behind all other file meta information."""
    at = meta.elements.end
    box = group_box(meta.elements, len(meta.elements) - 1, meta.outer)
    return Field(("filling",), meta.space, (at, at), (at, at), None, box, fixed=False)


def _filling(size: int) -> bytes:
    """Spell File Meta Private Information of a size, which is Explicit VR Little Endian (PS3.10 7.1)."""
    creator = struct.pack("<HH2sH", 2, 0x0100, b"UI", len(FILLING)) + FILLING
    information = struct.pack("<HH2sHI", 2, 0x0102, b"OB", 0, size - _LEAST)
    return creator + information + bytes(size - _LEAST)


def writes(edits: Iterable[Edit], size: int) -> Iterator[tuple[int, int, list[Edit]]]:
    """Give the runs of a file that change in its old room, each with its edits.

    A run begins where bytes begin to move and ends where they no longer do; an edit of equal length that moves
    nothing is a run of its own.

    Parameters
    ----------
    edits : iterable of Edit
        Sorted and disjoint.
    size : int
        Of the file, in bytes.
    """
    run: list[Edit] = []
    shift = 0
    for edit in edits:
        run.append(edit)
        shift += edit.growth
        if not shift:
            yield run[0].offset, edit.end, run
            run = []
    if run:
        yield run[0].offset, size, run


def spelled(
    edits: Iterable[Edit], size: int, read: Callable[[int, int], bytes]
) -> tuple[tuple[tuple[int, bytes], ...], int]:
    """Give the runs as offsets and new bytes, and the size of the file afterwards."""
    found = []
    for start, stop, run in writes(edits, size):
        moved = [Edit(e.offset - start, e.old, e.new, e.rule) for e in run]
        found.append((start, edited(read(start, stop), moved)))
    return tuple(found), size + sum(e.growth for e in edits)
