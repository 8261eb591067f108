"""A file's identifying values, and the byte patterns by which their copies are known.

A needle that is part of no structure still has to be a word: under 6 letters or 8 digits it must stand
delimited, unless it is of two or more ideographs; under 3 letters or 4 digits it is not searched for alone.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from fastanon import spellings, text
from fastanon.limits import check
from fastanon.spellings import CUTS, weight

_FIRST_IDEOGRAPH = "\u2e80"
_BACK = 3  # bytes of the escape that leads back to ASCII, and more than a single ideograph has

#: The codecs in which any file may hold a copy.
_EVERYWHERE = ("utf-8", "latin-1", "cp1252", "utf-16-le", "utf-16-be")


class Value(NamedTuple):
    """One identifying value, as it stands in one component group, date or ID.

    Attributes
    ----------
    kind : str
        ``name``, ``id`` or ``date``.
    text : str
        Decoded, without padding.
    encoding : str
        The character set of its file, as DICOM writes it or as a Python codec.
    new : str
        What replaces it; empty where only `x` may.
    cut : bool
        Whether a replacement that does not fit is cut, and not `x` throughout.
    """

    kind: str
    text: str
    encoding: str
    new: str
    cut: bool = False


class Needle(NamedTuple):
    """A byte pattern to search for.

    Attributes
    ----------
    data : bytes
        The pattern; in lower case where `fold` is set.
    fold : bool
        Whether ASCII letters match in either case.
    short : bool
        Whether it must stand delimited.
    codec : str
        How it and its replacement are spelled.
    kind, new, cut
        As of the value it comes from.
    escape : bytes
        What designates the set of its characters, where these look like ASCII (ISO 2022): it must stand before.
    """

    data: bytes
    fold: bool
    short: bool
    codec: str
    kind: str
    new: str
    escape: bytes = b""
    cut: bool = False

    @property
    def unit(self) -> int:
        """Bytes of one character."""
        return 2 if self.codec in ("utf-16-le", "utf-16-be") else 1


class Needles(tuple[Needle, ...]):
    """The needles of a file, longest first; what is remembered of them is found without a look at each."""

    def __hash__(self) -> int:
        if not hasattr(self, "_hash"):
            self._hash = super().__hash__()
        return self._hash


@functools.lru_cache(64)  # the files of a series have the same values
def needles_of(values: tuple[Value, ...]) -> tuple[Needles, int]:
    """Make the needles of a file.

    Parameters
    ----------
    values : tuple of Value
        Its identifying values.

    Returns
    -------
    needles : Needles
        Longest first.
    left_out : int
        How many values were too short or too common to be searched for.

    Raises
    ------
    MalformedError
        If they are more than the limit.
    """
    own = {codec for value in values for codec in text.codecs_of(value.encoding)}
    codecs = (*_EVERYWHERE, *sorted(own.difference(("ascii", *_EVERYWHERE))))
    found: dict[tuple[bytes, str, bytes], Needle] = {}
    left_out = 0
    for value in dict.fromkeys(values):
        if not value.text.strip("xX^ ") or value.text.lower() == value.new.lower():
            continue
        forms = list(spellings.forms(value.kind, value.text, value.new))
        left_out += not forms
        for needle in (n for form, new in forms for codec in codecs for n in _spell(form, new, codec, value)):
            found.setdefault((needle.data, needle.kind, needle.escape), needle)
        check("needles", len(found), "spellings of values to search for")
    return Needles(sorted(found.values(), key=lambda n: (-len(n.data), n.data))), left_out


def _spell(form: str, new: str, codec: str, value: Value) -> Iterator[Needle]:
    digits = sum(c.isdigit() for c in form)
    # "DOE, J" is not in "Doe, just"
    initials = len(form) < CUTS[0] and any(weight(word) < 3 for word in re.split(r"[\W_]+", form) if word)
    short = initials or weight(form) < (8 if digits == weight(form) else 6)
    short = short and sum(c >= _FIRST_IDEOGRAPH for c in form) < 2  # nothing delimits words of ideographs
    variants = {form} if form.isascii() else {form, form.lower(), form.upper(), form.title()}
    if codec in text.ESCAPES:
        yield from _spell_escaped(form, new, codec, value.kind)
        return
    for variant in variants:
        try:
            data = variant.encode(codec)
        except UnicodeEncodeError:
            continue
        fold = codec in _EVERYWHERE or form.isascii()
        if codec == "utf-16-be":  # its first zero may belong to what stands before
            data = data.removeprefix(b"\0")
        yield Needle(data.lower() if fold else data, fold, short, codec, value.kind, new, b"", value.cut)


def _spell_escaped(form: str, new: str, codec: str, kind: str) -> Iterator[Needle]:
    """Give the two-byte characters between the escape that designates them and the one that leads back."""
    try:
        data = form.encode(codec)
    except UnicodeEncodeError:
        return
    for escape in text.ESCAPES[codec]:
        first, inside, back = data[: len(escape)], data[len(escape) : -_BACK], data[-_BACK:]
        if first[:2] == escape[:2] and back[:1] == b"\x1b" and b"\x1b" not in inside and len(inside) > _BACK:
            yield Needle(inside, False, False, codec, kind, new, escape)
