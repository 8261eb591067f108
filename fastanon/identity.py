"""A file's identifying values, and the byte patterns by which their copies are known.

A needle that is part of no structure still has to be a word: under 6 letters or 8 digits it must stand
delimited; under 3 letters or 4 digits it is not searched for alone. Prefixes and suffixes of a name are never
searched for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fastanon import text

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

_SPREAD = str.maketrans(dict(zip("äöüÄÖÜßøå", "ae oe ue AE OE UE ss oe aa".split(), strict=True)))

#: An escape that designates a character set (PS3.3 C.12.1.1.2), and one at the end, which leads back.
ESCAPE = re.compile(rb"\x1b[$()-/]{1,2}[0-~]")
_CLOSING = re.compile(ESCAPE.pattern + rb"\Z")


@dataclass(frozen=True, slots=True)
class Value:
    """One identifying value, as it stands in one component group, date or ID.

    Attributes
    ----------
    kind : str
        ``name``, ``id`` or ``date``.
    text : str
        Decoded, without padding.
    raw : bytes
        As the file spells it.
    new : str
        What replaces it; empty where only `x` may.
    """

    kind: str
    text: str
    raw: bytes
    new: str


@dataclass(frozen=True, slots=True)
class Needle:
    """A byte pattern to search for.

    Attributes
    ----------
    data : bytes
        The pattern; in lower case where `fold` is set.
    fold : bool
        Whether ASCII letters match in either case.
    short : bool
        Whether it must stand delimited.
    codec : str
        How it and its replacement are spelled.
    kind, new : str
        As of the value it comes from.
    """

    data: bytes
    fold: bool
    short: bool
    codec: str
    kind: str
    new: str

    @property
    def unit(self) -> int:
        """Bytes of one character."""
        return 2 if self.codec == "utf-16-le" else 1


def needles_of(values: Iterable[Value], encodings: Iterable[str] = ()) -> tuple[tuple[Needle, ...], int]:
    """Make the needles of a file.

    Parameters
    ----------
    values : iterable of Value
        Its identifying values.
    encodings : iterable of str
        The character sets of its datasets.

    Returns
    -------
    needles : tuple of Needle
        Longest first.
    left_out : int
        How many values were too short or too common to be searched for.
    """
    own = sorted({codec for codec in map(text.codec_of, encodings) if codec and codec != "ascii"})
    codecs = tuple(dict.fromkeys(("utf-8", "latin-1", "cp1252", "utf-16-le", *own)))
    found: dict[tuple[bytes, str], Needle] = {}
    left_out = 0
    for value in dict.fromkeys(v for v in values if v.text.strip("xX^ ") and v.text.lower() != v.new.lower()):
        forms = list(_forms(value))
        left_out += not forms
        spelled = [n for form, new in forms for codec in codecs for n in _spell(form, new, codec, value.kind)]
        for needle in spelled + _raw_needles(value):
            found.setdefault((needle.data, needle.kind), needle)
    return tuple(sorted(found.values(), key=lambda n: (-len(n.data), n.data))), left_out


def _forms(value: Value) -> Iterator[tuple[str, str]]:
    """Give the spellings of a value, each with its replacement."""
    if value.text.lower() in _COMMON:
        return
    if value.kind == "date":
        yield from _date_forms(value)
    elif value.kind == "name":
        yield from ((form, value.new) for name in _spellings(value.text) for form in _name_forms(name))
    elif _weight(value.text) >= (4 if value.text.isdigit() else 3):
        yield value.text, value.new


def _spellings(name: str) -> set[str]:
    """Give a name as it is, and as programs without accents write it: MULLER and MUELLER for MÜLLER."""
    if name.isascii():
        return {name}
    spread = name.translate(_SPREAD)
    plain = (unicodedata.normalize("NFKD", n).encode("ascii", "ignore").decode() for n in (name, spread))
    return {name, *(p for p in plain if _weight(p) >= 3)}


def _date_forms(value: Value) -> Iterator[tuple[str, str]]:
    new = _parsed(value.new)
    for old in _readings(value.text):
        for form in DATE_FORMS:
            yield form.format(**old), form.format(**new) if new else ""


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
    strong = [part for part in parts if _weight(part) >= 3 and part.lower() not in _COMMON]
    words = [word for part in strong for word in re.split(r"[^\w]+", part) if _weight(word) >= 4]
    orders = [parts, parts[1:] + parts[:1], parts[::-1], parts[:2], parts[1::-1], parts[1:]]
    joined = [joiner.join(order) for order in orders if len(order) > 1 for joiner in JOINERS]
    if len(strong) == len(parts):  # hits that stand side by side are merged, so only joins by nothing are needed
        joined = ["".join(order) for order in orders if len(order) > 1]
    # VAN DER BERG as file names and logs write it: VAN_DER_BERG, VANDERBERG
    respelled = [joiner.join(re.split(r"[\W_]+", part)) for part in strong for joiner in JOINERS]
    return {form for form in strong + respelled + words + joined + [name.strip(" ^")] if _weight(form) >= 3}


def _weight(form: str) -> int:
    """Count letters and digits; an ideograph carries as much as two letters."""
    return sum(1 if c.isascii() else 2 for c in form if c.isalnum())


def _spell(form: str, new: str, codec: str, kind: str) -> Iterator[Needle]:
    digits = sum(c.isdigit() for c in form)
    initials = any(
        _weight(word) < 3 for word in re.split(r"[\W_]+", form) if word
    )  # "DOE, J" is not in "Doe, just"
    short = initials or _weight(form) < (8 if digits == _weight(form) else 6)
    for variant in {form} if form.isascii() else {form, form.lower(), form.upper(), form.title()}:
        try:
            data = variant.encode(codec)
        except UnicodeEncodeError:
            continue
        fold = codec in ("latin-1", "cp1252", "utf-8", "utf-16-le") or form.isascii()
        yield Needle(data.lower() if fold else data, fold, short, codec, kind, new)


def _raw_needles(value: Value) -> list[Needle]:
    """Take what code extensions made of a name (ISO 2022) as it is.

    In a name an escape stands before each component; elsewhere one escape may do for several, and the one
    that leads back to ASCII comes later.
    """
    if value.kind != "name" or b"\x1b" not in value.raw:
        return []
    parts = [_CLOSING.sub(b"", part) for part in value.raw.split(b"^")[:3]]
    escaped = [part for part in parts if part[:1] == b"\x1b"]
    joined = b"".join([escaped[0], *(ESCAPE.sub(b"", part) for part in escaped[1:])]) if escaped else b""
    found = {part for part in (*escaped, joined) if len(part) > 6}
    return [Needle(part, False, False, "ascii", value.kind, value.new) for part in found]
