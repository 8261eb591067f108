"""What the audit says on the command line: exit status, output, report; and nothing of the patient's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pydicom
import pytest

from fastanon.cli import main
from fastanon.errors import DONE, FAILED, LEFT, REFUSED, USAGE
from tests.auditing.case import NOBODY, NOTHING, PATIENT, Value, write
from tests.auditing.places import PLACES
from tests.canary import CANARIES, assert_clean

FIRST, LAST, NUMBER, BIRTH = CANARIES


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Make an original and a clean copy, each in its folder."""
    original = write(tmp_path / "original", PLACES["text"].files(PATIENT, NOTHING))
    return original, write(tmp_path / "copy", PLACES["text"].files(NOBODY, NOTHING))


class Ended(NamedTuple):
    """How the program ended: status, standard output, standard error, JSON report."""

    status: int
    out: str
    err: str
    report: dict[str, Any]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Give what runs the program; nothing of the patient's may come out."""

    def audit(copy: Path, original: Path) -> Ended:
        status = main(["audit", str(copy), "-v", "--against", str(original), "--report", str(tmp_path / "r.json")])
        taken, report = capsys.readouterr(), (tmp_path / "r.json").read_text()
        for text in (taken.out, taken.err, report):
            assert_clean(text)
            assert not re.search("(?i)zyxw|rossetti|1943[-.:/]02|17.02.1943|Traceback", text)
        return Ended(status, taken.out, taken.err, json.loads(report))

    return audit


def test_a_clean_copy_ends_with_0(pair: tuple[Path, Path], run: Callable[..., Ended]) -> None:
    original, copy = pair
    ended = run(copy, original)
    assert (ended.status, ended.err) == (DONE, "")
    assert "nothing identifying found again" in ended.out
    (file,) = ended.report["files"]
    assert (file["status"], file["audit"]["leaks"]) == ("audited", [])
    assert file["audit"]["bytes_scanned"] == (copy / "a.dcm").stat().st_size


@pytest.mark.parametrize("name", PLACES)
def test_a_leak_ends_with_3(name: str, tmp_path: Path, run: Callable[..., Ended]) -> None:
    place, value = PLACES[name], Value("name", b"zyxwarth.quillfeather")
    original = write(tmp_path / "original", place.files(PATIENT, NOTHING))
    ended = run(write(tmp_path / "copy", place.files(NOBODY, value.planted)), original)
    assert ended.status == LEFT
    (leak,) = [leak for file in ended.report["files"] for leak in file["audit"]["leaks"]]
    assert place.where in leak["where"]
    (line,) = [line for line in ended.err.splitlines() if line.startswith("  ")]
    assert line.split()[0] == str(leak["offset"])
    assert line.endswith(f"{leak['where']}: name")


def test_a_leak_in_a_path_is_masked(pair: tuple[Path, Path], run: Callable[..., Ended]) -> None:
    original, copy = pair
    (copy / "a.dcm").rename(copy / f"{LAST}_{FIRST}_{BIRTH}_{NUMBER}.dcm")
    ended = run(copy, original)
    assert ended.status == LEFT
    assert [leak["where"] for leak in ended.report["files"][0]["audit"]["leaks"]] == ["file name"] * 3


BROKEN = {
    "truncated": lambda data: data[:-9],
    "no medical file": lambda _: b"notes on QUILLFEATHER, born 1943-02-17\n" * 9,
    "empty": lambda _: b"",
}


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize("which", ["original", "copy"])
@pytest.mark.parametrize("how", BROKEN)
def test_what_is_refused_ends_with_4(how: str, which: str, tmp_path: Path, run: Callable[..., Ended]) -> None:
    path = tmp_path / which / "a.dcm"
    path.write_bytes(BROKEN[how](path.read_bytes()))
    ended = run(tmp_path / "copy", tmp_path / "original")
    assert ended.status == REFUSED
    assert [line.startswith(f"{path}: refused") for line in ended.err.splitlines()] == [True]
    assert [f["audit"] for f in ended.report["files"] if f["status"] == "refused"] == [None]


def test_what_pydicom_refuses_ends_with_4(
    pair: tuple[Path, Path], run: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dcmread(*_: object, **__: object) -> None:
        raise ValueError(f"{LAST}^{FIRST} is no value")

    monkeypatch.setattr(pydicom, "dcmread", dcmread)
    original, copy = pair
    ended = run(copy, original)
    assert ended.status == REFUSED
    assert "pydicom can't read it" in ended.err
    assert [file["audit"] for file in ended.report["files"]] == [None]


@pytest.mark.parametrize("which", ["original", "copy"])
def test_what_is_not_there_ends_with_1(which: str, pair: tuple[Path, Path], run: Callable[..., Ended]) -> None:
    original, copy = pair
    found = run(copy / "none" if which == "copy" else copy, original / "none" if which == "original" else original)
    assert found.status == FAILED
    assert "No such file" in found.err


def test_a_leak_counts_more_than_a_refusal_and_less_than_a_failure(
    tmp_path: Path, pair: tuple[Path, Path], run: Callable[..., Ended]
) -> None:
    original, copy = pair
    write(copy, {"b.dcm": PLACES["text"].files(NOBODY, LAST.encode())["a.dcm"], "c.dcm": b"notes"})
    assert run(copy, original).status == LEFT
    (original / "link").symlink_to(tmp_path / "nowhere")
    assert run(copy, original).status == LEFT
    assert main(["audit", str(copy), str(copy / "none"), "--against", str(original)]) == FAILED


def test_without_originals_it_ends_with_2(pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    original, copy = pair
    with pytest.raises(SystemExit) as ended:
        main(["audit", str(copy)])
    assert ended.value.code == USAGE
    assert "--against" in capsys.readouterr().err
    assert main(["audit", str(copy), "--against", str(original / "*.ima")]) == USAGE
