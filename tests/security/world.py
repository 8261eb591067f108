"""A small world for attacks: a tree, a victim outside of it, and a picture of all to compare with."""

from __future__ import annotations

import hashlib
import os
import stat
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import fastanon
from fastanon.report import Report
from tests.canary import CANARIES
from tests.siemens_files import Study, write

FIRST, LAST, NUMBER, BIRTH = CANARIES
STUDY = Study(f"{LAST}^{FIRST}", number=NUMBER, birth=BIRTH)
OTHER_USER = 65534
#: What an attacker wants harmed; it begins as a Part 10 file does, so that nothing else keeps it from being read.
PRECIOUS = bytes(128) + b"DICM" + b"precious " * 40

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: devices, and files of other users")

Entry = tuple[str, int, int, str]


def picture(root: Path) -> dict[str, Entry]:
    """Say of everything below a folder what it is: kind and mode, owner, links, and content."""
    return {os.path.relpath(path, root): _entry(path) for path in sorted(root.rglob("*"))}


def _entry(path: Path) -> Entry:
    found = path.lstat()
    what = str(found.st_rdev)
    if stat.S_ISLNK(found.st_mode):
        what = os.readlink(path)
    elif stat.S_ISREG(found.st_mode):
        what = _digest(path, found.st_size)
    links = 1 if stat.S_ISDIR(found.st_mode) else found.st_nlink
    return stat.filemode(found.st_mode), found.st_uid, links, what


def _digest(path: Path, size: int) -> str:
    return f"sparse {size}" if size > 1 << 26 else hashlib.sha256(path.read_bytes()).hexdigest()


def changed(before: dict[str, Entry], root: Path, *but: str) -> list[str]:
    """Name what is other than it was, outside of some folders."""
    after = picture(root)
    names = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return sorted(name for name in names if not any(f"{name}/".startswith(f"{one}/") for one in but))


def world(root: Path, name: str = "a.dcm") -> Path:
    """Make ``in`` with a good file, and ``victim`` beside it with a folder; give ``in``."""
    write(root / "in" / name, STUDY)
    (root / "victim").mkdir()
    (root / "victim" / "a.dcm").write_bytes(PRECIOUS)
    return root / "in"


def unharmed(root: Path) -> bool:
    """Say whether the victim is as it was, and alone."""
    return [p.name for p in (root / "victim").iterdir()] == ["a.dcm"] and (
        root / "victim" / "a.dcm"
    ).read_bytes() == PRECIOUS


def anonymize(source: Any, to: Path | None = None, **how: Any) -> Report:
    """Run in place, or to a folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fastanon.anonymize(source, **({"in_place": True} if to is None else {"to": to}), **how)


def statuses(report: Report) -> dict[str, str]:
    """Give what became of each file by its name."""
    return {os.path.basename(one.source): one.status for one in report.files}


def holds_precious(paths: Iterable[Path]) -> list[Path]:
    """Name the files into which the victim's bytes came."""
    return [p for p in paths if p.is_file() and not p.is_symlink() and b"precious" in p.read_bytes()]
