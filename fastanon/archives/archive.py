"""One archive of a run: all members are known before the first is written, and audited before it gets its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from fastanon import archives, attributes
from fastanon.archives.entries import Entries
from fastanon.archives.members import BLOCK
from fastanon.archives.putting import Around, LeftError, Members, StoppedError
from fastanon.archives.writing import written
from fastanon.auditor import Audit
from fastanon.errors import FileError, MalformedError, NotMedicalError, UnsupportedError
from fastanon.files import Source
from fastanon.finishing import replace_file
from fastanon.landing import EXISTS, Landing, land
from fastanon.opened import Opened
from fastanon.record import Copy
from fastanon.report import ANONYMIZED, COPIED, UNCHANGED, FileResult
from fastanon.rewrite import Staged, discard, stage_with, sync
from fastanon.system import SYSTEM
from fastanon.targets import Target
from fastanon.work import Made

Paths = list[tuple[str, Target | None]]


class _SameError(Exception):
    """In place, the new archive is the old one, bit for bit."""


class Archive:
    """An archive that is anonymized.

    Parameters
    ----------
    opened : Opened
        The file; it stays open.
    item : Source
        The same.
    kind : str
        As `archives.kind_of` says.
    around : Around
        The run.
    """

    def __init__(self, opened: Opened, item: Source, kind: str, around: Around) -> None:
        self._opened, self._item, self._kind, self._around = opened, item, kind, around
        self._contents = archives.read(opened, kind)
        self._entries = Entries(item, self._contents)
        self._members = Members(self._entries, around)

    def learn(self) -> bool:
        """Read whose the members are; say whether any of them names somebody, or is refused.

        Raises
        ------
        FileError
            If the archive can't be trusted, or holds no medical file.
        """
        around = self._around
        named = self._entries.learn(around.options.scheme, around.hosts, around.met, around.shown)
        bad = any(entry.is_bad for entry in self._entries)
        if not bad and not any(entry.goes for entry in self._entries):
            raise NotMedicalError(f"not DICOM but an archive ({self._kind}) without a medical file")
        return named or bad

    def write(self, target: Target) -> tuple[FileResult, Paths]:
        """Write all members to a new archive, or none where one of them has to be refused.

        Returns
        -------
        FileResult
            What became of the archive, and of each member.
        list of (str, Target or None)
            The path of each of these members, and where it went.
        """
        if any(entry.is_bad for entry in self._entries):
            return self._refused()
        if "://" in target.path:  # no path of a folder, whose slashes are single
            raise UnsupportedError("an archive can be written to a local folder only")
        if target.copied and os.path.lexists(target.path):
            raise UnsupportedError(EXISTS)
        self._members.place(target)
        try:
            size = self._land(self._stage(target), target)
        except _SameError:
            size = 0
        except StoppedError:
            return self._refused()
        return self._done(target, size)

    def _stage(self, target: Target) -> Staged:
        """Write the archive, and audit it."""
        opened, folder = self._opened, self._around.to or os.path.dirname(self._opened.path)
        while True:
            with suppress(LeftError):  # once more; each time more of the members are not marked
                return stage_with(
                    opened, opened.identity, folder, self._fill, self._audit(target), replaces=not target.copied
                )

    def _land(self, staged: Staged, target: Target) -> int:
        """Make it durable, and give it its name; give the bytes of it."""
        try:
            sync([staged.path])
            if self._around.record is not None:
                self._around.record.add([Copy(self._item, target, (staged.path,), self._members.leaks)])
        except FileError:
            discard([staged.path])
            raise
        if not target.copied:
            made = Made("rewrite", 0, staged.written, None, (), (), self._opened.identity, staged.path)
            replace_file(self._item, made, target)
            return staged.written
        for error in land([Landing(((staged.path, target.path),))]):
            if error is not None:
                raise error
        return staged.written

    def _fill(self, fd: int) -> int:
        with written(fd, self._kind, SYSTEM) as writer:
            self._members.put(writer)
        return os.fstat(fd).st_size

    def _audit(self, target: Target) -> Callable[[str], None]:
        def audit(path: str) -> None:
            with Opened(path) as new:
                if self._around.options.audit != "none":
                    contents = archives.read(new, self._kind)
                    self._members.audit(contents)
                    if contents.notes:
                        raise MalformedError("the new archive is not what was written")
            if not target.copied and not target.moves(self._item) and _is_same(self._opened, path):
                raise _SameError

        return audit

    def _refused(self) -> tuple[FileResult, Paths]:
        bad = [entry for entry in self._entries if entry.is_bad]
        results = tuple(entry.result for entry in bad if entry.result is not None)
        status = "failed" if any(result.status == "failed" for result in results) else "refused"
        result = FileResult(
            self._around.shown(self._item.path), status, listed=self._item.listed, members=results,
            messages=("nothing of it is written: see its members",),
        )  # fmt: skip
        return result, [(entry.source.path, None) for entry in bad]

    def _done(self, target: Target, size: int) -> tuple[FileResult, Paths]:
        results = [(entry, self._members.result(entry, target)) for entry in self._entries if entry.header is None]
        same = all(e.result is None and not e.changed and e.new_name == e.source.name for e in self._entries)
        status = UNCHANGED if not size else COPIED if same and target.copied else ANONYMIZED
        free, shown = target.copied or target.moves(self._item), self._around.shown
        messages = tuple(attributes.messages(attributes.keys(self._opened), target.copied, shown))
        if size and self._contents.notes:
            messages += (f"left out: {', '.join(self._contents.notes)}",)
        result = FileResult(
            shown(self._item.path), status, shown(target.path) if free else "", "rewrite" if size else "none",
            bytes_written=size, audit=_NOTHING if self._around.options.audit != "none" else None,
            messages=messages, listed=self._item.listed, members=tuple(result for _, result in results),
        )  # fmt: skip
        return result, [(entry.source.path, entry.target) for entry, _ in results]


#: What an archive holds besides its members is written anew: nothing in it was searched, but for its name.
_NOTHING = Audit("copy", 0, 0, (), 0)


def _is_same(one: Opened, path: str) -> bool:
    """Compare an open file with another, byte for byte."""
    with Opened(path) as other:
        runs = [(at, min(at + BLOCK, one.size)) for at in range(0, one.size, BLOCK)]
        return one.size == other.size and all(one.read(*run) == other.read(*run) for run in runs)
