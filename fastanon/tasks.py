"""A bunch of files as a task: what is known goes in, what was made of them comes out, and anybody may do it.

A task and its answer can be sent to another process. Nothing in an answer has a name yet: copies are temporary
files, changes in place are bytes. Who asked knows of all files, and gives names, or commits. So it does no harm to
do a task twice, or half: only what an answer tells of becomes a file.
"""

from __future__ import annotations

import functools
import os
import pickle
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from fastanon import __version__, archives, attributes, beside, folders
from fastanon.attempts import attempted, failure
from fastanon.container import read_parts
from fastanon.dicom import DicomPart
from fastanon.dicomdir import is_directory
from fastanon.errors import FileError, UsageError
from fastanon.files import Source
from fastanon.hosts import Whose
from fastanon.identity import Needle
from fastanon.kept_kernels import KERNELS, is_off, kernel
from fastanon.limits import Limits, limited, limits
from fastanon.names import Mask, Met, Renamed
from fastanon.opened import Opened
from fastanon.opening import opened_at
from fastanon.report import FileResult
from fastanon.rewrite import discard, sync
from fastanon.scheme import Scheme, Subject
from fastanon.search import Finding, identity_of
from fastanon.subjects import Subjects
from fastanon.targets import Target, Targets, renaming
from fastanon.work import Made, Options, Work

if TYPE_CHECKING:
    from fastanon.work import Found

#: A task has so many files, or so many bytes if they are more.
MOST_FILES, MOST_BYTES = 32, 64 << 20

#: Why a file is put off: it names nobody, so that others tell whose it is; it names all the others; or it holds
#: others, which is for who asked.
NOBODY, DIRECTORY, ARCHIVE = "nobody", "directory", "archive"

#: Says what a file is called then and how names follow in it: what is known of it, and whether it is a DICOMDIR.
Naming: TypeAlias = "Callable[[Outcome, bool], tuple[Target, Renamed]]"


@dataclass(frozen=True)
class Task:
    """Files to be done, and what is known of them. It holds the key and paths: its text shows neither.

    Attributes
    ----------
    options : bytes
        The pickled options of the run, key included.
    items : tuple of (int, Source)
        The files, by their number in the run.
    token : str
        How the names of temporary files begin.
    hosts : dict of int to Subject, or None
        Whose the files are that name nobody, once that is known; None puts them off.
    before : frozenset of int
        Files that were done by a run before: only who they name is read.
    limits : Limits
        Those that hold where it was made.
    version : str
        Of the program that asks.
    """

    options: bytes = field(repr=False)
    items: tuple[tuple[int, Source], ...] = field(repr=False)
    token: str = field(default_factory=beside.new_token)
    hosts: dict[int, Subject | None] | None = field(default=None, repr=False)
    before: frozenset[int] = frozenset()
    limits: Limits = field(default_factory=limits, repr=False)
    version: str = __version__

    def parted(self) -> Iterator[Task]:
        """Give a task for each file."""
        for item in self.items:
            yield Task(self.options, (item,), hosts=self.hosts, before=self.before)


@dataclass(slots=True)
class Outcome:
    """What became of one file so far.

    Attributes
    ----------
    number : int
        Which file.
    needles : tuple of Needle
        Its values.
    whose : Whose or None
        Whose it is; None where nobody could read it.
    off : str
        Why it is put off, if it is.
    failed : FileResult or None
        Why it can't be done.
    before : bool
        Whether a run before seems to have done it: only who it names was read.
    taken : bool
        Whether its copy seems to be there: nothing was made.
    asked : dict
        What `Renamed` gave, by what little was known here.
    made : Made or None
        What was made of it.
    attributes : tuple of str
        Its extended attributes.
    rows : dict
        Who is who in it, for the vault.
    """

    number: int
    needles: tuple[Needle, ...] = ()
    whose: Whose | None = None
    off: str = ""
    failed: FileResult | None = None
    before: bool = False
    taken: bool = False
    asked: dict[tuple[str, int], str] = field(default_factory=dict)
    made: Made | None = None
    attributes: tuple[str, ...] = ()
    rows: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def staged(self) -> tuple[str, ...]:
        """The temporary files."""
        return tuple(filter(None, (self.made.beside, self.made.staged))) if self.made else ()


def bunches(items: Iterable[tuple[int, Source]]) -> Iterator[tuple[tuple[int, Source], ...]]:
    """Part files into those of a task each, in order."""
    bunch: list[tuple[int, Source]] = []
    size = 0
    for item in items:
        more = item[1].size or sum(size_of(path) for path in (item[1].path, item[1].payload) if path)
        if bunch and (len(bunch) >= MOST_FILES or size + more > MOST_BYTES):
            yield tuple(bunch)
            bunch, size = [], 0
        bunch.append(item)
        size += more
    if bunch:
        yield tuple(bunch)


def size_of(path: str) -> int:
    """Give the size of a file, 0 where nobody can tell."""
    try:
        return os.stat(path, follow_symlinks=False).st_size
    except OSError:
        return 0


_ALONE = threading.Lock()  # what is remembered of one file for the next belongs to one thread


def do(task: Task) -> list[Outcome]:
    """Do a task that came from another process.

    Raises
    ------
    UsageError
        If that runs another version of this program.
    """
    if task.version != __version__:
        raise UsageError(f"a worker has fastanon {__version__}, and the run has {task.version}")
    with _ALONE, limited(**asdict(task.limits)):
        return Bench(_work(task.options)).over(task)


