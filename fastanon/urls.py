"""What is a URL, and what of one may be shown."""

from __future__ import annotations

import os
import re

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # two letters at least: one is a drive
_FILE = "file://"

#: A user with a password, and what signs the URL of an object: whoever reads them has access.
_USER, _QUERY = re.compile(r"(?<=://)[^/@]*@"), re.compile(r"^(https?://[^?#]*)[?#].+", re.IGNORECASE | re.DOTALL)


def is_url(path: str) -> bool:
    """Say whether a path names something in a store."""
    return _URL.match(path) is not None


def local(path: str) -> str:
    """Give the path that ``file://`` names: a local file is read and written as one. All else stays."""
    return path.removeprefix(_FILE) if path.startswith(f"{_FILE}/") else path


def plain(url: str) -> str:
    """Give a URL without a query, which is not part of the name."""
    return _QUERY.sub(r"\1", url)


def shown(text: str) -> str:
    """Give a path as it may be shown: no user, no password, no signature."""
    return _QUERY.sub(r"\1?...", _USER.sub("", text)) if is_url(text) else text


def below(url: str, name: str) -> str:
    """Give the URL of a name below another."""
    return f"{url}{name}" if url.endswith("://") else f"{url.rstrip('/')}/{name}"


def root(folder: str | os.PathLike[str]) -> str:
    """Give an output folder, or the URL of a prefix, as all paths below it begin."""
    path = local(os.fspath(folder))
    if not is_url(path):
        return os.path.realpath(path)
    return path if path.endswith("://") else path.rstrip("/")
