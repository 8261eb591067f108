"""How people and programs write a name or a date: all spellings of a value in which a copy may stand.

Of a name these are the whole, its components, their longer words and the ways to join them; under 3 letters
nothing is a spelling, and prefixes and suffixes are none.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator

#: Fields of fixed length cut a name after so many characters.
CUTS = (16, 32, 64)

#: Between the parts of a name, wherever people and programs write it.
JOINERS = ("^", " ", ",", ", ", "_", ".", "-", "")

#: The forms of a date: DICOM, ISO 8601, Interfile, and those of protocols and comments.
DATE_FORMS = (
    "{y}{m}{d}", "{y}-{m}-{d}", "{y}.{m}.{d}", "{y}:{m}:{d}", "{y}/{m}/{d}",
    "{d}.{m}.{y}", "{d}/{m}/{y}", "{m}/{d}/{y}", "{d}-{m}-{y}",
)  # fmt: skip

_DATE_PATTERNS = tuple(
    (form, re.compile(form.replace(".", "[.]").format(y=r"(?P<y>\d{4})", m=r"(?P<m>\d\d)", d=r"(?P<d>\d\d)")))
    for form in DATE_FORMS
)

#: Written where a value is not known: no identity of anybody.
_COMMON = frozenset("anonymous anonymized anonymised anonym none null unknown nobody n.a. n/a na test".split())

#: Letters and digits that a place or a device must have, for their names may be words such as "PET".
_LEAST = {"place": 6, "device": 5}

#: Letters that have no accent to take off, as two letters and as one.
_TWO = dict(zip("äöüßøåæœþ", "ae oe ue ss oe aa ae oe th".split(), strict=True))
_ONE = dict(zip("ßøåæœþłđðıħŋ", "s o a a o t l d d i h n".split(), strict=True))
_SPREAD, _BARE = (
    str.maketrans(letters | {old.upper(): new.upper() for old, new in letters.items() if len(old.upper()) == 1})
    for letters in (_TWO, _ONE)
)


def forms(kind: str, value: str, new: str) -> Iterator[tuple[str, str]]:
    """Give the spellings of a value, each with its replacement.

    Parameters
    ----------
    kind : str
        ``name``, ``date``, or any other, of which only the whole is one.
    value, new : str
        The value and what replaces it.
    """
    if value.lower() in _COMMON:
        return
    if kind == "date":
        yield from _date_forms(value, new)
    elif kind == "name":
        name = unicodedata.normalize("NFC", value)
        found = {form for spelling in _spellings(name) for form in _name_forms(spelling)} | _lossy_forms(name)
        found |= {unicodedata.normalize("NFD", form) for form in found if not form.isascii()}
        yield from ((form, new) for form in found)
    elif weight(value) >= _LEAST.get(kind, 4 if value.isdigit() else 3):
        yield value, new


def _spellings(name: str) -> set[str]:
    """Give a name as it is, and as programs without accents write it: MULLER and MUELLER for MÜLLER."""
    if name.isascii():
        return {name}
    bare = [_without_accents(n.translate(_BARE)) for n in (name, name.translate(_SPREAD))]
    plain = [n.encode("ascii", "ignore").decode() for n in bare]  # of two alphabets the one of programs
    return {name, *bare, *(n for n in plain if weight(n) >= 3)}


def _without_accents(name: str) -> str:
    """Take off what can be taken off a letter: Παπαδόπουλος becomes Παπαδοπουλος."""
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))


def _lossy_forms(name: str) -> set[str]:
    """Give what is left of a name where letters were lost, as M?LLER, or its end was cut off, as in leftovers."""
    parts = [name.strip(" ^"), *(part.strip() for part in name.split("^")[:3])]
    lost = [re.sub(r"[^\0-\x7f]", mark, part) for part in parts for mark in ("?", "??")]
    cut = [part[:length] for part in parts for length in CUTS if len(part) > length]
    return {form for form in lost if "?" in form and weight(form) >= 3} | set(cut)


def _date_forms(value: str, new: str) -> Iterator[tuple[str, str]]:
    parts = _parsed(new)
    for old in _readings(value):
        for form in DATE_FORMS:
            yield form.format(**old), form.format(**parts) if parts else ""


def like_date(old: str, new: str) -> str:
    """Spell a date YYYYMMDD as another one is spelled; unchanged where that is no date."""
    parts = _parsed(new)
    for form, pattern in _DATE_PATTERNS[1:]:
        if parts and pattern.fullmatch(old):
            return form.format(**parts)
    return new


def _parsed(date: str) -> dict[str, str] | None:
    match = _DATE_PATTERNS[0][1].fullmatch(date)
    return match.groupdict() if match else None


def _readings(date: str) -> list[dict[str, str]]:
    """Give year, month and day in every way a date can be read: 03/12/1954 is in March or in December."""
    found = (pattern.fullmatch(date) for _, pattern in _DATE_PATTERNS)
    return [m.groupdict() for m in found if m and "01" <= m["m"] <= "12" and "01" <= m["d"] <= "31"]


def _name_forms(name: str) -> set[str]:
    """Give a name's whole, its components, their longer words, and the joins that components alone miss."""
    parts = [part.strip() for part in name.split("^")[:3]]
    parts = [part for part in parts if part]
    strong = [part for part in parts if weight(part) >= 3 and part.lower() not in _COMMON]
    words = [word for part in strong for word in re.split(r"[^\w]+", part) if weight(word) >= 4]
    orders = [parts, parts[1:] + parts[:1], parts[::-1], parts[:2], parts[1::-1], parts[1:]]
    joined = [joiner.join(order) for order in orders if len(order) > 1 for joiner in JOINERS]
    if len(strong) == len(parts):  # hits that stand side by side are merged, so only joins by nothing are needed
        joined = ["".join(order) for order in orders if len(order) > 1]
    # VAN DER BERG as file names and logs write it: VAN_DER_BERG, VANDERBERG
    respelled = [joiner.join(re.split(r"[\W_]+", part)) for part in strong for joiner in JOINERS]
    return {form for form in strong + respelled + words + joined + [name.strip(" ^")] if weight(form) >= 3}


@functools.lru_cache(4096)
def weight(form: str) -> int:
    """Count letters and digits; an ideograph carries as much as two letters."""
    return sum(1 if c.isascii() else 2 for c in form if c.isalnum())
