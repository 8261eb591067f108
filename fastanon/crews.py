"""Who does the tasks of a run: this process or others. The answers come in the order of the tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from fastanon.errors import UsageError
from fastanon.files import Source
from fastanon.system import cpus
from fastanon.tasks import Bench, Outcome, Task
from fastanon.work import Options, Work

if TYPE_CHECKING:
    from fastanon.others import Pool

Told = Callable[[Source], object]


class Crew(Protocol):
    """Whoever does tasks."""

    def over(self, tasks: Iterable[Task]) -> Iterator[list[Outcome]]:
        """Do tasks, which are taken as they are needed, and give the answers in order."""


class Here:
    """The process itself.

    Parameters
    ----------
    work : Work
        What is done to a file.
    tell : callable
        Is told of every file that is done.
    """

    def __init__(self, work: Work, tell: Told) -> None:
        self._bench, self._tell = Bench(work), tell

    def over(self, tasks: Iterable[Task]) -> Iterator[list[Outcome]]:
        """Do tasks one by one."""
        for task in tasks:
            yield self._bench.over(task, self._tell)


def hands_of(options: Options, files: int) -> int:
    """Give how many processes do so many files: 1 is this one alone, 0 are those of a cluster."""
    return max(1, min(options.workers or cpus(), files)) if options.cluster is None else 0


@contextmanager
def crew(work: Work, listed: list[Source], tell: Told) -> Iterator[Crew]:
    """Give those who do the tasks."""
    workers = hands_of(work.options, len(listed))
    if workers == 1:
        yield Here(work, tell)
        return
    from fastanon.others import Others  # slow to load

    others = Others(_pool(workers, work.options.cluster), work.to, tell)
    try:
        yield others
    finally:
        others.close()


def _pool(workers: int, cluster: str | None) -> Pool:
    if cluster is None:
        from fastanon.processes import Processes

        return Processes(workers)
    try:
        from fastanon.cluster import Cluster
    except ImportError:
        raise UsageError("a cluster needs dask: pip install 'fastanon[cluster]'") from None
    return Cluster(cluster)
