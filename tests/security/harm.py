"""What a broken file may do: nothing. Runs in a process of its own, whose memory is measured.

``python -m tests.security.harm truncated 6`` and ``... flipped 3000`` print what happened as JSON.
"""

from __future__ import annotations

import hashlib
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

#: Seconds of a processor that one file may take; it takes 0.01.
_PATIENCE = 10
_SEED = 20170327
_SMALL, _LARGEST = 8192, 1 << 20
#: Every so many files are written in place too, the others are planned.
_WRITTEN = 8
_TELLING = (0, 1, 0x20, 0x7F, 0x80, 0xFE, 0xFF)


class HangError(BaseException):
    """Took too long; no handler of the program's own may catch this."""


class Broken(NamedTuple):
    """A broken file: its bytes, and how it was made."""

    data: bytes
    made: str


def _end(*_: object) -> None:
    raise HangError


def small_files(folder: Path) -> list[tuple[str, bytes]]:
    """Give files under 8 KB: every format that fastanon makes or pydicom brings, then those of the corpus."""
    from tests.corpus import samples
    from tools.fuzz_seeds import seeds

    made = [(f"made {n}", data) for n, data in enumerate(seeds("containers"))]
    made += [(path.name, path.read_bytes()) for path in _written(folder)]
    own = [(s.name, s.path.read_bytes()) for s in samples() if 400 < s.path.stat().st_size < _SMALL]
    found = {data: name for name, data in made + own if len(data) < _SMALL}
    # of every origin some, the smallest first
    ordered = sorted(found, key=len)
    return [(found[data], data) for data in ordered]


def _written(folder: Path) -> Iterator[Path]:
    from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

    from tests.siemens_files import Study, write

    for name, syntax in (
        ("implicit", ImplicitVRLittleEndian),
        ("big", ExplicitVRBigEndian),
        ("deflated", DeflatedExplicitVRLittleEndian),
    ):
        yield write(folder / f"{name}.dcm", Study("OKONKWO^CHIDINMA"), syntax)


def truncated(folder: Path, count: int) -> Iterator[Broken]:
    """Cut files at every byte; of `count` files, spread over all sizes and origins."""
    files = small_files(folder)
    step = max(len(files) // count, 1)
    for name, data in files[::step][:count]:
        for size in range(len(data)):
            yield Broken(data[:size], f"{name} cut at {size}")


def flipped(folder: Path, count: int) -> Iterator[Broken]:
    """Change one to four bytes of headers, in every file in turn."""
    from tests.corpus import samples
    from tools.fuzz_seeds import seeds

    files = [(f"made {n}", data) for n, data in enumerate(seeds("containers"))]
    files += [(path.name, path.read_bytes()) for path in _written(folder)]
    files += [(s.name, s.path.read_bytes()) for s in samples() if 400 < s.path.stat().st_size < _LARGEST]
    chance = random.Random(_SEED)
    for number in range(count):
        name, whole = files[number % len(files)]
        data, changes = bytearray(whole), []
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            at = chance.randrange(min(len(data), chance.choice((1024, 4096, 32768))))
            data[at] = chance.choice(
                (chance.choice(_TELLING), chance.randrange(256), data[at] ^ 1 << chance.randrange(8))
            )
            changes.append(f"{at}={data[at]}")
        yield Broken(bytes(data), f"{name} {' '.join(changes)}")


class Trial:
    """Broken files in the hands of fastanon.

    Parameters
    ----------
    folder : Path
        Where they are put, one after the other.
    """

    def __init__(self, folder: Path) -> None:
        from fastanon.schemes import make_scheme

        self.folder, self.scheme = folder, make_scheme()
        self.counts: Counter[str] = Counter()
        self.findings: list[str] = []

    def plan(self, path: Path) -> str:
        """Plan a file; give how it ended, where errors of other kinds than those of files are findings."""
        from fastanon.errors import FileError
        from fastanon.opened import Opened
        from fastanon.planner import plan_in_place

        try:
            with Opened(path) as opened:
                plan_in_place(opened, self.scheme)
        except FileError:
            return "refused"
        return "planned"

    def write(self, path: Path, before: str) -> str:
        """Anonymize a file in place: what is not done is as it was, and what is done can be read again."""
        import fastanon

        result = fastanon.anonymize(path, in_place=True).files[0]
        if result.status in ("refused", "failed"):
            assert not any("internal error" in message for message in result.messages), result.messages
            assert _digest(path.read_bytes()) == before, "refused, and changed"
        elif result.status == "anonymized":
            assert self.plan(path) == "planned", "can't be read again"
        assert [p.name for p in self.folder.iterdir()] == [path.name], "something is left beside it"
        return result.status

    def one(self, number: int, broken: Broken) -> None:
        """Try one file."""
        path = self.folder / "a.dcm"
        path.write_bytes(broken.data)
        before = _digest(broken.data)
        signal.setitimer(signal.ITIMER_VIRTUAL, _PATIENCE)
        try:
            status = self.plan(path)
            assert _digest(path.read_bytes()) == before, "planned, and changed"
            self.counts[status] += 1
            if number % _WRITTEN == 0:
                self.counts[self.write(path, before)] += 1
        except (Exception, HangError) as error:  # noqa: BLE001  # each is a finding
            self.findings.append(f"{broken.made}: {type(error).__name__} {error} {_place(error)}")
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(what: str, count: int) -> dict[str, Any]:
    """Try all files of a kind."""
    signal.signal(signal.SIGVTALRM, _end)
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as made:
        trial = Trial(Path(name))
        used, total = 0.0, 0
        for number, broken in enumerate({"truncated": truncated, "flipped": flipped}[what](Path(made), count)):
            if not used:
                trial.one(number, broken)  # whatever is loaded once is no growth
                used = _megabytes()
            trial.one(number, broken)
            total += 1
    return {
        "files": total, "counts": dict(trial.counts), "findings": trial.findings, "megabytes": _megabytes() - used,
    }  # fmt: skip


def run(what: str, count: int) -> dict[str, Any]:
    """Do it in a process of its own."""
    command = [sys.executable, "-m", "tests.security.harm", what, str(count)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
