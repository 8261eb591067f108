"""What ``fastanon warmup`` compiles is what later processes call, and they find it where it was kept."""

from __future__ import annotations

import json
from pathlib import Path

from fastanon.kept_kernels import KERNELS
from tests.kept import NO_NUMBA, files_in, ran

#: Calls every kernel as the program does, and tells which were never called.
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
from fastanon.siemens.csa_tags_compiled import tag_runs, tag_starts
assert tag_starts(data, 0, len(data), np.zeros(9, np.int64)) == 0
assert tag_runs(data, 0, 80, np.zeros(9, np.int64)) == -1
print(json.dumps(sorted(kept_kernels.KERNELS.keys() - kept_kernels._ready.keys())))
"""

#: Imports all that there is; finds what numba would compile when it is called.
_ALL = """
import gc, importlib, pkgutil
from numba.core.dispatcher import Dispatcher
import fastanon
for module in pkgutil.walk_packages(fastanon.__path__, "fastanon."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
gc.collect()
folder = str(fastanon.__path__[0])
every = [one for one in gc.get_objects() if isinstance(one, Dispatcher)]
print([one.py_func.__name__ for one in every if one.py_func.__code__.co_filename.startswith(folder)])
"""


def test_it_says_in_a_line_what_was_compiled_and_where_it_is(warm: tuple[Path, str]) -> None:
    cache, told = warm
    assert len(files_in(cache)) == len(KERNELS) > 5
    assert told.startswith(f"{len(KERNELS)} kernels compiled, 0 were there; ")
    assert told.count("\n") == 1
    assert f"kept in {cache}" in told


def test_a_second_time_nothing_is_compiled(warm: tuple[Path, str]) -> None:
    cache, _ = warm
    before = files_in(cache)
    done = ran(cache, "-c", f"{NO_NUMBA}from fastanon.cli import main; main(['warmup'])")
    assert done.stdout.startswith(f"0 kernels compiled, {len(KERNELS)} were there; "), done.stderr
    assert files_in(cache) == before


def test_what_is_called_later_was_kept(warm: tuple[Path, str], tmp_path: Path) -> None:
    cache, _ = warm
    before = files_in(cache)
    done = ran(cache, "-c", NO_NUMBA + _USE, str(tmp_path / "slice.dcm"))
    assert (done.returncode, json.loads(done.stdout or "0")) == (0, []), done.stderr
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
    assert files_in(tmp_path) == {}


def test_where_there_is_no_folder_it_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = ran(tmp_path / "file", "-m", "fastanon", "warmup")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"can't be kept: {tmp_path / 'file'}" in done.stderr


def test_where_numba_shall_compile_nothing_it_fails(tmp_path: Path) -> None:
    done = ran(tmp_path, "-m", "fastanon", "warmup", NUMBA_DISABLE_JIT="1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "can't be kept: NUMBA_DISABLE_JIT" in done.stderr


def test_what_this_cpu_cannot_do_is_told(tmp_path: Path) -> None:
    done = ran(tmp_path, "-m", "fastanon", "warmup", NUMBA_CPU_NAME="generic")
    assert done.stdout.startswith(f"{len(KERNELS) - 3} kernels compiled, 0 were there, 3 are not for this CPU; ")
