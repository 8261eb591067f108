"""No planted value comes out of an archive: by no message, report or temporary file, nor of a run cut off."""

from __future__ import annotations

import errno
import io
import os
import signal
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import fastanon
from fastanon.system import System
from tests.archives.making import BIRTH, FIRST, ID, LAST, dicom, gzipped, tarred, unpacked, zipped
from tests.canary import CANARIES, assert_clean
from tests.security.oracle import Oracle

ROOT = Path(fastanon.__file__).parent.parent
FILES = {
    f"{LAST}^{FIRST}/{ID}/0001.dcm": dicom(f"seen {BIRTH} {LAST}".encode() * 9),
    f"{FIRST}/{LAST}.dcm": dicom(uid="1.2.3"),
    "ward.txt": f"{LAST} lies in ward 7".encode(),
}

#: Dies at a call that writes, as by a power cut of the program.
DYING = """
import os, sys
from fastanon.system import System
from fastanon.cli import main
original, left = System.pwrite, [int(sys.argv[1])]

def pwrite(*args):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), 9)
    return original(*args)

System.pwrite = staticmethod(pwrite)
sys.exit(main(sys.argv[2:]))
"""


def noisy_zip() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for name, content in FILES.items():
            info = zipfile.ZipInfo(name)
            info.comment = info.extra = struct.pack("<HH", 0x4C41, len(LAST)) + LAST.encode()
            archive.writestr(info, content)
        archive.comment = f"{FIRST} {LAST} {BIRTH} {ID}".encode()
    return f"{LAST} in front".encode() + data.getvalue() + ID.encode()


def noisy_tar() -> bytes:
    def change(info: tarfile.TarInfo) -> None:
        info.uname, info.gname, info.pax_headers = LAST, FIRST, {"comment": f"{ID} {BIRTH}"}

    return gzipped(tarred(FILES, change) + LAST.encode(), f"{LAST}.tar")


def broken() -> bytes:
    return zipped({**FILES, f"{LAST}-{ID}.dcm": dicom()[:-99]})


CASES = {"zip": (".zip", noisy_zip), "tar.gz": (".tar.gz", noisy_tar), "broken": (".zip", broken)}


@pytest.mark.parametrize("where", ["copies", "in place", "what if"])
@pytest.mark.parametrize("case", CASES)
def test_of_a_whole_run(case: str, where: str, tmp_path: Path) -> None:
    ending, make = CASES[case]
    folder, temporary = tmp_path / "in", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    (folder / "0000.dcm").write_bytes(dicom())  # names the patient, before the archive is met
    (folder / f"{LAST}{ending}").write_bytes(make())
    out = {"copies": ["-o", "out"], "in place": ["--in-place"], "what if": ["--in-place", "--what-if"]}[where]
    command = [sys.executable, "-m", "fastanon", "anonymize", "in", *out, "--report", "r.json", "-v"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, env=environment)
    assert done.returncode == 4, done.stderr
    assert_clean(done.stdout, done.stderr)
    assert (b"ward.txt" in done.stderr) == (case != "broken" or where == "what if")
    assert not any(temporary.iterdir())
    if where == "what if":
        return
    assert_clean((tmp_path / "r.json").read_bytes())
    if case == "broken":  # as it was
        assert (folder / f"{LAST}{ending}").read_bytes() == make()
        return
    written = [p for p in (tmp_path / ("out" if where == "copies" else "in")).rglob("*") if p.is_file()]
    assert len(written) == 2
    for path in written:
        assert_clean(str(path.relative_to(tmp_path)))
        assert Oracle(CANARIES).found(unpacked(path.read_bytes())) == []


@pytest.mark.parametrize("call", range(0, 12, 2))
@pytest.mark.parametrize("where", ["copies", "in place"])
def test_of_a_run_that_is_killed(call: int, where: str, tmp_path: Path) -> None:
    """What is left over holds no value; the archive is the old one; the next run clears up and does it."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.zip").write_bytes(zipped(FILES, zipfile.ZIP_STORED))
    before = (folder / "a.zip").read_bytes()
    out = ["-o", "out"] if where == "copies" else ["--in-place"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", DYING, str(call), "anonymize", "in", *out]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, env=environment)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (folder / "a.zip").read_bytes() == before
    left = [p for p in tmp_path.rglob("*") if p.is_file() and p.name != "a.zip"]
    assert [p.name.startswith(".fastanon-") for p in left] == [True]
    assert_clean(left[0].read_bytes())
    kwargs = {"to": tmp_path / "out"} if where == "copies" else {"in_place": True}
    fastanon.recover(tmp_path)
    report = fastanon.anonymize(folder, **kwargs)  # type: ignore[arg-type]
    assert [f.status for f in report.files] == ["anonymized"] * 3 + ["refused"]
    assert not list(tmp_path.rglob(".fastanon-*"))


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
@pytest.mark.parametrize("what", [OSError(errno.ENOSPC, "no"), KeyboardInterrupt()], ids=["full", "stopped"])
def test_of_a_disk_that_is_full_and_a_user_who_is_tired(
    ending: str, what: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every call that writes; with a new name in place, which is taken back."""
    make = zipped if ending == ".zip" else (lambda files: gzipped(tarred(files)))
    path = tmp_path / "in" / f"{LAST}{ending}"
    path.parent.mkdir()
    path.write_bytes(make({"0001.dcm": dicom(), "0002.dcm": dicom(b"2")}))
    before, original = path.read_bytes(), System.pwrite
    for call in range(100):
        calls = iter(range(100))

        def pwrite(fd: int, data: bytes, at: int, calls: object = calls, call: int = call) -> int:
            if b"fastanon-" in os.fsencode(os.readlink(f"/proc/self/fd/{fd}")) and next(calls) == call:  # type: ignore[call-overload]
                raise what
            return original(fd, data, at)

        monkeypatch.setattr(System, "pwrite", staticmethod(pwrite))
        try:
            report = fastanon.anonymize(path, in_place=True)
        except KeyboardInterrupt:
            status = "stopped"
        else:
            status = report.files[0].status
            if status == "anonymized":
                break
            assert "No space left on device" in report.files[-1].messages[0]
            assert report.exit_status == 1
        assert status == ("stopped" if isinstance(what, KeyboardInterrupt) else "failed")
        assert [p.name for p in path.parent.iterdir()] == [path.name]
        assert path.read_bytes() == before
    assert call > 0
    assert [LAST in p.name for p in path.parent.iterdir()] == [False]
