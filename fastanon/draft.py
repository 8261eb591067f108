"""The edits of one part of a file: of its fields, of leftovers, of UIDs, and of copies of values."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TypeAlias

from fastanon import actions, bulk, text
from fastanon.bulk import Bulk
from fastanon.copies import copy_edit, number_edits
from fastanon.dicom import DicomPart
from fastanon.dicomdir import file_ids, is_file_id, renamed_file_id
from fastanon.edits import Edit
from fastanon.errors import PlanError
from fastanon.fields import Field, Place, Text
from fastanon.names import Renamed
from fastanon.runs import Runs
from fastanon.scan import Hit, find
from fastanon.scheme import Scheme
from fastanon.search import Finding, Searched, left_at, place_in_numbers
from fastanon.siemens.spelled import Spelled
from fastanon.uids import SHORTEST

Planned: TypeAlias = tuple[Field, Edit, str]  # and the kind of what is edited

#: The rule of a file ID that PS3.10 8.2 does not allow.
INVALID_ID = "file ID, longer than one may be"

_PREAMBLE = 128  # PS3.10 7.1: anything may stand in it


class Draft:
    """What becomes of one part.

    Parameters
    ----------
    one : Searched
        The part, and what the search brought.
    found : Finding
        What it brought in the whole file.
    scheme : Scheme
        What values become.
    renamed : Renamed
        How the names of other files change.
    patch_payload : bool
        Whether to patch what is no chance in a payload.

    Attributes
    ----------
    left
        The places of all that stays outside payloads; those in keys, numbers and codes have no name.
    leaks, structural, bulk
        What is left; as of the plan.
    """

    def __init__(
        self, one: Searched, found: Finding, scheme: Scheme, renamed: Renamed, patch_payload: bool
    ) -> None:
        self.part, self._one, self._scheme, self._renamed = one.part, one, scheme, renamed
        self._needles, part = found.needles, one.part
        self.gone = Runs(f.outer for f, rule in one.fields if rule.action == "X")
        self._planned: list[Planned] = [
            (f, edit, rule.kind or "value")
            for f, rule in one.fields
            for edit in actions.edits_of(part, f, rule, scheme, found.subjects.at(part, f.value[0]))
        ]
        for planned in (self._slack(), self._names(), self._file_ids(), self._packed(), self._preamble()):
            self._add(planned)
        values = [f.value for f, rule in one.fields if rule.action not in "NX"]
        self._add(self._uids(Runs([*values, *(f.value for f, _, _ in self._planned)])))
        covered = Runs([*values, *(f.value for f, e, _ in self._planned if e.rule not in ("removed", _UID))])
        self.left = self._copies(covered)
        self.bulk = list(self._bulk(patch_payload))
        self._numbers = list(self._spelled())
        self.leaks = [place for place in self.left if place.where]
        self.leaks += [place for seen in self.bulk for place in seen.left]
        self.structural = sum(not place.where for place in self.left)

    def _add(self, planned: Iterator[Planned]) -> None:
        self._planned += [one for one in planned if not self.gone.touch(*one[0].value)]

    def add_marks(self, marks: Iterator[tuple[Field, Edit]]) -> None:
        """Let a dataset say what was done; what stood in the same elements goes."""
        fields = list(marks)
        taken = {f.outer for f, _ in fields if f.outer[0] < f.outer[1]}
        self._planned = [one for one in self._planned if one[0].outer not in taken]
        self._planned += [(f, edit, "marker") for f, edit in fields]

    def places(self) -> Iterator[Place]:
        """Give what is edited, by name."""
        yield from (place_in_numbers(*number) for number in self._numbers)
        yield from (Place(f.name, e.offset, e.old, kind) for f, e, kind in self._planned if kind != "marker")

    def edits(self) -> list[Edit]:
        """Give all edits but those of lengths, in the space of the part."""
        return [edit for _, edit, _ in self._planned] + number_edits(self._numbers)

    def fields(self) -> list[Field]:
        """Give the fields whose values may change their length."""
        return [self.part.boxed(f) for f, edit, _ in self._planned if edit.growth]

    def _slack(self) -> Iterator[Planned]:
        """Zero the leftover memory in CSA headers: cut names in it are found by no needle."""
        for f in self.part.slack():
            size = f.value[1] - f.value[0]
            yield f, Edit(f.value[0], size, bytes(size), "slack of a CSA header"), "slack"

    def _names(self) -> Iterator[Planned]:
        """Let the names of data files follow where these are written to."""
        for f in self._one.names:
            old = self.part.bytes_at(*f.value)
            new = self._renamed.of(old.decode("latin-1"), len(old)).encode("latin-1", "replace")
            if new != old:
                if find(new, self._needles):
                    new = b"x" * len(old)
                assert f.text is not None
                yield f, Edit(f.value[0], len(old), text.fit(new, len(old), f.text), "file name"), "file name"

    def _file_ids(self) -> Iterator[Planned]:
        """Let the records of a DICOMDIR follow their files."""
        part, files = self.part, self._renamed.files
        for row, components in file_ids(part) if isinstance(part, DicomPart) and files is not None else ():
            new = renamed_file_id(components, files or {})
            if new is not None and new != components and isinstance(part, DicomPart):
                f = part.element_field(row)
                data = text.fit(os.fsencode("\\".join(new)), 0, Text())
                rule = "file ID" if is_file_id(new) else INVALID_ID
                yield f, Edit(f.value[0], f.value[1] - f.value[0], data, rule), "file name"

    def _packed(self) -> Iterator[Planned]:
        """Blank packed text inside headers that stay: nobody has searched it. Whole elements are gone already."""
        for f in self.part.packed() if self._scheme.strips else ():
            size = f.value[1] - f.value[0]
            yield f, Edit(f.value[0], size, b" " * size, "packed text"), "packed"

    def _preamble(self) -> Iterator[Planned]:
        part = self.part
        if isinstance(part, DicomPart) and self._scheme.strips and len(part.elements):
            run = (part.start, part.start + _PREAMBLE)
            if part.elements.headers[0] > run[1] and any(part.bytes_at(*run)):
                f = Field(("preamble",), part.space, run, run, Text("latin-1", b"\0"))
                yield f, Edit(run[0], _PREAMBLE, bytes(_PREAMBLE), "preamble"), "preamble"

    def _uids(self, covered: Runs) -> Iterator[Planned]:
        """Map the UIDs in text, at equal length."""
        for run, uid in self._one.uids:
            if len(uid) < SHORTEST or covered.touch(*run):
                continue
            f = self.part.field_at(*run)
            new = uid if f is None else self._scheme.uid(uid.decode()).encode()[: len(uid)]
            if f is not None and new != uid:
                yield Field(f.key, f.space, run, run, f.text), Edit(run[0], len(uid), new, _UID), "uid"

    def _copies(self, covered: Runs) -> list[Place]:
        """Replace all copies in text, and give the hits that stay."""
        left = []
        for hit, f in self._uncovered(covered):
            if f is None:
                left.append(left_at(self.part, hit))
            else:
                self._replace(hit, f)
        return left

    def _uncovered(self, covered: Runs) -> Iterator[tuple[Hit, Field | None]]:
        """Give the hits that lie in no value that is replaced as a whole."""
        uids = Runs(f.value for f, e, _ in self._planned if e.rule == _UID)
        for hit, f in self._one.hits:
            run = (hit.start, hit.end)
            if self.gone.touch(*run) or covered.hold(*run) or uids.touch(*run):
                continue
            if covered.touch(*run):
                raise PlanError("a copy reaches across the border of a field", offset=hit.start)
            yield hit, f

    def _replace(self, hit: Hit, f: Field) -> None:
        edit = copy_edit(hit, f)
        if edit.new != self.part.bytes_at(hit.start, hit.end):
            self._planned.append((f, edit, hit.needle.kind))

    def _spelled(self) -> Iterator[tuple[Spelled, Hit]]:
        for spelled, hit in self._one.spelled:
            at = spelled.changes[hit.start][0].offset
            if not self.gone.touch(at, at + 1):
                yield spelled, hit

    def _bulk(self, patch: bool) -> Iterator[Bulk]:
        for scanned in self._one.payloads:
            if not self.gone.touch(scanned.payload.start, scanned.payload.end):
                seen, patches = bulk.decide(self.part, scanned, patch)
                self._planned += patches
                yield seen


_UID = "UID in text"
