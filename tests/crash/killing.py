"""A job that is killed at each of its calls in turn, and what becomes of its files then.

The job runs in a process that forks from one which has done it before: all modules are loaded, and what counts are
the calls of the job alone. A run that is only traced says which these are. The others strace holds from before the
first call on and kills on entry to one, which is not made; it counts each kind of call on its own.

That is the death of a process, not of a machine: what was written is there. What a power cut may take of that is
worked out by ``tools/crash_model.py``.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, NoReturn

import fastanon
from fastanon import cli
from tests.crash.benches import Bench
from tests.crash.states import HarmError, assert_nothing_beside, differences, files, judged, ours, snapshot

#: What changes something on a disk, makes it durable, or locks; and what only leads there.
CHANGING = (
    "pwrite64", "ftruncate", "fsync", "fdatasync", "syncfs", "rename", "renameat", "renameat2", "unlink",
    "unlinkat", "mkdir", "mkdirat", "rmdir", "copy_file_range", "ioctl", "fchmod", "fchown", "fsetxattr", "flock",
)  # fmt: skip
CALLS = ("openat", *CHANGING)
_SET_PTRACER = 0x59616D61  # from linux/prctl.h
_RANDOM = re.compile(r"(?<=fastanon-)[0-9a-f]{16}")
_CALL = re.compile(r"\d+ +(\w+)\((.*)")
#: Calls that touch no data: questions about terminals, and files of the program itself.
_NOISE = re.compile(r"ioctl\((?!.*FICLONERANGE)|openat\(.*/fastanon/(profiles|cli)/")


class Kill(NamedTuple):
    """One kill.

    Attributes
    ----------
    call : str
        At which call.
    found : str
        What was there after recovery: ``old``, ``new``, ``some`` of each, or ``harm``. It is ``folder`` if in the
        end there is an empty folder that should not be.
    why : str
        What the harm is.
    """

    call: str
    found: str
    why: str = ""


@dataclass
class Tally:
    """The kills of a scenario."""

    kills: list[Kill] = field(default_factory=list)

    def add(self, kill: Kill) -> None:
        """Count one."""
        self.kills.append(kill)

    def found(self, what: str) -> int:
        """Count the kills after which that was found."""
        return sum(one.found == what for one in self.kills)

    @property
    def changing(self) -> int:
        """Count those at a call that changes something."""
        return sum(one.call in CHANGING for one in self.kills)

    def harm(self) -> str:
        """Say each harm once, with the calls at which it was done."""
        at: dict[str, list[str]] = {}
        for kill in self.kills:
            if kill.why:
                at.setdefault(_RANDOM.sub("", kill.why), []).append(kill.call)
        return "\n".join(
            f"{len(calls)} kills, {', '.join(sorted(set(calls)))}: {why}" for why, calls in at.items()
        )

    def __str__(self) -> str:
        counts = ", ".join(f"{self.found(what)} {what}" for what in ("old", "new", "some", "folder", "harm"))
        return f"{len(self.kills)} kills ({self.changing} at calls that change something): {counts}"


@functools.cache
def missing() -> str:
    """Say why nothing can be killed here; empty where it can."""
    if sys.platform != "linux":
        return "kills need Linux"
    if not shutil.which("strace"):
        return "strace is not installed"
    done = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False)
    return "strace may not trace here" if done.returncode else ""


def kills(bench: Bench, step: int = 1, most: int = sys.maxsize) -> Iterator[Kill]:
    """Kill a job at every call, or at every so many-th from the last one back, and check what is left each time.

    Harm is that a file is neither old nor new, that something is left over, or that the job can't be done again.
    """
    run_quietly(bench, bench.fresh("warm"))
    root = bench.fresh("traced")
    calls = _traced(bench, root, None)
    assert snapshot(root) == bench.new
    points = [number for number, call in enumerate(calls) if not _NOISE.match(call)]
    for number in points[::-step][:most]:
        root = bench.fresh(str(number))
        done = _traced(bench, root, [_name(call) for call in calls[: number + 1]])
        try:
            yield Kill(_name(done[-1]), _recovered(bench, root))
        except HarmError as error:
            yield Kill(_name(done[-1]), "harm", str(error))
        shutil.rmtree(root)


def _name(call: str) -> str:
    return call.partition("(")[0]


def _recovered(bench: Bench, root: Path) -> str:
    """Recover, say what is found, and do the job once more."""
    assert_nothing_beside(root, bench.old, bench.fates)
    problems = [one.error.reason for one in fastanon.recover(root) if one.error is not None]
    if problems or ours(snapshot(root)):
        raise HarmError(f"not recovered: {problems}, {ours(snapshot(root))} is left")
    states = judged(bench.fates, snapshot(root))
    run_quietly(bench, root)
    there = snapshot(root)
    if files(there) != files(bench.new):
        raise HarmError(f"{states}, but the same job once more: {differences(there, bench.new)}")
    if there != bench.new:
        return "folder"
    return states[0] if len(set(states)) == 1 else "some"


def run_quietly(bench: Bench, root: Path) -> str:
    """Do the job as the command line does it, and give what it says."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        cli.main(bench.scenario.argv(root, bench.key))
    return said.getvalue()


def _traced(bench: Bench, root: Path, until: list[str] | None) -> list[str]:
    """Run the job and give its calls; kill it at the last one of a row of names."""
    trace = bench.folder / "trace"
    child, gate = _held(bench, root)
    command = ["strace", "-f", "-o", str(trace), "-p", str(child), "-e", f"trace={','.join(CALLS)}"]
    if until:
        command += ["-e", f"inject={until[-1]}:signal=SIGKILL:when={until.count(until[-1])}"]
    with gate, subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        said = strace.stderr.readline()
        if "attached" in said:
            gate.send(b"go")
        gate.close()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if "attached" not in said:
        raise RuntimeError(said.strip())
    return _calls_of(trace.read_text("utf-8", "replace").splitlines(), code, until)


def _calls_of(lines: list[str], code: int, until: list[str] | None) -> list[str]:
    """Make sure that a process ended as it should have, and give its calls."""
    calls = [line.partition(" ")[2].lstrip() for line in lines[:-1] if _CALL.match(line)]
    if until is None:
        assert code == 0, f"the job ended with {code}"
        assert lines[-1].endswith("+++ exited with 0 +++"), lines[-1]
        return calls
    assert code == -signal.SIGKILL, f"the job ended with {code}"
    assert lines[-1].endswith("+++ killed by SIGKILL +++"), lines[-1]
    assert calls[-1].endswith("= ?"), calls[-1]
    assert [_name(call) for call in calls] == until, [_name(call) for call in calls]
    return calls


def _held(bench: Bench, root: Path) -> tuple[int, socket.socket]:
    """Fork a process that does the job as soon as something is sent to it."""
    gate, inside = socket.socketpair()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which wait for work and get none
        child = os.fork()
    if not child:
        gate.close()
        _wait_and_run(bench, root, inside)
    inside.close()
    gate.recv(1)
    return child, gate


def _wait_and_run(bench: Bench, root: Path, inside: socket.socket) -> NoReturn:
    code = 99
    try:
        ctypes.CDLL(None).prctl(_SET_PTRACER, ctypes.c_ulong(-1))  # else only root may trace what is not its child
        inside.send(b"!")
        if inside.recv(2):
            os.environ |= {"COLUMNS": "100", "LINES": "50"}  # argparse would ask the terminal, again and again
            run_quietly(bench, root)
            code = 0
    finally:
        os._exit(code)
