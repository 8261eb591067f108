"""The command line: one module a command, each loaded when it is asked for."""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import io
import os
import sys
from collections.abc import Iterator, Sequence

from fastanon import __version__
from fastanon.errors import FAILED, USAGE, FastanonError, UsageError

_COMMANDS = {
    "inspect": "show what identifies the patient; nothing is changed",
    "anonymize": "remove the patient, in place or to a folder",
    "audit": "search copies for the values of their originals; nothing is changed",
    "recover": "finish what a run in place had begun when it was cut off",
    "report": "make one report of those of several shards",
    "key": "make the key of pseudonyms",
    "vault": "look up who is who",
    "profile": "show what becomes of each attribute",
    "warmup": "compile what bulk data are searched with, once for all later runs",
    "demo": "make a synthetic PET/MR study, anonymize it and show what happened",
}

_SIGINT = 2  # as POSIX has it

_EPILOG = """exit status:
  0  done and clean
  1  something failed
  2  wrong usage
  3  something identifying is left
  4  some files were refused; each is named and untouched
"""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Asks the terminal how wide it is without shutil, which would load every compressor."""

    def __init__(self, prog: str) -> None:
        width = 80
        with contextlib.suppress(OSError, ValueError):
            width = int(os.environ.get("COLUMNS", 0)) or os.get_terminal_size(1).columns or width
        super().__init__(prog, width=width - 2)


def _parser(command: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fastanon",
        description="Remove the patient from DICOM and Siemens PET/MR raw data.",
        epilog=_EPILOG,
        formatter_class=_Formatter,
    )
    parser.add_argument("--version", action="version", version=f"fastanon {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, text in _COMMANDS.items():
        said = f"{text[0].upper()}{text[1:]}."
        sub = commands.add_parser(name, help=text, description=said, formatter_class=_Formatter)
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
    if argv is None:
        set_up()
    try:
        options = _parser(command).parse_args(arguments)
        with _stoppable():
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
    except KeyboardInterrupt as stop:
        print("fastanon: stopped; files in place are as they were or done, or fastanon recover finishes them",
              file=sys.stderr)  # fmt: skip
        return 128 + (stop.number if isinstance(stop, _StoppedError) else _SIGINT)
    return status


class _StoppedError(KeyboardInterrupt):
    """A signal that ends the program: what is temporary is removed on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Let the signals that end a program do so by an exception, as SIGINT does."""
    import signal  # not for the usage

    def stop(number: int, _: object) -> None:
        raise _StoppedError(number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    try:
        before = [(number, signal.signal(number, stop)) for number in numbers]
    except ValueError:  # not in the main thread: whoever started it handles signals
        before = []
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def set_up() -> None:
    """Set up a process that is all the program's own."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # or numpy starts a thread a core, which turn in vain
    gc.set_threshold(20_000, 50, 100)  # little refers to itself; to look for it more often takes 3% of a run
    _dump_no_core()


def _dump_no_core() -> None:
    """Leave no memory behind where the program crashes: there are names in it."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
