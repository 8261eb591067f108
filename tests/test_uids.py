"""`inspect` says which UIDs tell the scanner's serial number and the day, wherever they stand."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastanon import inspect
from fastanon.uids import told_by, uids_in_bytes
from tests.corpus import corpus_folder

SIEMENS = "1.3.12.2.1107.5.2.38.51011."
_ROOT = b"1.3.12.2.1107.5."


@pytest.mark.parametrize(
    ("uid", "told"),
    [
        (f"{SIEMENS}2017032715581112300000001", ["device serial", "date"]),
        (f"{SIEMENS}1.20170327155811.0.0.0", ["device serial", "date"]),
        (f"{SIEMENS}30000017032707125841900000001", ["device serial"]),
        ("1.3.12.2.1107.5.9.1", []),
        ("1.3.12.2.1107.5.99.3.30000017032707125841900000001", []),
        ("1.2.840.10008.5.1.4.1.1.20170327", []),
        ("1.2.826.0.1.3680043.8.498.20171301.1", []),
        ("1.2.826.0.1.3680043.8.498.20171231.1", ["date"]),
        ("2.25.329800735698586629295641978511506172918", []),
    ],
)
def test_told_by(uid: str, told: list[str]) -> None:
    assert told_by(uid.encode()) == told


def shaped(data: bytes) -> list[tuple[int, int]]:
    """Give what has the shape of a UID, byte by byte: runs of numbers with dots between, from a 0, 1 or 2 on."""
    found, at = [], 0
    while at < len(data):
        before = data[:at].removesuffix(b".")[-1:]
        size = len(data[at:]) - len(data[at:].lstrip(b"0123456789."))
        body = data[at : at + size].rstrip(b".")
        numbers = body.split(b".")
        long = len(numbers) > 4 or (
            numbers[:2] == [b"2", b"25"] and 3 <= len(numbers) <= 4 and 20 <= len(numbers[2]) <= 39
        )
        whole = long and all(numbers) and numbers[0] in (b"0", b"1", b"2") and not before.isdigit()
        if whole:
            found.append((at, at + len(body)))
        at += len(body) if whole else 1
    return found


_PIECES = st.sampled_from(
    [b"0", b"1.", b"2.", b"2.25.", b".", b".7", b"25", b"12345678901234567890", b"a", b"\n", b"\xff"]
)


@settings(max_examples=2000, deadline=None)
@given(st.lists(_PIECES, max_size=24).map(b"".join))
def test_uids_are_found_by_their_shape(data: bytes) -> None:
    assert [run for run, _ in uids_in_bytes(data)] == shaped(data)


def naive(data: bytes, serial: bytes) -> set[int]:
    """Give the offsets of all UIDs of a scanner, by its serial number."""
    uids = re.compile(re.escape(_ROOT) + rb"\d+\.\d+\." + re.escape(serial) + rb"\.")
    return {match.start() for match in uids.finditer(data)}


def siemens_files(folder: Path) -> list[tuple[Path, bytes]]:
    """Give the files of scanners that say their serial number, read with pydicom."""
    found = []
    for path in sorted(folder.rglob("*")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                dataset = pydicom.dcmread(path, stop_before_pixels=True)
            except (OSError, pydicom.errors.InvalidDicomError, NotImplementedError, AttributeError):
                continue
        serial = str(dataset.get("DeviceSerialNumber", "")).encode()
        if serial.isdigit() and naive(path.read_bytes(), serial):
            found.append((path, serial))
    return found


@pytest.mark.skipif(corpus_folder() is None, reason="FASTANON_CORPUS is not set")
def test_every_uid_of_a_real_scanner_is_told() -> None:
    folder = corpus_folder()
    assert folder is not None
    counted, names = 0, set()
    for path, serial in siemens_files(folder):
        (found,) = inspect(path)
        told = {place.offset: place for place in found.uids if "device serial" in place.kind}
        wanted = naive(path.read_bytes(), serial)
        assert wanted <= set(told), path
        counted += len(wanted)
        names |= {place.where.rpartition(" > ")[2] for place in told.values()}
    assert counted > 200
    assert {"SOPInstanceUID", "FrameOfReferenceUID", "tReferenceImage0", "tReferenceImage1"} <= names


@pytest.mark.skipif(corpus_folder() is None, reason="FASTANON_CORPUS is not set")
def test_a_real_twix_file_tells_too() -> None:
    folder = corpus_folder()
    assert folder is not None
    path = folder / "pehses__twixtools" / "epi.dat"
    (found,) = inspect(path)
    serials = re.findall(rb'<ParamString."DeviceSerialNumber">\s*\{\s*"(\d+)"', path.read_bytes())
    (serial,) = set(serials)
    assert naive(path.read_bytes(), serial) <= {place.offset for place in found.uids}
    assert {"tReferenceImage0", "tFrameOfReference"} <= {place.where.rpartition(" > ")[2] for place in found.uids}
    assert "device serial and date in a UID" in str(found)
