"""A valid value for every attribute, and a judge of what became of it."""

from __future__ import annotations

import datetime
import re
from typing import Any

from pydicom import config
from pydicom.datadict import dictionary_VM
from pydicom.dataelem import DataElement
from pydicom.valuerep import validate_value

from tests.canary import CANARIES

FIRST, LAST, NUMBER, BIRTH = CANARIES
TIME, CLOCK, ZONE = "142536.5", "101112.123456", "+0100"
_START = datetime.date(2004, 2, 27)

#: Values of VRs that are the same in every attribute.
_PLAIN: dict[str, Any] = {
    "AS": "034Y", "DS": "72.5", "IS": "451", "TM": TIME, "US": 7, "UL": 7, "SS": 7, "SL": 7, "FL": 0.5, "FD": 0.5,
    "OB": b"\x07\x09\x0b\x0d", "OW": b"\x07\x09\x0b\x0d", "UN": b"\x07\x09\x0b\x0d",
    "OF": b"\x07\x09\x0b\x0d", "OD": b"\x07\x09\x0b\x0d" * 2,
    "OL": b"\x07\x09\x0b\x0d", "OV": b"\x07\x09\x0b\x0d" * 2,
    "AT": 0x00181030, "SV": 7, "UV": 7,
}  # fmt: skip
_NUMBERS = {"US", "UL", "SS", "SL", "FL", "FD", "AT", "SV", "UV"}
_OF_PATIENT = {0x00100010: f"{LAST}^{FIRST}", 0x00100020: NUMBER, 0x00100030: BIRTH}


def word(tag: int) -> str:
    """Spell a tag as letters, so that every attribute has a word of its own that is in no other."""
    return "".join("bcdfghklmnprstvz"[int(c, 16)] for c in f"{tag:08X}")


def value_of(tag: int, vr: str, cleaned: bool = False) -> Any:
    """Give a valid value; with the patient's name in it, if it is text that is to be cleaned."""
    several = dictionary_VM(tag).split("-")[0]
    one = _OF_PATIENT.get(tag) or _PLAIN.get(vr) or _made(tag, vr, cleaned)
    count = int(several) if several.isdigit() else 1
    if vr in ("OB", "OW", "UN", "OF", "OD", "OL", "OV"):
        return one
    return [one] * count if count > 1 else one


def _made(tag: int, vr: str, cleaned: bool) -> str:
    name = word(tag)
    if vr in ("DA", "DT"):
        day = (_START + datetime.timedelta(tag % 4001)).strftime("%Y%m%d")
        return day if vr == "DA" else day + CLOCK + ZONE
    if vr == "PN":
        return f"{name.title()}^{name[::-1].title()}"
    if vr == "UI":
        return f"1.3.12.2.1107.5.{tag}.20160315"
    if vr == "UR":
        return f"http://{name}.example/x"
    if vr in ("AE", "CS"):
        return name.upper()
    text = f"fog {LAST} rain" if vr != "SH" else f"a {LAST} b"
    return text if cleaned else name


def is_valid(element: DataElement) -> bool:
    """Say whether pydicom takes every value, strictly, and as many as the dictionary wants."""
    values = element.value if element.VM > 1 else [element.value]
    least = dictionary_VM(element.tag).split("-")[0]
    if least.isdigit() and int(least) > element.VM and element.VR not in ("OB", "OW", "UN"):
        return False
    if element.VR in _NUMBERS:
        return all(isinstance(value, int | float) for value in values)
    try:
        for value in values:
            text = value if isinstance(value, bytes) else getattr(value, "original_string", None) or str(value)
            validate_value(element.VR, text, config.RAISE)
    except (ValueError, TypeError):
        return False
    return True


class Judge:
    """Says what became of values; the shift of dates and the map of UIDs must hold for all that it sees."""

    def __init__(self) -> None:
        self.days: set[int] = set()
        self.uids: dict[str, str] = {}

    def outcomes(self, old: DataElement, new: DataElement | None) -> set[str]:
        """Give all words of `Row.allowed` that describe a change."""
        if new is None:
            return {"absent"}
        if new.is_empty:
            return {"empty"}
        if not is_valid(new):
            return {"invalid"}
        tests = {
            "same": new.value == old.value,
            "dummy": not _left(old, new),
            "uid": new.VR == "UI" and self._is_mapped(old, new),
            "cleaned": _is_cleaned(old, new),
            "shifted": self._is_shifted(old, new),
        }
        return {name for name, holds in tests.items() if holds}

    def _is_mapped(self, old: DataElement, new: DataElement) -> bool:
        if old.VM != new.VM or old.value == new.value:
            return False
        return all(
            self.uids.setdefault(str(a), str(b)) == str(b) for a, b in zip(_all(old), _all(new), strict=True)
        )

    def _is_shifted(self, old: DataElement, new: DataElement) -> bool:
        if old.VR == "TM":
            return bool(old.value == new.value)
        if old.VR not in ("DA", "DT") or old.VM != new.VM:
            return False
        pairs = [(str(a), str(b)) for a, b in zip(_all(old), _all(new), strict=True)]
        self.days |= {(_day(a) - _day(b)).days for a, b in pairs}
        return len(self.days) == 1 and 1 <= min(self.days) <= 3650 and all(a[8:] == b[8:] for a, b in pairs)


def _all(element: DataElement) -> list[Any]:
    return list(element.value) if element.VM > 1 else [element.value]


def _day(text: str) -> datetime.date:
    return datetime.datetime.strptime(text[:8], "%Y%m%d").date()


def _left(old: DataElement, new: DataElement) -> bool:
    """Say whether anything of an old value is in the new one."""
    if isinstance(old.value, bytes) or old.VR in _NUMBERS:
        return bool(old.value == new.value)
    words = [part for value in _all(old) for part in re.split(r"[\^= ]", str(value)) if len(part) > 2]
    return any(part.lower() in str(new.value).lower() for part in words)


def _is_cleaned(old: DataElement, new: DataElement) -> bool:
    """Say whether the patient's values are gone from a text, and everything else is there."""
    text = str(new.value)
    if any(value.lower() in text.lower() for value in CANARIES):
        return False
    pieces = [piece for piece in str(old.value).split(LAST) if piece]
    return text.startswith(pieces[0]) and text.rstrip().endswith(pieces[-1])
