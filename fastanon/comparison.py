"""Copies beside their originals: whether any value of an original is left in a copy."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from fastanon import auditor, progress
from fastanon.archives.reader import Reader
from fastanon.archives.within import Inner, within
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
from fastanon.scan import find
from fastanon.scheme import Scheme
from fastanon.search import identity_of, with_insides
from fastanon.subjects import Subjects
from fastanon.uids import uids_in
from fastanon.work import search_opened, search_payload, with_bulk


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
            for one in within(item):
                failure = attempted(lambda one=one: self._learn_one(one), one.source, self._shown)  # type: ignore[misc]
                if failure is not None:
                    yield failure

    def over(self, copies: list[Source]) -> Iterator[tuple[Source, FileResult]]:
        """Audit every copy: against the original of the same name, or against all where there is none.

        An archive is a copy of its own, behind its members, for what it says about them and itself.
        """
        for item in copies:
            for one in within(item, payloads=True):
                result = attempted(lambda one=one: self._one(one), one.source, self._shown)  # type: ignore[misc]
                assert result is not None
                yield item, result

    def _learn_one(self, inner: Inner) -> None:
        item = inner.source
        if inner.open is None:
            return
        with inner.open() as opened:
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

    def _one(self, inner: Inner) -> FileResult:
        item = inner.source
        needles = self._needles_of(inner.header or item)
        if inner.open is None:
            audit = Audit("copy", 0, 0, (), 0)
        else:
            with inner.open() as opened:
                audit = self._audit(inner, opened, needles)
        said = (Place("archive header", 0, h.end - h.start, h.needle.kind) for h in find(inner.said, needles))
        audit = audit._replace(leaks=(*audit.leaks, *said), scanned=audit.scanned + len(inner.said))
        messages = [*self._messages(item, needles), *(f"beside its members: {note}" for note in inner.notes)]
        return FileResult(
            self._shown(item.path), AUDITED, audit=self._with_path(audit, item), listed=item.listed,
            messages=tuple(messages),
        )  # fmt: skip

    def _needles_of(self, item: Source) -> tuple[Needle, ...]:
        return self._by_name.get(item.name, tuple(self._all.values()))

    def _audit(self, inner: Inner, opened: Opened, needles: tuple[Needle, ...]) -> Audit:
        """Search an open copy, and the payload beside it."""
        item = inner.source
        if inner.header is not None:
            seen = tuple(search_opened(opened, inner.kind, needles, self._advance))
            return with_bulk(Audit("copy", 0, 0, (), 0), seen)
        uids = self._uids.get(item.name, frozenset().union(*self._uids.values()))
        audit = auditor.of_opened(opened, Secrets(needles, uids), self._scheme, True, self._advance)
        if item.payload:
            kind = read_parts(opened)[-1].kind_beside()
            audit = with_bulk(audit, tuple(search_payload(item.payload, kind, needles, self._advance)))
        _check_with_pydicom(opened)
        return audit

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
        return audit._replace(leaks=audit.leaks + places)

    def _shown(self, path: str) -> str:
        return self._mask.shown(path, self._met)


def _check_with_pydicom(opened: Opened) -> None:
    """Have another program read a DICOM file to its end."""
    if opened.size < 132 or opened.view[128:132] != b"DICM":
        return
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pydicom.dcmread(Reader(opened, opened.size), defer_size=1 << 16)
        except Exception:  # noqa: BLE001  # whatever it is, its text may quote the file
            raise MalformedError("pydicom can't read it", path=opened.path) from None


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
