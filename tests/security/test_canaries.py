"""Nothing that the program makes or says holds a planted value: done, failed, killed, or recovered.

Not promised, and so left out: files that were refused or not reached, which are byte for byte as they were; what
``inspect`` and ``displayonly`` show; a path that a usage error repeats as it was typed; and the path of a refused
file in a run that met no file of that patient, as SECURITY.md says.
"""

from __future__ import annotations

import base64
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import fastanon
from fastanon.journal import NAME
from fastanon.pseudonyms import new_key
from tests.security import zoo
from tests.security.oracle import Oracle
from tests.security.zoo import Zoo

ROOT = Path(fastanon.__file__).parent.parent
THOROUGH = bool(os.environ.get("FASTANON_THOROUGH"))
FILES = 300 if THOROUGH else 60
SEED = int(os.environ.get("FASTANON_SEED") or random.SystemRandom().randrange(1 << 32))
SECONDS = 500
PLACES = ("copies", "in place")
pytestmark = pytest.mark.usefixtures("seeded")


def cases(*faults: tuple[str, int]) -> list[tuple[str, str]]:
    """Pair faults with places; each has its bits of those where it is tried in the normal run."""
    return [
        (fault, where) for fault, bits in faults for bit, where in enumerate(PLACES) if THOROUGH or bits >> bit & 1
    ]


def drawn(fault: str, where: str, whole: dict[str, Run]) -> int:
    """Draw the call at which a run goes wrong."""
    return random.Random(f"{SEED} {fault} {where}").randrange(1, whole[where].calls)


@pytest.fixture(scope="module")
def seeded() -> None:
    """Say how to have the same again; pytest shows it where a test fails."""
    print(f"FASTANON_SEED={SEED}")


@pytest.fixture(scope="module")
def animals(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    return zoo.make(tmp_path_factory.mktemp("zoo") / "in", FILES, SEED)


@pytest.fixture(scope="module")
def oracle(animals: Zoo) -> Oracle:
    return Oracle(animals.canaries)


@dataclass
class Run:
    """A run in a folder of its own: ``in`` (in place), ``out``, key, vault, report, and what it said."""

    root: Path
    zoo: Zoo
    oracle: Oracle
    said: list[bytes] = field(default_factory=list)
    status: int = -1
    calls: int = 0

    def start(self, where: str, fault: str = "none", number: int = 0, *more: str) -> int:
        """Run the program; give its exit status."""
        target = ["--in-place"] if where == "in place" else ["-o", str(self.root / "out")]
        source = self.root / "in" if where == "in place" else self.zoo.folder
        settings = [f"--{name}={self.root / name}" for name in ("key", "vault")]
        return self.call(fault, number, "anonymize", str(source), *target, *settings, "-v", *more)

    def call(self, fault: str, number: int, *arguments: str) -> int:
        """Run any command."""
        code = ["-X", "dev", "-W", "default", "-m", "tests.security.driver", fault, str(number)]
        environment = {**os.environ, "TMPDIR": str(self.root / "tmp"), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, *code, str(self.root / "count"), "--", *arguments],
            env=environment,
            capture_output=True,
            check=False,
            timeout=SECONDS,
            cwd=self.root,
        )
        self.said += [done.stdout, done.stderr]
        return done.returncode

    def assert_clean(self, final: bool = True) -> None:
        """Fail with all that came out; a file with a journal beside it is looked at when it is finished."""
        assert "\n".join(self.leaks(final)) == ""

    def leaks(self, final: bool = True) -> list[str]:
        """Name every file made or changed that holds a value, every new path that does, and what was said.

        A file in place that is what it was is not reached or refused, even if it has its new name already.
        """
        found = [f"said: {words}" for text in self.said if (words := self.oracle.found(text))]
        for path in sorted(p for p in self.root.rglob("*") if p.is_file()):
            name = path.relative_to(self.root).as_posix()
            data = path.read_bytes()
            unfinished = not final and name.startswith("in/") and (path.parent / NAME).exists()
            if not (name.startswith("in/") and _digest(data) in self.zoo.originals) and not unfinished:
                found += [f"{name}: {words}" for words in self.oracle.found(data)]
            found += [f"the path {name}: {words}" for words in self.oracle.found(self._new_part(name))]
        return found

    def _new_part(self, name: str) -> bytes:
        """Give what is new in a path: a folder that stays may hold files of ours for a while."""
        parts, at = Path(name.removeprefix("in/")).parts, self.zoo.folder
        while parts and name.startswith("in/") and os.path.lexists(at / parts[0]):
            at, parts = at / parts[0], parts[1:]
        return os.fsencode("/".join(parts))


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def begun(root: Path, animals: Zoo, oracle: Oracle) -> Run:
    (root / "tmp").mkdir()
    shutil.copytree(animals.folder, root / "in")
    new_key(root / "key")
    return Run(root, animals, oracle)