def _identity_of(opened: Opened, scheme: Scheme, host: Subject | None) -> Finding:
    parts = read_parts(opened)
    return identity_of(parts, Subjects(parts, scheme, lambda _: host), scheme)


def warm() -> None:
    """Load all compiled kernels, or compile them."""
    for name in () if is_off() else KERNELS:
        kernel(name)


@functools.lru_cache(1)
def _work(options: bytes) -> Work:
    found = pickle.loads(options)  # who sends tasks could send code as well
    assert isinstance(found, Options)
    return Work(found, lambda _: None, many=True)


class Bench:
    """Where tasks are done, by what is found in their files alone."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._last: tuple[tuple[Needle, ...], tuple[Needle, ...], Met] = ((), (), Met())

    def over(self, task: Task, tell: Callable[[Source], object] = lambda _: None) -> list[Outcome]:
        """Do all files of a task, tell of each, and make what was written durable."""
        done: list[Outcome] = []
        try:
            with folders.kept():
                for number, item in task.items:
                    done.append(self._one(task, number, item))
                    tell(item)
            self._sync(done, dict(task.items))
        except BaseException:
            discard([path for outcome in done for path in outcome.staged])
            raise
        return done

    def _sync(self, done: Iterable[Outcome], items: Mapping[int, Source]) -> None:
        """Make copies durable with one call, and files in place too: these may lie on several filesystems."""
        by_device: dict[int, list[Outcome]] = {}
        for outcome in done:
            if outcome.staged:
                by_device.setdefault(os.stat(outcome.staged[-1]).st_dev, []).append(outcome)
        for outcomes in by_device.values():
            try:
                sync([path for outcome in outcomes for path in outcome.staged])
            except FileError as error:
                for outcome in outcomes:
                    discard(outcome.staged)
                    outcome.made, outcome.failed = None, failure(error, items[outcome.number], str)

    def _one(self, task: Task, number: int, item: Source) -> Outcome:
        if number in task.before:
            return self._learned(task, number, item)
        hosts, last = task.hosts or {}, task.hosts is not None

        def naming(_outcome: Outcome, _: bool) -> tuple[Target, Renamed]:
            return self._guessed(item)

        return self.one(number, item, naming, task.token, last, hosts.get(number))

    def one(
        self, number: int, item: Source, naming: Naming, token: str, last: bool, host: Subject | None
    ) -> Outcome:
        """Do one file.

        Parameters
        ----------
        number : int
            Which.
        item : Source
            The file.
        naming : callable
            Says how names follow.
        token : str
            How the names of temporary files begin.
        last : bool
            Whether it may not be put off.
        host : Subject or None
            Whose it is, if it names nobody and others tell.
        """
        outcome = Outcome(number)
        outcome.failed = attempted(lambda: self._made(outcome, item, naming, token, last, host), item, str)
        outcome.rows, self._work.options.scheme.rows = self._work.options.scheme.rows, {}
        return outcome

    def _made(
        self, outcome: Outcome, item: Source, naming: Naming, token: str, last: bool, host: Subject | None
    ) -> None:
        if item.problem is not None:
            raise item.problem
        with opened_at(item.path) as opened:
            if archives.kind_of(opened):
                outcome.off = ARCHIVE
                return
            found = self._work.search(opened, item, lambda _: host)
            directory = self._known(outcome, found)
            if directory or not outcome.whose or not outcome.whose.named:
                outcome.off = "" if last else DIRECTORY if directory else NOBODY
            if outcome.off:
                return
            outcome.attributes = attributes.keys(opened)
            target, renamed = naming(outcome, directory)
            outcome.asked, outcome.taken = renamed.asked, target.copied and os.path.lexists(target.path)
            if not outcome.taken:
                outcome.made = self._work.do(opened, item, found, renamed, token)

    def _learned(self, task: Task, number: int, item: Source) -> Outcome:
        """Read who is named in a file that was done before."""
        outcome = Outcome(number, before=True)
        host = (task.hosts or {}).get(number)

        def learn() -> None:
            if item.problem is not None:
                raise item.problem
            with opened_at(item.path) as opened:
                if archives.kind_of(opened):
                    outcome.off = ARCHIVE
                    return
                scheme = self._work.options.scheme
                directory = self._known(outcome, _identity_of(opened, scheme, host))
                if task.hosts is None and (directory or not outcome.whose or not outcome.whose.named):
                    outcome.off = DIRECTORY if directory else NOBODY

        outcome.failed = attempted(learn, item, str)
        self._work.options.scheme.rows.clear()
        return outcome

    def _guessed(self, item: Source) -> tuple[Target, Renamed]:
        """Name the file by its own values: who knows those of the others sees whether that is right."""
        scheme, mask, met = self._work.options.scheme, Mask(self._work.options.scheme), self._last[2]
        target = Targets(self._work.to, mask, scheme.strips).of(item, met)
        return target, renaming(item, target, mask, met)

    def _known(self, outcome: Outcome, found: Found) -> bool:
        """Note who is named in a file; say whether it is a DICOMDIR."""
        subjects = found.subjects
        outcome.needles = self._spelled(found)
        outcome.whose = Whose(subjects.named, subjects.whole, subjects.study)
        parts = (one.part for one in found.parts)
        return any(isinstance(part, DicomPart) and is_directory(part.elements) for part in parts)

    def _spelled(self, found: Found) -> tuple[Needle, ...]:
        """Give the needles as paths are spelled: of the files of a series the very same ones."""
        if found.needles is not self._last[0]:
            spelled = tuple(needle for needle in found.needles if needle.codec == "utf-8")
            self._last = found.needles, spelled, Met(spelled)
        return self._last[1]
