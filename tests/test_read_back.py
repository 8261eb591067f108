"""The payload of a small file is read back and compared, and searched again only where it is another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

import fastanon
from fastanon.chance import Scanner
from fastanon.errors import DONE, LEFT
from fastanon.synthetic import Person, make_listmode, make_ptd, make_slice
from tests.spoiling import spoil

SIZE = 1 << 20
WHO = Person(name="THISTLEWOOD^JO")
PLANTED = b"\0THISTLEWOOD\0"
MAKERS: dict[str, Callable[[Path], Path]] = {
    "slice": lambda path: make_slice(path, WHO, 64, 64),
    "list-mode": lambda path: make_listmode(path, SIZE, WHO),
    "ptd": lambda path: make_ptd(path, SIZE, WHO),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize(("audit", "searches"), [("full", 1), ("text", 0)])
def test_a_payload_that_is_the_same_is_searched_once(
    make: Callable[[Path], Path], audit: str, searches: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = mock.Mock(wraps=Scanner.scan)
    monkeypatch.setattr(Scanner, "scan", lambda *args: counted(*args))
    report = fastanon.anonymize(make(tmp_path / "a.IMA"), to=tmp_path / "out", audit=audit)
    assert report.exit_status == DONE
    assert counted.call_count == searches
    (found,) = report.as_dict()["files"]
    size = next((tmp_path / "out").iterdir()).stat().st_size
    assert (found["audit"]["bytes_scanned"] == size) == (audit == "full")


@pytest.mark.parametrize("kind", ["list-mode", "ptd"])
def test_what_stands_only_in_the_copy_is_found(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = MAKERS[kind](tmp_path / "a.IMA")
    at = 1000 if kind == "ptd" else path.stat().st_size - 1000  # a .ptd begins with its payload
    spoil(monkeypatch, path.read_bytes()[at : at + 64], PLANTED)
    report = fastanon.anonymize(path, to=tmp_path / "out")
    assert report.exit_status == LEFT
    copy = next((tmp_path / "out").iterdir()).read_bytes()
    leaks = report.as_dict()["files"][0]["audit"]["leaks"]
    assert [leak["offset"] for leak in leaks] == [copy.index(PLANTED) + 1]
