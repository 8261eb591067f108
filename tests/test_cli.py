"""The program, as it is run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import fastanon
from fastanon.errors import DONE, FAILED, LEFT, REFUSED, USAGE
from tests.canary import CANARIES, assert_clean
from tests.niftypet import NIFTYPET
from tests.siemens_files import Study, digest, people, read, write

FIRST, LAST, NUMBER, BIRTH = CANARIES
STUDY = Study(f"{LAST}^{FIRST}", number=NUMBER, birth=BIRTH)
ROOT = Path(fastanon.__file__).parent.parent


def run(*arguments: object, code: str = "") -> subprocess.CompletedProcess[str]:
    start = ["-c", code] if code else ["-m", "fastanon"]
    return subprocess.run(
        [sys.executable, "-W", "error", *start, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def is_done(path: Path) -> bool:
    return {value for _, value in people(read(path))} == {"anonymised", "19800101"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a slice."""
    return write(tmp_path / "in" / "a.dcm", STUDY)


def test_help_names_every_command_and_exit_status() -> None:
    done = run("--help")
    assert done.returncode == DONE
    assert all(word in done.stdout for word in ("inspect", "anonymize", "exit status", "wrong usage", "refused"))
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["inspect", "anonymize"])
def test_every_command_has_help(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == DONE
    assert "PATH" in done.stdout


def test_version() -> None:
    assert run("--version").stdout == f"fastanon {fastanon.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["anonymize"],
        ["anonymize", "a.dcm"],
        ["anonymize", "a.dcm", "--in-place", "-o", "out"],
        ["anonymize", "a.dcm", "--in-place", "--dob", "1980"],
        ["anonymize", "a.dcm", "--in-place", "--patient", "a\\b"],
        ["anonymize", "*.nothing", "--in-place"],
        ["anonymise", "a.dcm"],
        ["inspect"],
        ["--nonsense"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == USAGE
    assert done.stderr.startswith(("usage:", "fastanon:"))
    assert "Traceback" not in done.stderr


def test_inspect_shows_values_and_changes_nothing(path: Path) -> None:
    before = digest(path)
    done = run("inspect", path)
    assert done.returncode == DONE
    assert all(value in done.stdout for value in (f"{LAST}^{FIRST}", NUMBER, BIRTH))
    assert digest(path) == before


def test_inspect_says_what_it_can_not_read(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:700])
    assert run("inspect", path).returncode == REFUSED
    missing = run("inspect", path.with_name("b.dcm"))
    assert missing.returncode == FAILED
    assert "No such file" in missing.stderr


def test_to_a_folder(path: Path, tmp_path: Path) -> None:
    before = digest(path)
    done = run("anonymize", *NIFTYPET, path.parent, "-o", tmp_path / "out", "--verbose")
    assert done.returncode == DONE
    assert is_done(tmp_path / "out" / "a.dcm")
    assert digest(path) == before
    assert_clean(done.stdout, done.stderr)
    assert "a.dcm" in done.stdout
    assert "1 anonymized" in done.stdout


def test_in_place_with_replacements(path: Path) -> None:
    done = run(
        "anonymize", *NIFTYPET, path, "--in-place", "--patient", "P^1", "--physician", "D^2", "--dob", "19700101"
    )
    assert done.returncode == DONE
    wanted = {"PatientName": "P^1", "ReferringPhysicianName": "D^2", "PatientBirthDate": "19700101"}
    assert dict(people(read(path))) == wanted


def test_what_if_writes_nothing(path: Path, tmp_path: Path) -> None:
    before = digest(tmp_path)
    done = run("anonymize", *NIFTYPET, path, "-o", tmp_path / "out", "--what-if")
    assert done.returncode == DONE
    assert digest(tmp_path) == before
    assert "PatientName" in done.stdout
    assert_clean(done.stdout, done.stderr)


def test_what_if_says_what_would_be_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:700])
    done = run("anonymize", *NIFTYPET, path, "--in-place", "--what-if")
    assert done.returncode == REFUSED
    assert str(path) in done.stderr


