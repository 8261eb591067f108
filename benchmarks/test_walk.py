"""The walk of one slice: plain and compiled, beside pydicom and a floor.

pytest benchmarks/test_walk.py --benchmark-columns=min,median --benchmark-sort=name

Goals: at most 0.6 ms plain and 10 us compiled for 174 elements. The floor reads the 8 bytes of each
element's header at offsets that are told.
"""

from __future__ import annotations

import struct
from pathlib import Path

import pydicom
import pytest

from fastanon import walk
from fastanon.elements import Elements, read_elements
from fastanon.synthetic import make_slice

ELEMENTS = 174


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path: Path = tmp_path_factory.mktemp("walk") / "slice.dcm"
    make_slice(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def start(data: bytes) -> int:
    return read_elements(data, 132, len(data), 0, only_group=2).end


def _right(elements: Elements, data: bytes, start: int) -> None:
    assert elements.end == len(data)
    assert abs(len(elements) - ELEMENTS) <= 10, f"{len(elements)} elements: the goals are for {ELEMENTS}"
    assert list(elements.tags) == list(read_elements(data, start, len(data), 0).tags)


@pytest.mark.parametrize("compiled", [False, True], ids=["plain", "compiled"])
def test_walk(benchmark, data, start, compiled):
    walked = benchmark(read_elements, data, start, len(data), 0, compiled=compiled)
    _right(walked, data, start)


def test_floor(benchmark, data, start):
    headers = list(read_elements(data, start, len(data), 0).headers)
    read = struct.Struct("<HHHH").unpack_from
    found = benchmark(lambda: [read(data, at) for at in headers])
    assert len(found) == len(headers)


def test_pydicom(benchmark, data, start):
    from io import BytesIO

    from pydicom.filereader import read_dataset

    def read() -> int:
        return len(read_dataset(BytesIO(data[start:]), False, True))

    walked = read_elements(data, start, len(data), 0)
    top = sum(walked[i].depth == 0 for i in range(len(walked)))
    assert benchmark(read) == top
    assert pydicom.__version__
    assert walk.COLUMNS == 8
