"""Folders done twice with one key: every file the long way, and those of a series by another."""

from __future__ import annotations

import shutil
from dataclasses import fields, replace
from pathlib import Path
from typing import NamedTuple

import pytest

import fastanon
from fastanon import work
from fastanon.beside import is_record
from fastanon.names import Mask, Met, Renamed
from fastanon.opened import Opened
from fastanon.report import FileResult
from fastanon.scheme import Scheme
from fastanon.search import Finding
from fastanon.series import Likeness, Series

KEY = bytes(range(32))


class Done(NamedTuple):
    """What became of a folder: bytes by name, results, and how many files were planned by others."""

    files: dict[str, bytes]
    results: list[FileResult]
    alike: int


def done(folder: Path, many: int, patched: pytest.MonkeyPatch, in_place: bool, profile: str) -> Done:
    """Do a copy of a folder; from `many` files on, series are looked for."""
    counted = [0]
    like = Series.like

    def counting(self: Series, opened: Opened) -> Likeness | None:
        found = like(self, opened)
        counted[0] += found is not None
        return found

    for name in ("FEW", "MANY"):
        patched.setattr(work, name, many)
    patched.setattr(Series, "like", counting)
    here = folder.with_name("done")
    shutil.rmtree(here, ignore_errors=True)
    key = None if profile == "niftypet" else KEY
    if in_place:
        shutil.copytree(folder, here)
        report = fastanon.anonymize(here, in_place=True, profile=profile, key=key)
    else:
        report = fastanon.anonymize(folder, to=here, profile=profile, key=key)
    patched.undo()
    there = (path for path in here.rglob("*") if path.is_file() and not is_record(path.name))
    files = {path.relative_to(here).as_posix(): path.read_bytes() for path in there}
    return Done(files, [replace(f, bytes_written=0) for f in report.files], counted[0])


def compare(folder: Path, patched: pytest.MonkeyPatch, in_place: bool = False, profile: str = "petmr") -> int:
    """Assert that both ways bring the same and tell the same; give how many files were planned by others."""
    long = done(folder, 1 << 30, patched, in_place, profile)
    short = done(folder, 1, patched, in_place, profile)
    assert long.alike == 0
    assert short.files.keys() == long.files.keys()
    assert [name for name in long.files if short.files[name] != long.files[name]] == []
    for one, other in zip(long.results, short.results, strict=True):
        unlike = [f.name for f in fields(one) if getattr(one, f.name) != getattr(other, f.name)]
        assert {name: getattr(other, name) for name in unlike} == {name: getattr(one, name) for name in unlike}
    return short.alike


def renamed(found: Finding, scheme: Scheme) -> Renamed:
    """How the names of files follow in one that stands alone."""
    return Renamed(Mask(scheme), Met(found.needles), {})
