"""Worker processes of this machine.

loky starts each as a fresh interpreter. Forking would carry over the threads and CUDA contexts of a notebook, and
`multiprocessing` would run a script once more that has no ``if __name__ == "__main__"``. Tasks, and the key in
them, go through pipes: never through a command line, the environment or a file.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

from loky.process_executor import ProcessPoolExecutor, ShutdownExecutorError

from fastanon.tasks import Outcome, Task, do

_PAUSE = 1.0  # seconds between looks at whether the run is still there, and at most for a thread to end
_FEEDER = "QueueFeederThread"


class Processes:
    """Worker processes.

    Parameters
    ----------
    count : int
        How many.

    Attributes
    ----------
    lost : tuple of exceptions
        What a future raises if its worker, or another, has died.
    gone : tuple of exceptions
        Nothing: there are always new ones.
    """

    gone: tuple[type[BaseException], ...] = ()
    lost: tuple[type[BaseException], ...] = (BrokenProcessPool, ShutdownExecutorError)

    def __init__(self, count: int) -> None:
        self.count, self._others = count, set(threading.enumerate())
        self._executor = self._made()

    def _made(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(max_workers=self.count, initializer=_begin, initargs=(os.getpid(),))

    def submit(self, task: Task) -> Future[list[Outcome]]:
        """Begin a task."""
        future: Future[list[Outcome]] = self._executor.submit(do, task)
        return future

    def renew(self) -> None:
        """Start fresh workers."""
        self.close()
        self._executor = self._made()

    def close(self) -> None:
        """End all workers, whatever they do."""
        self._executor.shutdown(wait=True, kill_workers=True)
        # the only one that loky does not wait for; exit would stop it while it gives semaphores back
        for thread in set(threading.enumerate()) - self._others:
            if thread.name == _FEEDER:
                thread.join(_PAUSE)


def _begin(parent: int) -> None:
    """Leave Ctrl-C to the run, and end with it even where it was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    from fastanon.cli import set_up

    set_up()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PAUSE)
    os._exit(1)
