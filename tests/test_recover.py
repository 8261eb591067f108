"""What a run in place left when it was cut off: found, finished, told; and what is being written by another."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import fastanon
from fastanon import apply
from fastanon.errors import AccessError
from fastanon.journal import NAME, Journal, pack
from fastanon.opened import Opened
from fastanon.system import SYSTEM
from tests.siemens_files import Study, digest, write

STUDY = Study("VAN DER BERG^ANNA")
KEY = bytes(range(32))
FILES = ("a.dcm", "b.dcm", "c.dcm")


class _PowerCutError(BaseException):
    pass


def cut_off(monkeypatch: pytest.MonkeyPatch, call: str, number: int) -> None:
    """Let the power go at the n-th of a call that writing makes."""
    made, original = [0], getattr(SYSTEM, call)

    def counted(*args: Any, **more: Any) -> Any:
        made[0] += 1
        if made[0] == number:
            raise _PowerCutError
        return original(*args, **more)

    monkeypatch.setattr(SYSTEM, call, counted)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    for number, name in enumerate(FILES):
        write(tmp_path / "study" / name, STUDY, uid=f"1.2.3.{number}")
    return tmp_path / "study"


@pytest.fixture
def after(tmp_path: Path) -> dict[str, str]:
    """Give the digests of a run that nobody disturbs."""
    for name in FILES:
        write(tmp_path / "model" / name, STUDY, uid=f"1.2.3.{FILES.index(name)}")
    fastanon.anonymize(tmp_path / "model", in_place=True, key=KEY)
    return {name: digest(tmp_path / "model" / name) for name in FILES}


@pytest.fixture
def unfinished(study: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Cut a run off behind the first of its files, in the middle of its writes."""
    with monkeypatch.context() as patch:
        cut_off(patch, "pwrite", 3)  # the first is the journal's
        with pytest.raises(_PowerCutError):
            fastanon.anonymize(study, in_place=True, key=KEY)
    assert (study / NAME).exists()
    return study


def digests(folder: Path) -> dict[str, str]:
    return {name: digest(folder / name) for name in sorted(os.listdir(folder))}


def test_it_is_finished(unfinished: Path, after: dict[str, str]) -> None:
    assert digests(unfinished) != after
    assert fastanon.recover(unfinished.parent) == [fastanon.Recovered(str(unfinished), 3, False)]
    assert digests(unfinished) == after
    assert fastanon.recover(unfinished.parent) == []


def test_a_file_leads_to_its_folder(unfinished: Path, after: dict[str, str]) -> None:
    assert [one.files for one in fastanon.recover(unfinished / "c.dcm")] == [3]
    assert digests(unfinished) == after


def test_recovery_can_be_cut_off_too(unfinished: Path, after: dict[str, str], monkeypatch: Any) -> None:
    for number in range(1, 4):
        with monkeypatch.context() as patch:
            cut_off(patch, "pwrite", number)
            with pytest.raises(_PowerCutError):
                fastanon.recover(unfinished)
    fastanon.recover(unfinished)
    assert digests(unfinished) == after


def test_the_next_run_finishes_it_first_and_says_so(unfinished: Path, after: dict[str, str]) -> None:
    report = fastanon.anonymize(unfinished, in_place=True, key=KEY)
    assert digests(unfinished) == after
    assert report.recovered == report.as_dict()["recovered"] == 3
    assert {f.status for f in report.files} == {"unchanged"}
    assert "3 finished that a run before had begun, not audited" in report.summary()


def test_what_only_reads_refuses_the_folder_and_leaves_it(unfinished: Path) -> None:
    before = digests(unfinished)
    for found in fastanon.inspect(unfinished):
        assert "fastanon recover" in str(found.error)
    for planned in fastanon.plan(unfinished):
        assert "fastanon recover" in str(planned)
    assert fastanon.audit(unfinished, against=unfinished).exit_status == 4
    assert digests(unfinished) == before


