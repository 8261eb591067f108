"""The canary itself: every door it watches is opened once, and it has to sing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.canary import CANARIES, assert_clean, leaks_in

pytest_plugins = ["pytester"]

#: Name of a test, its body, and where the canary has to find the value; None: nowhere.
DOORS = (
    ("test_output(a=0)", "print(V)", "output"),
    ("test_stderr(a=0)", "import sys; print(V, file=sys.stderr)", "output"),
    ("test_capsys(capsys)", "print(V); assert capsys.readouterr().out", "output"),
    ("test_capfd(capfd)", "print(V); assert capfd.readouterr().out", "output"),
    ("test_capsys_left(capsys)", "print(V)", "output"),
    ("test_capfd_left(capfd)", "print(V)", "output"),
    ("test_log(a=0)", "import logging; logging.getLogger('fastanon').debug('opened %s', V)", "log"),
    ("test_errors(a=0)", "pytest.raises(FileError, fail)", "errors"),
    ("test_files(a=0)", "import tempfile, os; os.rename(write(tempfile.mkdtemp() + '/a'), 'b')", None),
    ("test_files_left(a=0)", "import tempfile; write(tempfile.mkdtemp() + '/a')", "temporary files"),
    ("test_names_left(a=0)", "import tempfile; tempfile.mkdtemp(prefix=V)", "temporary files"),
    ("test_clean(a=0)", "print('all is well')", None),
    ("test_shows_values_output(a=0)", "print(V)", None),
    ("test_shows_values_log(a=0)", "import logging; print(V); logging.info(V)", "log"),
)

HEAD = f"""
import pytest
from fastanon.errors import FileError
V = {CANARIES[0].swapcase()!r}

def fail():
    raise FileError('no ' + V)

def write(path):
    with open(path, 'w') as file:
        file.write(V)
    return path
"""


@pytest.mark.shows_values
def test_it_sings_at_every_door(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=os.pathsep)
    monkeypatch.setenv("COLUMNS", "200")  # no line cut short
    marks = ["@pytest.mark.shows_values\n" if "shows_values" in name else "" for name, _, _ in DOORS]
    tests = [f"{mark}def {name}:\n    {body}\n" for mark, (name, body, _) in zip(marks, DOORS, strict=True)]
    pytester.makepyfile("\n".join([HEAD, *tests]))
    result = pytester.runpytest_subprocess("-p", "tests.canary", "-p", "no:cacheprovider")
    told = dict.fromkeys(name.split("(")[0] for name, _, _ in DOORS)
    for line in result.outlines:
        if line.startswith("ERROR ") and "planted values in" in line:
            told[line.split("::")[1].split(" ")[0]] = line.split("planted values in ")[1].split(":")[0]
    assert told == {name.split("(")[0]: door for name, _, door in DOORS}
    result.assert_outcomes(passed=len(DOORS), errors=sum(door is not None for _, _, door in DOORS))


@pytest.mark.parametrize("planted", CANARIES)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-16-be"])
def test_bytes(codec: str, planted: str) -> None:
    data = b"\x01" + planted.title().encode(codec) + b"\x02"
    assert leaks_in(data) == [planted]
    with pytest.raises(AssertionError, match="planted"):
        assert_clean("clean", data)
    assert_clean("clean", b"clean")
