"""Limits: what they are, how they are changed, and that small files which ask for much get an error instead."""

from __future__ import annotations

import re
import subprocess
import sys
import zlib
from dataclasses import asdict
from pathlib import Path

import pytest

import fastanon
from fastanon.errors import FileError, MalformedError, UsageError
from fastanon.limits import ENVIRONMENT, FLOOR, Limits, from_environment, limited, limits
from tests.builder import DEFLATED, Leaf, meta, part10
from tests.security.bombs import BOMBS, NAME, nested
from tests.security.test_flipped import in_time  # the clock below counts the work of this process alone

__all__ = ["in_time"]

DOCS = Path(__file__).parents[2] / "docs" / "limits.md"

#: Plans a file; says what came of it, and by how many kilobytes the process grew.
PROGRAM = """
import resource, sys, fastanon
fastanon.plan(sys.executable)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
found = fastanon.plan(sys.argv[1])[0]
print(type(found).__name__, found if isinstance(found, Exception) else "")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def plan(path: Path, data: bytes) -> object:
    path.write_bytes(data)
    return fastanon.plan(path)[0]


def test_the_table_of_the_docs_is_what_holds() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: int(number.replace(",", "")) for name, number in rows} == asdict(Limits())


def test_the_environment_changes_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ENVIRONMENT, " depth=3, elements=7 ")
    assert asdict(limits()) == {**asdict(Limits()), "depth": 3, "elements": 7}
    assert isinstance(plan(tmp_path / "a", nested(3, b"")), fastanon.planner.Plan)  # type: ignore[attr-defined]
    error = plan(tmp_path / "b", nested(4, b""))
    assert "limit depth" in str(error)


WRONG = (
    "deep=3",
    "depth",
    "depth=",
    "depth=x",
    "depth=-1",
    "depth=0",
    "=4",
    "depth=1.5",
    "depth=²",
    f"depth={10**19}",
)


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_one_is_wrong_usage_before_any_file(
    text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(UsageError):
        from_environment(text)
    monkeypatch.setenv(ENVIRONMENT, text)
    (tmp_path / "a.dcm").write_bytes(b"no DICOM")
    for call in (lambda: fastanon.plan(tmp_path), lambda: fastanon.anonymize(tmp_path, in_place=True)):
        with pytest.raises(UsageError):
            call()


def test_the_program_says_so_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fastanon", "inspect", str(tmp_path)]
    done = subprocess.run(command, env={ENVIRONMENT: "deep=3"}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "deep" in done.stderr


def test_a_block_changes_them_and_gives_them_back() -> None:
    before = limits()
    with pytest.raises(ZeroDivisionError), limited(depth=5), limited(text=6) as inner:
        assert 1 // (inner.depth - limits().depth) == (inner.text, limits().text)
    assert limits() == before
    with limited(depth=5), limited(text=6) as inner:
        assert limits() is inner
        assert (inner.depth, inner.text) == (5, 6)
    assert limits() == before
    for wrong in ({"deep": 1}, {"depth": 0}, {"depth": True}):
        with pytest.raises(UsageError), limited(**wrong):
            pass


@pytest.mark.parametrize("limit", [name for name in asdict(Limits()) if name not in ("ratio", "members")])
def test_each_of_them_is_kept(limit: str, tmp_path: Path) -> None:
    """A file that is fine is refused once a limit is 1, with the name of the limit in the error."""
    protocol = b'### ASCCONV BEGIN ###\n<XProtocol>{{ "one" "two" }}\n### ASCCONV END ###  '
    comment = f"kept by {limit}".encode().ljust(20)
    leaves = (
        Leaf(0x00100010, "PN", b"DOE^JANE"), Leaf(0x00104000, "LT", b"DOE JANE" + comment),
        Leaf(0x00290010, "LO", b"SIEMENS CSA HEADER"), Leaf(0x00291020, "OB", protocol),
    )  # fmt: skip
    data = nested(2, NAME) if limit == "depth" else part10(leaves, DEFLATED)
    assert not isinstance(plan(tmp_path / "a.dcm", data), FileError)
    with limited(**{limit: 1}):
        error = plan(tmp_path / "b.dcm", data)
    assert isinstance(error, MalformedError)
    assert f"(limit {limit})" in str(error)


def test_little_that_deflates_well_is_fine(tmp_path: Path) -> None:
    value = NAME + b"\xe0\x7f\x10\0OB\0\0" + (FLOOR // 2).to_bytes(4, "little") + bytes(FLOOR // 2)
    packed = zlib.compress(value, 9, -zlib.MAX_WBITS)
    assert len(value) > 900 * len(packed)
    assert not isinstance(plan(tmp_path / "a.dcm", meta(DEFLATED) + packed), FileError)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_harms_nobody(name: str, tmp_path: Path) -> None:
    """In a process of its own, as large as it may get; its clock is that of the processor."""
    data, limit = BOMBS[name]
    path = tmp_path / "bomb"
    path.write_bytes(data)
    assert len(data) < 1 << 21
    done = subprocess.run([sys.executable, "-c", PROGRAM, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said, grown = done.stdout.splitlines()
    assert int(grown) < 300 << 10
    assert said.startswith("MalformedError" if limit else "Plan "), said
    assert f"(limit {limit})" in said or not limit
