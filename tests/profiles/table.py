"""PS3.15 Table E.1-1 as the source has it, and which outcomes it allows; nothing of fastanon is used."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Set
from pathlib import Path
from typing import NamedTuple

import pytest
from pydicom.datadict import dictionary_VR

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = Path(os.environ.get("FASTANON_TABLES", ROOT.parent / "shared" / "data"))
needs_tables = pytest.mark.skipif(
    not (SOURCE / "confidentiality_profile_attributes.json").is_file(),
    reason="the tables of PS3.15 are not here: FASTANON_TABLES",
)

#: The columns of the source by the names of the options.
COLUMNS = {
    "clean-graphics": "cleanGraphOpt",
    "clean-structured-content": "cleanStructContOpt",
    "clean-descriptors": "cleanDescOpt",
    "retain-full-dates": "rtnLongFullDatesOpt",
    "retain-modified-dates": "rtnLongModifDatesOpt",
    "retain-patient-characteristics": "rtnPatCharsOpt",
    "retain-device-identity": "rtnDevIdOpt",
    "retain-uids": "rtnUIDsOpt",
    "retain-safe-private": "rtnSafePrivOpt",
    "retain-institution-identity": "rtnInstIdOpt",
}
OPTIONS = ("clean-pixel-data", *COLUMNS)
DATES = {"retain-full-dates", "retain-modified-dates"}

#: Pairs of which both say something of one attribute.
PAIRS = (
    ("clean-descriptors", "retain-patient-characteristics"),
    ("retain-full-dates", "retain-device-identity"),
    ("retain-modified-dates", "retain-device-identity"),
    ("retain-device-identity", "retain-uids"),
)
#: Nothing, each option alone, each such pair, pairs that have nothing in common, and all at once.
CHOICES: list[tuple[str, ...]] = [
    (),
    *((option,) for option in OPTIONS),
    *PAIRS,
    ("clean-descriptors", "retain-device-identity"),
    ("retain-modified-dates", "retain-patient-characteristics"),
    ("clean-structured-content", "retain-uids"),
    tuple(option for option in OPTIONS if option != "retain-full-dates"),
    tuple(option for option in OPTIONS if option != "retain-modified-dates"),
]

#: Actions of the Basic Profile: what may be seen afterwards. A choice is resolved safely, whatever the object is:
#: what may be of Type 1 (D among the choices) is not missing, and a value of it not empty.
BASIC = {
    "X": {"absent"},
    "Z": {"empty", "dummy"},
    "D": {"dummy"},
    "U": {"uid"},
    "X/Z": {"empty", "dummy"},
    "X/D": {"dummy"},
    "Z/D": {"dummy"},
    "X/Z/D": {"dummy"},
    "X/Z/U*": {"empty", "cleaned"},
}
BULK = {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}


class Row(NamedTuple):
    """One attribute: its tag and VR, the action of the Basic Profile, and K or C by option."""

    tag: int
    vr: str
    basic: str
    options: dict[str, str]

    def allowed(self, options: Set[str]) -> set[str]:
        """Give what may be seen: absent, empty, dummy, uid, same, cleaned or shifted."""
        said = {action for option, action in self.options.items() if option in options}
        if self.vr == "SQ":
            return {"cleaned"} if said else BASIC[self.basic] | ({"empty"} if "Z" in self.basic else set())
        if not said:
            return BASIC[self.basic]
        if "C" not in said:
            return {"same"}
        if self.vr in BULK:  # nobody can read it, so nobody can clean it
            return {"dummy"} if "D" in self.basic else {"absent", "empty", "dummy"}
        return {"shifted"} if self.vr in ("DA", "DT", "TM") else {"cleaned"}


@functools.cache
def rows() -> tuple[Row, ...]:
    """Give all attributes of the table that are one tag."""
    source = json.loads((SOURCE / "confidentiality_profile_attributes.json").read_text("utf-8"))
    single = [row for row in source if row["id"].isalnum() and "x" not in row["id"].lower()]
    tags = [(int(row["id"], 16), row) for row in single if all(c in "0123456789abcdef" for c in row["id"].lower())]
    return tuple(
        Row(tag, dictionary_VR(tag), row["basicProfile"], {o: row[c] for o, c in COLUMNS.items() if c in row})
        for tag, row in tags
    )


def in_datasets() -> list[Row]:
    """Give those that may stand in any dataset; groups 0000 and 0002 and the trailing padding may not."""
    return [row for row in rows() if row.tag >> 16 not in (0, 2) and row.tag != 0xFFFCFFFC]
