"""Workers that do the tasks of a run, and may die."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import islice
from typing import Protocol

from fastanon import beside
from fastanon.attempts import failure
from fastanon.crews import Told
from fastanon.errors import AccessError, BatchError
from fastanon.tasks import Outcome, Task

#: Tasks that are begun, by worker: enough to go on with while changes are committed here. And with those that wait
#: for one before them: of copies an answer is small.
_BEGUN, _COPIES, _CHANGES = 4, 256, 8

#: Why a file failed.
DIED = "worker died"
_GONE = "the cluster is gone: a second run goes on where this one was"


class Pool(Protocol):
    """Workers that may die.

    Attributes
    ----------
    count : int
        How many there are.
    lost : tuple of exceptions
        What a future raises whose worker has died, perhaps with others.
    gone : tuple of exceptions
        What it raises where there will be no worker any more.
    """

    count: int
    lost: tuple[type[BaseException], ...]
    gone: tuple[type[BaseException], ...]

    def submit(self, task: Task) -> Future[list[Outcome]]:
        """Begin a task."""

    def renew(self) -> None:
        """Replace the dead."""

    def close(self) -> None:
        """End all workers, whatever they do."""


class Others:
    """Workers, of which each has a task, and the next: memory does not grow with the number of files.

    When a worker dies, nobody knows which task it was. All that were begun are done once more, each file by itself
    in fresh workers. A file that ends its worker then has failed.

    Parameters
    ----------
    pool : Pool
        The workers.
    to : str or None
        The output folder; None for files in place.
    tell : callable
        Is told of every file that is done.
    """

    def __init__(self, pool: Pool, to: str | None, tell: Told) -> None:
        self._pool, self._to, self._tell = pool, to, tell
        self._waiting: deque[tuple[Task, Future[list[Outcome]] | list[Outcome]]] = deque()
        self._tokens: set[str] = set()
        self._most = pool.count * (_CHANGES if to is None else _COPIES)

    def over(self, tasks: Iterable[Task]) -> Iterator[list[Outcome]]:
        """Have tasks done."""
        coming = iter(tasks)
        while True:
            begun = [found for _, found in self._waiting if isinstance(found, Future)]
            room = min(_BEGUN * self._pool.count - len(begun), self._most - len(self._waiting))
            for task in islice(coming, max(0, room)):
                future = self._pool.submit(task)
                self._tokens.add(task.token)
                self._waiting.append((task, future))
                begun.append(future)
            if not self._waiting:
                return
            if begun:
                wait(begun, return_when=FIRST_COMPLETED)
                self._collect()
            while self._waiting and not isinstance(outcomes := self._waiting[0][1], Future):
                yield outcomes
                self._waiting.popleft()

    def close(self) -> None:
        """End the workers, and remove what they have written that got no name."""
        self._pool.close()
        for task, _ in self._waiting:
            self._clear(task)
        if self._to is not None:  # a cluster does tasks twice by itself
            beside.clear(self._to, self._tokens)

    def _collect(self) -> None:
        """Take the answers that are there; do again what was lost."""
        dead = False
        for number, (task, found) in enumerate(self._waiting):
            if isinstance(found, Future) and found.done():
                try:
                    self._waiting[number] = task, self._told(task, found.result())
                except self._pool.lost:
                    dead = True
                except self._pool.gone:
                    raise BatchError(_GONE) from None
        if dead:
            self._again()

    def _again(self) -> None:
        """Do what was begun once more, file by file."""
        self._pool.renew()
        for number, (task, found) in enumerate(self._waiting):
            if isinstance(found, Future):
                self._clear(task)
                alone = [outcome for one in task.parted() for outcome in self._alone(one)]
                self._waiting[number] = task, self._told(task, alone)

    def _alone(self, task: Task) -> list[Outcome]:
        try:
            return self._pool.submit(task).result()
        except self._pool.gone:
            raise BatchError(_GONE) from None
        except self._pool.lost:
            self._pool.renew()
            self._clear(task)
            ((number, item),) = task.items
            return [Outcome(number, failed=failure(AccessError(DIED), item, str))]

    def _told(self, task: Task, outcomes: list[Outcome]) -> list[Outcome]:
        for _, item in task.items:
            self._tell(item)
        return outcomes

    def _clear(self, task: Task) -> None:
        """Remove the temporary files of a task."""
        folders = {os.path.dirname(item.path) for _, item in task.items} if self._to is None else {self._to}
        for folder in folders:
            beside.clear(folder, (task.token,))
