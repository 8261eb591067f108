"""A disk that writes something else than it was given."""

from __future__ import annotations

import errno
import os

import pytest

from fastanon.system import System


def spoil(monkeypatch: pytest.MonkeyPatch, words: bytes, planted: bytes) -> None:
    """Plant something over these words wherever they are written, and have all written by this process."""
    pwrite = System.pwrite

    def spoilt(fd: int, data: memoryview, to: int) -> int:
        where = bytes(data).find(words)
        if where >= 0:
            data = memoryview(bytes(data[:where]) + planted + bytes(data[where + len(planted) :]))
        return pwrite(fd, data, to)

    def unable(*_: object) -> int:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(System, "pwrite", staticmethod(spoilt))
    monkeypatch.setattr(System, "copy_file_range", staticmethod(unable))
