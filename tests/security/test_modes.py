"""Who may read what the program makes: modes, owners, access lists and attributes."""

from __future__ import annotations

import os
import stat
import struct
from pathlib import Path
from typing import Any

import pytest

from fastanon import auditor
from fastanon.errors import DONE
from fastanon.journal import NAME
from fastanon.pseudonyms import new_key
from fastanon.system import SYSTEM
from tests.canary import CANARIES
from tests.security.meanwhile import WAYS
from tests.security.world import NEEDS_ROOT, OTHER_USER, anonymize, world

pytestmark = pytest.mark.usefixtures("in_time")

FIRST, LAST, NUMBER, BIRTH = CANARIES
IN_PLACE = pytest.mark.parametrize("way", ["patch", "refit", "rewrite"])
_ACL = "system.posix_acl_access"
_USER_OBJ, _USER, _GROUP_OBJ, _MASK, _OTHER = 1, 2, 4, 16, 32
_NOBODYS = 0xFFFFFFFF


def access_list(group: int, mask: int) -> bytes:
    """Spell an access list: all for the owner, reading and writing for one other user, nothing for the rest.

    The layout is that of linux/posix_acl_xattr.h.
    """
    rows = [(_USER_OBJ, 6, _NOBODYS), (_USER, 6, OTHER_USER), (_GROUP_OBJ, group, _NOBODYS),
            (_MASK, mask, _NOBODYS), (_OTHER, 0, _NOBODYS)]  # fmt: skip
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *row) for row in rows)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return world(tmp_path) / "a.dcm"


def with_access_list(path: Path, group: int = 0, mask: int = 6) -> None:
    try:
        os.setxattr(path, _ACL, access_list(group, mask))
    except OSError:
        pytest.skip("needs a filesystem with access lists")


def seen_modes(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[int]]:
    """Watch the modes of files of ours: while they are written, and when they are audited and renamed."""
    modes: dict[str, set[int]] = {"pwrite": set(), "of_copy": set()}
    pwrite, of_copy = SYSTEM.pwrite, auditor.of_copy

    def watched(fd: int, data: bytes, at: int) -> int:
        name = os.path.basename(os.readlink(f"/proc/self/fd/{fd}"))
        if name.startswith(".fastanon"):
            modes["pwrite"].add(stat.S_IMODE(os.fstat(fd).st_mode))
        return pwrite(fd, data, at)

    def audited(path: str, *more: Any) -> Any:
        modes["of_copy"].add(stat.S_IMODE(os.stat(path).st_mode))
        return of_copy(path, *more)

    monkeypatch.setattr(SYSTEM, "pwrite", watched)
    monkeypatch.setattr(auditor, "of_copy", audited)
    return modes


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
@pytest.mark.parametrize("way", WAYS)
def test_nobody_else_may_read_what_is_not_audited_yet(
    mask: int, way: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.chmod(0o666)
    (path.parent.parent / "out").mkdir()
    modes, before = seen_modes(monkeypatch), os.umask(mask)
    try:
        report = anonymize(path, path.parent.parent / "out" if way == "copy" else None, **WAYS[way])
    finally:
        os.umask(before)
    assert report.exit_status == DONE
    assert modes["pwrite"] <= {0o600 & ~mask, 0o600}
    assert modes["of_copy"] <= {0o600 & ~mask, 0o600}
    assert bool(modes["of_copy"]) == (way in ("copy", "rewrite"))


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o400, 0o4755, 0o2750, 0o1666])
def test_a_copy_has_the_mode_without_its_special_bits_and_a_time_of_its_own(mode: int, path: Path) -> None:
    path.chmod(mode)
    os.utime(path, ns=(10**18, 10**18))
    anonymize(path, path.parent.parent / "out")
    found = (path.parent.parent / "out" / "a.dcm").stat()
    assert stat.S_IMODE(found.st_mode) == mode & 0o777
    assert found.st_mtime_ns > 10**18
    assert (found.st_uid, found.st_gid) == (os.geteuid(), os.getegid())


@NEEDS_ROOT
def test_a_copy_is_of_who_made_it(path: Path) -> None:
    os.chown(path, OTHER_USER, OTHER_USER)
    anonymize(path, path.parent.parent / "out")
    assert (path.parent.parent / "out" / "a.dcm").stat().st_uid == 0


