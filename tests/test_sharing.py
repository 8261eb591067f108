"""Copies on filesystems that share blocks: the payload costs no disk, and is the same bit for bit."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest

import fastanon
from fastanon.report import FileResult
from tests.siemens_files import Study, dataset, save

PAYLOAD = 24 << 20
RAW, INFORMATION = (0x7FE1, 0x1010), (0x0002, 0x0102)
MAKERS = {"xfs": "mkfs.xfs", "btrfs": "mkfs.btrfs", "ext4": "mkfs.ext4"}


@pytest.fixture(params=MAKERS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Mount an empty filesystem of a kind."""
    maker = MAKERS[request.param]
    if os.geteuid() or shutil.which(maker) is None:
        pytest.skip(f"needs root and {maker}")
    image, at = tmp_path / "image", tmp_path / "mnt"
    with image.open("wb") as file:
        file.truncate(400 << 20)
    at.mkdir()
    subprocess.run([maker, "-q", image], check=True, capture_output=True)
    if subprocess.run(["mount", "-o", "loop", image, at], check=False, capture_output=True).returncode:
        pytest.skip("no loop mounts here")
    try:
        yield request.param, at
    finally:
        subprocess.run(["umount", at], check=True)


@pytest.fixture
def original(disk: tuple[str, Path]) -> Path:
    """Write list-mode that can't be compressed."""
    ds = dataset(Study("VAN DER BERG^ANNA"))
    ds.add_new((0x7FE1, 0x0010), "LO", "SIEMENS CSA NON-IMAGE")
    ds.add_new(RAW, "OB", os.urandom(PAYLOAD))
    return save(disk[1] / "in" / "a.dcm", ds)


def used(at: Path) -> int:
    os.sync()
    found = os.statvfs(at)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def done(call: Callable[[], fastanon.Report]) -> FileResult:
    report = call()
    assert (report.exit_status, report.leaks) == (0, 0)
    return report.files[0]


def test_a_copy_shares_the_payload_where_it_can(disk: tuple[str, Path], original: Path) -> None:
    kind, at = disk
    before = used(at)
    result = done(lambda: fastanon.anonymize(original, to=at / "out"))
    copy, shares = pydicom.dcmread(at / "out" / "a.dcm"), kind != "ext4"
    assert copy[RAW].value == pydicom.dcmread(original)[RAW].value
    assert (INFORMATION in copy.file_meta) == shares
    assert (used(at) - before < 4 << 20) == shares
    assert (result.bytes_written < 1 << 20) == shares


def test_a_change_of_the_copy_leaves_the_original(disk: tuple[str, Path], original: Path) -> None:
    at = disk[1]
    before = original.read_bytes()
    done(lambda: fastanon.anonymize(original, to=at / "out", profile="niftypet"))
    done(lambda: fastanon.anonymize(at / "out", in_place=True, key=bytes(range(32))))
    assert original.read_bytes() == before
    assert pydicom.dcmread(at / "out" / "a.dcm")[RAW].value == pydicom.dcmread(original)[RAW].value
