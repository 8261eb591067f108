"""``fastanon audit``."""

from __future__ import annotations

import argparse
import sys

from fastanon.cli.anonymize import add_profile, write_report


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add = parser.add_argument
    add("paths", nargs="+", metavar="COPY", help="a file, a folder, a glob or a URL")
    add(
        "--against",
        nargs="+",
        required=True,
        metavar="ORIGINAL",
        help="what they are copies of",
    )
    add_profile(parser)
    add("--report", metavar="FILE", help="write a JSON report; it holds no value of the patient's")
    add("-v", "--verbose", action="store_true", help="a line for every file, not only for those with trouble")


def run(options: argparse.Namespace) -> int:
    """Search every copy and say what is left in it."""
    from fastanon.comparison import audit
    from fastanon.report import FileResult
    from fastanon.schemes import make_scheme

    def tell(result: FileResult) -> None:
        trouble = result.status != "audited" or bool(result.leaks)
        if trouble or options.verbose:
            print(result, file=sys.stderr if trouble else sys.stdout)

    report = audit(options.paths, options.against, make_scheme(options.profile, options.option), tell)
    for result in report.files:
        for place in result.audit.leaks if result.audit else ():
            print(f"  {place.offset:>12}  {place.length:>6} bytes  {place.where}: {place.kind}", file=sys.stderr)
    if options.report:
        write_report(options.report, report.pieces())
    print(report.summary())
    return report.exit_status
