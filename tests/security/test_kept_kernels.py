"""Compiled kernels come from a folder as machine code: who can write there can run code, so it must be ours."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from llvmlite import binding

from fastanon import kernel_files
from tests.kept import COMPILED, counted
from tests.security.world import NEEDS_ROOT, OTHER_USER

#: What an attacker's kernel does: nothing, so that all counts are wrong.
HOSTILE = "define i64 @fastanon_count_bytes(i64 %a, i64 %b, i64 %c) {\n  ret i64 0\n}\n"
WRONG = "wrong loaded\n"


def machine_code(text: str) -> bytes:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(jit=True, codemodel="jitdefault")
    code: bytes = machine.emit_object(binding.parse_assembly(text))
    return code


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a kernel into a folder that fits in all but what it does."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir(mode=0o700)
    kernel_files.write("count_bytes", machine_code(HOSTILE))
    return tmp_path / "cache"


def inner(cache: Path) -> Path:
    return cache / "fastanon"


def file_in(cache: Path) -> Path:
    return next(inner(cache).iterdir())


def moved(cache: Path, link: Callable[[Path, Path], object]) -> None:
    """Put the kernel elsewhere, and a link to it where it was."""
    path = file_in(cache)
    path.rename(cache.parent / "elsewhere")
    link(path, cache.parent / "elsewhere")


FOLDERS: dict[str, Callable[[Path], object]] = {
    "writable for all": lambda cache: cache.chmod(0o777),
    "writable for all, sticky, with a folder of another user": lambda cache: (
        cache.chmod(0o1777),
        os.chown(inner(cache), OTHER_USER, OTHER_USER),
    ),
    "writable for another group": lambda cache: (os.chown(cache, -1, OTHER_USER), cache.chmod(0o775)),
    "of another user": lambda cache: os.chown(cache, OTHER_USER, OTHER_USER),
    "with a folder of another user in it": lambda cache: os.chown(inner(cache), OTHER_USER, OTHER_USER),
    "with a folder in it that is writable for all": lambda cache: inner(cache).chmod(0o777),
    "with a folder in it that another group can write": lambda cache: (
        os.chown(inner(cache), -1, OTHER_USER),
        inner(cache).chmod(0o770),
    ),
    "with a file of another user": lambda cache: os.chown(file_in(cache), OTHER_USER, OTHER_USER),
    "with a file that is writable for all": lambda cache: file_in(cache).chmod(0o666),
    "with a link for a file": lambda cache: moved(cache, Path.symlink_to),
    "with a pipe for a file": lambda cache: moved(cache, lambda path, _: os.mkfifo(path)),
    "with a folder for a file": lambda cache: moved(cache, lambda path, _: path.mkdir()),
}
CASES = [pytest.param(kind, marks=NEEDS_ROOT if "another" in kind else ()) for kind in FOLDERS]


@pytest.mark.parametrize("kind", CASES)
def test_no_code_comes_from_a_folder_that_others_can_write(kind: str, cache: Path) -> None:
    FOLDERS[kind](cache)
    before = {path.name for path in inner(cache).iterdir()}
    assert counted(cache) == COMPILED
    assert {path.name for path in inner(cache).iterdir()} == before  # nor is anything put there


def test_no_code_comes_from_a_folder_behind_a_link_that_others_can_write(cache: Path, tmp_path: Path) -> None:
    inner(cache).rename(tmp_path / "elsewhere")
    inner(cache).symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").chmod(0o777)
    assert counted(cache) == COMPILED


def test_the_attack_works_where_the_folder_is_ours_alone(cache: Path) -> None:
    """What was planted is what would be loaded: else the tests above would show nothing."""
    assert counted(cache) == WRONG
