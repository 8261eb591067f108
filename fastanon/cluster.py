"""Workers of a dask cluster, on any number of machines that see the same files under the same paths.

The key travels in the tasks, so the connections of a cluster should be TLS (``tls://``). It stands in no name of a
task, and what a task says of itself in a log holds neither key nor path. This is loaded only where a cluster is
wanted: dask is an extra.
"""

from __future__ import annotations

from concurrent.futures import CancelledError, Future

from distributed import Client, WorkerPlugin
from distributed.scheduler import KilledWorker

from fastanon.errors import UsageError
from fastanon.tasks import Outcome, Task, do, warm

_PATIENCE = 30  # seconds until there is a scheduler, and a worker


class Cluster:
    """A cluster that somebody else has started.

    Parameters
    ----------
    address : str
        Of its scheduler.

    Attributes
    ----------
    count : int
        How many tasks it does at once.
    lost : tuple of exceptions
        What a future raises whose task has ended several workers: dask has tried again by itself.
    gone : tuple of exceptions
        What it raises if the cluster is gone.

    Raises
    ------
    UsageError
        If there is no cluster, or it has no worker.
    """

    lost: tuple[type[BaseException], ...] = (KilledWorker,)
    gone: tuple[type[BaseException], ...] = (CancelledError, OSError)

    def __init__(self, address: str) -> None:
        try:
            self._client = Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError):
            raise UsageError("cluster: no scheduler answers at this address") from None
        try:
            self._client.wait_for_workers(1, timeout=_PATIENCE)
            self._client.register_plugin(_Warm())
        except TimeoutError:
            self._client.close()
            raise UsageError("cluster: it has no worker") from None
        except BaseException:
            self._client.close()
            raise
        self.count = sum(self._client.nthreads().values())
        self._executor = self._client.get_executor(pure=False)

    def submit(self, task: Task) -> Future[list[Outcome]]:
        """Begin a task."""
        future: Future[list[Outcome]] = self._executor.submit(do, task)
        return future

    def renew(self) -> None:
        """Leave it to the cluster to replace its dead."""

    def close(self) -> None:
        """Take back what is not done; the cluster goes on without this run."""
        self._executor.shutdown(wait=False)  # which cancels
        self._client.close()


class _Warm(WorkerPlugin):
    """Has each worker load the program before its first task, also one that comes later."""

    name = "fastanon"

    def setup(self, worker: object) -> None:  # noqa: ARG002  # dask gives it
        """Load it."""
        warm()
