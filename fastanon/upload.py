"""Writing to a store: nothing is there under its name before all was audited and sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fastanon.errors import AccessError, ChangedError, FileError, UnsupportedError
from fastanon.outcome import Outcome
from fastanon.pages import BLOCK
from fastanon.stores import Store, told

_EXISTS = "exists already, not overwritten"
_PART, _PARTS = 16 << 20, 5000  # bytes of a part at least; parts at most, of the 10,000 that S3 takes


def upload(outcome: Outcome, url: str, read_back: bool, advance: Callable[[int], object] = lambda _: None) -> int:
    """Send a file that was audited to where nothing may be.

    Parameters
    ----------
    outcome : Outcome
        What is sent.
    url : str
        Where to.
    read_back : bool
        Whether to read it again there, once it is complete.
    advance : callable
        Is told of bytes as they are sent.

    Returns
    -------
    int
        Bytes sent.

    Raises
    ------
    ChangedError, UnsupportedError, AccessError
        No object is there, and no part of one.
    """
    store = Store(url)
    if store.exists():
        raise UnsupportedError(_EXISTS, path=url)
    digest = hashlib.blake2b()
    sending = _Sending(store, outcome.size)
    try:
        for chunk in outcome.chunks():
            sending.write(chunk)
            digest.update(chunk)
            advance(len(chunk))
        outcome.check()
        sending.commit()
        _compare(store, outcome.size, digest.digest() if read_back else b"")
    except BaseException as error:
        left = sending.discard()
        if left and isinstance(error, FileError):
            error.reason += "; an unfinished upload may be left"
        raise
    return outcome.size


def _compare(store: Store, size: int, digest: bytes) -> None:
    """Make sure that what is there is what was sent."""
    there, found = store.info().get("size"), hashlib.blake2b()
    for at in range(0, size if digest else 0, BLOCK):
        found.update(store.fetch(at, min(at + BLOCK, size)))
    if there != size or (digest and found.digest() != digest):
        raise ChangedError("is not what was sent, removed", path=store.url)


class _Sending:
    """An upload that can be completed or taken back.

    Parameters
    ----------
    store : Store
        Where to; nothing is there.
    size : int
        Bytes that will be sent.
    """

    def __init__(self, store: Store, size: int) -> None:
        self._store = store
        with told(store.url):
            self._file = _opened(store, max(_PART, -(-size // _PARTS)))
            with suppress(ValueError):  # or a transaction of somebody else would complete it
                store.fs.transaction.files.remove(self._file)
        self._there = store.exists()  # in memory as soon as it is begun
        if not _holds_back(self._file):
            self.discard()
            raise UnsupportedError("a store that shows files before they are complete: only read", path=store.url)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        with told(self._store.url):
            self._file.write(data)

    def commit(self) -> None:
        """Let the object be there."""
        if not self._there and self._store.exists():
            raise UnsupportedError(_EXISTS, path=self._store.url)
        with told(self._store.url):
            try:
                self._file.close()
                self._file.commit()
            except FileExistsError:
                raise UnsupportedError(_EXISTS, path=self._store.url) from None
        self._there = True

    def discard(self) -> bool:
        """Take back what was sent; say whether that was not possible."""
        try:
            if self._there:
                self._store.remove()
            else:
                with told(self._store.url):
                    _discard(self._file)
        except AccessError:
            return True
        return False


def _opened(store: Store, part: int) -> Any:
    """Begin an upload that the store refuses to complete where something is; not every store knows how to."""
    for mode in ("xb", "wb"):
        with suppress(NotImplementedError, ValueError):
            return store.fs.open(store.path, mode, block_size=part, autocommit=False)
    raise UnsupportedError("a store that can only be read", path=store.url)


def _holds_back(file: Any) -> bool:
    """Say whether a file can be completed later: the base of all has a method for it that does nothing."""
    from fsspec.spec import AbstractBufferedFile

    own = getattr(type(file), "commit", None) or getattr(file, "commit", None)
    return own is not None and own is not AbstractBufferedFile.commit


def _discard(file: Any) -> None:
    """Take back an upload; closing what is buffered would send it first."""
    from fsspec.spec import AbstractBufferedFile

    if isinstance(file, AbstractBufferedFile):
        try:
            file.discard()
        finally:
            file.closed = True
    else:
        file.close()
        if hasattr(file, "discard"):
            file.discard()
