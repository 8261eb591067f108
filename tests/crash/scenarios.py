"""Small jobs of every kind, and what may become of their files. All of them go through the public face."""

from __future__ import annotations

import functools
import os
import shutil
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import fastanon
from fastanon.errors import FastanonError
from fastanon.synthetic import Person, interfile_files
from fastanon.system import SYSTEM
from tests.builder import Item, Leaf, Seq, part10
from tests.canary import CANARIES
from tests.crash.states import files, snapshot

FIRST, LAST, NUMBER, BIRTH = CANARIES
PERSON = Person(f"{LAST}^{FIRST}", NUMBER, BIRTH)
LONG = "A^NAME^OF^MORE LETTERS THAN^THERE IS ROOM FOR"
_SHARED = (1 << 20) + (1 << 14)  # from a mebibyte on, a copy shares blocks where it can
_MARK = b"LARGE_PET_LM_RAWDATA"
_DONE = ("anonymized", "unchanged", "copied")


class Outcome(NamedTuple):
    """What a job said of each file: whether it is done, and all its words."""

    done: Sequence[bool]
    said: str


@dataclass(frozen=True)
class Scenario:
    """One job.

    Attributes
    ----------
    name : str
        Of the job.
    make : callable
        Writes the files into a folder.
    strategy : str
        How each of them is written.
    profile, patient : str
        What it is told.
    copies : bool
        Whether it makes copies, or changes the files in place.
    moves_first : bool
        Whether a file may have its old contents under its new name.
    cut : bool
        Whether it finishes what another run has left.
    """

    name: str
    make: Callable[[Path], object]
    strategy: str
    profile: str = "petmr"
    patient: str | None = None
    copies: bool = False
    moves_first: bool = False
    cut: bool = False

    def argv(self, root: Path, key: Path) -> list[str]:
        """Give the job as a command line has it."""
        if self.cut:
            return ["recover", str(root)]
        where = ["-o", str(root / "out")] if self.copies else ["--in-place"]
        more = ["--patient", self.patient] if self.patient else []
        return ["anonymize", str(root / "in"), *where, "--profile", self.profile, *self._key(key), *more]

    def _key(self, key: Path) -> list[str]:
        return ["--key", str(key)] if self.profile != "niftypet" else []

    def run(self, root: Path, key: Path) -> Outcome:
        """Do the job as code does it."""
        if self.cut:
            found = fastanon.recover(root)
            said = " ".join(str(one.error) for one in found)
            return Outcome([all(one.error is None for one in found)], said)
        try:
            report = self.report(root, key)
        except FastanonError as error:
            return Outcome([False], str(error))
        done = [one.status in _DONE for one in report.files]
        return Outcome(done, " ".join((report.to_json(), report.summary(), *map(str, report.files))))

    def report(self, root: Path, key: Path) -> fastanon.Report:
        """Anonymize, and give the report."""
        return fastanon.anonymize(
            root / "in", to=root / "out" if self.copies else None, in_place=not self.copies,
            profile=_profile(self.profile), key=key if self._key(key) else None, patient=self.patient,
        )  # fmt: skip

    def prepare(self, template: Path, root: Path, key: Path) -> None:
        """Lay out the files once more, in a folder that is not there yet."""
        shutil.copytree(template, root / "in")
        if self.strategy == "rewrite":
            for path in files(snapshot(root)):
                _dress(root / path)
        if self.cut:
            with _cut_off():
                self.report(root, key)


@functools.cache
def _profile(name: str) -> fastanon.Profile:
    """Read a profile once: this takes longer than all the rest."""
    return fastanon.load_profile(name)


class _Cut(BaseException):
    """The process is gone."""


