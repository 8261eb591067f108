"""What an action of a profile does to one value: the edits of D, Z, X, U (PS3.15 E.1.1), of dates and of ages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from fastanon import text
from fastanon.copies import CUT, plain
from fastanon.edits import Edit
from fastanon.errors import UnsupportedError
from fastanon.fields import Field, Text
from fastanon.part import Part
from fastanon.rules import BINARY_VRS, DUMMIES, Rule
from fastanon.scheme import Scheme, Subject
from fastanon.spellings import like_date

_OLDEST = 89  # whoever is older is one of few (45 CFR 164.514(b)(2)(i)(C))
_AGE = re.compile(rb"(?<![\d.])(\d+)(\.\d+)?(?![\d.DWM])")  # in years: 063Y, 63, 63.51, and no days, weeks, months


def edits_of(part: Part, f: Field, rule: Rule, scheme: Scheme, subject: Subject) -> Iterator[Edit]:
    """Give what becomes of one value: one edit, or none where nothing stands there or it stays as it is.

    Raises
    ------
    UnsupportedError
        If something has to go where no length may change.
    """
    start, end = f.value
    if rule.action == "X":
        if part.fixed:
            raise UnsupportedError(f"{f.name} has to go, and no length may change here", offset=start)
        yield Edit(f.outer[0], f.outer[1] - f.outer[0], b"", "removed")
    elif rule.action != "N":
        old = part.bytes_at(start, end)
        if old.strip(b" \0") or rule.vr in BINARY_VRS or rule.vr == "SQ":
            new, how = _NEW[rule.action](old, f, rule, scheme, subject, rule.fixed or part.fixed)
            if new != old:
                yield Edit(start, len(old), new, how, order=1)


def _emptied(old: bytes, f: Field, _r: Rule, _s: Scheme, _p: Subject, fixed: bool) -> tuple[bytes, str]:
    assert f.text is not None
    return f.text.pad * len(old) if fixed else b"", "emptied"


def _replaced(
    old: bytes, f: Field, rule: Rule, scheme: Scheme, subject: Subject, fixed: bool
) -> tuple[bytes, str]:
    """Replace each of several values, and of a name's component groups the first."""
    assert f.text is not None
    if rule.vr in BINARY_VRS:
        return bytes(min(len(old), 2) if rule.vr in ("OB", "OW", "UN") else len(old)), "dummy"
    how = f"{rule.kind} field" if rule.kind else "dummy"
    values = text.split_values(old, f.text.encoding)
    room = len(old.strip(b" \0")) // len(values) if fixed else 0
    news = [_value(value, f, rule, scheme, subject, room) for value in values]
    new = text.encode("\\".join(news), f.text.encoding)
    if not fixed:
        return text.fit(new, len(old) if not scheme.keyed else 0, f.text), how
    if any(news) and len(new) <= len(old) and all(_fits(value, f.text) for value in news):
        return text.masked(new, len(old), f.text), f"{how}, {CUT}" if 0 < room < len(news[0]) else how
    return b"".join(b"\\" if c == 0x5C else b"x" for c in old) if len(values) > 1 else b"x" * len(old), how


def _value(old: str, f: Field, rule: Rule, scheme: Scheme, subject: Subject, room: int) -> str:
    value = plain(scheme.new(rule, old, subject, room), f)
    return like_date(old, value) if rule.kind == "date" else value


def _fits(value: str, spelling: Text) -> bool:
    return not spelling.limit or max(map(len, value.split("="))) <= spelling.limit


def _mapped(old: bytes, _f: Field, _r: Rule, scheme: Scheme, _p: Subject, _fixed: bool) -> tuple[bytes, str]:
    return mapped_uids(old, scheme), "UID"


def mapped_uids(old: bytes, scheme: Scheme) -> bytes:
    """Map the UIDs of a value, and fill it up to even length."""
    values = old.decode("latin-1").split("\\")
    new = "\\".join(scheme.uid(value.strip(" \0")) for value in values).encode("latin-1")
    return new + b"\0" * (len(new) % 2)


def _shifted(old: bytes, f: Field, rule: Rule, scheme: Scheme, subject: Subject, fixed: bool) -> tuple[bytes, str]:
    assert f.text is not None
    values = [value.strip(" \0") for value in old.decode("latin-1").split("\\")]
    if not "".join(values).strip("0.:- "):  # 00000000 and the like are nobody's
        return old, "date"
    news = [scheme.shifted(rule.vr, value, subject) for value in values]
    if fixed and None in news:
        return b"x" * len(old), "unreadable date"
    dummy = DUMMIES.get(rule.vr, "")  # for what is no date: nobody knows what it says
    new = "\\".join(new or (value and dummy) for new, value in zip(news, values, strict=True)).encode("latin-1")
    return text.fit(new, len(old) if all(news) else 0, f.text), "date"


def _cut_age(old: bytes, _f: Field, _r: Rule, _s: Scheme, _p: Subject, _fixed: bool) -> tuple[bytes, str]:
    """Make 090Y of ages over 89 years (PS3.5 6.2, VR AS), and whole years of 63.51, which tells the birth date."""
    return _AGE.sub(_whole_years, old), "age"


def _whole_years(age: re.Match[bytes]) -> bytes:
    years = min(int(age[1]), _OLDEST + 1)
    fraction = b"." + b"0" * (len(age[2]) - 1) if age[2] else b""
    return str(years).zfill(len(age[1])).encode() + fraction


_NEW: dict[str, Callable[[bytes, Field, Rule, Scheme, Subject, bool], tuple[bytes, str]]] = {
    "Z": _emptied, "D": _replaced, "U": _mapped, "S": _shifted, "A": _cut_age,
}  # fmt: skip
