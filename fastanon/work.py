"""One file: searched, planned, written beside where that is wanted, audited. What is written gets no name yet."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from fastanon import auditor, bulk, refit
from fastanon.auditor import Audit, Secrets
from fastanon.bulk import Bulk
from fastanon.chance import Advance
from fastanon.copying import Watched
from fastanon.edits import Edit, pieces
from fastanon.errors import ChangedError, UnsupportedError, UsageError
from fastanon.files import Source
from fastanon.identity import Needle
from fastanon.inside import Inside
from fastanon.kept_kernels import is_at_hand
from fastanon.names import Renamed
from fastanon.opened import Identity, Opened
from fastanon.opening import opened_at
from fastanon.part import Part, TextPart
from fastanon.payload import Payload
from fastanon.planner import Plan, make_plan
from fastanon.preview import Preview
from fastanon.rewrite import Staged, discard, stage
from fastanon.scheme import Scheme
from fastanon.search import Finding, in_payloads, search, search_payloads
from fastanon.shards import Shard
from fastanon.sharing import Sharing
from fastanon.subjects import Host, nobody
from fastanon.underway import Underway, as_it_was, underway
from fastanon.urls import root
from fastanon.walk import Bytes

if TYPE_CHECKING:
    from fastanon.series import Likeness, Series

    Found: TypeAlias = Finding | Likeness

#: From so many files on it is worth while to load compiled kernels, and for so many to compile them first.
FEW, MANY = 16, 100

_BLOCK = 64 << 10  # memory that malloc has at hand

#: What may be asked of the audit, and of needles in payloads that chance does not explain.
AUDITS, PAYLOADS = ("full", "text", "none"), ("patch", "report")


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
    workers : int
        How many processes do the work; 1 is this one alone, 0 are as many as there are CPUs.
    shard : Shard or None
        Which part of the files is meant.
    cluster : str or None
        The address of a dask scheduler whose workers do the work.

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
    workers: int = 1
    shard: Shard | None = None
    cluster: str | None = None

    def __post_init__(self) -> None:
        for value, known, what in ((self.audit, AUDITS, "audit"), (self.payload, PAYLOADS, "payload")):
            if value not in known:
                raise UsageError(f"{what}: one of {', '.join(known)}")
        if not isinstance(self.workers, int) or self.workers < 0:
            raise UsageError("workers: a number of processes, or 0 for one on every CPU")
        if self.vault is not None and not self.scheme.pseudonyms.kept:
            raise UsageError("a vault needs a key that is kept: who has no key can't open it")
        if self.shard is not None and not self.scheme.pseudonyms.kept:
            raise UsageError("shards need a key that is kept: each would have a random one of its own")
        if self.cluster is not None:
            self._check_cluster()

    def _check_cluster(self) -> None:
        if not self.scheme.pseudonyms.kept:
            raise UsageError("a cluster needs a key that is kept: what is lost with it could not be done again")
        if self.to is None:
            raise UsageError("a cluster makes copies alone: the journal of a file in place is of one machine")
        if self.workers != 1:
            raise UsageError("either worker processes here, or those of a cluster")


class Made(NamedTuple):
    """What was made of one file, without any of its values, and what is still to be done to it.

    Attributes
    ----------
    strategy : str
        As of `Plan`; ``copy`` where nothing changes.
    edits, written : int
        How many runs of bytes change, and how many bytes go to the disk.
    audit : Audit or None
        What is left.
    messages, warnings : tuple of str
        What a person should know.
    identity : Identity
        The file.
    staged, beside : str
        What was written in its place or as its copy, and the copy of its payload: temporary files.
    writes, size
        What is to be written into the file itself: see `apply.Change`.
    """

    strategy: str
    edits: int
    written: int
    audit: Audit | None
    messages: tuple[str, ...]
    warnings: tuple[str, ...]
    identity: Identity
    staged: str = ""
    beside: str = ""
    writes: tuple[tuple[int, bytes], ...] = ()
    size: int = 0


def are_many(files: int) -> bool:
    """Say whether so many files are worth while to be looked at for series, which takes compiled kernels."""
    return files >= MANY or (files >= FEW and is_at_hand("few"))


class _MarkedLeakError(Exception):
    """A copy says that it is de-identified, and is not."""


class _NoChanceError(Exception):
    """What stands in a payload searched on its way into the copy is no chance: it has to be planned for."""


class Work:
    """What is done to each file of a run.

    Parameters
    ----------
    options : Options
        What is wanted.
    advance : callable
        Is told of bytes of payload as they are searched.
    many : bool
        Whether to look for series, whose files are planned by each other: worth while for many files, since it
        loads compiled kernels.
    """

    def __init__(self, options: Options, advance: Advance, many: bool = False) -> None:
        self.options, self.advance = options, advance
        self._full = options.audit == "full"
        self.to = None if options.to is None else root(options.to)
        self._sharing = Sharing()
        self._series = self._make_series() if many else None

    def _make_series(self) -> Series:
        from fastanon.series import Series  # numpy

        return Series(self.options.scheme, self.to is None, self._full, self.advance)

    def search(self, opened: Opened, item: Source, host: Host) -> Found:
        """Search a file; `host` says whose a study is, for a file that names nobody."""
        like = self._series.like(opened) if self._series and not item.payload else None
        return like or self._searched(opened, host)

    def _searched(self, opened: Opened, host: Host = nobody) -> Finding:
        """Search a file, but for a payload that is searched on its way into the copy."""
        found = search(opened, self.options.scheme, False, host=host)
        if self._full and not found.own and self._underway(opened, found) is None:
            search_payloads(found, self.advance)
        return found

    def _underway(self, opened: Opened, found: Finding) -> Underway | None:
        return underway(opened, found, self.advance) if self._full and self.to is not None else None

    def do(self, opened: Opened, item: Source, found: Found, renamed: Renamed, token: str = "") -> Made:
        """Make of one file what it becomes: a second time if it is not as clean as it says.

        Parameters
        ----------
        opened : Opened
            The file.
        item : Source
            What is known of it.
        found : Finding or Likeness
            What the search brought.
        renamed : Renamed
            How the names of files that stand in it follow.
        token : str
            How the names of temporary files begin.
        """
        if not item.payload:
            return self._do(opened, found, renamed, token, alone=True)
        kind, needles = last_of(found).kind_beside(), found.needles
        if self.to is None:
            seen = self._search_payload(item.payload, kind, needles)  # before its header changes
            made = self._do(opened, found, renamed, token)
            return made._replace(audit=made.audit and with_bulk(made.audit, seen))
        staged, seen = self._copy_payload(item.payload, kind, needles, token)
        try:
            made = self._do(opened, found, renamed, token)
        except BaseException:
            discard([staged.path])
            raise
        audit, written = made.audit and with_bulk(made.audit, seen), made.written + staged.written
        return made._replace(audit=audit, written=written, beside=staged.path)

    def _do(self, opened: Opened, found: Found, renamed: Renamed, token: str, alone: bool = False) -> Made:
        if not isinstance(found, Finding):
            made = self._do_like(opened, found, renamed, token)
            if made is not None:
                return made
            found = self._searched(opened)
        scheme, patch, copied = self.options.scheme, self.options.payload == "patch", self.to is not None
        block = self._sharing.block(opened, found.largest, self.to) if self.to is not None else 0
        late = self._underway(opened, found)
        if late is not None and block > 1:  # what is shared is not copied
            late.search()

        def planned(mark: bool) -> Plan:
            return make_plan(opened, found, scheme, renamed, patch, mark, block=block)

        plan = planned(scheme.strips or copied)
        if self._series and alone and block <= 1:
            self._series.learn(opened, found, plan, renamed)
        while True:
            try:
                return self._write(opened, plan, found, plan.marked, token)
            except _MarkedLeakError:
                plan = planned(mark=False)
            except _NoChanceError:
                plan = planned(scheme.strips or copied)

    def _do_like(self, opened: Opened, found: Likeness, renamed: Renamed, token: str) -> Made | None:
        """Make of a file what another of its series became; None if that can't be."""
        plan = found.planned(opened, renamed)
        if plan is None:
            return None
        if self.to is None:
            writes, size = refit.spelled(plan.edits, opened.size, opened.read)
            return made_of(plan, plan.strategy, _count(writes), found.audited(plan))._replace(
                writes=writes, size=size
            )
        reads = self.options.audit != "none"

        def check(path: str) -> None:
            with Opened(path, viewed=False) as copy:
                if not is_edited(copy, opened.view, plan.edits):
                    raise ChangedError("a copy is not what was written", path=opened.path)

        given = check if reads else lambda _: None
        staged = stage(opened, plan, self.to, given, token=token, advance=self.advance)
        made = made_of(plan, "rewrite", staged.written, found.audited(plan, "copy") if reads else None)
        return made._replace(staged=staged.path, size=opened.size)

    def _write(self, opened: Opened, plan: Plan, found: Finding, marked: bool, token: str) -> Made:
        """Write a copy, or a file in place that has to be written anew; of all others say what to commit."""
        secrets = Secrets.of(found.needles, found.uids)
        if self.to is not None or plan.strategy == "rewrite":
            return self._stage(opened, plan, found, secrets, marked, token)
        writes, size = refit.spelled(plan.edits, opened.size, opened.read)
        audit = auditor.of_plan(plan)
        if plan.stays is not None:
            with Preview(opened, writes, size, plan.stays) as preview:
                audit = auditor.of_preview(preview, plan, secrets, self.options.scheme)
            if marked and audit.leaks:
                raise _MarkedLeakError
        return made_of(plan, plan.strategy, _count(writes), audit)._replace(writes=writes, size=size)

    def _stage(
        self, opened: Opened, plan: Plan, found: Finding, secrets: Secrets, marked: bool, token: str
    ) -> Made:
        seen: list[Audit] = []
        late = self._underway(opened, found)
        # in place only the search is counted: nobody knew then that it would be a rewrite
        advance: Advance = self.advance if self.to is not None else lambda _: None

        def audit(path: str) -> None:
            if late is not None and not late.is_clean:
                raise _NoChanceError
            if self.options.audit != "none":
                matched = late.read_back if late else as_it_was(opened, found, plan.edits, path, advance)
                left = auditor.of_copy(path, secrets, self.options.scheme, self._full, advance, matched)
                if marked and left.leaks:
                    raise _MarkedLeakError
                scanned = 0 if found.own else left.scanned  # there are no values to search for
                told = late.bulk() if late else plan.bulk  # of patches too
                seen.append(left._replace(bulk=told, scanned=scanned))

        folder = self.to or os.path.dirname(opened.path)
        staged = stage(
            opened, plan, folder, audit, replaces=self.to is None, token=token, advance=advance,
            watched=Watched(late.run, partial(late.copy, needles=secrets.needles)) if late else None,
        )  # fmt: skip
        made = made_of(plan, "rewrite" if plan.edits else "copy", staged.written, seen[0] if seen else None)
        return made._replace(staged=staged.path, size=opened.size)

    def _search_payload(self, path: str, kind: str, needles: tuple[Needle, ...]) -> tuple[Bulk, ...]:
        """Search the payload beside a header, as far as that is wanted."""
        return tuple(search_payload(path, kind, needles, self.advance)) if self._full else ()

    def _copy_payload(
        self, path: str, kind: str, needles: tuple[Needle, ...], token: str
    ) -> tuple[Staged, tuple[Bulk, ...]]:
        """Copy the payload beside a header as it is, and search the copy."""
        seen: list[Bulk] = []

        def audit(path: str) -> None:
            seen.extend(self._search_payload(path, kind, needles))

        with opened_at(path) as opened:
            refuse_dicom(opened)
            plan = Plan(path, opened.identity, (), (), 0, opened.size, 0)
            assert self.to is not None
            return stage(opened, plan, self.to, audit, token=token, advance=self.advance), tuple(seen)


