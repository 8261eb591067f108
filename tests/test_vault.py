"""The vault: what goes in comes out for the key's holder, and for nobody else."""

from __future__ import annotations

import argparse
import csv
import io
import os
import random
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

import fastanon
from fastanon import vault as module
from fastanon.cli import vault as command
from fastanon.errors import DONE, FAILED, AccessError, UsageError
from fastanon.mapping import read_mapping
from fastanon.pseudonyms import Pseudonyms, new_key, normalised, read_key
from fastanon.vault import Row, Vault, VaultError, refuse_inside
from tests.canary import CANARIES, assert_clean, leaks_in

FIRST, LAST, NUMBER, BIRTH = CANARIES
KEY = Pseudonyms(bytes(range(32)))
OTHER_KEY = Pseudonyms(bytes(32))
ROWS = [
    Row("id", "P-17", "issuer of 4711"),
    Row("name", "ANON^ONE", f"{LAST}^{FIRST}"),
    Row("path", "out/P-17/1.dcm", f"in/{LAST}_{NUMBER}/\udcff1.dcm"),
    Row("patient", "P-17", NUMBER),
    Row("uid", "2.25.31", f"1.2.3.{BIRTH}"),
]
ROOT = Path(fastanon.__file__).parent.parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a vault."""
    with Vault(tmp_path / "v.db", KEY) as vault:
        vault.add(ROWS)
    return tmp_path / "v.db"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAIT", 0.01)


def rows_of(path: Path) -> list[Row]:
    with Vault.existing(path, KEY) as vault:
        return list(vault.rows())


def many(count: int) -> Iterator[Row]:
    """Give more rows than SQLite holds in memory, if there are 20 000."""
    return (Row("uid", f"2.25.{n:09}", f"{LAST}.{FIRST}.{NUMBER}.{n}") for n in range(count))


def sealed(key: Pseudonyms, row: Row, nonce: bytes = b"twelve bytes") -> bytes:
    """Seal an original by hand, as the module's docstring has it."""
    place = f"{len(row.kind)}:{row.kind}:{row.pseudonym}".encode("utf-8", "surrogatepass")
    return nonce + AESGCM(key.derived("vault")).encrypt(
        nonce, row.original.encode("utf-8", "surrogatepass"), place
    )


def opened_by_hand(key: Pseudonyms, kind: str, pseudonym: bytes, data: bytes) -> Row:
    text = pseudonym.decode("utf-8", "surrogatepass")
    place = f"{len(kind)}:{kind}:{text}".encode("utf-8", "surrogatepass")
    original = AESGCM(key.derived("vault")).decrypt(data[:12], data[12:], place)
    return Row(kind, text, original.decode("utf-8", "surrogatepass"))


def change(path: Path, *statements: str) -> None:
    database = sqlite3.connect(path)
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a process with the vault's names, KEY and sys."""
    start = f"import os, sys; from tests.test_vault import *; path = Path(sys.argv[1]);\n{code}"
    return subprocess.Popen(
        [sys.executable, "-c", start, *map(str, arguments)], env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=120)
    assert_clean(out, err)
    assert process.returncode == 0, err
    return out


def test_what_goes_in_comes_out(path: Path) -> None:
    assert rows_of(path) == ROWS
    with Vault(path, KEY) as vault:
        assert vault.lookup("P-17") == [ROWS[0], ROWS[3]]
        assert vault.lookup("P-1") == vault.lookup(NUMBER) == []
        assert list(vault.rows(["uid", "name"])) == [ROWS[1], ROWS[4]]
        assert list(vault.rows(["days"])) == []


@given(st.dictionaries(st.tuples(st.sampled_from(["id", "uid", "a:b"]), st.text(st.characters())),
                       st.text(st.characters()), max_size=6))  # fmt: skip
def test_any_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, originals: dict[tuple[str, str], str]
) -> None:
    path = tmp_path_factory.mktemp("any") / "v.db"
    with Vault(path, KEY) as vault:
        vault.add(Row(*place, original) for place, original in originals.items())
    found = rows_of(path)
    assert {(row.kind, row.pseudonym): row.original for row in found} == originals
    assert len(found) == len(originals)


