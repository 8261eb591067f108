"""The members of one archive: which belong together, and whose they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fastanon.archives import Contents, is_packed
from fastanon.archives.members import Member
from fastanon.attempts import attempted
from fastanon.auditor import Audit, Secrets
from fastanon.container import read_parts
from fastanon.dicom import DicomPart
from fastanon.dicomdir import is_directory
from fastanon.errors import UnsupportedError
from fastanon.files import Source, paired
from fastanon.hosts import Hosts, Whose
from fastanon.identity import Needle
from fastanon.names import Met
from fastanon.opened import Opened
from fastanon.part import Part
from fastanon.planner import Plan
from fastanon.report import FileResult
from fastanon.scheme import Scheme
from fastanon.search import identified
from fastanon.subjects import nobody
from fastanon.targets import Target


@dataclass(slots=True)
class Entry:
    """What is known of one member.

    Attributes
    ----------
    source : Source
        The member, as a file below the archive.
    header, payload : Entry or None
        Of a payload beside its header, the header; and the other way round.
    waits : bool
        Whether it names nobody, and is looked at when all others have been.
    kind : str
        What the payload beside it holds.
    needles : tuple of Needle
        What that is searched for.
    secrets : Secrets or None
        What may not be left of it.
    target : Target or None
        Where it goes.
    plan : Plan or None
        What becomes of it, without the edits.
    changed : bool
        Whether there were any.
    marked : bool
        Whether it says then that it is de-identified.
    own : bool
        Whether it is own output.
    digest : bytes
        Of what was written, where it was planned by another of its series and is not searched again.
    audit : Audit or None
        What is left of it.
    result : FileResult or None
        Why it does not go anywhere.
    """

    source: Source
    header: Entry | None = None
    payload: Entry | None = None
    waits: bool = False
    kind: str = ""
    needles: tuple[Needle, ...] = ()
    secrets: Secrets | None = None
    target: Target | None = None
    plan: Plan | None = None
    changed: bool = False
    marked: bool = False
    own: bool = False
    digest: bytes = b""
    audit: Audit | None = None
    result: FileResult | None = None

    @property
    def goes(self) -> bool:
        """Whether it becomes a member of the new archive."""
        return (self.header or self).result is None

    @property
    def new_name(self) -> str:
        """Its path in the new archive."""
        target = (self.header or self).target
        if target is None:
            return ""
        above, name = os.path.split(target.name)
        return os.path.join(above, name if self.header is None else os.path.basename(target.payload))

    @property
    def is_bad(self) -> bool:
        """Whether it keeps the archive from being written, which one that is no medical file does not."""
        return self.result is not None and (self.result.medical or self.result.status == "failed")


class Entries:
    """All members of an archive, in its order.

    Parameters
    ----------
    item : Source
        The archive.
    contents : Contents
        What it holds.

    Attributes
    ----------
    bare : bool
        Whether the archive says no more of any than name and size.
    """

    def __init__(self, item: Source, contents: Contents) -> None:
        self._contents, self.bare = contents, True
        every = {}
        for member in contents.members():
            path = f"{item.path}/{member.name}"
            every[path] = Source(path, member.name, root=item.path)
            self.bare = self.bare and member.bare
        found: dict[str, Entry] = {}
        for source in paired(every, every.__contains__):
            found[source.path] = Entry(source)
            if source.payload:
                payload = found[source.payload] = Entry(every[source.payload], found[source.path])
                found[source.path].payload = payload
        self._entries = {path: found[path] for path in every}

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def with_members(self) -> Iterator[tuple[Entry, Member]]:
        """Go through the archive."""
        yield from zip(self, self._contents.members(), strict=True)

    def __len__(self) -> int:
        return len(self._entries)

    def learn(self, scheme: Scheme, hosts: Hosts, met: Met, shown: Callable[[str], str]) -> bool:
        """Read the identities of all members, and say whether any names somebody.

        Those that name nobody come last, since the others may say whose they are.
        """
        for last in (False, True):
            for entry, member in self.with_members() if not last or any(e.waits for e in self) else ():
                if entry.header is None and entry.waits == last:

                    def one(entry: Entry = entry, member: Member = member, last: bool = last) -> None:
                        _learn(entry, member, last, scheme, hosts, met)

                    entry.result = attempted(one, entry.source, shown)
        return any(entry.goes and not entry.waits and entry.header is None for entry in self)


def _learn(entry: Entry, member: Member, last: bool, scheme: Scheme, hosts: Hosts, met: Met) -> None:
    source = entry.source
    if source.problem is not None:
        raise source.problem
    with opened_member(member) as opened:
        parts = read_parts(opened)
        found = identified(parts, scheme, (lambda study: hosts.of(source.path, study)) if last else nobody)
        if not last and (holds_directory(parts) or not found.subjects.named):
            entry.waits = True
            return
        whose = found.subjects
        hosts.add(source.path, Whose(whose.named, whose.whole, whose.study))
        met.add(found.needles)
        if source.payload:
            entry.kind = parts[-1].kind_beside()
        opened.check()


def opened_member(member: Member) -> Opened:
    """Open a member.

    Raises
    ------
    UnsupportedError
        If it is an archive of its own, into which nobody looks.
    """
    opened = member.open()
    if is_packed(opened):
        opened.close()
        raise UnsupportedError("an archive in an archive: unpack it", path=opened.path)
    return opened


def holds_directory(parts: Iterable[Part]) -> bool:
    """Say whether a file is a DICOMDIR."""
    return any(isinstance(part, DicomPart) and is_directory(part.elements) for part in parts)
