"""Units in which little can happen: a number, words without a rule, a UID, a tag of a CSA header.

They are looked at only as far as that shows that they stay, or how they go. Whether a needle stands in what they
become the caller finds out, for all of a file at once; then they are planned the long way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastanon.actions import mapped_uids
from fastanon.copies import CUT, copy_edit
from fastanon.edits import Edit
from fastanon.fields import Field, Space
from fastanon.identity import Needle
from fastanon.inside import BASE64
from fastanon.keep import is_kept
from fastanon.part import Run
from fastanon.scan import Hit, find
from fastanon.scheme import Scheme
from fastanon.series.layout import Layout
from fastanon.series.template import PLAIN, TAG, UID, WORDS, Fate, Unit
from fastanon.siemens import csa, protocol_keys
from fastanon.siemens.csa_tags import NAME, TEXT
from fastanon.siemens.csa_tags_compiled import tag_runs
from fastanon.siemens.protocol import is_protocol
from fastanon.uids import uids_in_bytes

_MOST = 256  # runs of a tag
_PACKED = (b"PK\3\4", b"\x1f\x8b\x08")
#: Of texts that are written as numbers, and of the isotope: planned the long way.
_COMMENT, _ISOTOPE = b"omment", b"RadionuclideCodeSequence"


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
    return _tag(data, layout.tag(unit), needles, matches) if unit.kind == TAG else None


def _uid(data: bytes, value: int, scheme: Scheme) -> Direct | None:
    old = data[value:]
    new = mapped_uids(old, scheme)
    if len(new) != len(old):
        return None
    uids = frozenset(uid for _, uid in uids_in_bytes(old))
    return Direct(data[:value] + new, Fate(int(new != old)), uids, new)


def _tag(data: bytes, tag: int, needles: tuple[Needle, ...], matches: Sequence[Run]) -> Direct | None:
    """Zero the leftover memory of a tag and replace copies in its text, if nothing else can become of it."""
    found = np.empty(3 * _MOST, np.int64)
    count = tag_runs(data, 0, len(data), found)
    if count < 0 or _COMMENT in data or _ISOTOPE in data:
        return None
    new = bytearray(data)
    texts: list[Run] = []
    slack: list[Run] = []
    for kind, start, end in found[: 3 * count].reshape(-1, 3).tolist():
        (texts if kind == TEXT else slack).append((start, end))
        if kind != TEXT:
            new[start:end] = bytes(end - start)
    if texts and not _is_plain(data, texts):
        return None
    copies: list[Edit] | None = []
    if any(_holding(slack, start, end) is None for start, end in matches):
        copies = _copies(data, tag, texts, slack, find(data, needles))
    if copies is None:
        return None
    for edit in copies:  # at equal length
        new[edit.offset : edit.end] = edit.new
    became = bytes(new)
    fate = Fate(len(slack) + len(copies), sum(edit.rule.endswith(CUT) for edit in copies))
    return Direct(became, fate, stays=became)


def _holding(runs: Sequence[Run], start: int, end: int) -> Run | None:
    """Find the run that holds all bytes of another."""
    for run in runs:
        if run[0] <= start and end <= run[1]:
            return run
    return None


def _is_plain(data: bytes, texts: Sequence[Run]) -> bool:
    """Say whether texts of a tag are neither protocols nor packed, and no rule is for the tag."""
    name = data[:NAME].split(b"\0")[0].decode("latin-1")
    return (
        name != csa.REGISTRATION
        and protocol_keys.rule_of(name) is None
        and not any(is_protocol(data[at:end]) or BASE64.search(data, at, end) for at, end in texts)
    )


def _copies(
    data: bytes, tag: int, texts: Sequence[Run], slack: Sequence[Run], hits: Sequence[Hit]
) -> list[Edit] | None:
    """Replace the copies in the texts of a tag; None where one stands elsewhere, or has to stay."""
    edits = []
    for hit in hits:
        if _holding(slack, hit.start, hit.end) is not None:
            continue
        run = _holding(texts, hit.start, hit.end)
        if run is None or is_kept(tag, data, hit.start, hit.end):
            return None
        edit = copy_edit(hit, Field(("",), Space(), run, run, csa.LATIN))
        if edit.new != data[hit.start : hit.end]:
            edits.append(edit)
    return edits
