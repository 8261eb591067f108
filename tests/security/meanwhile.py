"""Ways to write, and something that happens while one of them is under way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.security.world import anonymize, statuses

#: Leads to each strategy: a name that is longer than there is room for makes a rewrite.
WAYS: dict[str, dict[str, Any]] = {
    "copy": {},
    "patch": {"profile": "niftypet"},
    "refit": {},
    "rewrite": {"patient": "N" * 60, "profile": "niftypet"},
}


def run(way: str, folder: Path) -> dict[str, str]:
    """Run over ``in``, to ``out`` or in place."""
    return statuses(anonymize(folder, folder.parent / "out" if way == "copy" else None, **WAYS[way]))


def before_call(patch: pytest.MonkeyPatch, where: Any, name: str, do: Callable[[], object], nth: int = 1) -> None:
    """Let something happen just before the nth call of a function."""
    original, count = getattr(where, name), iter(range(1, 1 << 30))

    def call(*args: Any, **more: Any) -> Any:
        if next(count) == nth:
            do()
        return original(*args, **more)

    patch.setattr(where, name, call)