def test_the_layout_is_the_documented_one(path: Path) -> None:
    database = sqlite3.connect(path)
    found = database.execute("SELECT kind, pseudonym, sealed FROM originals").fetchall()
    [(fingerprint, data)] = database.execute("SELECT fingerprint, sealed FROM vault")
    database.close()
    assert sorted(opened_by_hand(KEY, *row) for row in found) == ROWS
    assert fingerprint == KEY.fingerprint
    assert opened_by_hand(KEY, "vault", fingerprint.encode(), data).original == "fastanon"
    assert path.read_bytes()[68:72] == b"fanV"


def test_a_row_written_by_hand_is_read(path: Path) -> None:
    row = Row("name", "ANON^TWO", f"{FIRST} \udc80")
    database = sqlite3.connect(path)
    database.execute(
        "INSERT INTO originals VALUES (?, ?, ?)", (row.pseudonym.encode(), row.kind, sealed(KEY, row))
    )
    database.commit()
    database.close()
    assert rows_of(path) == [*ROWS[:2], row, *ROWS[2:]]


def test_equal_originals_look_different_and_no_nonce_comes_twice(tmp_path: Path) -> None:
    with Vault(tmp_path / "v.db", KEY) as vault:
        vault.add(Row("id", f"{n}", NUMBER) for n in range(2000))
    database = sqlite3.connect(tmp_path / "v.db")
    found = [data for (data,) in database.execute("SELECT sealed FROM originals")]
    database.close()
    assert len({data[:12] for data in found}) == len({data[12:] for data in found}) == 2000


def test_no_original_stands_in_the_file_or_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "v.db"
    seen: dict[str, int] = {}

    def search() -> None:
        for file in tmp_path.iterdir():
            data = file.read_bytes()
            assert not leaks_in(data), file.name
            seen[file.name] = max(seen.get(file.name, 0), data.count(b"2.25."))
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name

    def watched(rows: Iterator[Row]) -> Iterator[Row]:
        for n, row in enumerate(rows):
            if n % 5000 == 0:
                search()
            yield row
        search()  # the transaction is open still

    old = os.umask(0)
    try:
        with Vault(path, KEY) as vault:
            vault.add(many(500))
            search()
            vault.add(watched(many(30_000)))
            search()
            list(vault.rows())
            search()
    finally:
        os.umask(old)
    search()
    assert seen["v.db"] >= 30_000  # pseudonyms are found: the search reads what was written
    assert seen["v.db-journal"] > 100
    assert [file.name for file in tmp_path.iterdir()] == ["v.db"]


@pytest.mark.parametrize("mask", [0, 0o022, 0o077])
def test_a_new_vault_is_for_its_owner_alone(tmp_path: Path, mask: int) -> None:
    old = os.umask(mask)
    try:
        Vault(tmp_path / "v.db", KEY).close()
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "v.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o660, 0o777])
def test_a_vault_open_to_others_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(VaultError, match=f"mode {mode:04o}"):
        Vault(path, KEY)
    path.chmod(0o600)
    assert rows_of(path) == ROWS


def test_a_symbolic_link_is_refused(path: Path) -> None:
    link, dangling = path.with_name("link"), path.with_name("dangling")
    link.symlink_to(path)
    dangling.symlink_to(path.with_name("nothing"))
    for name in (link, dangling):
        with pytest.raises(VaultError, match="a symbolic link"):
            Vault(name, KEY)
    assert not dangling.exists()


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    with pytest.raises(VaultError, match="not a regular file"):
        Vault(tmp_path / "fifo", KEY)
    with pytest.raises(VaultError, match="not a regular file"):
        Vault(tmp_path, KEY)
    with pytest.raises(VaultError, match="No such file"):
        Vault(tmp_path / "none" / "v.db", KEY)
    with pytest.raises(VaultError, match="No such file"):
        Vault.existing(tmp_path / "v.db", KEY)
    assert not (tmp_path / "v.db").exists()


def test_what_is_no_vault_is_refused_and_stays(tmp_path: Path) -> None:
    text, database = tmp_path / "text", tmp_path / "database"
    text.write_text("PatientID;Name\n" * 500)
    change(database, "CREATE TABLE originals (pseudonym, kind, sealed)")
    for file in (text, database):
        file.chmod(0o600)
        before = file.read_bytes()
        with pytest.raises(VaultError, match="not a vault"):
            Vault(file, KEY)
        assert file.read_bytes() == before


