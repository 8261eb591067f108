"""``fastanon inspect``."""

from __future__ import annotations

import argparse
import sys

from fastanon.errors import DONE, FAILED, REFUSED, AccessError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="a file, a folder, a glob or a URL; - for standard input"
    )


def run(options: argparse.Namespace) -> int:
    """Print every identifying field with its value, and every place that repeats one."""
    from fastanon.api import inspect
    from fastanon.cli import pipe

    status = DONE
    for found in pipe.inspect(options.paths) if "-" in options.paths else inspect(options.paths):
        print(found, file=sys.stdout if found.error is None else sys.stderr)
        if isinstance(found.error, AccessError):
            status = FAILED
        elif found.error is not None and status == DONE:
            status = REFUSED
    return status
