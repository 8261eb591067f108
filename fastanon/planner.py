"""Fields, profile and identity to edits: a `Plan` is a value, and making it writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from fastanon import refit
from fastanon.bulk import Bulk
from fastanon.container import deflate
from fastanon.copies import CUT
from fastanon.dicom import DicomPart
from fastanon.dicomdir import is_directory, offset_edits
from fastanon.draft import INVALID_ID, Draft
from fastanon.edits import Edit, edited, in_order, with_lengths
from fastanon.errors import FileError, UnsupportedError
from fastanon.fields import Place
from fastanon.inside import Inside
from fastanon.markers import cleaned_options, marks, text_mark
from fastanon.names import Mask, Met, Renamed
from fastanon.opened import Identity, Opened
from fastanon.part import Run, TextPart
from fastanon.scheme import Scheme
from fastanon.search import Finding, search

#: Payloads of so many bytes are worth to share their blocks with a copy; more is not put into a journal.
WORTH, _MOST = 1 << 20, 64 << 20


class Plan(NamedTuple):
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
        Why, if that was asked for: what was found and where. In a deflated dataset offsets count inflated bytes.
    scanned : int
        Bytes outside payloads; all of them that stay were searched.
    payload : int
        Bytes of bulk data.
    warnings : tuple of str
        What is wrong with its structure.
    leaks : tuple of Place
        What is left in structures that contradict themselves, and in payloads.
    bulk : tuple of Bulk
        What the search of the payloads brought; empty if there was none.
    stays : (int, int) or None
        The payload that does not move, if lengths change around it; or, in a copy, moves by whole blocks.
    changed : int
        How many edits there are, also where these were planned for another file of the series and come as one.
    marked : bool
        Whether the file says then that it is de-identified.
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
    stays: Run | None = None
    changed: int = 0
    marked: bool = False

    @property
    def strategy(self) -> str:
        """How it is written in place.

        Not at all; by a `patch` of equal length; by a `refit` of what is around the payload, which stays where it
        is; or by a `rewrite`.
        """
        if not self.edits:
            return "none"
        if self.stays is not None:
            return "refit"
        return "rewrite" if any(edit.growth for edit in self.edits) else "patch"


def make_plan(
    opened: Opened,
    found: Finding,
    scheme: Scheme,
    renamed: Renamed,
    patch_payload: bool = True,
    mark: bool = True,
    explain: bool = False,
    block: int = 0,
) -> Plan:
    """Plan one file.

    Parameters
    ----------
    opened : Opened
        The file.
    found : Finding
        What a search of it brought.
    scheme : Scheme
        What the values become.
    renamed : Renamed
        How the names of other files change.
    patch_payload : bool
        Whether to patch what is no chance in a payload; otherwise it is a leak.
    mark : bool
        Whether to say in the dataset what was done, if nothing is left.
    explain : bool
        Whether to give the places of all edits by name.
    block : int
        By a multiple of how many bytes a payload may move: 0 in place, 1 in a copy, more where blocks are shared.

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
        _refuse_burned_in(found, scheme)
        drafts = list(drafts_of(found, scheme, renamed, patch_payload)) if not found.own else []
        leaks = tuple(_moved(place, base) for draft, base in drafts for place in draft.leaks)
        if mark and not leaks and (scheme.keyed or any(draft.edits() for draft, _ in drafts)):
            _mark([draft for draft, _ in drafts], scheme)
        every, stays = joined(drafts, block, opened.size)
        edits = in_order(every, opened.size)
        opened.check()
        return Plan(
            opened.path, opened.identity, edits,
            tuple(_moved(p, base) for d, base in drafts for p in d.places()) if explain else (), found.scanned,
            found.payload, sum(draft.structural for draft, _ in drafts), tuple(_packed(found, scheme)),
            tuple(_messages(found, edits)), tuple(note for one in found.parts for note in one.part.notes),
            leaks, tuple(seen for draft, _ in drafts for seen in draft.bulk),
            stays, len(edits), any(edit.rule == "marker" for edit in edits),
        )  # fmt: skip
    except FileError as error:
        error.path = opened.path
        raise


def drafts_of(
    found: Finding, scheme: Scheme, renamed: Renamed, patch_payload: bool
) -> Iterator[tuple[Draft, int]]:
    """Draft all parts, each with its base; those that lie in a part once for the same bytes."""
    around: Draft | None = None
    for one in found.parts:
        part = one.part
        if not isinstance(part, Inside):
            around = Draft(one, found, scheme, renamed, patch_payload)
            yield around, 0
        elif around is not None and not around.gone.touch(one.base, one.base + part.stop):
            given = (found.needles, scheme, found.subjects.whole)
            make = partial(Draft, one, found, scheme, renamed, patch_payload)
            yield part.remember("draft", given, make), one.base


