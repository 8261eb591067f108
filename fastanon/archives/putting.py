"""The members of an archive, each searched, planned and written as a file of that name is, and then audited."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from fastanon import auditor
from fastanon.archives import Contents
from fastanon.archives.entries import Entries, Entry, holds_directory
from fastanon.archives.members import Member
from fastanon.archives.writing import Writer, blocks, content_of
from fastanon.attempts import attempted
from fastanon.auditor import Audit, Secrets
from fastanon.chance import Advance
from fastanon.edits import edited
from fastanon.errors import MalformedError
from fastanon.hosts import Hosts
from fastanon.names import Mask, Met, Renamed
from fastanon.opened import Opened
from fastanon.planner import Plan, make_plan
from fastanon.record import Record
from fastanon.report import ANONYMIZED, COPIED, UNCHANGED, FileResult
from fastanon.search import Searched, search
from fastanon.targets import Target, Targets, renaming
from fastanon.work import Options, are_many, refuse_dicom, search_opened, with_bulk

if TYPE_CHECKING:
    from fastanon.series import Series


class Around(NamedTuple):
    """What an archive shares with the other files of its run.

    Attributes
    ----------
    options : Options
        What is wanted.
    to : str or None
        The output folder; None for files in place.
    hosts : Hosts
        The patients met so far.
    met : Met
        Their needles.
    mask : Mask
        Cleans names.
    advance : callable
        Is told of bytes of payload as they are searched.
    keep : callable
        Lets the vault have who is who in a file, and where it went.
    shown : callable
        Masks a path.
    record : Record or None
        Where copies are written down before they get their names.
    """

    options: Options
    to: str | None
    hosts: Hosts
    met: Met
    mask: Mask
    advance: Advance
    keep: Callable[[str, Target], None]
    shown: Callable[[str], str]
    record: Record | None


class StoppedError(Exception):
    """A member can't be written, so that the archive is not."""


class LeftError(Exception):
    """Members say that they are de-identified, and are not."""


