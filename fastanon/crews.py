"""Who does the tasks of a run: this process or others. The answers come in the order of the tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from fastanon.files import Source
from fastanon.tasks import Bench, Outcome, Task
from fastanon.work import Work


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

    def __init__(self, work: Work, tell: Callable[[Source], object]) -> None:
        self._bench, self._tell = Bench(work), tell

    def over(self, tasks: Iterable[Task]) -> Iterator[list[Outcome]]:
        """Do tasks one by one."""
        for task in tasks:
            yield self._bench.over(task, self._tell)


@contextmanager
def crew(work: Work, tell: Callable[[Source], object]) -> Iterator[Crew]:
    """Give those who do the tasks."""
    yield Here(work, tell)
