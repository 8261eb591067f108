"""What kind of value an attribute holds, and what its replacement is made of.

Profiles say what becomes of an attribute; this says whose name, number or place its value is, so that copies of
it can be searched for and the same value gets the same replacement wherever it stands.
"""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """What happens to one value.

    Attributes
    ----------
    action : str
        ``X`` removed, ``Z`` emptied, ``D`` replaced, ``U`` mapped as a UID, ``S`` shifted as a date, ``A`` cut off
        as an age, ``N`` nothing: it lies in something that goes.
    kind : str
        ``name``, ``id``, ``date``, ``place`` or ``device``: copies of it are searched for; empty: they are not.
    source : str
        Which replacement it takes: ``patient``, ``physician``, ``dob``, ``id``, or a domain of the key.
    fixed : bool
        Whether its length stays: what does not fit becomes `x`.
    vr : str
        Its VR, by which a dummy is made; empty in text that is no DICOM.
    """

    action: str
    kind: str = ""
    source: str = ""
    fixed: bool = False
    vr: str = ""


#: The attributes by which people, visits, places and machines are known: kind and source.
_KINDS: dict[tuple[str, str], tuple[int, ...]] = {
    ("name", "patient"): (0x00100010, 0x00101001, 0x00101005, 0x00101060),
    ("name", "physician"): (0x00080090,),
    ("date", "dob"): (0x00100030,),
    ("id", "id"): (0x00100020, 0x00101000),
    ("id", "accession"): (0x00080050,),
    ("id", "number"): (
        0x00100021,  # Issuer of Patient ID
        0x00101050, 0x00101090,  # Insurance Plan Identification, Medical Record Locator (retired)
        0x00101040, 0x00102154, 0x00102155,  # address, telephone numbers, telecom information
        0x00380010, 0x00380060,  # Admission ID, Service Episode ID
        0x00402016, 0x00402017,  # order numbers of placer and filler
    ),
    ("place", "place"): (0x00080080, 0x00080081, 0x00081040),
    ("device", "device"): (0x00081010, 0x00181000),
}  # fmt: skip
KINDS = {tag: kind for kind, tags in _KINDS.items() for tag in tags}

#: Words of Siemens' readers for what a key names: the attribute whose action holds, and the rule if it is not K.
FILE_NAME = "file name"
TEXT_RULES: dict[str, tuple[int, Rule]] = {
    "patient": (0x00100010, Rule("D", "name", "patient", True)),
    "physician": (0x00080090, Rule("D", "name", "physician", True)),
    "operator": (0x00081070, Rule("D", "name", "person", True)),
    "dob": (0x00100030, Rule("D", "date", "dob", True)),
    "id": (0x00100020, Rule("D", "id", "id", True)),
    "loid": (0x0020000D, Rule("D", "", "loid", True)),
    "uid": (0x0020000D, Rule("N")),  # found by its shape, as in any text
    "date": (0x00080020, Rule("S", "date", "date", True)),
    "institution": (0x00080080, Rule("D", "place", "place", True)),
    "station": (0x00081010, Rule("D", "device", "device", True)),
    "device": (0x00181000, Rule("D", "device", "device", True)),
    "age": (0x00101010, Rule("A", fixed=True)),
}

#: Dummies by VR (PS3.15 E.3.1: valid, and not what stood there); for all other text a keyed one is made.
DUMMIES = {
    "AS": "000Y", "CS": "ANON", "DA": "19000101", "DS": "0", "DT": "19000101000000", "IS": "0",
    "LT": "ANONYMIZED", "ST": "ANONYMIZED", "TM": "000000", "UR": "urn:anonymized", "UT": "ANONYMIZED",
}  # fmt: skip

#: Values of these are bytes: their dummy is as many zeros.
BINARY_VRS = frozenset("AT FD FL OB OD OF OL OV OW SL SS SV UL UN US UV".split())
