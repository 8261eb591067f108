"""Keys, vaults, exports and reports: what stands in their place or beside them."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fastanon.cli import main
from fastanon.errors import USAGE, UsageError
from fastanon.pseudonyms import Pseudonyms, new_key
from fastanon.vault import Row, Vault
from tests.security.world import PRECIOUS, anonymize, changed, picture, world

pytestmark = pytest.mark.usefixtures("in_time")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return world(tmp_path)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    new_key(tmp_path / "key")
    return tmp_path / "key"


BESIDE: dict[str, Callable[[Path, Path], object]] = {
    "a link to the victim": lambda at, victim: at.symlink_to(victim),
    "a link to nothing": lambda at, victim: at.symlink_to(victim.parent / "new"),
    "a fifo": lambda at, _: os.mkfifo(at),
    "a folder": lambda at, _: at.mkdir(),
}


#: In a process of its own: SQLite goes on waiting for a FIFO whatever signal comes.
_ADD = """
import sys
from fastanon.errors import UsageError
from fastanon.pseudonyms import Pseudonyms
from fastanon.vault import Row, Vault
try:
    with Vault(sys.argv[1], Pseudonyms(bytes(range(32)))) as vault:
        vault.add([Row("patient", "Q", "another")])
        assert [row.original for row in vault.rows()] == ["original", "another"]
except UsageError as error:
    assert sys.argv[1] in str(error)
"""


@pytest.mark.parametrize("ending", ["-journal", "-wal", "-shm"])
@pytest.mark.parametrize("kind", BESIDE)
def test_what_is_planted_beside_a_vault_harms_nothing(kind: str, ending: str, folder: Path) -> None:
    path = folder.parent / "vault"
    with Vault(path, Pseudonyms(bytes(range(32)))) as vault:
        vault.add([Row("patient", "P", "original")])
    BESIDE[kind](Path(f"{path}{ending}"), folder.parent / "victim" / "a.dcm")
    before = picture(folder.parent)
    subprocess.run([sys.executable, "-c", _ADD, str(path)], timeout=15, check=True)
    assert changed(before, folder.parent, "vault", f"vault{ending}") == []


def test_a_vault_with_code_in_it_runs_none(folder: Path) -> None:
    """A view or trigger would run with every statement of ours."""
    path = folder.parent / "vault"
    pseudonyms = Pseudonyms(bytes(range(32)))
    Vault(path, pseudonyms).close()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TRIGGER steal AFTER INSERT ON originals BEGIN DELETE FROM originals; END")
    db.close()
    with pytest.raises(UsageError, match="damaged"):
        Vault(path, pseudonyms)


@pytest.mark.parametrize("name", ["v?mode=memory", "v#x", "v%41", "file:v", "v;a", "v\nb"])
def test_a_vault_may_have_any_name(name: str, folder: Path) -> None:
    path = folder.parent / "vaults" / name
    path.parent.mkdir()
    with Vault(path, Pseudonyms(bytes(32))) as vault:
        vault.add([Row("patient", "P", "original")])
    assert os.listdir(path.parent) == [name]
    assert path.stat().st_size > 0


def test_an_export_holds_what_was_planted_as_one_field(folder: Path, key: Path) -> None:
    nasty = ['=cmd|"/c calc"!A0', "a,b\r\nc", "\x1b[2J", "\u202ex", '"', "\x00"]
    vault, out = folder.parent / "vault", folder.parent / "list.csv"
    with Vault(vault, Pseudonyms(bytes.fromhex(key.read_text()))) as opened:
        opened.add(Row("patient", f"P{n}", text) for n, text in enumerate(nasty))
    assert main(["vault", "export", "--csv", str(out), "--vault", str(vault), "--key", str(key)]) == 0
    with open(out, newline="", encoding="utf-8") as file:
        assert [row[0] for row in csv.reader(file)][1:] == nasty


@pytest.mark.parametrize("to", ["a link to the victim", "a link to nothing", "a fifo", "a folder"])
def test_an_export_follows_no_link_and_waits_for_nobody(to: str, folder: Path, key: Path) -> None:
    Vault(folder.parent / "vault", Pseudonyms(bytes.fromhex(key.read_text()))).close()
    BESIDE[to](folder / "list.csv", folder.parent / "victim" / "a.dcm")
    before = picture(folder.parent)
    arguments = ["--vault", str(folder.parent / "vault"), "--key", str(key)]
    assert main(["vault", "export", "--csv", str(folder / "list.csv"), *arguments]) == USAGE
    assert changed(before, folder.parent) == []


# reports

REPORTS = {**BESIDE, "a file that is read": lambda at, _: at.symlink_to("a.dcm")}


@pytest.mark.parametrize("command", ["anonymize", "audit"])
@pytest.mark.parametrize("kind", REPORTS)
def test_a_report_follows_no_link_and_waits_for_nobody(kind: str, command: str, folder: Path) -> None:
    at = folder / "report.json"
    REPORTS[kind](at, folder.parent / "victim" / "a.dcm")
    anonymize(folder / "a.dcm", folder.parent / "copies")
    before = picture(folder.parent)
    arguments = {
        "anonymize": ["anonymize", str(folder / "a.dcm"), "-o", str(folder.parent / "out")],
        "audit": ["audit", str(folder.parent / "copies"), "--against", str(folder / "a.dcm")],
    }
    assert main([*arguments[command], "--report", str(at)]) in (1, 2)
    assert changed(before, folder.parent, "out") == []
    assert (folder.parent / "victim" / "a.dcm").read_bytes() == PRECIOUS


def test_a_report_is_not_written_over_a_file_that_was_read(folder: Path) -> None:
    before = (folder / "a.dcm").read_bytes()
    path = str(folder / "a.dcm")
    assert main(["anonymize", path, "-o", str(folder.parent / "out"), "--report", path]) in (1, 2)
    assert (folder / "a.dcm").read_bytes() == before


def test_a_report_of_nasty_names_is_ascii_without_control_characters(folder: Path) -> None:
    (folder / "a.dcm").rename(folder / "x\x1b[2J\r\n\u202e\x9b.dcm")
    report = anonymize(folder, folder.parent / "out")
    text = report.to_json()
    assert text.isascii()
    assert all(line.isprintable() for line in text.split("\n"))
    assert json.loads(text)["files"][0]["source"].endswith("x\x1b[2J\r\n\u202e\x9b.dcm")
