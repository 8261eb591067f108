"""Character sets, padding, and what a replacement may be."""

from __future__ import annotations

import datetime
import functools
import re

from fastanon.errors import PlanError, ReplacementError
from fastanon.fields import Text

#: Defined terms of (0008,0005) that need no code extensions (PS3.3 C.12.1.1.2) and Python's codecs.
CODECS = {
    "": "ascii", "ISO_IR 6": "ascii", "ISO_IR 100": "latin-1", "ISO_IR 101": "iso8859-2",
    "ISO_IR 109": "iso8859-3", "ISO_IR 110": "iso8859-4", "ISO_IR 144": "iso8859-5", "ISO_IR 127": "iso8859-6",
    "ISO_IR 126": "iso8859-7", "ISO_IR 138": "iso8859-8", "ISO_IR 148": "iso8859-9", "ISO_IR 203": "iso8859-15",
    "ISO_IR 13": "shift_jis", "ISO_IR 166": "tis-620", "ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk",
}  # fmt: skip

#: Python's names, as readers of texts give them. A file's own word is none: some codecs are no character sets.
_OF_TEXTS = frozenset(CODECS.values())

#: In these a second byte may be a backslash, so a value is decoded before it is split.
_MULTIBYTE = {"shift_jis", "gb18030", "gbk"}

#: The same with code extensions (PS3.3 C.12.1.1.2), in which each is designated by an escape.
_EXTENSIONS = {
    **CODECS,
    "ISO_IR 87": "iso2022_jp", "ISO_IR 159": "iso2022_jp_2", "ISO_IR 149": "euc_kr", "ISO_IR 58": "gb2312",
}  # fmt: skip

#: The escapes before two-byte characters that look like ASCII, JIS X 0208 of either year and JIS X 0212.
ESCAPES = {"iso2022_jp": (b"\x1b$B", b"\x1b$@"), "iso2022_jp_2": (b"\x1b$(D",)}

#: What an escape in a text that declares no character set tells of it.
_DESIGNATED = {
    b"$B": "ISO 2022 IR 87", b"$@": "ISO 2022 IR 87", b"$(D": "ISO 2022 IR 159", b"$)C": "ISO 2022 IR 149",
    b"$)A": "ISO 2022 IR 58", b"-A": "ISO 2022 IR 100", b"-B": "ISO 2022 IR 101", b"-F": "ISO 2022 IR 126",
    b"-L": "ISO 2022 IR 144", b")I": "ISO 2022 IR 13",
}  # fmt: skip

_TERM = re.compile(r" *(?:ISO|GB)[A-Z0-9 _-]+")

_FORBIDDEN = {"\\": "a backslash", '"': "a double quote", "{": "a brace", "}": "a brace"}


@functools.lru_cache(256)
def codec_of(encoding: str) -> str | None:
    """Give Python's codec for a character set without code extensions, None for one with them."""
    terms = [term.strip() for term in encoding.split("\\")]
    first = terms[0].replace("ISO 2022 IR", "ISO_IR").replace("ISO-IR", "ISO_IR").replace("ISO_IR_", "ISO_IR ")
    if len(terms) > 1 and any(term not in ("", "ISO 2022 IR 6", terms[0]) for term in terms):
        return None
    return CODECS.get(first) or (encoding if encoding in _OF_TEXTS else None)


def codecs_of(encoding: str) -> list[str]:
    """Give Python's codecs for all parts of a character set, those of code extensions too."""
    single = codec_of(encoding)
    if single is not None:
        return [single]
    terms = (term.strip().replace("ISO 2022 IR", "ISO_IR") for term in encoding.split("\\"))
    return [_EXTENSIONS[term] for term in terms if term in _EXTENSIONS]


def _terms(encoding: str) -> list[str]:
    """Give the terms of a character set, empty ones for those that can't be the name of any."""
    return [term if _TERM.fullmatch(term) else "" for term in encoding.split("\\")]


