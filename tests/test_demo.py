"""``fastanon demo``, and the picture of it in the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fastanon.cli import main
from fastanon.edits import Edit
from fastanon.errors import DONE, LEFT, USAGE
from fastanon.fields import Field
from fastanon.report import Report
from fastanon.scan import Hit

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


def steady(text: str) -> str:
    """Take out what differs from run to run: seconds, and the folder."""
    return re.sub(r"\S*demo/", "fastanon-demo/", re.sub(r"\d+\.\d s", "N s", text)).strip()


def test_the_readme_shows_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", str(tmp_path / "demo")]) == DONE
    shown = re.search(r"<!-- demo -->\n```\n(.*?)```\n<!-- end of demo -->", README, re.DOTALL)
    assert shown is not None
    assert steady(capsys.readouterr().out) == steady(shown[1])


def test_a_folder_that_exists_is_not_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", str(tmp_path)]) == USAGE
    assert "exists already" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_its_count_sees_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With an anonymizer that forgets the copies, the plain search finds them."""
    monkeypatch.setattr("fastanon.draft.copy_edit", _nothing)
    from fastanon.demo import demo

    assert demo(tmp_path / "demo", listmode_bytes=1 << 16) == LEFT
    assert "NOT clean" in capsys.readouterr().out


def test_a_packed_text_that_the_report_does_not_list_is_not_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fastanon.dicom.DicomPart.is_packed", lambda *_: False)
    monkeypatch.setattr("fastanon.inside.Inside.packed", lambda _: [])
    from fastanon.demo import demo

    assert demo(tmp_path / "demo", listmode_bytes=1 << 16) == LEFT
    assert "NOT clean" in capsys.readouterr().out


def test_a_payload_that_changes_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastanon import api
    from fastanon.demo import demo

    def spoil(source: Path, to: Path) -> Report:
        report = anonymize(source, to=to)
        [path] = to.glob("SINO/*.s")
        data = bytearray(path.read_bytes())
        data[32768] ^= 1
        path.write_bytes(data)
        return report

    anonymize = api.anonymize
    monkeypatch.setattr("fastanon.demo.api.anonymize", spoil)
    assert demo(tmp_path / "demo", listmode_bytes=1 << 16) == LEFT


def _nothing(hit: Hit, _: Field) -> Edit:
    return Edit(hit.start, 0, b"", "forgotten")
