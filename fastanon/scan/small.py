"""The matcher of the standard library: `bytes.find` for each pattern. It imports nothing that is slow to load."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from fastanon.scan.pattern import Bytes, Match, Matcher, Pattern


class Small(Matcher):
    """For headers: nothing to compile and little to prepare.

    Patterns that hold a shorter one stand nowhere where that does not: most of the spellings of a name need no
    search of their own.
    """

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        super().__init__(patterns)
        self._order = sorted(range(len(self.patterns)), key=lambda n: len(self.patterns[n].data))
        self._place = {n: at for at, n in enumerate(self._order)}
        self._sizes = sorted({len(pattern.data) for pattern in self.patterns})
        self._folded = {p.data: n for n, p in enumerate(self.patterns) if p.fold}
        self._exact = {p.data: n for n, p in enumerate(self.patterns) if not p.fold}
        self._inner = [self._inside(at) for at in range(len(self._order))]

    def _inside(self, at: int) -> int | None:
        """Give the shortest pattern that stands wherever the one at this place in the order does."""
        outer = self.patterns[self._order[at]]
        texts = ((outer.data.lower(), self._folded),) if outer.fold else (
            (outer.data.lower(), self._folded), (outer.data, self._exact),
        )  # fmt: skip
        for size in (size for size in self._sizes if size <= len(outer.data)):
            for text, known in texts:
                for start in range(len(text) - size + 1):
                    n = known.get(text[start : start + size])
                    if n is not None and self._place[n] < at:
                        return n
        return None

    def on(self, buffer: Bytes) -> Callable[[int, int], list[Match]]:
        """See `Matcher.on`."""

        def search(start: int, stop: int) -> list[Match]:
            data = bytes(memoryview(buffer)[start:stop])
            folded = data.lower()
            found: dict[int, list[Match]] = {}
            for n, inner in zip(self._order, self._inner, strict=True):
                if inner is None or found[inner]:
                    pattern, fold = self.patterns[n]
                    if len(pattern) > len(data):  # as all that follow are
                        break
                    places = _places(folded if fold else data, pattern)
                    found[n] = [(start + at, n) for at in places]
                else:
                    found[n] = []
            return sorted(match for matches in found.values() for match in matches)

        return search


def _places(haystack: bytes, needle: bytes) -> Iterator[int]:
    at = haystack.find(needle)
    while at >= 0:
        yield at
        at = haystack.find(needle, at + 1)