def test_an_empty_file_becomes_a_vault(tmp_path: Path) -> None:
    path = tmp_path / "v.db"
    path.touch(0o600)
    with Vault(path, KEY) as vault:
        vault.add(ROWS)
    assert rows_of(path) == ROWS


@pytest.mark.parametrize("by", ["another vault", "nothing"])
def test_a_vault_exchanged_while_it_is_opened_is_refused(
    path: Path, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = path.with_name("other.db")
    Vault(other, KEY).close()
    look = module._status

    def look_and_exchange(name: str) -> os.stat_result:
        monkeypatch.setattr(module, "_status", look)
        status = look(name)
        os.replace(other, path) if by == "another vault" else path.unlink()
        return status

    monkeypatch.setattr(module, "_status", look_and_exchange)
    with pytest.raises(VaultError, match="exchanged" if by == "another vault" else "can't be opened"):
        Vault(path, KEY)
    assert path.exists() == (by == "another vault")  # SQLite has made no file of its own


def test_another_key_is_refused(path: Path) -> None:
    with pytest.raises(VaultError, match="another key"):
        Vault(path, OTHER_KEY)
    twin = Pseudonyms(bytes(32))
    twin.fingerprint = KEY.fingerprint
    with pytest.raises(VaultError, match="damaged or was changed"):
        Vault(path, twin)
    with pytest.raises(VaultError, match="a key that is kept"):
        Vault(path, Pseudonyms())
    assert rows_of(path) == ROWS


def test_a_newer_layout_is_refused(path: Path) -> None:
    change(path, "PRAGMA user_version=2")
    with pytest.raises(VaultError, match="newer fastanon"):
        Vault(path, KEY)


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA user_version=0",
        "DELETE FROM vault",
        "DROP TABLE originals",
        "INSERT INTO vault SELECT * FROM vault",
        "UPDATE vault SET sealed = 1",
        "UPDATE vault SET sealed = substr(sealed, 1, 5)",
        "CREATE TRIGGER t AFTER INSERT ON originals BEGIN DELETE FROM originals; END",
    ],
)
def test_a_vault_whose_tables_were_changed_is_refused(path: Path, statement: str) -> None:
    change(path, statement)
    with pytest.raises(VaultError, match="damaged or was changed"):
        Vault(path, KEY)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE originals SET pseudonym = CAST('P-18' AS BLOB) WHERE kind = 'patient'",
        "UPDATE originals SET kind = 'other' WHERE kind = 'patient'",
        "UPDATE originals SET sealed = (SELECT sealed FROM originals WHERE kind = 'uid') WHERE kind = 'patient'",
        "UPDATE originals SET sealed = x'' WHERE kind = 'patient'",
        "UPDATE originals SET sealed = 'text' WHERE kind = 'patient'",
        "UPDATE originals SET sealed = 7 WHERE kind = 'patient'",
        "UPDATE originals SET pseudonym = 'text' WHERE kind = 'patient'",
        "UPDATE originals SET pseudonym = x'FF' WHERE kind = 'patient'",
        "UPDATE originals SET kind = x'FF' WHERE kind = 'patient'",
        "UPDATE originals SET kind = CAST(x'FF' AS TEXT) WHERE kind = 'patient'",
    ],
)
def test_a_row_that_was_changed_is_refused(path: Path, statement: str) -> None:
    change(path, statement)
    with Vault(path, KEY) as vault, pytest.raises(VaultError) as caught:
        list(vault.rows())
    assert str(caught.value) == f"{path}: the vault is damaged or was changed"


def test_a_changed_byte_is_never_a_wrong_original(path: Path) -> None:
    whole = path.read_bytes()
    database = sqlite3.connect(path)
    found = [data for (data,) in database.execute("SELECT sealed FROM originals UNION SELECT sealed FROM vault")]
    database.close()
    sealed_bytes = [whole.index(data) + n for data in found for n in range(len(data))]
    for at in sealed_bytes:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(VaultError) as caught:
            rows_of(path)
        assert_clean(str(caught.value))
    rng = random.Random(5)
    for at in [*range(100), *(rng.randrange(len(whole)) for _ in range(400))]:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :])
        try:
            assert set(rows_of(path)) <= set(ROWS)
        except VaultError as error:
            assert_clean(str(error))


