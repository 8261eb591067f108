"""A writer of Siemens CSA headers: the form that starts with SV10, and the older one, CSA1.

The layout is that of nibabel's doc/source/dicom/siemens_csa.rst; CSA1 that of csa_header's and nibabel's readers,
for no real one was to be had. Siemens does not clear the 64 bytes for a
tag's name: behind the NUL stands what the memory held before. This writer leaves such residue on purpose.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from fastanon.synthetic.person import Person

#: The number that stands for a VR beside it.
_SYNGO = {
    "UN": 0, "DS": 3, "FD": 4, "FL": 5, "IS": 6, "SL": 7, "SS": 8, "UL": 9,
    "US": 10, "CS": 16, "LO": 19, "LT": 20, "SH": 22, "ST": 23, "UI": 25, "UT": 27,
}  # fmt: skip
_FILLED, _EMPTY = 77, 205
_ITEMS = 6  # items come in sixes, whether filled or not
_NAME = 64


class Tag(NamedTuple):
    """One tag of a CSA header.

    Attributes
    ----------
    name : str
        Up to 63 letters.
    vm : int
        Value multiplicity, 0 for any number.
    vr : str
        Two letters.
    values : tuple of str
        The values as text; none for an empty tag.
    """

    name: str
    vm: int
    vr: str
    values: tuple[str, ...] = ()


def parse_tags(table: str) -> list[Tag]:
    r"""Read a table of ``name vm vr values``, one tag a line, the values with ``\`` between.

    Parameters
    ----------
    table : str
        The text.

    Returns
    -------
    list of Tag
        In the order of the lines.
    """
    tags = []
    for line in filter(None, map(str.strip, table.splitlines())):
        name, vm, vr, *rest = line.split(maxsplit=3)
        tags.append(Tag(name, int(vm), vr, tuple(rest[0].split("\\")) if rest else ()))
    return tags


def write_csa(tags: Iterable[Tag], person: Person, older: bool = False) -> bytes:
    """Write a CSA header with the residue of a patient in its slack.

    Parameters
    ----------
    tags : iterable of Tag
        What it holds.
    person : Person
        Whose protocol the memory held before.
    older : bool
        Write CSA1: no SV10, and the first number of an item is its length plus the items of the first tag.

    Returns
    -------
    bytes
        An even number of them.
    """
    tags, residue = list(tags), _residue(person)
    added = _items(tags[0]) if older else 0
    parts = [b"" if older else b"SV10\4\3\2\1", struct.pack("<II", len(tags), _FILLED)]
    for number, tag in enumerate(tags):
        parts.append(_write_tag(tag, residue[number % len(residue)], added))
    return b"".join(parts) + bytes(4)


def _items(tag: Tag) -> int:
    return -(-len(tag.values) // _ITEMS) * _ITEMS


def _write_tag(tag: Tag, residue: bytes, added: int) -> bytes:
    items = _items(tag)
    name = (tag.name.encode("ascii") + b"\0" + residue)[: _NAME - 1] + b"\0"
    head = struct.pack(
        "<64si4siii",
        name,
        tag.vm,
        tag.vr.encode("ascii"),
        _SYNGO[tag.vr],
        items,
        _FILLED if items else _EMPTY,
    )
    empty = struct.pack("<4i", added, 0, _EMPTY, 0) * (items - len(tag.values))
    return head + b"".join(_write_item(_spell(tag.vr, value), added) for value in tag.values) + empty


def _write_item(text: bytes, added: int) -> bytes:
    size = len(text)
    return struct.pack("<4i", size + added, size, _FILLED, size) + text + bytes(-size % 4)


def _spell(vr: str, value: str) -> bytes:
    """Give the bytes of a value: integers padded to 8, decimals with 8 places, all with a NUL."""
    if vr in ("DS", "FD", "FL"):
        value = f"{float(value):.8f}"
    elif vr in ("IS", "SL", "SS", "UL", "US"):
        value = value.ljust(8)
    return value.encode("latin-1") + b"\0"


def _residue(person: Person) -> list[bytes]:
    """Give what is left in memory, tag after tag: pieces of protocol text, UIDs, tables and the patient.

    Eleven pieces, so that over a header of 65 and more tags each falls on names of several lengths.
    """
    name, third = person.name, max(1, len(person.name) // 3)
    texts = [
        '      <Visible> "true" \n      <ParamStr',
        f'{{ ""{name}"" }}',
        '{ "1.3.12.2.110',
        f'tPatientName"> {{ "{name[: 2 * third]}',
        "\xbc\xbc\xbc\0\xbd\xbd\xbd\0\xbe\xbe\xbe\0\xbf\xbf\xbf\0",
        f'{name[third:]}" \n    }}\n    <ParamLong."',
        "IS\0\0\6\0\0\0\6\0\0\0M\0\0\0\t\0\0\0\t\0\0\0M\0\0\0",
        f'"{person.patient_id}"',
        "",
        f'Day"> {{ "{person.birth_date}" }}',
        "\0\0\0\0MRC99999\0\0",
    ]
    return [text.encode("latin-1") for text in texts]
