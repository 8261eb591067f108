"""Many files: parted into tasks that anybody may do, named and reported in their order by this process."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from fastanon import progress, recovery
from fastanon.archives.running import Archives
from fastanon.crews import Crew, crew, hands_of
from fastanon.errors import UsageError
from fastanon.files import Input, Source, sources
from fastanon.finishing import Finishing
from fastanon.known import Known
from fastanon.record import Record
from fastanon.report import ANONYMIZED, UNCHANGED, FileResult, Report, Tell
from fastanon.scheme import Subject
from fastanon.sending import Sender, Sending
from fastanon.tasks import ARCHIVE, DIRECTORY, NOBODY, Outcome, Task, bunches
from fastanon.urls import is_url, local, root
from fastanon.work import Options, Work, are_many

if TYPE_CHECKING:
    from fastanon.vault import Vault


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
        self._listed, self._work, self._hands, self._vault = listed, work, hands, vault
        self.options, self._options, self._record = options, pickle.dumps(options), record
        self.known = Known(options.scheme, work.to)
        self._finishing = Finishing(self.known, work, vault, record)
        self._archives = Archives(self._finishing, self.known, work, vault, record)

    def over(self) -> Iterator[tuple[int, FileResult]]:
        """Do every file."""
        for number, item in enumerate(self._listed):
            self.known.listed(number, item)
        if isinstance(self._work, Sender):
            yield from Sending(self.known, self._work, self._vault).over(self._listed)
            return
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
            later += [outcome for outcome in outcomes if outcome.off in (NOBODY, DIRECTORY)]
            yield from self._finished([outcome for outcome in outcomes if not outcome.off])
            for one in (outcome for outcome in outcomes if outcome.off == ARCHIVE):
                result = self._archives.do(one.number, self._listed[one.number], last=False)
                if result is None:
                    later.append(one)
                else:
                    yield one.number, result
        yield from self._finishing.flush()

    def _last(self, later: list[Outcome]) -> Iterator[tuple[int, FileResult]]:
        hosts = {one.number: self.known.host(self._listed[one.number], one.whose) for one in later}
        nameless = [(one.number, self._listed[one.number]) for one in later if one.off == NOBODY]
        for outcomes in self._hands.over(self._tasks(nameless, hosts)):
            yield from self._finished(outcomes)
        for one in later:
            result = one.off == ARCHIVE and self._archives.do(one.number, self._listed[one.number], last=True)
            if result:
                yield one.number, result
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
    if options.to is None and any(is_url(item.path) for item in every):
        raise UsageError("what a URL names can't be changed in place: say where copies go")
    _refuse_secrets(options, every)
    listed, recovered = recovery.settled(every if options.shard is None else options.shard.part(every))
    # the search, or the copy with the search before and the audit behind it
    passes = 3 if options.to is not None and options.audit == "full" else 1
    results: dict[int, FileResult] = {}
    make = Sender if options.to is not None and is_url(root(options.to)) else Work
    if make is Sender and (options.workers != 1 or options.cluster):
        raise UsageError("what is sent to a store is sent by one process: shards are for more")
    with progress.over(listed, passes) as meter, open_vault(options) as vault:
        work = make(options, meter.advance, many=hands_of(options, len(listed)) == 1 and are_many(len(listed)))
        kept = make is Work and options.scheme.pseudonyms.kept
        record = Record(options, work.to) if work.to and kept else None
        with crew(work, listed, meter.done) as hands:
            batch = Run(listed, options, work, hands, vault, record)
            for number, result in batch.over():
                results[number] = result
                if make is Sender:
                    meter.done(listed[number])
                for one in (result, *result.members):
                    tell(one)
    files = [one for number in sorted(results) for one in _named(number, results.pop(number), batch, listed)]
    pseudonyms, shard = options.scheme.pseudonyms, str(options.shard or "")
    fingerprint = pseudonyms.fingerprint if pseudonyms.kept else ""
    return Report(tuple(files), options.scheme.profile.label, fingerprint, recovered, shard)


def _named(number: int, result: FileResult, batch: Run, listed: list[Source]) -> Iterator[FileResult]:
    """Mask the paths of a result and of those of members; under a kept key say by an ID which file each is."""
    pseudonyms, path = batch.options.scheme.pseudonyms, listed[number].path
    for member, one in enumerate(batch.known.with_names(number, result)):
        own = f"{path}/{member}" if member else path  # the first is the file itself
        yield replace(one, id=pseudonyms.file_id(own)) if pseudonyms.kept else one


def _refuse_secrets(options: Options, listed: list[Source]) -> None:
    """Refuse a key or a vault in a folder that is going to be handed on."""
    secrets = [path for path in (options.key, options.vault) if path is not None]
    if secrets:
        from fastanon.vault import refuse_inside

        met = {item.root for item in listed if not item.listed and item.path != item.root}
        for path in secrets:
            for folder in met if options.to is None else (options.to,):
                refuse_inside(path, local(folder))


@contextmanager
def open_vault(options: Options) -> Iterator[Vault | None]:
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
