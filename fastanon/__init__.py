"""fastanon removes the patient from DICOM and Siemens PET/MR raw data.

>>> import fastanon
>>> report = fastanon.anonymize("study/", to="anon/")  # doctest: +SKIP
>>> report.raise_for_leaks()  # doctest: +SKIP

Everything is loaded when it is first used.
"""

from __future__ import annotations

import importlib
import sys

__version__ = "0.1.0"

TYPE_CHECKING = False  # to load typing for it takes a fifth of `fastanon --help`
if TYPE_CHECKING:
    from typing import Any

    from fastanon.api import Inspection, anonymize, audit, dcmanonym, inspect, plan
    from fastanon.apply import Recovered
    from fastanon.errors import BatchError, FastanonError, FileError, LeakError, UsageError
    from fastanon.planner import Plan
    from fastanon.profiles import Profile
    from fastanon.profiles import load as load_profile
    from fastanon.recovery import recover
    from fastanon.report import FileResult, Report

__all__ = [
    "BatchError", "FastanonError", "FileError", "FileResult", "Inspection", "LeakError", "Plan", "Profile",
    "Recovered", "Report", "UsageError", "__version__", "anonymize", "audit", "dcmanonym", "inspect",
    "load_profile", "plan", "recover",
]  # fmt: skip

_HOMES = {
    "fastanon.api": ("Inspection", "anonymize", "audit", "dcmanonym", "inspect", "plan"),
    "fastanon.errors": ("BatchError", "FastanonError", "FileError", "LeakError", "UsageError"),
    "fastanon.planner": ("Plan",),
    "fastanon.profiles": ("Profile", "load_profile"),
    "fastanon.apply": ("Recovered",),
    "fastanon.recovery": ("recover",),
    "fastanon.report": ("FileResult", "Report"),
}

if sys.byteorder != "little":
    raise ImportError("fastanon runs on little-endian machines only")


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module 'fastanon' has no attribute {name!r}")
