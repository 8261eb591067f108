"""File names: they identify too."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fastanon import urls
from fastanon.dicomdir import FileNames
from fastanon.identity import Needle
from fastanon.scan import Hit, find
from fastanon.scheme import Scheme

#: Letters by which needles are found: no needle of a path has fewer but those of ideographs.
_START = 3
_REMEMBERED = 256  # names in paths, of which each is asked for several times

#: What a replacement may not bring into a file name; one of dots alone would lead to another folder.
_UNSAFE = re.compile(r"[^\w.-]+|^\.+")

#: UIDs in file names, as archives call their files.
_UID = re.compile(r"(?<!\d)(?<!\d\.)(?:[012](?:\.\d+){7,}|2\.25\.\d{20,39}(?:\.\d+)?)(?!\d)")


class Met:
    """The needles of all files so far that paths may hold, by their first bytes: few stand in any one path."""

    def __init__(self, needles: Iterable[Needle] = ()) -> None:
        self._needles: dict[bytes, tuple[int, Needle]] = {}
        self._by_start: dict[bytes, list[bytes]] = {}
        self._last: Iterable[Needle] = ()
        self._known: dict[bytes, set[tuple[int, Needle]]] = {}  # of the last few names in paths
        self.add(needles)

    def add(self, needles: Iterable[Needle]) -> None:
        """Add the needles of a file; those of the file before are there."""
        if needles is self._last:
            return
        self._last = needles
        self._known.clear()
        for needle in needles:
            # as paths are spelled; dates only where they are written without slashes
            if needle.codec == "utf-8" and needle.data not in self._needles and b"/" not in needle.data:
                self._needles[needle.data] = (len(self._needles), needle)
                self._by_start.setdefault(needle.data[:_START].lower(), []).append(needle.data)

    def in_path(self, data: bytes) -> list[Needle]:
        """Give the needles that may stand in a path, in the order in which they were met."""
        found: set[tuple[int, Needle]] = set().union(*map(self._in_name, data.split(b"/")))
        return [needle for _, needle in sorted(found, key=lambda one: one[0])]

    def _in_name(self, name: bytes) -> set[tuple[int, Needle]]:
        """Give the same for one name of a path: those of its folders are the same for many files."""
        if name not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[name] = set(self._found(name))
        return self._known[name]

    def _found(self, name: bytes) -> Iterator[tuple[int, Needle]]:
        folded = name.lower()
        starts = {folded[at : at + size] for size in range(1, _START + 1) for at in range(len(folded))}
        for start in starts & self._by_start.keys():
            for known in self._by_start[start]:
                if known in (folded if self._needles[known][1].fold else name):
                    yield self._needles[known]


def hits_in_path(path: str, met: Met) -> list[Hit]:
    """Find needles in a path."""
    data = os.fsencode(path)
    spelled = met.in_path(data)
    return [hit for hit in find(data, spelled) if b"/" not in data[hit.start : hit.end]] if spelled else []


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

    def shown(self, path: str, met: Met) -> str:
        """Give a path to show: each word and each UID that goes as its kind and a running number."""
        return self._written(
            urls.shown(path), met, lambda uid: f"<uid{self._number('uid', uid.encode())}>",
            lambda needle, number: f"<{needle.kind}{number}>",
        )  # fmt: skip

    def cleaned(self, name: str, met: Met) -> str:
        """Give a path to write to: each UID mapped, each word as its replacement.

        Words that are the same for everybody get a number from the second on.
        """
        return self._written(name, met, self._scheme.uid if self._scheme else str, self._in_a_name)

    def _written(
        self,
        path: str,
        met: Met,
        spell_uid: Callable[[str], str],
        spell: Callable[[Needle, int], str],
    ) -> str:
        """Spell a path anew; the UIDs that are pseudonyms already stay."""
        parts, at, scheme = [], 0, self._scheme
        for uid in _UID.finditer(path) if scheme is not None else ():
            if scheme is not None and not scheme.pseudonyms.uid_bits(uid[0]):
                parts += [self._replaced(path[at : uid.start()], met, spell), spell_uid(uid[0])]
                at = uid.end()
        return "".join([*parts, self._replaced(path[at:], met, spell)])

    def _in_a_name(self, needle: Needle, number: int) -> str:
        word = _UNSAFE.sub("_", needle.new) or needle.kind
        return word if number == 1 or (self._keyed and needle.new) else f"{word}{number}"

    def _replaced(self, path: str, met: Met, spell: Callable[[Needle, int], str]) -> str:
        hits = hits_in_path(path, met)
        if not hits:
            return path
        data = os.fsencode(path)
        for hit in reversed(hits):
            word = (hit.needle.kind, data[hit.start : hit.end].lower())
            data = data[: hit.start] + os.fsencode(spell(hit.needle, self._number(*word))) + data[hit.end :]
        return os.fsdecode(data)

    def _number(self, kind: str, word: bytes) -> int:
        """Give the running number of a word of its kind."""
        return self._numbers.setdefault((kind, word), 1 + sum(known == kind for known, _ in self._numbers))


@dataclass(frozen=True)
class Renamed:
    """How the names of files that stand in headers follow.

    Attributes
    ----------
    mask : Mask
        What cleans the names of the files themselves.
    met : Met
        What is cleaned away.
    names : mapping of str or None
        Names that are known to change to others; None where files stay where they are.
    files : FileNames or None
        New paths by old ones, from the folder of a DICOMDIR.
    there : str
        The name of the payload beside a file that stays: it may be written even where it is longer.
    asked : dict
        What was given so far, by path and room: who knows more can tell whether it is still right.
    """

    mask: Mask
    met: Met
    names: Mapping[str, str] | None = None
    files: FileNames | None = None
    there: str = ""
    asked: dict[tuple[str, int], str] = field(default_factory=dict)

    def of(self, path: str, room: int) -> str:
        """Give the path as a header has to name it; of files that stay, `x` throughout where that does not fit."""
        self.asked[path, room] = new = self._of(path, room)
        return new

    def _of(self, path: str, room: int) -> str:
        at = max(path.rfind("/"), path.rfind("\\")) + 1
        new = self.mask.cleaned(path, self.met)
        if self.names is None:
            fits = len(new) <= room or (self.there and os.path.basename(new) == self.there)
            return new if fits else "x" * room
        name = self.names.get(path[at:])
        return new if name is None else self.mask.cleaned(path[:at], self.met) + name
