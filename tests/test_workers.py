"""Worker processes: what they do is what one process does, and what happens to them harms no file."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pydicom
import pytest

import fastanon
from fastanon import processes, tasks
from fastanon.beside import is_ours
from fastanon.errors import DONE, FAILED, UsageError
from fastanon.limits import limited
from fastanon.schemes import make_scheme
from fastanon.synthetic import Person, make_slice
from fastanon.work import Options
from tests import study200
from tests.canary import CANARIES
from tests.siemens_files import Study, write

KEY = bytes(range(32))
FIRST, LAST, NUMBER, BIRTH = CANARIES
ROOT = Path(fastanon.__file__).parent.parent


def tree(folder: Path) -> dict[str, bytes]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file() and not is_ours(p.name))
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def told(report: fastanon.Report, folder: Path) -> dict[str, Any]:
    """Give a report without what depends on the folder, or on which files of a series a process has seen."""
    found: dict[str, Any] = json.loads(report.to_json().replace(str(folder), "FOLDER"))
    for entry in (*found["files"], found["totals"]):
        entry.pop("id", None)
        entry.pop("bytes_written")
    return found


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tasks be so small that each run has many."""
    monkeypatch.setattr(tasks, "MOST_FILES", 3)


def mixed(folder: Path) -> Path:
    """Make files whose names tell of one another, pairs, files that name nobody, and some that are none."""
    people = [Study(f"{LAST}^{FIRST}", number=NUMBER), Study("ROTHENBERG^GRETA"), Study("SMITH-JONES^ALBERT")]
    for at, (study, other) in enumerate(zip(people, people[1:] + people[:1], strict=True)):
        own, others = (one.name.split("^")[0] for one in (study, other))
        for n in range(4):
            write(folder / f"{at} {others}" / f"{own}_{n}.dcm", study, uid=f"1.2.{at}.{n}")
        write(folder / own / f"pair of {others}.dcm", study, uid=f"1.2.{at}.9")
        (folder / own / f"pair of {others}.bf").write_bytes(b"counts" * 99)
        header = f"!INTERFILE :=\n!patient name := {study.name}\nname of data file := {own}_{others}.s\n"
        for name in (f"{own}_{others}", f"{own.lower()}_{others}"):
            (folder / own / f"{name}.s.hdr").write_text(header.replace(f"{own}_{others}", name))
            (folder / own / f"{name}.s").write_bytes(name.encode() + b"sinogram" * 99)
        norm = "!INTERFILE :=\n%comment := norm\n%study date (yyyy:mm:dd) := 2024:05:01\n"
        (folder / own / f"norm {others}.n.hdr").write_text(norm + f"%data file name := norm {others}.n\n")
        (folder / own / f"norm {others}.n").write_bytes(b"norm" * 99)
    (folder / "notes.txt").write_text("no medical file")
    return folder


