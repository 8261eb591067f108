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

#: Types and versions of Siemens' headers: last byte of the element's number, by creator.
KEPT_PRIVATE = {"SIEMENS CSA HEADER": (0x08, 0x09, 0x18, 0x19), "SIEMENS CSA NON-IMAGE": (0x08, 0x09)}

#: What NIPET reads off a CSA header (mmraux.py): the isotope's code, within 100 bytes of this name.
_ISOTOPE = re.compile(rb"RadionuclideCodeSequence.{0,100}?CodeValue:[ \t]*[\w-]*", re.DOTALL)
#: As far around a hit as any of these reaches.
AROUND = 256

#: Digits and dots with at least three dots are a UID, as a whole: no number inside them is a copy.
_UID = re.compile(rb"[0-9]*(?:\.[0-9]+){3,}")


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
    spans += [uid.span() for uid in _UID.finditer(around) if uid.span() != (start, end)]
    return any(a < end and start < b for a, b in spans)