def is_edited(copy: Opened, data: Bytes, edits: Sequence[Edit]) -> bool:
    """Say whether a copy is what edits make of bytes; it is read to its end."""
    at = 0
    for piece in pieces(edits, 0, len(data)):
        source, start, stop = (piece, 0, len(piece)) if isinstance(piece, bytes) else (data, *piece)
        for first in range(start, stop, _BLOCK):
            block = source[first : min(first + _BLOCK, stop)]
            if at + len(block) > copy.size or copy.read(at, at + len(block)) != block:
                return False
            at += len(block)
    return at == copy.size


def _count(writes: tuple[tuple[int, bytes], ...]) -> int:
    return sum(len(data) for _, data in writes)


def made_of(plan: Plan, strategy: str, written: int, audit: Audit | None) -> Made:
    """Tell of a plan that was carried out."""
    return Made(strategy, plan.changed, written, audit, plan.messages, plan.warnings, plan.identity)


def last_of(found: Found) -> Part:
    """Give the dataset, or the only part."""
    return next(one.part for one in reversed(found.parts) if not isinstance(one.part, Inside))


def search_payload(path: str, kind: str, needles: tuple[Needle, ...], advance: Advance) -> list[Bulk]:
    """Search a file that is all payload."""
    with opened_at(path) as opened:
        return search_opened(opened, kind, needles, advance)


def search_opened(opened: Opened, kind: str, needles: tuple[Needle, ...], advance: Advance) -> list[Bulk]:
    """Search an open file that is all payload."""
    part = TextPart(opened, payloads=[Payload(0, opened.size, kind)])
    found = in_payloads((part,), needles, advance)
    seen = [bulk.decide(part, scanned, patch=False)[0] for _, scanned in found]
    opened.check()
    return seen


def refuse_dicom(opened: Opened) -> None:
    """Refuse a payload that is a file of its own."""
    if opened.read(0, min(opened.size, 132))[128:] == b"DICM":
        raise UnsupportedError("what should be its payload is DICOM of its own")


def with_bulk(audit: Audit, more: tuple[Bulk, ...]) -> Audit:
    """Add what was found in a payload beside the file."""
    leaks = tuple(place for one in more for place in one.left)
    scanned = sum(one.size for one in more)
    return audit._replace(bulk=audit.bulk + more, leaks=audit.leaks + leaks, scanned=audit.scanned + scanned)
