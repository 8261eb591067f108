"""The walk of one slice: plain and compiled, beside pydicom and a floor.

pytest benchmarks/test_walk.py --benchmark-columns=min,median --benchmark-sort=name

Goals: at most 0.6 ms plain and 10 us compiled for 174 elements. The floor reads the 8 bytes of each
element's header at offsets that are told.
"""

from __future__ import annotations

import struct
from array import array
from io import BytesIO
from pathlib import Path

import pytest
from pydicom.filereader import read_dataset

from fastanon import dictionary, walk
from fastanon.elements import read_elements
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


@pytest.mark.parametrize("compiled", [False, True], ids=["plain", "compiled"])
def test_walk(benchmark, data, start, compiled):
    from fastanon import walk_compiled

    function = walk_compiled.walk if compiled else walk.walk
    table, state = array("q", bytes(8 * walk.COLUMNS * 512)), array("q", bytes(8 * walk.state_size(64)))
    status = benchmark(
        function, data, start, len(data), 0, 0, table, state, dictionary.kinds(), dictionary.sequences()
    )
    assert (status, state[walk.COUNT], state[walk.WHERE]) == (walk.OK, ELEMENTS, len(data))
    top = [tag for tag, depth in zip(table[0 :: walk.COLUMNS], table[5 :: walk.COLUMNS], strict=True) if not depth]
    assert set(top) - {0} == set(read_dataset(BytesIO(data[start:]), False, True).keys())


def test_floor(benchmark, data, start):
    headers = list(read_elements(data, start, len(data), 0).headers)
    read = struct.Struct("<HHHH").unpack_from
    found = benchmark(lambda: [read(data, at) for at in headers])
    assert len(found) == len(headers)


def test_pydicom(benchmark, data, start):
    """The elements at the top; what is nested pydicom reads when it is asked for."""
    found = benchmark(lambda: read_dataset(BytesIO(data[start:]), False, True))
    assert 100 < len(found) < ELEMENTS


def test_pydicom_whole(benchmark, data, start):
    """All of them, values decoded."""

    def read() -> int:
        return sum(1 for _ in read_dataset(BytesIO(data[start:]), False, True).iterall())

    assert 100 < benchmark(read) < ELEMENTS  # items are no elements there
