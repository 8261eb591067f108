"""Texts that no plain search sees: a report as zip, landmarks as base64.

Scanners send a PhoenixZIPReport at the end of a study, series 99. No real one was at hand: that its archive
stands in (0029,xx10), and what the archive holds, are guesses. Landmarks are an XML-like text that may be
base64 (they are empty in all real headers at hand).
"""

from __future__ import annotations

import base64
import os
import re
import struct
import zlib
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from fastanon.synthetic.csa_headers import add_csa
from fastanon.synthetic.dataset import CSA_NON_IMAGE, new_dataset, private, save
from fastanon.synthetic.person import Person
from fastanon.synthetic.protocol import phoenix_protocol, xml_note

REPORT_SERIES = 99

_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4}){16,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def make_report(path: str | os.PathLike[str], person: Person | None = None) -> Path:
    """Write a PhoenixZIPReport with packed landmarks in its CSA header.

    Parameters
    ----------
    path : path-like
        The file, replaced if it exists.
    person : Person, optional
        Who was scanned, and stands in the archive and in the landmarks.

    Returns
    -------
    pathlib.Path
        The file.
    """
    person = person or Person()
    dataset = new_dataset(person, CSA_NON_IMAGE, REPORT_SERIES, 1)
    dataset.Modality, dataset.ImageType = "SR", ["ORIGINAL", "PRIMARY", "OTHER", "CSA REPORT"]
    dataset.SeriesDescription = "PhoenixZIPReport"
    archive = zip_report(person, str(dataset.SeriesInstanceUID))
    private(
        dataset,
        0x0029,
        "SIEMENS CSA NON-IMAGE",
        (0x08, "CS", "MRPHOENIXREPORT"),
        (0x09, "LO", "20100114"),
        (0x10, "OB", archive + b"\0" * (len(archive) % 2)),
    )
    landmarks = base64.b64encode(xml_note("Landmarks", person).encode("latin-1")).decode()
    add_csa(dataset, person, 1, "Phoenix", landmarks=landmarks)
    return save(dataset, path)


def unpack(data: bytes) -> list[bytes]:
    """Give all that is packed in a report, read by hand: its archive, and base64 of 64 letters or more.

    Parameters
    ----------
    data : bytes
        The file.

    Returns
    -------
    list of bytes
        The texts, all entries of the archive as one. Their sizes have to stand in front of them, as `zip_report`
        makes it.
    """
    entries = []
    for entry in re.finditer(rb"PK\x03\x04", data):
        at = entry.start()
        size, _, name, extra = struct.unpack_from("<2I2H", data, at + 18)  # APPNOTE.TXT 4.3.7
        start = at + 30 + name + extra
        entries.append(zlib.decompress(data[start : start + size], -zlib.MAX_WBITS))
    return [b"\0".join(entries), *(base64.b64decode(found[0]) for found in _BASE64.finditer(data))]


def zip_report(person: Person, uid: str) -> bytes:
    """Pack a note and a protocol.

    Parameters
    ----------
    person, uid
        As in `fastanon.synthetic.protocol.phoenix_protocol`.

    Returns
    -------
    bytes
        A zip archive, deflated: its bytes depend on the version of zlib.
    """
    texts = {"report.xml": xml_note("Report", person), "protocol.pro": phoenix_protocol(person, uid, "Phoenix")}
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            entry = ZipInfo(name, (2017, 3, 27, 17, 0, 34))  # one date, so that each run gives the same
            entry.compress_type = ZIP_DEFLATED
            archive.writestr(entry, text.encode("latin-1"))
    return buffer.getvalue()
