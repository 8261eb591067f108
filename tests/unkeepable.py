"""Kernels that can't be called without numba, and one that can."""

from __future__ import annotations


def raising(number: int) -> int:
    """Raise for zero."""
    if number == 0:
        raise ValueError("zero")
    return number + 1


def printing(number: int) -> int:
    """Call Python."""
    print(number)
    return number + 1


def plain(number: int) -> int:
    """Add one."""
    return number + 1
