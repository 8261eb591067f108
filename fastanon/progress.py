"""How far a run is: files, bytes, rate and time left, on a terminal and only where it takes over a second."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastanon.files import Source

_PATIENCE = 1.0  # seconds without a bar


class Meter:
    """Counts the bytes that are done; without a bar it counts for nobody.

    Parameters
    ----------
    bar : tqdm or None
        What draws.
    sizes : dict of str to int
        Bytes to do for each file, by its path.
    """

    def __init__(self, bar: Any, sizes: dict[str, int]) -> None:
        self._bar, self._sizes = bar, sizes
        self._told, self._done, self._lock = 0, 0, threading.Lock()

    def advance(self, count: int) -> None:
        """Count bytes of the file that is being done; any thread may."""
        if self._bar is not None:
            with self._lock:
                self._told += count
                self._bar.update(count)

    def done(self, item: Source) -> None:
        """Count what no one has counted of a file."""
        if self._bar is not None:
            with self._lock:
                self._done += 1
                self._bar.set_description_str(f"{self._done}/{len(self._sizes)} files", refresh=False)
                self._bar.update(max(0, self._sizes.get(item.path, 0) - self._told))
                self._told = 0


@contextmanager
def over(items: list[Source], passes: int = 1) -> Iterator[Meter]:
    """Show the progress over files, each read so many times, on standard error if that is a terminal."""
    if not sys.stderr.isatty():
        yield Meter(None, {})
        return
    from tqdm import tqdm

    sizes = {item.path: passes * (item.size or sum(map(_size, (item.path, item.payload)))) for item in items}
    total, desc = sum(sizes.values()), f"0/{len(sizes)} files"
    with tqdm(desc=desc, total=total, unit="B", unit_scale=True, delay=_PATIENCE, leave=False) as bar:
        yield Meter(bar, sizes)


def _size(path: str | None) -> int:
    try:
        return 0 if path is None else os.stat(path, follow_symlinks=False).st_size
    except OSError:
        return 0
