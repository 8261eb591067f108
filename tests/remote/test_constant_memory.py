"""Memory does not grow with what goes from a store to a store."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastanon.synthetic import Person, make_listmode

THOROUGH = bool(os.environ.get("FASTANON_THOROUGH"))

#: Runs in a process of its own. ``local://`` is a file as fsspec reads it; the target counts bytes and keeps none.
CODE = """
import resource, sys
import fsspec
from fsspec.spec import AbstractBufferedFile, AbstractFileSystem
import fastanon

class Drain(AbstractBufferedFile):
    def _upload_chunk(self, final=False):
        return True

    def commit(self):
        self.fs.sizes[self.path] = self.tell()

class Drains(AbstractFileSystem):
    protocol = "drain"
    sizes = {}

    def _open(self, path, mode="rb", block_size=None, autocommit=True, **kwargs):
        return Drain(self, path, mode, block_size, autocommit, **kwargs)

    def info(self, path, **kwargs):
        if path not in self.sizes:
            raise FileNotFoundError(path)
        return {"name": path, "size": self.sizes[path], "type": "file"}

    def cat_file(self, path, start=None, end=None, **kwargs):
        raise NotImplementedError

fsspec.register_implementation("drain", Drains)
source, target, audit = sys.argv[1:]
report = fastanon.anonymize(source, to=target, audit=audit)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, report.exit_status, report.files[0].bytes_written)
"""


def peak(path: Path, source: str, target: str, audit: str) -> int:
    """Give the most memory, in kB, that a run of its own needs."""
    run = subprocess.run(
        [sys.executable, "-c", CODE, f"{source}://{path}", target, audit],
        capture_output=True,
        text=True,
        check=True,
    )
    memory, status, written = map(int, run.stdout.split())
    assert (status, run.stderr) == (0, "")
    assert abs(written - path.stat().st_size) < 1 << 16
    return memory


@pytest.mark.parametrize(("source", "to_files"), [("file", True), ("local", True), ("local", False)])
def test_memory_does_not_grow_with_the_object(source: str, to_files: bool, tmp_path: Path) -> None:
    found = []
    for size in (64 << 20, (2 if THOROUGH or source == "file" else 0.5) * (1 << 30)):
        path = make_listmode(tmp_path / f"{size}.dcm", int(size), Person(), sparse=True)
        target = f"file://{tmp_path}/out" if to_files else "drain://out"
        # text alone is quick; and what keeps no byte can't be read back
        found.append(peak(path, source, target, "full" if THOROUGH and to_files else "text"))
    assert found[1] - found[0] < 40 << 10, found
