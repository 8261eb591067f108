"""What a program left of the patient, and what it lost: by a plain search of bytes, and read by pydicom."""

from __future__ import annotations

import functools
import hashlib
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

import pydicom

from benchmarks.remains import tags_of_csa
from fastanon.synthetic import Person

T = TypeVar("T")

_BLOCK = 16 << 20
#: The family name, as it is spelled in values and in file names, in ASCII and UTF-16; either case by `lower`.
_FAMILY = Person().family.lower()
_FORMS = tuple(
    form.encode(codec)
    for form in dict.fromkeys((_FAMILY, _FAMILY.replace(" ", "_")))
    for codec in ("ascii", "utf-16-le", "utf-16-be")
)
#: Pixels, and list-mode in the private block of Siemens that is the first in these files.
_PAYLOADS = (0x7FE00010, 0x7FE11010)
_CSA = (0x10, 0x20)


class Traces(NamedTuple):
    """Of all files together: copies of the name, and in words what became of payload and private data."""

    names: int
    payload: str
    private: str

    @property
    def whole(self) -> bool:
        """Say whether the payload is the same, and private data were not thrown away."""
        return self.payload == "intact" and not {"dropped", "BROKEN", "UNREADABLE"} & set(
            self.private.split(" or ")
        )


def traces(before: Iterable[Path], folder: Path, *, nested: bool = False) -> Traces:
    """Compare the files in a folder with those of the same names that they were made of.

    Private data are the CSA headers, with all tags and lengths, or if `nested` all private elements at any depth.
    """
    names, payloads, private = 0, set(), set()
    for old in before:
        new = folder / old.name
        if not new.is_file():
            return Traces(0, "no output", "no output")
        names += names_in(new)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            payloads.add(_seen(_payload, old, new))
            private.add(_seen(_elements if nested else _headers, old, new))
    return Traces(names, " or ".join(sorted(payloads)), " or ".join(sorted(private)))


def _seen(look: Callable[[Path, Path], str], old: Path, new: Path) -> str:
    try:
        return look(old, new)
    except Exception:  # noqa: BLE001  # whatever it is, pydicom can't read what a program wrote
        return "UNREADABLE"


def names_in(path: Path) -> int:
    """Count the copies of the name, wherever they stand."""
    found, overlap = 0, max(map(len, _FORMS)) - 1
    with path.open("rb") as file:
        tail = b""
        while block := file.read(_BLOCK):
            data = tail + block.lower()
            found += sum(data.count(form) - tail.count(form) for form in _FORMS)
            tail = data[-overlap:]
    return found


def digest(path: Path) -> str:
    """Digest the payload, found by pydicom and read from the file in blocks; empty if there is none."""
    found = hashlib.blake2b()
    with path.open("rb") as file:
        known = pydicom.dcmread(file, defer_size=1 << 16)._dict  # to ask for an element would read all of it
        raw = [known[tag] for tag in _PAYLOADS if tag in known]
        if not raw:
            return ""
        file.seek(raw[0].value_tell)
        left = raw[0].length
        while left:
            block = file.read(min(left, _BLOCK))
            found.update(block)
            left -= len(block)
    return found.hexdigest()


def _payload(old: Path, new: Path) -> str:
    after = digest(new)
    return "dropped" if not after else "intact" if after == _of_input(digest, old) else "CHANGED"


def _headers(old: Path, new: Path) -> str:
    after = _csa(new)
    if None in after:
        return "BROKEN"
    return "kept" if after == _of_input(_csa, old) else "dropped" if not after else "changed"


def _csa(path: Path) -> list[object]:
    dataset = pydicom.dcmread(path, defer_size=1 << 20)
    try:
        block = dataset.private_block(0x0029, "SIEMENS CSA HEADER")
    except KeyError:
        return []
    return [tags_of_csa(block[element].value) for element in _CSA if element in block]


def _elements(old: Path, new: Path) -> str:
    before, after = _of_input(_count, old), _count(new)
    return "kept" if after >= before else "dropped" if not after else f"{after} of {before} kept"


def _count(path: Path) -> int:
    return sum(element.tag.is_private for element in pydicom.dcmread(path, defer_size=1 << 20).iterall())


@functools.cache
def _of_input(look: Callable[[Path], T], path: Path) -> T:
    """Look at an input once: it is compared with the output of every program."""
    return look(path)
