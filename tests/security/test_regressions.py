"""What fuzzers and attackers found once: each case runs through its target again.

The files are synthetic; the name of each begins with that of its target. What is too large to keep is made here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.fuzz_seeds import seeds
from tools.fuzz_targets import TARGETS

CASES = sorted((Path(__file__).parent / "regressions").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_was_found_is_fixed(case: Path) -> None:
    TARGETS[case.name.partition("-")[0]](case.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_and_nothing_pass(target: str) -> None:
    for data in (b"", *seeds(target)):
        TARGETS[target](data)
