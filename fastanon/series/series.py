"""The series met in a run, and the files of theirs that were done the long way."""

from __future__ import annotations

from collections import OrderedDict

from fastanon.chance import Advance, Scanner
from fastanon.container import read_parts
from fastanon.edits import edited
from fastanon.errors import FileError
from fastanon.names import Renamed
from fastanon.opened import Opened
from fastanon.planner import Plan
from fastanon.scheme import Scheme
from fastanon.search import Finding
from fastanon.series.difference import Difference, Frame, walked
from fastanon.series.layout import Layout, layout_of
from fastanon.series.likeness import Likeness
from fastanon.series.template import Template, UnlikeError, is_fit

_MOST = 8  # files that are remembered, each with its bytes; and frames of each
_TRIES, _EVERY = 4, 16  # made without being of use, and one more for so many that were done by them


class _Known:
    """One such file, whether it has proved itself, and frames of those that were cut as it was, by their size."""

    def __init__(self, template: Template, scanner: Scanner | None) -> None:
        self.template, self.scanner, self.proved = template, scanner, False
        self._frames = {len(template.data): Frame(template, Difference(template.layout, template.starts, []))}
        self._made = self._used = 0

    def framed(self, opened: Opened) -> Difference | None:
        """Give how a file differs if that can be told without a walk."""
        frame = self._frames.get(opened.size)
        found = frame.difference(opened) if frame else None
        self._used += found is not None
        return found

    def frame(self, difference: Difference) -> None:
        """Remember how a file was cut."""
        if self._made < _TRIES + self._used // _EVERY:
            self._made += 1
            while len(self._frames) >= _MOST:
                del self._frames[next(iter(self._frames))]
            self._frames[len(difference.layout.data)] = Frame(self.template, difference)


class Series:
    """Knows a file again that is like another of the run.

    The first file of a series is done the long way, and so is the second: only where planning it by the first
    brings the same, byte for byte, others are planned so.

    Parameters
    ----------
    scheme : Scheme
        What values become.
    in_place : bool
        Whether files stay where they are.
    payloads : bool
        Whether payloads are searched.
    advance : callable
        Is told of bytes of payload as they are searched.
    """

    def __init__(self, scheme: Scheme, in_place: bool, payloads: bool, advance: Advance) -> None:
        self._scheme, self._in_place, self._payloads, self._advance = scheme, in_place, payloads, advance
        self._known: OrderedDict[tuple[bytes, int], _Known] = OrderedDict()
        self._made = self._used = 0

    def like(self, opened: Opened) -> Likeness | None:
        """Give what is known of a file by another one of its series, if there is any."""
        proved = [known for known in reversed(self._known.values()) if known.proved]
        found = next(filter(None, (self._framed(known, opened) for known in proved)), None)
        if found is None and proved:
            layout = layout_of(read_parts(opened))
            of = (known for _, known in self._of(layout) if known.proved) if layout else ()
            found = next(filter(None, (self._walked(known, layout) for known in of if layout)), None)
        self._used += found is not None
        return found

    def _of(self, layout: Layout) -> list[tuple[tuple[bytes, int], _Known]]:
        return [(key, known) for key, known in reversed(self._known.items()) if key[0] == layout.signature]

    def _framed(self, known: _Known, opened: Opened) -> Likeness | None:
        difference = known.framed(opened)
        return difference and self._likeness(known, difference)

    def _walked(self, known: _Known, layout: Layout) -> Likeness | None:
        try:
            difference = walked(known.template, layout)
        except UnlikeError:
            return None
        found = self._likeness(known, difference)
        if found and known.proved:
            known.frame(difference)
        return found

    def _likeness(self, known: _Known, difference: Difference) -> Likeness | None:
        try:
            found = Likeness(known.template, difference, self._scheme)
        except (UnlikeError, FileError):  # whose offset would not be that of the file
            return None
        if known.scanner is not None:
            found.scan(known.scanner)
        return found

    def learn(self, opened: Opened, found: Finding, plan: Plan, renamed: Renamed) -> None:
        """Remember a file that was done the long way, or let one that is remembered prove itself by it."""
        layout = layout_of([one.part for one in found.parts if not one.base])
        if layout is None or not is_fit(layout, found, plan, self._scheme):
            return
        for key, known in self._of(layout):
            if not known.proved and (like := self._walked(known, layout)) is not None:
                known.proved = self._proves(like, opened, plan, renamed)
                if not known.proved:
                    del self._known[key]
                return
        if self._made < _TRIES + self._used // _EVERY:
            self._made += 1
            self._remember(layout, found, plan, renamed)

    def _remember(self, layout: Layout, found: Finding, plan: Plan, renamed: Renamed) -> None:
        try:
            template = Template(layout, found, plan, renamed, self._scheme, self._in_place)
        except UnlikeError:
            return
        scanner = Scanner(found.needles, len(template.data), self._advance, many=True) if self._payloads else None
        self._known[layout.signature, self._made] = _Known(template, scanner)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)

    def _proves(self, like: Likeness, opened: Opened, plan: Plan, renamed: Renamed) -> bool:
        other = like.planned(opened, renamed)
        if other is None:
            return False
        both = [edited(opened.view, one.edits) for one in (plan, other)]
        told = [(one.changed, one.structural, one.scanned, one.messages, one.strategy) for one in (plan, other)]
        return both[0] == both[1] and told[0] == told[1]
