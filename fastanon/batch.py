"""Many files: each on its own, so that one that is broken harms no other."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

from fastanon import apply, auditor
from fastanon.auditor import Audit
from fastanon.errors import AccessError, FileError, NotMedicalError, UnsupportedError, UsageError
from fastanon.files import Input, Source, sources
from fastanon.identity import Needle
from fastanon.names import Mask, Renamed, hits_in_path
from fastanon.opened import Opened
from fastanon.planner import Plan, make_plan
from fastanon.profile import Replacements
from fastanon.report import ANONYMIZED, COPIED, UNCHANGED, FileResult, Report
from fastanon.search import Place, search


class Run:
    """One call of `anonymize`: what it writes where, and the identities met so far.

    Parameters
    ----------
    replacements : Replacements
        What the fields become.
    to : str or None
        The output folder; None edits in place.
    """

    def __init__(self, replacements: Replacements, to: str | None) -> None:
        self.replacements = replacements
        self.to = None if to is None else os.path.realpath(to)
        self.met: dict[bytes, Needle] = {}
        self._mask = Mask()
        self._paths: dict[int, tuple[str, str]] = {}
        self._taken: set[str] = set()

    def over(self, source: Input) -> Iterator[tuple[int, FileResult]]:
        """Do every file; those that name nobody come last, since their paths may name others."""
        listed = sources(source)
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
        medical = True
        self._paths[number] = (item.path, "")
        try:
            if item.problem is not None:
                raise item.problem
            return self._one(number, item, last)
        except FileError as error:
            medical = not isinstance(error, NotMedicalError)
            status, reason = ("failed" if isinstance(error, AccessError) else "refused"), error.where
        except OSError as error:
            status, reason = "failed", os.strerror(error.errno or 0)
        except Exception as error:  # noqa: BLE001  # its text could quote the file, so only its place is told
            status, reason = "failed", f"internal error, {_place(error)}"
        reasons = (reason, "nor the payload beside it") if item.payload else (reason,)
        return FileResult(self.shown(item.path), status, messages=reasons, listed=item.listed, medical=medical)

    def _one(self, number: int, item: Source, last: bool) -> FileResult | None:
        """Do one file; None puts it off until the identities of the others are known."""
        with Opened(item.path) as opened:
            found = search(opened, self.replacements)
            if not last and not any(n.kind == "name" for n in found.needles):
                return None
            for needle in found.needles:
                self.met.setdefault(needle.data, needle)
            target, beside = self._targets(item)
            self._paths[number] = (item.path, item.name if target is None else target)
            names = {os.path.basename(item.payload or ""): os.path.basename(beside)} if target else None
            renamed = Renamed(self._mask, self.met.values(), names)
            plan = make_plan(opened, found, self.replacements, renamed)
            strategy, written, audit = _write(opened, plan, found.needles, target)
            if item.payload and target:
                written += _copy_payload(item.payload, target, beside)
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


def _write(opened: Opened, plan: Plan, needles: tuple[Needle, ...], target: str | None) -> tuple[str, int, Audit]:
    """Write one file, in place or to a target, and give the strategy, the bytes written and the audit."""
    if target is None and plan.strategy != "rewrite":
        return plan.strategy, apply.patch(plan) if plan.edits else 0, auditor.of_plan(plan)
    seen: list[Audit] = []
    written = apply.rewrite(
        opened, plan, target or plan.path, lambda path: seen.append(auditor.of_copy(path, needles))
    )
    return "rewrite" if plan.edits else "copy", written, seen[0]


def _copy_payload(path: str, target: str, beside: str) -> int:
    """Copy a payload as it is, beside the target of its header, which goes where that fails."""
    try:
        with Opened(path) as opened:
            if opened.read(0, min(opened.size, 132))[128:] == b"DICM":
                raise UnsupportedError("what should be its payload is DICOM of its own")
            plan = Plan(path, opened.identity, (), (), 0, opened.size, 0)
            return apply.rewrite(opened, plan, beside, lambda _: None)
    except BaseException:
        apply.discard(target)
        raise


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    at = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {at}"


def run(
    source: Input,
    replacements: Replacements,
    to: str | None,
    tell: Callable[[FileResult], object] | None = None,
) -> Report:
    """Do all files of a source and give the report, in the order of the source."""
    results: dict[int, FileResult] = {}
    batch = Run(replacements, to)
    for number, result in batch.over(source):
        results[number] = result
        if tell is not None:
            tell(result)
    return Report(tuple(batch.with_names(n, results[n]) for n in sorted(results)))


def say(result: FileResult) -> None:
    """Print one line about a file."""
    print(result, file=sys.stdout)
