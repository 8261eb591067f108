"""Nothing that reads a file calls itself: how deep a file goes, the file says."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastanon
from tests.builder import EXPLICIT, meta
from tests.security.bombs import ENDS, ITEM, NAME, UNDEFINED, private

FOLDER = Path(fastanon.__file__).parent
READERS = [
    *(FOLDER / f"{name}.py" for name in (
        "walk", "elements", "boxes", "container", "raw", "text", "inside", "dicom", "dicomdir", "part",
        "decisions", "edits", "formats", "journal", "uids", "markers", "search",
    )),
    *sorted((FOLDER / "siemens").glob("*.py")),
]  # fmt: skip

#: The lowest bound with which a flat file is planned has to do for a deep one.
PROGRAM = """
import sys, fastanon
from fastanon.limits import limited
flat, deep = sys.argv[1:]
def planned(path, bound):
    before = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(bound)
        return fastanon.plan(path, patient="SOMEBODY MUCH LONGER")[0]
    except RecursionError:
        return None
    finally:
        sys.setrecursionlimit(before)
with limited(depth=3000):
    planned(flat, 900)  # what is loaded once needs more
    bound = next(bound for bound in range(20, 900, 5) if planned(flat, bound) is not None)
    found = planned(deep, bound + 20)
    print(bound, type(found).__name__, len(found.edits))
"""


def items(levels: int) -> bytes:
    """Nest sequences of defined length, which all have to change when the name in the last one does."""
    inner = NAME + b"\x10\0\x20\0LO\4\0PID7"
    for _ in range(levels):
        inner += b"\x08\0\0\0UL\4\0" + bytes(4)
        item = ITEM + len(inner).to_bytes(4, "little") + inner
        inner = b"\x08\0\x40\x11SQ\0\0" + len(item).to_bytes(4, "little") + item
    return meta(EXPLICIT) + inner


def undefined(levels: int) -> bytes:
    opening = b"\x08\0\x40\x11SQ\0\0" + UNDEFINED + ITEM + UNDEFINED
    return meta(EXPLICIT) + opening * levels + NAME + ENDS * levels


def braces(levels: int) -> bytes:
    text = b"<XProtocol>" + b'<P."a">{' * levels + b'<P."PatientName">{"DOE JANE"}' + b"}" * levels
    return private(text.ljust(2000))


@pytest.mark.parametrize("write", [items, undefined, braces])
def test_a_deep_file_needs_no_deeper_stack(write: type, tmp_path: Path) -> None:
    flat, deep = tmp_path / "flat", tmp_path / "deep"
    flat.write_bytes(write(1))
    deep.write_bytes(write(300))
    done = subprocess.run([sys.executable, "-c", PROGRAM, flat, deep], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    bound, kind, edits = done.stdout.split()
    assert 20 < int(bound) < 200
    assert kind == "Plan"
    assert int(edits) > 1


def calls(function: ast.AST) -> Iterator[str]:
    """Give what a function calls by its bare name or as a method of its own."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name):
                yield called.id
            elif isinstance(called, ast.Attribute) and getattr(called.value, "id", "") == "self":
                yield called.attr


def circles(source: str) -> list[str]:
    """Name the functions of a module that come back to themselves."""
    functions = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)]
    called = {one.name: set(calls(one)) for one in functions}
    found = []
    for name in called:
        reached, waiting = set(), set(called[name])
        while waiting:
            one = waiting.pop()
            reached.add(one)
            waiting |= called.get(one, set()) - reached
        if name in reached:
            found.append(name)
    return found


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.stem)
def test_no_reader_calls_itself(path: Path) -> None:
    assert circles(path.read_text(encoding="utf-8")) == []


def test_the_check_sees_circles() -> None:
    assert circles("def a():\n b()\ndef b():\n c()\ndef c():\n a()\ndef d():\n a()") == ["a", "b", "c"]
    assert circles("class A:\n def m(self):\n  return self.m()") == ["m"]
