"""One file: searched, planned, written, audited."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from fastanon import apply, auditor, bulk, refit
from fastanon.apply import Change
from fastanon.auditor import Audit, Secrets
from fastanon.bulk import Bulk
from fastanon.chance import Advance
from fastanon.edits import edited
from fastanon.errors import ChangedError, UnsupportedError, UsageError
from fastanon.files import Source
from fastanon.identity import Needle
from fastanon.names import Renamed
from fastanon.opened import Opened, identity_at
from fastanon.part import TextPart
from fastanon.payload import Payload
from fastanon.planner import Plan, make_plan
from fastanon.preview import Preview
from fastanon.rewrite import rewrite
from fastanon.scheme import Scheme
from fastanon.search import Finding, in_payloads, search
from fastanon.sharing import Sharing
from fastanon.subjects import Host
from fastanon.targets import Target

if TYPE_CHECKING:
    from fastanon.series import Likeness, Series

    Found: TypeAlias = Finding | Likeness

#: What may be asked of the audit, and of needles in payloads that chance does not explain.
AUDITS, PAYLOADS = ("full", "text", "none"), ("patch", "report")

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Options:
    """What is wanted of a run.

    Attributes
    ----------
    scheme : Scheme
        What values become.
    to : str or None
        The output folder; None edits in place.
    audit : str
        ``full`` searches every byte, payloads too; ``text`` all but payloads; ``none`` does not search copies.
    payload : str
        What becomes of a needle in a payload that chance does not explain: ``patch``, or ``report`` as a leak.

    vault : path or None
        Where to keep who is who.
    key : path or None
        Where the key lies, which may not be handed on with the files.

    Raises
    ------
    UsageError
        If one of them is unknown.
    """

    scheme: Scheme
    to: str | None = None
    audit: str = "full"
    payload: str = "patch"
    vault: str | os.PathLike[str] | None = None
    key: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        for value, known, what in ((self.audit, AUDITS, "audit"), (self.payload, PAYLOADS, "payload")):
            if value not in known:
                raise UsageError(f"{what}: one of {', '.join(known)}")
        if self.vault is not None and not self.scheme.pseudonyms.kept:
            raise UsageError("a vault needs a key that is kept: who has no key can't open it")


class Done(NamedTuple):
    """What became of one file: plan, strategy, bytes written, what is left, and what is to be committed."""

    plan: Plan
    strategy: str
    written: int
    audit: Audit | None
    changes: tuple[Change, ...] = ()


class _MarkedLeakError(Exception):
    """A copy says that it is de-identified, and is not."""


class Work:
    """What is done to each file of a run.

    Parameters
    ----------
    options : Options
        What is wanted.
    advance : callable
        Is told of bytes of payload as they are searched.
    """

    def __init__(self, options: Options, advance: Advance, many: bool = False) -> None:
        self._options, self._advance = options, advance
        self._full = options.audit == "full"
        self._sharing = Sharing()
        self._series = self._make_series() if many else None

    def _make_series(self) -> Series:
        from fastanon.series import Series  # numba and numpy

        return Series(self._options.scheme, self._options.to is None, self._full, self._advance)

    def search(self, opened: Opened, item: Source, host: Host) -> Found:
        """Search a file; `host` says whose a study is, for a file that names nobody."""
        like = self._series.like(opened) if self._series and not item.payload else None
        return like or search(opened, self._options.scheme, self._full, self._advance, host)

    def do(
        self,
        opened: Opened,
        item: Source,
        found: Found,
        renamed: Renamed,
        target: Target,
        keep: Callable[[], object],
    ) -> Done:
        """Plan one file, and write it or say what to commit: a second time if it is not as clean as it says.

        Who is who is kept before anything is written: else a pseudonym might stand there that nobody can look up.
        """
        if not isinstance(found, Finding):
            done = self._do_like(opened, item, found, renamed, target, keep)
            if done is not None:
                return done
            found = search(opened, self._options.scheme, self._full)
        scheme, patch = self._options.scheme, self._options.payload == "patch"
        block = self._sharing.block(opened, found.largest, target.path) if target.copied else 0
        plan = make_plan(opened, found, scheme, renamed, patch, scheme.strips or target.copied, block=block)
        if self._series and block <= 1 and not item.payload:
            self._series.learn(opened, found, plan, renamed)
        keep()
        try:
            return self._write(opened, item, plan, found, target, plan.marked)
        except _MarkedLeakError:
            plan = make_plan(opened, found, scheme, renamed, patch, mark=False, block=block)
            return self._write(opened, item, plan, found, target, False)

    def _do_like(
        self,
        opened: Opened,
        item: Source,
        found: Likeness,
        renamed: Renamed,
        target: Target,
        keep: Callable[[], object],
    ) -> Done | None:
        """Do a file as another of its series was done; None if that can't be."""
        plan = found.planned(opened, renamed)
        if plan is None:
            return None
        keep()
        if not target.copied:
            return self._in_place(opened, item, plan, target, found.audited(plan))
        new = edited(opened.view, plan.edits)

        def check(path: str) -> None:
            with Opened(path) as copy:
                if copy.view != new:
                    raise ChangedError("a copy is not what was written", path=opened.path)

        reads = self._options.audit != "none"
        written = rewrite(opened, plan, target.path, check if reads else lambda _: None, advance=self._advance)
        return Done(plan, "rewrite", written, found.audited(plan, "copy") if reads else None)

    def _write(
        self, opened: Opened, item: Source, plan: Plan, found: Finding, target: Target, marked: bool
    ) -> Done:
        """Write a copy, or a file in place that has to be written anew; of all others say what to commit."""
        secrets = Secrets.of(found.needles, found.uids)
        if target.copied or plan.strategy == "rewrite":
            if target.moves(item) and opened.path != target.path:
                _move_first(opened, item, target)
            return self._rewrite(opened, replace(plan, path=opened.path), found, secrets, target, marked)
        writes, size = refit.spelled(plan.edits, opened.size, opened.read)
        audit = auditor.of_plan(plan)
        if plan.stays is not None:
            with Preview(opened, writes, size, plan.stays) as preview:
                audit = auditor.of_preview(preview, plan, secrets, self._options.scheme)
            if marked and audit.leaks:
                raise _MarkedLeakError
        return self._in_place(opened, item, plan, target, audit)

    @staticmethod
    def _in_place(opened: Opened, item: Source, plan: Plan, target: Target, audit: Audit) -> Done:
        """Say what is to be committed."""
        writes, size = refit.spelled(plan.edits, opened.size, opened.read)
        changes: tuple[Change, ...] = ()
        if writes or target.moves(item):
            changes = (Change(opened.path, plan.identity, writes, size, target.path), *_beside(item, target))
        return Done(plan, plan.strategy, sum(len(data) for _, data in writes), audit, changes)

    def _rewrite(
        self, opened: Opened, plan: Plan, found: Finding, secrets: Secrets, target: Target, marked: bool
    ) -> Done:
        seen: list[Audit] = []
        # in place only the search is counted: nobody knew then that it would be a rewrite
        advance: Advance = self._advance if target.copied else lambda _: None

        def audit(path: str) -> None:
            if self._options.audit != "none":
                left = auditor.of_copy(path, secrets, self._options.scheme, self._full, advance)
                if marked and left.leaks:
                    raise _MarkedLeakError
                scanned = 0 if found.own else left.scanned  # there are no values to search for
                seen.append(replace(left, bulk=plan.bulk, scanned=scanned))  # the plan tells of patches too

        written = rewrite(opened, plan, target.path, audit, advance=advance)
        return Done(plan, "rewrite" if plan.edits else "copy", written, seen[0] if seen else None)

    def search_payload(self, path: str, kind: str, needles: tuple[Needle, ...]) -> tuple[Bulk, ...]:
        """Search the payload beside a header, as far as that is wanted."""
        return tuple(search_payload(path, kind, needles, self._advance)) if self._full else ()

    def copy_payload(
        self, path: str, kind: str, needles: tuple[Needle, ...], target: str, beside: str
    ) -> tuple[int, tuple[Bulk, ...]]:
        """Copy it as it is and search the copy."""
        seen: list[Bulk] = []

        def audit(path: str) -> None:
            seen.extend(self.search_payload(path, kind, needles))

        return _copy_payload(path, target, beside, audit, self._advance), tuple(seen)


