"""Which files a source means.

A source is a path to a file or a folder, a glob, a list of them, or the dictionary ``datain`` with which
NiftyPET describes all the data of a reconstruction.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from fastanon import urls
from fastanon.beside import is_ours
from fastanon.errors import AccessError, FileError, UnfinishedError, UnsupportedError, UsageError
from fastanon.journal import NAME
from fastanon.opening import is_there

PathLike: TypeAlias = "str | os.PathLike[str]"
Input: TypeAlias = "PathLike | Iterable[PathLike] | Mapping[str, object]"

#: Keys of ``datain`` (NIPET's mmraux.py) that are no data: the folder of all, and counts, which begin with '#'.
_NOT_DATA = ("corepath", "#")


#: Headers whose payload lies beside them, and the endings of that: Siemens' raw data, and Interfile, where the
#: header of list-mode (l), a sinogram (s) or a norm (n) has its name and ``.hdr`` behind it (STIR's examples).
_PAYLOADS = (
    (re.compile(r"(?i)\.dcm$"), (".bf", ".BF")),
    (re.compile(r"(?i)(?<=\.[a-z])\.hdr$"), ("",)),
    (re.compile(r"\.hs$"), (".s",)),
    (re.compile(r"\.hv$"), (".v",)),
)


class Source(NamedTuple):
    """One file to look at.

    Attributes
    ----------
    path : str
        Where it is.
    name : str
        Its path below an output folder.
    root : str
        The folder that was named, or in which a file that was named lies.
    size : int
        Its bytes, where they are known from a list.
    payload : str or None
        The file beside it that holds its payload: Siemens' ``.bf``, or the data of an Interfile header.
    listed : bool
        Whether somebody named it; otherwise it was met in a folder or in ``datain``.
    problem : FileError or None
        Why it can't be opened, where that is known already.
    """

    path: str
    name: str
    payload: str | None = None
    listed: bool = False
    problem: FileError | None = None
    root: str = ""
    size: int = 0


def sources(source: Input) -> list[Source]:
    """List the files of a source, in a stable order, each once, payloads with their headers.

    Raises
    ------
    UsageError
        If the source is of no kind that is known, or a glob that matches nothing.
    """
    found = list(_expand(source))
    roots = [os.path.dirname(urls.plain(path)) if kind == "file" else path for kind, path in found]
    if len(roots) == 1:
        base = roots[0]
    elif roots:
        base = _common([r if k == "file" else os.path.dirname(r) for (k, _), r in zip(found, roots, strict=True)])
    listed = isinstance(source, Mapping)
    every: dict[str, Source] = {}
    for kind, path in found:
        for item in _files_below(path) if kind == "folder" else [_file(path, not listed)]:
            name = os.path.relpath(urls.plain(item.path), base)
            root = path if kind == "folder" else os.path.dirname(path)
            every.setdefault(item.path, item._replace(name=name, root=root))
    kept = {path: item for path, item in _checked(every) if not is_ours(os.path.basename(path))}
    return list(paired(kept, lambda path: path in kept or _is_there(path)))


def _common(folders: list[str]) -> str:
    try:
        return os.path.commonpath(folders)
    except ValueError:
        raise UsageError("local files and URLs at once: name them in calls of their own") from None


def _checked(every: Mapping[str, Source]) -> Iterator[tuple[str, Source]]:
    """Give a problem to all files of a folder in which a journal lies."""
    folders = {os.path.dirname(path) for path in every}
    unfinished = {folder for folder in folders if os.path.lexists(os.path.join(folder, NAME))}
    for path, item in every.items():
        problem = item.problem
        if os.path.dirname(path) in unfinished:
            problem = UnfinishedError("a run in place was cut off here: fastanon recover finishes it", path=path)
        yield path, item._replace(problem=problem)


def _expand(source: Input) -> Iterator[tuple[str, str]]:
    """Give ("file" | "folder", absolute path) for everything that a source names."""
    if isinstance(source, Mapping):
        for key, value in source.items():
            if not str(key).startswith(_NOT_DATA):
                yield from _expand_value(key, value)
    elif isinstance(source, (str, os.PathLike)):
        yield from _expand_path(os.fspath(source))
    elif isinstance(source, Iterable) and not isinstance(source, (bytes, bytearray)):
        for path in source:
            if not isinstance(path, (str, os.PathLike)):
                raise UsageError("a list of files may hold paths only")
            yield from _expand_path(os.fspath(path))
    else:
        raise UsageError("not a path, a list of paths or the dictionary datain")


def _expand_value(key: object, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, (str, os.PathLike)):
        yield from _expand_path(os.fspath(value))
    elif isinstance(value, (list, tuple)) and all(isinstance(v, (str, os.PathLike)) for v in value):
        for path in value:
            yield from _expand_path(os.fspath(path))
    elif value is not None:
        raise UsageError(f"datain[{key!r}] is neither a path nor a list of paths")


def _expand_path(path: str) -> Iterator[tuple[str, str]]:
    path = urls.local(path)
    if urls.is_url(path):
        from fastanon.stores import expanded

        yield from expanded(path)
        return
    if not os.path.lexists(path) and set(path) & set("*?["):
        import glob

        matches = sorted(glob.glob(path, recursive=True))
        if not matches:
            raise UsageError(f"{path}: matches nothing")
    else:
        matches = [path]
    for match in matches:
        real = os.path.realpath(match)  # who names a link means its target; links met in folders are not followed
        yield "folder" if os.path.isdir(real) else "file", real


def _file(path: str, listed: bool) -> Source:
    missing = not urls.is_url(path) and not os.path.lexists(path)  # what a store has is seen when it is opened
    problem = AccessError("No such file or directory", path=path) if missing else None
    return Source(path, "", None, listed, problem)


def _files_below(folder: str) -> Iterator[Source]:
    """Give every file below a folder, whatever its name; a folder that can't be read is a problem, not a gap."""
    if urls.is_url(folder):
        yield from _objects_below(folder)
        return
    problems: list[OSError] = []
    for at, folders, names in os.walk(folder, onerror=problems.append):
        folders.sort()
        for name in sorted(names + [f for f in folders if os.path.islink(os.path.join(at, f))]):
            yield Source(os.path.join(at, name), "")
    for error in problems:
        path = os.fspath(error.filename)
        yield Source(path, "", None, False, AccessError(os.strerror(error.errno or 0), path=path))


