"""The scanner in memory, beside hyperscan and pyahocorasick, on the same patterns and bytes.

pytest benchmarks/test_scan.py --benchmark-columns=min,median --benchmark-group-by=param:text,param:patterns

What each finds is compared before it is timed. `benchmarks.scan` has the files, ratios and goals.
"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.scan import MIB, TEXTS, Hyperscan, aho_corasick, pattern_sets
from fastanon.scan import matcher
from fastanon.scan.compiled import histogram

SIZE = 64 * MIB
SETS = pattern_sets()


@pytest.fixture(scope="module", params=TEXTS)
def text(request):
    return b"".join(TEXTS[request.param](SIZE))


@pytest.fixture(scope="module", params=SETS)
def patterns(request):
    return SETS[request.param]


@pytest.fixture(scope="module")
def known(text, patterns):
    return Hyperscan(patterns).find(text)


@pytest.mark.parametrize("kind", ["vector", "portable"])
def test_fastanon(benchmark, text, patterns, known, kind):
    search = matcher(patterns, kind=kind)
    assert search.find(text) == known
    benchmark.pedantic(search.find, (text,), rounds=3)


def test_hyperscan(benchmark, text, patterns, known):
    found = benchmark.pedantic(Hyperscan(patterns).find, (text,), rounds=3)
    assert found == known


def test_aho_corasick(benchmark, text, patterns, known):
    """All of it in either case, so it may find more."""
    count = benchmark.pedantic(aho_corasick(patterns, text.lower().decode("latin-1")), rounds=1)
    assert count >= len(known)


def test_histogram(benchmark, text):
    counts, data = np.zeros((4, 256), np.uint64), np.frombuffer(text, np.uint8)
    histogram(text, counts)
    assert (counts == [np.bincount(data[place::4], minlength=256) for place in range(4)]).all()
    benchmark.pedantic(histogram, (text, counts), rounds=3)
