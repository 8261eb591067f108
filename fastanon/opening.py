"""What opens a source, wherever it is."""

from __future__ import annotations

import os

from fastanon import urls
from fastanon.opened import Opened


def opened_at(path: str) -> Opened:
    """Open a file for reading, once.

    Parameters
    ----------
    path : str
        Of a local file, see `Opened`, or a URL, see `fastanon.stores.Remote`.
    """
    if not urls.is_url(path):
        return Opened(path)
    from fastanon.stores import Remote  # fsspec

    return Remote(path)


def is_there(path: str) -> bool:
    """Say whether anything is at a path or a URL."""
    if not urls.is_url(path):
        return os.path.lexists(path)
    from fastanon.stores import Store

    return Store(path).exists()
