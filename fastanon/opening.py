"""What opens a source, wherever it is."""

from __future__ import annotations

from fastanon.opened import Opened


def opened_at(path: str) -> Opened:
    """Open a file for reading, once.

    Parameters
    ----------
    path : str
        Of a local file; see `Opened`.
    """
    return Opened(path)
