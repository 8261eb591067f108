"""Dates go back by whole days; numpy's calendar and tables written by hand say where to."""

from __future__ import annotations

import datetime
import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fastanon.dates import shift_da, shift_dt, shift_text
from fastanon.spellings import DATE_FORMS

DATES = st.dates(datetime.date(1850, 1, 1), datetime.date(2200, 12, 31))
DAYS = st.integers(1, 3650)
TIMES = st.from_regex(r"([01][0-9]|2[0-3])([0-5][0-9]([0-5][0-9](\.[0-9]{1,6})?)?)?", fullmatch=True)
OFFSETS = st.sampled_from(["", "+0000", "-0500", "+1400", "-1200", "+0530"])
#: Not dates, whatever function is asked.
NO_DATES = (
    "", " ", "-", "--", "0", "00000000", "20230231", "20230229", "19000229", "21000229", "20231301", "20230100",
    "20230001", "2023-02-31", "31.02.2023", "99999999", "99991231", "00010101", "18491231", "22010101", "ABCDEFGH",
    "2023O101", "+2023101", "2023010\uff11", "2023010\u0661", "\u0662\u0660\u0662\u0663", "1e100000", "0x200101",
    "\0" * 8, "2023-1-1", "230101",
)  # fmt: skip


def back(date: str, days: int) -> str:
    """Put YYYYMMDD back by numpy's calendar."""
    then = np.datetime64(f"{date[:4]}-{date[4:6]}-{date[6:]}") - np.timedelta64(days, "D")
    return str(then).replace("-", "")


# by hand: leap days, ends of years and centuries, and ordinals of days in the year

HAND = [
    ("20200301", 1, "20200229"), ("20210301", 1, "20210228"), ("20000301", 1, "20000229"),
    ("19000301", 1, "19000228"), ("21000301", 1, "21000228"), ("20240229", 366, "20230228"),
    ("20240229", 365, "20230301"), ("20210101", 1, "20201231"), ("20000101", 1, "19991231"),
    ("20200229", 1461, "20160229"), ("20210101", 366, "20200101"), ("20220101", 365, "20210101"),
    ("20170327", 86, "20161231"), ("20161231", 365, "20160101"), ("20170327", 3650, "20070330"),
    ("18500101", 3650, "18400104"), ("20230515", 0, "20230515"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "days", "new"), HAND)
def test_tables_by_hand(old: str, days: int, new: str) -> None:
    assert shift_da(old, days) == shift_dt(old, days) == shift_text(old, days) == new
    dotted = (f"{d[:4]}.{d[4:6]}.{d[6:]}" for d in (old, new))
    assert shift_da(next(dotted), days) == next(dotted)


@given(DATES, DAYS)
@example(datetime.date(2020, 2, 29), 1461)
def test_every_function_agrees_with_numpy(date: datetime.date, days: int) -> None:
    old = f"{date:%Y%m%d}"
    assert shift_da(old, days) == shift_dt(old, days) == shift_text(old, days) == back(old, days)


def test_every_day_of_350_years_agrees_with_numpy() -> None:
    days = np.arange(np.datetime64("1850-01-01"), np.datetime64("2201-01-01"))
    old = [str(day).replace("-", "") for day in days]
    new = [str(day).replace("-", "") for day in days - np.timedelta64(1234, "D")]
    assert [shift_da(value, 1234) for value in old] == new


@given(DATES, DATES, DAYS)
def test_differences_stay(one: datetime.date, two: datetime.date, days: int) -> None:
    for shift, form in (
        (shift_da, "%Y%m%d"),
        (shift_da, "%Y.%m.%d"),
        (shift_dt, "%Y%m%d"),
        (shift_text, "%d.%m.%Y"),
    ):
        shifted = [shift(f"{date:{form}}", days) for date in (one, two)]
        then = [np.datetime64(datetime.datetime.strptime(value or "", form), "D") for value in shifted]
        assert then[0] - then[1] == np.datetime64(one) - np.datetime64(two)


# VR DA

RANGES = [
    ("20200301-20200302", "20200121-20200122"), ("20200301-", "20200121-"), ("-20200301", "-20200121"),
    ("2020.03.01-2020.03.02", "2020.01.21-2020.01.22"), ("2020-2021", "2019-2020"), ("2020-", "2019-"),
    ("202003-202104", "202001-202102"), ("-202003", "-202001"), ("2020.03.01-", "2020.01.21-"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), RANGES)