def test_a_vault_cut_short_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for size in range(1, len(whole), 997):
        path.write_bytes(whole[:size])
        with pytest.raises(VaultError):
            rows_of(path)


def test_the_same_row_again_is_no_error(path: Path) -> None:
    with Vault(path, KEY) as vault:
        vault.add([*ROWS, *ROWS])
    assert rows_of(path) == ROWS


def test_another_original_is_refused_and_nothing_of_it_stays(path: Path) -> None:
    more = [Row("uid", "2.25.77", "1.2.3"), Row("patient", "P-17", f"{NUMBER}X"), Row("uid", "2.25.78", "1.2.4")]
    with Vault(path, KEY) as vault:
        with pytest.raises(VaultError, match="'patient' has another original") as caught:
            vault.add(more)
        assert list(vault.rows()) == ROWS
        assert_clean(str(caught.value))
        assert "P-17" not in str(caught.value)
        vault.add(more[:1])
    assert rows_of(path) == sorted([*ROWS, more[0]])


def test_rows_that_end_in_an_error_leave_nothing(path: Path) -> None:
    def rows() -> Iterator[Row]:
        yield from many(10)
        raise RuntimeError("the caller's own")

    with Vault(path, KEY) as vault, pytest.raises(RuntimeError):
        vault.add(rows())
    assert rows_of(path) == ROWS


def test_merge(path: Path) -> None:
    shards = [path.with_name("a.db"), path.with_name("b.db")]
    for n, shard in enumerate(shards):
        with Vault(shard, KEY) as vault:
            vault.add([ROWS[3], *many(10 + n), Row("days", f"d{n}", str(n))])
    before = [shard.read_bytes() for shard in shards]
    with Vault(path, KEY) as vault:
        assert vault.merge(shards) == 13
        assert vault.merge(shards) == 0
    assert rows_of(path) == sorted([*ROWS, *many(11), Row("days", "d0", "0"), Row("days", "d1", "1")])
    assert [shard.read_bytes() for shard in shards] == before


def _contradict(path: Path) -> None:
    with Vault(path, KEY) as vault:
        vault.add([Row("patient", "P-17", LAST)])


def _of_another_key(path: Path) -> None:
    Vault(path, OTHER_KEY).close()


def _damage(path: Path) -> None:
    with Vault(path, KEY) as vault:
        vault.add(many(5))
    change(path, "UPDATE originals SET kind = 'id'")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_contradict, "'patient' has another original"),
        (_of_another_key, "another key"),
        (_damage, "damaged"),
        (lambda _: None, "No such file"),
    ],
)
def test_a_merge_that_fails_adds_nothing(path: Path, spoil: object, reason: str) -> None:
    good, bad = path.with_name("good.db"), path.with_name("bad.db")
    with Vault(good, KEY) as vault:
        vault.add(many(10))
    assert callable(spoil)
    spoil(bad)
    with Vault(path, KEY) as vault:
        with pytest.raises(VaultError, match=reason) as caught:
            vault.merge([good, bad])
        assert str(caught.value).startswith(str(bad))
        with pytest.raises(VaultError, match="into itself"):
            vault.merge([good, path])
        assert list(vault.rows()) == ROWS
    assert rows_of(path) == ROWS


HOLD = """
with Vault(path, KEY) as vault:
    print("open", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_that_the_vault_is_in_use(path: Path) -> None:
    with child(HOLD, path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(VaultError, match="in use by another process"):
            Vault(path, KEY)
        with Vault(path.with_name("b.db"), KEY) as other, pytest.raises(VaultError, match="in use"):
            other.merge([path])
        ended(process)
    assert rows_of(path) == ROWS


def test_a_second_opening_in_one_process_is_told_too(path: Path) -> None:
    with Vault(path, KEY) as vault:
        for _ in range(2):
            with pytest.raises(VaultError, match="in use"):
                Vault(path, KEY)
        assert list(vault.rows()) == ROWS
    assert rows_of(path) == ROWS


ADD = """
module._WAIT = 100.0
for n in range(20):
    with Vault(path, KEY) as vault:
        vault.add([Row("uid", f"{sys.argv[2]}.{n}", LAST), Row("days", "d", "7")])
