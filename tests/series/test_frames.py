"""A file that is cut as another, without a walk, is cut as a walk cuts it."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from fastanon.container import read_parts
from fastanon.errors import FileError
from fastanon.opened import Opened
from fastanon.schemes import make_scheme
from fastanon.series.difference import Frame, walked
from fastanon.series.layout import layout_of
from fastanon.synthetic import Person, make_slice
from fastanon.work import Options, Work
from tests.corpus import dicom_files
from tests.series.both import renamed

ROUNDS = 60


def frame_of(path: Path, folder: Path) -> Frame | None:
    """Do a file the long way, and give the frame of what is remembered of it."""
    scheme = make_scheme()
    work = Work(Options(scheme, str(folder)), lambda _: None, many=True)
    series = work._series
    assert series is not None
    with Opened(str(path)) as opened:
        try:
            found = work._searched(opened)
            work._do(opened, found, renamed(found, scheme), "", alone=True)
        except FileError:  # refused
            return None
    return next((known._frames[len(known.template.data)] for known in series._known.values()), None)


def places(frame: Frame) -> tuple[list[int], list[int]]:
    """Give the bytes around the payload that may be anything, and all others."""
    free, others = [], []
    for run, _, units in frame._around:
        where = np.arange(run.start, run.stop)
        free += where[units >= 0].tolist()
        others += where[units < 0].tolist()
    return free, others


def check(frame: Frame, data: bytes, path: Path) -> bool:
    """Assert that the frame says of a file what a walk says; say whether it said anything."""
    path.write_bytes(data)
    with Opened(str(path)) as opened:
        quick = frame.difference(opened)
        if quick is None:
            return False
        layout = layout_of(read_parts(opened))
        assert layout is not None
        slow = walked(frame._template, layout)
        assert quick.starts == slow.starts
        assert quick.changed == slow.changed
        assert quick.layout.signature == layout.signature
        for one, other in zip(quick.layout.tables, layout.tables, strict=True):
            assert one.tobytes() == other.tobytes()
        row = frame._template.units[frame._template.payload_unit]
        assert quick.layout.row(row).tolist() == layout.row(row).tolist()
        assert layout.dataset.inside_rows.keys() == quick.layout.dataset.inside_rows.keys()
    return True


@pytest.fixture
def made(tmp_path: Path) -> tuple[Frame, bytes]:
    (tmp_path / "out").mkdir()
    path = make_slice(tmp_path / "slice.dcm", Person(), 32, 32)
    frame = frame_of(path, tmp_path / "out")
    assert frame is not None
    return frame, path.read_bytes()


def test_values_of_any_kind(made: tuple[Frame, bytes], tmp_path: Path) -> None:
    frame, data = made
    free, _ = places(frame)
    assert len(free) > len(data) / 2
    dice = random.Random(0)
    for _ in range(ROUNDS):
        other = bytearray(data)
        for at in dice.sample(free, dice.choice((1, 10, 1000, len(free)))):
            other[at] = dice.choice((0, 0xFF, 0xFE, dice.randrange(256)))
        assert check(frame, bytes(other), tmp_path / "other.dcm")


def test_a_byte_that_says_how_others_are_read(made: tuple[Frame, bytes], tmp_path: Path) -> None:
    frame, data = made
    _, others = places(frame)
    dice = random.Random(1)
    assert len(others) > 1000
    for at in dice.sample(others, 300):
        other = bytearray(data)
        other[at] ^= dice.randrange(1, 256)
        assert not check(frame, bytes(other), tmp_path / "other.dcm")
    assert not check(frame, data + b"\0\0", tmp_path / "other.dcm")


def test_pixels_of_any_kind(made: tuple[Frame, bytes], tmp_path: Path) -> None:
    frame, data = made
    start, stop = frame._around[0][0].stop, frame._around[1][0].start
    assert stop - start == 32 * 32 * 2
    other = data[:start] + random.Random(2).randbytes(stop - start) + data[stop:]
    assert check(frame, other, tmp_path / "other.dcm")


def test_real_files(tmp_path: Path) -> None:
    """Whatever their VRs: in implicit ones the first bytes of a private value may make it a sequence."""
    (tmp_path / "out").mkdir()
    dice = random.Random(3)
    told = 0
    for path in [one for one in dicom_files() if one.stat().st_size < 1 << 19]:
        frame = frame_of(path, tmp_path / "out")
        if frame is None:
            continue
        data = path.read_bytes()
        free, _ = places(frame)
        for _ in range(4):
            other = bytearray(data)
            for at in dice.sample(free, dice.choice((1, len(free) // 2, len(free)))):
                other[at] = dice.choice((0, 0xFE, 0xFF, 0xE0, dice.randrange(256)))
            told += check(frame, bytes(other), tmp_path / "other.dcm")
    assert told > 100 or not dicom_files()
