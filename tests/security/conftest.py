"""What security tests share."""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
import sys
from collections.abc import Iterator

import pytest

#: Seconds for a call that must neither wait nor loop; only what hangs takes them.
_PATIENCE = 15
#: Bytes that a call may take beside what the process has; only what reads without end takes them.
_MEMORY = 1 << 30


class HangError(BaseException):
    """A call did not come back; no handler of the program's own may catch this."""


@pytest.fixture
def in_time() -> Iterator[None]:
    """End a test that hangs, as on a FIFO, and a process that can't be ended so."""

    def end(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(_PATIENCE)
    faulthandler.dump_traceback_later(3 * _PATIENCE, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Let what reads without end fail before the machine does."""
    with open("/proc/self/statm", encoding="ascii") as file:
        taken = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (taken + _MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)
