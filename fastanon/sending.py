"""Copies that go to a store: each is audited, then sent to the name that it keeps, and only what is clean goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fastanon import auditor, urls
from fastanon.attempts import failure
from fastanon.auditor import Audit, Secrets
from fastanon.bulk import Bulk
from fastanon.errors import UnsupportedError
from fastanon.files import Source
from fastanon.known import Known
from fastanon.names import Renamed
from fastanon.opened import Opened
from fastanon.opening import is_there, opened_at
from fastanon.outcome import Outcome
from fastanon.planner import Plan, make_plan
from fastanon.report import ANONYMIZED, COPIED, FileResult
from fastanon.scheme import Subject
from fastanon.search import Finding, search
from fastanon.targets import Target
from fastanon.tasks import ARCHIVE, DIRECTORY, Bench
from fastanon.work import Made, Options, Work, last_of, made_of, refuse_dicom, with_bulk

if TYPE_CHECKING:
    from fastanon import tasks
    from fastanon.vault import Vault
    from fastanon.work import Found

_NOT_SENT = "not sent, for something identifying would be left"
_PACKED = "an archive, which is not written to a store: unpack it, or name a folder"
_BLOCK = 1 << 20


class LeftError(Exception):
    """Something would be left in a copy that can't be taken back once it is gone.

    Parameters
    ----------
    audit : Audit
        What would be left.
    """

    def __init__(self, audit: Audit) -> None:
        super().__init__()
        self.audit = audit


def planned(opened: Opened, found: Finding, renamed: Renamed, options: Options) -> tuple[Plan, Audit | None]:
    """Plan a copy and audit what it will be: a second time if it is not as clean as it says.

    Raises
    ------
    LeftError
        If something would be left.
    """
    scheme, patch = options.scheme, options.payload == "patch"
    plan = make_plan(opened, found, scheme, renamed, patch, True, block=1)
    if options.audit == "none":
        return plan, None
    audit = _audited(opened, plan, found, options)
    if audit.leaks and plan.marked:
        plan = make_plan(opened, found, scheme, renamed, patch, False, block=1)
        audit = _audited(opened, plan, found, options)
    if audit.leaks:
        raise LeftError(audit)
    return plan, audit._replace(scanned=0) if found.own else audit


def _audited(opened: Opened, plan: Plan, found: Finding, options: Options) -> Audit:
    with Outcome(opened, plan.edits) as outcome:
        return auditor.of_preview(outcome, plan, Secrets.of(found.needles, found.uids), options.scheme)


class Sender(Work):
    """What is done to each file whose copy goes to a store.

    Parameters
    ----------
    options, advance, many
        As of `Work`.

    Attributes
    ----------
    target : Target
        Where the next file goes: set by who names it.
    keep : callable
        Is called when a file is planned, and nothing of it sent.
    """

    target: Target
    keep: Callable[[], object]

    def do(self, opened: Opened, item: Source, found: Found, renamed: Renamed, token: str = "") -> Made:  # noqa: ARG002  # nothing here is temporary
        """Send what a file becomes, and the payload beside it before; see `Work.do`."""
        seen: tuple[Bulk, ...] = ()
        try:
            if item.payload:
                seen = self._search_payload(item.payload, last_of(found).kind_beside(), found.needles)
                _refuse_left(seen)
            plan, audit = self._planned(opened, found, renamed, alone=not item.payload)
        except LeftError as left:
            return Made("none", 0, 0, left.audit, (_NOT_SENT,), (), opened.identity)
        self.keep()
        sent = self._send(opened, item, plan)
        return made_of(plan, "rewrite" if plan.edits else "copy", sent, audit and with_bulk(audit, seen))

    def _planned(self, opened: Opened, found: Found, renamed: Renamed, alone: bool) -> tuple[Plan, Audit | None]:
        if not isinstance(found, Finding):
            plan = found.planned(opened, renamed)
            if plan is not None:
                return plan, found.audited(plan, "preview") if self.options.audit != "none" else None
            found = search(opened, self.options.scheme, self._full)
        plan, audit = planned(opened, found, renamed, self.options)
        if self._series and alone:
            self._series.learn(opened, found, plan, renamed)
        return plan, audit

    def _send(self, opened: Opened, item: Source, plan: Plan) -> int:
        """Send a payload and its header, or neither; give the bytes sent."""
        from fastanon.stores import Store  # only where a store is named
        from fastanon.upload import upload

        before = self._send_payload(item.payload) if item.payload else 0
        try:
            with Outcome(opened, plan.edits) as outcome:
                return before + upload(outcome, self.target.path, self._full, self.advance)
        except BaseException:
            if before:
                Store(self.target.payload).remove()
            raise

    def _send_payload(self, path: str) -> int:
        """Send a payload as it is; one that a run which was cut off has sent already stays."""
        from fastanon.upload import upload

        beside = self.target.payload
        with opened_at(path) as opened, Outcome(opened, ()) as outcome:
            refuse_dicom(opened)
            if is_there(beside) and not is_there(self.target.path) and _is_same(opened, beside):
                return 0
            return upload(outcome, beside, self._full, self.advance)


def _refuse_left(seen: tuple[Bulk, ...]) -> None:
    leaks = tuple(place for one in seen for place in one.left)
    if leaks:
        raise LeftError(Audit("plan", sum(one.size for one in seen), 0, leaks, 0, (), seen))


def _is_same(one: Opened, url: str) -> bool:
    with opened_at(url) as other:
        runs = [(at, min(at + _BLOCK, one.size)) for at in range(0, one.size, _BLOCK)]
        return one.size == other.size and all(one.read(*run) == other.read(*run) for run in runs)


class Sending:
    """A run whose copies go to a store, one file after the other: there is nothing to be renamed there.

    Parameters
    ----------
    known : Known
        What is known of all files.
    sender : Sender
        What is done to each.
    vault : Vault or None
        Where to keep who is who.
    """

    def __init__(self, known: Known, sender: Sender, vault: Vault | None) -> None:
        self._known, self._sender, self._vault = known, sender, vault
        self._bench = Bench(sender)

    def over(self, listed: Sequence[Source]) -> Iterator[tuple[int, FileResult]]:
        """Do every file: behind the others those that name nobody, and then each DICOMDIR."""
        later = []
        for number, item in enumerate(listed):
            done = self._one(number, item, False, None)
            if done.off == ARCHIVE:
                yield number, failure(UnsupportedError(_PACKED), item, self._known.shown)
            elif done.off:
                later.append(done)
            else:
                yield number, self._result(item, done)
        for one in sorted(later, key=lambda one: one.off == DIRECTORY):
            item = listed[one.number]
            done = self._one(one.number, item, True, self._known.host(item, one.whose))
            yield one.number, self._result(item, done)

    def _one(self, number: int, item: Source, last: bool, host: Subject | None) -> tasks.Outcome:
        def naming(done: tasks.Outcome, directory: bool) -> tuple[Target, Renamed]:
            self._known.learn(item, done)
            target = self._known.place(number, item)
            self._sender.target, self._sender.keep = target, lambda: self._keep(item, target)
            return target, self._known.renaming(item, target, directory)

        return self._bench.one(number, item, naming, "", last, host)

    def _keep(self, item: Source, target: Target) -> None:
        """Let the vault have who is who in a file, before anything of it is sent."""
        if self._vault is not None:
            rows = [(kind, new, old) for (kind, new), old in self._sender.options.scheme.rows.items()]
            self._vault.keep([*rows, ("path", urls.shown(target.path), urls.shown(item.path))])

    def _result(self, item: Source, done: tasks.Outcome) -> FileResult:
        shown, made, target = self._known.shown, done.made, self._known.target(done.number)
        if done.failed is not None or made is None or target is None:
            assert done.failed is not None
            return replace(done.failed, source=shown(item.path))
        gone = made.strategy != "none"
        messages = made.messages + (
            ("its payload lies beside it, kept as it is",) if item.payload and gone else ()
        )
        return FileResult(
            shown(item.path), (ANONYMIZED if made.edits else COPIED) if gone else "refused",
            shown(target.path) if gone else "", made.strategy, made.edits, made.written, made.audit, messages,
            item.listed, warnings=made.warnings,
        )  # fmt: skip
