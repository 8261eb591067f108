"""What changes while the program works: between listing and opening, planning and writing, audit and rename."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fastanon import apply, auditor, tasks, work
from fastanon.errors import FileError
from tests.canary import CANARIES
from tests.security.meanwhile import WAYS, before_call, run
from tests.security.world import (
    anonymize,
    changed,
    holds_precious,
    picture,
    unharmed,
    world,
)

pytestmark = pytest.mark.usefixtures("in_time")

FIRST, LAST, NUMBER, BIRTH = CANARIES
EACH = pytest.mark.parametrize("way", WAYS)
IN_PLACE = pytest.mark.parametrize("way", ["patch", "refit", "rewrite"])


def _folder_for_link(folder: Path) -> None:
    folder.rename(folder.parent / "moved")
    folder.symlink_to(folder.parent / "victim")


def _file_for(make: Callable[[Path, Path], object]) -> Callable[[Path], None]:
    def swap(folder: Path) -> None:
        (folder / "a.dcm").rename(folder.parent / "moved.dcm")
        make(folder / "a.dcm", folder.parent / "victim" / "a.dcm")

    return swap


SWAPS: dict[str, Callable[[Path], None]] = {
    "the folder for a link": _folder_for_link,
    "the file for a link": _file_for(lambda at, victim: at.symlink_to(victim)),
    "the file for a hard link": _file_for(lambda at, victim: os.link(victim, at)),
    "the file for a fifo": _file_for(lambda at, _: os.mkfifo(at)),
    "the file for a folder": _file_for(lambda at, _: at.mkdir()),
    "the file for a link to itself moved": _file_for(lambda at, _: at.symlink_to("../moved.dcm")),
}
SWAPPED = pytest.mark.parametrize("kind", SWAPS)
_MADE = ("in", "out", "moved", "moved.dcm")


def assert_safe(root: Path, before: dict[str, Any], original: bytes, kind: str) -> None:
    """Nothing was written through what came in between, and what was listed is as it was."""
    assert changed(before, root, *_MADE) == (["victim/a.dcm"] if "hard link" in kind else [])  # its count of links
    assert unharmed(root)
    moved = root / "moved.dcm" if (root / "moved.dcm").exists() else root / "moved" / "a.dcm"
    assert moved.read_bytes() == original
    assert holds_precious((root / "out").rglob("*")) == []
    assert list(root.rglob(".fastanon*")) == []


@IN_PLACE
def test_each_way_is_what_it_says(way: str, tmp_path: Path) -> None:
    (result,) = anonymize(world(tmp_path), **WAYS[way]).files
    assert result.strategy == way


@EACH
@SWAPPED
def test_between_listing_and_opening(kind: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = world(tmp_path)
    before, original = picture(tmp_path), (folder / "a.dcm").read_bytes()
    before_call(monkeypatch, tasks, "opened_at", lambda: SWAPS[kind](folder))
    if "hard link" in kind:  # another file of this name is one to read: the same as if it had been there first
        (tmp_path / "victim" / "a.dcm").chmod(0o444)
        before = picture(tmp_path)
    assert run(way, folder) in ({"a.dcm": "refused"}, {"a.dcm": "failed"})
    assert_safe(tmp_path, before, original, kind)


@EACH
@SWAPPED
def test_between_planning_and_writing(
    kind: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = world(tmp_path)
    before, original = picture(tmp_path), (folder / "a.dcm").read_bytes()
    plan = work.make_plan

    def planned(*args: Any, **more: Any) -> Any:
        made = plan(*args, **more)
        SWAPS[kind](folder)
        return made

    monkeypatch.setattr(work, "make_plan", planned)
    assert run(way, folder) in ({"a.dcm": "refused"}, {"a.dcm": "failed"})
    assert_safe(tmp_path, before, original, kind)


@SWAPPED
@pytest.mark.parametrize("way", ["copy", "rewrite"])
def test_between_audit_and_rename(kind: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = world(tmp_path)
    before, original = picture(tmp_path), (folder / "a.dcm").read_bytes()
    audit = auditor.of_copy

    def audited(*args: Any, **more: Any) -> Any:
        found = audit(*args, **more)
        SWAPS[kind](folder)
        return found

    monkeypatch.setattr(auditor, "of_copy", audited)
    assert run(way, folder) in ({"a.dcm": "refused"}, {"a.dcm": "failed"})
    moved = tmp_path / "moved"
    if (moved / "a.dcm").exists():  # the temporary file stood in the folder that was moved
        assert sorted(p.name for p in moved.iterdir()) == ["a.dcm"]
    assert_safe(tmp_path, before, original, kind)


@IN_PLACE
@pytest.mark.parametrize("kind", ["another hard link", "read-only", "one byte more", "touched"])
def test_what_is_done_to_a_file_before_the_commit_is_noticed(
    kind: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = world(tmp_path)
    path = folder / "a.dcm"
    before = path.read_bytes()
    done = {
        "another hard link": lambda: os.link(path, tmp_path / "other"),
        "read-only": lambda: path.chmod(0o444),
        "one byte more": lambda: path.write_bytes(before + b"\0"),
        "touched": lambda: os.utime(path, ns=(5, 5)),
    }
    before_call(monkeypatch, apply if way != "rewrite" else auditor, "commit" if way != "rewrite" else "of_copy",
                done[kind])  # fmt: skip
    assert run(way, folder) == {"a.dcm": "refused"}
    assert path.read_bytes().removesuffix(b"\0" if "more" in kind else b"!") == before
    assert list(tmp_path.rglob(".fastanon*")) == []


def test_recovery_follows_no_link_to_a_folder(tmp_path: Path) -> None:
    folder = world(tmp_path)
    _folder_for_link(folder)
    (tmp_path / "victim" / ".fastanon-journal").write_bytes(b"")
    (tmp_path / "victim" / ".fastanon-journal").chmod(0o600)
    before = picture(tmp_path)
    with pytest.raises(FileError, match="symbolic link"):
        apply.roll_forward(str(folder))
    assert changed(before, tmp_path) == []


@IN_PLACE
def test_the_last_look_sees_another_file_of_the_same_bytes(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Size, time and content agree, and still it is not the file that was planned for."""
    folder = world(tmp_path)
    path = folder / "a.dcm"
    data, found = path.read_bytes(), path.stat()

    def swap() -> None:
        path.rename(tmp_path / "moved.dcm")
        path.write_bytes(data)
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))

    where, name = (auditor, "of_copy") if way == "rewrite" else (apply, "commit")
    before_call(monkeypatch, where, name, swap)
    assert run(way, folder) == {"a.dcm": "refused"}
    assert path.read_bytes() == (tmp_path / "moved.dcm").read_bytes() == data