def _moved(place: Place, base: int) -> Place:
    return place._replace(offset=place.offset + base) if base else place


def plan_in_place(opened: Opened, scheme: Scheme, found: Finding | None = None) -> Plan:
    """Search and plan one file that stays where it is; arguments, result and errors are those of `make_plan`."""
    found = found or search(opened, scheme)
    return make_plan(opened, found, scheme, Renamed(Mask(), Met(found.needles)), mark=scheme.strips, explain=True)


def _refuse_burned_in(found: Finding, scheme: Scheme) -> None:
    """Refuse pixels that may show text, where they are to be clean: nobody here can clean them (PS3.15 E.3.1)."""
    if "clean-pixel-data" not in scheme.profile.options or found.own:
        return
    for part in (one.part for one in found.parts if isinstance(one.part, DicomPart)):
        if any(one.kind == "pixels" for one in part.payloads()) and not part.is_clean():
            raise UnsupportedError("pixels that are not clean: Burned In Annotation (0028,0301) is not NO")


def joined(drafts: list[tuple[Draft, int]], block: int, size: int) -> tuple[list[Edit], Run | None]:
    """Give all edits with those of lengths, which may count several parts, and of the offsets in a DICOMDIR.

    The payload around which lengths change comes too, if there is one that can stay.
    """
    plain = [draft for draft, base in drafts if not draft.part.space.codec and not base]
    edits, stays = _arranged(plain, block, size)
    edits += [
        Edit(e.offset + base, e.old, e.new, e.rule, e.order) for d, base in drafts if base for e in d.edits()
    ]
    edits += [edit for draft, _ in drafts if draft.part.space.codec for edit in _deflated(draft)]
    for part in (draft.part for draft, _ in drafts if isinstance(draft.part, DicomPart)):
        if is_directory(part.elements) and any(edit.growth for edit in edits):
            edits += offset_edits(part, edits)
    return edits, stays


def _arranged(drafts: list[Draft], block: int, size: int) -> tuple[list[Edit], Run | None]:
    """Give the edits of those parts whose offsets are the file's, so that its payload stays if it can."""
    edits = [edit for draft in drafts for edit in draft.edits()]
    fields = [f for draft in drafts for f in draft.fields()]
    parts = [draft.part for draft in drafts]
    payload = refit.kept_payload(parts, edits) if block != 1 and any(edit.growth for edit in edits) else None
    if payload is not None and (not block or payload[1] - payload[0] >= WORTH):
        done = refit.fitted(parts, edits, fields, payload, block)
        if done is not None and (block or _is_short(done, size)):
            return done, payload
    return with_lengths(edits, fields), None


def _is_short(edits: list[Edit], size: int) -> bool:
    """Say whether what is written in place is little enough for a journal."""
    return sum(stop - start for start, stop, _ in refit.writes(in_order(edits, size), size)) <= _MOST


def _mark(drafts: list[Draft], scheme: Scheme) -> None:
    for draft in drafts:
        part = draft.part
        if isinstance(part, DicomPart) and not is_directory(part.elements) and not part.is_meta:
            draft.add_marks(marks(part, scheme, cleaned_options(part, scheme.profile)))
        elif isinstance(part, TextPart):
            draft.add_marks(text_mark(part, scheme))


def _packed(found: Finding, scheme: Scheme) -> Iterator[tuple[str, int]]:
    """Give the packed texts that stay, for where a profile strips they go."""
    if not scheme.strips:
        yield from ((f.name, f.value[1] - f.value[0]) for one in found.parts for f in one.part.packed())


def _deflated(draft: Draft) -> list[Edit]:
    """Turn the edits of an inflated dataset into one of the file."""
    part, edits = draft.part, with_lengths(draft.edits(), draft.fields())
    if not edits:
        return []
    data = deflate(edited(part.data, in_order(edits, len(part.data))), part.space.codec)
    run = (part.space.start, part.space.end)
    return [Edit(run[0], run[1] - run[0], data, "deflated dataset")]


def _messages(found: Finding, edits: tuple[Edit, ...]) -> Iterator[str]:
    if found.own:
        yield "anonymized before, by this profile and key"
        return
    named = any(rule.kind for one in found.parts for _, rule in one.fields)
    yield from messages(found.left_out, sum(edit.rule.endswith(CUT) for edit in edits), named)
    invalid = sum(edit.rule == INVALID_ID for edit in edits)
    if invalid:
        yield f"{invalid} names of files are longer than a DICOMDIR may hold"


def messages(left_out: int, cut: int, named: bool = True) -> tuple[str, ...]:
    """Say what a person should know of a plan: values that are not searched for, pseudonyms that are cut."""
    found = (
        (left_out, f"{left_out} values too short or too common to be searched for"),
        (not named, "no identifying field"),
        (cut, f"{cut} pseudonyms cut to the length of what they replace"),
    )
    return tuple(text for told, text in found if told)
