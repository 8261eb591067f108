"""What is around the kernels: which is chosen, what they may read, what is imported, and byte counts."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastanon import scan
from fastanon.identity import Needle
from fastanon.scan import door, find, matcher
from fastanon.scan.compiled import Compiled, histogram
from fastanon.scan.small import Small
from fastanon.scan.vector import target_shuffle
from tests.scanning import GROUPS, KINDS, folding

#: Runs a matcher on buffers that begin and end at pages which cannot be read.
GUARDED = """
import ctypes, mmap, sys
from tests.scanning import GROUPS, KINDS, made, naive
page = mmap.PAGESIZE
area = mmap.mmap(-1, 4 * page)
base = ctypes.addressof(ctypes.c_char.from_buffer(area))
protect = ctypes.CDLL(None, use_errno=True).mprotect
protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
for end in (0, 3):
    assert protect(base + end * page, page, 0) == 0
view = memoryview(area)
for kind in KINDS[1:]:
    for patterns, _ in GROUPS.values():
        search, word = made(patterns, kind), patterns[0].data
        for size in (1, 60, 130, 200, 1000):
            for start in (page, 3 * page - size):
                part = view[start : start + size]
                part[:] = (b"." * size + word)[-size:]
                assert search.find(part) == naive(bytes(part), patterns), (kind, size, start)
print("done")
"""


@pytest.mark.skipif("vector" not in KINDS, reason="numba's target has no byte shuffle")
@pytest.mark.parametrize("group", GROUPS)
def test_each_kernel_has_its_patterns(group: str) -> None:
    patterns, kernels = GROUPS[group]
    plans = Compiled(patterns, "vector").plans
    assert " ".join(plan.kernel.__name__ for plan in plans) == kernels


def test_kernels_read_nothing_beyond_a_buffer_but_whole_blocks_inside() -> None:
    done = subprocess.run([sys.executable, "-c", GUARDED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_the_door_keeps_numba_for_bulk() -> None:
    patterns = folding(b"jansen", b"anna")
    assert isinstance(matcher(patterns, size=1000), Small)
    assert isinstance(matcher(patterns, size=1 << 40), Compiled)
    assert isinstance(matcher(patterns), Compiled)
    assert matcher(patterns).kind == ("vector" if target_shuffle() else "portable")
    assert [matcher(patterns, kind=kind).kind for kind in KINDS[1:]] == list(KINDS[1:])


def test_a_small_search_imports_nothing_slow() -> None:
    code = (
        "import os, sys; from fastanon.scan import in_file, matcher, Pattern;"
        "small = matcher([Pattern(b'anna', True)], size=99);"
        "assert small.find(b'.Anna') == [(1, 0)];"
        "assert in_file(os.open(sys.executable, os.O_RDONLY), small, 0, 99) == [];"
        "print({'numba', 'numpy', 'concurrent'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from("aAbn ^\xe9"), max_size=60), st.booleans())
def test_needles_are_found_alike_by_all(text: str, short: bool) -> None:
    needles = [
        Needle(word.encode(codec), True, short, codec, "name", "x")
        for word in ("anna", "ba", "n\xe9") for codec in ("latin-1", "utf-8", "utf-16-le")
    ]  # fmt: skip
    data = text.encode("latin-1") + text.encode("utf-16-le")
    wanted = find(data, needles)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door, "_WORTH", -1)
        assert scan.find(data, needles) == wanted


@pytest.mark.parametrize("size", [*range(10), 63, 64, 1001, 70_000])
def test_bytes_are_counted_by_their_place_in_words(size: int) -> None:
    data = np.random.default_rng(size).integers(0, 256, size, np.uint8)
    counts = np.zeros((4, 256), np.uint64)
    for _ in range(2):
        histogram(data.tobytes(), counts)
    for place in range(4):
        assert counts[place].tolist() == (2 * np.bincount(data[place::4], minlength=256)).tolist()


def test_counts_that_are_no_counts_are_refused() -> None:
    for wrong in (np.zeros((4, 256), np.int64), np.zeros((4, 255), np.uint64), np.zeros((256, 4), np.uint64).T):
        with pytest.raises(ValueError, match="counts"):
            histogram(b"abcd", wrong)
