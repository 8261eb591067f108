"""What an attacker leaves in a folder under names of ours: journals and temporary files."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastanon import apply
from fastanon.cli import main
from fastanon.errors import FileError
from fastanon.journal import NAME
from fastanon.recovery import recover
from tests.security import planted
from tests.security.world import NEEDS_ROOT, OTHER_USER, anonymize, changed, picture, statuses, unharmed, world
from tests.siemens_files import digest

pytestmark = pytest.mark.usefixtures("in_time")

JOURNAL = f"in/{NAME}"
TEMPORARY = ".fastanon-0123456789abcdef.tmp"
FOREIGN = [
    pytest.param(kind, marks=NEEDS_ROOT if number == 0 else ()) for number, kind in enumerate(planted.FOREIGN)
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the world, in which nobody waits long for a journal that is in use."""
    monkeypatch.setattr(apply, "_PATIENCE", 0.1)
    return world(tmp_path)


def settle(folder: Path) -> set[str]:
    """Try all that looks at a journal: recovery, a run in place, and one for copies."""
    found = recover(folder)
    found += recover(folder / "a.dcm")
    done = set(statuses(anonymize(folder, folder.parent / "out")).values())
    assert done <= {"refused", "failed"} or not any(one.error for one in found)
    return done


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_journal_that_another_user_may_have_made_is_not_believed(kind: str, folder: Path) -> None:
    planted.FOREIGN[kind](folder)
    before = picture(folder.parent)
    assert not any(one.files for one in recover(folder))
    assert set(statuses(anonymize(folder)).values()) <= {"refused", "failed"}
    assert set(statuses(anonymize(folder, folder.parent / "out")).values()) <= {"refused", "failed"}
    assert changed(before, folder.parent) == []


@pytest.mark.parametrize("kind", planted.WRONG)
def test_a_journal_that_makes_no_sense_changes_nothing(kind: str, folder: Path) -> None:
    planted.plant(folder, planted.WRONG[kind](folder))
    before = picture(folder.parent)
    settle(folder)
    assert changed(before, folder.parent, "out") in ([], [JOURNAL])  # one that was not finished is removed
    assert not os.path.lexists(folder / NAME) or set(statuses(anonymize(folder)).values()) <= {"refused", "failed"}


def test_a_journal_torn_anywhere_changes_nothing(folder: Path) -> None:
    data, before = planted.journal(folder / "a.dcm", planted.BREAKS), digest(folder / "a.dcm")
    for size in range(len(data)):
        planted.plant(folder, data[:size])
        (done,) = recover(folder)
        assert (done.files, done.torn, done.error) == (0, True, None)
    assert digest(folder / "a.dcm") == before
    assert os.listdir(folder) == ["a.dcm"]


@pytest.mark.parametrize("kind", planted.OUT)
def test_a_journal_that_came_with_an_archive_leads_nowhere(kind: str, folder: Path) -> None:
    """Who unpacks one owns all that is in it, with the modes that the sender chose; he has to guess the inode."""
    root = folder.parent
    (root / "link").symlink_to("victim")
    planted.plant(folder, planted.journal(folder / "a.dcm", [], planted.OUT[kind](folder)))
    before = picture(root)
    recover(folder)
    assert changed(before, root, JOURNAL) == []
    assert unharmed(root)


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("command", [["recover"], ["anonymize", "--in-place"]])
def test_a_journal_without_end_is_not_read(command: list[str], folder: Path) -> None:
    os.truncate(planted.plant(folder, b""), 1 << 42)
    before = picture(folder.parent)
    assert main([*command, str(folder)]) in (0, 1, 4)
    assert changed(before, folder.parent, JOURNAL, "in/a.dcm" if "anonymize" in command else JOURNAL) == []


