"""``fastanon warmup``."""

from __future__ import annotations

import argparse

from fastanon.errors import DONE


def configure(parser: argparse.ArgumentParser) -> None:
    """Add no arguments: there are none."""


def run(options: argparse.Namespace) -> int:  # noqa: ARG001  # all commands are called alike
    """Compile, and say what is kept where."""
    from fastanon.warmup import warmup

    print(warmup())
    return DONE
