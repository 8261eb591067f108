"""What a profile says of every element of a dataset (PS3.15 E): which values change, and how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING

from fastanon import dictionary, walk
from fastanon.dicomdir import is_directory
from fastanon.elements import Elements
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
_REMOVED, _UNKEPT = Rule("X"), Rule("X")  # two, of which the second is of private elements


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
    ruled = _Rules(part, scheme).found()
    gone = dummy = 0  # ends of what goes, and of the sequence in which everything gets a dummy
    elements = part.elements
    for i in _met(elements, ruled):
        at, rule = elements.headers[i], ruled.get(i)
        if at < dummy:
            rule = _dummy(elements[i].real_vr, rule)
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


def _met(elements: Elements, ruled: Mapping[int, Rule]) -> list[int]:
    """Give the rows that may change, in order: those with a rule, and all in sequences that are to get dummies."""
    rows, end = set(ruled), 0
    for i in sorted(i for i, rule in ruled.items() if rule.vr == "SQ" and rule.action not in ("X", "Z")):
        if i >= end:
            inside = elements.inside(i)
            rows.update(row for row in inside if elements.tags[row] != walk.ITEM)
            end = inside.stop
    return sorted(rows)


class _Rules:
    """The rules for the elements of one dataset: found once for all that have tag and VR in common."""

    def __init__(self, part: DicomPart, scheme: Scheme) -> None:
        self._part, self._scheme = part, scheme
        self._kept, self._blocks = _kept(part, scheme) if scheme.strips else (frozenset(), frozenset())
        self._directory = is_directory(part.elements)
        self._overlays = frozenset(
            (part.elements.parents[i], tag >> 16)
            for tag, rows in part.elements.by_tag.items()
            if tag & _OVERLAY_MASK == _OVERLAY and (rule := scheme.rule_of(tag, "OW")) and rule.action == "X"
            for i in rows
        )

    def found(self) -> dict[int, Rule]:
        """Give the rules by row; what has none stays."""
        ruled: dict[int, Rule] = {}
        for tag, vr, rows in self._part.elements.kinds:
            if not tag & _PRIVATE:
                ruled.update(self._public(tag, vr, rows))
            elif self._scheme.strips or self._scheme.shifts:
                creator = dictionary.is_private_creator(tag)
                ruled.update(self._creators(tag, rows) if creator else self._private(vr, rows))
        self._refuse_raw([i for i, rule in ruled.items() if rule is _UNKEPT])
        return ruled

    def _public(self, tag: int, vr: str, rows: list[int]) -> Iterable[tuple[int, Rule]]:
        rule, group = self._of(tag, vr), tag >> 16
        planes = self._overlays if group & 0xFF00 == _OVERLAY >> 16 else ()
        if planes:  # a plane without data is none
            parents = self._part.elements.parents
            both = ((i, _REMOVED if (parents[i], group) in planes else rule) for i in rows)
            return [(i, one) for i, one in both if one is not None]
        return zip(rows, repeat(rule)) if rule is not None else ()

    def _of(self, tag: int, vr: str) -> Rule | None:
        """Give the rule for a public element; None if it stays."""
        scheme = self._scheme
        if tag >> 16 == 2:
            return _META.get(tag) if scheme.strips and (tag != 0x00020003 or scheme.maps_uids) else None
        if scheme.strips and (not tag & 0xFFFF or tag == _LENGTH_TO_END):
            return _REMOVED  # retired (PS3.5 7.2), and one thing less to count
        rule = scheme.rule_of(tag, vr)
        return _in_record(rule) if self._directory and rule is not None else rule

    def _creators(self, tag: int, rows: list[int]) -> Iterator[tuple[int, Rule]]:
        parents = self._part.elements.parents
        unused = (i for i in rows if (parents[i], tag) not in self._blocks)
        return zip(unused, repeat(_REMOVED)) if self._scheme.strips else iter(())

    def _private(self, vr: str, rows: list[int]) -> Iterator[tuple[int, Rule]]:
        part, scheme, strips = self._part, self._scheme, self._scheme.strips
        alike = scheme.private_rule(vr, bytes)
        for i in rows:
            if strips and i not in self._kept:
                yield i, _UNKEPT
            elif alike is not None or vr == "UN":  # a value without a VR tells itself what it is
                rule = alike or scheme.private_rule(vr, partial(part.value, i))
                if rule is not None and not part.elements[i].nested:
                    yield i, rule

    def _refuse_raw(self, rows: list[int]) -> None:
        """Refuse if one of the private elements that go is a payload, or a header of one."""
        part, profile = self._part, self._scheme.profile
        for i in sorted(rows):
            raw = part.creator(i) == _RAW and _RAW not in profile.creators
            if raw or i in part.payload_rows:
                reason = f"profile {profile.name} would remove the raw data, which is private"
                raise UnsupportedError(reason, offset=part.elements.headers[i])


def _in_record(rule: Rule) -> Rule:
    """Give the rule for an element of a DICOMDIR, whose records have Types of their own (PS3.3 F.5).

    A dummy stands where the profile would have nothing, and nothing where it would have no element.
    """
    if rule.vr == "SQ" or rule.action not in ("X", "Z"):
        return rule
    return rule._replace(action="D" if rule.action == "Z" and rule.source != "dob" else "Z")


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
        for tag, every in elements.by_tag.items()
        if tag & _PRIVATE and tag & 0xFFFF > 0xFF
        for i in every
        if keeps(part, scheme, i)
    )
    return rows, frozenset((elements.parents[i], _creator_tag(elements.tags[i])) for i in rows)


def _creator_tag(tag: int) -> int:
    return tag & 0xFFFF0000 | tag >> 8 & 0xFF