def test_a_report(path: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    assert run("anonymize", *NIFTYPET, path, "--in-place", "--report", report).returncode == DONE
    said = json.loads(report.read_text())
    assert said["schema"] == 1
    assert said["totals"]["anonymized"] == said["totals"]["files"] == 1
    assert_clean(report.read_bytes())


def test_a_report_that_can_not_be_written(path: Path, tmp_path: Path) -> None:
    done = run("anonymize", *NIFTYPET, path, "--in-place", "--report", tmp_path / "nowhere" / "report.json")
    assert done.returncode == FAILED
    assert "No such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_exit_statuses(path: Path, tmp_path: Path) -> None:
    broken = tmp_path / "in" / "b.dcm"
    broken.write_bytes(path.read_bytes()[:700])
    assert run("anonymize", *NIFTYPET, path.parent, "-o", tmp_path / "1").returncode == REFUSED
    assert run("anonymize", *NIFTYPET, path, tmp_path / "none.dcm", "-o", tmp_path / "2").returncode == FAILED
    write(tmp_path / "in" / f"{LAST}.dcm", STUDY)
    done = run("anonymize", *NIFTYPET, path.parent / f"{LAST}.dcm", path, "--in-place")
    assert done.returncode == LEFT
    assert_clean(done.stdout, done.stderr)


def test_a_leak_is_named_as_it_happens(path: Path) -> None:
    path.rename(path.with_name(f"{LAST}.dcm"))
    write(path, STUDY)
    done = run("anonymize", *NIFTYPET, path.parent, "--in-place")
    assert done.returncode == LEFT
    assert "<name1>.dcm" in done.stdout + done.stderr


def test_a_path_of_bytes_that_are_no_text(path: Path) -> None:
    odd = os.fsencode(path.parent) + b"/\xff\xfe.dcm"
    path.rename(os.fsdecode(odd))
    done = run("anonymize", *NIFTYPET, path.parent, "--in-place", "-v")
    assert done.returncode == DONE
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves(path: Path) -> None:
    shell = f"{sys.executable} -m fastanon anonymize --profile niftypet {path} --in-place -v | true"
    done = subprocess.run(
        ["/bin/sh", "-c", shell], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert b"Traceback" not in done.stderr
    assert is_done(path)


#: What costs more than it is worth for one file, and what is not even worth it for the usage.
SLOW = set(
    "numpy numba pydicom click asyncio multiprocessing concurrent.futures socket ssl sqlite3 csv json glob".split()
)
SLOW |= {"importlib.resources", "tempfile", "cryptography", "tqdm", "llvmlite", "fastanon.raw", "fastanon.formats"}
SLOWER = SLOW | set("dataclasses inspect shutil tomllib hashlib ctypes datetime signal".split())


def loaded(*arguments: object) -> tuple[int, set[str]]:
    """Run a command; give its exit status and what it has loaded that an empty program has not."""
    code = (
        "import sys; before = set(sys.modules)\n"
        "from fastanon.cli import main\n"
        "try: status = main(sys.argv[1:])\n"
        "except SystemExit as stop: status = stop.code\n"
        "print('loaded', *sorted(set(sys.modules) - before)); sys.exit(status)"
    )
    done = run(*arguments, code=code)
    return done.returncode, set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("arguments", [["--help"], ["anonymize", "--help"], ["--version"], []], ids=str)
def test_the_usage_imports_next_to_nothing(arguments: list[str]) -> None:
    status, modules = loaded(*arguments)
    assert status == (DONE if arguments else USAGE)
    assert "argparse" in modules
    assert modules & (SLOWER if "anonymize" in arguments else SLOWER | {"typing"}) == set()
    ours = {name for name in modules if name.startswith("fastanon.")}
    assert ours <= {
        "fastanon.errors",
        "fastanon.urls",
        "fastanon.cli",
        *(f"fastanon.cli.{name}" for name in arguments),
    }


@pytest.mark.parametrize("profile", [(), tuple(NIFTYPET)], ids=["petmr", "niftypet"])
@pytest.mark.parametrize("how", ["in place", "copy"])
def test_one_small_file_imports_nothing_slow(path: Path, profile: tuple[str, ...], how: str) -> None:
    to = ("--in-place",) if how == "in place" else ("-o", path.parent / "out")
    status, modules = loaded("anonymize", *profile, path, *to)
    assert status == DONE
    assert "fastanon.batch" in modules
    assert modules & SLOW == set()


def test_the_program_leaves_no_core(tmp_path: Path) -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096));"
        "sys.argv[1:] = ['inspect', '.'];"
        "from fastanon.cli import main; main(); print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "(0, 4096)"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_nothing(number: int, tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.dcm", STUDY)
    code = (
        "import os, sys; from fastanon.system import SYSTEM;"
        f"SYSTEM.fsync = lambda fd, last=SYSTEM.fsync: os.kill(os.getpid(), {number}) if '.tmp' in "
        "os.readlink(f'/proc/self/fd/{fd}') else last(fd);"
        "sys.argv[1:] = ['anonymize', 'in', '-o', 'out']; from fastanon.cli import main; sys.exit(main())"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 128 + number
    assert run.stderr.startswith("fastanon: stopped;")
    assert not [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
