"""The matcher of the standard library: `bytes.find` for each pattern. It imports nothing that is slow to load."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fastanon.scan.pattern import Bytes, Match, Matcher


class Small(Matcher):
    """For headers: nothing to compile and nothing to prepare."""

    def on(self, buffer: Bytes) -> Callable[[int, int], list[Match]]:
        """See `Matcher.on`."""

        def search(start: int, stop: int) -> list[Match]:
            data = bytes(memoryview(buffer)[start:stop])
            folded = data.lower()
            found = (
                (start + at, number)
                for number, (pattern, fold) in enumerate(self.patterns)
                for at in _places(folded if fold else data, pattern)
            )
            return sorted(found)

        return search


def _places(data: bytes, pattern: bytes) -> Iterator[int]:
    at = data.find(pattern)
    while at >= 0:
        yield at
        at = data.find(pattern, at + 1)
