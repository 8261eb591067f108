"""Dates put back by whole days, in the form and at the length they have.

Days are those of the proleptic Gregorian calendar, as `datetime.date` counts them. Times of day and offsets from
UTC stay as they are, byte for byte, so intervals between full dates of one patient are exact.

A year before 1850 or after 2200 is no date of a patient or a scanner: None is given. Programs write 00010101 or
99991231 where they know none, and whoever sees such a value shifted can read off the days. Placeholders between
those years, such as 19000101, cannot be told from dates and are shifted.

Partial dates keep their precision. The first day of the period is shifted, and what the form has of it is written:
202003 less 40 days is 202001, since 1 March less 40 days is 21 January. So a period is early by up to one unit
against full dates of the same patient, and two partial dates may come out closer or farther by one.
"""

from __future__ import annotations

import datetime
import functools
import re

from fastanon.spellings import DATE_FORMS

_YEARS = range(1850, 2201)
_REMEMBERED = 4096  # values: of thousands of frames few have dates of their own

# PS3.5 table 6.2-1. DA is YYYYMMDD, or YYYY.MM.DD as ACR-NEMA had it. Partial dates are DT's, and met in DA too.
_DAY = r"\d{4}(?:\d\d(?:\d\d)?)?"
_TIME = r"(?:[01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?"
_OFFSET = r"[+-](?:0\d|1[0-4])[0-5]\d"  # from UTC, -1200 to +1400: no plausible year, so never the end of a range
_DA = rf"\d{{4}}\.\d\d\.\d\d|{_DAY}"
_DT = rf"(?:\d{{8}}{_TIME}|{_DAY})(?:{_OFFSET})?"

_LEAD = re.compile(r"(?P<y>\d{4})(?:(?P<dot>\.?)(?P<m>\d\d)(?:\.?(?P<d>\d\d))?)?", re.ASCII)

_PART = {"y": r"(?P<y>\d{4})", "m": r"(?P<m>\d\d)", "d": r"(?P<d>\d\d)"}
#: The forms of texts with their patterns; month first where day and month cannot be told apart.
_FORMS = tuple(
    (form, re.compile(form.replace(".", "[.]").format(**_PART), re.ASCII))
    for form in sorted(DATE_FORMS, key=lambda form: form.startswith("{d}/"))
)
_SHAPE = "|".join(dict.fromkeys(re.sub(r"\?P<\w>", "?:", pattern.pattern) for _, pattern in _FORMS))

# Not inside a number, a word or a UID. Behind it may stand T and a time, Z, or DT's time from HHMM on.
_IN_TEXT = re.compile(
    rf"(?<![0-9A-Za-z])(?<![0-9][-/:.])(?:{_SHAPE})(?=[Tt]\d|(?:(?=\d{{4}}){_TIME})?Z?(?![0-9A-Za-z]))", re.ASCII
)
_ANYWHERE = re.compile(rf"(?=({_SHAPE}))", re.ASCII)
_BETWEEN_VALUES = re.compile(r"[\\,;|]")


#: From 1973 to 2286.
_SECONDS, _SECONDS_A_DAY = re.compile(r"[0-9]{9,10}"), 86400


@functools.cache
def _ranges(form: str) -> re.Pattern[str]:
    """Give the pattern of one value, a range that may be open at its end, and one open at its start."""
    return re.compile(rf"({form})|({form})-({form})?|-({form})", re.ASCII)


@functools.lru_cache(_REMEMBERED)
def shift_da(value: str, days: int) -> str | None:
    """Put a value of VR DA back.

    Parameters
    ----------
    value : str
        One value without padding: YYYYMMDD, YYYY.MM.DD, YYYYMM, YYYY, or a range A-B, A-, -B of these.
    days : int
        How many days.

    Returns
    -------
    str or None
        The value in the same form; None if a part of it is no date, such as 00000000 or 20230231, or if the
        result would lie before year 1.
    """
    return _shift_value(_ranges(_DA), value, days)


@functools.lru_cache(_REMEMBERED)
def shift_dt(value: str, days: int) -> str | None:
    """Put a value of VR DT back.

    Parameters
    ----------
    value : str
        One value without padding: YYYY[MM[DD[HH[MM[SS[.F]]]]]] with up to six digits of F, then an offset from UTC
        as +HHMM or -HHMM if there is one; or a range A-B, A-, -B of these (PS3.5 table 6.2-1).
    days : int
        How many days.

    Returns
    -------
    str or None
        The value with only the date changed; None as for `shift_da`, and if the time or the offset is none.
    """
    return _shift_value(_ranges(_DT), value, days)


