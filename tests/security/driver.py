"""Run the program with a fault: ``python -m tests.security.driver FAULT NUMBER COUNT -- ARGUMENTS``.

FAULT is what happens at the call of that NUMBER: the name of an error or of a signal, ``unreadable``, or ``none``.
How many calls there were is written to the file COUNT. Everything that logs is heard.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastanon.cli import main
from fastanon.system import SYSTEM, System

_CALLS = ("open", "pread", "pwrite", "ftruncate", "fsync", "fchmod", "rename", "unlink", "mkdir", "lock", "syncfs",
          "rename_new", "copy_file_range", "fstatvfs")  # fmt: skip


class Fault:
    """Counts calls, and lets one of them go wrong."""

    def __init__(self, fault: str, number: int) -> None:
        self._fault, self._number, self.made = fault, number, 0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Count the calls of a function."""

        def called(*args: Any, **more: Any) -> Any:
            self.made += 1
            if self.made == self._number or (self._fault == "ENOSPC" and 0 < self._number < self.made):
                self._happen()
            return call(*args, **more)

        return called

    def _happen(self) -> None:
        if self._fault.startswith("SIG"):
            os.kill(os.getpid(), getattr(signal, self._fault))
        elif self._fault == "crash":
            raise ZeroDivisionError
        elif self._fault == "memory":
            raise MemoryError
        elif self._fault != "none":
            code = getattr(errno, self._fault, errno.EIO)
            raise OSError(code, os.strerror(code))


def run(fault: str, number: int, count: Path, arguments: list[str]) -> int:
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    made = Fault(fault, number)
    if fault == "unreadable":
        os.pread = made.around(os.pread)
    else:
        for name in _CALLS if fault != "ENOSPC" else ("pwrite", "copy_file_range", "fsync", "mkdir"):
            setattr(SYSTEM, name, made.around(getattr(System, name)))
    try:
        return main(arguments)
    finally:
        count.write_text(str(made.made))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[5:]))
