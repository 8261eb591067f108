"""Kernels loaded without numba: they do what the shared suites ask, and what does not fit is compiled again."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fastanon
from fastanon import kept_kernels, kernel_code, kernel_files
from fastanon.kept_kernels import Home, kernel
from tests.kept import COMPILED, COUNT, LOADED, NO_NUMBA, TESTS, counted, files_in, ran

HERE, PACKAGE = Path(__file__).parent, Path(fastanon.__file__).parent
#: What runs over every form of a kernel, and how those of the compiled ones are chosen.
SUITES = {
    "scan": (("test_scan_suite.py",), "not small"),
    "walk": (("conformance/test_walk.py",), "compiled"),
    "tags": (("series/test_csa_tags.py",), "compiled"),
}

#: Numba's own form of kernels, where nothing can be emitted.
BY_NUMBA = """
from fastanon import kernel_code, kernel_files
def emitted(name):
    raise AttributeError("another llvmlite")
kernel_code.emitted, kernel_files.read = emitted, lambda name: None
"""

MANY = """
import fastanon, sys
from pathlib import Path
from fastanon import kept_kernels
from fastanon.synthetic import make_slice
folder = Path(sys.argv[1])
(folder / "in").mkdir()
for number in range(int(sys.argv[2])):
    make_slice(folder / "in" / f"{number}.dcm", rows=8, columns=8, number=number)
