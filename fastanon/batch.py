"""Many files: each on its own, so that one that is broken harms no other."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from fastanon import apply, attributes, progress, recovery
from fastanon.apply import Change
from fastanon.attempts import attempted
from fastanon.auditor import Audit
from fastanon.bulk import Bulk
from fastanon.chance import Advance
from fastanon.dicom import DicomPart
from fastanon.dicomdir import is_directory
from fastanon.errors import FileError, UsageError
from fastanon.fields import Place
from fastanon.files import Input, Source, sources
from fastanon.hosts import Hosts
from fastanon.identity import Needle
from fastanon.inside import Inside
from fastanon.names import Mask, Renamed, hits_in_path
from fastanon.opened import Opened, identity_at
from fastanon.part import Part
from fastanon.pending import Pending
from fastanon.report import ANONYMIZED, COPIED, UNCHANGED, FileResult, Report, Tell
from fastanon.rewrite import discard
from fastanon.targets import Target, Targets
from fastanon.work import Done, Options, Work, with_bulk

if TYPE_CHECKING:
    from fastanon.vault import Vault
    from fastanon.work import Found


#: From so many files on it is worth while to load compiled kernels.
_MANY = 32


class Run:
    """One call of `anonymize`: what it writes where, and the identities met so far.

    Parameters
    ----------
    options : Options
        What is wanted.
    advance : callable
        Is told of bytes of payload as they are searched.
    vault : Vault or None
        Where to keep who is who.
    many : bool
        Whether to look for series, whose files are planned by each other.
    """

    def __init__(
        self, options: Options, advance: Advance = lambda _: None, vault: Vault | None = None, many: bool = False
    ) -> None:
        self._work, self._scheme, self._vault = Work(options, advance, many), options.scheme, vault
        self.to = None if options.to is None else os.path.realpath(options.to)
        self.met: dict[bytes, Needle] = {}
        self._mask = Mask(options.scheme)
        self._hosts = Hosts()
        self._paths: dict[int, tuple[str, Target | None]] = {}
        self._targets = Targets(self.to, self._mask, options.scheme.strips)
        self._pending = Pending(self.shown)

    def over(self, listed: list[Source]) -> Iterator[tuple[int, FileResult]]:
        """Do every file; those that name nobody come last, since their paths may name others."""
        if self.to is not None and any(f"{item.path}/".startswith(f"{self.to}/") for item in listed):
            raise UsageError("the output folder lies among the files that would be read")
        later: list[tuple[int, Source]] = []
        done = []
        for number, result in self._first(listed, later):
            if result.status in (ANONYMIZED, UNCHANGED):
                done.append(number)
            yield number, result
        self._settle(listed, done)  # before any DICOMDIR names them
        for number, item in later:
            yield from self._attempt(number, item, later=None)
        yield from self._pending.flush()

    def _first(self, listed: list[Source], later: list[tuple[int, Source]]) -> Iterator[tuple[int, FileResult]]:
        for number, item in enumerate(listed):
            yield from self._attempt(number, item, later)
        yield from self._pending.flush()

    def _settle(self, listed: list[Source], done: list[int]) -> None:
        """Move files in place whose names turned out to be those of others.

        One that can't be moved stays, and its name is reported as left.
        """
        for number in done:
            source, target = self._paths[number]
            final = self._targets.settled(listed[number], target, self.met.values()) if target else None
            if target is not None and final is not None and final != target:
                if self._vault is not None:
                    self._vault.keep([("path", final.path, source)])
                with suppress(FileError):
                    _move(target, final)
                    self._paths[number] = (source, final)
                    self._targets.moved(listed[number], final)
                    if self._vault is not None:  # the name of another patient stands in it
                        self._vault.drop("path", target.path)

    def with_names(self, number: int, result: FileResult) -> FileResult:
        """Mask the paths of a result, and say what they give away, once all identities are known."""
        source, target = self._paths[number]
        result, seen = replace(result, source=self.shown(source)), result.audit
        if seen is None:
            return result
        assert target is not None
        if result.output or target.path != source:
            result = replace(result, output=self.shown(target.path))
        hits = hits_in_path(target.name, self.met.values())
        places = tuple(Place("file name", h.start, h.end - h.start, h.needle.kind) for h in hits)
        return replace(result, audit=replace(seen, leaks=seen.leaks + places))

    def _attempt(
        self, number: int, item: Source, later: list[tuple[int, Source]] | None
    ) -> Iterator[tuple[int, FileResult]]:
        """Do one file, or put it off; give the results of those that are done by now."""
        self._paths[number] = (item.path, None)
        changes: list[Change] = []

        def one() -> FileResult | None:
            if item.problem is not None:
                raise item.problem
            return self._one(number, item, later is None, changes)

        result = attempted(one, item, self.shown)
        if result is not None:
            yield from self._pending.add(number, item, result, changes)
        elif later is not None:
            later.append((number, item))

    def _one(self, number: int, item: Source, last: bool, changes: list[Change]) -> FileResult | None:
        """Do one file, or give its changes; None puts it off until the identities of the others are known."""
        with Opened(item.path) as opened:
            found = self._work.search(opened, item, lambda study: self._hosts.of(item.path, study))
            parts = [one.part for one in found.parts]
            directory = any(isinstance(part, DicomPart) and is_directory(part.elements) for part in parts)
            if not last and (directory or not found.subjects.named):
                return None
            self._hosts.add(item.path, found.subjects)
            for needle in found.needles:
                if needle.codec == "utf-8":  # as paths are spelled
                    self.met.setdefault(needle.data, needle)
            target = self._targets.of(item, self.met.values())
            self._paths[number] = (item.path, target)
            files = self._targets.file_names(item.path, target.path) if directory else None
            free = target.copied or target.moves(item)
            beside = os.path.basename(item.payload or "")
            names = {beside: os.path.basename(target.payload)} if free else None
            renamed = Renamed(self._mask, self.met.values(), names, files, beside)
            done, audit = self._write(opened, item, found, renamed, target)
            messages = (*done.plan.messages, *attributes.messages(opened, target, self.shown))
        changes.extend(done.changes)
        changed = done.plan.edits or target.moves(item)
        status = ANONYMIZED if changed else COPIED if target.copied else UNCHANGED
        messages += ("its payload lies beside it, kept as it is",) if item.payload else ()
        return FileResult(
            self.shown(item.path), status, self.shown(target.path) if free else "", done.strategy,
            done.plan.changed, done.written, audit, messages, item.listed, warnings=done.plan.warnings,
        )  # fmt: skip

    def _write(
        self, opened: Opened, item: Source, found: Found, renamed: Renamed, target: Target
    ) -> tuple[Done, Audit | None]:
        """Write a file and its payload, which in place is only searched, before its header changes."""
        kind, needles = _last(found).kind_beside(), found.needles
        seen: tuple[Bulk, ...] = ()
        if item.payload and not target.copied:
            seen = self._work.search_payload(item.payload, kind, needles)
        more = 0
        if item.payload and target.copied:  # first: a header without its payload would count as done
            more, seen = self._work.copy_payload(item.payload, kind, needles, target.path, target.payload)
        try:
            done = self._work.do(opened, item, found, renamed, target, lambda: self._keep(item.path, target))
        except BaseException:
            if more:
                discard(target.payload)
            raise
        done = done._replace(written=done.written + more)
        return done, with_bulk(done.audit, seen)

    def _keep(self, path: str, target: Target) -> None:
        """Let the vault have who is who in a file that is planned."""
        rows, self._scheme.rows = self._scheme.rows, {}
        if self._vault is not None:
            if target.path != path:
                rows["path", target.path] = path
            self._vault.keep((*known, old) for known, old in rows.items())

    def shown(self, path: str) -> str:
        """Give a path without what identifies in it, as far as that is known by now."""
        return self._mask.shown(path, self.met.values())


def _move(old: Target, new: Target) -> None:
    """Give a file in place, and its payload, another path."""
    pairs = [(old.path, new.path), (old.payload, new.payload)]
    for here, there in pairs:
        if here and here != there:
            identity = identity_at(here)
            for error in apply.commit([Change(here, identity, (), identity.size, there)]):
                if error is not None:
                    raise error


def _last(found: Found) -> Part:
    """Give the dataset, or the only part."""
    return next(one.part for one in reversed(found.parts) if not isinstance(one.part, Inside))


def run(source: Input, options: Options, tell: Tell = lambda _: None) -> Report:
    """Do all files of a source and give the report, in the order of the source."""
    listed, recovered = recovery.settled(sources(source))
    _refuse_secrets(options, listed)
    # the search, or the copy with the search before and the audit behind it
    passes = 3 if options.to is not None and options.audit == "full" else 1
    results: dict[int, FileResult] = {}
    with progress.over(listed, passes) as meter, _vault(options) as vault:
        batch = Run(options, meter.advance, vault, len(listed) >= _MANY)
        for number, result in batch.over(listed):
            results[number] = result
            meter.done(listed[number])
            tell(result)
    files = tuple(batch.with_names(number, results[number]) for number in sorted(results))
    pseudonyms = options.scheme.pseudonyms
    return Report(
        files, options.scheme.profile.label, pseudonyms.fingerprint if pseudonyms.kept else "", recovered
    )


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
