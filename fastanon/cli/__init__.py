"""The command line: one module a command, each loaded when it is asked for."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import sys
from collections.abc import Sequence

from fastanon import __version__
from fastanon.errors import FAILED, USAGE, FastanonError, UsageError

_COMMANDS = {
    "inspect": "show what identifies the patient; nothing is changed",
    "anonymize": "remove the patient, in place or to a folder",
    "audit": "search copies for the values of their originals; nothing is changed",
    "key": "make the key of pseudonyms",
    "vault": "look up who is who",
    "profile": "show what becomes of each attribute",
    "demo": "make a synthetic PET/MR study, anonymize it and show what happened",
}

_EPILOG = """exit status:
  0  done and clean
  1  something failed
  2  wrong usage
  3  something identifying is left
  4  some files were refused; each is named and untouched
"""


def _parser(command: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fastanon",
        description="Remove the patient from DICOM and Siemens PET/MR raw data.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"fastanon {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, text in _COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name == command:
            importlib.import_module(f"fastanon.cli.{name}").configure(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        The exit status: 0 done and clean, 1 failed, 2 wrong usage, 3 something left, 4 files refused.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a path may hold bytes that are no text
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = next((a for a in arguments if a in _COMMANDS), None)
    try:
        options = _parser(command).parse_args(arguments)
        status: int = importlib.import_module(f"fastanon.cli.{options.command}").run(options)
        sys.stdout.flush()
    except UsageError as error:
        print(f"fastanon: {error}", file=sys.stderr)
        return USAGE
    except FastanonError as error:
        print(f"fastanon: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # the reader has left, as `head` does
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        print("fastanon: interrupted; files already named are done, no other was changed", file=sys.stderr)
        return 130
    return status
