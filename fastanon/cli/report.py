"""``fastanon report``."""

from __future__ import annotations

import argparse
import json
import os
import sys

from fastanon.cli.anonymize import write_report
from fastanon.errors import DONE, FAILED, UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command and its arguments."""
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    merge = commands.add_parser("merge", help="make one report of those of several shards")
    merge.add_argument("output", metavar="OUT.json")
    merge.add_argument("reports", nargs="+", metavar="IN.json")


def run(options: argparse.Namespace) -> int:
    """Merge, say how much, and exit as a run would with all these files."""
    from fastanon import merged

    if len({os.path.realpath(path) for path in (options.output, *options.reports)}) <= len(options.reports):
        raise UsageError("each report once, and the output another file")
    report = merged.merge({path: merged.read(path) for path in options.reports})
    write_report(options.output, [json.dumps(report, indent=1), "\n"])
    counts = ", ".join(f"{count} {name}" for name, count in sorted(report["totals"].items()))
    print(f"{len(options.reports)} reports: {counts}")
    missing = merged.missing(report)
    if missing:
        print(f"fastanon: no report of shard {', '.join(missing)}", file=sys.stderr)
    return merged.exit_status(report) or (FAILED if missing else DONE)