def test_ranges(old: str, new: str) -> None:
    assert shift_da(old, 40) == new
    if "." not in old:
        assert shift_dt(old, 40) == new


@pytest.mark.parametrize(
    ("old", "days", "new"),
    [("2020", 1, "2019"), ("2020", 365, "2019"), ("2020", 366, "2018"), ("202003", 1, "202002"),
     ("202003", 29, "202002"), ("202003", 30, "202001"), ("202001", 1, "201912"), ("1850", 1, "1849")],
)  # fmt: skip
def test_partial_dates_keep_their_precision(old: str, days: int, new: str) -> None:
    assert shift_da(old, days) == shift_dt(old, days) == new


@given(DATES, DAYS)
def test_a_partial_date_is_early_by_at_most_one_unit(date: datetime.date, days: int) -> None:
    full = back(f"{date:%Y%m%d}", days)
    year, month = shift_da(f"{date:%Y}", days), shift_da(f"{date:%Y%m}", days)
    assert year is not None
    assert month is not None
    assert int(full[:4]) - int(year) in (0, 1)
    months = [12 * int(value[:4]) + int(value[4:6]) for value in (full, month)]
    assert months[0] - months[1] in (0, 1)


@pytest.mark.parametrize(
    "value",
    [*NO_DATES, "2020.0301", "202003.01", "2020.03", "2020:03:01",
     "20200301-2020030", "20200301-00000000", "00000000-20200301", "20200301--20200302",
     "20200301-20200302-20200303", "-20200301-", "1954-03-12", "2020-05", "2020-0512", "20200301 ", " 20200301",
     "20200301\\20200302", "2020030112"],
)  # fmt: skip
def test_no_da(value: str) -> None:
    assert shift_da(value, 40) is None


# VR DT


@given(DATES, DAYS, TIMES, OFFSETS)
def test_times_and_offsets_stay(date: datetime.date, days: int, time: str, offset: str) -> None:
    old = f"{date:%Y%m%d}"
    new = back(old, days)
    assert shift_dt(f"{old}{time}{offset}", days) == f"{new}{time}{offset}"
    assert shift_dt(f"{old}{time}{offset}-", days) == f"{new}{time}{offset}-"
    assert shift_dt(f"-{old}{time}{offset}", days) == f"-{new}{time}{offset}"
    assert shift_dt(f"{old}{time}{offset}-{old}{time}{offset}", days) == f"{new}{time}{offset}-{new}{time}{offset}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("20200301120000.123456-0500", "20200121120000.123456-0500"),
        ("20200301235960", "20200121235960"),  # a leap second
        ("20200301-0500", "20200121-0500"),
        ("2020-0500", "2019-0500"),
        ("202003+0100", "202001+0100"),
        ("2020-0500-2021+0100", "2019-0500-2020+0100"),
        ("2020-0500-", "2019-0500-"),
        ("-2020-0500", "-2019-0500"),
        ("2020-1900", "2019-1899"),  # no offset is -1900: a range
    ],
)
def test_dt(old: str, new: str) -> None:
    assert shift_dt(old, 40) == new


@pytest.mark.parametrize(
    "value",
    [*NO_DATES, "2020030124", "202003011260", "20200301120061",
     "20200301120000.", "20200301120000.1234567", "202003011200.5", "20200301120000Z", "20200301120000-2500",
     "20200301 120000", "20200301T120000", "2020.03.01", "20200301-20230231", "20200301120000-0599"],
)  # fmt: skip
def test_no_dt(value: str) -> None:
    assert shift_dt(value, 40) is None


# texts


@given(DATES, DAYS, st.sampled_from(DATE_FORMS))
def test_every_form_keeps_itself_and_its_length(date: datetime.date, days: int, form: str) -> None:
    def written(day: str) -> str:
        return form.format(y=day[:4], m=day[4:6], d=day[6:])

    old, new = f"{date:%Y%m%d}", back(f"{date:%Y%m%d}", days)
    if form == "{d}/{m}/{y}" and date.day <= 12:
        form = "{m}/{d}/{y}"  # what can be read so is read so
    assert shift_text(written(old), days) == written(new)
    for before, behind in (
        ("", " 12:30:45.678"),
        ("12:30 ", ""),
        ("PET of ", ", resting"),
        ("(", ")"),
        ("at ", "."),
    ):
        assert shift_text(before + written(old) + behind, days) == before + written(new) + behind


