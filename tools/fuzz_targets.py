"""What fuzzers and regression tests call: bytes in, and nothing but errors on purpose out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import pairwise

from fastanon import journal
from fastanon.container import read_parts
from fastanon.dicom import DicomPart
from fastanon.elements import read_elements
from fastanon.errors import FileError
from fastanon.fields import Field, Space
from fastanon.opened import Identity, Opened
from fastanon.siemens import csa, protocol


class Memory(Opened):
    """Bytes in place of an open file."""

    def __init__(self, data: bytes) -> None:
        self.path, self.view, self.identity = "memory", data, Identity(0, 0, len(data), 0)

    def read(self, start: int, stop: int) -> bytes:
        """Give bytes by position; negative ones would be those from the end, so they are wrong."""
        assert start >= 0, (start, stop)
        return bytes(self.view[start:stop]) if start < stop else b""

    def check(self) -> None:
        """Do nothing: nobody else has these bytes."""

    def close(self) -> None:
        """Do nothing."""


def walk(data: bytes) -> None:
    """Walk a dataset whose encoding the first byte says, and make all that is made of a table."""
    try:
        elements = read_elements(data, 1, len(data), data[0] % 3 if data else 0)
        part = DicomPart(Space(), data, elements, 0, len(data))
        part.payloads()
        for row in range(len(elements)):
            _check([part.element_field(row)], len(data))
            _check(part.fields_inside(row), len(data))
    except FileError:
        pass


def read_csa(data: bytes) -> None:
    """Read a CSA header."""
    with suppress(FileError, csa.BrokenCsaError):
        _check(csa.fields(data, 0, Space(), ("csa",)), len(data))


def read_protocol(data: bytes) -> None:
    """Read a protocol: its tokens are all of its bytes, and its fields do not overlap."""
    at = 0
    for token in protocol.tokens(data):
        assert token.start == at < token.end, token
        at = token.end
    assert at == len(data)
    try:
        found = protocol.fields(data, 0, Space(), ("protocol",))
    except FileError:
        return
    _check(found, len(data))
    assert all(one.value[1] <= other.value[0] for one, other in pairwise(found)), "overlap"


def containers(data: bytes) -> None:
    """Read a file, whatever it is."""
    opened = Memory(data)
    try:
        for part in read_parts(opened) if data else ():
            for start, stop in part.searched():
                part.read(start, stop)
            _check(part.slack(), len(part.data))
            _check(part.packed(), len(part.data))
            part.spelled()
    except FileError:
        pass


def read_journal(data: bytes) -> None:
    """Read a journal as it is, and with the checksum that it should have; what it says can be packed again."""
    for sealed in (data, data + hashlib.blake2b(data, digest_size=32).digest()):
        try:
            found = journal.parse(sealed)
        except journal.JournalError:
            journal.said_by(sealed)
            continue
        again = journal.parse(journal.pack(found))
        assert again.entries == found.entries, "not what was packed"


def _check(fields: Iterable[Field], size: int) -> None:
    for field in fields:
        assert 0 <= field.value[0] <= field.value[1] <= size, field.value
        assert field.outer[0] <= field.value[0] <= field.value[1] <= field.outer[1], field.outer


TARGETS: dict[str, Callable[[bytes], None]] = {
    "walk": walk,
    "csa": read_csa,
    "protocol": read_protocol,
    "containers": containers,
    "journal": read_journal,
}