report = fastanon.anonymize(folder / "in", to=folder / "out")
used = {"walk", "tag_starts", "few"} & kept_kernels._ready.keys()
print(len(list((folder / "out").rglob("*.dcm"))), len(used), "numba" in sys.modules)
"""

#: Compiles when it is told to.
WAITS = f"from fastanon import kernel_code\nprint('ready', flush=True)\ninput()\n{COUNT}"

#: What a kernel is made for, said differently.
OTHERS = {
    "CPU": "from llvmlite import binding; binding.get_host_cpu_name = lambda: 'another'\n",
    "features": "from llvmlite import binding; binding.get_host_cpu_features = binding.FeatureMap\n",
    "llvmlite": "import llvmlite; llvmlite.__version__ = '0.0'\n",
    "Python": "import sys; sys.version += '+'\n",
    "fastanon": "import fastanon; fastanon.__version__ = '0.0'\n",
}

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "shorter": lambda data: data[:-1],
    "only its head": lambda data: data[:80],
    "longer": lambda data: data + b"\0",
    "a bit of the code": lambda data: data[:-100] + bytes([data[-100] ^ 1]) + data[-99:],
    "a bit of the digest": lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
    "a bit of what it is for": lambda data: data[:20] + bytes([data[20] ^ 1]) + data[21:],
}


@pytest.fixture
def cache(warm: tuple[Path, str], tmp_path: Path) -> Path:
    """Copy all kernels into a folder."""
    shutil.copytree(warm[0], tmp_path / "kept")
    return tmp_path / "kept"


def file_of(name: str, cache: Path) -> Path:
    (found,) = (cache / "fastanon").glob(f"{name}-*.o")
    return found


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("before", [NO_NUMBA, BY_NUMBA], ids=["loaded", "by numba"])
def test_the_shared_suites_pass(suite: str, before: str, cache: Path) -> None:
    files, kind = SUITES[suite]
    kept = files_in(cache)
    done = ran(cache, "-c", before + TESTS, *(str(HERE / file) for file in files), "-k", kind)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert " skipped" not in done.stdout
    assert files_in(cache) == kept


def test_a_run_over_many_files_never_imports_numba(cache: Path, tmp_path: Path) -> None:
    done = ran(cache, "-c", MANY, str(tmp_path), "110")
    assert done.stdout == "110 3 False\n", done.stderr


def test_a_node_of_a_cluster_is_warmed_whole(cache: Path) -> None:
    code = "import sys; from fastanon import kept_kernels as k, tasks; tasks.warm()"
    done = ran(cache, "-c", f"{code}; print(k._ready.keys() == k.KERNELS.keys(), 'numba' in sys.modules)")
    assert done.stdout == "True False\n", done.stderr


def test_fewer_files_use_what_is_kept_and_compile_nothing(cache: Path, tmp_path: Path) -> None:
    for name, kept, used in (("warm", cache, 3), ("cold", tmp_path / "empty", 0)):
        (tmp_path / name).mkdir()
        done = ran(kept, "-c", MANY, str(tmp_path / name), "20")
        assert done.stdout == f"20 {used} False\n", done.stderr
    trees = [sorted((tmp_path / name / "out").iterdir()) for name in ("warm", "cold")]
    assert [path.name for path in trees[0]] == [path.name for path in trees[1]]


def test_the_first_process_keeps_what_the_second_loads(tmp_path: Path) -> None:
    assert counted(tmp_path) == COMPILED
    assert counted(tmp_path) == LOADED
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in kept} == {".o"}  # no pickle of numba's, nothing temporary
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert (tmp_path / "fastanon").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("what", OTHERS)
def test_a_kernel_for_something_else_is_not_used(what: str, cache: Path) -> None:
    before = files_in(cache)
    assert counted(cache, OTHERS[what]) == COMPILED
    assert before.items() <= files_in(cache).items()
    assert counted(cache, NO_NUMBA + OTHERS[what]) == LOADED
    assert counted(cache) == LOADED


@pytest.mark.parametrize("variables", [{"NUMBA_OPT": "1"}, {"NUMBA_CPU_NAME": "generic"}], ids=str)
def test_with_other_settings_of_numba_kernels_are_others(variables: dict[str, str], cache: Path) -> None:
    assert counted(cache, **variables) == COMPILED
    assert counted(cache, **variables) == LOADED


def test_where_numba_has_settings_in_a_file_none_is_used_or_kept(cache: Path, tmp_path: Path) -> None:
    (tmp_path / ".numba_config.yaml").write_text("opt: 1\n")
    before = files_in(cache)
    path = f"import os, sys; sys.path.insert(0, {str(HERE.parent)!r}); os.chdir({str(tmp_path)!r})\n"
    path += "import warnings; warnings.simplefilter('ignore')\n"
    assert counted(cache, path) == COMPILED
    assert files_in(cache) == before


def test_another_source_is_compiled_anew(cache: Path, tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "fastanon", ignore=shutil.ignore_patterns("__pycache__"))
    path = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    assert counted(cache, path) == LOADED
    with (tmp_path / "fastanon" / "scan" / "kernels.py").open("a") as file:
        file.write("\n# changed\n")
    assert counted(cache, path) == COMPILED
    assert counted(cache, path) == LOADED


def imported(path: Path) -> set[Path]:
    """Give the modules of the package that a module imports, but those for type checkers alone."""
    found: set[Path] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("fastanon"):
            module = PACKAGE.parent / str(node.module).replace(".", "/")
            found |= {module / f"{one.name}.py" for one in node.names} | {module.with_suffix(".py")}
    return {one for one in found if one.is_file()}


def test_every_source_counts() -> None:
    known = {PACKAGE / source for source in kernel_files.SOURCES}
    homes = {PACKAGE.parent / (home.module.replace(".", "/") + ".py") for home in kept_kernels.KERNELS.values()}
    assert homes.union({PACKAGE / "kernel_code.py"}, *map(imported, known)) == known


@pytest.mark.parametrize("kind", DAMAGES)
def test_what_is_damaged_is_compiled_anew(kind: str, cache: Path) -> None:
    path = file_of("count_bytes", cache)
    path.write_bytes(DAMAGES[kind](path.read_bytes()))
    assert counted(cache) == COMPILED
    assert counted(cache, NO_NUMBA) == LOADED


@pytest.mark.parametrize("code", [b"", b"no object file", b"\x7fELF" + bytes(60)], ids=repr)
def test_what_is_no_object_file_is_compiled_anew(
    code: bytes, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(cache))
    good = file_of("count_bytes", cache).read_bytes()
    kernel_files.write("count_bytes", code)
    assert file_of("count_bytes", cache).read_bytes() != good
    assert counted(cache) == COMPILED
    assert counted(cache, NO_NUMBA) == LOADED


def test_one_kernel_is_not_taken_for_another(cache: Path) -> None:
    path = file_of("count_bytes", cache)
    path.write_bytes(file_of("tag_starts", cache).read_bytes())
    assert counted(cache) == COMPILED
    assert counted(cache, NO_NUMBA) == LOADED


def test_a_folder_that_cannot_be_made_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert counted(tmp_path / "file") == COMPILED
    assert counted(tmp_path / "file") == COMPILED


@pytest.mark.parametrize("variables", [{"HOME": "/dev/null"}, {"XDG_CACHE_HOME": "not/absolute"}], ids=str)
def test_without_its_variable_the_users_folder_is_taken(variables: dict[str, str], tmp_path: Path) -> None:
    there = {"NUMBA_CACHE_DIR": "", "HOME": str(tmp_path), "XDG_CACHE_HOME": "", **variables}
    assert counted(tmp_path, **there) == COMPILED
    kept = "HOME" not in variables
    assert counted(tmp_path, **there) == (LOADED if kept else COMPILED)
    assert len(files_in(tmp_path / ".cache" / "fastanon")) == (1 if kept else 0)


def test_two_that_compile_at_once_do_no_harm(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", WAITS], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for one in both:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in both:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    assert [one.communicate()[0] for one in both] == 2 * [COMPILED]
    assert counted(tmp_path, NO_NUMBA) == LOADED
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".o"}


def test_with_another_llvmlite_numba_does_it(cache: Path) -> None:
    before = files_in(cache)
    assert counted(cache, "from llvmlite import binding; del binding.JITLibraryBuilder\n") == COMPILED
    assert files_in(cache) == before


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        kernel_files.write("few", b"code")
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize("name", ["raising", "printing"])
def test_what_needs_more_than_itself_is_left_to_numba(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    for one in (name, "plain"):
        monkeypatch.setitem(kept_kernels.KERNELS, one, Home("tests.unkeepable", 1))
    with pytest.raises(RuntimeError, match=f"{name} needs"):
        kernel_code.emitted(name)
    assert [kernel(name)(41), kernel("plain")(41)] == [42, 42]
    assert [path.name.split("-")[0] for path in tmp_path.rglob("*.o")] == ["plain"]
    monkeypatch.undo()
    for one in (name, "plain"):
        del kept_kernels._ready[one]


def test_other_threads_run_meanwhile() -> None:
    """One that waits for another's kernel to begin sees it still at work, sooner or later."""
    data, counts = np.zeros(1 << 28, np.uint8), np.zeros((4, 256), np.uint64)
    seen = False
    for _ in range(5):
        begun, done = threading.Event(), threading.Event()

        def count(begun: threading.Event = begun, done: threading.Event = done) -> None:
            run, at = kernel("count_bytes"), data.ctypes.data
            begun.set()
            run(at, at + len(data), counts.ctypes.data)
            done.set()

        thread = threading.Thread(target=count)
        thread.start()
        begun.wait()
        for _ in range(1000):
            seen = seen or not done.is_set()
        seen = seen and not done.is_set()
        thread.join()
        if seen:
            break
    assert seen


def test_where_numba_shall_compile_nothing_plain_forms_do_it(tmp_path: Path) -> None:
    code = """
import numpy as np
from fastanon.elements import read_elements
from fastanon.chance import histogram
from fastanon.scan import Pattern, matcher
from fastanon.siemens.csa_tags_compiled import tag_starts
from fastanon.synthetic import make_slice
data = make_slice(sys.argv[1], rows=8, columns=8).read_bytes()
assert matcher([Pattern(b"nothing", False), Pattern(b"DICM", False)]).find(data)[0] == (128, 1)
assert len(read_elements(data, 132, len(data), 0, compiled=True).headers) > 100
assert sum(map(sum, histogram([data], compiled=True))) == len(data)
assert tag_starts(data, 0, len(data), np.zeros(9, np.int64)) == 0
print("done")
"""
    done = ran(tmp_path, "-c", NO_NUMBA + code, str(tmp_path / "slice.dcm"), NUMBA_DISABLE_JIT="1")
    assert done.stdout == "done\n", done.stderr
