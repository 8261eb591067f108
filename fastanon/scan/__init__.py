"""Needles in bytes."""

from fastanon.scan.small import Hit, find

__all__ = ["Hit", "find"]
