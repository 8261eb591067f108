"""The list that a trial office holds: which ID a patient had, and which one to write."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

from fastanon.errors import UsageError
from fastanon.pseudonyms import normalised
from fastanon.small_files import read_small
from fastanon.text import check_name

COLUMNS = ("id_old", "id_new")

_LONGEST = 64  # characters of a LO (PS3.5 6.2)


def read_mapping(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read a mapping CSV.

    Parameters
    ----------
    path : path
        UTF-8, with or without a byte order mark, separated by commas or semicolons. Its first line names the
        columns ``id_old`` and ``id_new``; others may stand beside them and are ignored, and so are blank lines.

    Returns
    -------
    dict of str to str
        The new ID of each old one; the old ones normalised.

    Raises
    ------
    UsageError
        With file and line, and never an ID, if the header lacks a column; if a line has too many or too few fields
        or an empty ID; if an old ID comes twice, or a new one, by which two patients would become one; if a new ID
        is an old one of the list; if it can't be written as an ID and a name; if the file is not UTF-8 or no CSV.
    """
    name = os.fspath(path)
    lines: dict[str, int] = {}
    taken: dict[str, int] = {}
    mapping: dict[str, str] = {}
    for line, old, new in _pairs(name, _text(name)):
        key, other = normalised(old), normalised(new)
        if not key or not other:
            raise _error(name, line, "an empty ID")
        if key in lines:
            raise _error(name, line, f"the id_old of line {lines[key]} again")
        if other in taken:
            raise _error(name, line, f"the id_new of line {taken[other]} again: two patients would become one")
        _check_new(new, f"{name}: line {line}: id_new")
        lines[key], taken[other], mapping[key] = line, line, new
    for other, line in taken.items():
        if other in lines:
            raise _error(name, line, f"the id_new is the id_old of line {lines[other]}: it would name a patient")
    return mapping


def _text(name: str) -> str:
    try:
        data = read_small(name)
    except OSError as error:
        raise UsageError(f"{name}: {os.strerror(error.errno or 0)}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _error(name, data.count(b"\n", 0, error.start) + 1, "not UTF-8") from None


def _pairs(name: str, text: str) -> Iterator[tuple[int, str, str]]:
    """Give line, old and new ID of every line below the header."""
    records = _records(name, text)
    _, header = next(records, (1, []))
    header = [column.strip() for column in header]
    if any(header.count(column) != 1 for column in COLUMNS):
        raise _error(name, 1, "the header must name the columns id_old and id_new, once each")
    old, new = (header.index(column) for column in COLUMNS)
    for line, fields in records:
        if len(fields) != len(header):
            raise _error(name, line, f"{len(fields)} fields, and {len(header)} columns")
        yield line, fields[old].strip(), fields[new].strip()


def _records(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Give every record that is not blank, with the number of its first line."""
    import csv  # for who has a mapping

    header = text.partition("\n")[0]
    delimiter = ";" if ";" in header and "," not in header else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise _error(name, line, "no CSV: a quote that is not closed, or a field that is too long") from None
        if fields:
            yield line, fields


def _check_new(value: str, what: str) -> None:
    """Refuse what can't stand as an ID, a person's name, or in a protocol's text."""
    if len(value) > _LONGEST:
        raise UsageError(f"{what}: an ID has at most {_LONGEST} characters")
    check_name(value, what)


def _error(name: str, line: int, reason: str) -> UsageError:
    return UsageError(f"{name}: line {line}: {reason}")
