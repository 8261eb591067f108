"""Stores behind URLs: buckets, servers, memory. fsspec reaches them, with the credentials that it finds itself."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastanon import urls
from fastanon.errors import AccessError, ChangedError, FileError, UnsupportedError, UsageError
from fastanon.positioned import Positioned

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_EXTRA = "pip install 'fastanon[remote]'"

#: What stores say of an object that is another once it was written anew.
_TELLING = (
    "size", "ETag", "etag", "LastModified", "Last-Modified", "last_modified", "VersionId", "generation", "mtime",
    "modified", "created", "updated", "md5Hash", "Content-MD5", "Digest",
)  # fmt: skip

#: Errors that say what is wrong by their kind alone.
_KINDS = ((FileNotFoundError, "No such file or directory"), (PermissionError, "Permission denied"))


class Store:
    """One object of a store, or a prefix.

    Parameters
    ----------
    url : str
        Where.

    Raises
    ------
    UsageError
        If no program is there that reaches it.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.fs, self.path = _reached(url)

    def info(self) -> dict[str, Any]:
        """Ask what there is now, not what was known before."""
        with told(self.url):
            self.fs.invalidate_cache()
            found: dict[str, Any] = self.fs.info(self.path)
        return found

    def exists(self) -> bool:
        """Say whether there is anything.

        Raises
        ------
        AccessError
            If the store does not answer: that is not to be taken for a no.
        """
        with told(self.url):
            self.fs.invalidate_cache()
            try:
                self.fs.info(self.path)
            except FileNotFoundError:
                return False
        return True

    def fetch(self, start: int, stop: int) -> bytes:
        """Read by position."""
        with told(self.url):
            return bytes(self.fs.cat_file(self.path, start=start, end=stop))

    def remove(self) -> None:
        """Take back an object of this run."""
        with told(self.url):
            self.fs.rm_file(self.path)


class Remote(Positioned):
    """An object of a store, opened for reading.

    Parameters
    ----------
    url : str
        Where.

    Raises
    ------
    AccessError
        If the store refuses, or can't be reached.
    UnsupportedError
        If it does not say how large the object is.
    """

    def __init__(self, url: str) -> None:
        self._store = Store(url)
        info = self._store.info()
        size = info.get("size")
        if info.get("type") == "directory" or not isinstance(size, int):
            raise UnsupportedError("no object, or one whose size the store does not tell", path=url)
        self._stamp, self._whole = _stamp(info), False
        super().__init__(url, size, self._store.fetch, self._compare)
        self._compare()
        self._whole = isinstance(self.view, bytes)

    def check(self) -> None:
        """Raise ChangedError if another object is there; one that was read at once is what it was."""
        if not self._whole:
            self._compare()

    def _compare(self) -> None:
        if _stamp(self._store.info()) != self._stamp:
            raise ChangedError("changed while it was looked at", path=self.path)


def _stamp(info: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(info.get(key)) for key in _TELLING)


def stamp_at(url: str) -> tuple[str, ...]:
    """Give what tells an object from another that is there later; nothing where its size is all that is known.

    Raises
    ------
    AccessError
        If the store refuses, or can't be reached.
    """
    info = Store(url).info()
    return _stamp(info) if any(info.get(key) is not None for key in _TELLING[1:]) else ()


def expanded(url: str) -> Iterator[tuple[str, str]]:
    """Give ("file" | "folder", URL) for what a URL means: an object, a prefix, or a glob of them."""
    try:
        kind = _kind_of(url)
    except AccessError:  # who opens it will say so
        kind = "file"
    if kind == "none" and glob.has_magic(urls.plain(url)):
        yield from _matches(url)
    else:
        yield ("folder" if kind == "folder" else "file"), url


def _kind_of(url: str) -> str:
    store = Store(url)
    if not store.exists():
        return "none"
    return "folder" if store.info().get("type") == "directory" else "file"


def _matches(url: str) -> Iterator[tuple[str, str]]:
    first = next(at for at in range(len(url)) if glob.has_magic(url[: at + 1]) or url[at] in "*?[")
    base = url[: url.rindex("/", 0, first) + 1]
    store, root = Store(url), Store(base).path
    with told(url):
        found = store.fs.glob(store.path, detail=True)
    if not found:
        raise UsageError(f"{urls.shown(url)}: matches nothing")
    for name, info in sorted(found.items()):
        yield ("folder" if info["type"] == "directory" else "file"), urls.below(base, _inner(name, root))


def found_below(url: str) -> Iterator[tuple[str, int]]:
    """Give URL and size of every object below a prefix, in order.

    Raises
    ------
    AccessError
        If the store refuses, or can't be reached.
    """
    store = Store(url)
    with told(url):
        store.fs.invalidate_cache()
        found = store.fs.find(store.path, detail=True)
    for name, info in sorted(found.items()):
        if info["type"] != "directory" and not (name.endswith("/") and not info["size"]):
            yield urls.below(url, _inner(name, store.path)), info["size"] or 0


def _inner(name: str, root: str) -> str:
    return name.removeprefix(root).lstrip("/")


def _reached(url: str) -> tuple[AbstractFileSystem, str]:
    """Give the store of a URL and the path in it; the instances are fsspec's, one for each store."""
    scheme = url.partition("://")[0].lower()
    try:
        import fsspec

        known = fsspec.get_filesystem_class(scheme)
        options = known._get_kwargs_from_urls(url)
    except ImportError:
        raise UsageError(
            f"{scheme}:// needs a package that is not there: {_EXTRA}, or that of the store"
        ) from None
    except ValueError:
        raise UsageError(f"{scheme}:// is no store that fsspec knows") from None
    with told(url):
        return fsspec.filesystem(scheme, **options), known._strip_protocol(url)


@contextmanager
def told(url: str) -> Iterator[None]:
    """Turn whatever a store raises into an error of the file; its text may quote what must not be shown."""
    try:
        yield
    except (FileError, UsageError, BrokenPipeError):
        raise
    except OSError as error:
        reason = next((text for kind, text in _KINDS if isinstance(error, kind)), None)
        reason = reason or (os.strerror(error.errno) if isinstance(error.errno, int) else type(error).__name__)
        raise AccessError(reason, path=url) from None
    except Exception as error:  # noqa: BLE001  # each store has its own
        raise AccessError(f"the store failed: {type(error).__name__}", path=url) from None
