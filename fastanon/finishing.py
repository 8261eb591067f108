"""From outcomes to files: who is who is kept, copies get their names, changes in place are committed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from fastanon import apply, attributes
from fastanon.apply import Change
from fastanon.attempts import attempted, failure
from fastanon.auditor import Audit
from fastanon.errors import FileError, UnsupportedError
from fastanon.fields import Place
from fastanon.files import Source
from fastanon.known import Known
from fastanon.landing import EXISTS, Landing, land
from fastanon.names import Renamed
from fastanon.opened import Opened, identity_at
from fastanon.pending import Pending
from fastanon.record import Copy, Record
from fastanon.report import ANONYMIZED, COPIED, UNCHANGED, FileResult
from fastanon.rewrite import discard, sync
from fastanon.scheme import Subject
from fastanon.targets import Target
from fastanon.tasks import Bench, Outcome
from fastanon.work import Made, Work

if TYPE_CHECKING:
    from fastanon.vault import Vault


_BLOCK = 1 << 20

_NO_KEY = "with --key a run goes on where one before it was stopped"
#: What is said of a file that a run before has done, and of each place that it has left.
DONE_BEFORE = "done by a run before this one, and the same since"
_BEFORE = Place("left by the run that did it, whose report says where", 0, 0, "value")


class _Placed(NamedTuple):
    """What was made of a file, and where it goes."""

    item: Source
    outcome: Outcome
    made: Made
    target: Target


class Finishing:
    """The last steps of every file, in the order of the files.

    What others made was named by what little they knew. Where more is known by now, and something else would stand
    in the file, it is made again here.

    Parameters
    ----------
    known : Known
        What is known of all files.
    work : Work
        What makes a file here.
    vault : Vault or None
        Where to keep who is who.
    record : Record or None
        What runs before have done, if that is to be known.
    """

    def __init__(self, known: Known, work: Work, vault: Vault | None, record: Record | None) -> None:
        self._known, self._bench, self._vault, self._record = known, Bench(work), vault, record
        self._pending = Pending(known.shown)

    def over(self, outcomes: Sequence[tuple[Source, Outcome]]) -> Iterator[tuple[int, FileResult]]:
        """Finish a bunch; give the results of those that are done by now."""
        placed: list[_Placed | tuple[int, FileResult]] = []
        try:
            placed += [self._place(item, outcome) for item, outcome in outcomes]
            self._keep([one for one in placed if isinstance(one, _Placed)])
        except BaseException:
            discard([path for _, outcome in outcomes for path in outcome.staged])
            raise
        copies = [one for one in placed if isinstance(one, _Placed) and one.target.copied]
        errors = dict(zip((one.outcome.number for one in copies), self._land(copies), strict=True))
        for one in placed:
            if not isinstance(one, _Placed):
                yield one
            elif one.target.copied:
                yield one.outcome.number, self._result(one, errors[one.outcome.number])
            else:
                yield from self._in_place(one)

    def here(self, number: int, item: Source) -> Iterator[tuple[int, FileResult]]:
        """Do a file here and now, by all that is known."""
        return self.over([(item, self._again(number, item, None))])

    def flush(self) -> Iterator[tuple[int, FileResult]]:
        """Commit all that waits, and give the results."""
        return self._pending.flush()

    def _place(self, item: Source, outcome: Outcome) -> _Placed | tuple[int, FileResult]:
        """Give a file its place, or say why it gets none."""
        self._known.learn(item, outcome)
        failed = outcome.failed or attempted(lambda: self._placed(item, outcome), item, str)
        target = self._known.target(outcome.number)
        if failed is None and outcome.before and target is not None:
            return outcome.number, self.before(item, target)
        if failed is None and outcome.made is not None and target is not None:
            return _Placed(item, outcome, outcome.made, target)
        discard(outcome.staged)
        assert failed is not None
        return outcome.number, replace(failed, source=self._known.shown(item.path))

    def _placed(self, item: Source, outcome: Outcome) -> FileResult | None:
        """See whether a file was made for the place that it gets; if not, make it again."""
        target = self._known.target(outcome.number) or self._known.place(outcome.number, item)
        if outcome.before or outcome.taken:
            outcome.before = self._record is not None and self._record.leaks(item, target) is not None
            if outcome.before:
                return None
        if not self._is_right(item, outcome, target):
            discard(outcome.staged)
            again = self._again(outcome.number, item, self._known.host(item, outcome.whose))
            outcome.made, outcome.taken, outcome.failed = again.made, again.taken, again.failed
        if outcome.taken:
            raise UnsupportedError(EXISTS if self._record else f"{EXISTS}: {_NO_KEY}")
        return outcome.failed

    def _is_right(self, item: Source, outcome: Outcome, target: Target) -> bool:
        if outcome.made is None and not (outcome.taken and os.path.lexists(target.path)):
            return False
        renamed = self._known.renaming(item, target)
        return all(renamed.of(*asked) == given for asked, given in outcome.asked.items())

    def _again(self, number: int, item: Source, host: Subject | None) -> Outcome:
        def naming(outcome: Outcome, directory: bool) -> tuple[Target, Renamed]:
            self._known.learn(item, outcome)
            target = self._known.target(number) or self._known.place(number, item)
            return target, self._known.renaming(item, target, directory)

        outcome = self._bench.one(number, item, naming, "", True, host)
        try:
            sync(outcome.staged)
        except FileError:
            discard(outcome.staged)
            raise
        return outcome

    def _keep(self, placed: list[_Placed]) -> None:
        """Let the vault have who is who, before anything that says it gets a name."""
        if self._vault is None or not placed:
            return
        rows = []
        for item, outcome, _, target in placed:
            rows += [(kind, new, old) for (kind, new), old in outcome.rows.items()]
            if target.path != item.path:
                rows.append(("path", target.path, item.path))
        self._vault.keep(rows)

    def before(self, item: Source, target: Target) -> FileResult:
        """Give the result of a file that a run before has done."""
        assert self._record is not None
        leaks = (_BEFORE,) * (self._record.leaks(item, target) or 0)
        audit = Audit("before", 0, 0, leaks, 0)
        path, output = self._known.shown(item.path), self._known.shown(target.path)
        return FileResult(path, UNCHANGED, output, audit=audit, messages=(DONE_BEFORE,), listed=item.listed)

    def _land(self, placed: list[_Placed]) -> list[FileError | None]:
        """Write down what is about to be done, and do it."""
        landings, copies = [], []
        for item, _, made, target in placed:
            beside = target.payload if made.beside and _is_there(made.beside, target) else made.beside
            files = [(beside, target.payload)] if beside != target.payload else []
            landings.append(Landing((*files, (made.staged, target.path))))
            leaks = len(made.audit.leaks) if made.audit else 0
            copies.append(Copy(item, target, (made.staged, *filter(None, (beside,))), leaks))
        try:
            if self._record is not None:
                self._record.add(copies)
        except FileError as error:
            discard([path for one in placed for path in one.outcome.staged])
            return [error] * len(placed)
        return land(landings)

    def _in_place(self, one: _Placed) -> Iterator[tuple[int, FileResult]]:
        """Let the changes of a file wait for others, or give it what was written in its place."""
        item, outcome, made, target = one
        number = outcome.number
        if made.staged:
            failed = attempted(lambda: replace_file(item, made, target), item, self._known.shown)
            yield number, failed or self._result(one)
            return
        changes: tuple[Change, ...] = ()
        if made.writes or target.moves(item):
            changes = (
                Change(item.path, made.identity, made.writes, made.size, target.path),
                *_beside(item, target),
            )
        yield from self._pending.add(number, item, self._result(one), changes)

    def _result(self, one: _Placed, error: FileError | None = None) -> FileResult:
        item, outcome, made, target = one
        shown = self._known.shown
        if error is not None:
            return failure(error, item, shown)
        changed = made.edits or target.moves(item)
        status = ANONYMIZED if changed else COPIED if target.copied else UNCHANGED
        messages = (*made.messages, *attributes.messages(outcome.attributes, target.copied, shown))
        messages += ("its payload lies beside it, kept as it is",) if item.payload else ()
        output = shown(target.path) if target.copied or target.moves(item) else ""
        return FileResult(
            shown(item.path), status, output, made.strategy, made.edits, made.written, made.audit, messages,
            item.listed, warnings=made.warnings,
        )  # fmt: skip


def replace_file(item: Source, made: Made, target: Target) -> None:
    """Let a file that was written anew take the place of the old one, which gets its new name before.

    Cut off in between it has a clean name and the next run finds it; the other way round it would count as done.
    """
    try:
        if target.moves(item):
            moved = Change(item.path, made.identity, (), made.identity.size, target.path)
            for error in apply.commit([moved, *_beside(item, target)]):
                if error is not None:
                    raise error
    except BaseException:
        discard([made.staged])
        raise
    for error in land([Landing(((made.staged, target.path),), made.identity)]):
        if error is not None:
            raise error
    apply.prune(os.path.dirname(item.path))


def _beside(item: Source, target: Target) -> tuple[Change, ...]:
    """Give the change of the payload beside a file that gets another name: its name follows."""
    if not item.payload or item.payload == target.payload:
        return ()
    identity = identity_at(item.payload)
    return (Change(item.payload, identity, (), identity.size, target.payload),)


def _is_there(staged: str, target: Target) -> bool:
    """Say whether a run that was cut off has copied a payload already, and not its header; then that one stays."""
    if not os.path.lexists(target.payload) or os.path.lexists(target.path):
        return False
    with suppress(FileError), Opened(staged) as one, Opened(target.payload) as other:
        runs = [(at, min(at + _BLOCK, one.size)) for at in range(0, one.size, _BLOCK)]
        if one.size == other.size and all(one.read(*run) == other.read(*run) for run in runs):
            discard([staged])
            return True
    return False
