"""What a user is handed together with data: profiles, and lists of new IDs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fastanon.cli import main
from fastanon.errors import USAGE, UsageError
from fastanon.mapping import read_mapping
from fastanon.profiles import load
from tests.canary import CANARIES
from tests.security.world import changed, picture, world

pytestmark = pytest.mark.usefixtures("in_time")

FIRST, LAST, NUMBER, BIRTH = CANARIES
#: Stands in a file that a profile points to, and may not be shown to who reads the error.
SECRET = "s3cr3tw0rd"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return world(tmp_path)


def refused(run: Callable[[], object]) -> str:
    """Give what a usage error says, on one line and without control characters."""
    with pytest.raises(UsageError) as caught:
        run()
    said = str(caught.value)
    assert said.isprintable()
    assert SECRET not in said
    return said


# profiles

TEXTS = {
    "nested lists": b"description = " + b"[" * 100_000,
    "nested tables": b"description = " + b"{a=" * 100_000,
    "closed nested lists": b"creators = " + b"[" * 5000 + b"]" * 5000,
    "a giant number": b"description = " + b"9" * 100_000,
    "a giant number in hex": b"description = 0x" + b"f" * 1_000_000,
    "not a number": b"private = nan",
    "infinity for an action": b"[actions]\nPatientName = inf",
    "a date for an action": b"[actions]\nPatientName = 1943-02-17",
    "a float with a giant exponent": b"private = 1e999999999",
    "an unknown key": b"run = 'rm'",
    "a key that a terminal would obey": b'"\\u001b]0;x\\u0007" = 1',
    "an option that a terminal would obey": b'extends = "basic"\noptions = ["\\u001b[2J"]',
    "a base that a terminal would obey": b'extends = "\\u001b[2J"',
    "a creator that is no string": b"creators = [1]",
    "a NUL in its base": b'extends = "x\\u0000y"',
    "itself": b'extends = "hostile.toml"',
    "itself by a detour": b'extends = "../in/../in/hostile.toml"',
    "a folder": b'extends = ".."',
    "a key twice": b"private = 'keep'\nprivate = 'keep'",
    "bytes that are no text": b"description = '\xff'",
    "many unknown keys": b"\n".join(b"k%d = 1" % n for n in range(50_000)),
    "many unknown actions": b"[actions]\n" + b"\n".join(b"x%d = 'X'" % n for n in range(50_000)),
    "a key of many parts": b"a." * 5000 + b"b = 1",
    "tables inside tables": b"".join(b"[" + b"a." * n + b"b]\n" for n in range(300)),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_a_hostile_profile_is_wrong_usage(kind: str, folder: Path) -> None:
    (folder / "hostile.toml").write_bytes(TEXTS[kind])
    assert "hostile.toml" in refused(lambda: load(str(folder / "hostile.toml")))


@pytest.mark.parametrize(
    "text", [f"{SECRET}:x:0:0:root", f"password = '{SECRET}'", f"[a]\nb = '{SECRET}'", SECRET * 99]
)
def test_what_a_profile_extends_is_not_shown(text: str, folder: Path) -> None:
    (folder.parent / "passwd").write_text(text)
    (folder / "hostile.toml").write_text('extends = "../in/../passwd"')
    refused(lambda: load(str(folder / "hostile.toml")))


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("kind", ["fifo", "a folder", "endless"])
@pytest.mark.parametrize("how", ["named", "extended", "through a link"])
def test_a_profile_that_is_no_file_is_not_waited_for(how: str, kind: str, folder: Path) -> None:
    at = folder / "odd.toml"
    make: dict[str, Callable[[], object]] = {
        "fifo": lambda: os.mkfifo(at),
        "a folder": lambda: at.mkdir(),
        "endless": lambda: at.symlink_to("/dev/zero"),
    }
    make[kind]()
    if how == "extended":
        (folder / "hostile.toml").write_text('extends = "odd.toml"')
    elif how == "through a link":
        (folder / "hostile.toml").symlink_to("odd.toml")
    if how == "named" and kind == "endless":
        at = Path("/dev/zero")
    refused(lambda: load(str(at if how == "named" else folder / "hostile.toml")))


@pytest.mark.usefixtures("little_memory")
def test_a_profile_without_end_is_not_read_to_its_end(folder: Path) -> None:
    (folder / "hostile.toml").touch()
    os.truncate(folder / "hostile.toml", 1 << 40)
    refused(lambda: load(str(folder / "hostile.toml")))


def test_a_chain_of_many_bases_ends(folder: Path) -> None:
    for number in range(1500):
        (folder / f"{number}.toml").write_text(f'extends = "{number + 1}.toml"')
    refused(lambda: load(str(folder / "0.toml")))


@pytest.mark.parametrize("command", [["anonymize", "--in-place"], ["anonymize", "--what-if"]])
def test_with_a_hostile_profile_no_file_is_touched(command: list[str], folder: Path) -> None:
    (folder.parent / "hostile.toml").write_bytes(TEXTS["an unknown key"])
    before = picture(folder.parent)
    assert main([*command, str(folder), "--profile", str(folder.parent / "hostile.toml")]) == USAGE
    assert changed(before, folder.parent) == []


# lists of new IDs


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("kind", ["fifo", "a folder", "endless", "without end"])
def test_a_list_that_is_no_file_is_not_waited_for(kind: str, folder: Path) -> None:
    at = folder / "list.csv"
    make: dict[str, Callable[[], object]] = {
        "fifo": lambda: os.mkfifo(at),
        "a folder": lambda: at.mkdir(),
        "endless": lambda: at.symlink_to("/dev/zero"),
        "without end": lambda: (at.touch(), os.truncate(at, 1 << 40)),
    }
    make[kind]()
    refused(lambda: read_mapping(at))


@pytest.mark.parametrize(
    "new", ["\x1b[2J", "a\x00b", '"a\nb"', "a\\b", "{x}", "a\u202eb", "=" * 9, "^" * 9, "x" * 65]
)
def test_a_new_id_that_may_not_be_written_is_refused(new: str, folder: Path) -> None:
    (folder / "list.csv").write_text(f"id_old,id_new\n{NUMBER},{new}\n")
    assert "line 2" in refused(lambda: read_mapping(folder / "list.csv"))
