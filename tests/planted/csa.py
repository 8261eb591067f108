"""A writer of CSA headers (nibabel's doc/source/dicom/siemens_csa.rst)."""

from __future__ import annotations

import struct
from typing import TypeAlias

from tests.planted.marked import Marked, Part, cat, copies, filled, mark, slack
from tests.planted.spelling import Spelled

#: Name, VR, items, and what the memory behind the name and the items held.
Tag: TypeAlias = "tuple[str, str, list[Part], bytes]"
#: How Siemens numbers the VRs.
_SYNGO = {"UN": 0, "DS": 3, "IS": 6, "CS": 16, "LO": 19, "LT": 20, "PN": 21, "SH": 22, "ST": 23, "UT": 27}


def csa(tags: list[Tag], new: bool) -> Marked:
    """Write a CSA header.

    All numbers are little-endian and take 4 bytes. A header begins with the number of tags and 77, and four zero
    bytes end it. A tag takes 84 bytes: its name (64 bytes), the number of values, the VR (4 bytes), Siemens'
    number of the VR, the number of items, and 77, or 205 without items. An item has four numbers, its length with
    the NUL twice, 77, and the length again; then comes the text, filled up to a multiple of 4 bytes.

    Parameters
    ----------
    tags : list of Tag
        At least one.
    new : bool
        CSA2, which begins with SV10; otherwise CSA1, where the first length of an item is greater by the number of
        items of the first tag.

    Returns
    -------
    Marked
        Leftover memory is behind names, VRs and texts.
    """
    first = len(tags[0][2])
    parts: list[Part] = [b"SV10\4\3\2\1"] if new else []
    parts.append(struct.pack("<2I", len(tags), 77))
    for name, vr, items, left in tags:
        parts += [name.encode(), b"\0", filled(slack(left, 63 - len(name)).under("name[64]"), 63 - len(name))]
        parts += [struct.pack("<i", len(items)), vr.encode(), b"\0", slack(left or b"A", 1).under("vr[4]")]
        parts.append(struct.pack("<3i", _SYNGO[vr], len(items), 77 if items else 205))
        for item in items:
            text = cat(item, b"\0")
            size = len(text)
            parts.append(struct.pack("<4i", size if new else size + first, size, 77, size))
            parts += [text.under(f"{name} {vr}"), slack(left or b"ANN", -size % 4).under("pad")]
    return cat(*parts, bytes(4)).under("CSA2" if new else "CSA1")


def places_in_csa(s: Spelled, new: bool) -> Marked:
    """Hide a name in all items that are text, and in everything that nobody cleared.

    Items called `Item` hold it as text; `Behind` and `Left` are where only leftover memory does, `TwiceLO` where
    both do. Others have words for names that are names of patients too.

    Parameters
    ----------
    s : Spelled
        What to hide; in UTF-16 only where others expect zeros.
    new : bool
        CSA2, otherwise CSA1.
    """
    forms = s.forms + s.respelled
    tags: list[Tag] = [("UsedPatientWeight", "IS", [b"66      "], b""), ("Unused", "LO", [], b"")]
    tags += [(word, "CS", [b"NORM", b"HEAD", b"LIST"], b"") for word in ("MAX", "TIM", "IRIS", "LONG")]
    texts = ("UN",) if s.wide else ("UN", "LO", "LT", "SH", "ST", "UT", "PN")
    tags += [(f"Item{vr}", vr, [b"first", copies(s)], b"") for vr in texts]
    for vr, value in (("LO", b"text"), ("DS", b"1.25000000"), ("CS", b"ROW")):
        tags.append((f"Behind{vr}", vr, [cat(value, b"\0", slack(form, 999)) for form in forms], b""))
    twice = [cat(mark(form, "copy", repr(form)), b"\0", slack(form, 999)) for form in forms]
    tags.append(("TwiceLO", "LO", [] if s.wide else twice, b""))
    tags += [(f"Left{number}", "DS", [b"0.5"] * (number % 3), form) for number, form in enumerate(forms)]
    return csa(tags, new)