@pytest.mark.parametrize("sync", [1, 2])
def test_a_journal_that_was_not_finished_is_removed(sync: int, study: Path, monkeypatch: Any) -> None:
    before = digests(study)
    with monkeypatch.context() as patch:
        patch.setattr(SYSTEM, "unlink", lambda *_, **__: None)
        cut_off(patch, "fsync", sync)
        with pytest.raises(_PowerCutError):
            fastanon.anonymize(study, in_place=True, key=KEY)
    with (study / NAME).open("r+b") as file:
        file.truncate(100)
    assert fastanon.recover(study) == [fastanon.Recovered(str(study), 0, True)]
    assert digests(study) == before


def test_a_file_that_is_gone_stops_everything(unfinished: Path, tmp_path: Path) -> None:
    (unfinished / "b.dcm").rename(tmp_path / "b.dcm")
    before = digests(unfinished)
    (found,) = fastanon.recover(unfinished)
    assert "not there" in str(found.error)
    assert digests(unfinished) == before
    (tmp_path / "b.dcm").rename(unfinished / "b.dcm")
    assert fastanon.recover(unfinished) == [fastanon.Recovered(str(unfinished), 3, False)]


def test_names_are_given_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "study" / "VAN DER BERG_ANNA"
    write(folder / "berg.dcm", STUDY)
    cut_off(monkeypatch, "rename_new", 1)
    with pytest.raises(_PowerCutError):
        fastanon.anonymize(tmp_path / "study", in_place=True, key=KEY)
    monkeypatch.undo()
    assert [one.files for one in fastanon.recover(tmp_path / "study")] == [1]
    assert not folder.exists()
    (path,) = (p for p in (tmp_path / "study").rglob("*") if p.is_file())
    assert "BERG" not in str(path.relative_to(tmp_path)).upper()
    assert fastanon.anonymize(tmp_path / "study", in_place=True, key=KEY).files[0].status == "unchanged"


def test_another_process_is_named(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "_PATIENCE", 0.1)
    before = digests(study)
    with (study / NAME).open("wb") as held:
        held.write(pack(Journal(4711, "scanner", 0, ())))
        held.flush()
        os.chmod(held.fileno(), 0o600)
        fcntl.flock(held, fcntl.LOCK_EX)
        report = fastanon.anonymize(study, in_place=True)
        assert {(f.status, f.messages) for f in report.files} == {
            ("failed", ("is being changed by process 4711 on scanner",))
        }
        (found,) = fastanon.recover(study)
        assert "process 4711 on scanner" in str(found.error)
        (study / NAME).unlink()
    assert digests(study) == before


def test_one_file_that_may_not_be_changed_keeps_no_other_from_it(study: Path, after: dict[str, str]) -> None:
    os.chmod(study / "b.dcm", 0o444)
    report = fastanon.anonymize(study, in_place=True, key=KEY)
    assert [f.status for f in report.files] == ["anonymized", "refused", "anonymized"]
    assert [digest(study / name) == after[name] for name in FILES] == [True, False, True]


def test_many_files_share_one_journal(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(SYSTEM, "syncfs", lambda fd, sync=SYSTEM.syncfs: (made.append("syncfs"), sync(fd)))
    monkeypatch.setattr(SYSTEM, "fsync", lambda fd, sync=SYSTEM.fsync: (made.append("fsync"), sync(fd)))
    fastanon.anonymize(study, in_place=True, key=KEY)
    assert made == ["fsync", "fsync", "syncfs", "fsync"]


def test_the_command_says_what_it_did(unfinished: Path) -> None:
    run = [sys.executable, "-m", "fastanon", "recover", str(unfinished.parent)]
    first, second = (subprocess.run(run, capture_output=True, text=True, check=False) for _ in range(2))
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.endswith(": 3 files finished; not audited: fastanon audit says what is left\n")
    assert (second.returncode, second.stdout.split(": ")[1]) == (0, "nothing was left unfinished\n")


def test_no_file_is_opened_through_a_link_that_is_put_there(study: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    study.rename(other)
    study.symlink_to(other)
    with pytest.raises(fastanon.FileError, match="symbolic link"), Opened(study / "a.dcm"):
        pass
    with pytest.raises(AccessError, match="No such file"), Opened(tmp_path / "none" / "a.dcm"):
        pass
