"""Archives in a run: done by the process that knows of all files, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastanon import archives
from fastanon.attempts import attempted
from fastanon.files import Source
from fastanon.finishing import Finishing
from fastanon.known import Known
from fastanon.opening import opened_at
from fastanon.record import Record
from fastanon.report import FileResult
from fastanon.targets import Target
from fastanon.work import Work

if TYPE_CHECKING:
    from fastanon.vault import Vault


class Archives:
    """What does archives.

    Parameters
    ----------
    finishing : Finishing
        What tells of a file that a run before has done.
    known : Known
        What is known of all files.
    work : Work
        What is wanted, and where.
    vault : Vault or None
        Where to keep who is who.
    record : Record or None
        What runs before have done.
    """

    def __init__(
        self, finishing: Finishing, known: Known, work: Work, vault: Vault | None, record: Record | None
    ) -> None:
        self._finishing, self._known, self._work = finishing, known, work
        self._vault, self._record = vault, record

    def do(self, number: int, item: Source, last: bool) -> FileResult | None:
        """Do one; None puts it off, if it names nobody and is not the last."""
        return attempted(lambda: self._do(number, item, last), item, self._known.shown)

    def _do(self, number: int, item: Source, last: bool) -> FileResult | None:
        from fastanon.archives.archive import Archive
        from fastanon.archives.putting import Around

        known, work = self._known, self._work
        around = Around(
            work.options, work.to, known.hosts, known.met, known.mask, work.advance, self._keep, known.shown,
            self._record,
        )  # fmt: skip
        with opened_at(item.path) as opened:
            archive = Archive(opened, item, archives.kind_of(opened), around)
            if not archive.learn() and not last:
                return None
            target = known.target(number) or known.place(number, item)
            if self._record is not None and self._record.leaks(item, target) is not None:
                return self._finishing.before(item, target)
            result, known.members[number] = archive.write(target)
        return result

    def _keep(self, path: str, target: Target) -> None:
        """Let the vault have who is who in a file that is planned."""
        scheme = self._work.options.scheme
        rows, scheme.rows = scheme.rows, {}
        if self._vault is not None:
            if target.path != path:
                rows["path", target.path] = path
            self._vault.keep((*known, old) for known, old in rows.items())
