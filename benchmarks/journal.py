"""What safety costs in place: many small files with one journal a folder, with one each, and with none.

``python -m benchmarks.journal [--files N] [--runs N]`` writes three edits of 24 bytes into N files, asserts that
each of the ways wrote them, and prints medians in turn, in process. The floor writes without any journal and syncs
once at the end: cut off in the middle it loses files. The rival is what in-place editors do: write the whole file.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fastanon import apply
from fastanon.apply import Change
from fastanon.opened import identity_at
from fastanon.system import SYSTEM

SIZE, AT = 220_000, (400, 9000, 40_000)
NEW = b"anonymised patient name."


def changes(paths: list[Path]) -> list[Change]:
    """Give the same three edits for every file."""
    writes = tuple((at, NEW) for at in AT)
    return [Change(str(path), identity_at(str(path)), writes, SIZE, str(path)) for path in paths]


def together(paths: list[Path]) -> None:
    for start in range(0, len(paths), 128):
        assert not any(apply.commit(changes(paths[start : start + 128])))


def one_by_one(paths: list[Path]) -> None:
    for path in paths:
        assert not any(apply.commit(changes([path])))


def without(paths: list[Path]) -> None:
    for path in paths:
        fd = os.open(path, os.O_RDWR)
        for at in AT:
            os.pwrite(fd, NEW, at)
        os.close(fd)
    _sync(paths[0].parent)


def truncated(paths: list[Path]) -> None:
    for path in paths:
        data = bytearray(path.read_bytes())
        for at in AT:
            data[at : at + len(NEW)] = NEW
        path.write_bytes(data)
    _sync(paths[0].parent)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    SYSTEM.syncfs(fd)
    os.close(fd)


CASES: dict[str, Callable[[list[Path]], None]] = {
    "no journal (floor)": without, "one journal for 128 files": together, "one journal each": one_by_one,
    "truncate and write (rival)": truncated,
}  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=512)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in CASES}
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{n}.dcm") for n in range(options.files)]
        for _ in range(options.runs + 1):
            for name, write in CASES.items():
                times[name].append(_time(write, paths, Path(folder)))
    floor = statistics.median(times["no journal (floor)"][1:])
    for name, found in times.items():
        middle = statistics.median(found[1:])  # the first warms up
        print(f"| {name:<28} | {1e3 * middle / options.files:>6.3f} ms a file | {middle / floor:>6.2f}x |")


def _time(write: Callable[[list[Path]], None], paths: list[Path], folder: Path) -> float:
    for path in paths:
        path.write_bytes(bytes(SIZE))
    _sync(folder)
    start = time.perf_counter()
    write(paths)
    taken = time.perf_counter() - start
    assert all(path.read_bytes().count(NEW) == len(AT) for path in paths)
    return taken


if __name__ == "__main__":
    main()
