"""Journals as an attacker would plant them."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path

from fastanon.journal import NAME
from tests.security.world import OTHER_USER

Write = tuple[int, bytes]


def spelled(body: bytes) -> bytes:
    """End a journal with its checksum, so that it is believed to be whole."""
    return body + hashlib.blake2b(body, digest_size=32).digest()


def head(device: int, files: int, magic: bytes = b"fastanon journal", version: int = 1) -> bytes:
    """Begin a journal, as the docstring of fastanon's says."""
    return struct.pack("<16sIIQI", magic, version, 77, device, files) + struct.pack("<H", 4) + b"host"


def entry(path: Path, writes: list[Write], to: bytes = b"", **but: int) -> bytes:
    """Spell what shall become of a file, with wrong numbers where wanted."""
    found = path.lstat()
    numbers = {"inode": found.st_ino, "before": found.st_size, "after": found.st_size} | but
    parts = [
        struct.pack("<QQQ", *numbers.values()),
        struct.pack("<H", len(to)),
        to,
        struct.pack("<I", len(writes)),
    ]
    return b"".join(parts + [struct.pack("<QI", at, len(data)) + data for at, data in writes])


def journal(path: Path, writes: list[Write], to: bytes = b"", **but: int) -> bytes:
    """Spell a journal of one file."""
    return spelled(head(path.lstat().st_dev, 1) + entry(path, writes, to, **but))


def plant(folder: Path, data: bytes) -> Path:
    """Lay a journal into a folder as its owner would."""
    (folder / NAME).write_bytes(data)
    (folder / NAME).chmod(0o600)
    return folder / NAME


#: A write that would break the file.
BREAKS: list[Write] = [(132, b"broken")]


def _good(folder: Path) -> bytes:
    return journal(folder / "a.dcm", BREAKS)


def _link(folder: Path) -> None:
    at = plant(folder, _good(folder))
    at.rename(folder.parent / "planted")
    at.symlink_to("../planted")


def _hard_link(folder: Path) -> None:
    os.link(plant(folder, _good(folder)), folder.parent / "planted")


def _socket(folder: Path) -> None:
    here = os.getcwd()
    os.chdir(folder)  # an address may have 108 bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(NAME)
    finally:
        os.chdir(here)


#: Journals that are no file of this user's, or not his alone; those of the first need root to be made.
FOREIGN: dict[str, Callable[[Path], object]] = {
    "of another user": lambda folder: os.chown(plant(folder, _good(folder)), OTHER_USER, OTHER_USER),
    "readable by others": lambda folder: plant(folder, _good(folder)).chmod(0o644),
    "writable by a group": lambda folder: plant(folder, _good(folder)).chmod(0o660),
    "a link": _link,
    "a link to nothing": lambda folder: (folder / NAME).symlink_to("nothing"),
    "a link to the file": lambda folder: (folder / NAME).symlink_to("a.dcm"),
    "a fifo": lambda folder: os.mkfifo(folder / NAME, 0o600),
    "a folder": lambda folder: (folder / NAME).mkdir(0o700),
    "a socket": _socket,
    "with another hard link": _hard_link,
}


def _one(folder: Path, *writes: Write, to: bytes = b"", **but: int) -> bytes:
    return journal(folder / "a.dcm", list(writes), to, **but)


def _bad_sum(folder: Path) -> bytes:
    return _good(folder)[:-1] + bytes([_good(folder)[-1] ^ 1])


#: Journals of this user's that contradict themselves or the folder; none may change a byte.
WRONG: dict[str, Callable[[Path], bytes]] = {
    "empty": lambda _: b"",
    "zeros": lambda _: bytes(200),
    "a checksum alone": lambda _: spelled(b""),
    "a bad checksum": _bad_sum,
    "another magic": lambda _: spelled(head(1, 0, magic=b"another journal.")),
    "a later version": lambda _: spelled(head(1, 0, version=2)),
    "writes that overlap": lambda f: _one(f, (132, b"broken"), (135, b"broken")),
    "writes that go back": lambda f: _one(f, (200, b"broken"), (132, b"broken")),
    "an offset past the file": lambda f: _one(f, (1 << 40, b"broken")),
    "an offset that wraps": lambda f: _one(f, ((1 << 64) - 3, b"broken")),
    "a write over the end": lambda f: _one(f, ((f / "a.dcm").stat().st_size - 3, b"broken")),
    "a file that is not there": lambda f: _one(f, *BREAKS, inode=(f / "a.dcm").stat().st_ino + 99991),
    "a file outside": lambda f: journal(f.parent / "victim" / "a.dcm", BREAKS),
    "the folder itself": lambda f: journal(f, BREAKS, before=0, after=1 << 20),
    "another size": lambda f: _one(f, *BREAKS, before=9, after=200),
    "one more entry": lambda f: spelled(head(1, 2) + entry(f / "a.dcm", BREAKS)),
    "four billion entries": lambda f: spelled(head(1, 0xFFFFFFFF) + entry(f / "a.dcm", BREAKS)),
    "a write of a gigabyte": lambda f: spelled(_good(f)[:-32].replace(b"\x06\0\0\0broken", b"\0\0\0\x40broken")),
    "four billion writes": lambda f: spelled(head(1, 1) + entry(f / "a.dcm", [])[:-4] + b"\xff" * 4),
    "a host of 65535 letters": lambda f: spelled(_good(f)[:36] + b"\xff\xff" + _good(f)[38:-32]),
    "something behind": lambda f: spelled(_good(f)[:-32] + b"more"),
    "to the top": lambda f: _one(f, *BREAKS, to=b"/etc/fastanon-planted"),
    "to the folder above": lambda f: _one(f, *BREAKS, to=b".."),
    "to itself": lambda f: _one(f, *BREAKS, to=b"."),
    "down and up": lambda f: _one(f, *BREAKS, to=b"x/../../victim/b"),
    "a NUL": lambda f: _one(f, *BREAKS, to=b"x\0y"),
    "two slashes": lambda f: _one(f, *BREAKS, to=b"x//y"),
    "a slash behind": lambda f: _one(f, *BREAKS, to=b"x/"),
}

#: New names that lead out of what anybody named; `recover` was told of ``in`` alone.
OUT: dict[str, Callable[[Path], bytes]] = {
    "beside": lambda _: b"../victim/b.dcm",
    "into a new folder": lambda _: b"../new/deep/b.dcm",
    "over the victim": lambda _: b"../victim/a.dcm",
    "through a link": lambda _: b"../link/b.dcm",
    "from the top": lambda folder: b"../" * 40 + os.fsencode(folder.parent).lstrip(b"/") + b"/victim/b.dcm",
}