class Members:
    """What is done to the members of an archive.

    Parameters
    ----------
    entries : Entries
        These.
    around : Around
        The run.
    """

    def __init__(self, entries: Entries, around: Around) -> None:
        self._entries, self._around = entries, around
        self._scheme, self._full = around.options.scheme, around.options.audit == "full"
        self._unmarked: set[str] = set()
        self._series = self._make_series() if are_many(len(entries)) else None

    def _make_series(self) -> Series:
        from fastanon.series import Series  # numpy

        return Series(self._scheme, False, self._full, self._around.advance)

    def place(self, target: Target) -> None:
        """Give each member its path in the archive that will be written there."""
        free = target.copied or self._scheme.strips
        self._targets = Targets(target.path if free else None, self._around.mask, free)
        for entry in self._entries:
            if entry.goes and entry.header is None:
                entry.target = self._targets.of(entry.source, self._around.met)

    def put(self, writer: Writer) -> None:
        """Write all of them.

        Raises
        ------
        StoppedError
            If one can't be; it has its result then.
        """
        for entry, member in self._entries.with_members():
            if entry.goes:

                def one(entry: Entry = entry, member: Member = member) -> None:
                    (self._put if entry.header is None else self._put_payload)(entry, member, writer)

                result = attempted(one, entry.source, self._around.shown)
                if result is not None:
                    (entry.header or entry).result = replace(result, medical=True)
                    raise StoppedError

    def _put(self, entry: Entry, member: Member, writer: Writer) -> None:
        assert entry.target is not None
        with member.open() as opened:
            plan = self._planned_like(entry, opened) or self._planned(entry, opened)
            self._around.keep(entry.source.path, entry.target)
            size = opened.size + sum(edit.growth for edit in plan.edits)
            writer.add(entry.new_name, size, content_of(opened, plan.edits), member.packed)
        entry.plan, entry.changed = plan._replace(edits=(), places=()), bool(plan.edits)

    def _planned_like(self, entry: Entry, opened: Opened) -> Plan | None:
        """Plan a member as another of its series was planned, if that can be."""
        entry.digest = b""
        if not self._in_series(entry, opened) or entry.source.name in self._unmarked:
            return None
        assert self._series is not None
        found = self._series.like(opened)
        plan = found.planned(opened, self._renamed(entry, found.parts)) if found is not None else None
        if found is None or plan is None:
            return None
        entry.audit, entry.digest = found.audited(plan, "copy"), _digest(edited(opened.view, plan.edits))
        entry.marked = entry.own = False
        return plan

    def _planned(self, entry: Entry, opened: Opened) -> Plan:
        source, target, around = entry.source, entry.target, self._around
        assert target is not None
        found = search(
            opened, self._scheme, self._full, around.advance, lambda study: around.hosts.of(source.path, study)
        )
        renamed = self._renamed(entry, found.parts)
        mark = (self._scheme.strips or target.copied) and source.name not in self._unmarked
        patch = around.options.payload == "patch"
        plan = make_plan(opened, found, self._scheme, renamed, patch, mark, block=1)
        if self._in_series(entry, opened) and self._series is not None:
            self._series.learn(opened, found, plan, renamed)
        entry.marked, entry.own = plan.marked, found.own
        entry.needles = found.needles if source.payload else ()  # what its payload is searched for
        entry.secrets = Secrets.of(found.needles, found.uids)
        return plan

    def _in_series(self, entry: Entry, opened: Opened) -> bool:
        return self._series is not None and entry.payload is None and isinstance(opened.view, bytes)

    def _renamed(self, entry: Entry, parts: Iterable[Searched]) -> Renamed:
        """Give how the names of other members change."""
        source, target, around = entry.source, entry.target, self._around
        assert target is not None
        directory = holds_directory(one.part for one in parts)
        files = self._targets.file_names(source.path, target.path) if directory else None
        return renaming(source, target, around.mask, around.met, files)

    def _put_payload(self, entry: Entry, member: Member, writer: Writer) -> None:
        with member.open() as opened:
            refuse_dicom(opened)
            writer.add(entry.new_name, opened.size, blocks(opened, 0, opened.size), member.packed)

    def audit(self, contents: Contents) -> None:
        """Search an archive that was written, member by member.

        Raises
        ------
        MalformedError
            If it is not what should have been written.
        LeftError
            If something is left where a member says that nothing is.
        """
        goes = [entry for entry in self._entries if entry.goes]
        leaky = set()
        for entry, member in zip(goes, contents.members(), strict=True):
            if member.name != entry.new_name or not member.bare:
                raise MalformedError("the new archive is not what was written")
            with member.open() as opened:
                entry.audit = (self._audited if entry.header is None else self._audited_payload)(entry, opened)
            if entry.marked and entry.audit.leaks:
                leaky.add(entry.source.name)
        if leaky:
            self._unmarked |= leaky
            raise LeftError

    def _audited(self, entry: Entry, opened: Opened) -> Audit:
        if entry.digest and entry.audit is not None:
            if _digest(opened.read(0, opened.size)) != entry.digest:
                raise MalformedError("the new archive is not what was written")
            return entry.audit
        assert entry.plan is not None
        assert entry.secrets is not None
        left = auditor.of_opened(opened, entry.secrets, self._scheme, self._full, self._around.advance)
        # of own output there are no values to search for; and the plan tells of patches too
        return left._replace(bulk=entry.plan.bulk, scanned=0 if entry.own else left.scanned)

    def _audited_payload(self, entry: Entry, opened: Opened) -> Audit:
        header = entry.header
        assert header is not None
        found = search_opened(opened, header.kind, header.needles, self._around.advance) if self._full else []
        return with_bulk(Audit("copy", 0, 0, (), 0), tuple(found))

    @property
    def leaks(self) -> int:
        """How many places with something identifying are left in all of them."""
        return sum(len(entry.audit.leaks) for entry in self._entries if entry.audit is not None)

    def result(self, entry: Entry, archive: Target) -> FileResult:
        """Say what became of a member that is no payload, in an archive that was written there."""
        if entry.result is not None or entry.target is None or entry.plan is None:
            assert entry.result is not None
            return entry.result
        shown, source, audit = self._around.shown, entry.source, entry.audit
        if self._around.options.audit == "none":  # nobody has looked whether what was planned was written
            audit = None
        if audit is not None and entry.payload is not None and entry.payload.audit is not None:
            audit = with_bulk(audit, entry.payload.audit.bulk)
        free = archive.copied or entry.target.path != source.path
        status = ANONYMIZED if entry.changed else COPIED if archive.copied else UNCHANGED
        messages = entry.plan.messages
        messages += ("its payload lies beside it, kept as it is",) if source.payload else ()
        return FileResult(
            shown(source.path), status, shown(entry.target.path) if free else "",
            "rewrite" if entry.changed else "copy", entry.plan.changed, 0, audit, messages,
            warnings=entry.plan.warnings,
        )  # fmt: skip


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()
