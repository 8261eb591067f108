"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.canary import CANARIES, assert_clean, canary, pytest_configure, pytest_runtest_makereport
from tests.corpus import REQUIRED, TALLY
from tests.corpus import dicom_files as list_files
from tests.kept import ran

__all__ = ["CANARIES", "assert_clean", "canary", "pytest_configure", "pytest_runtest_makereport"]


@pytest.fixture(scope="session")
def dicom_files() -> list[Path]:
    """Every file installed with pydicom, and every file of the corpus."""
    return list_files()


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Keep all kernels in a folder; give it, and what the program said."""
    cache = tmp_path_factory.mktemp("warm")
    done = ran(cache, "-m", "fastanon", "warmup")
    assert (done.returncode, done.stderr) == (0, "")
    return cache, done.stdout


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a session that was given a corpus and has not compared it."""
    if TALLY.too_few and not session.config.option.collectonly:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many files were compared."""
    for line in TALLY.lines():
        terminalreporter.write_line(line)
    if TALLY.too_few:
        terminalreporter.write_line(
            f"FASTANON_CORPUS is set: {REQUIRED} of its files had to be compared", red=True
        )
