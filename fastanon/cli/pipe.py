"""``-``: what comes in by standard input, and for ``fastanon anonymize`` goes out by standard output."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from fastanon.cli.anonymize import print_end, write_report
from fastanon.errors import FAILED, REFUSED, FileError, UsageError

if TYPE_CHECKING:
    from fastanon.api import Inspection

_IN, _OUT = 0, 1


def anonymize(options: argparse.Namespace, wanted: dict[str, Any]) -> int:
    """Anonymize one file from standard input to standard output; nothing else is printed there."""
    _refuse_others(options.paths)
    if options.in_place:
        print("fastanon: -: what comes through a pipe can't be changed in place", file=sys.stderr)
        return REFUSED
    if options.output != "-" or options.what_if:
        raise UsageError("- goes to -o -, and what it would change can only be looked at in a file")
    from fastanon import streaming
    from fastanon.schemes import make_scheme
    from fastanon.work import Options

    scheme = make_scheme(**wanted)
    given = Options(scheme, "-", options.audit, options.payload, options.vault, options.key)
    report, closed = streaming.run(given, _IN, _OUT)
    if options.report:
        write_report(options.report, report.to_json())
    if closed:
        return _closed()
    (result,) = report.files
    if result.status in ("failed", "refused") or result.leaks or result.warnings or options.verbose:
        print(result, file=sys.stderr)
    print_end(report, scheme.keyed, sys.stderr)
    return report.exit_status


def inspect(paths: list[str]) -> list[Inspection]:
    """Show what identifies the patient in what comes by standard input, as far as its header goes."""
    _refuse_others(paths)
    from fastanon.api import Inspection, inspection
    from fastanon.piped import NAME, Piped
    from fastanon.schemes import make_scheme
    from fastanon.search import search

    try:
        with Piped(_IN) as piped:
            return [inspection(NAME, search(piped, make_scheme(), everything=True))]
    except FileError as error:
        return [Inspection(NAME, error=error)]


def _refuse_others(paths: list[str]) -> None:
    if paths != ["-"]:
        raise UsageError("- stands alone: it is one file, from standard input")


def _closed() -> int:
    """End quietly, as one does whose reader has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), _OUT)
    return FAILED
