"""What becomes of every value: a profile, a key, and what the user wants to read."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from fastanon import dates, text
from fastanon.errors import ReplacementError
from fastanon.profiles import Profile, basic_action
from fastanon.pseudonyms import Pseudonyms, normalised
from fastanon.rules import DUMMIES, KINDS, TEXT_RULES, Rule

#: Longest pseudonym by VR; at these lengths at least 64 bits are of the value.
_LENGTHS = {"SH": 16, "AE": 16, "CS": 16}
_LENGTH = 20

#: What NiftyPET's ``dcmanonym`` writes where nothing is said.
_NIFTYPET = {"patient": "anonymised", "physician": "anonymised", "dob": "19800101"}

#: An ID of Siemens' that is a UID.
_UID = re.compile(r"[0-2](?:\.\d+){4,}(?<=.{25})")

_REMEMBERED = 4096
_STANDARD = "1.2.840.10008."  # PS3.6 A: the names of DICOM's own

_KINDS_BY_VR = {"PN": ("name", "person"), "DA": ("date", "date"), "DT": ("date", "date")}

#: Bulk in which nothing can be cleaned.
_BULK = frozenset("OB OD OF OL OV OW UN".split())

#: A value of an unknown VR that is a date, or a date and a time.
_DATE = re.compile(rb"(?:19|20)\d{6}(?:\d{6}(?:\.\d{1,6})?(?:[+-]\d{4})?)?[ \0]*")


@dataclass(frozen=True, slots=True)
class Given:
    """What the user wants to read in place of the patient; None where a pseudonym or nothing is to stand.

    Attributes
    ----------
    patient, physician : str or None
        Person names (PS3.5 6.2, VR PN).
    dob : str or None
        Date of birth, YYYYMMDD.

    Raises
    ------
    ReplacementError
        If one of them can't stand in a DICOM value or between quotes.
    """

    patient: str | None = None
    physician: str | None = None
    dob: str | None = None

    def __post_init__(self) -> None:
        for value, what in ((self.patient, "patient"), (self.physician, "physician"), (self.dob, "dob")):
            if value is None:
                continue
            if not isinstance(value, str):
                raise ReplacementError(f"{what}: must be a string")
            (text.check_date if what == "dob" else text.check_name)(value, what)


class Subject(NamedTuple):
    """Whose file it is.

    Attributes
    ----------
    identifier : str
        The patient's ID, or the name where there is none, in one spelling; empty if the file names nobody.
    days : int
        By how many days dates go back.
    """

    identifier: str = ""
    days: int = 0


class Scheme:
    """What becomes of values; one for a run.

    Parameters
    ----------
    profile : Profile
        Which attributes are treated how.
    given : Given
        What the user wants to read.
    pseudonyms : Pseudonyms
        Makes all other replacements; with a random key by default.
    mapping : mapping of str to str
        New IDs by old ones, as `fastanon.mapping.read_mapping` gives them.

    Attributes
    ----------
    keyed : bool
        Whether replacements are pseudonyms, and not the same words for everybody.
    rows : dict
        Originals by kind and pseudonym, since they were last taken: what a vault keeps.
    """

    def __init__(
        self,
        profile: Profile,
        given: Given | None = None,
        pseudonyms: Pseudonyms | None = None,
        mapping: Mapping[str, str] | None = None,
    ) -> None:
        self.profile, self.pseudonyms = profile, pseudonyms or Pseudonyms()
        self.mapping = mapping or {}
        self.given = self._asked = given or Given()
        self.keyed = self.strips or self.pseudonyms.kept
        if not self.keyed:
            wanted = {name: getattr(self.given, name) for name in _NIFTYPET}
            self.given = Given(**{k: _NIFTYPET[k] if v is None else v for k, v in wanted.items()})
        self.rows: dict[tuple[str, str], str] = {}
        self._rules: dict[tuple[int, str], Rule | None] = {}
        # the slices of a series have the same values, and some tens of them
        self._text = functools.lru_cache(_REMEMBERED)(self.pseudonyms.text)
        self._uid = functools.lru_cache(_REMEMBERED)(self.pseudonyms.uid)

    def __reduce__(self) -> tuple[type[Scheme], tuple[object, ...]]:
        """Give what another process makes the same of: the key is in it."""
        return Scheme, (self.profile, self._asked, self.pseudonyms, self.mapping)

    @functools.cached_property
    def shifts(self) -> bool:
        """Whether dates go back by days."""
        return "retain-modified-dates" in self.profile.options

    @functools.cached_property
    def maps_uids(self) -> bool:
        """Whether UIDs become others."""
        return self.profile.action(0x00080018) == "U"

    @functools.cached_property
    def strips(self) -> bool:
        """Whether private elements, leftovers and whatever else names nobody go too."""
        return not self.profile.keeps_private

    def rule_of(self, tag: int, vr: str) -> Rule | None:
        """Give the rule for a public element; None if it stays."""
        if (tag, vr) not in self._rules:
            self._rules[tag, vr] = self._make_rule(tag, vr, self.profile.action(tag))
        return self._rules[tag, vr]

    def _make_rule(self, tag: int, vr: str, action: str) -> Rule | None:
        kind, source = KINDS.get(tag) or _KINDS_BY_VR.get(vr, ("", vr.lower()))
        fixed = not self.keyed and tag not in (0x00080090, 0x00100010, 0x00100030)
        if tag == 0x00100030 and action in ("D", "Z"):
            return Rule("D" if self.given.dob else "Z", kind, source, fixed, vr)
        if action == "Z" and self._is_told(source):
            action = "D"
        if action in ("X", "Z"):
            return Rule(action, kind, source, fixed, vr)
        if vr == "SQ":
            return Rule("D", vr=vr) if action == "D" else None
        return self._rule_by_vr(tag, vr, action, Rule("D", kind, source, fixed, vr))

    def _rule_by_vr(self, tag: int, vr: str, action: str, replaced: Rule) -> Rule | None:
        """Give the rule for a value that stays in some form."""
        if vr in ("DA", "DT"):
            shifted = self.shifts and action in ("C", "")
            return replaced._replace(action="S", kind="date") if shifted else replaced if action == "D" else None
        if vr == "UI":
            return replaced._replace(action="U", kind="") if action in ("U", "D", "C") else None
        if vr == "AS" and action in ("K", "C"):
            return Rule("A", vr=vr)
        if vr == "PN" and action in ("C", "") and self.strips:
            return replaced
        if action == "C" and vr in _BULK:  # nothing can be cleaned that nobody can read
            return Rule(basic_action(tag), vr=vr)
        return replaced if action == "D" else None

    def _is_told(self, source: str) -> bool:
        """Say whether a name or ID has a pseudonym or a given one, which may stand where nothing has to."""
        return source in ("patient", "id") or (source == "physician" and self.given.physician is not None)

    def private_rule(self, vr: str, value: Callable[[], bytes]) -> Rule | None:
        """Give the rule for a private element that is kept: its dates shift, its UIDs are mapped."""
        if vr in ("DA", "DT") or (vr == "UN" and self.shifts and _DATE.fullmatch(value())):
            return Rule("S", "date", "date", False, "DT") if self.shifts else None
        if vr == "UI":
            return Rule("U", vr=vr) if self.maps_uids else None
        return Rule("D", "name", "person", False, vr) if vr == "PN" and self.strips else None

    def text_rule(self, word: str) -> Rule | None:
        """Give the rule for what a key of Siemens' texts names; None if it stays."""
        tag, rule = TEXT_RULES[word]
        action = self.profile.action(tag)
        if rule.action == "A":
            return rule if self.strips else None
        if action in ("", "K"):
            return None
        return rule._replace(action="D") if rule.action == "S" and not self.shifts else rule

    def subject(self, patient_id: str, name: str) -> Subject:
        """Give whose file it is, by the ID or the name that it holds."""
        identifier = normalised(patient_id)
        if not identifier and name.strip(" ^="):
            identifier = "name " + normalised(name)
        if not identifier:
            return Subject()
        return Subject(identifier, self.pseudonyms.days(identifier) if self.shifts else 0)

    def nobody(self) -> Subject:
        """Give the subject of files that name nobody: their dates go back by days of the key's own."""
        return Subject("", self.pseudonyms.days("") if self.shifts else 0)

    def new(self, rule: Rule, old: str, subject: Subject, room: int = 0) -> str:
        """Give the replacement of a value.

        Parameters
        ----------
        rule : Rule
            What happens to it.
        old : str
            The value, without padding.
        subject : Subject
            Whose file it stands in.
        room : int
            Length to which a pseudonym is made; 0 for that of its VR.

        Returns
        -------
        str
            Empty where nothing may stand, or only `x`.
        """
        if rule.action == "S":
            return self.shifted(rule.vr, old, subject) or ""
        given = self._given(rule.source, normalised(old) if rule.source == "id" else subject.identifier)
        a_date = rule.source == "dob" or (rule.source == "date" and not rule.vr)
        if given is not None or a_date or not self.keyed:
            if given and rule.source == "id" and not rule.fixed:
                self.note("patient", given, old)
            return given or ""
        return self._pseudonym(rule, old, subject, room)

    def _given(self, source: str, patient: str) -> str | None:
        """Give what the user wants to read: of a patient what was asked for, or mapped, or is the default."""
        if source in ("patient", "id"):
            return self._asked.patient or self.mapping.get(patient) or self.given.patient
        return {"physician": self.given.physician, "dob": self.given.dob}.get(source)

    def _pseudonym(self, rule: Rule, old: str, subject: Subject, room: int) -> str:
        if rule.vr in DUMMIES:
            return DUMMIES[rule.vr]
        if rule.source == "loid" and _UID.fullmatch(old):
            return self.uid(old)
        whole = _LENGTHS.get(rule.vr, _LENGTH)
        value = subject.identifier if rule.source == "patient" and subject.identifier else normalised(old)
        new = self._text(rule.source, value, min(room or whole, whole) if rule.fixed else whole)
        self.note("patient" if rule.source == "id" and not rule.fixed else rule.kind or rule.source, new, old)
        return new

    def shifted(self, vr: str, old: str, subject: Subject) -> str | None:
        """Shift a date as its VR has it, or one in text; None where it can't be read."""
        if vr in ("DA", "DT"):
            return (dates.shift_da if vr == "DA" else dates.shift_dt)(old, subject.days)
        return dates.shift_text(old, subject.days) or dates.shift_seconds(old, subject.days)

    def uid(self, old: str) -> str:
        """Map a UID; those of the standard stay."""
        if old.startswith(_STANDARD) or not old:
            return old
        new = self._uid(old)
        self.note("uid", new, old)
        return new

    def note(self, kind: str, new: str, old: str) -> None:
        """Keep who is who for the vault."""
        self.rows[kind, new] = old