def by(workers: int, source: Path, root: Path, **how: Any) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Give what so many workers make, and what they report."""
    folder = root / f"j{workers}"
    if how.pop("in_place", False):
        shutil.copytree(source, folder / "study")
        report = fastanon.anonymize(folder / "study", in_place=True, workers=workers, **how)
    else:
        report = fastanon.anonymize(source, to=folder, workers=workers, **how)
    return tree(folder), told(report, folder)


@pytest.mark.parametrize("in_place", [False, True], ids=["copies", "in place"])
@pytest.mark.parametrize("profile", ["petmr", "niftypet"])
def test_so_many_workers_make_the_very_same(profile: str, in_place: bool, tmp_path: Path) -> None:
    source = mixed(tmp_path / "in")
    one, two, four = (
        by(n, source, tmp_path, in_place=in_place, profile=profile, key=KEY if profile == "petmr" else None)
        for n in (1, 2, 4)
    )
    assert one[0] == two[0] == four[0]
    assert one[1] == two[1] == four[1]
    assert len(one[0]) > 25
    statuses = {file["status"] for file in one[1]["files"]}
    assert statuses >= {"anonymized", "refused"}


def test_a_study_with_directory_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "MOST_FILES", 32)
    study = study200.make(tmp_path / "in")
    one, two = (by(n, study.folder, tmp_path, key=KEY) for n in (1, 2))
    assert one == two
    assert len(one[0]) == 201


def test_a_random_key_is_one_for_all_workers_and_in_no_place_to_see(tmp_path: Path) -> None:
    for n in range(12):
        make_slice(tmp_path / "in" / f"{n}.dcm" if n else _made(tmp_path / "in") / "0.dcm", Person(), number=n + 1)
    scheme = make_scheme()
    secret = scheme.pseudonyms._secret
    seen: set[bytes] = set()

    def look(_: object) -> None:
        for child in psutil.Process().children(recursive=True):
            for name in ("cmdline", "environ"):
                seen.add(Path(f"/proc/{child.pid}/{name}").read_bytes())

    from fastanon import batch

    report = batch.run(tmp_path / "in", Options(scheme, str(tmp_path / "out"), workers=2), look)
    assert report.exit_status == DONE
    assert len(seen) > 2
    assert not any(secret in data or secret.hex().encode() in data for data in seen)
    ids = {pydicom.dcmread(path).PatientID for path in (tmp_path / "out").iterdir()}
    assert len(ids) == 1


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def test_what_tasks_and_options_say_of_themselves_holds_no_key_and_no_path() -> None:
    task = tasks.Task(b"the key", ((0, tasks.Source("/data/DOE^JANE.dcm", "DOE^JANE.dcm")),))
    assert "key" not in repr(task)
    assert "DOE" not in repr(task)


def test_a_script_without_a_guard_runs_once(tmp_path: Path) -> None:
    for n in range(4):
        make_slice((tmp_path / "in" if n else _made(tmp_path / "in")) / f"{n}.dcm", Person(), number=n + 1)
    script = tmp_path / "script.py"
    script.write_text(
        "import fastanon, threading\n"
        "threading.Thread(target=input, daemon=True)\n"
        "print('begins')\n"
        f"report = fastanon.anonymize({str(tmp_path / 'in')!r}, to={str(tmp_path / 'out')!r}, workers=2)\n"
        "print(report.exit_status)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "error", script], env=env, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("begins\n0\n", "")


# workers that die


def lethal(task: tasks.Task) -> list[tasks.Outcome]:
    """Die over a file, where the test says so, after having written something."""
    for _, item in task.items:
        once = Path(item.path).parent.parent / "once"
        if "once" in item.name and not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if "poison" in item.name:
            folder = Path(item.path).parent.parent / "out"
            folder.mkdir(exist_ok=True)
            (folder / f".fastanon-{task.token}00000000.tmp").write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
    return tasks.do(task)


def slices(folder: Path, *names: str) -> Path:
    _made(folder)
    for n, name in enumerate(names):
        make_slice(folder / name, Person(), number=n + 1)
    return folder


def test_a_worker_that_is_killed_is_replaced_and_its_files_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "do", lethal)
    source = slices(tmp_path / "in", *(f"{n}.dcm" for n in range(7)), "once.dcm", "zzz.dcm")
    report = fastanon.anonymize(source, to=tmp_path / "out", key=KEY, workers=2)
    assert (tmp_path / "once").exists()
    assert report.exit_status == DONE
    assert report.count("anonymized") == 9
    assert sorted(tree(tmp_path / "out")) == sorted(os.listdir(source))
    assert not list((tmp_path / "out").glob("*.tmp"))


def test_a_file_that_kills_every_worker_has_failed_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "do", lethal)
    source = slices(tmp_path / "in", *(f"{n}.dcm" for n in range(4)), "poison.dcm", "zzz.dcm")
    report = fastanon.anonymize(source, to=tmp_path / "out", key=KEY, workers=2)
    assert report.exit_status == FAILED
    (failed,) = (one for one in report.files if one.status == "failed")
    assert failed.source.endswith("poison.dcm")
    assert failed.messages == ("worker died",)
    assert sorted(tree(tmp_path / "out")) == sorted(set(os.listdir(source)) - {"poison.dcm"})
    assert not list((tmp_path / "out").glob("*.tmp"))


def test_in_place_a_killed_worker_leaves_every_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "do", lethal)
    _made(tmp_path / "out")
    source = slices(tmp_path / "in", *(f"{n}.dcm" for n in range(4)), "poison.dcm")
    before = (source / "poison.dcm").read_bytes()
    report = fastanon.anonymize(source, in_place=True, key=KEY, workers=2)
    assert (report.count("anonymized"), report.count("failed")) == (4, 1)
    assert (source / "poison.dcm").read_bytes() == before
    assert len(os.listdir(source)) == 5


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a run with two workers that has written something by now."""
    source = slices(tmp_path / "in", *(f"{n:02}.dcm" for n in range(40)))
    command = [sys.executable, "-m", "fastanon", "anonymize", str(source), "-o", str(tmp_path / "out"), "-j2"]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=-1, text=True) as process:
        while not list((tmp_path / "out").glob(".fastanon-*.tmp")):
            assert process.poll() is None
            time.sleep(0.01)
        yield process
        process.kill()


