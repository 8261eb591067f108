"""``fastanon anonymize - -o -`` with real pipes: the bytes of the file route, and nothing else on stdout."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit

from fastanon.beside import is_record
from fastanon.errors import DONE, FAILED, LEFT, REFUSED, USAGE
from fastanon.synthetic import (
    Person,
    make_listmode,
    make_listmode_files,
    make_ptd,
    make_rda,
    make_slice,
    make_twix,
    make_xa_frames,
)
from tests.siemens_files import Study, dataset, even, left_in, save, write

PERSON = Person(name="THISTLEWOOD^JOHANNA", patient_id="QX-55120-R7")
SPELLINGS = ("THISTLEWOOD", "JOHANNA", "QX-55120-R7")
SIZE = 20 << 20  # the payload passes

COMMAND = [sys.executable, "-m", "fastanon", "anonymize"]


@pytest.fixture
def key(tmp_path: Path) -> str:
    """Make a key that is kept."""
    path = tmp_path / "key"
    path.write_text(bytes(range(32)).hex() + "\n")
    path.chmod(0o600)
    return str(path)


def piped(data: bytes, *arguments: str, command: str = "anonymize") -> subprocess.CompletedProcess[bytes]:
    """Send bytes through the program; what takes them reads all."""
    run = [sys.executable, "-m", "fastanon", command, *arguments]
    return subprocess.run(run, input=data, capture_output=True, check=False, timeout=300)


def by_file(path: Path, key: str) -> bytes:
    """Give what the file route makes of a file, which does not share blocks."""
    code = (
        "import sys, fastanon; from fastanon.sharing import Sharing; Sharing.block = lambda *_: 1;"
        "assert fastanon.anonymize(sys.argv[1], to=sys.argv[2], key=sys.argv[3]).exit_status == 0"
    )
    out = path.parent / "out"
    subprocess.run([sys.executable, "-c", code, path, out, key], check=True, timeout=300)
    (file,) = (one for one in out.rglob("*") if one.is_file() and not is_record(one.name))
    return file.read_bytes()


def listmode(path: Path, planted: bytes = b"", size: int = SIZE) -> Path:
    """Write a list-mode file with random words, which are its end."""
    make_listmode(path, size, PERSON)
    words = bytearray(random.Random(size).randbytes(size))
    words[size // 2 : size // 2 + len(planted)] = planted
    path.write_bytes(path.read_bytes()[:-size] + bytes(words))
    return path


def compressed(path: Path) -> Path:
    """Write a slice with fragments."""
    ds = dataset(Study(PERSON.name))
    ds.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0" + b"\xfe\xff\x00\xe0\4\0\0\0abcd"
    ds["PixelData"].is_undefined_length = True
    ds["PixelData"].VR = "OB"
    return save(path, ds, JPEGBaseline8Bit)


def private_bulk(path: Path) -> Path:
    """Write a slice whose largest value is no payload: 20 MiB of private text in front of the pixels."""
    ds = dataset(Study(PERSON.name))
    ds.add_new((0x0035, 0x0010), "LO", "ACME BULK 1.0")
    ds.add_new((0x0035, 0x1001), "OB", even(b"seen by " + PERSON.name.encode() + b"\n" + b"-" * (20 << 20)))
    return save(path, ds)


MAKERS = {
    "slice": lambda path: make_slice(path, PERSON),
    "implicit": lambda path: write(path, Study(PERSON.name), ImplicitVRLittleEndian),
    "deflated": lambda path: write(path, Study(PERSON.name), DeflatedExplicitVRLittleEndian),
    "compressed": compressed,
    "frames": lambda path: make_xa_frames(path, PERSON),
    "private": private_bulk,
    "rda": lambda path: make_rda(path.with_suffix(".rda"), PERSON),
    "list-mode": listmode,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_it_is_what_the_file_route_makes(kind: str, key: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = Path(MAKERS[kind](tmp_path / "in" / "a.dcm"))
    run = piped(path.read_bytes(), "-", "-o", "-", "--key", key)
    assert run.returncode == DONE, run.stderr
    assert run.stdout == by_file(path, key)
    assert run.stdout != path.read_bytes()
    assert not left_in(run.stderr, SPELLINGS)


def test_a_payload_passes_bit_for_bit(tmp_path: Path) -> None:
    data = listmode(tmp_path / "a.dcm").read_bytes()
    run = piped(data, "-", "-o", "-", "--report", str(tmp_path / "report.json"))
    assert run.returncode == DONE, run.stderr
    assert run.stdout[-SIZE:] == data[-SIZE:]
    assert not left_in(run.stdout[:-SIZE], SPELLINGS)
    (file,) = json.loads((tmp_path / "report.json").read_text())["files"]
    assert (file["source"], file["output"], file["status"]) == ("-", "-", "anonymized")
    assert file["bytes_written"] == len(run.stdout)
    assert file["audit"]["not_scanned"] == []
    (payload,) = file["audit"]["payloads"]
    assert (payload["what"], payload["bytes"], payload["done"]) == ("list-mode", SIZE, "nothing")


@pytest.mark.parametrize("at", [0, (4 << 20) - 11, SIZE - 23])
def test_a_leak_that_has_passed_is_told(at: int, tmp_path: Path) -> None:
    planted = b"\0THISTLEWOOD JOHANNA\0"
    data = bytearray(listmode(tmp_path / "a.dcm").read_bytes())
    start = len(data) - SIZE + at
    data[start : start + len(planted)] = planted
    run = piped(bytes(data), "-", "-o", "-", "--report", str(tmp_path / "report.json"))
    assert run.returncode == LEFT, run.stderr
    assert b"1 places with something identifying are left" in run.stderr
    assert not left_in(run.stderr, SPELLINGS)
    assert run.stdout[-SIZE:] == bytes(data[-SIZE:])
    (file,) = json.loads((tmp_path / "report.json").read_text())["files"]
    (leak,) = file["audit"]["leaks"]
    assert (leak["offset"], leak["where"]) == (start + 1, "list-mode")


def test_without_an_audit_of_payloads_nothing_is_searched_there(tmp_path: Path) -> None:
    data = listmode(tmp_path / "a.dcm", b"\0THISTLEWOOD JOHANNA\0").read_bytes()
    run = piped(data, "-", "-o", "-", "--audit", "text")
    assert run.returncode == DONE
    assert b"21.0 MB of payload not" in run.stderr


def test_what_goes_on_is_not_written(tmp_path: Path) -> None:
    data = listmode(tmp_path / "a.dcm").read_bytes()
    run = piped(data + b"THISTLEWOOD", "-", "-o", "-")
    assert run.returncode == FAILED
    assert run.stderr.startswith(b"-: failed (rewrite")
    assert f"goes on behind what its header promises at offset {len(data)}".encode() in run.stderr
    assert run.stdout.endswith(data[-SIZE:])


def test_what_ends_too_early(tmp_path: Path) -> None:
    data = listmode(tmp_path / "a.dcm").read_bytes()
    run = piped(data[:-100], "-", "-o", "-")
    assert run.returncode == FAILED
    assert f"ends before what its header promises at offset {len(data) - 100}".encode() in run.stderr


@pytest.mark.parametrize("size", [0, 1, 131, 132, 140, 400, 3000])
def test_what_is_cut_off_in_its_header_is_refused(size: int, tmp_path: Path) -> None:
    data = make_slice(tmp_path / "a.dcm", PERSON).read_bytes()
    run = piped(data[:size], "-", "-o", "-")
    assert run.returncode == REFUSED
    assert run.stdout == b""
    assert run.stderr.startswith(b"-: refused;")


def test_what_needs_a_second_look_is_refused(tmp_path: Path) -> None:
    from pydicom.data import get_testdata_file

    dicomdir = Path(str(get_testdata_file("DICOMDIR")))
    for path in (make_ptd(tmp_path / "a.ptd", 1 << 20), make_twix(tmp_path / "a.dat"), dicomdir):
        run = piped(path.read_bytes(), "-", "-o", "-")
        assert (run.returncode, run.stdout) == (REFUSED, b""), path
        assert b"not from a pipe" in run.stderr


def test_raw_data_of_any_size_are_refused_early(tmp_path: Path) -> None:
    path = make_ptd(tmp_path / "a.ptd", 64 << 20, sparse=True)
    with path.open("rb") as file:
        run = subprocess.run([*COMMAND, "-", "-o", "-"], stdin=file, capture_output=True, check=False)
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) < 20 << 20
    assert (run.returncode, run.stdout) == (REFUSED, b"")


def test_in_place_is_refused() -> None:
    run = piped(b"", "-", "--in-place")
    assert (run.returncode, run.stdout) == (REFUSED, b"")


def test_wrong_usage(tmp_path: Path) -> None:
    path = str(write(tmp_path / "a.dcm", Study(PERSON.name)))
    wrong = [
        ("-", path, "-o", "-"),
        (path, "-o", "-"),
        (str(tmp_path), "-o", "-"),
        ("-", "-o", str(tmp_path / "o")),
    ]
    wrong += [("-",), ("-", "-o", "-", "--what-if")]
    for arguments in wrong:
        run = piped(b"", *arguments)
        assert (run.returncode, run.stdout) == (USAGE, b""), arguments
    assert not (tmp_path / "o").exists()


def test_a_reader_that_leaves_ends_it_quietly(tmp_path: Path) -> None:
    path = listmode(tmp_path / "a.dcm")
    with path.open("rb") as file:
        pipe = subprocess.PIPE
        process = subprocess.Popen([*COMMAND, "-", "-o", "-"], stdin=file, stdout=pipe, stderr=pipe)
        assert process.stdout is not None
        assert process.stderr is not None
        assert len(process.stdout.read(1000)) == 1000
        process.stdout.close()
        said = process.stderr.read()
        process.stderr.close()
        assert (process.wait(120), said) == (FAILED, b"")


def test_a_second_run_changes_nothing(key: str, tmp_path: Path) -> None:
    data = write(tmp_path / "a.dcm", Study(PERSON.name)).read_bytes()
    once = piped(data, "-", "-o", "-", "--key", key)
    twice = piped(once.stdout, "-", "-o", "-", "--key", key)
    assert (once.returncode, twice.returncode) == (DONE, DONE)
    assert once.stdout == twice.stdout


def test_a_vault_knows_who_it_was(key: str, tmp_path: Path) -> None:
    data = write(tmp_path / "a.dcm", Study(PERSON.name)).read_bytes()
    vault = str(tmp_path / "vault")
    assert piped(data, "-", "-o", "-", "--key", key, "--vault", vault).returncode == DONE
    run = piped(b"", "export", "--csv", str(tmp_path / "who.csv"), "--vault", vault, "--key", key, command="vault")
    assert run.returncode == DONE, run.stderr
    assert "PX-77120Q4" in (tmp_path / "who.csv").read_text()


def test_memory_does_not_grow_with_what_passes(tmp_path: Path) -> None:
    def peak(size: int) -> int:
        path = make_listmode(tmp_path / f"{size}.dcm", size, PERSON, sparse=True)
        code = (
            "import resource, sys; from fastanon.cli import main; status = main(['anonymize', '-', '-o', '-']);"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(status)"
        )
        with path.open("rb") as file, open(os.devnull, "wb") as nowhere:
            run = subprocess.run([sys.executable, "-c", code], stdin=file, stdout=nowhere, stderr=subprocess.PIPE)
        assert run.returncode == DONE, run.stderr
        return int(run.stderr.split()[-1])

    assert peak(512 << 20) - peak(128 << 20) < 30 << 10  # kB


def test_an_inspection_of_a_pipe(tmp_path: Path) -> None:
    path = listmode(tmp_path / "a.dcm")
    shown = piped(path.read_bytes(), "-", command="inspect")
    of_file = piped(b"", str(path), command="inspect")
    assert shown.returncode == DONE
    assert shown.stdout == of_file.stdout.replace(os.fsencode(path), b"-")
    assert piped(b"", "-", str(path), command="inspect").returncode == USAGE


def test_an_interfile_header(key: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    made = make_listmode_files(tmp_path / "in" / "a.l.hdr", PERSON, 4096)
    header = next(path for path in tmp_path.rglob("*.hdr"))
    data = header.read_bytes()
    for path in tmp_path.joinpath("in").iterdir():
        if path != header:
            path.unlink()
    assert made
    run = piped(data, "-", "-o", "-", "--key", key)
    assert run.returncode == DONE, run.stderr
    assert run.stdout == by_file(header, key)
