"""Archives of files: zip, and tar, plain or packed by gzip or bzip2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from fastanon.archives.members import Member
from fastanon.errors import UnsupportedError
from fastanon.opened import Opened

#: What begins an archive, or may; where names decide, too.
_MAGIC, _TAR = (b"PK", b"\x1f\x8b", b"BZh"), b"ustar"
_KINDS = {"zip archive": "zip", "tar archive": "tar", "tar archive (gzip)": "tar.gz"}
_ENDINGS = {
    ".zip": "zip", ".tar": "tar", ".tar.gz": "tar.gz", ".tgz": "tar.gz", ".tar.bz2": "tar.bz2", ".tbz2": "tar.bz2",
}  # fmt: skip


class Contents(Protocol):
    """An archive that is being read."""

    notes: dict[str, None]
    said: bytes

    def members(self) -> Iterator[Member]:
        """Give the files in it, in order."""
        ...


def kind_of(opened: Opened) -> str:
    """Say which kind of archive a file is; empty for all others.

    Content decides. The name does for a zip with something in front of it, for a tar from before POSIX, and where
    packed bytes do not tell. What has the mark of DICOM is DICOM, whatever its preamble looks like.
    """
    head = opened.view[:262]
    by_name = next((kind for ending, kind in _ENDINGS.items() if opened.path.lower().endswith(ending)), "")
    if not by_name and not bytes(head[:3]).startswith(_MAGIC) and head[257:262] != _TAR:
        return ""
    if head[128:132] == b"DICM":
        return ""
    from fastanon import formats  # slow to load

    name = formats.name_of(opened.path, opened.read(0, min(formats.HEAD, opened.size)), opened.size)
    return _KINDS.get(name or "", by_name)


def is_packed(opened: Opened) -> bool:
    """Say whether a file may hold others that nobody sees without unpacking it."""
    from fastanon import formats

    name = formats.name_of(opened.path, opened.read(0, min(formats.HEAD, opened.size)), opened.size)
    return bool(kind_of(opened)) or name in formats.PACKED


def read(opened: Opened, kind: str) -> Contents:
    """Read the structure of an archive.

    Raises
    ------
    MalformedError, UnsupportedError
        If it can't be trusted.
    """
    if kind == "zip":
        from fastanon.archives.zips import Zip

        return Zip(opened)
    if kind in ("tar", "tar.gz", "tar.bz2"):
        from fastanon.archives.tars import Tar

        return Tar(opened, kind)
    raise UnsupportedError("an archive of an unknown kind", path=opened.path)
