"""What ``fastanon warmup`` compiles is what later processes call, and they find it where it was kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: Calls every kernel as the program does, and tells which were loaded, compiled or never called.
_USE = """
import json, sys
import numpy as np
from fastanon import kept_kernels
from fastanon.elements import read_elements
from fastanon.scan.compiled import histogram
from fastanon.synthetic import make_slice
from tests.scanning import FILLER, GROUPS, KINDS, made
for kind in KINDS[1:]:
    for patterns, _ in GROUPS.values():
        made(patterns, kind).find(FILLER)
histogram(FILLER, np.zeros((4, 256), np.uint64))
data = make_slice(sys.argv[1], rows=8, columns=8).read_bytes()
for view in (data, memoryview(bytearray(data))):
    assert len(read_elements(view, 132, len(data), 0, compiled=True).headers) > 100
from fastanon.siemens.csa_tags_compiled import tag_starts
assert tag_starts(data, 0, len(data), np.zeros(9, np.int64)) == 0
kernels = {kernel.function for kernel in kept_kernels.made}
print(json.dumps({
    "loaded": sum(sum(one.stats.cache_hits.values()) for one in kernels),
    "compiled": [one.py_func.__name__ for one in kernels if one.stats.cache_misses],
    "never": [one.py_func.__name__ for one in kernels if not one.signatures],
    "forms": [one.py_func.__name__ for one in kernels if len(one.signatures) > 1],
}))
"""

#: Imports all that there is, and tells which kernels are not those of `kept_kernels.HOMES`.
_ALL = """
import gc, importlib, json, pkgutil
from numba.core.dispatcher import Dispatcher
import fastanon
from fastanon import kept_kernels
for home in kept_kernels.HOMES:
    importlib.import_module(home)
known = {id(kernel.function) for kernel in kept_kernels.made}
for module in pkgutil.walk_packages(fastanon.__path__, "fastanon."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
gc.collect()
folder = str(fastanon.__path__[0])
every = [one for one in gc.get_objects() if isinstance(one, Dispatcher)]
ours = [one for one in every if one.py_func.__code__.co_filename.startswith(folder)]
assert len(ours) >= len(known) > 5
print(json.dumps([one.py_func.__name__ for one in ours if id(one) not in known]))
"""


def ran(cache: Path, *words: str, **others: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), **others}
    return subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False)


def files_in(cache: Path) -> set[str]:
    return {str(path.relative_to(cache)) for path in cache.rglob("*.nb?")}


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    cache = tmp_path_factory.mktemp("cache")
    done = ran(cache, "-m", "fastanon", "warmup")
    assert (done.returncode, done.stderr) == (0, "")
    return cache, done.stdout


def test_it_says_in_a_line_what_was_compiled_and_where_it_is(warm: tuple[Path, str]) -> None:
    cache, told = warm
    kept = len(list(cache.rglob("*.nbi")))
    assert kept > 5
    assert told.startswith(f"{kept} kernels compiled, 0 were there; ")
    assert told.count("\n") == 1
    assert f"kept in {cache}" in told


def test_a_second_time_nothing_is_compiled(warm: tuple[Path, str]) -> None:
    cache, _ = warm
    before = files_in(cache)
    done = ran(cache, "-m", "fastanon", "warmup")
    assert done.stdout.startswith(f"0 kernels compiled, {len(list(cache.rglob('*.nbi')))} were there; ")
    assert files_in(cache) == before


def test_what_is_called_later_comes_from_the_cache(warm: tuple[Path, str], tmp_path: Path) -> None:
    cache, _ = warm
    before = files_in(cache)
    done = ran(cache, "-c", _USE, str(tmp_path / "slice.dcm"))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("loaded") >= 6
    assert found == {"compiled": [], "never": [], "forms": []}
    assert files_in(cache) == before


def test_no_kernel_is_made_elsewhere(warm: tuple[Path, str]) -> None:
    done = ran(warm[0], "-c", _ALL)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_a_folder_that_others_can_write_is_refused_with_its_name(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    done = ran(tmp_path, "-m", "fastanon", "warmup")
    assert done.returncode == 1
    assert f"can't be kept: {tmp_path}" in done.stderr
    assert "others could put code there" in done.stderr
    assert files_in(tmp_path) == set()


def test_where_numba_finds_no_folder_it_fails(tmp_path: Path) -> None:
    environment = {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator", "NUMBA_CACHE_DIR": ""}
    done = ran(tmp_path, "-m", "fastanon", "warmup", **environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert "can't be kept: numba found no folder" in done.stderr
