"""What is broken, unknown or out of reach: named in one line, left as it is, and the rest of the batch is done."""

from __future__ import annotations

import os
import signal
import stat
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from fastanon.cli import main
from fastanon.errors import FAILED, REFUSED, USAGE
from tests import builder
from tests.canary import CANARIES
from tests.niftypet import NIFTYPET
from tests.siemens_files import Study, digest, people, read, write

FIRST, LAST, NUMBER, BIRTH = CANARIES
STUDY = Study(f"{LAST}^{FIRST}", number=NUMBER, birth=BIRTH)
NOBODY = 65534


class Broken(NamedTuple):
    """How a good file is broken, and words that the line about it must hold."""

    make: Callable[[bytes], bytes]
    words: tuple[str, ...]


def _with_length(data: bytes, length: int) -> bytes:
    """Let the patient's name claim another length."""
    at = data.index(b"\x10\0\x10\0PN") + 6
    return data[:at] + struct.pack("<H", length) + data[at + 2 :]


def _nested(depth: int) -> bytes:
    """Nest sequences of undefined length."""
    level = b"\x08\0\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    return builder.meta(builder.EXPLICIT) + level * depth + end * depth


def _deflated(data: bytes, cut: int) -> bytes:
    whole = builder.part10((builder.Leaf(0x00100010, "PN", f"{LAST}^{FIRST}".encode() * 9),), builder.DEFLATED)
    return whole[:-cut] if cut else whole[:-20] + data[-20:]


BROKEN = {
    "truncated in the pixels": Broken(lambda data: data[:-100], ("truncated", "offset")),
    "truncated in a header": Broken(lambda data: data[:401], ("truncated", "offset")),
    "no DICOM": Broken(lambda _: b"some notes about a visit\n" * 30, ("not DICOM",)),
    "a picture": Broken(lambda _: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, ("not DICOM",)),
    "seven bytes": Broken(lambda _: b"\x08\0\5\0\2\0\0", ("not DICOM",)),
    "nothing": Broken(lambda _: b"", ("empty",)),
    "a preamble alone": Broken(lambda _: bytes(128) + b"DICM", ("no dataset", "offset 132")),
    "zeros": Broken(lambda _: bytes(4096), ("not DICOM",)),
    "a length past the end": Broken(lambda data: _with_length(data, 0xFFF0), ("length", "offset")),
    "a length that cuts": Broken(lambda data: _with_length(data, 3), ("offset",)),
    "no VR": Broken(lambda data: data.replace(b"PN", b"\1\2"), ("VR", "offset")),
    "a depth of 10,000": Broken(lambda _: _nested(10_000), ("sequences inside each other", "offset")),
    "a depth of 65": Broken(lambda _: _nested(65), ("sequences inside each other", "offset")),
    "deflated and cut off": Broken(lambda data: _deflated(data, 9), ("deflated",)),
    "deflated and damaged": Broken(lambda data: _deflated(data, 0), ("deflated",)),
}


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """End a test that hangs, as on a FIFO."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Make a folder that another user can reach, with a good file."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # pytest's own folder is closed to others
        os.chmod(name, 0o777)
        yield write(Path(name) / "in" / "good.dcm", STUDY).parent


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Give up the rights of root for a while: it may read everything."""
    if os.geteuid():
        yield
        return
    for path in (folder, *folder.rglob("*")):
        os.lchown(path, NOBODY, NOBODY)
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def is_done(path: Path) -> bool:
    return {value for _, value in people(read(path))} == {"anonymised", "19800101"}


def in_place(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, list[str]]:
    """Run the program; give its exit status and the lines on standard error."""
    status = main(["anonymize", *NIFTYPET, str(folder), "--in-place", *more])
    taken = capsys.readouterr()
    assert "Traceback" not in taken.out + taken.err
    return status, taken.err.splitlines()


