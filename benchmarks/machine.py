"""Where something was measured, in words: what figures mean depends on it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

_VERSIONS = ("numpy", "numba", "pydicom")


def described(folder: Path) -> dict[str, str]:
    """Describe this machine, and the filesystem of a folder."""
    versions = (f"{name} {metadata.version(name)}" for name in _VERSIONS)
    return {
        "processor": f"{len(os.sched_getaffinity(0))} cores, {_cpu()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "filesystem": _filesystem(folder),
        "software": f"Python {platform.python_version()}, {', '.join(versions)}",
        "an empty program loads": f"{_loaded()} modules",
    }


def _loaded() -> str:
    """Count them: an environment may add to it, which flatters whatever is compared with an empty program."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys; print(len(sys.modules))"], capture_output=True, text=True
    )
    return done.stdout.strip()


def _cpu() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.processor() or "of unknown kind"


def _filesystem(folder: Path) -> str:
    """Give the type of the mount that is the nearest above."""
    kinds = {}
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        kinds[place] = kind
    return next(
        (kinds[str(one)] for one in (folder.resolve(), *folder.resolve().parents) if str(one) in kinds), "?"
    )
