"""Whether a planted value stands in bytes: `bytes.find`, and nothing that the program has."""

from __future__ import annotations

import base64
from collections.abc import Iterable


class Oracle:
    """Knows the planted values: in ASCII in either case, in UTF-16 of both orders, and in base64.

    Parameters
    ----------
    canaries : iterable of str
        What was planted.
    """

    def __init__(self, canaries: Iterable[str]) -> None:
        words = sorted(set(canaries))
        self._folded = [
            (w, w.lower().encode(codec)) for w in words for codec in ("utf-8", "utf-16-le", "utf-16-be")
        ]
        self._packed = [(w, one) for w in words for one in _base64(w.encode())]

    def found(self, data: bytes) -> list[str]:
        """Name the values that stand in bytes."""
        lower = data.lower()
        seen = {word for word, spelled in self._folded if lower.find(spelled) >= 0}
        return sorted(seen | {word for word, spelled in self._packed if data.find(spelled) >= 0})


def _base64(word: bytes) -> list[bytes]:
    """Give what every base64 text holds in which a word stands, for each of its three places."""
    if len(word) < 8:
        return []
    found = []
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + word)
        found.append(whole[(shift * 8 + 5) // 6 : (shift + len(word)) * 8 // 6])
    return found
