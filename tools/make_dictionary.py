"""Write ``fastanon/dictionary.tsv`` from pydicom's data dictionary (PS3.6).

Run it after an upgrade of pydicom, and commit what it wrote. Repeating groups such as ``60xx`` stay
patterns, with ``x`` for the free digits.
"""

from __future__ import annotations

import pathlib

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

TARGET = pathlib.Path(__file__).parent.parent / "fastanon" / "dictionary.tsv"


def rows() -> list[str]:
    """Give the lines of the table: tag or pattern, VR, keyword."""
    plain = [(f"{tag:08X}", *row) for tag, row in DicomDictionary.items()]
    patterns = [(mask, *row) for mask, row in RepeatersDictionary.items()]
    # where the dictionary leaves a choice ("OB or OW", "US or SS") the first is taken: none of them is text
    return sorted(f"{tag}\t{vr[:2]}\t{keyword}" for tag, vr, _vm, _name, _retired, keyword in plain + patterns)


def main() -> None:
    """Write the table beside the module that reads it."""
    TARGET.write_text("\n".join(rows()) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
