"""The payload of a large file is searched while it is copied; what is found in it is tested in `test_payload`."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pydicom
import pytest

import fastanon
from fastanon.errors import DONE, LEFT
from fastanon.synthetic import Person, make_listmode, make_ptd, make_slice
from fastanon.system import System
from tests.niftypet import anonymize
from tests.spoiling import spoil

SIZE = 4 << 20


@pytest.fixture(autouse=True)
def _all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastanon.opened.SMALL", 64)
    monkeypatch.setattr("fastanon.underway.LARGE", 1)


class Reads:
    """How many bytes were read, by the inode of a file."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.by_inode: Counter[int] = Counter()
        preadv = os.preadv

        def counted(fd: int, views: list[memoryview], offset: int) -> int:
            count = preadv(fd, views, offset)
            self.by_inode[os.fstat(fd).st_ino] += count
            return count

        monkeypatch.setattr(os, "preadv", counted)


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
    assert reads.by_inode.keys() == {one.stat().st_ino for one in (path, copy)}
    assert all(SIZE <= count < SIZE + 100_000 for count in reads.by_inode.values())
    (payload,) = report.as_dict()["files"][0]["audit"]["payloads"]
    assert payload["bytes"] == SIZE
    # a .ptd begins with its payload, a .IMA ends with it
    ends = slice(0, SIZE) if make is make_ptd else slice(-SIZE, None)
    assert path.read_bytes()[ends] == copy.read_bytes()[ends]
    assert path.read_bytes() != copy.read_bytes()


@pytest.mark.parametrize("planted", [b"", b"\0THISTLEWOOD\0"])
def test_one_that_goes_is_searched_too(planted: bytes, tmp_path: Path) -> None:
    """It is not copied, so nobody sees it on its way."""
    path = make_slice(tmp_path / "a.dcm", Person(name="THISTLEWOOD^JO"), 8, 8)
    ds = pydicom.dcmread(path)
    del ds.PixelData
    ds.add_new(0x50003000, "OW", bytes(50_000) + planted.ljust(50_000, b"\0"))  # Curve Data, which basic removes
    ds.save_as(path)
    report = fastanon.anonymize(path, to=tmp_path / "out", profile="basic")
    assert report.exit_status == DONE
    copy = (tmp_path / "out" / "a.dcm").read_bytes()
    assert 0x50003000 not in pydicom.dcmread(tmp_path / "out" / "a.dcm")
    assert b"thistlewood" not in copy.lower()


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


@pytest.mark.parametrize("at", [0, SIZE // 3, SIZE - 13])
def test_the_copy_is_what_is_audited(at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that stands only in what was written is found there."""
    path = make_listmode(tmp_path / "a.IMA", SIZE, Person(name="THISTLEWOOD^JO"))
    start, planted = path.stat().st_size - SIZE, b"\0THISTLEWOOD\0"
    spoil(monkeypatch, path.read_bytes()[start + at :][:64], planted)  # in the second try, without a mark, too
    report = anonymize(path, to=tmp_path / "out")
    assert report.exit_status == LEFT
    copy = (tmp_path / "out" / "a.IMA").read_bytes()
    leaks = report.as_dict()["files"][0]["audit"]["leaks"]
    assert [leak["offset"] for leak in leaks] == [copy.index(planted) + 1]


def test_what_can_not_be_read_back_is_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_listmode(tmp_path / "a.IMA", SIZE, Person(name="THISTLEWOOD^JO"))
    preadv = os.preadv

    def failing(fd: int, views: list[memoryview], offset: int) -> int:
        if os.fstat(fd).st_ino != path.stat().st_ino and offset > SIZE // 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return preadv(fd, views, offset)

    monkeypatch.setattr(os, "preadv", failing)
    report = anonymize(path, to=tmp_path / "out")
    assert [one.status for one in report.files] == ["failed"]
    assert not any(one.is_file() for one in (tmp_path / "out").rglob("*"))
