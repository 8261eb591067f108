"""File names: they identify too."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from fastanon.dicomdir import FileNames
from fastanon.identity import Needle
from fastanon.scan import Hit, find
from fastanon.scheme import Scheme

#: What a replacement may bring into a file name.
_UNSAFE = re.compile(r"[^\w.-]+")

#: UIDs in file names, as archives call their files.
_UID = re.compile(r"(?<![\d.])(?:[012](?:\.\d+){7,}|2\.25\.\d{20,39}(?:\.\d+)?)(?!\d)")


def hits_in_path(path: str, needles: Iterable[Needle]) -> list[Hit]:
    """Find needles in a path; dates only where they are written without slashes."""
    spelled = [n for n in needles if n.codec == "utf-8" and b"/" not in n.data]
    return [hit for hit in find(os.fsencode(path), spelled) if b"/" not in os.fsencode(path)[hit.start : hit.end]]


class Mask:
    """Write paths without what identifies in them: the same word everywhere becomes the same, others do not.

    Parameters
    ----------
    scheme : Scheme or None
        What gives pseudonyms and UIDs to paths that are written to; without one, words are numbered.
    """

    def __init__(self, scheme: Scheme | None = None) -> None:
        self._numbers: dict[tuple[str, bytes], int] = {}
        self._keyed = scheme is not None and scheme.keyed
        self._scheme = scheme if scheme is not None and scheme.maps_uids else None

    def shown(self, path: str, needles: Iterable[Needle]) -> str:
        """Give a path to show: each word as its kind and a running number."""
        return self._replaced(path, needles, lambda needle, number: f"<{needle.kind}{number}>")

    def cleaned(self, name: str, needles: Iterable[Needle]) -> str:
        """Give a path to write to: each UID mapped, each word as its replacement.

        Words that are the same for everybody get a number from the second on.
        """
        parts, at = [], 0
        for uid in _UID.finditer(name):
            parts += [self._replaced(name[at : uid.start()], needles, self._in_a_name), self._mapped(uid[0])]
            at = uid.end()
        return "".join([*parts, self._replaced(name[at:], needles, self._in_a_name)])

    def _mapped(self, uid: str) -> str:
        """Map a UID, unless it is a pseudonym already: the names of own output stay."""
        if self._scheme is None or self._scheme.pseudonyms.uid_bits(uid):
            return uid
        return self._scheme.uid(uid)

    def _in_a_name(self, needle: Needle, number: int) -> str:
        word = _UNSAFE.sub("_", needle.new) or needle.kind
        return word if number == 1 or (self._keyed and needle.new) else f"{word}{number}"

    def _replaced(self, path: str, needles: Iterable[Needle], spell: Callable[[Needle, int], str]) -> str:
        data = os.fsencode(path)
        for hit in reversed(hits_in_path(path, needles)):
            word = (hit.needle.kind, data[hit.start : hit.end].lower())
            number = self._numbers.setdefault(word, 1 + sum(kind == word[0] for kind, _ in self._numbers))
            data = data[: hit.start] + os.fsencode(spell(hit.needle, number)) + data[hit.end :]
        return os.fsdecode(data)


@dataclass(frozen=True)
class Renamed:
    """How the names of files that stand in headers follow.

    Attributes
    ----------
    mask : Mask
        What cleans the names of the files themselves.
    needles : iterable of Needle
        What is cleaned away.
    names : mapping of str or None
        Names that are known to change to others; None where files stay where they are.
    files : FileNames or None
        New paths by old ones, from the folder of a DICOMDIR.
    """

    mask: Mask
    needles: Iterable[Needle]
    names: Mapping[str, str] | None = None
    files: FileNames | None = None

    def of(self, path: str, room: int) -> str:
        """Give the path as a header has to name it; of files that stay, `x` throughout where that does not fit."""
        at = max(path.rfind("/"), path.rfind("\\")) + 1
        new = self.mask.cleaned(path, self.needles)
        if self.names is None:
            return new if len(new) <= room else "x" * room
        name = self.names.get(path[at:])
        return new if name is None else self.mask.cleaned(path[:at], self.needles) + name
