"""What a dataset says of its own de-identification (PS3.15 E.1.1, PS3.3 C.12.1.1.1 and C.7.1.1).

Only the Basic Profile has codes. Other profiles are named in text, with the key's fingerprint, by which a second
run knows its own output.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from fastanon import __version__, walk
from fastanon.dicom import DicomPart
from fastanon.dictionary import PADDING, SHORT_VRS
from fastanon.edits import Edit
from fastanon.fields import Box, Field
from fastanon.part import Part, TextPart
from fastanon.profiles import Profile, options_of
from fastanon.rules import BINARY_VRS
from fastanon.scheme import Scheme

REMOVED, METHOD, CODES, DATES = 0x00120062, 0x00120063, 0x00120064, 0x00280303
#: Options that clean what stays, and their codes.
_CLEANING = {"clean-graphics": "113103", "clean-structured-content": "113104", "clean-descriptors": "113105"}
_FIRST_LINE = re.compile(rb"[^\r\n]*([\r\n]+)")


def method(scheme: Scheme) -> str:
    """Give what (0012,0063) says: program, version, profile, fingerprint of the key."""
    return f"fastanon {__version__} {scheme.profile.label} {scheme.pseudonyms.fingerprint}"


def is_marked(part: DicomPart, scheme: Scheme) -> bool:
    """Say whether a dataset says that it is own output: of the same profile and key, of any version."""
    return any(_is_own(value, scheme) for value in _methods(part))


def is_marked_text(part: Part, scheme: Scheme) -> bool:
    """Say the same of an Interfile header."""
    comments = (f for f in part.fields if f.key[-1] == ";") if isinstance(part, TextPart) else ()
    return any(_is_own(part.bytes_at(*f.value).decode("latin-1"), scheme) for f in comments)


def _is_own(value: str, scheme: Scheme) -> bool:
    words, own = value.split(), method(scheme).split()
    return len(words) == len(own) and [words[0], *words[2:]] == [own[0], *own[2:]]


def text_mark(part: TextPart, scheme: Scheme) -> Iterator[tuple[Field, Edit]]:
    """Give the comment that says in an Interfile header what was done; readers skip comments (Interfile V3.3)."""
    first = next((f for f in part.fields if f.key[0] == "Interfile"), None)
    ending = _FIRST_LINE.match(part.bytes_at(part.start, min(part.start + 4096, part.stop)))
    if first is not None and ending is not None:
        at = part.start + ending.end()
        f = Field(("marker",), part.space, (at, at), (at, at), None, None, fixed=False)
        yield f, Edit(at, 0, b"; " + method(scheme).encode() + ending[1], "marker")


def _methods(part: DicomPart) -> list[str]:
    return [value.strip() for i in _rows(part, METHOD) for value in part.text(i).split("\\")]


def _rows(part: DicomPart, *tags: int) -> list[int]:
    return [i for i in part.elements.rows_of(tags) if part.elements.parents[i] < 0]


def marks(part: DicomPart, scheme: Scheme, cleaned: frozenset[str]) -> Iterator[tuple[Field, Edit]]:
    """Give the edits that say what was done; elements that say something else go.

    Parameters
    ----------
    part : DicomPart
        A dataset.
    scheme : Scheme
        What was done to it.
    cleaned : frozenset of str
        Codes of those options that hold for this dataset alone.
    """
    found = _marks(part, scheme, cleaned)
    for tag in sorted(found):
        rows = _rows(part, tag)
        new = found[tag]
        if len(rows) == 1:
            f = part.element_field(rows[0])
            if part.bytes_at(*f.outer) != new:
                yield f, Edit(f.outer[0], f.outer[1] - f.outer[0], new, "marker")
            continue
        for i in rows:
            f = part.element_field(i)
            yield f, Edit(f.outer[0], f.outer[1] - f.outer[0], b"", "marker")
        at, box = _room(part, tag)
        f = Field(("marker",), part.space, (at, at), (at, at), None, box, fixed=False)
        yield f, Edit(at, 0, new, "marker", tag)


def cleaned_options(part: DicomPart, profile: Profile) -> frozenset[str]:
    """Give the codes of those cleaning options that hold: nothing is left that was cleaned and not replaced.

    What was searched for the patient's values may still say something else (PS3.15 E.3.2, E.3.3, E.3.5): these
    need that nothing of the kind stands there at all.
    """
    lengths = part.elements.lengths
    left = {
        option
        for tag, vr, rows in part.elements.kinds
        if profile.action(tag) == "C" and vr not in BINARY_VRS and any(lengths[i] for i in rows)
        for option in options_of(tag)
    }
    return frozenset(code for option, code in _CLEANING.items() if option not in left)


def _marks(part: DicomPart, scheme: Scheme, cleaned: frozenset[str]) -> dict[int, bytes]:
    mode = part.elements[0].flags & (walk.IMPLICIT | walk.BIG) if len(part.elements) else 0
    others = [value for value in _methods(part) if value and not value.startswith("fastanon ")]
    found = {METHOD: _text(METHOD, "LO", "\\".join([*others, method(scheme)]), mode)}
    if scheme.strips:
        options = scheme.profile.options
        state = "UNMODIFIED" if "retain-full-dates" in options else "MODIFIED" if scheme.shifts else "REMOVED"
        found[DATES] = _text(DATES, "CS", state, mode)
    codes = [code for code in scheme.profile.codes if code[0] not in _CLEANING.values() or code[0] in cleaned]
    if codes:
        found[REMOVED] = _text(REMOVED, "CS", "YES", mode)
        found[CODES] = _element(CODES, "SQ", b"".join(_code(*code, mode) for code in codes), mode)
    return found


def _code(value: str, meaning: str, mode: int) -> bytes:
    """Give an item of codes (PS3.3 8.8)."""
    content = _text(0x00080100, "SH", value, mode) + _text(0x00080102, "SH", "DCM", mode)
    content += _text(0x00080104, "LO", meaning, mode)
    order = ">" if mode & walk.BIG else "<"
    return struct.pack(f"{order}HHI", 0xFFFE, 0xE000, len(content)) + content


def _text(tag: int, vr: str, value: str, mode: int) -> bytes:
    data = value.encode("ascii", "replace")
    return _element(tag, vr, data + PADDING.get(vr, b" ") * (len(data) % 2), mode)


def _element(tag: int, vr: str, value: bytes, mode: int) -> bytes:
    """Spell an element in the encoding of its dataset (PS3.5 7.1)."""
    order = ">" if mode & walk.BIG else "<"
    head = struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)
    if mode & walk.IMPLICIT:
        return head + struct.pack("<I", len(value)) + value
    if vr in SHORT_VRS:
        return head + vr.encode() + struct.pack(f"{order}H", len(value)) + value
    return head + vr.encode() + b"\0\0" + struct.pack(f"{order}I", len(value)) + value


def _room(part: DicomPart, tag: int) -> tuple[int, Box | None]:
    """Give the place of a new element in the order of tags, and what counts its length."""
    elements = part.elements
    after = next((i for i in elements.tops if elements.tags[i] > tag), -1)
    group = (i for i in elements.tops if elements.tags[i] >> 16 == tag >> 16)
    at = elements.headers[after] if after >= 0 else elements.end
    beside = next((i for i in group if elements.tags[i] & 0xFFFF), -1)
    return at, part.outer if beside < 0 else part.boxes.group(beside)