"""


def test_processes_that_wait_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "v.db"
    processes = [child(ADD, path, n) for n in range(4)]
    for process in processes:
        ended(process)
    expected = {Row("uid", f"{p}.{n}", LAST) for p in range(4) for n in range(20)}
    assert set(rows_of(path)) == {Row("days", "d", "7"), *expected}


KILL = """
def rows():
    yield from many(30_000)
    assert os.path.getsize(str(path) + "-journal") > 0
    os.kill(os.getpid(), 9)

Vault(path, KEY).add(rows())
"""


def test_a_process_killed_in_a_transaction_leaves_what_was_there(path: Path) -> None:
    size = path.stat().st_size
    process = child(KILL, path)
    _, error = process.communicate(timeout=120)
    assert process.returncode == -9, error
    assert path.stat().st_size > size + 100_000  # pages were written before the end
    assert all(not leaks_in(file.read_bytes()) for file in path.parent.iterdir())
    assert rows_of(path) == ROWS
    assert [file.name for file in path.parent.iterdir()] == ["v.db"]


FILL = """
import resource
free = resource.getrlimit(resource.RLIMIT_FSIZE)
room = path.stat().st_size + 50_000 if path.exists() else int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, free[1]))
try:
    with Vault(path, KEY) as vault:
        try:
            vault.add(many(30_000))
        except VaultError as error:
            print(error)
        assert list(vault.rows()) == ROWS
        resource.setrlimit(resource.RLIMIT_FSIZE, free)
        vault.add(many(10))
except VaultError as error:
    print(error)
