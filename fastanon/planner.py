"""Fields, profile and identity to edits: a `Plan` is a value, and making it writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from fastanon import bulk, text
from fastanon.bulk import Bulk
from fastanon.container import deflate
from fastanon.copies import copy_edit, number_edits, plain
from fastanon.edits import Edit, edited, in_order, with_lengths
from fastanon.errors import FileError, PlanError
from fastanon.fields import Field, Text
from fastanon.names import Mask, Renamed
from fastanon.opened import Identity, Opened
from fastanon.part import Part, Run
from fastanon.profile import Replacements, Rule
from fastanon.scan import Hit, find
from fastanon.search import Finding, Place, left_at, place_in_numbers, search
from fastanon.spellings import like_date

_Planned: TypeAlias = tuple[Field, Edit, str]  # and the kind of what is edited


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one file: without any value of it, so that it can be shown, kept and sent.

    Attributes
    ----------
    path : str
        The file.
    identity : Identity
        The file this was planned for; no other is written.
    edits : tuple of Edit
        Sorted and disjoint, offsets in the file.
    places : tuple of Place
        Why: what was found and where. In a deflated dataset the offsets count in the inflated bytes.
    scanned : int
        Bytes outside payloads; all of them were searched.
    payload : int
        Bytes of bulk data.
    warnings : tuple of str
        What is wrong with its structure.
    leaks : tuple of Place
        What is left in structures that contradict themselves, and in payloads.
    bulk : tuple of Bulk
        What the search of the payloads brought; empty if there was none.
    structural : int
        Needles met in keys, numbers, codes and kept words, and left there.
    packed : tuple of (str, int)
        Name and size of packed texts (zip, gzip, base64), which were not searched.
    messages : tuple of str
        What a person should know, without any value.
    """

    path: str
    identity: Identity
    edits: tuple[Edit, ...]
    places: tuple[Place, ...]
    scanned: int
    payload: int
    structural: int
    packed: tuple[tuple[str, int], ...] = ()
    messages: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    leaks: tuple[Place, ...] = ()
    bulk: tuple[Bulk, ...] = ()

    @property
    def strategy(self) -> str:
        """How it is written in place: not at all, by a `patch` of equal length, or by a `rewrite`."""
        if not self.edits:
            return "none"
        return "rewrite" if any(edit.growth for edit in self.edits) else "patch"


def make_plan(
    opened: Opened, found: Finding, replacements: Replacements, renamed: Renamed, patch_payload: bool = True
) -> Plan:
    """Plan one file.

    Parameters
    ----------
    opened : Opened
        The file.
    found : Finding
        What a search of it brought.
    replacements : Replacements
        What the fields of the profile become.
    renamed : Renamed
        How the names of other files change.
    patch_payload : bool
        Whether to patch what is no chance in a payload; otherwise it is a leak.

    Returns
    -------
    Plan
        It holds no value of the file.

    Raises
    ------
    FileError
        If the file is not known, is broken, or can't hold what was asked for.
    """
    try:
        edits: list[Edit] = []
        places: list[Place] = []
        left: list[Place] = []
        seen_bulk: list[Bulk] = []
        for part in found.parts:
            fields = [(f, rule) for p, f, rule in found.fields if p is part]
            planned = list(_field_edits(part, fields, replacements)) + list(_slack_edits(part))
            planned += _name_edits(part, found, renamed)
            covered = [f.value for f, _, _ in planned] + [f.value for f, _ in fields]
            for hit, f in _uncovered(part, found, covered):
                if f is None:
                    left.append(left_at(part, hit))
                elif (edit := copy_edit(hit, f)).new != part.bytes_at(hit.start, hit.end):
                    planned.append((f, edit, hit.needle.kind))
            for scanned in (scanned for p, scanned in found.payloads if p is part):
                seen, patches = bulk.decide(part, scanned, patch_payload)
                seen_bulk.append(seen)
                planned += patches
            numbers = [(text, hit) for p, text, hit in found.spelled if p is part]
            places += [place_in_numbers(text, hit) for text, hit in numbers]
            places += [Place(f.name, e.offset, e.old, kind) for f, e, kind in planned]
            growing = [f for f, _ in fields] + [f for p, f in found.names if p is part]
            edits += _in_file(part, with_lengths([e for _, e, _ in planned], growing) + number_edits(numbers))
        opened.check()
        leaks = tuple(place for place in left if place.where)
        leaks += tuple(place for seen in seen_bulk for place in seen.left)
        return Plan(
            opened.path, opened.identity, in_order(edits, opened.size), tuple(places), found.scanned,
            found.payload, sum(not p.where for p in left), found.packed, tuple(_messages(found)),
            tuple(note for part in found.parts for note in part.notes), leaks, tuple(seen_bulk),
        )  # fmt: skip
    except FileError as error:
        error.path = opened.path
        raise


