"""Which fields are replaced, by what kind of value, and how: the whole profile as one table.

PS3.15 Annex E's profiles follow; this one is what NiftyPET's ``dcmanonym`` replaces, and the names and IDs
that it leaves.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastanon import text
from fastanon.errors import ReplacementError

NAME = "names-and-ids"


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to one attribute at every depth.

    Attributes
    ----------
    kind : str
        ``name``, ``id`` or ``date``: which copies of its value are searched for.
    source : str
        Which replacement it takes; empty for `x` throughout.
    fixed : bool
        Whether its length stays: what does not fit becomes `x`.
    """

    kind: str
    source: str
    fixed: bool = True


RULES = {
    0x00080050: Rule("id", ""),  # Accession Number
    0x00080090: Rule("name", "physician", fixed=False),  # Referring Physician's Name
    0x00100010: Rule("name", "patient", fixed=False),  # Patient's Name
    0x00100020: Rule("id", "patient"),  # Patient ID
    0x00100030: Rule("date", "dob", fixed=False),  # Patient's Birth Date
    0x00101000: Rule("id", ""),  # Other Patient IDs (retired)
    0x00101001: Rule("name", "patient"),  # Other Patient Names
    0x00101005: Rule("name", "patient"),  # Patient's Birth Name
    0x00101050: Rule("id", ""),  # Insurance Plan Identification (retired)
    0x00101060: Rule("name", "patient"),  # Patient's Mother's Birth Name
    0x00101090: Rule("id", ""),  # Medical Record Locator (retired)
    0x00380010: Rule("id", ""),  # Admission ID
}


#: The same for what readers of text call by these names: always at equal length, but for the names of other
#: files, which follow where those are written to.
FILE_NAME = "file name"
TEXT_RULES = {
    "file": Rule(FILE_NAME, ""),
    "patient": Rule("name", "patient"),
    "physician": Rule("name", "physician"),
    "dob": Rule("date", "dob"),
    "id": Rule("id", "patient"),
}


@dataclass(frozen=True, slots=True)
class Replacements:
    """What the user wants to read in place of the patient.

    Attributes
    ----------
    patient, physician : str
        Person names (PS3.5 6.2, VR PN).
    dob : str
        Date of birth, YYYYMMDD.

    Raises
    ------
    ReplacementError
        If one of them can't stand in a DICOM value or between quotes.
    """

    patient: str = "anonymised"
    physician: str = "anonymised"
    dob: str = "19800101"

    def __post_init__(self) -> None:
        for value, what in ((self.patient, "patient"), (self.physician, "physician"), (self.dob, "dob")):
            if not isinstance(value, str):
                raise ReplacementError(f"{what}: must be a string")
        text.check_name(self.patient, "patient")
        text.check_name(self.physician, "physician")
        text.check_date(self.dob, "dob")

    def of(self, rule: Rule) -> str:
        """Give the replacement that a rule takes."""
        return str(getattr(self, rule.source)) if rule.source else ""
