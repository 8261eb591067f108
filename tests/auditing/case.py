"""What makes a case: somebody, a value of the patient's, a place in a file."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

from fastanon.fields import Place as Leak
from fastanon.report import Report
from tests.canary import CANARIES

FIRST, LAST, NUMBER, BIRTH = CANARIES

#: What stands at a place where nothing identifies.
NOTHING = b"[nothing]"

Files: TypeAlias = "dict[str, bytes]"


class Who(NamedTuple):
    """Whose file it is, as its bytes say it."""

    name: bytes
    number: bytes
    birth: bytes
    physician: bytes
    charset: bytes = b"ISO_IR 100"


PATIENT = Who(f"{LAST}^Zyxwärth".encode("latin-1"), NUMBER.encode(), BIRTH.encode(), b"ROSSETTI^CARLO")
NOBODY = Who(b"PLAIN^PAUL", b"000-0000-00", b"19800101", b"OTHER^OLGA")


class Value(NamedTuple):
    """Something of the patient's: what kind the report should call it, and how it is written."""

    kind: str
    data: bytes
    codec: str = "latin-1"

    @property
    def is_wide(self) -> bool:
        """Whether it has zeros, which end many texts."""
        return self.codec.startswith("utf-16")

    @property
    def planted(self) -> bytes:
        """It and its brackets; of UTF-16 in big endian it begins with the first byte that is no zero."""
        before, after = "[".encode(self.codec), "]".encode(self.codec)
        return before + b"\0" * (self.codec == "utf-16-be") + self.data + after


#: The whole name and its parts, in other orders, joints and cases; without accents, with letters lost, cut off.
_NAMES = (
    f"{LAST}^Zyxwärth", f"{LAST}, Zyxwärth", f"Zyxwärth {LAST}", LAST, "Zyxwärth", f"zyxwärth_{LAST.lower()}",
    "Quillfeather", "ZYXWÄRTH", unicodedata.normalize("NFD", "Zyxwärth"), FIRST, f"{LAST}^{FIRST}",
    f"{FIRST}.{LAST}".lower(), f"{LAST}{FIRST}", "Zyxwaerth", "ZYXWAERTH QUILLFEATHER", "Zyxw?rth", "Zyxw??rth",
    f"{LAST}^Zyx",
)  # fmt: skip
_WIDE = (f"{LAST}^Zyxwärth", "Zyxwärth", "quillfeather", "Zyxwarth", NUMBER)
_DATES = (
    "19430217", "1943-02-17", "1943.02.17", "1943:02:17", "1943/02/17", "17.02.1943", "17/02/1943", "02/17/1943",
    "17-02-1943",
)  # fmt: skip


def _values() -> tuple[Value, ...]:
    found = []
    for codec in ("latin-1", "utf-8"):
        found += [Value("name", s.encode(codec), codec) for s in _NAMES if codec == "utf-8" or _is_latin(s)]
    for codec in ("utf-16-le", "utf-16-be"):
        for text in _WIDE:
            data = text.encode(codec)
            found.append(Value("id" if text == NUMBER else "name", data[codec == "utf-16-be" :], codec))
    found += [Value("name", text.encode()) for text in ("ROSSETTI^CARLO", "Rossetti", "Carlo Rossetti")]
    found += [Value("id", text.encode()) for text in (NUMBER, NUMBER.lower())]
    found += [Value("date", text.encode()) for text in _DATES]
    return tuple({value.data: value for value in reversed(found)}.values())


def _is_latin(text: str) -> bool:
    return all(ord(c) < 0x100 for c in text)


VALUES = _values()


class Place(NamedTuple):
    """A place in a file.

    Attributes
    ----------
    where : str
        A part of what the report should call it.
    files : callable
        Writes all files, for somebody and with some text at the place.
    takes : callable
        Says of a value whether it can stand there.
    spelled : callable
        Gives the bytes that a value becomes there.
    inside : callable
        Gives of the bytes of a file those in which offsets count.
    """

    where: str
    files: Callable[[Who, bytes], Files]
    takes: Callable[[Value], bool] = lambda value: not value.is_wide
    spelled: Callable[[Value], bytes] = lambda value: value.data
    inside: Callable[[bytes], bytes] = lambda data: data


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files, in place of those of the same name."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def takes_any(_: Value) -> bool:
    """Take a value in any encoding."""
    return True


def leaks_of(report: Report) -> list[Leak]:
    """Give all leaks in a report, file after file."""
    return [leak for file in report.files if file.audit for leak in file.audit.leaks]
