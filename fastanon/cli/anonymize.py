"""``fastanon anonymize``."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

from fastanon.errors import DONE, FAILED, REFUSED, AccessError, FileError, UsageError, printable

if TYPE_CHECKING:
    from fastanon.report import Report

#: How a report begins: only such a file is replaced by a new one.
_BEGINS = b'{\n "schema":'

_AUDIT = "what to search for values that are left: every byte (the default), all but payloads, or no copies"
_PAYLOAD = "a value in raw data that chance does not explain: replace it (the default), or report it as left"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="a file, a folder, a glob or a URL; - for standard input")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "-o", "--output", metavar="DIR", help="write copies below this folder or URL; - for standard output"
    )
    where.add_argument("--in-place", action="store_true", help="change the files themselves")
    add_profile(parser)
    add(
        "--patient",
        metavar="NAME",
        help="what stands for the patient's name and ID (default: a pseudonym)",
    )
    add("--physician", metavar="NAME", help="what stands for the physician's (default: a pseudonym)")
    add("--dob", metavar="YYYYMMDD", help="what stands for the birth date (default: nothing)")
    add("--map", metavar="FILE.csv", help="new patient IDs by old ones: columns id_old and id_new")
    add("--key", metavar="FILE", help="the kept key of pseudonyms (default: a random one that is forgotten)")
    add("--vault", metavar="FILE", help="keep who is who here, encrypted under the key")
    add("--audit", choices=("full", "text", "none"), default="full", help=_AUDIT)
    add("--payload", choices=("patch", "report"), default="patch", help=_PAYLOAD)
    add(
        "-j",
        "--jobs",
        type=_jobs,
        default=1,
        metavar="N",
        help="how many processes work (default: 1; 0: all CPUs)",
    )
    add(
        "--shard",
        metavar="I/N",
        help="do part I of N, whole folders each; others do the others, with the same key",
    )
    add(
        "--cluster", metavar="URL", help="have a dask cluster do the work; it is sent the key: use tls://HOST:8786"
    )
    add("--what-if", action="store_true", help="say what would change, and write nothing")
    add("--report", metavar="FILE", help="write a JSON report; it holds no value of the patient's")
    add("-v", "--verbose", action="store_true", help="a line for every file, not only for those with trouble")


def run(options: argparse.Namespace) -> int:
    """Anonymize, or say what would be done."""
    if "-" in (*options.paths, options.output):
        from fastanon.cli.pipe import anonymize

        return anonymize(options, _scheme(options))
    if options.what_if:
        return _what_if(options)
    if not options.output and not options.in_place:
        raise UsageError("say where to: -o DIR for copies, or --in-place")
    from fastanon import batch
    from fastanon.report import FileResult
    from fastanon.schemes import make_scheme
    from fastanon.shards import Shard
    from fastanon.work import Options

    scheme = make_scheme(**_scheme(options))

    def tell(result: FileResult) -> None:
        trouble = result.status in ("failed", "refused")
        if trouble or result.warnings or options.verbose:
            print(result, file=sys.stderr if trouble or result.warnings else sys.stdout)

    shard = Shard.of(options.shard) if options.shard else None
    wanted = Options(
        scheme,
        options.output,
        options.audit,
        options.payload,
        options.vault,
        options.key,
        options.jobs,
        shard,
        options.cluster,
    )
    report = batch.run(options.paths, wanted, tell)
    for result in report.files:
        if result.leaks:  # known only when all files have been seen: their names may stand in each other's paths
            print(result, file=sys.stderr)
    if options.report:
        write_report(options.report, report.pieces())
    print_end(report, scheme.keyed, sys.stdout)
    return report.exit_status


def _jobs(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("a number of processes, or 0 for one on every CPU")
    return int(text)


def print_end(report: Report, keyed: bool, file: TextIO) -> None:
    """Print what was done in all."""
    print(report.summary(), file=file)
    if keyed:
        print(f"profile {report.profile}; {_way_back(report.key)}", file=file)


def _way_back(key: str) -> str:
    if key:
        return f"pseudonymized: who has the key {key} can tell whose data it is"
    return "anonymized: the key of this run is forgotten"


def add_profile(parser: argparse.ArgumentParser) -> None:
    """Add what says how each attribute is treated."""
    parser.add_argument(
        "--profile",
        default="petmr",
        metavar="NAME|FILE",
        help="petmr (default), basic, niftypet, or a TOML file",
    )
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME", help="an option of PS3.15 E.3; may be repeated"
    )


def _scheme(options: argparse.Namespace) -> dict[str, Any]:
    """Give the arguments of a scheme."""
    names = {"profile": "profile", "options": "option", "key": "key", "mapping": "map"}
    names |= {name: name for name in ("patient", "physician", "dob")}
    return {name: getattr(options, given) for name, given in names.items()}


def write_report(path: str, pieces: Iterable[str]) -> None:
    """Write the JSON report."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
        with open(fd, "r+b") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode) or file.read(len(_BEGINS)) not in (b"", _BEGINS):
                raise UsageError(f"{path}: exists and is no report; not overwritten")
            file.seek(0)
            file.truncate()
            file.writelines(piece.encode("ascii") for piece in pieces)
    except OSError as error:
        raise AccessError(error.strerror or "can't be written", path=path) from None


def _what_if(options: argparse.Namespace) -> int:
    from fastanon.api import planned
    from fastanon.schemes import make_scheme

    status = DONE
    plans, masked = planned(options.paths, make_scheme(**_scheme(options)))
    for one in plans:
        path = printable(masked(one.path or ""))
        if isinstance(one, FileError):
            print(f"{path}: {one.where}", file=sys.stderr)
            status = FAILED if isinstance(one, AccessError) else status or REFUSED
            continue
        print(f"{path}: {one.strategy}, {len(one.edits)} edits")
        for place in one.places:
            print(f"  {place.offset:>12}  {place.length:>6} bytes  {place.where}: {place.kind}")
    return status
