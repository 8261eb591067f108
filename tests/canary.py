"""What a test plants as a patient's value must not come out by any other door than the one the test looks at.

A pytest plugin, loaded by ``conftest.py`` for every test: standard output and error, log records of every level,
the reasons of fastanon's errors, and files left in the folder for temporary files are searched. Output that a
test takes with ``capsys`` and its like is searched too. ``assert_clean`` is for what runs in another process.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fastanon.errors import FastanonError

#: A first name, a last name, an ID and a date of birth for tests to plant.
CANARIES = ("Zyxwarth", "QUILLFEATHER", "KX-8841-77Q", "19430217")

_OUTPUT = ("capsys", "capfd", "capsysbinary", "capfdbinary")
_CODECS = ("utf-8", "utf-16-le", "utf-16-be")
_SEEN: pytest.StashKey[dict[str, list[str | bytes]]] = pytest.StashKey()


def leaks_in(text: str | bytes) -> list[str]:
    """Name the canaries that stand in a text, in either case; in bytes also as UTF-16."""
    if isinstance(text, str):
        return [canary for canary in CANARIES if canary.lower() in text.lower()]
    folded = text.lower()
    return [c for c in CANARIES if any(c.lower().encode(codec) in folded for codec in _CODECS)]


def assert_clean(*texts: str | bytes) -> None:
    """Fail if a canary stands in one of them."""
    found = {canary for text in texts for canary in leaks_in(text)}
    assert not found, f"planted values came out: {sorted(found)}"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "shows_values: this test's standard output may show a patient's values")


@pytest.fixture(autouse=True)
def canary(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """Watch the doors during one test."""
    seen = request.node.stash[_SEEN] = {"output": [], "errors": [], "temporary files": []}
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    _record_errors(monkeypatch, seen["errors"])
    takers = [request.getfixturevalue(name) for name in _OUTPUT if name in request.fixturenames]
    for taker in takers:
        monkeypatch.setattr(taker, "readouterr", _recording(taker.readouterr, seen["output"]))
    with caplog.at_level(0):
        yield
    for taker in takers:
        taker.readouterr()
    for path in sorted(folder.rglob("*")):
        seen["temporary files"].append(path.name)
        if path.is_file():
            seen["temporary files"].append(path.read_bytes())


def _record_errors(monkeypatch: pytest.MonkeyPatch, into: list[str | bytes]) -> None:
    """Keep the reason of every error that is made, raised through the test or not."""
    original = FastanonError.__init__

    def init(self: FastanonError, *args: Any) -> None:
        original(self, *args)
        text = " ".join(map(str, args))
        if text not in into:
            into.append(text)

    monkeypatch.setattr(FastanonError, "__init__", init)


def _recording(original: Callable[[], Any], into: list[str | bytes]) -> Callable[[], Any]:
    def readouterr() -> Any:
        taken = original()
        into.extend(taken)
        return taken

    return readouterr


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Fail the teardown of a test whose planted values came out."""
    report = yield
    if report.when != "teardown":
        return report
    doors = {**item.stash.get(_SEEN, {})}
    doors["output"] = [*doors.get("output", ()), report.capstdout, report.capstderr]
    doors["log"] = [report.caplog]
    if item.get_closest_marker("shows_values"):
        del doors["output"]
    found = {door: leaks for door, texts in doors.items() if (leaks := [c for t in texts for c in leaks_in(t)])}
    if found:
        report.outcome = "failed"
        report.longrepr = "\n".join(f"planted values in {door}: {sorted(set(c))}" for door, c in found.items())
    return report