def _objects_below(url: str) -> Iterator[Source]:
    from fastanon.stores import found_below

    try:
        for path, size in found_below(url):
            yield Source(path, "", size=size)
    except AccessError as error:
        yield Source(url, "", problem=error)


def _is_there(path: str) -> bool:
    if not urls.is_url(path):
        return os.path.lexists(path) and not os.path.isdir(path)
    try:
        return is_there(path)
    except AccessError:  # whoever reads the header will say so
        return False


def paired(every: Mapping[str, Source], there: Callable[[str], bool] = _is_there) -> Iterator[Source]:
    """Put each payload to the header of its stem; a ``.bf`` without one is a problem of its own.

    Parameters
    ----------
    every : mapping of str to Source
        Files by their paths.
    there : callable
        Says whether there is a file at a path.
    """
    payloads = {path: _payload_of(path, there) for path, item in every.items() if item.problem is None}
    taken = set(payloads.values())
    for path, item in every.items():
        if path in taken:
            continue
        problem = item.problem
        if path.lower().endswith(".bf") and problem is None:
            problem = UnsupportedError("a .bf without its .dcm: nothing says whose it is", path=path)
        yield item._replace(payload=payloads.get(path), problem=problem)


def _payload_of(path: str, there: Callable[[str], bool]) -> str | None:
    beside = (
        header.sub(ending, path) for header, endings in _PAYLOADS if header.search(path) for ending in endings
    )
    return next(filter(there, beside), None)