def plan_in_place(opened: Opened, replacements: Replacements) -> Plan:
    """Search and plan one file that stays where it is; arguments, result and errors are those of `make_plan`."""
    found = search(opened, replacements)
    return make_plan(opened, found, replacements, Renamed(Mask(), found.needles))


def _uncovered(part: Part, found: Finding, covered: list[Run]) -> Iterator[tuple[Hit, Field | None]]:
    """Give the hits that lie in no value that is replaced as a whole."""
    for hit, f in ((hit, f) for p, hit, f in found.hits if p is part):
        across = [run for run in covered if run[0] < hit.end and hit.start < run[1]]
        if not across:
            yield hit, f
        elif not any(start <= hit.start and hit.end <= end for start, end in across):
            raise PlanError("a copy reaches across the border of a field", offset=hit.start)


def _name_edits(part: Part, found: Finding, renamed: Renamed) -> Iterator[_Planned]:
    """Let the names of data files follow where these are written to."""
    for f in (f for p, f in found.names if p is part):
        old = part.bytes_at(*f.value)
        new = renamed.of(old.decode("latin-1"), len(old)).encode("latin-1", "replace")
        if new != old:
            if find(new, found.needles):
                new = b"x" * len(old)
            assert f.text is not None
            yield f, Edit(f.value[0], len(old), text.fit(new, len(old), f.text), "file name"), "file name"


def _field_edits(part: Part, fields: list[tuple[Field, Rule]], replacements: Replacements) -> Iterator[_Planned]:
    for f, rule in fields:
        for edit in _field_edit(part, f, rule, replacements):
            yield f, edit, rule.kind


def _field_edit(part: Part, f: Field, rule: Rule, replacements: Replacements) -> Iterator[Edit]:
    """Replace a whole value: each of several, and of a name's component groups the first."""
    assert f.text is not None
    old = part.bytes_at(*f.value)
    count = len(text.split_values(old, f.text.encoding))
    if not old.strip(b" \0"):
        return  # nobody is named, and nobody gets a name
    value = plain(replacements.of(rule), f)
    if rule.kind == "date":
        value = like_date(text.decode(old, f.text.encoding).strip(" \0"), value)
    new = text.encode("\\".join([value] * count), f.text.encoding)
    if not (rule.fixed or part.fixed):
        new = text.fit(new, len(old), f.text)
    elif value and len(new) <= len(old) and _fits(value, f.text):
        new = text.masked(new, len(old), f.text)
    else:
        new = b"".join(b"\\" if c == 0x5C else b"x" for c in old) if count > 1 else b"x" * len(old)
    if new != old:
        yield Edit(f.value[0], len(old), new, f"{rule.kind} field", order=1)


def _fits(value: str, spelling: Text) -> bool:
    return not spelling.limit or max(map(len, value.split("="))) <= spelling.limit


def _slack_edits(part: Part) -> Iterator[_Planned]:
    """Zero the leftover memory in CSA headers: cut names in it are found by no needle."""
    for f in part.slack():
        size = f.value[1] - f.value[0]
        yield f, Edit(f.value[0], size, bytes(size), "slack of a CSA header"), "slack"


def _in_file(part: Part, edits: list[Edit]) -> list[Edit]:
    """Turn the edits of an inflated dataset into one of the file; those of the file stay."""
    if not part.space.codec or not edits:
        return edits
    data = deflate(edited(part.data, in_order(edits, len(part.data))), part.space.codec)
    return [Edit(part.space.start, part.space.end - part.space.start, data, "deflated dataset")]


def _messages(found: Finding) -> Iterator[str]:
    if found.left_out:
        yield f"{found.left_out} values too short or too common to be searched for"
    if not found.fields:
        yield "no identifying field"
    if found.packed:
        yield f"{len(found.packed)} packed texts (zip, gzip, base64) were not searched"