def shift_text(value: str, days: int) -> str | None:
    """Put back the date in a short text, as programs write it.

    Parameters
    ----------
    value : str
        One date in a form of `DATE_FORMS`, with a time of day and other text around it; or several values parted
        by backslash, comma, semicolon or bar, each with one date.
    days : int
        How many days.

    Returns
    -------
    str or None
        The text with only the dates changed, as long as before. None if there is no date, or more than one in a
        value, or anything that has a date's form and is none, or a date inside a number, a word or a UID.

    Notes
    -----
    One reading is fixed where two are possible. With ``.`` or ``-`` the day is first: 03.12.1954 is in December.
    With ``/`` the month is first, unless the first number is over 12: 03/12/1954 is in March, 13/12/1954 in
    December. A date read wrongly moves by the same days, but from its wrong place: its distance to the patient's
    other dates may be off.
    """
    found = list(_IN_TEXT.finditer(value))
    if len(found) != 1 and any(len(_IN_TEXT.findall(piece)) != 1 for piece in _BETWEEN_VALUES.split(value)):
        return None
    if any(_read(match[1]) for match in _ANYWHERE.finditer(_IN_TEXT.sub("\0", value))):
        return None  # a date in a place where none is expected would stay
    shifted = [_shift_form(match[0], days) for match in found]
    if None in shifted:
        return None
    new = iter(shifted)
    return _IN_TEXT.sub(lambda _: next(new) or "", value)


def shift_seconds(value: str, days: int) -> str | None:
    """Put back seconds since 1970 in UTC, as CPS' Interfile headers have them (``%study UTC (sec)``).

    Parameters
    ----------
    value : str
        Nine or ten digits.
    days : int
        How many days of 86400 seconds.

    Returns
    -------
    str or None
        As long as before; None if it is no such number, or would be negative.
    """
    if not _SECONDS.fullmatch(value) or int(value) < days * _SECONDS_A_DAY:
        return None
    return str(int(value) - days * _SECONDS_A_DAY).zfill(len(value))


def _shift_value(pattern: re.Pattern[str], value: str, days: int) -> str | None:
    match = pattern.fullmatch(value)
    if match is None:
        return None
    new, at = "", 0
    for group in range(1, pattern.groups + 1):
        if match[group] is not None:
            shifted = _shift_one(match[group], days)
            if shifted is None:
                return None
            new += value[at : match.start(group)] + shifted
            at = match.end(group)
    return new + value[at:]


def _shift_one(value: str, days: int) -> str | None:
    """Shift what begins with YYYY, YYYYMM, YYYYMMDD or YYYY.MM.DD."""
    lead = _LEAD.match(value)
    assert lead is not None, "the pattern of the value begins so"
    then = _earlier(_date(lead["y"], lead["m"] or "01", lead["d"] or "01"), days)
    if then is None:
        return None
    parts = [f"{then.year:04}"] + [
        f"{part:02}" for name, part in (("m", then.month), ("d", then.day)) if lead[name]
    ]
    return (lead["dot"] or "").join(parts) + value[lead.end() :]


def _shift_form(text: str, days: int) -> str | None:
    read = _read(text)
    then = _earlier(read[1], days) if read else None
    if read is None or then is None:
        return None
    return read[0].format(y=f"{then.year:04}", m=f"{then.month:02}", d=f"{then.day:02}")


def _read(text: str) -> tuple[str, datetime.date] | None:
    """Give the form in which a text is a date, and the date."""
    for form, pattern in _FORMS:
        match = pattern.fullmatch(text)
        date = _date(match["y"], match["m"], match["d"]) if match else None
        if date:
            return form, date
    return None


def _date(year: str, month: str, day: str) -> datetime.date | None:
    try:
        date = datetime.date(int(year), int(month), int(day))
    except ValueError:
        return None
    return date if date.year in _YEARS else None


def _earlier(date: datetime.date | None, days: int) -> datetime.date | None:
    try:
        return date - datetime.timedelta(days) if date else None
    except OverflowError:
        return None