def search_payload(path: str, kind: str, needles: tuple[Needle, ...], advance: Advance) -> list[Bulk]:
    """Search a file that is all payload."""
    with Opened(path) as opened:
        part = TextPart(opened, payloads=[Payload(0, opened.size, kind)])
        found = in_payloads((part,), needles, advance)
        seen = [bulk.decide(part, scanned, patch=False)[0] for _, scanned in found]
        opened.check()
    return seen


def with_bulk(audit: Audit | None, more: tuple[Bulk, ...]) -> Audit | None:
    """Add what was found in a payload beside the file."""
    if audit is None:
        return None
    leaks = tuple(place for one in more for place in one.left)
    scanned = sum(one.size for one in more)
    return replace(audit, bulk=audit.bulk + more, leaks=audit.leaks + leaks, scanned=audit.scanned + scanned)


def _copy_payload(path: str, target: str, beside: str, audit: Callable[[str], object], advance: Advance) -> int:
    """Copy a payload as it is; one that a run which was cut off has copied already stays."""
    with Opened(path) as opened:
        if opened.read(0, min(opened.size, 132))[128:] == b"DICM":
            raise UnsupportedError("what should be its payload is DICOM of its own")
        if os.path.lexists(beside) and not os.path.lexists(target) and _same(opened, beside):
            audit(beside)
            return 0
        plan = Plan(path, opened.identity, (), (), 0, opened.size, 0)
        return rewrite(opened, plan, beside, audit, advance=advance)


def _same(one: Opened, path: str) -> bool:
    """Compare an open file with another, byte for byte."""
    with Opened(path) as other:
        runs = [(at, min(at + _BLOCK, one.size)) for at in range(0, one.size, _BLOCK)]
        return one.size == other.size and all(one.read(*run) == other.read(*run) for run in runs)


def _beside(item: Source, target: Target) -> tuple[Change, ...]:
    """Give the change of the payload beside a file that gets another name: its name follows."""
    if not item.payload or item.payload == target.payload:
        return ()
    identity = identity_at(item.payload)
    return (Change(item.payload, identity, (), identity.size, target.payload),)


def _move_first(opened: Opened, item: Source, target: Target) -> None:
    """Give a file that is going to be written anew its new name before.

    Cut off in between it has a clean name and the next run finds it; the other way round it would count as done.
    """
    moved = Change(opened.path, opened.identity, (), opened.size, target.path)
    for error in apply.commit([moved, *_beside(item, target)]):
        if error is not None:
            raise error
    opened.path = target.path
