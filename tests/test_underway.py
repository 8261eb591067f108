"""The payload of a large file is searched while it is copied; what is found in it is tested in `test_payload`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from fastanon.errors import DONE
from fastanon.opened import Opened
from fastanon.synthetic import Person, make_listmode, make_ptd
from fastanon.system import System
from tests.niftypet import anonymize

SIZE = 4 << 20


@pytest.fixture(autouse=True)
def _all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastanon.opened.SMALL", 64)
    monkeypatch.setattr("fastanon.underway.LARGE", 1)


class Reads:
    """How many bytes of list-mode were read, by file."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.by_path: Counter[str] = Counter()
        fill = Opened.fill

        def counted(opened: Opened, view: memoryview, offset: int) -> None:
            self.by_path[opened.path] += len(view)
            fill(opened, view, offset)

        monkeypatch.setattr(Opened, "fill", counted)


@pytest.mark.parametrize("name", ["THISTLEWOOD^JO", "LI^WU"])  # which stands there by chance
@pytest.mark.parametrize("make", [make_listmode, make_ptd])
def test_a_large_payload_is_read_once_while_it_is_copied(
    make: Callable[..., Path], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, copy = tmp_path / "a.data", tmp_path / "out" / "a.data"
    make(path, SIZE, Person(name=name))
    reads = Reads(monkeypatch)
    kernel = mock.Mock(wraps=os.copy_file_range)
    monkeypatch.setattr(System, "copy_file_range", kernel)
    report = anonymize(path, to=copy.parent)
    assert report.exit_status == DONE
    assert kernel.call_count == 0
    assert reads.by_path.pop(str(path)) < SIZE + 100_000
    (audited,) = reads.by_path.values()  # and the copy once
    assert audited < SIZE + 100_000
    (payload,) = report.as_dict()["files"][0]["audit"]["payloads"]
    assert payload["bytes"] == SIZE
    # a .ptd begins with its payload, a .IMA ends with it
    ends = slice(0, SIZE) if make is make_ptd else slice(-SIZE, None)
    assert path.read_bytes()[ends] == copy.read_bytes()[ends]
    assert path.read_bytes() != copy.read_bytes()


def test_one_that_becomes_shorter_meanwhile_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_listmode(tmp_path / "a.IMA", SIZE, Person(name="THISTLEWOOD^JO"))
    pwrite = System.pwrite

    def cut(fd: int, data: memoryview, at: int) -> int:
        if at > SIZE // 2:
            os.truncate(path, SIZE // 2)
        return pwrite(fd, data, at)

    monkeypatch.setattr(System, "pwrite", staticmethod(cut))
    report = anonymize(path, to=tmp_path / "out")
    assert [one.status for one in report.files] == ["refused"]
    assert not any(one.is_file() for one in (tmp_path / "out").rglob("*"))
