"""Many files: each on its own, so that one that is broken harms no other."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

from fastanon import apply, auditor
from fastanon.errors import AccessError, FileError, NotMedicalError, UsageError
from fastanon.files import Input, Source, sources
from fastanon.identity import Needle
from fastanon.names import Mask, hits_in_path
from fastanon.opened import Opened
from fastanon.planner import Place, Plan, make_plan
from fastanon.profile import Replacements
from fastanon.report import ANONYMIZED, COPIED, UNCHANGED, FileResult, Report


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

    def over(self, source: Input) -> Iterator[tuple[int, FileResult]]:
        """Do every file; those that name nobody come last, since their paths may name others."""
        listed = sources(source)
        if self.to is not None and any(f"{item.path}/".startswith(f"{self.to}/") for item in listed):
            raise UsageError("the output folder lies among the files that would be read")
        later = []
        for number, item in enumerate(listed):
            result = self._attempt(item, self.one, last=False)
            if result is None:
                later.append((number, item))
            else:
                yield number, result
        for number, item in later:
            result = self._attempt(item, self.one, last=True)
            assert result is not None
            yield number, result

    def _attempt(
        self, item: Source, do: Callable[[Source, bool], FileResult | None], last: bool
    ) -> FileResult | None:
        medical = True
        try:
            if item.problem is not None:
                raise item.problem
            return do(item, last)
        except FileError as error:
            medical = not isinstance(error, NotMedicalError)
            status, reason = ("failed" if isinstance(error, AccessError) else "refused"), error.where
        except OSError as error:
            status, reason = "failed", os.strerror(error.errno or 0)
        except Exception as error:  # noqa: BLE001  # its text could quote the file, so only its place is told
            status, reason = "failed", f"internal error, {_place(error)}"
        return FileResult(self.shown(item.path), status, messages=(reason,), listed=item.listed, medical=medical)

    def one(self, item: Source, last: bool) -> FileResult | None:
        """Do one file; None puts it off until the identities of the others are known."""
        with Opened(item.path) as opened:
            plan = make_plan(opened, self.replacements)
            if not last and not any(n.kind == "name" for n in plan.needles):
                return None
            for needle in plan.needles:
                self.met.setdefault(needle.data, needle)
            result = self._in_place(opened, plan) if self.to is None else self._copy(opened, plan, item)
        return replace(result, source=self.shown(item.path), messages=plan.messages, listed=item.listed)

    def shown(self, path: str) -> str:
        """Give a path without what identifies in it, as far as that is known by now."""
        return self._mask.shown(path, self.met.values())

    def _in_place(self, opened: Opened, plan: Plan) -> FileResult:
        strategy, status = plan.strategy, ANONYMIZED if plan.edits else UNCHANGED
        written, seen = 0, auditor.of_plan(plan)
        if strategy == "patch":
            written = apply.patch(plan)
        elif strategy == "rewrite":
            written, seen = self._rewrite(opened, plan, plan.path)
        return FileResult("", status, "", strategy, len(plan.edits), written, self._with_path(seen, opened.path))

    def _copy(self, opened: Opened, plan: Plan, item: Source) -> FileResult:
        assert self.to is not None
        target = os.path.join(self.to, self._mask.cleaned(item.name, self.met.values()))
        written, seen = self._rewrite(opened, plan, target)
        if item.bf is not None:
            written += _copy_bf(item.bf, os.path.splitext(target)[0] + ".bf")
        status = ANONYMIZED if plan.edits else COPIED
        strategy = "rewrite" if plan.edits else "copy"
        return FileResult(
            "", status, self.shown(target), strategy, len(plan.edits), written, self._with_path(seen, target)
        )

    def _rewrite(self, opened: Opened, plan: Plan, target: str) -> tuple[int, auditor.Audit]:
        seen: list[auditor.Audit] = []
        written = apply.rewrite(
            opened, plan, target, lambda path: seen.append(auditor.of_copy(path, plan.needles))
        )
        return written, seen[0]

    def _with_path(self, seen: auditor.Audit, path: str) -> auditor.Audit:
        """Add what the file's own name gives away."""
        name = os.path.basename(path)
        hits = hits_in_path(name, self.met.values())
        places = tuple(Place("file name", h.start, h.end - h.start, h.needle.kind) for h in hits)
        return replace(seen, leaks=seen.leaks + places)


def _copy_bf(path: str, target: str) -> int:
    """Copy a payload as it is."""
    with Opened(path) as opened:
        plan = Plan(path, opened.identity, (), (), (), 0, opened.size, 0)
        return apply.rewrite(opened, plan, target, lambda _: None)


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
    for number, result in Run(replacements, to).over(source):
        results[number] = result
        if tell is not None:
            tell(result)
    return Report(tuple(results[n] for n in sorted(results)))


def say(result: FileResult) -> None:
    """Print one line about a file."""
    print(result, file=sys.stdout)
