"""A file in which some bytes of the header are others is refused or done, and harms nobody."""

from __future__ import annotations

import os

import pytest

from tests.security.harm import run

#: All of them with ``FASTANON_THOROUGH=1``.
FLIPS = 50_000 if os.environ.get("FASTANON_THOROUGH") == "1" else 2_000


@pytest.fixture(autouse=True)
def in_time() -> None:
    """Take the clock of the other security tests away: each file here has one of its own."""


def test_flipped_bytes_harm_nobody() -> None:
    found = run("flipped", FLIPS)
    assert found["findings"] == []
    assert found["megabytes"] < 300
    assert found["files"] == FLIPS
    assert found["counts"]["refused"] > FLIPS / 20
    assert found["counts"]["anonymized"] > FLIPS / 50
