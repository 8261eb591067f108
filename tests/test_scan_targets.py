"""The suite again, compiled for other CPUs: as numba's own variables choose them, so is the matcher chosen."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = Path(__file__).with_name("test_scan_suite.py")

#: Says what is chosen, then runs the suite for it.
RUN = """
import sys, pytest
from fastanon.scan import Pattern, matcher
from fastanon.scan.vector import target_shuffle
print(target_shuffle(), matcher([Pattern(b"anna", True)]).kind, flush=True)
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these are x86 CPUs")
@pytest.mark.parametrize(
    ("variables", "shuffle", "kind"),
    [
        ({"NUMBA_CPU_NAME": "generic"}, None, "portable"),
        (
            {"NUMBA_CPU_NAME": "core2", "NUMBA_CPU_FEATURES": "+ssse3"},
            ("llvm.x86.ssse3.pshuf.b.128", 16),
            "vector",
        ),
    ],
    ids=["generic", "core2"],
)
def test_another_cpu(variables: dict[str, str], shuffle: tuple[str, int] | None, kind: str) -> None:
    inherited = {name: value for name, value in os.environ.items() if name != "FASTANON_CORPUS"}  # all or nothing
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(SUITE), "-k", kind],
        env={**inherited, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[0] == f"{shuffle} {kind}"
    assert " skipped" not in done.stdout


@pytest.mark.skipif("NUMBA_CPU_NAME" in os.environ, reason="the CPU is not this one")
def test_this_cpu_has_vectors() -> None:
    code = "from fastanon.scan.vector import target_shuffle; print(target_shuffle() is not None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    known = platform.machine() in ("x86_64", "AMD64", "aarch64", "arm64")
    assert done.stdout == f"{known}\n"
