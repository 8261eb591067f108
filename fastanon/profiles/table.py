"""The tables of PS3.15 Annex E, as ``tools/make_profiles.py`` wrote them, and what a combined action comes to."""

from __future__ import annotations

import functools
import os
from collections.abc import Set
from typing import NamedTuple

#: The options that are offered: their codes and the codes' meanings (PS3.16 CID 7050).
#: Clean Recognizable Visual Features (113102) is not: nothing here looks at faces.
OPTIONS = {
    "clean-pixel-data": ("113101", "Clean Pixel Data Option"),
    "clean-graphics": ("113103", "Clean Graphics Option"),
    "clean-structured-content": ("113104", "Clean Structured Content Option"),
    "clean-descriptors": ("113105", "Clean Descriptors Option"),
    "retain-full-dates": ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    "retain-modified-dates": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    "retain-patient-characteristics": ("113108", "Retain Patient Characteristics Option"),
    "retain-device-identity": ("113109", "Retain Device Identity Option"),
    "retain-uids": ("113110", "Retain UIDs Option"),
    "retain-safe-private": ("113111", "Retain Safe Private Option"),
    "retain-institution-identity": ("113112", "Retain Institution Identity Option"),
}

#: The code of the profile without options.
BASIC = ("113100", "Basic Application Confidentiality Profile")


class Row(NamedTuple):
    """One attribute of Table E.1-1.

    Attributes
    ----------
    tag : str
        Eight characters, ``x`` for any digit; ``odd`` for private attributes.
    vr : str
        Empty for a pattern.
    basic : str
        The action of the Basic Profile, perhaps a choice such as ``X/Z/D``.
    options : dict of str to str
        K or C by the name of the option that says so.
    name : str
        What the standard calls it.
    """

    tag: str
    vr: str
    basic: str
    options: dict[str, str]
    name: str


def _read(name: str) -> list[list[str]]:
    with open(os.path.join(os.path.dirname(__file__), name), encoding="ascii") as lines:
        return [line.rstrip("\n").split("\t") for line in lines if line[0] != "#"]


@functools.cache
def attributes() -> dict[str, Row]:
    """Give Table E.1-1 by tag."""
    header, *rows = _read("table.tsv")
    columns = range(3, len(header) - 2)
    return {
        row[0]: Row(row[0], row[1], row[2], {header[at]: row[at] for at in columns if row[at]}, row[-1])
        for row in rows
    }


@functools.cache
def safe_private() -> dict[tuple[int, int, str], str]:
    """Give the VRs of Table E.3.10-1 by group, last two digits of the element, and private creator."""
    _, *rows = _read("safe.tsv")
    return {(int(group, 16), int(element[2:], 16), creator): vr for group, element, creator, vr, _ in rows}


def resolve(row: Row, options: Set[str] = frozenset()) -> str:
    """Give the one action for an attribute.

    Where the standard leaves the choice to what the object's definition requires, that is not known here: the
    choice is what no definition forbids. A dummy (D) can stand where an empty value can't, an empty one (Z) where
    the attribute can't be missing. A sequence without items is valid as Type 2 only, and Z may be a dummy (PS3.15
    Table E.1-1a): where there is a choice, sequences keep their items, with dummies inside. Sequences of
    references (X/Z/U*) stay, with new UIDs inside. Where options disagree, the stricter C holds;
    K on a sequence means that it is cleaned inside (PS3.15 Table E.1-1a), which is C here.

    Parameters
    ----------
    row : Row
        The attribute.
    options : set of str, optional
        Options in force.

    Returns
    -------
    str
        One of ``D Z X K C U``.
    """
    said = {action for option, action in row.options.items() if option in options}
    sequence = row.vr == "SQ"
    if said:
        return "C" if sequence or "C" in said else "K"
    choice = row.basic.rstrip("*").split("/")
    if sequence and len(choice) > 1:
        return "U" if "U" in choice else "D"
    return next(action for action in "DZUX" if action in choice)


def basic_action(tag: int) -> str:
    """Give the action of the Basic Profile without options, ``X`` for what the table does not name."""
    row = _row(tag)
    return "X" if row is None else resolve(row)


def options_of(tag: int) -> frozenset[str]:
    """Give the options that speak of an attribute."""
    row = _row(tag)
    return frozenset() if row is None else frozenset(row.options)


def _row(tag: int) -> Row | None:
    name, rows = f"{tag:08X}", attributes()
    return rows.get(name) or rows.get(f"{name[:2]}xx{name[4:]}") or rows.get(f"{name[:2]}xxxxxx")
