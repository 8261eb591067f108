"""A file that ends too early, at any byte, is refused or done, and harms nobody."""

from __future__ import annotations

import os

import pytest

from tests.security.harm import run

#: All of them with ``FASTANON_THOROUGH=1``.
FILES = 20 if os.environ.get("FASTANON_THOROUGH") == "1" else 6


@pytest.fixture(autouse=True)
def in_time() -> None:
    """Take the clock of the other security tests away: each file here has one of its own."""


def test_a_cut_at_any_byte_harms_nobody() -> None:
    found = run("truncated", FILES)
    assert found["findings"] == []
    assert found["megabytes"] < 300
    assert found["files"] > 500 * FILES
    assert found["counts"]["refused"] > found["files"] / 2
    assert found["counts"]["anonymized"] > 0