def _family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_workers_and_takes_away_what_is_temporary(
    number: int, running: subprocess.Popen[str], tmp_path: Path
) -> None:
    family = _family(running)
    assert len(family) >= 2
    running.send_signal(number)
    said = running.communicate()[1]
    assert running.returncode == 128 + number
    assert "stopped" in said
    assert "Traceback" not in said
    psutil.wait_procs(family, timeout=30)
    assert not [one for one in family if one.is_running()]
    assert not list((tmp_path / "out").glob(".fastanon-*.tmp"))
    for path in (tmp_path / "out").glob("*.dcm"):
        assert pydicom.dcmread(path).PatientID != Person().patient_id


def test_workers_end_with_a_run_that_was_killed(running: subprocess.Popen[str], tmp_path: Path) -> None:
    family = _family(running)
    running.kill()
    running.communicate()
    psutil.wait_procs(family, timeout=30)
    assert not [one for one in family if one.is_running()]
    fastanon.recover(tmp_path / "out")
    assert not list((tmp_path / "out").glob(".fastanon-*.tmp"))


def test_workers_keep_to_the_limits_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(8):
        make_slice(tmp_path / "in" / f"{number}.dcm", rows=8, columns=8, number=number)
    with limited(elements=20):
        report = fastanon.anonymize(tmp_path / "in", to=tmp_path / "out", workers=2)
    assert {one.status for one in report.files} == {"refused"}
    assert all("(limit elements)" in one.messages[0] for one in report.files)
    assert fastanon.anonymize(tmp_path / "in", to=tmp_path / "out", workers=2).exit_status == DONE


@pytest.mark.parametrize("workers", [-1, 1.5, "2"])
def test_a_number_that_is_none_is_wrong_usage(workers: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="workers"):
        fastanon.anonymize(tmp_path, to=tmp_path / "out", workers=workers)


def test_no_worker_is_started_for_a_single_file(tmp_path: Path) -> None:
    source = slices(tmp_path / "in", "a.dcm")
    code = (
        "import sys, fastanon\n"
        f"fastanon.anonymize({str(source)!r}, to={str(tmp_path / 'out')!r}, workers=0)\n"
        "print('loky' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.fullmatch(r"False\n", done.stdout)


def test_no_thread_of_theirs_is_left(tmp_path: Path) -> None:
    """Exit would stop it anywhere, and what it holds of the system would be told as leaked."""
    (tmp_path / "in").mkdir()
    source = make_slice(tmp_path / "in" / "a.dcm", rows=8, columns=8).parent
    make_slice(source / "b.dcm", rows=8, columns=8, number=2)
    before = set(threading.enumerate())
    for number in range(5):
        assert fastanon.anonymize(source, to=tmp_path / str(number), workers=2).exit_status == DONE
        assert set(threading.enumerate()) <= before