@contextmanager
def _cut_off() -> Iterator[None]:
    """End a run in the midst of its third write, as a kill does: all that is left is on the disk."""
    written = []

    def pwrite(fd: int, data: bytes, at: int) -> int:
        written.append(at)
        if len(written) == 3:  # the first is that of the journal
            os.pwrite(fd, data[: len(data) // 2], at)
            raise _Cut
        return os.pwrite(fd, data, at)

    with mock.patch.object(SYSTEM, "pwrite", pwrite), suppress(_Cut):
        yield
        raise AssertionError("the run was not cut off")


def _dress(path: Path) -> None:
    """Give a file what a new one does not have by itself, as far as one may."""
    path.chmod(0o640)
    with suppress(OSError):
        os.setxattr(path, "user.note", b"kept")
    with suppress(PermissionError):
        os.chown(path, 1, 1)


def key_file(folder: Path) -> Path:
    """Write the key of all jobs."""
    path = folder / "key"
    path.write_text(bytes(range(32)).hex())
    path.chmod(0o600)
    return path


def slice_of(path: Path, number: int = 1, pixels: int = 512) -> None:
    """Write a slice of few bytes, in which the patient stands in several places."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_stream(number, Leaf(0x7FE00010, "OW", bytes(range(256)) * (pixels // 256))))


def _stream(number: int, *more: Leaf) -> bytes:
    name = f"{LAST}^{FIRST}".encode()
    inner = (Leaf(0x00100010, "PN", name), Leaf(0x00104000, "LT", name * 20))  # goes, and makes room
    return part10(
        (
            Leaf(0x00080008, "CS", b"ORIGINAL\\PRIMARY"),
            Leaf(0x00080018, "UI", b"1.2.276.0.99.%d" % number),
            Leaf(0x00080060, "CS", b"MR"),
            Leaf(0x00081030, "LO", b"head of " + name),
            Leaf(0x00100010, "PN", name),
            Leaf(0x00100020, "LO", NUMBER.encode()),
            Leaf(0x00100030, "DA", BIRTH.encode()),
            Leaf(0x0020000D, "UI", b"1.2.276.0.99.0"),
            Leaf(0x00200013, "IS", b"%d" % number),
            Seq(0x04000561, (Item(inner),)),
            *more,
        )
    )


def _one(folder: Path) -> None:
    slice_of(folder / "a.dcm")


def _three(folder: Path) -> None:
    for number in (1, 2, 3):
        slice_of(folder / f"{number}.dcm", number)


def _ptd(folder: Path) -> None:
    stream = _stream(1)
    (folder / "a.ptd").write_bytes(bytes(range(256)) * 16 + stream + struct.pack("<i", len(stream)) + _MARK)


def _large(folder: Path) -> None:
    slice_of(folder / "a.dcm", pixels=_SHARED)


def _pair(folder: Path) -> None:
    (folder / "a.dcm").write_bytes(_stream(1))
    (folder / "a.bf").write_bytes(bytes(range(256)) * 16)


def _interfile(folder: Path) -> None:
    interfile_files.make_listmode_files(folder / f"{LAST}.l.hdr", PERSON, 1 << 12)


def _named(folder: Path) -> None:
    slice_of(folder / f"{LAST}.dcm")


def _in_named_folder(folder: Path) -> None:
    slice_of(folder / f"{LAST}_{FIRST}" / "a.dcm")


_ALL = (
    Scenario("patch", _one, "patch", "niftypet"),
    Scenario("patch three", _three, "patch", "niftypet"),
    Scenario("refit", _one, "refit"),
    Scenario("refit three", _three, "refit"),
    Scenario("refit ptd", _ptd, "refit"),
    Scenario("rewrite", _one, "rewrite", "niftypet", LONG),
    Scenario("copy", _large, "rewrite", copies=True),
    Scenario("copy pair", _pair, "rewrite", copies=True),
    Scenario("file name", _named, "refit"),
    Scenario("folder name", _in_named_folder, "refit"),
    Scenario("rewrite and name", _interfile, "rewrite", moves_first=True),
    Scenario("recover", _three, "patch", "niftypet", cut=True),
)
SCENARIOS = {one.name: one for one in _ALL}
