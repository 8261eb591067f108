"""A person, and every byte string that spells the name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

#: Without a character set nobody can tell these from others, nor where a character begins.
_NOT_TOLD = ("gb18030", "euc_kr")
_ANYWHERE = ("latin-1", "cp1252", "utf-8", "utf-16-le")
WIDE, ESCAPED = "utf-16-le", "ISO 2022"


@dataclass(frozen=True)
class Person:
    """Somebody.

    Attributes
    ----------
    shape : str
        What is special about the name.
    charset, codec : str
        (0008,0005), and how Python calls it; with code extensions the latter is how the bytes look without them.
    name : str or bytes
        Patient's Name; bytes where code extensions are needed.
    forms : tuple of str
        How others write that name, with the letters that it has.
    respelled : tuple of str
        The same in another case, or without accents.
    escaped, bare : tuple of bytes
        How it is written with code extensions, and what of that must be gone, escapes or not.
    """

    shape: str
    charset: str
    codec: str
    name: str | bytes
    forms: tuple[str, ...]
    respelled: tuple[str, ...] = ()
    escaped: tuple[bytes, ...] = ()
    bare: tuple[bytes, ...] = ()

    @property
    def raw(self) -> bytes:
        """Patient's Name as the file holds it."""
        return self.name if isinstance(self.name, bytes) else self.name.encode(self.codec)


class Spelled(NamedTuple):
    """The forms of a name in one encoding; those that an encoding before has written the same are left out."""

    person: Person
    encoding: str
    forms: tuple[bytes, ...]
    respelled: tuple[bytes, ...]

    @property
    def wide(self) -> bool:
        """Whether only places that can hold zeros take it."""
        return self.encoding == WIDE


def encoded(forms: Iterable[str], codec: str) -> Iterator[bytes]:
    """Write what a codec can write."""
    for form in forms:
        try:
            yield form.encode(codec)
        except UnicodeEncodeError:
            continue


def encodings(person: Person) -> Iterator[Spelled]:
    """Give every encoding that adds a spelling."""
    seen: set[bytes] = set()
    for codec in dict.fromkeys((*_ANYWHERE, person.codec or "ascii")):
        pair = [
            tuple(form for form in encoded(forms, codec) if form not in seen)
            for forms in (person.forms, person.respelled)
        ]
        seen.update(*pair)
        if any(pair):
            yield Spelled(person, codec, *pair)
    if person.escaped:
        yield Spelled(person, ESCAPED, person.escaped, ())


def searched(person: Person) -> set[bytes]:
    """Give every byte string that nobody may find, in lower case as far as ASCII goes."""
    words = {v for f in (*person.forms, *person.respelled) for v in (f, f.lower(), f.upper(), f.title())}
    codecs = (*_ANYWHERE, person.codec or "ascii")
    return {b.lower() for codec in codecs for b in encoded(words, codec)} | {b.lower() for b in person.bare}


def without_charset(s: Spelled) -> Spelled:
    """Leave out what can't be recognised in a file that names no character set."""
    if s.encoding in _NOT_TOLD:
        return s._replace(forms=(), respelled=())
    return s if s.encoding in (*_ANYWHERE, ESCAPED) else s._replace(respelled=())


def name_without_charset(s: Spelled) -> bytes:
    """Give the name as a file without a character set has it: as its copies, or in the next best encoding."""
    if s.encoding == ESCAPED:
        return s.person.raw
    text = s.person.name if isinstance(s.person.name, str) else "=".join(_groups(s.person))
    codecs = (s.encoding, "latin-1", "utf-8") if not s.wide else ("latin-1", "utf-8")
    return next(iter(b for codec in codecs for b in encoded([text], codec)))


def _groups(person: Person) -> list[str]:
    return [form for form in person.forms if "^" in form]