@pytest.mark.parametrize("kind", ["fifo", "null", "link"])
def test_a_journal_that_means_no_file_opens_none(kind: str, folder: Path) -> None:
    if kind == "null" and os.geteuid():
        pytest.skip("needs root: devices")
    at = folder / "odd"
    make = {
        "fifo": lambda: os.mkfifo(at),
        "null": lambda: os.mknod(at, 0o600 | stat.S_IFCHR, os.makedev(1, 3)),
        "link": lambda: at.symlink_to("../victim/a.dcm"),
    }
    make[kind]()
    planted.plant(folder, planted.journal(at, planted.BREAKS, before=0, after=1 << 20))
    before = picture(folder.parent)
    (done,) = recover(folder)
    assert done.error is not None
    assert changed(before, folder.parent) == []


def test_a_journal_that_means_a_file_with_other_hard_links_is_not_believed(folder: Path) -> None:
    (folder / "b.dcm").hardlink_to(folder.parent / "victim" / "a.dcm")
    planted.plant(folder, planted.journal(folder / "b.dcm", planted.BREAKS))
    before = picture(folder.parent)
    (done,) = recover(folder)
    assert done.error is not None
    assert changed(before, folder.parent) == []


# a journal that is in use

_HOLDER = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def held(folder: Path) -> Iterator[Path]:
    """Let a live process hold a journal that says it is of process 77, on a host with a name for a terminal."""
    head = planted.head(1, 0)[:-6] + (12).to_bytes(2, "little") + b"ho\x1b]0;st\x07\r\nx"
    path = planted.plant(folder, head)
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", _HOLDER, str(path)], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        yield folder
        process.stdin.close()


@pytest.mark.parametrize("command", [["recover"], ["anonymize", "--in-place"], ["anonymize", "-o", "out"]])
def test_a_journal_in_use_is_told_with_its_process(
    command: list[str], held: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(held.parent)
    before = picture(held.parent)
    assert main([*command, str(held)]) == 1
    said = capsys.readouterr().err
    assert "is being changed by process 77 on ho]0;stx" in said
    assert all(c.isprintable() or c == "\n" for c in said)
    assert changed(before, held.parent) == []


def test_a_commit_waits_for_a_journal_in_use_and_gives_up(held: Path) -> None:
    path = held / "a.dcm"
    before, found = picture(held.parent), path.stat()
    identity = apply.Identity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    with pytest.raises(FileError, match="process 77"):
        apply.commit([apply.Change(str(path), identity, ((132, b"broken"),), found.st_size, str(path))])
    assert changed(before, held.parent) == []


# temporary files


def _temporary(kind: str, folder: Path) -> None:
    at, victim = folder / TEMPORARY, folder.parent / "victim" / "a.dcm"
    if kind == "link":
        at.symlink_to(victim)
    elif kind == "fifo":
        os.mkfifo(at, 0o600)
    elif kind == "folder":
        at.mkdir()
    elif kind == "hard link":
        victim.chmod(0o600)
        at.hardlink_to(victim)
    else:
        at.write_bytes(b"of another")
        at.chmod(0o600)
        os.chown(at, OTHER_USER, OTHER_USER)


TEMPORARIES = ["link", "fifo", "folder", "hard link"]


@pytest.mark.parametrize("kind", TEMPORARIES)
def test_what_only_has_the_name_of_a_temporary_file_stays(kind: str, folder: Path) -> None:
    _temporary(kind, folder)
    before = picture(folder.parent)
    recover(folder)
    assert changed(before, folder.parent) == []
    assert statuses(anonymize(folder, folder.parent / "out")) == {"a.dcm": "anonymized"}
    assert statuses(anonymize(folder)) == {"a.dcm": "anonymized"}
    assert changed(before, folder.parent, "out", "in/a.dcm") == []


@pytest.mark.parametrize("kind", [*TEMPORARIES, pytest.param("of another user", marks=NEEDS_ROOT)])
def test_what_only_has_the_name_of_a_temporary_file_keeps_no_real_one(kind: str, folder: Path) -> None:
    _temporary(kind, folder)
    real = folder / ".fastanon-ffffffffffffffff.tmp"
    real.write_bytes(b"left over")
    real.chmod(0o600)
    recover(folder)
    assert not real.exists()
    assert unharmed(folder.parent)