def is_known(encoding: str) -> bool:
    """Say whether a character set can be one: a file may name anything, codecs of Python that are none too."""
    return codec_of(encoding) is not None or any(_terms(encoding))


def guessed(value: bytes) -> str:
    """Guess the character set of a text that declares none: what its escapes say, or UTF-8, or Latin-1."""
    terms = [term for escape, term in _DESIGNATED.items() if b"\x1b" + escape in value]
    if terms:
        return "\\".join(["", *dict.fromkeys(terms)])
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "ascii" if value.isascii() else "utf-8"


def decode(value: bytes, encoding: str) -> str:
    """Decode a value; what its character set does not hold becomes a replacement character or latin-1."""
    codec = codec_of(encoding)
    if codec is not None:
        return value.decode("latin-1" if codec == "ascii" else codec, "replace")
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii")
    return _decode_extended(value, encoding)


def _decode_extended(value: bytes, encoding: str) -> str:
    """Decode ISO 2022 code extensions, which pydicom knows how to do; imported for such files alone."""
    import warnings

    from pydicom.charset import convert_encodings, decode_bytes
    from pydicom.valuerep import PN_DELIMS, TEXT_VR_DELIMS

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return decode_bytes(value, convert_encodings(_terms(encoding)), TEXT_VR_DELIMS | PN_DELIMS | {0x3D})
        except (LookupError, ValueError):  # no character set for all that it looks like one
            return value.decode("latin-1")


def encode(value: str, encoding: str) -> bytes:
    """Encode a replacement in the character set of its dataset.

    Raises
    ------
    PlanError
        If the character set can't hold it: with code extensions, all but ASCII.
    """
    codec = codec_of(encoding) or "ascii"
    try:
        return value.encode(codec)
    except UnicodeEncodeError:
        shown = encoding or "the default repertoire"
        raise PlanError(f"the replacement can't be written in the character set {shown!r}") from None


def split_values(value: bytes, encoding: str) -> list[str]:
    """Decode a value of a VR with multiplicity and split it at its backslashes, padding removed."""
    if codec_of(encoding) in _MULTIBYTE or codec_of(encoding) is None:
        values = decode(value, encoding).split("\\")
    else:
        values = [decode(part, encoding) for part in value.split(b"\\")]
    return [part.strip(" \0") for part in values]


def fit(new: bytes, room: int, text: Text) -> bytes:
    """Fill a value up to the room it had, or to even length where it is longer (PS3.5 6.2)."""
    size = room if len(new) <= room else len(new) + len(new) % 2
    return new + text.pad * (size - len(new))


def masked(new: bytes, room: int, text: Text) -> bytes:
    """Give a replacement of exactly `room` bytes: padded, or `x` throughout where it does not fit.

    Siemens' own anonymized export writes such `x`.
    """
    return new + text.pad * (room - len(new)) if len(new) <= room else b"x" * room


def check_name(value: str, what: str) -> None:
    """Raise ReplacementError if a person name can't be written (PS3.5 6.2, VR PN) or breaks a protocol text."""
    for character in value:
        if character in _FORBIDDEN or not character.isprintable():
            raise ReplacementError(f"{what}: {_FORBIDDEN.get(character, 'a control character')} is not allowed")
    groups = value.split("=")
    if len(groups) > 3:
        raise ReplacementError(f"{what}: a person name has at most 3 component groups")
    for group in groups:
        if group.count("^") > 4:
            raise ReplacementError(f"{what}: a person name has at most 5 components")
        if len(group) > 64:
            raise ReplacementError(f"{what}: a person name has at most 64 characters a component group")


def check_date(value: str, what: str) -> None:
    """Raise ReplacementError unless the value is a date as YYYYMMDD (PS3.5 6.2, VR DA)."""
    try:
        if len(value) != 8 or not value.isascii():
            raise ValueError
        datetime.datetime.strptime(value, "%Y%m%d")
    except ValueError:
        raise ReplacementError(f"{what}: a date must be YYYYMMDD") from None
