"""What a reconstruction reads and no needle may touch: words that classify a file, codes, UIDs.

By these words and codes NIPET (mmraux.py) and other programs tell list-mode from norms, and find the isotope.
"""

from __future__ import annotations

import re

from fastanon import dictionary

#: Text that says what a file is, never whom it shows; programs classify by it. None keeps the whole value.
KEEP: dict[int, re.Pattern[bytes] | None] = {
    0x00080070: None,  # Manufacturer
    0x00080100: None,  # Code Value, such as that of the isotope
    0x00080102: None,  # Coding Scheme Designator
    0x00080104: re.compile(rb"\^\d+\^[A-Za-z]*|\b[A-Z][a-z]?\^\d+\^?"),  # Code Meaning: isotopes, ^18^Fluorine
    0x00081090: None,  # Manufacturer's Model Name
    0x00180024: None,  # Sequence Name
    0x00180031: None,  # Radiopharmaceutical
    0x00181020: None,  # Software Versions: NIPET refuses versions that it does not know
    0x00204000: re.compile(rb"(?i)listmode|list mode|pet normali[sz]ation data|sinogram|mr based umap|physio"),
}

#: Types of Siemens' headers: last byte of the element's number, by creator. Their versions (xx09, xx19) are not
#: among these: in all real files met so far they are the day of the scan, and then they follow it.
KEPT_PRIVATE = {"SIEMENS CSA HEADER": (0x08, 0x18), "SIEMENS CSA NON-IMAGE": (0x08,)}

#: What NIPET reads off a CSA header (mmraux.py): the isotope's code, within 100 bytes of this name.
_ISOTOPE = re.compile(rb"RadionuclideCodeSequence.{0,100}?CodeValue:[ \t]*[\w-]*", re.DOTALL)
#: As far around a hit as any of these reaches.
AROUND = 256

#: Digits and dots with at least three dots are a UID, as a whole: no number inside them is a copy.
_UID = re.compile(rb"[0-9]*(?:\.[0-9]+){3,}")
_DIGITS = b"0123456789."


def is_kept(tag: int, around: bytes, start: int, end: int) -> bool:
    """Say whether a hit lies in a word that classifies the file, in the isotope's code, or inside a UID.

    Parameters
    ----------
    tag : int
        The element's.
    around : bytes
        The hit with up to `AROUND` bytes of the value on both sides.
    start, end : int
        The hit in these.
    """
    words = KEEP.get(tag) or (_ISOTOPE if dictionary.is_private(tag) else None)
    spans = [match.span() for match in words.finditer(around)] if words else []
    spans += [uid for uid in _uids_about(around, start, end) if uid != (start, end)]
    return any(a < end and start < b for a, b in spans)


def _uids_about(around: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Give the UIDs in the digits and dots that a hit has in it or beside it."""
    while start and around[start - 1] in _DIGITS:
        start -= 1
    while end < len(around) and around[end] in _DIGITS:
        end += 1
    return [uid.span() for uid in _UID.finditer(around, start, end)] if around.count(b".", start, end) > 2 else []
