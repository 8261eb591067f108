"""Many files: each on its own, so that one that is broken harms no other."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace

from fastanon import progress
from fastanon.attempts import attempted
from fastanon.bulk import Bulk
from fastanon.chance import Advance
from fastanon.errors import UsageError
from fastanon.files import Input, Source, sources
from fastanon.identity import Needle
from fastanon.names import Mask, Renamed, hits_in_path
from fastanon.opened import Opened
from fastanon.report import ANONYMIZED, COPIED, UNCHANGED, FileResult, Report, Tell
from fastanon.search import Place
from fastanon.work import Options, Work, with_bulk


class Run:
    """One call of `anonymize`: what it writes where, and the identities met so far.

    Parameters
    ----------
    options : Options
        What is wanted.
    advance : callable
        Is told of bytes of payload as they are searched.
    """

    def __init__(self, options: Options, advance: Advance = lambda _: None) -> None:
        self._work = Work(options, advance)
        self.to = None if options.to is None else os.path.realpath(options.to)
        self.met: dict[bytes, Needle] = {}
        self._mask = Mask()
        self._paths: dict[int, tuple[str, str]] = {}
        self._taken: set[str] = set()

    def over(self, listed: list[Source]) -> Iterator[tuple[int, FileResult]]:
        """Do every file; those that name nobody come last, since their paths may name others."""
        if self.to is not None and any(f"{item.path}/".startswith(f"{self.to}/") for item in listed):
            raise UsageError("the output folder lies among the files that would be read")
        later = []
        for number, item in enumerate(listed):
            result = self._attempt(number, item, last=False)
            if result is None:
                later.append((number, item))
            else:
                yield number, result
        for number, item in later:
            result = self._attempt(number, item, last=True)
            assert result is not None
            yield number, result

    def with_names(self, number: int, result: FileResult) -> FileResult:
        """Mask the paths of a result, and say what they give away, once all identities are known."""
        source, name = self._paths[number]
        result, seen = replace(result, source=self.shown(source)), result.audit
        if seen is None:
            return result
        if self.to is not None:
            result = replace(result, output=self.shown(name))
            name = os.path.relpath(name, self.to)
        hits = hits_in_path(name, self.met.values())
        places = tuple(Place("file name", h.start, h.end - h.start, h.needle.kind) for h in hits)
        return replace(result, audit=replace(seen, leaks=seen.leaks + places))

    def _attempt(self, number: int, item: Source, last: bool) -> FileResult | None:
        self._paths[number] = (item.path, "")

        def one() -> FileResult | None:
            if item.problem is not None:
                raise item.problem
            return self._one(number, item, last)

        return attempted(one, item, self.shown)

    def _one(self, number: int, item: Source, last: bool) -> FileResult | None:
        """Do one file; None puts it off until the identities of the others are known."""
        with Opened(item.path) as opened:
            found = self._work.search(opened)
            if not last and not any(n.kind == "name" for n in found.needles):
                return None
            for needle in found.needles:
                self.met.setdefault(needle.data, needle)
            target, beside = self._targets(item)
            self._paths[number] = (item.path, item.name if target is None else target)
            names = {os.path.basename(item.payload or ""): os.path.basename(beside)} if target else None
            renamed = Renamed(self._mask, self.met.values(), names)
            plan = self._work.plan(opened, found, renamed)
            kind = found.parts[-1].kind_beside()
            seen: tuple[Bulk, ...] = ()
            if item.payload and target is None:  # before its header changes
                seen = self._work.search_payload(item.payload, kind, found.needles)
            strategy, written, audit = self._work.write(opened, plan, found.needles, target)
            if item.payload and target is not None:
                more, seen = self._work.copy_payload(item.payload, kind, found.needles, target, beside)
                written += more
            audit = with_bulk(audit, seen)
        status = ANONYMIZED if plan.edits else UNCHANGED if target is None else COPIED
        messages = plan.messages + (("its payload lies beside it, kept as it is",) if item.payload else ())
        return FileResult(
            self.shown(item.path), status, self.shown(target) if target else "", strategy,
            len(plan.edits), written, audit, messages, item.listed, warnings=plan.warnings,
        )  # fmt: skip

    def _targets(self, item: Source) -> tuple[str | None, str]:
        """Give the paths to write a file and its payload to: names that were cleaned to the same are numbered."""
        if self.to is None:
            return None, ""
        stem = os.path.splitext(item.payload or item.path)[0]
        extension = item.path[len(stem) :]
        cleaned = os.path.join(self.to, self._mask.cleaned(item.name, self.met.values()))
        start = cleaned.removesuffix(extension)
        target, number = start + extension, 2
        while target in self._taken:
            target, number = f"{start}-{number}{extension}", number + 1
        self._taken.add(target)
        return target, target.removesuffix(extension) + (item.payload or "")[len(stem) :]

    def shown(self, path: str) -> str:
        """Give a path without what identifies in it, as far as that is known by now."""
        return self._mask.shown(path, self.met.values())


def run(source: Input, options: Options, tell: Tell = lambda _: None) -> Report:
    """Do all files of a source and give the report, in the order of the source."""
    listed = sources(source)
    # the search, or the copy with the search before and the audit behind it
    passes = 3 if options.to is not None and options.audit == "full" else 1
    results: dict[int, FileResult] = {}
    with progress.over(listed, passes) as meter:
        batch = Run(options, meter.advance)
        for number, result in batch.over(listed):
            results[number] = result
            meter.done(listed[number])
            tell(result)
    return Report(tuple(batch.with_names(n, results[n]) for n in sorted(results)))


def say(result: FileResult) -> None:
    """Print one line about a file."""
    print(result, file=sys.stdout)
