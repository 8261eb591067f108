"""Siemens spectroscopy files (``.rda``): a text header, then complex numbers as doubles, little endian.

``>>> Begin of header <<<``, lines of ``Key: value`` that end with CRLF, ``>>> End of header <<<``: checked on the
real file in the tests of the suspect project, where 16 bytes for each of 1024 complex points follow, and
nothing else. Readers look for the two marks alone. The character set is not declared.
"""

from __future__ import annotations

import re

from fastanon.errors import MalformedError
from fastanon.fields import Field, Space, Text

#: As many bytes are enough for any header: the real one has 2 kB.
MAX_HEADER = 1 << 16

_BEGIN = b">>> Begin of header <<<"
_END = re.compile(rb"(?:^|(?<=[\r\n]))[ \t]*>>> End of header <<<[ \t]*(?:\r?\n|\r)?")
_LINE = re.compile(rb"[^\r\n]+")
_NUMBER = re.compile(rb"[-+\d.,:eE ]*")
_LETTER = re.compile(rb"[A-Za-z\x80-\xff]")

_RULES = (
    ("physician", re.compile(r"(?i)physician")),
    ("patient", re.compile(r"(?i)^t?(other)?patient'?s?(birth|mothersbirth)?names?$")),
    ("id", re.compile(r"(?i)^t?(other)?patient'?s?ids?$|^accessionnumber$")),
    ("dob", re.compile(r"(?i)^t?patient'?s?(birth(date|day)?|dob)$")),
    ("age", re.compile(r"(?i)^t?patient'?s?age$")),
    ("operator", re.compile(r"(?i)operator")),
    ("institution", re.compile(r"(?i)^t?institution|department")),
    ("station", re.compile(r"(?i)station(name)?$|hostname$")),
    ("device", re.compile(r"(?i)serial(number)?$")),
    ("loid", re.compile(r"(?i)^studyid$|loid$")),
    ("uid", re.compile(r"(?i)uids?$|^t?frameofreference$")),
    ("date", re.compile(r"(?i)date(time)?$")),
)
_TEXT = re.compile(r"(?i)description|comment|protocolname|patientname")

#: Codes that readers and physics need, beside numbers and times of day.
_CODES = frozenset(
    "PatientSex PatientPosition ModelName SoftwareVersion SequenceName Nucleus"
    " HammingFilter FrequencyCorrection TransmitCoil".casefold().split()
)


def is_rda(data: bytes) -> bool:
    """Say whether bytes begin like such a file."""
    return data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_BEGIN)


def locate(head: bytes) -> tuple[int, int]:
    """Find the end of the header.

    Parameters
    ----------
    head : bytes
        The file from its start, `MAX_HEADER` bytes or all that there are.

    Returns
    -------
    tuple of int
        Where the closing mark begins, and where the payload does.

    Raises
    ------
    MalformedError
        If there is no such mark.
    """
    mark = _END.search(head, 0, MAX_HEADER)
    if mark is None:
        raise MalformedError("no end of the .rda header", offset=min(len(head), MAX_HEADER))
    return mark.start(), mark.end()


def fields(data: bytes, base: int, space: Space, key: tuple[str, ...]) -> list[Field]:
    """Give the values of a header that are text, in order and without the blanks around them.

    Arguments are those of `fastanon.siemens.csa.fields`; `data` is what `locate` takes, and as there
    MalformedError is raised. The last part of a field's key is that of its line, as it is written, without an
    index; ``text`` for a line that has none, such as the second of a comment. Unlike in Interfile, whose keys
    are mostly codes, a key that is not known here counts as text unless its value is a number.
    """
    found = []
    for line in _LINE.finditer(data, 0, locate(data)[0]):
        name, start = _split(line[0])
        value = line[0][start:]
        if not value.strip(b" \t\0") or not _is_text(name, value):
            continue
        first = base + line.start() + start + len(value) - len(value.lstrip(b" \t\0"))
        place = (first, first + len(value.strip(b" \t\0")))
        found.append(Field((*key, name), space, place, place, Text("latin-1")))
    return found


def rule_of(key: str) -> str | None:
    """Say what the value of a key is.

    Returns
    -------
    str or None
        ``patient``, ``physician``, ``dob``, ``id``, ``age``; ``operator``, ``institution``, ``station``,
        ``device``; ``loid`` for other IDs, ``uid``, ``date``; None for any other.
    """
    plain = re.sub(r"\[[^\]]*\]|[ _-]", "", key)
    return next((rule for rule, pattern in _RULES if pattern.search(plain)), None)


def _split(line: bytes) -> tuple[str, int]:
    """Give the key of a line and where its value begins."""
    found = re.match(rb"[ \t]*([A-Za-z]\w*)(\[[^\]\r\n]*\])?[ \t]*:", line)
    return (found[1].decode("ascii"), found.end()) if found else ("text", 0)


def _is_text(name: str, value: bytes) -> bool:
    if name == "text":
        return bool(_LETTER.search(value)) and not value.lstrip(b"\xef\xbb\xbf \t").startswith(_BEGIN)
    if name.casefold() in _CODES:
        return False
    return bool(rule_of(name) or _TEXT.search(name)) or not _NUMBER.fullmatch(value.strip(b" \t\0"))
