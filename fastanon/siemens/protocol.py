"""Protocol text: XProtocol and ASCCONV, where only what stands in quotes as a value is text.

Inside a CSA header every inner quote is doubled, and doubled again in a text inside that. A tag such as
``<ParamString."PatientName">`` quotes a name of its own, which is no value; numbers and keys stand without
quotes.
"""

from __future__ import annotations

import re

from fastanon.fields import Field, Space, Text

_TOKEN = re.compile(
    rb'<\w+(?:\.(?P<mark>""""|""?)(?P<param>[^"<>]*)(?P=mark))?>'  # <ParamString."name"> or <Visible>
    rb"|^[ \t]*(?P<key>[A-Za-z_][\w.\[\]]*)[ \t]*="  # ASCCONV: key = value
    rb'|(?P<quote>""""|""?)(?P<value>[^"\n<>{}]*)(?P=quote)',
    re.MULTILINE,
)


def is_protocol(data: bytes) -> bool:
    """Say whether a text is a protocol."""
    return b"<XProtocol>" in data or b"### ASCCONV BEGIN" in data


def fields(data: bytes, base: int, space: Space, key: tuple[str, ...]) -> list[Field]:
    """Give every quoted value of a protocol; arguments are those of `fastanon.siemens.csa.fields`."""
    found, name = [], ""
    for token in _TOKEN.finditer(data):
        value = token["value"]
        if value is None:
            name = (token["param"] or token["key"] or name.encode()).decode("latin-1")
        elif value:
            start, end = token.span("value")
            place = (base + start, base + end)
            text = Text("latin-1", quotes=len(token["quote"]))
            found.append(Field((*key, name) if name else key, space, place, place, text))
    return found
