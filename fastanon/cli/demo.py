"""``fastanon demo``."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "folder", nargs="?", default="fastanon-demo", metavar="DIR", help="a new folder (default: fastanon-demo)"
    )


def run(options: argparse.Namespace) -> int:
    """Make, inspect, anonymize, audit, summarize."""
    from fastanon.demo import demo

    return demo(options.folder)
