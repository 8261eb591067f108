"""Interfile headers: lines of ``key:=value``, of which few hold words that people wrote."""

from __future__ import annotations

import re

from fastanon.fields import Field, Space, Text

#: All keys STIR knows of that can name a patient, a file or a visit; every other value is a number or a code.
_LINE = re.compile(
    rb"^[!%;]*(?P<key>[^\r\n:=]*(?:patient|comment|description|file|data set|study id|institution)[^\r\n:=]*)"
    rb":=[ \t]*(?P<value>[^\r\n]*)",
    re.MULTILINE | re.IGNORECASE,
)


def is_interfile(data: bytes) -> bool:
    """Say whether a text is an Interfile header."""
    return b"!INTERFILE" in data[:64].upper() and b":=" in data


def fields(data: bytes, base: int, space: Space, key: tuple[str, ...]) -> list[Field]:
    """Give the values that are text; arguments are those of `fastanon.siemens.csa.fields`."""
    found = []
    for line in _LINE.finditer(data):
        place = (base + line.start("value"), base + line.end("value"))
        name = line["key"].strip().decode("latin-1")
        found.append(Field((*key, name), space, place, place, Text("latin-1")))
    return found
