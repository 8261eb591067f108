"""Units in which little can happen: a number, words without a rule, a UID, a tag of a CSA header.

They are looked at only as far as that shows that they stay, or how they go. Whether a needle stands in what they
become the caller finds out, for all of a file at once; then they are planned the long way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fastanon.actions import mapped_uids
from fastanon.copies import CUT, copy_edit
from fastanon.edits import Edit, edited, in_order
from fastanon.fields import Field, Space
from fastanon.identity import Needle
from fastanon.inside import BASE64
from fastanon.keep import is_kept
from fastanon.part import Run, holding, text_rules
from fastanon.scan import Hit, find
from fastanon.scheme import Scheme
from fastanon.series.layout import Layout, shortened
from fastanon.series.template import PLAIN, TAG, UID, WORDS, Fate, Unit
from fastanon.siemens import csa, protocol_keys
from fastanon.siemens.csa_tags import FIRST
from fastanon.uids import uids_in_bytes

_PACKED = (b"PK\3\4", b"\x1f\x8b\x08")
#: Of texts that are written as numbers, and of the isotope.
_NOT_HERE = (b"omment", b"RadionuclideCodeSequence")


class Direct(NamedTuple):
    """What becomes of a unit, the UIDs that were in it, and what in it has to be free of needles and of UIDs."""

    new: bytes
    fate: Fate
    uids: frozenset[bytes] = frozenset()
    stays: bytes = b""


def directly(
    unit: Unit, layout: Layout, run: Run, scheme: Scheme, needles: tuple[Needle, ...], matches: Sequence[Run]
) -> Direct | None:
    """Say what becomes of a unit; None where that has to be planned.

    Parameters
    ----------
    unit : Unit
        Which.
    layout : Layout
        The file.
    run : (int, int)
        Where it begins and ends.
    scheme : Scheme
        What values become.
    needles : tuple of Needle
        What is replaced in the text of a tag.
    matches : sequence of Run
        Where any of them stands in it, be it a word or not; offsets count from its first byte.
    """
    start, stop = run
    data = layout.dataset.data[start:stop]
    assert isinstance(data, bytes)
    if unit.kind == PLAIN:
        return Direct(data, Fate(), stays=data)
    if unit.kind == WORDS:
        value = data[layout.value(unit) - start :]
        packed = value.startswith(_PACKED) or BASE64.fullmatch(value)
        return None if packed else Direct(data, Fate(), stays=data)
    if unit.kind == UID:
        return _uid(data, layout.value(unit) - start, scheme)
    return _tag(unit, layout, run, scheme, needles, matches) if unit.kind == TAG else None


def _uid(data: bytes, value: int, scheme: Scheme) -> Direct | None:
    old = data[value:]
    new = mapped_uids(old, scheme)
    if len(new) != len(old):
        return None
    uids = frozenset(uid for _, uid in uids_in_bytes(old))
    return Direct(data[:value] + new, Fate(int(new != old)), uids, new)


def _tag(
    unit: Unit, layout: Layout, run: Run, scheme: Scheme, needles: tuple[Needle, ...], matches: Sequence[Run]
) -> Direct | None:
    """Zero the leftover memory of a tag and replace copies in its text, if nothing else can become of it."""
    whole = layout.dataset.data
    assert isinstance(whole, bytes)
    data = whole[run[0] : run[1]]
    try:
        if any(word in data for word in _NOT_HERE):
            return None
        numbers = csa.zeroed(data)
        if numbers is not None and all(any(a <= s and e <= b for a, b in numbers[1]) for s, e in matches):
            return Direct(numbers[0], Fate(len(numbers[1])), stays=numbers[0])
        value = layout.value(unit)
        head, _ = shortened(whole, value, value, value + FIRST, [run])
        fields = csa.fields(head[-FIRST:] + data, 0, Space(), ("",))
    except csa.BrokenCsaError:
        return None
    return _texts(data, layout.tag(unit), fields, scheme, find(data, needles) if matches else ())


def _texts(data: bytes, tag: int, fields: list[Field], scheme: Scheme, hits: Sequence[Hit]) -> Direct | None:
    slack = [f for f in fields if f.key[-1] == "slack"]
    texts = [f for f in fields if f.key[-1] != "slack"]
    if any(len(f.key) > 2 or _is_packed(data, f) for f in texts):
        return None
    if next(text_rules(texts, protocol_keys.rule_of, scheme), None) is not None:
        return None
    edits = [
        Edit(f.value[0] - FIRST, f.value[1] - f.value[0], bytes(f.value[1] - f.value[0]), "slack") for f in slack
    ]
    copies = _copies(data, tag, texts, slack, hits)
    if copies is None:
        return None
    new = edited(data, in_order([*edits, *copies], len(data)))
    cuts = sum(edit.rule.endswith(CUT) for edit in copies)
    return Direct(new, Fate(len(edits) + len(copies), cuts), stays=new)


def _is_packed(data: bytes, f: Field) -> bool:
    return BASE64.search(data, f.value[0] - FIRST, f.value[1] - FIRST) is not None


def _copies(
    data: bytes, tag: int, texts: list[Field], slack: list[Field], hits: Sequence[Hit]
) -> list[Edit] | None:
    """Replace the copies in the texts of a tag; None where one stands elsewhere, or has to stay."""
    edits = []
    for hit in hits:
        run = (hit.start + FIRST, hit.end + FIRST)
        if holding(slack, *run) is not None:
            continue
        f = holding(texts, *run)
        if f is None or is_kept(tag, data, hit.start, hit.end):
            return None
        edit = copy_edit(hit, f)
        if edit.new != data[hit.start : hit.end]:
            edits.append(edit)
    return edits