def assert_named_once(lines: list[str], path: Path, *words: str) -> None:
    about = [line for line in lines if str(path) in line]
    assert len(about) == len(lines) == 1, lines
    assert all(word in about[0] for word in words), about


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_and_the_rest_done(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = folder / "broken.dcm"
    broken.write_bytes(BROKEN[name].make((folder / "good.dcm").read_bytes()))
    before = digest(broken)
    status, lines = in_place(folder, capsys)
    assert is_done(folder / "good.dcm")
    assert digest(broken) == before
    assert status == REFUSED
    assert_named_once(lines, broken, *BROKEN[name].words)


@pytest.mark.parametrize("name", BROKEN)
def test_nothing_is_written_for_a_broken_file(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken, out = folder / "broken.dcm", folder.parent / "out"
    broken.write_bytes(BROKEN[name].make((folder / "good.dcm").read_bytes()))
    assert main(["anonymize", *NIFTYPET, str(broken), "-o", str(out)]) == REFUSED
    assert_named_once(capsys.readouterr().err.splitlines(), broken, *BROKEN[name].words)
    assert not out.exists() or not list(out.iterdir())


def test_a_file_without_rights(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    closed = write(folder / "closed.dcm", STUDY)
    before = digest(closed)
    closed.chmod(0)
    with as_nobody(folder):
        status, lines = in_place(folder, capsys)
    assert status == FAILED
    assert_named_once(lines, closed, "Permission denied")
    assert digest(closed) == before
    assert is_done(folder / "good.dcm")


@pytest.mark.parametrize("mode", [0o000, 0o444, 0o111])
def test_a_folder_without_rights(mode: int, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hidden = write(folder / "closed" / "hidden.dcm", STUDY)
    before = digest(hidden)
    hidden.parent.chmod(mode)
    with as_nobody(folder):
        status, lines = in_place(folder, capsys)
    hidden.parent.chmod(0o700)
    assert status == FAILED
    assert_named_once(lines, hidden.parent, "Permission denied")
    assert digest(hidden) == before
    assert is_done(folder / "good.dcm")


def test_a_folder_that_may_not_be_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder.parent / "out"
    out.mkdir(mode=0o555)
    with as_nobody(folder):
        assert main(["anonymize", *NIFTYPET, str(folder), "-o", str(out)]) == FAILED
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "Permission denied" in lines[0]
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("patient", ["anonymised", "A MUCH LONGER^NAME^THAN^THE^OLD ONE"])
def test_a_read_only_file_in_place(patient: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    locked = write(folder / "locked.dcm", STUDY)
    locked.chmod(0o444)
    before = digest(locked)
    status, lines = in_place(folder, capsys, "--patient", patient)
    assert status in (FAILED, REFUSED)
    assert_named_once(lines, locked, "read-only")
    assert digest(locked) == before
    assert stat.S_IMODE(locked.stat().st_mode) == 0o444


@pytest.mark.parametrize("patient", ["anonymised", "A MUCH LONGER^NAME^THAN^THE^OLD ONE"])
def test_a_hard_linked_file_in_place(patient: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    linked, other = write(folder / "linked.dcm", STUDY), folder.parent / "other.dcm"
    os.link(linked, other)
    before = digest(linked)
    status, lines = in_place(folder, capsys, "--patient", patient)
    assert status in (FAILED, REFUSED)
    assert_named_once(lines, linked, "hard link")
    assert digest(linked) == digest(other) == before


@pytest.mark.parametrize("kind", ["fifo", "link to a file", "link to a folder", "dangling link", "link to itself"])
def test_what_is_no_regular_file_is_named(kind: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = write(folder.parent / "elsewhere" / "far.dcm", STUDY)
    before, odd = digest(elsewhere), folder / "odd"
    targets = {"link to a file": elsewhere, "link to a folder": elsewhere.parent, "link to itself": odd}
    if kind == "fifo":
        os.mkfifo(odd)
    else:
        odd.symlink_to(targets.get(kind, folder / "nowhere"))
    status, lines = in_place(folder, capsys)
    assert status == REFUSED
    assert_named_once(lines, odd, "regular" if kind == "fifo" else "link")
    assert digest(elsewhere) == before
    assert is_done(folder / "good.dcm")


@pytest.mark.parametrize("order", [("gone.dcm", "good.dcm"), ("good.dcm", "gone.dcm")])
def test_a_missing_path(order: tuple[str, str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["anonymize", *NIFTYPET, *(str(folder / name) for name in order), "--in-place"]) == FAILED
    assert_named_once(capsys.readouterr().err.splitlines(), folder / "gone.dcm", "No such file")
    assert is_done(folder / "good.dcm")


def test_a_glob_that_matches_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = digest(folder)
    assert main(["anonymize", *NIFTYPET, str(folder / "good.dcm"), str(folder / "*.ima"), "--in-place"]) == USAGE
    assert_named_once(capsys.readouterr().err.splitlines(), folder / "*.ima")
    assert digest(folder) == before
