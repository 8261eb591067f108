"""Shards: parts of a source that several machines do with one key, and what becomes of their reports."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import fastanon
from fastanon.cli import main
from fastanon.errors import DONE, FAILED, LEFT, REFUSED, USAGE, UsageError
from fastanon.files import sources
from fastanon.pseudonyms import Pseudonyms, new_key, read_key
from fastanon.shards import Shard
from fastanon.synthetic import Person, make_slice
from fastanon.vault import Vault
from tests import study200
from tests.canary import CANARIES, assert_clean
from tests.siemens_files import Study, write
from tests.test_workers import tree

KEY = bytes(range(32))
FIRST, LAST, NUMBER, _ = CANARIES


def archive(folder: Path, patients: int = 6) -> Path:
    """Make a folder for each patient, with a file that names nobody in each."""
    for n in range(patients):
        own = folder / f"patient {n}" / f"{LAST}{n}" / "series"
        for at in range(2):
            write(own / f"{at}.dcm", Study(f"{LAST}{n}^{FIRST}", number=f"{NUMBER}{n}"), uid=f"1.2.{n}.{at}")
        (own.parent / "norm.n.hdr").write_text(
            "!INTERFILE :=\n%study date (yyyy:mm:dd) := 2024:05:01\n%data file name := norm.n\n"
        )
        (own.parent / "norm.n").write_bytes(b"norm" * 9)
    (folder / "notes.txt").write_text("no medical file")
    return folder


def names(listed: Iterable[Any]) -> set[str]:
    return {item.name for item in listed}


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_each_file_is_in_one_shard_with_its_neighbours(count: int, tmp_path: Path) -> None:
    listed = sources(archive(tmp_path / "in"))
    parts = [Shard(n, count).part(listed) for n in range(1, count + 1)]
    assert sorted(item.name for part in parts for item in part) == sorted(names(listed))
    for one, other in itertools.combinations(parts, 2):
        assert not {item.name.split("/")[0] for item in one} & {item.name.split("/")[0] for item in other}


def test_neither_order_nor_what_comes_later_changes_a_shard(tmp_path: Path) -> None:
    folder = archive(tmp_path / "in")
    before = [names(Shard(n, 3).part(sources(folder)[::-1])) for n in (1, 2, 3)]
    archive(folder, 12)
    after = [names(Shard(n, 3).part(sources(folder))) for n in (1, 2, 3)]
    assert all(old <= new for old, new in zip(before, after, strict=True))
    assert sum(map(len, after)) > sum(map(len, before))


def test_several_folders_are_shared_out_whole_wherever_they_lie(tmp_path: Path) -> None:
    archive(tmp_path / "one" / "in")
    (tmp_path / "two").mkdir()
    os.rename(archive(tmp_path / "x"), tmp_path / "two" / "in")
    found = []
    for place in ("one", "two"):
        listed = sources([path for path in sorted((tmp_path / place / "in").iterdir()) if path.is_dir()])
        found.append([names(Shard(n, 2).part(listed)) for n in (1, 2)])
    assert found[0] == found[1]
    assert all(found[0])


def test_a_folder_with_a_directory_is_not_parted(tmp_path: Path) -> None:
    study = study200.make(tmp_path / "in")
    listed = sources(study.folder)
    assert sorted(len(Shard(n, 3).part(listed)) for n in (1, 2, 3)) == [0, 0, len(listed)]


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/2/3", "a/b", "-1/2", "1/0", "1.0/2"])
def test_what_is_no_shard_is_wrong_usage(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="shard"):
        fastanon.anonymize(tmp_path, to=tmp_path / "out", key=KEY, shard=text)


def test_shards_without_a_key_are_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = archive(tmp_path / "in", 1)
    assert main(["anonymize", str(source), "-o", str(tmp_path / "out"), "--shard", "1/2"]) == USAGE
    assert "key" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def shard(folder: Path, key: Path, number: int, *more: str) -> int:
    """Run one of three, with vault and report."""
    ours = [
        "--shard",
        f"{number}/3",
        "--vault",
        str(folder / f"v{number}"),
        "--report",
        str(folder / f"r{number}"),
    ]
    return main(["anonymize", str(folder / "in"), "-o", str(folder / "out"), "--key", str(key), *ours, *more])


def test_three_shards_are_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, key = archive(tmp_path / "in"), tmp_path / "k"
    new_key(key)
    assert {shard(tmp_path, key, n) for n in (1, 2, 3)} <= {DONE, REFUSED}
    whole = fastanon.anonymize(source, to=tmp_path / "whole", key=key, vault=tmp_path / "v")
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    reports = [str(tmp_path / f"r{n}") for n in (1, 2, 3)]
    assert main(["report", "merge", str(tmp_path / "r"), *reports]) == REFUSED  # notes.txt
    merged = json.loads((tmp_path / "r").read_text())
    assert merged["totals"] == whole.as_dict()["totals"]
    assert {entry["id"] for entry in merged["files"]} == {one.id for one in whole.files}
    assert len({entry["source"] for entry in merged["files"]}) == len(whole.files)
    assert merged["shards"] == ["1/3", "2/3", "3/3"]
    vaults = [str(tmp_path / f"v{n}") for n in (1, 2, 3)]
    assert main(["vault", "merge", str(tmp_path / "all"), *vaults, "--key", str(key)]) == DONE
    found = []
    for path in (tmp_path / "all", tmp_path / "v"):
        with Vault.existing(path, Pseudonyms(read_key(key))) as vault:
            found.append([row for row in vault.rows() if row.kind != "path"])
    assert found[0] == found[1]
    said = capsys.readouterr()
    assert_clean((tmp_path / "r").read_text(), said.out, said.err)


def merged(folder: Path, *inputs: Path) -> int:
    return main(["report", "merge", str(folder / "merged.json"), *map(str, inputs)])


def edited(path: Path, name: str, **changes: Any) -> Path:
    """Write a report with other words in it."""
    new = path.with_name(name)
    new.write_text(json.dumps(json.loads(path.read_text()) | changes, indent=1))
    return new


@pytest.fixture
def reports(tmp_path: Path) -> list[Path]:
    """Run two of three shards."""
    archive(tmp_path / "in", 12)
    key = tmp_path / "k"
    new_key(key)
    for n in (1, 2):
        shard(tmp_path, key, n)
    return [tmp_path / "r1", tmp_path / "r2"]


def test_what_does_not_belong_together_is_not_merged(
    reports: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = reports
    wrong = {
        "profile": edited(two, "a", profile="basic"),
        "key": edited(two, "b", key="00000000"),
        "fastanon": edited(two, "c", fastanon="9"),
        "schema": edited(two, "d", schema=2),
        "contradicts": edited(two, "e", files=[1]),
        "tells of too": edited(one, "f"),
    }
    for word, path in wrong.items():
        assert merged(tmp_path, one, path) == USAGE, word
        assert word in capsys.readouterr().err
    assert merged(tmp_path, edited(one, "g", key=""), edited(two, "h", key="")) == USAGE
    assert merged(tmp_path, one, one) == USAGE
    assert merged(tmp_path, one, tmp_path / "none") == USAGE
    assert not (tmp_path / "merged.json").exists()


def test_a_shard_that_is_missing_is_named(
    reports: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in reports:
        assert "refused" not in json.loads(path.read_text())["totals"] or merged(tmp_path, path) == REFUSED
    status = merged(tmp_path, *reports)
    assert "3/3" in capsys.readouterr().err
    assert status in (FAILED, REFUSED)


@pytest.mark.parametrize(
    ("status", "leaks", "wanted"),
    [("failed", 1, FAILED), ("anonymized", 1, LEFT), ("refused", 0, REFUSED), ("anonymized", 0, DONE)],
)
def test_the_exit_status_is_that_of_all_files(
    status: str, leaks: int, wanted: int, reports: list[Path], tmp_path: Path
) -> None:
    clean = []
    for path in reports:
        files = [one for one in json.loads(path.read_text())["files"] if one["status"] == "anonymized"]
        clean.append(edited(path, f"{path.name}-clean", files=files, shard=f"{path.name[1]}/2"))
    files = json.loads(clean[1].read_text())["files"]
    files[0] |= {"status": status, "audit": files[0]["audit"] | {"leaks": [{"offset": 1}] * leaks}}
    assert merged(tmp_path, clean[0], edited(clean[1], "last", files=files)) == wanted


def test_masked_words_of_two_reports_stay_apart(tmp_path: Path) -> None:
    for n in (1, 2):
        make_slice((tmp_path / f"{LAST}{n}").mkdir() or tmp_path / f"{LAST}{n}" / "a.dcm", Person(f"{LAST}{n}^X"))
        report = fastanon.anonymize(tmp_path / f"{LAST}{n}", to=tmp_path / "out" / str(n), key=KEY)
        assert "<name1>" in report.files[0].source
        (tmp_path / f"r{n}").write_text(report.to_json())
    assert merged(tmp_path, tmp_path / "r1", tmp_path / "r2") == DONE
    found = [one["source"] for one in json.loads((tmp_path / "merged.json").read_text())["files"]]
    assert ["<name1>" in found[0], "<name2>" in found[1]] == [True, True]