def test_attributes_are_not_copied_but_named(path: Path) -> None:
    for key in ("user.comment", f"user.{LAST}", "user.x\x1b[2J"):
        os.setxattr(path, key, f"{LAST} {NUMBER}".encode())
    report = anonymize(path, path.parent.parent / "out")
    (result,) = report.files
    (message,) = (text for text in result.messages if "extended attributes" in text)
    assert "user.comment" in message
    assert os.listxattr(path.parent.parent / "out" / "a.dcm") == []
    assert LAST.lower() not in (report.to_json() + str(result)).lower()


def test_attributes_are_told_without_control_characters(path: Path) -> None:
    os.setxattr(path, "user.x\x1b[2J\n", b"y")
    (result,) = anonymize(path, path.parent.parent / "out").files
    assert str(result).isprintable()


@pytest.mark.parametrize(("group", "mask"), [(0, 6), (0, 4), (4, 6), (6, 4)])
def test_a_copy_lets_no_group_in_that_an_access_list_kept_out(group: int, mask: int, path: Path) -> None:
    """With an access list the bits of the group are those of its mask, and say nothing of the group."""
    with_access_list(path, group, mask)
    anonymize(path, path.parent.parent / "out")
    copy = path.parent.parent / "out" / "a.dcm"
    assert _ACL not in os.listxattr(copy)
    assert copy.stat().st_mode >> 3 & 7 & ~(group & mask) == 0


@IN_PLACE
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o620])
def test_in_place_the_mode_stays(way: str, mode: int, path: Path) -> None:
    path.chmod(mode)
    assert anonymize(path, **WAYS[way]).exit_status == DONE
    assert stat.S_IMODE(path.stat().st_mode) == mode


@IN_PLACE
@NEEDS_ROOT
def test_in_place_the_owner_stays(way: str, path: Path) -> None:
    os.chown(path, OTHER_USER, 12345)
    assert anonymize(path, **WAYS[way]).exit_status == DONE
    assert (path.stat().st_uid, path.stat().st_gid) == (OTHER_USER, 12345)


@IN_PLACE
def test_in_place_attributes_and_access_lists_stay(way: str, path: Path) -> None:
    os.setxattr(path, "user.scanner", b"mMR")
    with_access_list(path, 4, 4)
    before = {key: os.getxattr(path, key) for key in os.listxattr(path)}, path.stat().st_mode
    assert anonymize(path, **WAYS[way]).exit_status == DONE
    assert ({key: os.getxattr(path, key) for key in os.listxattr(path)}, path.stat().st_mode) == before


def test_a_rewrite_never_lets_in_whom_the_access_list_keeps_out(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mask has to come with its list: alone it is the right of the group."""
    with_access_list(path, 0, 6)
    seen = set()
    for name in ("fsync", "fchmod", "set_attribute"):
        original = getattr(SYSTEM, name)

        def watched(fd: int, *more: Any, _original: Any = original) -> Any:
            try:
                return _original(fd, *more)
            finally:
                if stat.S_ISREG(os.fstat(fd).st_mode) and _ACL not in os.listxattr(fd):
                    seen.add(stat.S_IMODE(os.fstat(fd).st_mode) & 0o077)

        monkeypatch.setattr(SYSTEM, name, watched)
    assert anonymize(path, **WAYS["rewrite"]).exit_status == DONE
    assert seen <= {0}


@pytest.mark.parametrize("mask", [0o000, 0o777])
def test_journal_key_vault_are_for_the_owner_alone(
    mask: int, tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_key(tmp_path / "key")
    modes, fsync = {}, SYSTEM.fsync

    def watched(fd: int) -> None:
        for one in (path.parent / NAME, tmp_path / "vault", tmp_path / "vault-journal"):
            if one.exists():
                modes[one.name] = stat.S_IMODE(one.stat().st_mode) & 0o177
        fsync(fd)

    monkeypatch.setattr(SYSTEM, "fsync", watched)
    before = os.umask(mask & 0o077)
    try:
        anonymize(path, key=tmp_path / "key", vault=tmp_path / "vault")
    finally:
        os.umask(before)
    assert set(modes) >= {NAME, "vault"}
    assert set(modes.values()) == {0}
