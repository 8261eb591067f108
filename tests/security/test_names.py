"""Names of files that a terminal would obey, and words of a patient or a user that want to be paths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fastanon.cli import main
from tests.canary import CANARIES
from tests.security.world import anonymize, changed, picture, statuses, world

pytestmark = pytest.mark.usefixtures("in_time")

FIRST, LAST, NUMBER, BIRTH = CANARIES
WAYS = pytest.mark.parametrize("way", ["copies", "in place"])


def run(way: str, source: object, root: Path, **how: object) -> dict[str, str]:
    return statuses(anonymize(source, root / "out" if way == "copies" else None, **how))


NAMES = {
    "a newline": b"x\nall.dcm: anonymized",
    "a title for the terminal": b"\x1b]0;owned\x07.dcm",
    "clear the screen": b"\x1b[2J\x1b[H.dcm",
    "a C1 control": "\x9b2J.dcm".encode(),
    "right to left": "\u202emcd.a".encode(),
    "a carriage return": b"bad\rgood.dcm",
    "not UTF-8": b"\xff\xfe\x80.dcm",
    "as long as can be": b"n" * 251 + b".dcm",
    "an option": b"--in-place",
    "a glob": b"*[a-z]?.dcm",
    "three dots": b"...",
    "a blank": b" ",
    "a backslash": b"..\\..\\victim\\a.dcm",
}


@WAYS
@pytest.mark.parametrize("kind", NAMES)
def test_any_name_is_done_where_it_is_and_told_without_control_characters(
    kind: str, way: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = world(tmp_path)
    (folder / "a.dcm").rename(os.path.join(os.fsencode(folder), NAMES[kind]).decode("utf-8", "surrogateescape"))
    before = picture(tmp_path)
    where = ["-o", str(tmp_path / "out")] if way == "copies" else ["--in-place"]
    assert main(["anonymize", "-v", *where, str(folder)]) == 0
    (made,) = os.listdir(os.fsencode(tmp_path / "out" if way == "copies" else folder))
    assert made == NAMES[kind]
    assert changed(before, tmp_path, "out", "in") == []
    said = "".join(capfd.readouterr()).replace("\n", "", 3)
    assert [c for c in said if not c.isprintable()] == []


@pytest.mark.parametrize("command", ["inspect", "what-if", "refused"])
def test_no_command_shows_control_characters_of_a_name(
    command: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "\x1b[2Jx\r.dcm").write_bytes(b"no DICOM, but some text\n" * 9)
    arguments = {
        "inspect": ["inspect"],
        "what-if": ["anonymize", "--what-if"],
        "refused": ["anonymize", "--in-place"],
    }
    assert main([*arguments[command], str(folder)]) == 4
    said = "".join(capfd.readouterr()).replace("\n", "")
    assert [c for c in said if not c.isprintable()] == []


# words that become parts of paths


WORDS = ["..", ".", "../../x", "/etc/x", ".hidden", "a/b"]


@WAYS
@pytest.mark.parametrize("name", [f"{LAST}/{NUMBER}/{FIRST}/a.dcm", f"{LAST}"])
@pytest.mark.parametrize("word", WORDS)
def test_a_patient_called_like_a_path_stays_below(word: str, name: str, way: str, tmp_path: Path) -> None:
    folder = world(tmp_path, name)
    before = picture(tmp_path)
    run(way, folder, tmp_path, patient=word, physician=word)
    assert changed(before, tmp_path, "out", "in") == []
    assert folder.is_dir()
    left = tmp_path / "out" if way == "copies" else folder
    assert sum(p.is_file() for p in left.rglob("*")) == 1


@WAYS
@pytest.mark.parametrize("word", WORDS)
def test_a_new_id_of_a_list_is_no_path(word: str, way: str, tmp_path: Path) -> None:
    folder = world(tmp_path, f"{NUMBER}/a.dcm")
    (tmp_path / "list.csv").write_text(f"id_old,id_new\n{NUMBER},{word}\n")
    before = picture(tmp_path)
    run(way, folder, tmp_path, mapping=tmp_path / "list.csv")
    assert changed(before, tmp_path, "out", "in") == []
    left = tmp_path / "out" if way == "copies" else folder
    assert sum(p.is_file() for p in left.rglob("*")) == 1
