"""Many files: parted into tasks that anybody may do, named and reported in their order by this process."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from fastanon import progress, recovery
from fastanon.crews import Crew, crew, hands_of
from fastanon.errors import UsageError
from fastanon.files import Input, Source, sources
from fastanon.finishing import Finishing
from fastanon.known import Known
from fastanon.record import Record
from fastanon.report import ANONYMIZED, UNCHANGED, FileResult, Report, Tell
from fastanon.scheme import Subject
from fastanon.tasks import DIRECTORY, Outcome, Task, bunches
from fastanon.work import Options, Work

if TYPE_CHECKING:
    from fastanon.vault import Vault


#: From so many files on it is worth while to load compiled kernels.
_MANY = 32


class Run:
    """One call of `anonymize`: what is done first and what last.

    Files that name nobody come last, since others tell whose they are and their paths may name these; behind them
    each DICOMDIR, which names them all.

    Parameters
    ----------
    listed : list of Source
        The files.
    options : Options
        What is wanted.
    work : Work
        What this process does itself.
    hands : Crew
        Who does the tasks.
    vault : Vault or None
        Where to keep who is who.
    record : Record or None
        What runs before have done, if that is to be known.
    """

    def __init__(
        self,
        listed: list[Source],
        options: Options,
        work: Work,
        hands: Crew,
        vault: Vault | None,
        record: Record | None,
    ) -> None:
        if work.to is not None and any(f"{item.path}/".startswith(f"{work.to}/") for item in listed):
            raise UsageError("the output folder lies among the files that would be read")
        self._listed, self._hands, self._vault, self._record = listed, hands, vault, record
        self._options = pickle.dumps(options)
        self.known = Known(options.scheme, work.to)
        self._finishing = Finishing(self.known, work, vault, record)

    def over(self) -> Iterator[tuple[int, FileResult]]:
        """Do every file."""
        for number, item in enumerate(self._listed):
            self.known.listed(number, item)
        later: list[Outcome] = []
        done = []
        for number, result in self._first(later):
            if result.status in (ANONYMIZED, UNCHANGED):
                done.append(number)
            yield number, result
        self._settle(done)  # before any DICOMDIR names them
        yield from self._last(later)

    def _first(self, later: list[Outcome]) -> Iterator[tuple[int, FileResult]]:
        for outcomes in self._hands.over(self._tasks(enumerate(self._listed))):
            later += [outcome for outcome in outcomes if outcome.off]
            yield from self._finished([outcome for outcome in outcomes if not outcome.off])
        yield from self._finishing.flush()

    def _last(self, later: list[Outcome]) -> Iterator[tuple[int, FileResult]]:
        hosts = {one.number: self.known.host(self._listed[one.number], one.whose) for one in later}
        nameless = [(one.number, self._listed[one.number]) for one in later if one.off != DIRECTORY]
        for outcomes in self._hands.over(self._tasks(nameless, hosts)):
            yield from self._finished(outcomes)
        for one in later:
            if one.off == DIRECTORY:
                yield from self._finishing.here(one.number, self._listed[one.number])
        yield from self._finishing.flush()

    def _tasks(
        self, items: Iterable[tuple[int, Source]], hosts: dict[int, Subject | None] | None = None
    ) -> Iterator[Task]:
        for bunch in bunches(items):
            whose = None if hosts is None else {number: hosts[number] for number, _ in bunch}
            before = frozenset(number for number, item in bunch if self._record and self._record.has(item))
            yield Task(self._options, bunch, hosts=whose, before=before)

    def _finished(self, outcomes: list[Outcome]) -> Iterator[tuple[int, FileResult]]:
        return self._finishing.over([(self._listed[one.number], one) for one in outcomes])

    def _settle(self, done: list[int]) -> None:
        """Move files in place whose names turned out to be those of others; the vault follows."""
        for source, old, new in self.known.settle(self._listed, done):
            if self._vault is not None and not old:
                self._vault.keep([("path", new, source)])
            elif self._vault is not None:  # the name of another patient stands in it
                self._vault.drop("path", old)


def run(source: Input, options: Options, tell: Tell = lambda _: None) -> Report:
    """Do all files of a source and give the report, in the order of the source."""
    every = sources(source)
    _refuse_secrets(options, every)
    listed, recovered = recovery.settled(every if options.shard is None else options.shard.part(every))
    # the search, or the copy with the search before and the audit behind it
    passes = 3 if options.to is not None and options.audit == "full" else 1
    results: dict[int, FileResult] = {}
    with progress.over(listed, passes) as meter, _vault(options) as vault:
        work = Work(options, meter.advance, many=len(listed) >= _MANY and hands_of(options, len(listed)) == 1)
        record = Record(options, work.to) if work.to and options.scheme.pseudonyms.kept else None
        with crew(work, listed, meter.done) as hands:
            batch = Run(listed, options, work, hands, vault, record)
            for number, result in batch.over():
                results[number] = result
                tell(result)
    pseudonyms, shard = options.scheme.pseudonyms, str(options.shard or "")
    files = []
    for number in sorted(results):
        one = batch.known.with_names(number, results.pop(number))
        files.append(replace(one, id=pseudonyms.file_id(listed[number].path)) if pseudonyms.kept else one)
    key = pseudonyms.fingerprint if pseudonyms.kept else ""
    return Report(tuple(files), options.scheme.profile.label, key, recovered, shard)


def _refuse_secrets(options: Options, listed: list[Source]) -> None:
    """Refuse a key or a vault in a folder that is going to be handed on."""
    secrets = [path for path in (options.key, options.vault) if path is not None]
    if secrets:
        from fastanon.vault import refuse_inside

        met = {item.root for item in listed if not item.listed and item.path != item.root}
        for path in secrets:
            for folder in met if options.to is None else (options.to,):
                refuse_inside(path, folder)


@contextmanager
def _vault(options: Options) -> Iterator[Vault | None]:
    """Open the vault, if one is wanted."""
    if options.vault is None:
        yield None
        return
    from fastanon.vault import Vault

    with Vault(options.vault, options.scheme.pseudonyms) as vault:
        yield vault


def say(result: FileResult) -> None:
    """Print one line about a file."""
    print(result, file=sys.stdout)
