"""What comes to be where something is about to go."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from fastanon import apply, auditor, work
from fastanon.synthetic import Person, make_listmode_pair
from fastanon.system import SYSTEM
from tests.canary import CANARIES
from tests.security.meanwhile import before_call, run
from tests.security.world import anonymize, unharmed, world

pytestmark = pytest.mark.usefixtures("in_time")

FIRST, LAST, NUMBER, BIRTH = CANARIES
COMES: dict[str, Callable[[Path, Path], object]] = {
    "a file": lambda at, _: at.write_bytes(b"mine"),
    "a folder": lambda at, _: at.mkdir(),
    "a link to the victim": lambda at, victim: at.symlink_to(victim),
    "a link to nothing": lambda at, victim: at.symlink_to(victim.parent / "new"),
}


@pytest.mark.parametrize("has_flag", [True, False], ids=["renameat2", "no renameat2"])
@pytest.mark.parametrize("kind", COMES)
def test_what_comes_to_be_where_a_copy_goes_is_not_overwritten(
    kind: str, has_flag: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = world(tmp_path)
    at, victim = tmp_path / "out" / "a.dcm", tmp_path / "victim" / "a.dcm"
    before_call(monkeypatch, SYSTEM, "rename_new", lambda: COMES[kind](at, victim))
    if not has_flag:
        monkeypatch.setattr("fastanon.system._libc", lambda: None)
    assert run("copy", folder) == {"a.dcm": "refused"}
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a.dcm"]
    assert stat.S_ISREG(at.lstat().st_mode) == (kind == "a file")
    assert kind != "a file" or at.read_bytes() == b"mine"
    assert unharmed(tmp_path)


@pytest.mark.parametrize("kind", COMES)
def test_what_comes_to_be_where_a_file_in_place_goes_is_not_overwritten(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = world(tmp_path, f"{LAST}.dcm")
    at, victim = folder / "T-07.dcm", tmp_path / "victim" / "a.dcm"
    before_call(monkeypatch, SYSTEM, "rename_new", lambda: COMES[kind](at, victim))
    (result,) = anonymize(folder, patient="T-07").files
    assert result.status in ("refused", "failed")
    assert "recover" in result.messages[0]
    assert stat.S_ISREG(at.lstat().st_mode) == (kind == "a file")
    assert unharmed(tmp_path)
    monkeypatch.undo()
    at.rmdir() if kind == "a folder" else at.unlink()
    found = apply.roll_forward(str(folder))
    assert found is not None
    assert found.files == 1
    assert [p.name for p in folder.iterdir()] == ["T-07.dcm"]


@pytest.mark.parametrize("when", ["of_copy", "rename_new"])
def test_an_output_folder_swapped_for_a_link_leads_nowhere(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = world(tmp_path, "sub/b.dcm")
    out = tmp_path / "out" if when == "of_copy" else tmp_path / "out" / "sub"  # where it lies then

    def swap() -> None:
        out.rename(tmp_path / "moved")
        out.symlink_to(tmp_path / "victim")

    before_call(monkeypatch, auditor if when == "of_copy" else SYSTEM, when, swap)
    run("copy", folder)
    assert unharmed(tmp_path)
    assert {p.name for p in (tmp_path / "moved").iterdir()} <= {"b.dcm"}


def test_a_payload_swapped_for_a_link_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = world(tmp_path)
    (folder / "a.dcm").unlink()
    person = Person(f"{LAST}^{FIRST}", NUMBER, BIRTH)
    _, payload = make_listmode_pair(folder / "lm.dcm", 4096, person)
    before_call(
        monkeypatch, work.Work, "_copy_payload", lambda: _swap_file(payload, tmp_path / "victim" / "a.dcm")
    )
    assert run("copy", folder) == {"lm.dcm": "refused"}
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == []
    assert unharmed(tmp_path)


def _swap_file(path: Path, to: Path) -> None:
    path.unlink()
    path.symlink_to(to)
