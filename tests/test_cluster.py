"""A dask cluster does the work: the same files, whoever dies, and the key is nowhere to be read."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster

import fastanon
from fastanon import cluster as clusters
from fastanon import tasks
from fastanon.cli import main
from fastanon.errors import DONE, FAILED, USAGE, UsageError
from fastanon.pseudonyms import Pseudonyms, new_key, read_key
from fastanon.report import FileResult
from fastanon.synthetic import Person
from fastanon.vault import Vault
from tests.canary import assert_clean
from tests.test_workers import KEY, lethal, mixed, slices, told, tree

pytestmark = pytest.mark.filterwarnings("default")  # dask's own


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "MOST_FILES", 3)


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    """Start two worker processes."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=logging.ERROR
    ) as found:
        yield found


def test_a_cluster_makes_the_very_same(cluster: LocalCluster, tmp_path: Path) -> None:
    source = mixed(tmp_path / "in")
    here = fastanon.anonymize(source, to=tmp_path / "here", key=KEY)
    there = fastanon.anonymize(source, to=tmp_path / "there", key=KEY, cluster=cluster.scheduler_address)
    assert tree(tmp_path / "there") == tree(tmp_path / "here")
    assert told(there, tmp_path / "there") == told(here, tmp_path / "here")


def test_a_worker_that_is_killed_costs_no_file(cluster: LocalCluster, tmp_path: Path) -> None:
    from fastanon import batch
    from fastanon.schemes import make_scheme
    from fastanon.work import Options

    source = slices(tmp_path / "in", *(f"{n:02}.dcm" for n in range(24)))
    workers = list(cluster.workers.values())
    victim = workers[0].process.pid
    seen: list[FileResult] = []

    def tell(result: FileResult) -> None:
        if not seen:
            os.kill(victim, signal.SIGKILL)
        seen.append(result)

    options = Options(make_scheme(key=KEY), str(tmp_path / "out"), cluster=cluster.scheduler_address)
    report = batch.run(source, options, tell)
    assert report.exit_status == DONE
    assert report.count("anonymized") == 24
    assert len({one.source for one in seen}) == len(seen) == 24
    assert fastanon.anonymize(source, to=tmp_path / "whole", key=KEY).exit_status == DONE
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    assert not list((tmp_path / "out").glob("*.tmp"))


def test_a_file_that_kills_every_worker_has_failed_alone(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "do", lethal)
    source = slices(tmp_path / "in", "a.dcm", "poison.dcm", "z.dcm")
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        client.run_on_scheduler(_give_up_at_once)
    report = fastanon.anonymize(source, to=tmp_path / "out", key=KEY, cluster=cluster.scheduler_address)
    assert report.exit_status == FAILED
    assert [one.status for one in report.files] == ["anonymized", "failed", "anonymized"]
    assert report.files[1].messages == ("worker died",)
    assert not list((tmp_path / "out").glob("*.tmp"))


def _give_up_at_once(dask_scheduler: Any) -> None:
    dask_scheduler.allowed_failures = 0


def test_the_vault_is_kept_here_and_the_key_is_in_no_log(
    cluster: LocalCluster, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source, key = mixed(tmp_path / "in"), tmp_path / "k"
    new_key(key)
    for name, more in (("here", []), ("there", ["--cluster", cluster.scheduler_address])):
        given = [
            str(source),
            "-o",
            str(tmp_path / name),
            "--key",
            str(key),
            "--vault",
            str(tmp_path / f"{name}.vault"),
        ]
        main(["anonymize", *given, *more])
    found = []
    for name in ("here", "there"):
        with Vault.existing(tmp_path / f"{name}.vault", Pseudonyms(read_key(key))) as vault:
            found.append([row for row in vault.rows() if row.kind != "path"])
    assert found[0] == found[1]
    assert found[0]
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        logs = f"{client.get_worker_logs()} {client.get_scheduler_logs()} {client.story()}"
        names = client.run_on_scheduler(_names_of_tasks)
    said = capfd.readouterr()
    for text in (logs, names, said.out, said.err):
        assert key.read_text().strip() not in text
        assert_clean(text)
        assert Person().family not in text


def _names_of_tasks(dask_scheduler: Any) -> str:
    return (
        f"{list(dask_scheduler.tasks)} {list(dask_scheduler.task_prefixes)} {list(dask_scheduler.transition_log)}"
    )


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"key": None}, "key"),
        ({"to": None, "in_place": True}, "copies"),
        ({"workers": 2}, "either"),
    ],
)
def test_what_a_cluster_can_not_do_is_wrong_usage(how: dict[str, Any], word: str, tmp_path: Path) -> None:
    source = slices(tmp_path / "in", "a.dcm")
    before = tree(source)
    asked = {"to": tmp_path / "out", "key": KEY, "cluster": "tcp://127.0.0.1:1", **how}
    with pytest.raises(UsageError, match=word):
        fastanon.anonymize(source, **asked)
    assert tree(source) == before


def test_where_no_scheduler_answers_nothing_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(clusters, "_PATIENCE", 1)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    source, key = slices(tmp_path / "in", "a.dcm"), tmp_path / "k"
    new_key(key)
    given = ["anonymize", str(source), "-o", str(tmp_path / "out"), "--key", str(key)]
    assert main([*given, "--cluster", f"tcp://127.0.0.1:{port}"]) == USAGE
    assert "scheduler" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