"""


def test_a_file_that_can_grow_no_more_keeps_its_rows(path: Path) -> None:
    message = ended(child(FILL, path))
    assert message == f"{path}: the vault can't be read or written; it is as it was\n"
    assert rows_of(path) == sorted([*ROWS, *many(10)])


@pytest.mark.parametrize("room", [0, 100, 4096, 8192])
def test_no_room_for_a_new_vault(tmp_path: Path, room: int) -> None:
    path = tmp_path / "v.db"
    assert ended(child(FILL, path, room)).startswith(f"{path}: the vault can't be read or written")
    with Vault(path, KEY) as vault:
        vault.add(ROWS)
    assert rows_of(path) == ROWS


def test_a_full_disk_keeps_the_rows(path: Path) -> None:
    with Vault(path, KEY) as vault:
        pages = vault._db.execute("PRAGMA page_count").fetchone()[0]
        vault._db.execute(f"PRAGMA max_page_count={pages + 20}")  # SQLite reports it as it does ENOSPC
        with pytest.raises(VaultError, match="the disk is full") as caught:
            vault.add(many(30_000))
        assert_clean(str(caught.value))
        assert list(vault.rows()) == ROWS
        vault.add(many(5))
    assert rows_of(path) == sorted([*ROWS, *many(5)])


def test_a_key_or_vault_inside_the_output_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, beside = tmp_path / "out", tmp_path / "output"
    (out / "sub").mkdir(parents=True)
    beside.mkdir()
    (tmp_path / "link").symlink_to(out / "sub")
    monkeypatch.chdir(out)
    inside = [out, out / "key", out / "none" / "key", tmp_path / "link" / "key", "key", "../output/../out/key"]
    for path in inside:
        with pytest.raises(UsageError, match="inside the output folder"):
            refuse_inside(path, out)
    for path in (tmp_path / "key", beside / "key", "../key", tmp_path / "link" / ".." / ".." / "key"):
        refuse_inside(path, out)
    with pytest.raises(UsageError):
        refuse_inside(out / "sub" / "key", tmp_path / "link")


@pytest.fixture
def held(tmp_path: Path) -> tuple[Path, Path]:
    """Make a key and a vault of it."""
    new_key(tmp_path / "key")
    with Vault(tmp_path / "v.db", Pseudonyms(read_key(tmp_path / "key"))) as vault:
        vault.add([*ROWS, Row("patient", "P;18", 'a,"b"\nc'), Row("name", "ANON^TWO", f"{LAST}\x1b[2J\udcff")])
    return tmp_path / "key", tmp_path / "v.db"


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args([str(a) for a in arguments]))


@pytest.mark.shows_values
def test_lookup(held: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    key, vault = held
    assert run("lookup", "P-17", "--vault", vault, "--key", key) == DONE
    assert capsys.readouterr().out == f"id\tissuer of 4711\npatient\t{NUMBER}\n"
    assert run("lookup", "ANON^TWO", "--vault", vault, "--key", key) == DONE
    assert capsys.readouterr().out == f"name\t{LAST}\\x1b[2J\\udcff\n"


def test_lookup_of_nothing(held: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    key, vault = held
    assert run("lookup", NUMBER, "--vault", vault, "--key", key) == FAILED
    out, error = capsys.readouterr()
    assert out == ""
    assert "does not hold" in error


def test_no_vault_is_made_by_looking(tmp_path: Path, held: tuple[Path, Path]) -> None:
    key, _ = held
    for words in (["lookup", "P-17"], ["export", "--csv", tmp_path / "x.csv"]):
        with pytest.raises(VaultError, match="No such file"):
            run(*words, "--vault", tmp_path / "typo.db", "--key", key)
    with pytest.raises(VaultError, match="No such file"):
        run("merge", held[1], tmp_path / "typo.db", "--key", key)
    assert not (tmp_path / "typo.db").exists()
    assert not (tmp_path / "x.csv").exists()


def test_export(held: tuple[Path, Path], tmp_path: Path) -> None:
    key, vault = held
    for kind in ("patient", "uid"):
        old = os.umask(0)
        try:
            assert run("export", "--csv", tmp_path / kind, "--vault", vault, "--key", key, "--kind", kind) == DONE
        finally:
            os.umask(old)
        assert stat.S_IMODE((tmp_path / kind).stat().st_mode) == 0o600
    with open(tmp_path / "patient", newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert found == [{"id_old": NUMBER, "id_new": "P-17"}, {"id_old": 'a,"b"\nc', "id_new": "P;18"}]
    assert (tmp_path / "uid").read_text() == f"id_old,id_new\n1.2.3.{BIRTH},2.25.31\n"
    mapping = read_mapping(tmp_path / "patient")
    assert mapping == {normalised(NUMBER): "P-17", normalised('a,"b"\nc'): "P;18"}


@pytest.mark.shows_values
def test_export_to_standard_output(held: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    key, vault = held
    assert run("export", "--csv", "-", "--vault", vault, "--key", key) == DONE
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert [row["id_old"] for row in found] == [NUMBER, 'a,"b"\nc']


def test_an_export_overwrites_nothing(held: tuple[Path, Path], tmp_path: Path) -> None:
    key, vault = held
    (tmp_path / "list.csv").write_text("mine")
    (tmp_path / "link.csv").symlink_to(tmp_path / "nothing.csv")
    for name in ("list.csv", "link.csv"):
        with pytest.raises(UsageError, match="not overwritten"):
            run("export", "--csv", tmp_path / name, "--vault", vault, "--key", key)
    with pytest.raises(AccessError, match="No such file"):
        run("export", "--csv", tmp_path / "none" / "x.csv", "--vault", vault, "--key", key)
    assert (tmp_path / "list.csv").read_text() == "mine"
    assert not (tmp_path / "nothing.csv").exists()


def test_half_an_export_does_not_stay(tmp_path: Path) -> None:
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    command._write_new(str(path), "x" * 101)
except AccessError as error:
    print(error)
"""
    assert ended(child(code, tmp_path / "x.csv")) == f"{tmp_path / 'x.csv'}: File too large\n"
    assert list(tmp_path.iterdir()) == []


def test_merge_on_the_command_line(
    held: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, vault = held
    assert run("merge", tmp_path / "all.db", vault, vault, "--key", key) == DONE
    assert capsys.readouterr().out == f"{len(ROWS) + 2} new rows\n"
    pseudonyms = Pseudonyms(read_key(key))
    with Vault.existing(tmp_path / "all.db", pseudonyms) as new, Vault.existing(vault, pseudonyms) as old:
        assert list(new.rows()) == list(old.rows())
