"""Twix files: a directory, headers of six texts, and data, with the patient in all that is not data.

The layout is that of twixtools' hdr_def.py; the texts are those of its example files in small. As on the
scanner, whatever a name or a text does not fill shows what the memory held before. The accession number stands
nowhere: no parameter is for it, so that in a comment of such a file nobody could tell it from other words.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from fastanon.synthetic.person import Person
from fastanon.synthetic.protocol import array, ascconv, modified, one_line, registration, tight, visible

_ENTRIES, _SLOT, _FIRST, _ALIGNMENT = 64, 64, 10240, 512
_PAD = 24  # filling of a header
_PROTOCOLS = ("AAHead_Scout", "ep2d_bold", "gre", "Head_PET_raw")
_UID = "1.3.12.2.1107.5.2.38.99999.2017032715581112300000001"


def make_twix(
    path: str | os.PathLike[str],
    person: Person | None = None,
    version: str = "VE",
    measurements: int = 2,
    data_bytes: int = 65536,
    *,
    sparse: bool = False,
) -> Path:
    """Write a twix file.

    Parameters
    ----------
    path : path-like
        The file, replaced if it exists.
    person : Person, optional
        Who was scanned.
    version : str
        ``VE`` or ``VB``, which has no directory and one measurement.
    measurements : int
        How many a VE file has, up to 64.
    data_bytes : int
        Bytes of data in each measurement. They are no real scan: random numbers.
    sparse : bool
        Write no data: they are holes that read as zeros.

    Returns
    -------
    pathlib.Path
        The file, the same bytes each time.

    Raises
    ------
    ValueError
        If there is no such version, or the directory does not hold as many measurements.
    """
    if version not in ("VE", "VB") or not 1 <= measurements <= _ENTRIES:
        raise ValueError(f"version: VE or VB; measurements: 1 to {_ENTRIES}")
    person = person or Person()
    with Path(path).open("wb") as file:
        if version == "VB":
            file.write(_header(person, _PROTOCOLS[0]))
            _write_data(file, data_bytes, sparse)
        else:
            _write_ve(file, person, measurements, data_bytes, sparse)
    return Path(path)


def _write_ve(file: BinaryIO, person: Person, count: int, size: int, sparse: bool) -> None:
    rows = []
    file.seek(_FIRST)
    for number in range(count):
        start, name = file.tell(), _PROTOCOLS[number % len(_PROTOCOLS)]
        file.write(_header(person, name))
        _write_data(file, size, sparse)
        rows.append(_entry(person, number, start, file.tell() - start, name))
        file.write(_residue(person, -file.tell() % _ALIGNMENT, number))
    if count < _ENTRIES:  # an entry that is no longer counted
        rows.append(_entry(person, count, _FIRST, 0, "deleted"))
    file.seek(0)
    file.write(struct.pack("<2I", 0, count) + b"".join(rows))
    file.seek(_FIRST - 64)
    file.write(_residue(person, 64, 1))


def _entry(person: Person, number: int, start: int, length: int, protocol: str) -> bytes:
    numbers = struct.pack("<2I2Q", 360 + number, 117961 + number, start, length)
    return numbers + _slot(person.name, person, number) + _slot(protocol, person, number + 1)


def _slot(name: str, person: Person, number: int) -> bytes:
    """Give a name of fixed width: its NUL, what the memory held, and a last NUL."""
    text = name.encode("latin-1")[: _SLOT - 1] + b"\0"
    return (text + _residue(person, _SLOT, number))[: _SLOT - 1] + b"\0"


def _residue(person: Person, size: int, number: int) -> bytes:
    """Give leftover memory: protocol text around the name, its pieces and its numbers."""
    cut = person.name[len(person.name) // 3 :][:12]
    pieces = (f'"{cut}" }}', f'{{ "{person.name}" }}', f'"{person.patient_id}"', "ata[0].sB0Compe")
    text = "\n".join(pieces[number % 4 :] + pieces[: number % 4]).encode("latin-1")
    return (text * (size // len(text) + 1))[:size]


def _write_data(file: BinaryIO, size: int, sparse: bool) -> None:
    """Write random numbers. In a sparse file only the last byte is written, which gives the file its length."""
    if sparse and size:
        file.seek(size - 1, os.SEEK_CUR)
        file.write(b"\0")
        return
    for at in range(0, size, 1 << 20):
        seed = b"fastanon synthetic twix %d" % at
        file.write(hashlib.shake_128(seed).digest(min(1 << 20, size - at)))


def _header(person: Person, protocol: str) -> bytes:
    """Write the header of a measurement: its length, its texts, and a filling up to a multiple of 32 bytes."""
    *texts, (name, last) = _texts(person, protocol)
    size = 8 + _PAD + sum(len(n) + 5 + len(t) for n, t in (*texts, (name, last)))
    texts.append((name, last[:-1] + b" " * (-size % 32) + b"\0"))  # so that the filling always has one size
    body = b"".join(n.encode() + b"\0" + struct.pack("<I", len(t)) + t for n, t in texts)
    head = struct.pack("<2I", 8 + len(body) + _PAD, len(texts))
    return head + body + _residue(person, _PAD, len(protocol))


def _texts(person: Person, protocol: str) -> Iterator[tuple[str, bytes]]:
    """Give the six texts; all but the first end with a NUL."""
    assignments = ascconv(person, _UID, protocol)
    texts = {
        "Config": _map(one_line("PatientName", person.name) + one_line("PatientID", person.patient_id)),
        "Dicom": _map(
            tight("tPatientName", person.name)
            + one_line("PatientBirthDay", person.birth_date)
            + modified("tPerfPhysiciansName", person.physician)
            + one_line("SoftwareVersions", "syngo MR E11")
        ),
        "Meas": registration(person) + assignments,
        "MeasYaps": assignments + "\n",
        "Phoenix": _map(visible("PatientsName", person.name)) + assignments,
        "Spice": _map(array("PatientQuadruple", person.name, person.patient_id, person.listed)),
    }
    for name, text in texts.items():
        yield name, text.encode("latin-1") + (b"" if name == "Config" else b"\0")


def _map(body: str) -> str:
    return f'<XProtocol> \n{{\n  <ParamMap.""> \n  {{\n{body}  }}\n}}\n'
