"""One file: searched, planned, written, audited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fastanon import apply, auditor, bulk
from fastanon.auditor import Audit
from fastanon.bulk import Bulk
from fastanon.chance import Advance
from fastanon.errors import UnsupportedError, UsageError
from fastanon.identity import Needle
from fastanon.names import Renamed
from fastanon.opened import Opened
from fastanon.part import TextPart
from fastanon.payload import Payload
from fastanon.planner import Plan, make_plan
from fastanon.profile import Replacements
from fastanon.search import Finding, in_payloads, search

#: What may be asked of the audit, and of needles in payloads that chance does not explain.
AUDITS, PAYLOADS = ("full", "text", "none"), ("patch", "report")


@dataclass(frozen=True, slots=True)
class Options:
    """What is wanted of a run.

    Attributes
    ----------
    replacements : Replacements
        What the fields become.
    to : str or None
        The output folder; None edits in place.
    audit : str
        ``full`` searches every byte, payloads too; ``text`` all but payloads; ``none`` does not search copies.
    payload : str
        What becomes of a needle in a payload that chance does not explain: ``patch``, or ``report`` as a leak.

    Raises
    ------
    UsageError
        If one of them is unknown.
    """

    replacements: Replacements = field(default_factory=Replacements)
    to: str | None = None
    audit: str = "full"
    payload: str = "patch"

    def __post_init__(self) -> None:
        for value, known, what in ((self.audit, AUDITS, "audit"), (self.payload, PAYLOADS, "payload")):
            if value not in known:
                raise UsageError(f"{what}: one of {', '.join(known)}")


class Work:
    """What is done to each file of a run.

    Parameters
    ----------
    options : Options
        What is wanted.
    advance : callable
        Is told of bytes of payload as they are searched.
    """

    def __init__(self, options: Options, advance: Advance) -> None:
        self._options, self._advance = options, advance
        self._full = options.audit == "full"

    def search(self, opened: Opened) -> Finding:
        """Search a file."""
        return search(opened, self._options.replacements, self._full, self._advance)

    def plan(self, opened: Opened, found: Finding, renamed: Renamed) -> Plan:
        """Plan what becomes of it."""
        return make_plan(opened, found, self._options.replacements, renamed, self._options.payload == "patch")

    def write(
        self, opened: Opened, plan: Plan, needles: tuple[Needle, ...], target: str | None
    ) -> tuple[str, int, Audit | None]:
        """Write one file, in place or to a target, and give the strategy, the bytes written and the audit."""
        if target is None and plan.strategy != "rewrite":
            return plan.strategy, apply.patch(plan) if plan.edits else 0, auditor.of_plan(plan)
        seen: list[Audit] = []

        # in place only the search is counted: nobody knew then that it would be a rewrite
        advance: Advance = self._advance if target else lambda _: None

        def audit(path: str) -> None:
            if self._options.audit != "none":
                found = auditor.of_copy(path, needles, self._full, advance)
                seen.append(replace(found, bulk=plan.bulk))  # which tells of patches too

        written = apply.rewrite(opened, plan, target or plan.path, audit, advance=advance)
        return "rewrite" if plan.edits else "copy", written, seen[0] if seen else None

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
        seen = [bulk.decide(*one, patch=False)[0] for one in found]
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
    """Copy a payload as it is, beside the target of its header, which goes where that fails."""
    try:
        with Opened(path) as opened:
            if opened.read(0, min(opened.size, 132))[128:] == b"DICM":
                raise UnsupportedError("what should be its payload is DICOM of its own")
            plan = Plan(path, opened.identity, (), (), 0, opened.size, 0)
            return apply.rewrite(opened, plan, beside, audit, advance=advance)
    except BaseException:
        apply.discard(target)
        raise
