"""The invented patient, and how scanners, operators and file systems spell one."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Person:
    """A patient who does not exist.

    Parameters
    ----------
    name, physician, other_name : str
        Names as a DICOM PN spells them (PS3.5 6.2): ``FAMILY^GIVEN``.
    patient_id, accession, other_id : str
        Numbers of the hospital.
    birth_date : str
        ``YYYYMMDD``.

    Raises
    ------
    ValueError
        If a value does not fit the elements that it is written to, or ISO_IR 100.
    """

    name: str = "VAN DER BERG^ANNA"
    patient_id: str = "MRN-00471108"
    birth_date: str = "19540312"
    physician: str = "O'BRIEN^MARY"
    accession: str = "ACC20170471"
    other_name: str = "JANSEN^ANNA"
    other_id: str = "EPD-5590217"

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            limit = 16 if field.name == "accession" else 64
            if not 0 < len(value) <= limit or re.search(r'[\\="\x00-\x1f]|[^\x00-\xff]', value):
                raise ValueError(f"{field.name}: 1 to {limit} letters of ISO_IR 100, no backslash, = or quote")
        if not re.fullmatch(r"\d{8}", self.birth_date):
            raise ValueError("birth_date: YYYYMMDD")

    @property
    def family(self) -> str:
        """The family name, the only one of a person with one name."""
        return self.name.split("^")[0]

    @property
    def given(self) -> str:
        """The given name, empty if there is none."""
        return (self.name + "^").split("^")[1]

    @property
    def spoken(self) -> str:
        """The name as one says it."""
        return f"{self.given} {self.family}".strip()

    @property
    def listed(self) -> str:
        """The name as a list has it, the family first."""
        return ", ".join(part for part in (self.family, self.given) if part)

    @property
    def file_name(self) -> str:
        """The name as Siemens' export puts it into file names: ASCII, underscores for the rest."""
        return re.sub(r"[^A-Za-z0-9]+", "_", self.ascii(self.name)).strip("_") or "PATIENT"

    @property
    def birth_dates(self) -> tuple[str, str, str]:
        """The date of birth as Interfile (``:``), people (``.``) and logs (``-``) write it."""
        year, month, day = self.birth_date[:4], self.birth_date[4:6], self.birth_date[6:]
        return f"{year}:{month}:{day}", f"{day}.{month}.{year}", f"{year}-{month}-{day}"

    @staticmethod
    def ascii(text: str) -> str:
        """Spell a name without accents, for places that know only ASCII."""
        return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def planted_forms(person: Person) -> dict[str, tuple[bytes, ...]]:
    """Give the spellings of each value that a synthetic study holds.

    Parameters
    ----------
    person : Person
        Who was planted.

    Returns
    -------
    dict
        ``name``, ``id``, ``birth``, ``physician``, ``accession``, ``other``: bytes as in the files. Names cut off
        in the slack of CSA headers, and whatever is packed (`fastanon.synthetic.packed`), come on top.
    """
    names = (person.name, person.family, person.spoken, person.listed, person.file_name)
    in_quotes = person.listed.replace("'", "''")  # as `fastanon.synthetic.oog` spells it
    spelled = {
        "name": (*names, *map(Person.ascii, (person.name, person.spoken, person.listed)), in_quotes),
        "id": (person.patient_id,),
        "birth": (person.birth_date, *person.birth_dates),
        "physician": (person.physician, Person.ascii(person.physician), person.physician.split("^")[0]),
        "accession": (person.accession,),
        "other": (person.other_name, person.other_name.split("^")[0], person.other_id),
    }
    return {kind: tuple(dict.fromkeys(f.encode("latin-1") for f in forms if f)) for kind, forms in spelled.items()}
