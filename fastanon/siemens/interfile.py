"""Interfile headers: lines of ``key:=value``, of which few hold words that people wrote.

They stand in (0029,xx10) of SIEMENS CSA NON-IMAGE, and in files beside list-mode, sinograms and images. The
keys are those of the standard (Interfile V3.3), of CPS' and Siemens' headers (``%``), as STIR and CPS' own
programs read them, and of HRRT and ECAT headers, which begin with a bare ``!INTERFILE`` and name the patient.
Lines end with LF, CRLF, or CR CR LF in mMR norms (pet-rd-tools has a cleaner for those). NIPET decodes a
header as ASCII, so nothing else may be written into one.

A key that is not known here holds a number, a code or a time of day, and is no field: word counts, the originating
system, isotopes, and ``scan data type description``, a code by which STIR sorts prompts from randoms. Dates are
fields. CPS also writes them as seconds since 1970, in keys such as ``%study UTC (sec)`` (its Interfile.cpp).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastanon.fields import Box, Field, Space, Text
from fastanon.limits import check, limits

#: Where the first line that is no comment has to end, and the longest key: longer ones are text.
_HEAD, _LONGEST_KEY = 4096, 256

_LINE = re.compile(rb"[^\r\n\0]+")
_FIRST = re.compile(rb"(?i)(?:\xef\xbb\xbf)?[ \t]*(?:(?:![ \t]*)?INTERFILE[ \t]*:=|!INTERFILE[ \t]*$)")
_LAST = re.compile(rb"(?i)(?:^|[\r\n\0])[ \t]*(?:![ \t]*)?END OF INTERFILE[^\r\n\0]*")
_LETTER = re.compile(rb"[A-Za-z\x80-\xff]")

_PATIENT = r"\bpatients?(?: [a-z]+)*? ?(?:(?<=patient)|(?<=patients)|(?<= ))"
#: Compiled when the first Interfile header is met: `re` keeps them.
_RULES = (
    ("physician", r"physicians?\b"),
    ("patient", _PATIENT + r"names?\b"),
    ("id", _PATIENT + r"ids?\b|^(?:accession|medical record) number$"),
    ("dob", _PATIENT + r"(?:dob|birth[a-z]*)\b|^(?:dob|date of birth|birth ?date)$"),
    ("age", _PATIENT + r"age$"),
    ("file", r"\bfile ?names?\b|\bfile$|^data set$|\b(?:path|directory|folder)$"),
    ("operator", r"\boperators?\b|^contact person$"),
    ("institution", r"\b(?:institutions?|hospitals?|departments?)\b"),
    ("station", r"\b(?:(?:work)?station|host)(?: ?name)?$"),
    ("device", r"\bserial(?: number)?$"),
    ("loid", r"^(?:study|exam) ?id$"),
    ("uid", r"\buids?$|^frame of reference$"),
    # Interfile V3.3 dates its own keys and the program too: versions, and no days of the exam.
    ("date", r"^(?!.*\b(?:keys|program|software|version|release)\b).*\b(?:study|exam)?(?:date|utc)\b"),
)
_TEXT = re.compile(r"\b(?:comments?|remarks?)\b|(?<!data type )\bdescription$|^name of ")

_COUNTED = ("number of", "total number of")

_Run = tuple[str, int, int]


def is_interfile(data: bytes) -> bool:
    """Say whether a text is an Interfile header: its first line that is neither blank nor comment says so."""
    for line in _LINE.finditer(data[:_HEAD]):
        text = line[0].strip(b" \t")
        if text and not text.startswith(b";"):
            return bool(_FIRST.match(text)) and b":=" in data[:_HEAD]
    return False


def end_of(data: bytes) -> int:
    """Give the end of the line ``!END OF INTERFILE :=``, behind which data may follow, or that of the bytes."""
    last = _LAST.search(data)
    return last.end() if last else len(data)


def fields(data: bytes, base: int, space: Space, key: tuple[str, ...], box: Box | None = None) -> list[Field]:
    """Give the values that are text, in order and without the blanks around them.

    Arguments are those of `fastanon.siemens.csa.fields`, and the box around `data`. The last part of a field's key
    is that of its line, in lower case, without `!` and `%`, index included; ``;`` for a comment, ``text`` for a
    line without a key.
    Of ``%data set [1]:={0,,name}`` the file names are given, each by itself. Raises MalformedError past a limit.
    """
    check("text", end_of(data), "bytes in one text", base)
    found: list[Field] = []
    most = limits().fields
    for line in _LINE.finditer(data, 0, end_of(data)):
        for name, start, end in _texts(line[0]):
            at = line.start() + base
            place = (at + start, at + end)
            found.append(Field((*key, name), space, place, place, Text("ascii"), box, fixed=False))
        if len(found) > most:
            check("fields", len(found), "pieces of text in one", found[-1].value[0])
    return found


def rule_of(key: str) -> str | None:
    """Say what the value of a key is.

    Returns
    -------
    str or None
        ``patient``, ``physician``, ``dob``, ``id``, ``age``; ``file``; ``operator``, ``institution``, ``station``,
        ``device``; ``loid`` for other IDs, ``uid``, ``date``; None for any other. Which number of a date is the
        day stands in the key, as in ``study date (dd:mm:yryr)`` of the HRRT.
    """
    plain = _plain(key)
    if plain.startswith(_COUNTED):
        return None
    return next((rule for rule, pattern in _RULES if re.search(pattern, plain)), None)


def _plain(key: str) -> str:
    """Give a key as words in lower case: without marks, index and unit."""
    return " ".join(re.findall("[a-z]+", re.sub(r"\[[^\]]*\]|\([^)]*\)|'", " ", key.lower())))


def _is_text(key: str) -> bool:
    plain = _plain(key)
    return rule_of(key) is not None or (not plain.startswith(_COUNTED) and bool(_TEXT.search(plain)))


def _texts(line: bytes) -> Iterator[_Run]:
    """Give what is text in a line, as name, start and end."""
    split = line.find(b":=", 0, _LONGEST_KEY)
    comment = line.lstrip(b" \t")[:1] == b";"
    name = " ".join(line[: max(split, 0)].decode("latin-1").lower().strip(" \t!%;").split())
    if comment and not (split >= 0 and rule_of(name)):
        yield from _trimmed(line, ";", line.index(b";") + 1, len(line))
    elif split < 0:
        if line.lstrip(b" \t")[:1] not in (b"!", b"%") and _LETTER.search(line):
            yield from _trimmed(line, "text", 0, len(line))
    elif _plain(name) == "data set":
        yield from _data_set(line, name, split + 2)
    elif _is_text(name):
        yield from _trimmed(line, name, split + 2, len(line))


def _data_set(line: bytes, name: str, start: int) -> Iterator[_Run]:
    """Give header and data file of ``{code,header,data}``; as one where a name has commas of its own."""
    opened = line.find(b"{", start)
    if opened < 0:
        yield from _trimmed(line, name, start, len(line))
        return
    at, end = line.find(b",", opened) + 1, line.rfind(b"}")
    end = end if end > opened else len(line)
    if not 0 < at < end:
        return
    if line.count(b",", at, end) == 1:
        middle = line.index(b",", at)
        yield from _trimmed(line, name, at, middle)
        at = middle
    yield from _trimmed(line, name, at, end, b" \t,")


def _trimmed(line: bytes, name: str, start: int, end: int, blanks: bytes = b" \t") -> Iterator[_Run]:
    """Give a run without the blanks around it, and nothing where nothing is left."""
    value = line[start:end]
    first = start + len(value) - len(value.lstrip(blanks))
    last = start + len(value.rstrip(blanks))
    if first < last:
        yield name, first, last
