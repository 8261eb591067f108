"""What can go wrong, as a tree.

::

    FastanonError
     ├─ UsageError            the call itself is wrong: nothing was looked at
     │   └─ ReplacementError  a replacement that no DICOM value may hold
     ├─ FileError             one file; the rest of a batch goes on
     │   ├─ NotMedicalError   no format that fastanon knows: not touched
     │   ├─ MalformedError    truncated, a length past the end, a broken structure
     │   ├─ UnsupportedError  a known structure that is not handled: refused
     │   │   └─ UnfinishedError  a run in place was cut off beside the file: recover it first
     │   ├─ PlanError         no valid edit exists: charset, length, character
     │   ├─ ChangedError      the file is not the one that was planned for
     │   └─ AccessError       the operating system said no
     └─ BatchError            a run ended with files failed or refused
         └─ LeakError         a run ended with something identifying left

A message names the path, the offset and the tag, and never a value of the patient's.
"""

from __future__ import annotations

import os

from fastanon import urls

#: What the program exits with: done and clean, something failed, wrong usage, something left, something refused.
DONE, FAILED, USAGE, LEFT, REFUSED = range(5)


def printable(text: str) -> str:
    """Escape what a terminal would obey, and what breaks lines; leave out what gives access to a store."""
    text = urls.shown(text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class FastanonError(Exception):
    """Base of every error that fastanon raises on purpose."""


class UsageError(FastanonError, ValueError):
    """The call is wrong; no file was looked at."""


class ReplacementError(UsageError):
    """A replacement holds what a DICOM value or a quoted protocol text may not."""


class FileError(FastanonError):
    """Something about one file.

    Parameters
    ----------
    reason : str
        One line, without any value of the file.
    path : str or os.PathLike, optional
        The file; filled in by whoever knows it.
    offset : int, optional
        Where, in bytes from the start of the file.
    tag : int, optional
        The element, as ``0xggggeeee``.
    """

    def __init__(
        self,
        reason: str,
        *,
        path: str | os.PathLike[str] | None = None,
        offset: int | None = None,
        tag: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = None if path is None else os.fspath(path)
        self.offset = offset
        self.tag = tag

    @property
    def where(self) -> str:
        """The reason with offset and tag, but without the path."""
        parts = [self.reason]
        if self.tag is not None:
            parts.append(f"in ({self.tag >> 16:04X},{self.tag & 0xFFFF:04X})")
        if self.offset is not None:
            parts.append(f"at offset {self.offset}")
        return " ".join(parts)

    def __str__(self) -> str:
        return self.where if self.path is None else f"{printable(self.path)}: {self.where}"


class NotMedicalError(FileError):
    """No format that fastanon knows."""


class MalformedError(FileError):
    """The bytes contradict themselves: truncated, a length past the end, nesting past the bound."""


class UnsupportedError(FileError):
    """A structure that is known and not handled."""


class UnfinishedError(UnsupportedError):
    """A run in place was cut off while it changed files of this folder: some may be half changed."""


class PlanError(FileError):
    """No valid edit exists for what was asked."""


class ChangedError(FileError):
    """The file on disk is not, or no longer, the one that was planned for."""


class AccessError(FileError):
    """The operating system refused; the reason is its own text."""


class BatchError(FastanonError):
    """A run over several files ended with some of them failed or refused; the others are done."""


class LeakError(BatchError):
    """A run ended with something identifying left."""
