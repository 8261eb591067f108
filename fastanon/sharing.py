"""Whether a copy may share the blocks of its original: filesystems such as xfs and btrfs let it (FICLONERANGE)."""

from __future__ import annotations

import os

from fastanon import beside, folders
from fastanon.beside import reported
from fastanon.opened import NO_FILE, Opened
from fastanon.part import Run
from fastanon.planner import WORTH
from fastanon.system import SYSTEM, System


class Sharing:
    """What is known in one run of pairs of filesystems."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], int] = {}

    def block(self, opened: Opened, payload: Run | None, above: str, system: System = SYSTEM) -> int:
        """Give by multiples of how many bytes a payload may move in a copy: 1 where no blocks are shared.

        It is tried out once for two filesystems, with a block of payload and a file that is removed again.

        Parameters
        ----------
        opened : Opened
            The original.
        payload : (int, int) or None
            Its largest.
        above : str
            The folder of the copy, or where it will be made.
        system : System
            Where the calls go.
        """
        if opened.fd == NO_FILE or payload is None or payload[1] - payload[0] < WORTH:
            return 1
        while not os.path.isdir(above):
            above = os.path.dirname(above)
        pair = (opened.identity.device, os.stat(above).st_dev)
        if pair not in self._known:
            self._known[pair] = _tried(opened, payload, above, system)
        return self._known[pair]


def _tried(opened: Opened, payload: Run, above: str, system: System) -> int:
    name = beside.temporary_name()
    with reported(above), folders.folder(above, system) as folder:
        fd = beside.created(name, folder, system)
        try:
            size = system.fstatvfs(fd).f_frsize
            system.share(opened.fd, fd, payload[0] + -payload[0] % size, size, 0)
        except OSError:
            return 1
        finally:
            try:
                system.unlink(name, dir_fd=folder)
            finally:
                system.close(fd)
    return size
