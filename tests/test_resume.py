"""A run that was stopped goes on where it was, if its key is kept, and comes to what it would have come to."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import fastanon
from fastanon import crews, tasks
from fastanon.beside import is_record
from fastanon.errors import DONE, FAILED, LEFT, REFUSED
from fastanon.finishing import DONE_BEFORE
from fastanon.pseudonyms import new_key
from fastanon.tasks import Bench
from tests import study200
from tests.canary import CANARIES, assert_clean
from tests.siemens_files import Study, write
from tests.test_workers import KEY, ROOT, mixed, slices, told, tree

FIRST, LAST, NUMBER, _ = CANARIES


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tasks be small, so that a run can be stopped between them."""
    monkeypatch.setattr(tasks, "MOST_FILES", 3)


class StoppedError(Exception):
    """What ends a run between two tasks."""


def stopped(source: Path, to: Path, monkeypatch: pytest.MonkeyPatch, after: int, **how: Any) -> int:
    """Stop a run after so many tasks; give how many files it has done."""
    over, count = Bench.over, 0

    def some(self: Bench, *arguments: Any) -> list[tasks.Outcome]:
        nonlocal count
        count += 1
        if count > after:
            raise StoppedError
        return over(self, *arguments)

    monkeypatch.setattr(crews.Bench, "over", some)
    with pytest.raises(StoppedError):
        fastanon.anonymize(source, to=to, key=KEY, **how)
    monkeypatch.undo()
    monkeypatch.setattr(tasks, "MOST_FILES", 3)
    return len(tree(to))


def records(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if is_record(path.name)]


