"""What is known in a run of its files so far: whose they are, what they are called, what no path may show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from fastanon import apply
from fastanon.apply import Change
from fastanon.errors import FileError
from fastanon.fields import Place
from fastanon.files import Source
from fastanon.hosts import Hosts, Whose
from fastanon.names import Mask, Met, Renamed, hits_in_path
from fastanon.opened import identity_at
from fastanon.report import FileResult
from fastanon.scheme import Scheme, Subject
from fastanon.targets import Target, Targets, renaming
from fastanon.tasks import Outcome


class Known:
    """The identities met so far, and the names given so far: in the order of the files, whoever did them.

    Parameters
    ----------
    scheme : Scheme
        What values become.
    to : str or None
        The output folder; None for files in place.
    """

    def __init__(self, scheme: Scheme, to: str | None) -> None:
        self.met, self.hosts, self.mask = Met(), Hosts(), Mask(scheme)
        self._targets = Targets(to, self.mask, scheme.strips)
        self._paths: dict[int, tuple[str, Target | None]] = {}
        self.members: dict[int, list[tuple[str, Target | None]]] = {}  # of archives

    def listed(self, number: int, item: Source) -> None:
        """Remember a file of which nothing else is known."""
        self._paths.setdefault(number, (item.path, None))

    def learn(self, item: Source, outcome: Outcome) -> None:
        """Remember who is named in a file."""
        self.met.add(outcome.needles)
        if outcome.whose is not None:
            self.hosts.add(item.path, outcome.whose)

    def host(self, item: Source, whose: Whose | None) -> Subject | None:
        """Give whose a file is that names nobody, as far as others tell."""
        return self.hosts.of(item.path, whose.study if whose else "")

    def target(self, number: int) -> Target | None:
        """Give the place of a file, if it has one."""
        return self._paths[number][1]

    def place(self, number: int, item: Source) -> Target:
        """Give a file its place."""
        target = self._targets.of(item, self.met)
        self._paths[number] = (item.path, target)
        return target

    def renaming(self, item: Source, target: Target, directory: bool = False) -> Renamed:
        """Say how names follow in a file."""
        files = self._targets.file_names(item.path, target.path) if directory else None
        return renaming(item, target, self.mask, self.met, files)

    def settle(self, listed: list[Source], done: list[int]) -> Iterator[tuple[str, str, str]]:
        """Move files in place whose names turned out to be those of others.

        One that can't be moved stays, and its name is reported as left.

        Yields
        ------
        str, str, str
            Path of the source, path until now, and path that it is about to get; asked for again when it has it.
        """
        for number in done:
            source, target = self._paths[number]
            final = self._targets.settled(listed[number], target, self.met) if target else None
            if target is not None and final is not None and final != target:
                yield source, "", final.path
                with suppress(FileError):
                    _move(target, final)
                    self._paths[number] = (source, final)
                    self._targets.moved(listed[number], final)
                    yield source, target.path, final.path

    def with_names(self, number: int, result: FileResult) -> Iterator[FileResult]:
        """Mask the paths of a result, and say what they give away, once all identities are known.

        The members of an archive follow it.
        """
        paths = [self._paths[number], *self.members.get(number, ())]
        for one, (source, target) in zip((replace(result, members=()), *result.members), paths, strict=True):
            yield self._with_names(one, source, target)

    def _with_names(self, result: FileResult, source: str, target: Target | None) -> FileResult:
        result, seen = replace(result, source=self.shown(source)), result.audit
        if seen is None:
            return result
        assert target is not None
        if result.output or (target.path != source and not target.copied):
            result = replace(result, output=self.shown(target.path))
        hits = hits_in_path(target.name, self.met)
        places = tuple(Place("file name", h.start, h.end - h.start, h.needle.kind) for h in hits)
        return replace(result, audit=seen._replace(leaks=seen.leaks + places)) if places else result

    def shown(self, path: str) -> str:
        """Give a path without what identifies in it, as far as that is known by now."""
        return self.mask.shown(path, self.met)


def _move(old: Target, new: Target) -> None:
    """Give a file in place, and its payload, another path."""
    pairs = [(old.path, new.path), (old.payload, new.payload)]
    for here, there in pairs:
        if here and here != there:
            identity = identity_at(here)
            for error in apply.commit([Change(here, identity, (), identity.size, there)]):
                if error is not None:
                    raise error
