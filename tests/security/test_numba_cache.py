"""Compiled kernels come from a cache as pickles: who can write there can run code, so it must be ours alone."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.security.world import NEEDS_ROOT, OTHER_USER

#: What is compiled, and how its dispatcher is found.
KERNELS = {
    "walk": "from fastanon.walk_compiled import _walk as kernel",
    "scan": "from fastanon.scan.kernels import few as kernel",
}
#: Where the cache of a kernel is, if it has one; the second is what its first call does.
_WHERE = "print(getattr(getattr(kernel._cache, '_cache_file', None), '_index_path', ''))"
_LOAD = "kernel._cache.load_overload((), kernel.targetctx)"


class Planted:
    """Makes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = str(marker)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (self._marker,)


def run(kernel: str, cache: Path, code: str) -> str:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, "-c", f"{KERNELS[kernel]}\n{code}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout.strip()


def plant(kernel: str, cache: Path, root: Path) -> Path:
    """Lay a pickle where the kernel's index would be; give the folder that it would make."""
    own = root / "own"
    own.mkdir(mode=0o700)
    index = cache / Path(run(kernel, own, _WHERE)).relative_to(own)
    index.parent.mkdir(parents=True, exist_ok=True)
    index.write_bytes(pickle.dumps(Planted(root / "marker")))
    return root / "marker"


FOLDERS: dict[str, Callable[[Path], object]] = {
    "writable for all": lambda cache: cache.chmod(0o777),
    "writable for all, sticky, with a folder of another user": lambda cache: (
        cache.chmod(0o1777),
        os.chown(next(cache.iterdir()), OTHER_USER, OTHER_USER),
    ),
    "writable for another group": lambda cache: (os.chown(cache, -1, OTHER_USER), cache.chmod(0o775)),
    "of another user": lambda cache: os.chown(cache, OTHER_USER, OTHER_USER),
    "with a folder of another user in it": lambda cache: os.chown(next(cache.iterdir()), OTHER_USER, OTHER_USER),
    "with a folder in it that is writable for all": lambda cache: next(cache.iterdir()).chmod(0o777),
    "with an index of another user": lambda cache: os.chown(next(cache.rglob("*.nbi")), OTHER_USER, OTHER_USER),
}
CASES = [pytest.param(kind, marks=NEEDS_ROOT if "another" in kind else ()) for kind in FOLDERS]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("kind", CASES)
def test_no_code_comes_from_a_cache_that_others_can_write(kind: str, kernel: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    marker = plant(kernel, cache, tmp_path)
    FOLDERS[kind](cache)
    run(kernel, cache, _LOAD)
    assert not marker.exists()


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_attack_works_where_the_cache_is_ours_alone(kernel: str, tmp_path: Path) -> None:
    """What was planted is what would be loaded: else the tests above would show nothing."""
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    marker = plant(kernel, cache, tmp_path)
    run(kernel, cache, _LOAD)
    assert marker.exists()