@pytest.mark.parametrize("after", [1, 4, 7])
@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_done_is_not_done_again_and_the_rest_is(
    after: int, workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = mixed(tmp_path / "in"), tmp_path / "out"
    whole = fastanon.anonymize(source, to=tmp_path / "whole", key=KEY)
    assert stopped(source, out, monkeypatch, after) > 0
    times = {path: (out / path).stat().st_mtime_ns for path in tree(out)}
    report = fastanon.anonymize(source, to=out, key=KEY, workers=workers)
    assert tree(out) == tree(tmp_path / "whole")
    assert all((out / path).stat().st_mtime_ns == before for path, before in times.items())
    again = [one for one in report.files if one.messages == (DONE_BEFORE,)]
    assert {one.status for one in again} == {"unchanged"}
    assert sum(1 + ("pair" in one.source or ".hdr" in one.source) for one in again) == len(times)
    assert (report.exit_status, report.leaks) == (whole.exit_status, whole.leaks)
    outputs = [one["output"].replace(str(out), "") for one in report.as_dict()["files"]]
    assert outputs == [one["output"].replace(str(tmp_path / "whole"), "") for one in whole.as_dict()["files"]]
    assert "done by a run before" in report.summary()


def test_a_third_run_does_nothing(tmp_path: Path) -> None:
    study = study200.make(tmp_path / "in")
    fastanon.anonymize(study.folder, to=tmp_path / "out", key=KEY)
    before = tree(tmp_path / "out")
    report = fastanon.anonymize(study.folder, to=tmp_path / "out", key=KEY)
    assert {one.messages for one in report.files} == {(DONE_BEFORE,)}
    assert report.exit_status == DONE
    assert tree(tmp_path / "out") == before
    assert len(records(tmp_path / "out")) == 1


def test_a_run_that_is_killed_goes_on(tmp_path: Path) -> None:
    source, key, out = (
        slices(tmp_path / "in", *(f"{n:02}.dcm" for n in range(40))),
        tmp_path / "k",
        tmp_path / "out",
    )
    new_key(key)
    command = [sys.executable, "-m", "fastanon", "anonymize", source, "-o", out, "--key", key, "-j2"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=env) as process:
        while len(list(out.glob("*.dcm"))) < 20:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    fastanon.recover(out)
    report = fastanon.anonymize(source, to=out, key=key)
    assert report.exit_status == DONE
    assert sum(DONE_BEFORE in one.messages for one in report.files) >= 20
    assert fastanon.anonymize(source, to=tmp_path / "whole", key=key).exit_status == DONE
    assert tree(out) == tree(tmp_path / "whole")


def test_names_of_files_that_were_done_before_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a name of the first patient would stay in the path of a file of the second."""
    source = tmp_path / "in"
    for n in range(3):
        write(source / "a" / f"{n}.dcm", Study(f"{LAST}^{FIRST}"), uid=f"1.2.{n}")
    write(source / "b" / f"beside {LAST}.dcm", Study("ROTHENBERG^GRETA"), uid="1.2.9")
    assert stopped(source, tmp_path / "out", monkeypatch, 1) == 3
    report = fastanon.anonymize(source, to=tmp_path / "out", key=KEY)
    assert report.exit_status == DONE
    assert_clean("\n".join(tree(tmp_path / "out")), report.to_json())


def test_what_is_left_is_still_said(tmp_path: Path) -> None:
    """A copy whose payload holds a name is no clean copy because a run before made it."""
    source = tmp_path / "in"
    write(source / "a.dcm", Study(f"{LAST}^{FIRST}"))
    (source / "a.bf").write_bytes(b"q" + f"{LAST}^{FIRST}".encode() * 3 + b"q")
    before, after = (fastanon.anonymize(source, to=tmp_path / "out", key=KEY, payload="report") for _ in range(2))
    if before.leaks:
        assert (before.exit_status, after.exit_status) == (LEFT, LEFT)
    assert after.leaks == before.leaks
    assert after.files[0].messages == (DONE_BEFORE,)


def touched(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("change", [touched, shortened])
@pytest.mark.parametrize("which", ["in", "out"])
def test_what_has_changed_since_is_refused(which: str, change: Any, tmp_path: Path) -> None:
    source = slices(tmp_path / "in", "a.dcm", "b.dcm")
    fastanon.anonymize(source, to=tmp_path / "out", key=KEY)
    change(tmp_path / which / "a.dcm")
    before = tree(tmp_path / "out")
    report = fastanon.anonymize(source, to=tmp_path / "out", key=KEY)
    assert [one.status for one in report.files] in (["refused", "unchanged"], ["failed", "unchanged"])
    assert tree(tmp_path / "out") == before


@pytest.mark.parametrize("how", [{"profile": "basic"}, {"patient": "P1"}, {"key": bytes(32)}, {"audit": "none"}])
def test_another_way_of_treating_files_is_no_run_that_goes_on(how: dict[str, Any], tmp_path: Path) -> None:
    source = slices(tmp_path / "in", "a.dcm")
    fastanon.anonymize(source, to=tmp_path / "out", key=KEY)
    report = fastanon.anonymize(source, to=tmp_path / "out", **{"key": KEY, **how})
    assert report.exit_status == REFUSED
    assert "exists already" in report.files[0].messages[0]


def test_without_a_key_what_exists_is_refused_and_the_key_named(tmp_path: Path) -> None:
    source = slices(tmp_path / "in", "a.dcm")
    fastanon.anonymize(source, to=tmp_path / "out")
    assert not records(tmp_path / "out")
    report = fastanon.anonymize(source, to=tmp_path / "out")
    assert report.exit_status == REFUSED
    assert "--key" in report.files[0].messages[0]


def test_a_copy_that_is_gone_is_made_again(tmp_path: Path) -> None:
    source = slices(tmp_path / "in", "a.dcm", "b.dcm")
    fastanon.anonymize(source, to=tmp_path / "out", key=KEY)
    before = tree(tmp_path / "out")
    (tmp_path / "out" / "a.dcm").unlink()
    report = fastanon.anonymize(source, to=tmp_path / "out", key=KEY)
    assert [one.status for one in report.files] == ["anonymized", "unchanged"]
    assert tree(tmp_path / "out") == before


def test_the_record_holds_no_value_and_is_no_data(tmp_path: Path) -> None:
    source = mixed(tmp_path / "in")
    fastanon.anonymize(source, to=tmp_path / "out", key=KEY)
    (record,) = records(tmp_path / "out")
    assert record.stat().st_mode & 0o077 == 0
    data = record.read_bytes()
    assert len(data) % 64 == 0
    assert_clean(data.decode("latin-1"))
    assert all(name.encode() not in data for name in os.listdir(tmp_path / "out") if len(name) > 3)
    listed = {one.path for one in fastanon.inspect(tmp_path / "out")}
    assert str(record) not in listed
    audit = fastanon.audit(tmp_path / "out", against=source)
    assert not any(".done" in one.source for one in audit.files)
    again = fastanon.anonymize(tmp_path / "out", to=tmp_path / "twice", key=KEY)
    assert not any(".done" in one.source for one in again.files)


def test_a_torn_or_forged_record_tells_of_nothing(tmp_path: Path) -> None:
    source = slices(tmp_path / "in", "a.dcm", "b.dcm")
    fastanon.anonymize(source, to=tmp_path / "out", key=KEY)
    (record,) = records(tmp_path / "out")
    data = record.read_bytes()
    record.write_bytes(data[:100])
    statuses = [one.status for one in fastanon.anonymize(source, to=tmp_path / "out", key=KEY).files]
    assert statuses == ["unchanged", "refused"]
    record.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    statuses = [one.status for one in fastanon.anonymize(source, to=tmp_path / "out", key=KEY).files]
    assert statuses == ["refused", "unchanged"]
    record.unlink()
    record.symlink_to("/dev/zero")
    assert fastanon.anonymize(source, to=tmp_path / "out", key=KEY).count("refused") == 2


def test_shards_go_on_too(tmp_path: Path) -> None:
    source = mixed(tmp_path / "in")
    for _ in range(2):
        reports = [fastanon.anonymize(source, to=tmp_path / "out", key=KEY, shard=f"{n}/3") for n in (1, 2, 3)]
    files = [one for report in reports for one in report.files if one.status not in ("refused", "failed")]
    assert files
    assert {one.messages for one in files} == {(DONE_BEFORE,)}


def test_a_file_that_vanishes_has_failed_and_a_second_run_finishes_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = slices(tmp_path / "in", *(f"{n}.dcm" for n in range(7)))
    shutil.copyfile(source / "5.dcm", tmp_path / "aside")
    over = Bench.over

    def vanishing(self: Bench, *arguments: Any) -> list[tasks.Outcome]:
        (source / "5.dcm").unlink(missing_ok=True)
        slices_later = source / "7.dcm"  # and the folder grows
        shutil.copyfile(tmp_path / "aside", slices_later)
        return over(self, *arguments)

    monkeypatch.setattr(crews.Bench, "over", vanishing)
    first = fastanon.anonymize(source, to=tmp_path / "out", key=KEY)
    monkeypatch.undo()
    assert first.exit_status == FAILED
    (failed,) = (one for one in first.files if one.status == "failed")
    assert failed.source.endswith("5.dcm")
    assert "No such file" in failed.messages[0]
    shutil.copyfile(tmp_path / "aside", source / "5.dcm")
    second = fastanon.anonymize(source, to=tmp_path / "out", key=KEY)
    assert second.exit_status == DONE
    assert (second.count("unchanged"), second.count("anonymized")) == (6, 2)


def test_reports_of_both_runs_are_json_of_one_form(tmp_path: Path) -> None:
    source = slices(tmp_path / "in", "a.dcm")
    one, two = (told(fastanon.anonymize(source, to=tmp_path / "out", key=KEY), tmp_path) for _ in range(2))
    assert one["files"][0].keys() == two["files"][0].keys()
    assert one["files"][0]["audit"].keys() == two["files"][0]["audit"].keys()
    assert two["files"][0]["audit"]["how"] == "before"
    json.dumps(two)
