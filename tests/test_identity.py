"""Needles: what is searched for, written down by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastanon
from fastanon.identity import Needle, Value, needles_of


def needles(kind: str, value: str, new: str = "anonymised", *charsets: str) -> dict[bytes, Needle]:
    found, _ = needles_of((Value(kind, value, "\\".join(charsets), new),))
    return {needle.data: needle for needle in found}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("DOE^JOHN", [b"doe", b"john", b"doejohn", b"johndoe"]),
        ("VAN DER BERG^ANNA", [b"van der berg", b"anna", b"berg"]),
        ("O'BRIEN^MARY", [b"o'brien", b"brien", b"mary"]),
        (
            "SMITH-JONES^AL",
            [b"smith-jones", b"smith", b"jones", b"al smith-jones", b"al^smith-jones"],
        ),
        ("MADONNA", [b"madonna"]),
        ("MÜLLER^JÖRG", ["müller".encode("latin-1"), "MÜLLER".lower().encode(), "jörg".encode("utf-16-le")]),
        (
            "MÜLLER^JÖRG",
            [b"M?LLER", b"M??LLER", b"j?rg", "MU\u0308LLER".encode(), "jo\u0308rg".encode("utf-16-le")],
        ),
        ("MU\u0308LLER^JO\u0308RG", ["M\u00dcLLER".encode("latin-1"), b"muller", b"mueller^joerg", b"m?ller"]),
        ("WOLFESCHLEGELSTEINHAUSEN^JO", [b"wolfeschlegelste"]),
        ("DE LA CRUZ^MARIA DEL CARMEN", [b"DE LA CRUZ^MARIA", b"maria del carmen"]),
        ("山田^太郎", ["山田".encode(), "太郎".encode(), "山田太郎".encode("utf-16-le")]),
        ("LI^NA^^DR", [b"li na", b"na li", b"li^na"]),
        ("NG^LI", [b"ng li", b"li, ng", b"ng^li"]),
        ("LEE^KIM", [b"lee", b"kim", b"l\0e\0e\0"]),
    ],
)
def test_every_component_is_searched_for(name: str, wanted: list[bytes]) -> None:
    found = needles("name", name)
    assert {pattern.lower() for pattern in wanted} <= {pattern.lower() for pattern in found}


def test_prefix_and_suffix_are_not_searched_for() -> None:
    assert not {b"prof", b"junior", b"prof."} & set(needles("name", "DOE^JOHN^^PROF^JUNIOR"))


@pytest.mark.parametrize(("name", "short"), [("Doe", True), ("Smith", True), ("Wagner", False)])
def test_short_names_must_stand_delimited(name: str, short: bool) -> None:
    assert needles("name", name)[name.lower().encode()].short is short


@pytest.mark.parametrize(
    ("number", "short"), [("1234567", True), ("12345678", False), ("AB123", True), ("AB1234", False)]
)
def test_short_ids_must_stand_delimited(number: str, short: bool) -> None:
    assert needles("id", number)[number.lower().encode()].short is short


@pytest.mark.parametrize(("kind", "value"), [("id", "123"), ("id", "A1"), ("name", "Al"), ("name", "X^Y")])
def test_what_is_too_short_is_counted(kind: str, value: str) -> None:
    assert needles_of((Value(kind, value, "", "anonymised"),)) == ((), 1)


@pytest.mark.parametrize("value", ["Anonymous", "ANONYMIZED", "unknown", "xxxxxx", "anonymised", ""])
def test_nobody_is_not_searched_for(value: str) -> None:
    assert needles_of((Value("name", value, "", "anonymised"),))[0] == ()


def test_dates_in_every_form() -> None:
    found = needles("date", "19610503", "19800101")
    forms = "19610503 1961-05-03 1961.05.03 1961:05:03 1961/05/03 03.05.1961 03/05/1961 05/03/1961 03-05-1961"
    assert {form.encode() for form in forms.split()} <= set(found)
    assert found[b"03.05.1961"].new == "01.01.1980"
    assert found[b"1961-05-03"].new == "1980-01-01"


def test_old_dates_are_read_too() -> None:
    assert b"19610503" in needles("date", "1961.05.03", "19800101")


@pytest.mark.parametrize("value", ["1961", "today", "", "196105"])
def test_what_is_no_date_is_no_needle(value: str) -> None:
    assert needles("date", value, "19800101") == {}


def test_the_longest_comes_first() -> None:
    found, _ = needles_of((Value("name", "VAN DER BERG^ANNA", "", "anonymised"),))
    assert [len(n.data) for n in found] == sorted((len(n.data) for n in found), reverse=True)


def test_the_file_s_own_character_set_counts() -> None:
    assert "Лев Толстой".split()[1].lower().encode("iso8859-5") in {
        data.lower() for data in needles("name", "Толстой^Лев", "anonymised", "ISO_IR 144")
    } | set(needles("name", "толстой^лев", "anonymised", "ISO_IR 144"))


_SHOW = """
from fastanon.identity import Value, needles_of
found, _ = needles_of((Value("name", "VAN DER BERG^ANNA", "", "anonymised"), Value("id", "PX-77120", "", ""),))
print(found)
"""


def test_needles_do_not_depend_on_the_order_of_sets() -> None:
    root = str(Path(fastanon.__file__).parent.parent)
    said = {
        subprocess.run(
            [sys.executable, "-c", _SHOW], env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": root},
            capture_output=True, check=True,
        ).stdout
        for seed in range(6)
    }  # fmt: skip
    assert len(said) == 1
