"""How a copy of a value is replaced: at equal length, spelled as it was."""

from __future__ import annotations

from fastanon.edits import Edit
from fastanon.fields import Field
from fastanon.rules import DUMMIES
from fastanon.scan import Hit
from fastanon.siemens.spelled import Spelled

_DUMMY = DUMMIES["DA"]

#: How the rule of an edit ends whose replacement had to be shortened.
CUT = "cut"


def number_edits(hits: list[tuple[Spelled, Hit]]) -> list[Edit]:
    """Make an X of each character of a copy that is written as numbers."""
    changes = (c for text, hit in hits for at in range(hit.start, hit.end) for c in text.changes[at])
    return [Edit(c.offset, len(c.new), c.new, "copy in numbers") for c in changes]


def copy_edit(hit: Hit, f: Field) -> Edit:
    """Replace a copy at equal length: padded with spaces, or `x` throughout where that does not fit."""
    needle, room = hit.needle, hit.end - hit.start
    if needle.escape:  # what follows may still need the escape; 2121 is a space of two bytes
        return Edit(hit.start, room, b"!" * room, f"copy of a {needle.kind}")
    try:
        new = _DUMMY if f.text is not None and f.text.is_date and not needle.new else needle.new
        spelled = plain(new, f).encode(needle.codec)
    except UnicodeEncodeError:
        spelled = b""
    cut = room % needle.unit  # of UTF-16 the zero before the first letter
    length = (room + cut) // needle.unit
    rule = f"copy of a {needle.kind}"
    if spelled and len(spelled) > room + cut and needle.cut and needle.new.isascii():
        spelled, rule = spelled[: length * needle.unit], f"{rule}, {CUT}"
    elif not spelled or len(spelled) > room + cut:
        spelled = ("x" * length).encode(needle.codec)
    spelled += " ".encode(needle.codec) * (length - len(spelled) // needle.unit)
    return Edit(hit.start, room, spelled[cut:], rule)


def plain(new: str, f: Field) -> str:
    """Give a replacement, or nothing where its place takes only ASCII, or no comma (lists in Interfile)."""
    if f.text is not None and (f.text.quotes or f.text.encoding == "ascii"):
        return new if new.isascii() and not (f.text.encoding == "ascii" and "," in new) else ""
    return new
