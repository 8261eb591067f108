"""Extended attributes: nobody knows what a system or a person wrote there, so that the report names them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fastanon.opened import NO_FILE, Opened
from fastanon.system import SYSTEM

#: Labels and access lists, which a system makes of what it knows itself.
_SYSTEM = ("security.", "system.")


def keys(opened: Opened) -> tuple[str, ...]:
    """Give the attributes of a file that somebody gave it."""
    if opened.fd == NO_FILE:
        return ()
    return tuple(key for key in sorted(SYSTEM.attributes(opened.fd)) if not key.startswith(_SYSTEM))


def messages(found: tuple[str, ...], copied: bool, shown: Callable[[str], str]) -> Iterator[str]:
    """Say which attributes a file has that stay in place, or that a copy does not get; by key, without values."""
    if found:
        what = "not copied" if copied else "kept and not searched"
        yield f"extended attributes, {what}: {', '.join(map(shown, found))}"
