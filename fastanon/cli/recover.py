"""``fastanon recover``."""

from __future__ import annotations

import argparse
import sys

from fastanon.errors import DONE, FAILED


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="a file, or a folder that is searched to its depth"
    )


def run(options: argparse.Namespace) -> int:
    """Finish what was begun, and say how much; folders below are not named, since nobody knows whom they name."""
    from fastanon.recovery import NOT_AUDITED, recover

    status = DONE
    for path in options.paths:
        found = recover(path)
        for one in found:
            if one.error is not None:
                print(f"{path}: {one.error.reason}", file=sys.stderr)
                status = FAILED
        torn = sum(one.torn for one in found)
        if torn:
            print(f"{path}: removed what a run had left that had changed nothing yet, in {torn} folders")
        files = sum(one.files for one in found)
        if files:
            print(f"{path}: {files} files finished; {NOT_AUDITED}")
        if not found:
            print(f"{path}: nothing was left unfinished")
    return status
