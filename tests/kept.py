"""Kernels that were kept: a folder with all of them, and processes that use it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

#: Counts bytes with a compiled kernel and beside it; says then whether numba was needed.
COUNT = """
import sys
import numpy as np
from fastanon.scan.compiled import histogram
data = np.random.default_rng(7).integers(0, 256, 9999, np.uint8)
counts = np.zeros((4, 256), np.uint64)
histogram(data.tobytes(), counts)
right = all(counts[n].tolist() == np.bincount(data[n::4], minlength=256).tolist() for n in range(4))
print("right" if right else "wrong", "by numba" if "numba" in sys.modules else "loaded")
"""
LOADED, COMPILED = "right loaded\n", "right by numba\n"

#: In front of a program: numba can't be imported.
NO_NUMBA = "import sys; sys.modules['numba.core'] = None\n"

#: Runs tests, as many as are to be run.
TESTS = "import sys, pytest; sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', *sys.argv[1:]]))"


def ran(cache: Path, *words: str, **others: str) -> subprocess.CompletedProcess[str]:
    """Run Python with kernels kept in a folder."""
    inherited = {name: value for name, value in os.environ.items() if name != "FASTANON_CORPUS"}  # all or nothing
    environment = {**inherited, "NUMBA_CACHE_DIR": str(cache), **others}
    return subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False)


def counted(cache: Path, before: str = "", **others: str) -> str:
    """Say whether bytes were counted right, and how, after some other code."""
    done = ran(cache, "-c", before + COUNT, **others)
    return done.stdout or done.stderr


def files_in(cache: Path) -> dict[str, bytes]:
    """Give all files there are below a folder, hidden ones too."""
    return {str(path.relative_to(cache)): path.read_bytes() for path in cache.rglob("*") if path.is_file()}
