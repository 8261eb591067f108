"""Copies beside their originals: whether any value of an original is left in a copy."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace

from fastanon import auditor, progress
from fastanon.attempts import attempted
from fastanon.auditor import Audit, Secrets
from fastanon.chance import Advance
from fastanon.container import read_parts
from fastanon.errors import MalformedError
from fastanon.fields import Place
from fastanon.files import Input, Source, sources
from fastanon.identity import Needle
from fastanon.names import Mask, Met, hits_in_path
from fastanon.opened import Opened
from fastanon.report import AUDITED, FileResult, Report, Tell
from fastanon.scheme import Scheme
from fastanon.search import identity_of, with_insides
from fastanon.subjects import Subjects
from fastanon.uids import uids_in
from fastanon.work import search_payload, with_bulk


class Comparison:
    """One call of `audit`.

    Parameters
    ----------
    scheme : Scheme
        What should be gone.
    advance : callable
        Is told of bytes of payload as they are searched.
    """

    def __init__(self, scheme: Scheme, advance: Advance = lambda _: None) -> None:
        self._scheme, self._advance, self._mask = scheme, advance, Mask()
        self._by_name: dict[str, tuple[Needle, ...]] = {}
        self._uids: dict[str, frozenset[bytes]] = {}
        self._all: dict[bytes, Needle] = {}
        self._met = Met()
        self._left_out: dict[str, int] = {}

    def learn(self, originals: list[Source]) -> Iterator[FileResult]:
        """Read the identities of the originals, and give a result for each that can't be read."""
        for item in originals:
            failure = attempted(lambda item=item: self._learn_one(item), item, self._shown)  # type: ignore[misc]
            if failure is not None:
                yield failure

    def over(self, copies: list[Source]) -> Iterator[tuple[Source, FileResult]]:
        """Audit every copy: against the original of the same name, or against all where there is none."""
        for item in copies:
            result = attempted(lambda item=item: self._one(item), item, self._shown)  # type: ignore[misc]
            assert result is not None
            yield item, result

    def _learn_one(self, item: Source) -> None:
        if item.problem is not None:
            raise item.problem
        with Opened(item.path) as opened:
            parts = read_parts(opened)
            found = identity_of(parts, Subjects(parts, self._scheme), self._scheme)
            every = with_insides(parts) if self._scheme.maps_uids else ()
            self._uids[item.name] = frozenset(uid for part, _ in every for _, uid in uids_in(part))
            opened.check()
        self._by_name[item.name] = found.needles
        self._left_out[item.name] = found.left_out
        for needle in found.needles:
            self._all.setdefault(needle.data, needle)
        self._met.add(found.needles)

    def _one(self, item: Source) -> FileResult:
        if item.problem is not None:
            raise item.problem
        needles = self._by_name.get(item.name, tuple(self._all.values()))
        uids = self._uids.get(item.name, frozenset().union(*self._uids.values()))
        audit = auditor.of_copy(item.path, Secrets(needles, uids), self._scheme, True, self._advance)
        if item.payload:
            kind = _kind_beside(item.path)
            seen = tuple(search_payload(item.payload, kind, needles, self._advance))
            audit = with_bulk(audit, seen) or audit
        _check_with_pydicom(item.path)
        return FileResult(
            self._shown(item.path), AUDITED, audit=self._with_path(audit, item), listed=item.listed,
            messages=tuple(self._messages(item, needles)),
        )  # fmt: skip

    def _messages(self, item: Source, needles: tuple[Needle, ...]) -> Iterator[str]:
        """Say what was not searched for."""
        left_out = self._left_out.get(item.name, sum(self._left_out.values()))
        if left_out:
            yield f"{left_out} values of the original too short or too common to be searched for"
        if not needles:
            yield "the original has no value to search for"

    def _with_path(self, audit: Audit, item: Source) -> Audit:
        hits = hits_in_path(item.name, self._met)
        places = tuple(Place("file name", h.start, h.end - h.start, h.needle.kind) for h in hits)
        return replace(audit, leaks=audit.leaks + places)

    def _shown(self, path: str) -> str:
        return self._mask.shown(path, self._met)


def _kind_beside(path: str) -> str:
    with Opened(path) as opened:
        return read_parts(opened)[-1].kind_beside()


def _check_with_pydicom(path: str) -> None:
    """Have another program read a DICOM file to its end."""
    with Opened(path) as opened:
        if opened.size < 132 or opened.view[128:132] != b"DICM":
            return
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pydicom.dcmread(path, defer_size=1 << 16)
        except Exception:  # noqa: BLE001  # whatever it is, its text may quote the file
            raise MalformedError("pydicom can't read it", path=path) from None


def audit(copies: Input, against: Input, scheme: Scheme, tell: Tell = lambda _: None) -> Report:
    """Audit copies against their originals; see `fastanon.audit`."""
    listed = sources(copies)
    results: list[FileResult] = []
    with progress.over(listed) as meter:
        comparison = Comparison(scheme, meter.advance)
        for failure in comparison.learn(sources(against)):
            results.append(failure)
            tell(failure)
        for item, result in comparison.over(listed):
            results.append(result)
            meter.done(item)
            tell(result)
    return Report(tuple(results), scheme.profile.name)
