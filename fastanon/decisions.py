"""What a profile says of every element of a dataset (PS3.15 E): which values change, and how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastanon import dictionary, walk
from fastanon.dicomdir import is_directory
from fastanon.errors import UnsupportedError
from fastanon.rules import BINARY_VRS, Rule
from fastanon.scheme import Scheme

if TYPE_CHECKING:
    from fastanon.dicom import DicomPart

#: Of the file meta information (PS3.10 7.1): application entities and addresses, and private information.
_META = {
    tag: Rule("X")
    for tag in (0x00020016, 0x00020017, 0x00020018, 0x00020026, 0x00020027, 0x00020028, 0x00020100, 0x00020102)
}
_META[0x00020003] = Rule("U", vr="UI")  # Media Storage SOP Instance UID, the same as (0008,0018)

_OVERLAY_MASK, _OVERLAY = 0xFF00FFFF, 0x60003000  # Overlay Data of every group
_RAW = "SIEMENS CSA NON-IMAGE"  # payloads, and the headers without which they are none
_PRIVATE = 0x00010000  # the lowest bit of the group
_LENGTH_TO_END = 0x00080001
_REMOVED = Rule("X")


def decided(part: DicomPart, scheme: Scheme) -> Iterator[tuple[int, Rule]]:
    """Give the rows of all elements that change, each with what happens to it.

    Elements inside a sequence that goes come too, with the action ``N``: what they hold is still searched for.

    Parameters
    ----------
    part : DicomPart
        File meta information or a dataset.
    scheme : Scheme
        The profile.

    Raises
    ------
    UnsupportedError
        If a payload would go with the private elements.
    """
    rules = _Rules(part, scheme)
    gone = dummy = 0  # ends of what goes, and of the sequence in which everything gets a dummy
    elements = part.elements
    for i, (tag, vr) in enumerate(zip(elements.tags, elements.vrs, strict=True)):
        if tag == walk.ITEM:
            continue
        at = elements.headers[i]
        rule = rules.of(i, tag, vr)
        if at < dummy:
            rule = _dummy(vr_of(tag, vr), rule)
        if rule is None:
            continue
        if at < gone:
            rule = rule._replace(action="N")
        elif rule.action in ("X", "Z"):
            gone = elements[i].outer_end
        elif rule.vr == "SQ":
            dummy = max(dummy, elements[i].outer_end)
            continue
        yield i, rule


class _Rules:
    """The rules for the elements of one dataset."""

    def __init__(self, part: DicomPart, scheme: Scheme) -> None:
        self._part, self._scheme = part, scheme
        self._kept, self._blocks = _kept(part, scheme) if scheme.strips else (frozenset(), frozenset())
        self._directory = is_directory(part.elements)
        self._overlays = frozenset(
            (part.elements[i].parent, tag >> 16)
            for i, tag in enumerate(part.elements.tags)
            if tag & _OVERLAY_MASK == _OVERLAY and (rule := scheme.rule_of(tag, "OW")) and rule.action == "X"
        )

    def of(self, index: int, tag: int, vr: int) -> Rule | None:
        """Give the rule for an element; None if it stays."""
        group, scheme = tag >> 16, self._scheme
        if group & 1:
            return self._private(index, tag) if scheme.strips or scheme.shifts else None
        if group == 2:
            return _META.get(tag) if scheme.strips and (tag != 0x00020003 or scheme.maps_uids) else None
        if scheme.strips and (not tag & 0xFFFF or tag == _LENGTH_TO_END):
            return _REMOVED  # retired (PS3.5 7.2), and one thing less to count
        if self._overlays and (self._part.elements[index].parent, group) in self._overlays:
            return _REMOVED  # a plane without data is none
        rule = scheme.rule_of(tag, vr_of(tag, vr))
        if self._directory and rule is not None:
            return _in_record(rule)
        return rule

    def _private(self, index: int, tag: int) -> Rule | None:
        part, scheme = self._part, self._scheme
        if dictionary.is_private_creator(tag):
            block = (part.elements.parents[index], tag)
            return None if not scheme.strips or block in self._blocks else _REMOVED
        element = part.elements[index]
        if scheme.strips and index not in self._kept:
            raw = part.creator(index) == _RAW and _RAW not in scheme.profile.creators
            if raw or index in part.payload_rows:
                reason = f"profile {scheme.profile.name} would remove the raw data, which is private"
                raise UnsupportedError(reason, offset=element.header)
            return _REMOVED
        return None if element.nested else scheme.private_rule(element.real_vr, lambda: part.value(index))


def _in_record(rule: Rule) -> Rule:
    """Give the rule for an element of a DICOMDIR, whose records have Types of their own (PS3.3 F.5).

    A dummy stands where the profile would have nothing, and nothing where it would have no element.
    """
    if rule.vr == "SQ" or rule.action not in ("X", "Z"):
        return rule
    return rule._replace(action="D" if rule.action == "Z" and rule.source != "dob" else "Z")


def vr_of(tag: int, vr: int) -> str:
    """Give the VR of a public element from its two letters as the walk has them, or the dictionary's."""
    written = chr(vr & 0xFF) + chr(vr >> 8) if vr else ""
    return written if written not in ("", "UN") else dictionary.vr_of(tag)


def _dummy(vr: str, rule: Rule | None) -> Rule | None:
    """Give the rule for an element of a sequence whose content is to be a dummy.

    UIDs are mapped, and codes and binary numbers stay: they say how an item is built (PS3.3 C.17.3).
    """
    if rule is not None or vr in ("CS", "SQ", "UI") or vr in BINARY_VRS - {"OB", "OW", "UN"}:
        return rule
    return Rule("D", "", vr.lower(), False, vr)


def keeps(part: DicomPart, scheme: Scheme, index: int) -> bool:
    """Say whether a private element stays: one of a kept creator, and not packed, or one that is safe."""
    profile, tag = scheme.profile, part.elements.tags[index]
    creator = part.creator(index)
    if creator in profile.creators:
        return not part.is_packed(index)
    return (tag >> 16, tag & 0xFF, creator) in profile.safe


def _kept(part: DicomPart, scheme: Scheme) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    """Give the rows of private elements that stay, and parent and creator's tag of their blocks."""
    elements = part.elements
    rows = frozenset(
        i
        for i, tag in enumerate(elements.tags)
        if tag & _PRIVATE and tag & 0xFFFF > 0xFF and keeps(part, scheme, i)
    )
    return rows, frozenset((elements.parents[i], _creator_tag(elements.tags[i])) for i in rows)


def _creator_tag(tag: int) -> int:
    return tag & 0xFFFF0000 | tag >> 8 & 0xFF
