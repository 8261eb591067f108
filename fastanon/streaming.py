"""From pipe to pipe: the header is audited before it is written, and the payload is searched as it passes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from fastanon import bulk
from fastanon.attempts import attempted
from fastanon.auditor import Audit
from fastanon.batch import open_vault
from fastanon.edits import pieces
from fastanon.errors import AccessError, FileError
from fastanon.files import Source
from fastanon.names import Mask, Met, Renamed
from fastanon.passing import Passing
from fastanon.piped import NAME, Piped
from fastanon.planner import Plan
from fastanon.report import ANONYMIZED, COPIED, FileResult, Report
from fastanon.search import Finding, search
from fastanon.sending import LeftError, planned
from fastanon.work import Options, with_bulk

_BLOCK = 1 << 20


class Streaming:
    """One file on its way from one descriptor to another.

    Parameters
    ----------
    options : Options
        What is wanted.
    source, target : int
        Descriptors to read from and to write to.

    Attributes
    ----------
    closed : bool
        Whether nobody reads what is written any more.
    """

    def __init__(self, options: Options, source: int, target: int) -> None:
        self._options, self._source, self._target = options, source, target
        self._full = options.audit == "full"
        self._written = 0
        self.closed = False

    def run(self) -> Report:
        """Do it and give the report."""
        result = attempted(self._one, Source(NAME, NAME, listed=True), str)
        assert result is not None
        pseudonyms = self._options.scheme.pseudonyms
        label, key = self._options.scheme.profile.label, pseudonyms.fingerprint if pseudonyms.kept else ""
        return Report((replace(result, bytes_written=self._written),), label, key)

    def _one(self) -> FileResult:
        with Piped(self._source) as piped:
            whole = piped.passes is None
            found = search(piped, self._options.scheme, self._full and whole)
            try:
                renamed = Renamed(Mask(self._options.scheme), Met(found.needles), {"": ""})
                plan, audit = planned(piped, found, renamed, self._options)
            except LeftError as left:
                message = "not written, for something identifying would be left"
                return FileResult(NAME, "refused", audit=left.audit, messages=(message,), listed=True)
            self._keep()
            status, why = ANONYMIZED if plan.edits else COPIED, tuple[str, ...]()
            try:
                audit = self._pass(piped, plan, found, audit)
                piped.finish()
            except FileError as error:
                status, why = "failed", (f"{error.where}; what was written is not to be used",)
        strategy = "rewrite" if plan.edits else "copy"
        return FileResult(
            NAME, status, "" if why else NAME, strategy, plan.changed, 0, audit, (*plan.messages, *why), True,
            warnings=plan.warnings,
        )  # fmt: skip

    def _keep(self) -> None:
        """Let the vault have who is who, before anything is written."""
        rows, self._options.scheme.rows = self._options.scheme.rows, {}
        with open_vault(self._options) as vault:
            if vault is not None:
                vault.keep((*known, old) for known, old in rows.items())

    def _pass(self, piped: Piped, plan: Plan, found: Finding, audit: Audit | None) -> Audit | None:
        """Write all; give the audit with what stands in the payload."""
        payload = piped.passes
        passing = Passing(found.needles, payload) if payload and self._full and found.needles else None
        waiting = bytearray()
        for at, data in _in_order(piped, plan):
            if passing is not None and payload is not None and at is not None:
                passing.feed(data[max(0, payload.start - at) :])
            waiting += data
            if len(waiting) >= _BLOCK:
                self._write(waiting)
        self._write(waiting)
        if passing is None or audit is None:
            return audit
        seen, _ = bulk.decide(found.parts[-1].part, passing.scanned(), patch=False)
        return with_bulk(audit._replace(payload=audit.payload - seen.size), (seen,))

    def _write(self, data: bytearray) -> None:
        """Write all that waits."""
        try:
            with memoryview(data) as view:
                done = 0
                while done < len(view):
                    count = os.write(self._target, view[done:])
                    done, self._written = done + count, self._written + count
        except OSError as error:
            self.closed = isinstance(error, BrokenPipeError)
            raise AccessError(os.strerror(error.errno or 0), path=NAME) from None
        data.clear()


def _in_order(piped: Piped, plan: Plan) -> Iterator[tuple[int | None, bytes]]:
    """Give all that is written, what is old with its offset."""
    for piece in pieces(plan.edits, 0, piped.size):
        if isinstance(piece, bytes):
            yield None, piece
            continue
        at, stop = piece
        for data in piped.passing(at, stop):
            yield at, data
            at += len(data)


def run(options: Options, source: int, target: int) -> tuple[Report, bool]:
    """Anonymize what comes from one descriptor to another; say whether the reader of that has left."""
    streaming = Streaming(options, source, target)
    return streaming.run(), streaming.closed