@pytest.fixture
def run(animals: Zoo, oracle: Oracle, tmp_path: Path) -> Run:
    return begun(tmp_path, animals, oracle)


@pytest.fixture(scope="module")
def whole(animals: Zoo, oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Run to the end; faults are drawn among the calls of these."""
    found = {}
    for where in PLACES:
        one = found[where] = begun(tmp_path_factory.mktemp("whole"), animals, oracle)
        one.status = one.start(where, "none", 0, "--report", str(one.root / "report.json"))
        one.calls = int((one.root / "count").read_text())
    return found


def test_the_oracle_finds_what_is_there(animals: Zoo, oracle: Oracle) -> None:
    """Every value stands in some file, and paths have some too: else nothing would be shown."""
    files = [path for path in animals.folder.rglob("*") if path.is_file()]
    seen = {word for path in files for word in oracle.found(path.read_bytes())}
    people = [subject.person for subject in animals.subjects]
    assert {word for one in people for word in (*one.name.split("^"), one.patient_id, one.birth_date)} <= seen
    assert {subject.institution for subject in animals.subjects} <= seen
    assert {subject.comment for subject in animals.subjects} & seen
    assert sum(bool(oracle.found(os.fsencode(path.name))) for path in files) > FILES / 2
    assert len(files) >= FILES


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le", "utf-16-be", "base64"])
def test_the_oracle_knows_every_spelling(codec: str) -> None:
    oracle = Oracle(["QUVEXORAMI"])
    for shift in range(3):
        text = " " * shift + "QUVEXORAMI "
        data = base64.b64encode(text.encode()) if codec == "base64" else text.lower().encode(codec)
        assert oracle.found(b"\0\1" + data + b"\2") == ["QUVEXORAMI"]
    assert oracle.found(b"QUVEXORAM and I" * 9) == []


@pytest.mark.parametrize("where", PLACES)
def test_a_run_that_succeeds(where: str, whole: dict[str, Run]) -> None:
    run = whole[where]
    assert run.status == 4, run.said  # the broken ones were refused
    run.assert_clean()


def test_in_place_only_what_is_refused_stays(whole: dict[str, Run]) -> None:
    run = whole["in place"]
    files = {path for path in (run.root / "in").rglob("*") if path.is_file()}
    files -= {run.root / "in" / name for name in run.zoo.refusable}
    assert [path for path in files if run.oracle.found(path.read_bytes())] == []


@pytest.mark.parametrize("command", ["audit", "what-if", "recover"])
def test_what_only_looks_says_nothing(command: str, run: Run, whole: dict[str, Run]) -> None:
    source = str(run.zoo.folder)
    arguments = {
        "audit": ["audit", str(whole["copies"].root / "out"), "--against", source, "-v"],
        "what-if": ["anonymize", "--what-if", source],
        "recover": ["recover", source],
    }
    run.call("none", 0, *arguments[command])
    run.assert_clean()


FAILING = cases(("ENOSPC", 1), ("EIO", 2), ("unreadable", 1), ("crash", 0), ("EACCES", 0), ("memory", 0))
KILLED = cases(("SIGKILL", 3), ("SIGTERM", 2), ("SIGINT", 0))


@pytest.mark.parametrize(("fault", "where"), FAILING)
def test_a_run_that_fails(fault: str, where: str, run: Run, whole: dict[str, Run]) -> None:
    run.start(where, fault, drawn(fault, where, whole), "--report", str(run.root / "report.json"))
    run.assert_clean(final=False)
    if where == "in place":
        run.call("none", 0, "recover", str(run.root / "in"))
        run.assert_clean()


@pytest.mark.parametrize(("fault", "where"), KILLED)
def test_a_run_that_is_killed(fault: str, where: str, run: Run, whole: dict[str, Run]) -> None:
    status = run.start(where, fault, drawn(fault, where, whole))
    assert status in (-signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGTERM, 128 + signal.SIGINT, 1, 4)
    run.assert_clean(final=False)
    if where == "in place":
        run.call("none", 0, "recover", str(run.root / "in"))
        run.assert_clean()
    if (fault, where) == ("SIGKILL", "in place"):
        run.start(where)  # what was not reached
        run.said.clear()  # whose the refused files are nobody tells any more: their paths are shown as they are
        run.assert_clean()
