"""What is done about needles in a payload: nothing where chance explains them, and a patch or a leak where not."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from fastanon.chance import Scanned
from fastanon.copies import copy_edit
from fastanon.edits import Edit, pieces
from fastanon.fields import Field, Place, Text
from fastanon.part import Part

_BLOCK = 16 << 20


class Bulk(NamedTuple):
    """One payload, as the report tells of it.

    Attributes
    ----------
    kind : str
        Of which kind it is.
    offset, size : int
        First byte and number of bytes.
    hits : dict of str to int
        Places at which a needle stands, by its kind.
    expected : dict of str to float
        How many are to be expected by chance.
    patched, left : tuple of Place
        Those that are no chance, and were replaced or not.
    before, after : str
        SHA-256 of the payload in hexadecimal digits, where it was patched.
    """

    kind: str
    offset: int
    size: int
    hits: dict[str, int]
    expected: dict[str, float]
    patched: tuple[Place, ...] = ()
    left: tuple[Place, ...] = ()
    before: str = ""
    after: str = ""

    @property
    def done(self) -> str:
        """What was done, in a word: ``patched``, ``left``, ``counted``, or ``nothing`` where nothing was found."""
        return "patched" if self.patched else "left" if self.left else "counted" if self.hits else "nothing"


def decide(part: Part, scanned: Scanned, patch: bool) -> tuple[Bulk, list[tuple[Field, Edit, str]]]:
    """Plan what becomes of one payload: its entry in the report, and the edits with their fields and kinds."""
    payload = scanned.payload
    run = (payload.start, payload.end)
    field = Field((payload.kind,), part.space, run, run, Text("latin-1"))
    places = tuple(Place(payload.kind, h.start, h.end - h.start, h.needle.kind) for h in scanned.real)
    seen = Bulk(payload.kind, payload.start, payload.end - payload.start, scanned.hits, scanned.expected)
    if not places:
        return seen, []
    if not patch:
        return seen._replace(left=places), []
    planned = [(field, copy_edit(hit, field), hit.needle.kind) for hit in scanned.real]
    edits = [edit for _, edit, _ in planned]
    digests = digest(part, run, []), digest(part, run, edits)
    return seen._replace(patched=places, before=digests[0], after=digests[1]), planned


def digest(part: Part, run: tuple[int, int], edits: Sequence[Edit]) -> str:
    """Give the SHA-256 of a run of bytes as it is after edits."""
    found = hashlib.sha256()
    for piece in pieces(edits, *run):
        if isinstance(piece, bytes):
            found.update(piece)
            continue
        for at in range(piece[0], piece[1], _BLOCK):
            found.update(part.read(at, min(at + _BLOCK, piece[1])))
    return found.hexdigest()
