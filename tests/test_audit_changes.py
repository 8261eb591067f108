"""A file that changes while it is read, or is cut off, is refused: by the audit, in place, in a copy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fastanon
from fastanon import opened
from fastanon.report import Report
from tests.auditing.case import PATIENT, write
from tests.auditing.dicom import dicom
from tests.auditing.raw import payload
from tests.builder import Leaf
from tests.canary import assert_clean
from tests.niftypet import anonymize, audit

ROOT = Path(fastanon.__file__).parent.parent


CALLS: dict[str, Callable[[Path, Path], Report]] = {
    "in place": lambda folder, _: anonymize(folder / "it", in_place=True),
    "copy": lambda folder, out: anonymize(folder / "it", to=out),
    "audit": lambda folder, _: audit(folder / "it", against=folder / "original"),
}

#: File, and how it is read: the header by `pread`, payloads of large files by `preadv`.
READ = {"header": ("a.dcm", "pread"), "payload": ("a.dcm", "preadv"), "payload beside": ("b.bf", "preadv")}


def _shrink(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 200)  # inside the last page: see the test of a map


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(bytes(200))


def _touch(path: Path) -> None:
    os.utime(path, ns=(0, 0))


def _put_another(path: Path) -> None:
    other = path.parent.parent / "other"
    other.write_bytes(dicom(PATIENT, Leaf(0x00104000, "LT", b"QUILLFEATHER again")))
    os.replace(other, path)


CHANGES = {"shrinks": _shrink, "grows": _grow, "is written to": _touch, "is replaced": _put_another}


def meddle(monkeypatch: pytest.MonkeyPatch, reader: str, path: Path, change: Callable[[Path], None]) -> list[str]:
    """Have a file changed when a system call first reads it, or the copy that is made of it."""
    original, done = getattr(os, reader), []

    def read(fd: int, *more: Any) -> Any:
        name = os.readlink(f"/proc/self/fd/{fd}")
        if not done and (name == str(path) or (path.suffix == ".bf" and "/out/.fastanon-" in name)):
            done.append(name)
            change(path)
        return original(fd, *more)

    monkeypatch.setattr(os, reader, read)
    return done


def changing(folder: Path, name: str) -> Path:
    """Write a file with a payload inside or beside it, and another with none; give the path of the first."""
    data, text = payload(b"nothing"), Leaf(0x00104000, "LT", b"of QUILLFEATHER")
    files = {"a.dcm": dicom(PATIENT, text, Leaf(0x7FE11010, "OB", data))}
    if name == "b.bf":
        files = {"b.dcm": dicom(PATIENT, text), "b.bf": data}
    files["z.dcm"] = dicom(PATIENT)
    write(folder / "original", files)
    return write(folder / "it", files) / name


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize("call", CALLS)
def test_a_file_that_changes_is_an_error(
    call: str, read: str, change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, reader = READ[read]
    path = changing(tmp_path, name)
    wanted = {file.name: file.read_bytes() for file in path.parent.iterdir() if file.stem == path.stem}

    def meddled(at: Path) -> None:
        CHANGES[change](at)
        wanted[at.name] = at.read_bytes()

    if reader == "preadv":  # as of large files: small ones are searched in memory
        monkeypatch.setattr(opened, "SMALL", 64)
    done = meddle(monkeypatch, reader, path, meddled)
    report = CALLS[call](tmp_path, tmp_path / "out")
    assert len(done) == 1
    result, other = report.files
    assert (result.status, result.audit) == ("refused", None)
    assert "changed" in result.messages[0] or "shorter" in result.messages[0]
    assert_clean(report.to_json(), report.summary())
    assert {file.name: file.read_bytes() for file in path.parent.iterdir() if file.stem == path.stem} == wanted
    assert [file.name for file in tmp_path.glob("out/*")] == (["z.dcm"] if call == "copy" else [])
    assert other.status in ("anonymized", "audited")


_CUT_OFF = """
import mmap, os, sys
from pathlib import Path
import pytest
from tests.test_audit_changes import CALLS, meddle
patch, path = pytest.MonkeyPatch(), Path(sys.argv[3]) / "it/a.dcm"
cut = lambda path: os.truncate(path, mmap.PAGESIZE)
if sys.argv[2] == "before it is read":
    meddle(patch, "pread", path, cut)
else:
    from fastanon.opened import Opened
    read = Opened._map
    def opened(self):
        read(self)
        if self.path == str(path):
            cut(path)
    patch.setattr(Opened, "_map", opened)
print([(f.status, f.audit) for f in CALLS[sys.argv[1]](path.parents[1], path.parents[1] / "out").files])
"""


@pytest.mark.parametrize(
    ("call", "when"),
    [("audit", "before it is read"), ("audit", "when it was opened"), ("in place", "when it was opened")],
)
def test_a_file_that_is_cut_off_kills_nobody(call: str, when: str, tmp_path: Path) -> None:
    """A page of a map that is gone ends the process with SIGBUS."""
    files = {"a.dcm": dicom(PATIENT, Leaf(0x00091010, "UN", bytes(20_000)))}
    write(tmp_path / "original", files)
    write(tmp_path / "it", files)
    command = [sys.executable, "-c", _CUT_OFF, call, when, str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "[('refused', None)]\n"), ended.stderr[-500:]
