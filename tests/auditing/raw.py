"""Writers of raw data of somebody: Interfile headers, rda spectra, twix files, list-mode data."""

from __future__ import annotations

import random
import struct
from typing import NamedTuple

from tests.auditing.case import Who
from tests.auditing.dicom import dicom
from tests.auditing.texts import xprotocol
from tests.builder import Node

NOISE = random.Random(5).randbytes(1 << 14)


def payload(text: bytes) -> bytes:
    """Write data in which something stands delimited."""
    return NOISE[:5000] + b"\0" + text + b"\0" + NOISE[5000:]


def interfile(who: Who, *lines: bytes) -> bytes:
    """Write an Interfile header of somebody."""
    own = (
        b"!INTERFILE:=", b"!originating system:=2008", b"!patient name:=" + who.name, b"Patient ID:=" + who.number,
        b"%patient DOB (yyyy:mm:dd):=" + b":".join((who.birth[:4], who.birth[4:6], who.birth[6:])),
        b"referring physician:=" + who.physician,
    )  # fmt: skip
    return b"\r\n".join((*own, *lines, b"!END OF INTERFILE:=", b""))


def rda(who: Who, text: bytes, data: bytes = bytes(64)) -> bytes:
    """Write a spectrum of somebody; `text` are lines."""
    lines = (
        b">>> Begin of header <<<", b"PatientName: " + who.name, b"PatientID: " + who.number, b"PatientSex: F",
        b"PatientBirthDate: " + who.birth, b"ReferringPhysician: " + who.physician, text, b"VectorSize: 4",
        b">>> End of header <<<", b"",
    )  # fmt: skip
    return b"\r\n".join(lines) + data


class Twix(NamedTuple):
    """What stands where in a twix file: after names and texts, in texts, and in what only fills up."""

    slot: bytes = b"\0"
    protocol: bytes = b"t1"
    inside: bytes = b""
    note: bytes = b"a note"
    behind: bytes = b""
    pad: bytes = b""
    unused: bytes = b""
    gap: bytes = b""
    data: bytes = bytes(64)


def twix(who: Who, at: Twix) -> bytes:
    """Write a twix file of VD with one measurement (hdr_def.py of twixtools)."""
    texts = {b"Config": xprotocol(who, at.inside) + b"\0", b"Notes": at.note + b"\0" + at.behind}
    body = b"".join(name + b"\0" + struct.pack("<I", len(text)) + text for name, text in texts.items())
    fill = -(8 + len(body) + 9 + 31) % 32
    body += b"Last\0" + struct.pack("<I", fill) + b" " * fill + at.pad.ljust(31, b"\0")
    scan = struct.pack("<2I", 8 + len(body), 3) + body + at.data
    slots = (who.name + b"\0" + at.slot).ljust(64, b"\0") + at.protocol.ljust(64, b"\0")
    table = struct.pack("<2I2I2Q", 0, 1, 360, 9, 10240, len(scan)) + slots + bytes(300) + at.unused
    return table.ljust(9736, b"\0").ljust(10240, b"\0") + scan + at.gap.ljust(-len(scan) % 512, b"\0")


def ptd(who: Who, *more: Node, data: bytes = NOISE) -> bytes:
    """Write list-mode data with a DICOM stream behind it (rhscripts' LMParser)."""
    stream = dicom(who, *more)
    return data + stream + struct.pack("<i", len(stream)) + b"LARGE_PET_LM_RAWDATA"