TEXTS = [
    ("2017-03-27T12:30:00", "2017-02-15T12:30:00"),
    ("2017-03-27T12:30:00.123+01:00", "2017-02-15T12:30:00.123+01:00"),
    ("20170327T123000Z", "20170215T123000Z"),
    ("2017-03-27Z", "2017-02-15Z"),
    ("20170327123045", "20170215123045"),
    ("201703271230", "201702151230"),
    ("20170327123045.123000+0100", "20170215123045.123000+0100"),
    ("2017:03:27 12:30:45", "2017:02:15 12:30:45"),
    ("12:30:45 27.03.2017", "12:30:45 15.02.2017"),
    ("123045.5 20170327", "123045.5 20170215"),
    ("2017-03-27 12:30:00,123", "2017-02-15 12:30:00,123"),
    ("2017.03.27.12.30.45", "2017.02.15.12.30.45"),
    ("2017-03-27_12-30-45", "2017-02-15_12-30-45"),
    ("PET_20170327_2", "PET_20170215_2"),
    ("%study date (yyyy:mm:dd):=2017:03:27", "%study date (yyyy:mm:dd):=2017:02:15"),
    ("20170327, none", "20170215, none"),
    ("2017:03:27\\2017:03:28", "2017:02:15\\2017:02:16"),
    ("20170327, 28.03.2017; 2017-03-29|03/30/2017", "20170215, 16.02.2017; 2017-02-17|02/18/2017"),
    ("Größe am 27.03.2017", "Größe am 15.02.2017"),
    ("03/12/1954", "01/31/1954"),  # read as 12 March
    ("13/12/1954", "03/11/1954"),  # only 13 December can be meant
    ("03.12.1954", "24.10.1954"),  # read as 3 December
    ("03-12-1954", "24-10-1954"),
]


@pytest.mark.parametrize(("old", "new"), TEXTS)
def test_texts(old: str, new: str) -> None:
    assert shift_text(old, 40) == new
    assert len(new) == len(old)


@pytest.mark.parametrize(
    "value",
    [
        *NO_DATES,
        "SMITH^JOHN", "12 MAR 1954", "2017-W13-1", "2017-086", "12.03.54", "03.27.2017", "2017-03",
        "20170327 20170328", "20170327-20170328", "2017-03-27/2017-03-28",  # two in one value
        "20170327, 20170328, none", "20170327, 20170328,", "20170327\\\\20170328",  # a value without
        "20170327 20230231", "20170327 of 12345678",  # the form of a date, but none
        "1.3.12.2.1107.5.2.38.51011.20170327155811", "1.2.20170327.5", "1.2.2017.03.27.5",  # UIDs
        "27.03.2017 in 1.3.12.2.1107.5.2.38.51011.2017032815581112300000001",
        "120170327", "201703271", "2017032712", "20170327126045", "A20170327", "20170327A", "a20170327f",
    ],
)  # fmt: skip
def test_no_text(value: str) -> None:
    assert shift_text(value, 40) is None


@given(st.text(st.sampled_from("0123456789-./: TZ\\,a"), max_size=24), DAYS)
def test_a_text_is_given_whole_and_with_all_its_dates_changed(value: str, days: int) -> None:
    new = shift_text(value, days)
    if new is not None:
        assert len(new) == len(value)
        assert re.sub(r"\d", "9", new) == re.sub(r"\d", "9", value)
        assert new != value


@pytest.mark.parametrize("shift", [shift_da, shift_dt, shift_text])
def test_never_before_year_1(shift) -> None:
    assert shift("20200301", 737_484) == "00010101"
    assert shift("20200301", 737_485) is None
    assert shift("20200301", 10**12) is None


@pytest.mark.parametrize("shift", [shift_da, shift_dt, shift_text])
@given(value=st.text(max_size=30) | st.text(st.sampled_from("0123456789-.+"), max_size=30))
def test_any_value_is_answered(shift, value: str) -> None:
    new = shift(value, 40)
    assert new is None or len(new) == len(value)


@pytest.mark.parametrize("value", ["9" * 100_000, "20170327 " * 20_000, "1." * 50_000, "2017-" * 20_000])
def test_long_values(value: str) -> None:
    assert shift_da(value, 40) is shift_dt(value, 40) is shift_text(value, 40) is None
