"""Protocol text: XProtocol and ASCCONV, where only what stands in quotes as a value is text.

A string may hold a protocol again, and in that every quote is doubled: strings have one quote around them in the
outermost text, two in the next, then four. At each level two such quotes are a character of the string. So a text
is read level by level, each by one expression that knows how many quotes are one; none goes back over what it has
read, which keeps the time linear.

A tag such as ``<ParamString."PatientName">`` quotes a name of its own, which is no value. A tag without a name
modifies: ``<Label> "Name"`` is text, but not the parameter's value. Numbers and keys stand without quotes; few
numbers are dates, and fields. A text with any other word outside quotes, or a brace or quote without its partner,
is broken: all of it is then text without structure, but for the values that a rule replaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from fastanon.errors import MalformedError
from fastanon.fields import Field, Space, Text
from fastanon.limits import check, limits
from fastanon.siemens.protocol_keys import DATED_NUMBER, PROGRAM_WORDS, is_kept, rule_of

__all__ = ["Token", "fields", "is_protocol", "rule_of", "tokens"]

_KEY = rb"[A-Za-z_][\w.\[\]]*+[ \t]*+="
_NUMBER = rb"[-+]?+(?:0[xX][\da-fA-F]++|[\d.]++(?:[eE][-+]?+\d++)?+)(?!\w)"
_FORMS = {  # Q stands for the quotes of a level; blanks may stand before each
    "number": _NUMBER,
    "key": _KEY,
    "string": rb'Q(?:[^"]++|QQ)*+Q(?!")',
    "tag": rb'<(?P<word>[A-Za-z]\w*+)(?:\.Q(?P<name>[^"]*+)Q(?!"))?+>',
    "open": rb"\{",
    "close": rb"\}",
    "mark": rb'### ASCCONV (?:BEGIN|END)[^\n"]*?###',
    "comment": rb"#(?:[ \t]*+'QQ?+')?+[^\n\"]*+",
    "loose": rb'[^\s\0"{}<#]++|[^\s\0]',
    "blank": rb"",
}
#: Many numbers, with their keys: where only text is asked for, one step passes over all of them.
_NUMBERS = rb"(?:(?:%s[ \t]*+)?+%s[\s\0]*+)++" % (_KEY, _NUMBER)

#: A number that is a date, and behind its key in ASCCONV.
_DATE = rb"((?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?![\w.])"
_DATED = re.compile(rb"%s[ \t]*=[ \t]*%s" % (DATED_NUMBER.encode(), _DATE))
_ONE_DATE = re.compile(_DATE)

_MOST_QUOTES = 8  # a text inside a string of such a level is taken as it is
_SHORTEST = 16  # no shorter string holds a text
_TEXT_INSIDE = re.compile(rb'[\s\0]*+<(?:XProtocol>|Param[A-Z][a-z]++\."")')
_FIRST_QUOTES = re.compile(rb'(?<=[.={\s])"++(?=[^"\s>}])')
_MARKUP = re.compile(rb'[<>{}"\n]')


class Token(NamedTuple):
    """A piece of a text.

    Attributes
    ----------
    kind : str
        ``tag``, ``key``, ``string`` (with its quotes), ``number``, ``open`` and ``close`` for braces, ``enter``
        and ``leave`` for the quotes around a text in a string, ``mark`` for where ASCCONV begins and ends,
        ``comment``, ``blank``, and ``loose`` for what is none of these.
    start, end : int
        Its bytes.
    quotes : int
        How many of them are one, where it stands.
    word : str
        Of a tag: its kind, as ``ParamString`` or ``Visible``.
    name : str or None
        The name that a tag or key gives to what follows; None for tags that modify.
    """

    kind: str
    start: int
    end: int
    quotes: int
    word: str = ""
    name: str | None = None


def is_protocol(data: bytes) -> bool:
    """Say whether a text is a protocol."""
    return b"<XProtocol>" in data or b"### ASCCONV BEGIN" in data


def fields(data: bytes, base: int, space: Space, key: tuple[str, ...]) -> list[Field]:
    """Give all text of a protocol; arguments are those of `fastanon.siemens.csa.fields`.

    Returns
    -------
    list of Field
        Disjoint and in order. The last part of a key is the parameter's name, with ``<Label>`` and the like
        behind it for the text of a modifier. A date that is a number has 0 quotes. Of a broken text, what a rule
        replaces is a field, and each run between such values is one, with the key of the whole, marked as broken.

    Raises
    ------
    MalformedError
        If it is too large or too deep.
    """
    check("text", len(data), "bytes in one text", base)
    return _Reader(data, base, space, key).found


def tokens(data: bytes) -> Iterator[Token]:
    """Cut a text into tokens, which together are all of its bytes."""
    at = 0
    for token in _cut(data, _FORMS["number"]):
        if at < token.start:
            yield Token("blank", at, token.start, token.quotes)
        yield token
        at = token.end
    if at < len(data):
        yield Token("blank", at, len(data), _quotes_of(data))


@cache
def _scanner(quotes: int, number: bytes) -> re.Pattern[bytes]:
    forms = (_FORMS | {"number": number}).items()
    choice = b"|".join(b"(?P<%s>%s)" % (kind.encode(), form) for kind, form in forms)
    return re.compile(rb"[\s\0]*+(?:%s)" % choice.replace(b"Q", b'"' * quotes))


def _cut(data: bytes, number: bytes) -> Iterator[Token]:
    """Give all tokens but blanks, with numbers as the expression says."""
    quotes = _quotes_of(data)
    levels = [(_scanner(quotes, number).finditer(data), quotes, len(data))]
    while levels:
        matches, quotes, end = levels[-1]
        for match in matches:
            kind = match.lastgroup or ""
            start, stop = match.span(kind)
            if kind == "string" and _holds_text(data, start + quotes, stop - quotes, quotes):
                yield Token("enter", start, start + quotes, quotes)
                inner = _scanner(2 * quotes, number).finditer(data, start + quotes, stop - quotes)
                levels.append((inner, 2 * quotes, stop - quotes))
                break
            if kind != "blank":
                yield _token(match, kind, quotes)
        else:
            levels.pop()
            if levels:
                yield Token("leave", end, end + quotes // 2, quotes // 2)


def _token(match: re.Match[bytes], kind: str, quotes: int) -> Token:
    start, stop = match.span(kind)
    if kind == "key":
        return Token(kind, start, stop, quotes, "", match[kind][:-1].rstrip().decode())
    if kind == "tag":
        word, name = match["word"].decode(), match["name"]
        return Token(kind, start, stop, quotes, word, None if name is None else name.decode("latin-1"))
    return Token(kind, start, stop, quotes)


def _quotes_of(data: bytes) -> int:
    """Count the quotes that are one in the outermost text: those before the first string that is not empty."""
    found = _FIRST_QUOTES.search(data)
    count = len(found[0]) if found else 1
    return min(count & -count, _MOST_QUOTES)


def _holds_text(data: bytes, start: int, stop: int, quotes: int) -> bool:
    if stop - start < _SHORTEST or quotes == _MOST_QUOTES:
        return False
    return _TEXT_INSIDE.match(data, start, stop) is not None or data.find(b"### ASCCONV BEGIN", start, stop) >= 0


class _Place(NamedTuple):
    """What a string belongs to: the key of its field, and whether people wrote it."""

    key: tuple[str, ...]
    is_text: bool = True


class _Level:
    """A text while it is read."""

    def __init__(self, place: _Place, start: int, known: int) -> None:
        self.start, self.known = start, known  # its first byte, and the number of fields found before it
        self.places = [_Place(place.key)]  # of the text, and of what stands in each open brace
        self.next: _Place | None = None  # what a tag or a key announces
        self.broken = False


class _Reader:
    """Makes fields of tokens."""

    def __init__(self, data: bytes, base: int, space: Space, key: tuple[str, ...]) -> None:
        self.data, self.base, self.space, self.depth = data, base, space, len(key)
        self.found: list[Field] = []
        self.most, self.deepest = limits().fields, limits().depth
        self.levels = [_Level(_Place(key), 0, 0)]
        for token in _cut(data, _NUMBERS):
            level = self.levels[-1]
            if token.kind in ("tag", "key"):
                level.next = self._announced(level.places[-1].key, token, level.places[-1].is_text)
            else:
                self._take(level, token, level.next or level.places[-1])
                level.next = None
        self._leave(self.levels[-1], Token("leave", len(data), len(data), _quotes_of(data)))

    def _announced(self, key: tuple[str, ...], token: Token, is_text: bool) -> _Place:
        """Say what follows a tag or a key: a parameter's value, or what modifies the parameter around it."""
        name = token.name
        if token.kind == "key":
            path, _, name = (name or "").rpartition(".")
            name = name.partition("[")[0]
            return _Place((*key, *filter(None, (path, name))), not is_kept(name))
        people = token.word not in PROGRAM_WORDS
        if name:
            return _Place((*key, name), people and not is_kept(name))
        if name == "" or token.word == "XProtocol":
            return _Place(key, people and is_text)
        own = key[-1] if len(key) > self.depth else ""
        return _Place((*key[: max(self.depth, len(key) - 1)], f"{own}<{token.word}>"), people)

    def _take(self, level: _Level, token: Token, place: _Place) -> None:
        match token.kind:
            case "string" if place.is_text:
                self._add(place.key, token.start + token.quotes, token.end - token.quotes, token.quotes)
            case "number":
                self._add_dates(place.key, token)
            case "open":
                level.places.append(place)
                if len(level.places) > self.deepest + 1:
                    reason = f"more than {self.deepest} braces inside each other (limit depth)"
                    raise MalformedError(reason, offset=self.base + token.start)
            case "close" if len(level.places) > 1:
                level.places.pop()
            case "close" | "loose":
                level.broken = True
            case "comment":
                self._add((*level.places[-1].key, "#"), token.start + 1, token.end, token.quotes)
            case "enter":
                self.levels.append(_Level(place, token.end, len(self.found)))
            case "leave":
                self._leave(level, token)

    def _leave(self, level: _Level, token: Token) -> None:
        """End a text; where it is broken, take all of it but what a rule replaces as text without structure."""
        self.levels.pop()
        if not level.broken and len(level.places) == 1:
            return
        key, found, at = level.places[0].key, self.found[level.known :], level.start
        del self.found[level.known :]
        for field in found:
            start, stop = field.value[0] - self.base, field.value[1] - self.base
            if rule_of("".join(field.key[-1:])) and not _MARKUP.search(self.data, start, stop):
                self._add(key, at, start, token.quotes, broken=True)
                self.found.append(field)
                at = stop
        self._add(key, at, token.start, token.quotes, broken=True)

    def _add_dates(self, key: tuple[str, ...], token: Token) -> None:
        """Take the dates among numbers: in ASCCONV behind their keys, in XProtocol as the value of a parameter."""
        dates = _ONE_DATE if key[-1:] == (DATED_NUMBER,) else _DATED
        key = key if dates is _ONE_DATE else (*key, DATED_NUMBER)
        for match in dates.finditer(self.data, token.start, token.end):
            self._add(key, *match.span(1), quotes=0)

    def _add(self, key: tuple[str, ...], start: int, stop: int, quotes: int, broken: bool = False) -> None:
        if start < stop:
            place = (self.base + start, self.base + stop)
            text = Text("latin-1", b" ", 0, quotes)
            self.found.append(Field(key, self.space, place, place, text, broken=broken))
            if len(self.found) > self.most:
                check("fields", len(self.found), "pieces of text in one", place[0])
