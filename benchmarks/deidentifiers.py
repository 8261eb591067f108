"""Programs that de-identify DICOM, each run as its own documentation shows it, with its defaults."""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from fastanon import __version__

#: The Python that has the peers: some load much into any process, which `python -c pass` should not pay for.
PYTHON = os.environ.get("FASTANON_PEERS", sys.executable)
_ASK = """
import sys
from importlib import metadata, util
print(metadata.version(sys.argv[1]) if util.find_spec(sys.argv[2]) else "")
"""

#: How a library is called: over the files of one folder, to those of the same names in another.
_EACH = """
import sys
from pathlib import Path
given, to = map(Path, sys.argv[1:])
files = sorted(given.iterdir())
"""
_PYDICOM = """
import pydicom
for path in files:
    ds = pydicom.dcmread(path)
    ds.PatientName = "anonymised"
    ds.save_as(to / path.name)
"""
#: With the recipe that deid takes when none is named.
_DEID = """
from deid.dicom import get_identifiers, replace_identifiers
files = [*map(str, files)]
replace_identifiers(dicom_files=files, ids=get_identifiers(files), save=True, output_folder=str(to))
"""
_DCMANON = """
from dcmanon import Anonymizer
anonymizer = Anonymizer({})
for path in files:
    (to / path.name).write_bytes(anonymizer.anonymize(str(path)))
"""
#: The private elements that reconstruction and quantification read, and the creators of their blocks.
_KEPT = "00290010 00290011 00290012 00291010 00291020 00291110 00291120 00291210 00291220 7FE10010 7FE11010"
_DCMANON_KEEPS = f"tag_actions={{tag: {{'action': 'keep'}} for tag in '{_KEPT}'.split()}}"
_NIMPA = """
from niftypet.nimpa.prc import imio
{}
imio.dcmanonym([*map(str, sorted(to.iterdir()))])
"""
#: It fails where list-mode names a tracer, and matches text against the bytes of CSA headers. Mended no more.
_NIMPA_MENDED = """
import re, types
def mended(function):
    def call(pattern, *texts):
        if isinstance(texts[-1], bytes):
            pattern, *texts = (text if isinstance(text, bytes) else text.encode() for text in (pattern, *texts))
        return function(pattern, *texts)
    return call
imio.dcminfo = lambda ds: "mmr" if "mMR" in ds.ManufacturerModelName else ""
imio.re = types.SimpleNamespace(finditer=mended(re.finditer), sub=mended(re.sub))
"""
_TAGS = "(0010,0010)=anonymised (0010,0020)=anonymised (0010,0030)=19800101 (0008,0090)=anonymised".split()


Command = Callable[[Path, Path], Sequence[str]]


class Program(NamedTuple):
    """One of them: its name, its distribution or program, how it is run, and whether on copies in place."""

    name: str
    distribution: str
    command: Command
    in_place: bool = False
    module: str = ""

    @property
    def missing(self) -> str:
        """Why it can't be run, empty if it can."""
        if self.version:
            return ""
        return f"not installed ({f'pip install {self.distribution}' if self.module else 'a package of Debian'})"

    @property
    def version(self) -> str:
        """Its version, empty if it is not there."""
        return __version__ if self.module == "fastanon" else _version(self.distribution, self.module)


@functools.cache
def _version(distribution: str, module: str) -> str:
    """Ask Python, without importing what is asked for, or a program itself."""
    if not module and not shutil.which(distribution):
        return ""
    ask = [PYTHON, "-c", _ASK, distribution, module] if module else [distribution, "--version"]
    told = subprocess.run(ask, capture_output=True, text=True, check=False).stdout
    return (re.findall(r"\d+(?:\.\w+)+", told) or [""])[0]


def _fastanon(*options: str) -> Command:
    return lambda given, to: [sys.executable, "-m", "fastanon", "anonymize", *options, str(given), "-o", str(to)]


def _code(code: str) -> Command:
    """Give the command of a library that is called over the files of a folder."""
    return lambda given, to: [PYTHON, "-c", _EACH + code, str(given), str(to)]


def _dicom_anonymizer(*options: str) -> Command:
    module = "dicomanonymizer.anonymizer"
    return lambda given, to: [PYTHON, "-m", module, str(given), str(to), *options]


def _gdcmanon(*options: str) -> Command:
    return lambda given, to: ["gdcmanon", *options, "-r", "-i", str(given), "-o", str(to)]


def _encrypting(given: Path, to: Path) -> Sequence[str]:
    """Give a certificate: what gdcmanon takes out, it keeps for who has the key."""
    return _gdcmanon("-e", "-c", _certificate())(given, to)


@functools.cache
def _certificate() -> str:
    path = Path(tempfile.mkdtemp(), "certificate.pem")
    atexit.register(shutil.rmtree, path.parent)
    key = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(path.with_name("key.pem"))]
    subprocess.run([*key, "-out", str(path), "-subj", "/CN=nobody"], check=True, capture_output=True)
    return str(path)


def _dcmodify(_: Path, to: Path) -> Sequence[str]:
    changes = [word for tag in _TAGS for word in ("-ma", tag)]
    return ["sh", "-c", 'to=$1; shift; exec dcmodify -nb -imt "$@" "$to"/*', "sh", str(to), *changes]


def _dicognito(_: Path, to: Path) -> Sequence[str]:
    return [
        PYTHON,
        "-m",
        "dicognito",
        "--in-place",
        str(to),
    ]  # of its names of new files nobody can tell which is which


def _program(name: str, distribution: str, command: Command, module: str, in_place: bool = False) -> Program:
    return Program(name, distribution, command, in_place, module)


PROGRAMS = (
    _program("fastanon petmr", "fastanon", _fastanon(), "fastanon"),
    _program("fastanon basic", "fastanon", _fastanon("--profile", "basic"), "fastanon"),
    _program("dicognito", "dicognito", _dicognito, "dicognito", True),
    _program("dicom-anonymizer", "dicom-anonymizer", _dicom_anonymizer(), "dicomanonymizer"),
    _program("deid", "deid", _code(_DEID), "deid"),
    _program(
        "dicom-anonymizer, private kept",
        "dicom-anonymizer",
        _dicom_anonymizer("--keepPrivateTags"),
        "dicomanonymizer",
    ),
    _program("dcmanon", "dcmanon", _code(_DCMANON.format("")), "dcmanon"),
    _program("dcmanon, raw data kept", "dcmanon", _code(_DCMANON.format(_DCMANON_KEEPS)), "dcmanon"),
    _program("pydicom reads and saves", "pydicom", _code(_PYDICOM), "pydicom"),
    _program("nimpa.dcmanonym", "nimpa", _code(_NIMPA.format("")), "niftypet", True),
    _program("nimpa.dcmanonym, mended", "nimpa", _code(_NIMPA.format(_NIMPA_MENDED)), "niftypet", True),
    Program("gdcmanon", "gdcmanon", _encrypting),
    Program("gdcmanon --dumb", "gdcmanon", _gdcmanon("--dumb", "--replace", "10,10=anonymised")),
    Program("dcmodify", "dcmodify", _dcmodify, True),
)
