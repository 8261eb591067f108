"""A part of the files for each of several machines, which tell each other nothing.

What needs its neighbours stays together: pairs, the files that a DICOMDIR names, and files that name nobody, which
take the patient of the study or folder around them. So what is shared out are the folders in the folder that is
named, each to its depth; where several are named, these. A folder with a DICOMDIR right in it is not parted. Which
shard has a folder is told by a digest of its path below the named one: neither order nor files that come later
change it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple, Self

from fastanon.errors import UsageError
from fastanon.files import Source


class Shard(NamedTuple):
    """The part of one machine: `number` of 1 to `parts`."""

    number: int
    parts: int

    @classmethod
    def of(cls, text: str) -> Self:
        """Read ``I/N``.

        Raises
        ------
        UsageError
            If it is none.
        """
        number, slash, count = text.partition("/")
        if slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count):
            return cls(int(number), int(count))
        raise UsageError("shard: I/N, a part I of 1 to N")

    def __str__(self) -> str:
        return f"{self.number}/{self.parts}"

    def part(self, listed: Sequence[Source]) -> list[Source]:
        """Give the files of this shard, in order."""
        roots = {item.root for item in listed}
        whole = len(roots) > 1 or any(_is_directory(item) for item in listed)
        return [item for item in listed if self._has(_group(item, whole))]

    def _has(self, group: str) -> bool:
        digest = blake2b(os.fsencode(group), digest_size=8).digest()
        return int.from_bytes(digest, "little") % self.parts == self.number - 1


def _is_directory(item: Source) -> bool:
    """Say whether it is a DICOMDIR (PS3.10 8.6) right in the folder that was named."""
    folder, name = os.path.split(item.path)
    return folder == item.root and os.path.splitext(name)[0].upper() == "DICOMDIR"


def _group(item: Source, whole: bool) -> str:
    """Give the path of the folder with which a file stays together, below what all that is named has in common."""
    below = os.path.relpath(item.path, item.root)
    if whole:
        return os.path.normpath(item.name.removesuffix(below) or ".")
    first, slash, _ = below.partition(os.sep)
    return first if slash else "."
