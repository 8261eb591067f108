"""What fuzzers begin with: small files of a patient who never was, in every form that is read."""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from fastanon import journal, synthetic
from fastanon.synthetic.csa_headers import image_header
from fastanon.synthetic.dataset import encode, private
from fastanon.synthetic.image import t1_image
from fastanon.synthetic.interfile import listmode_header
from fastanon.synthetic.protocol import ascconv, nested, registration, visible

_PERSON, _UID = synthetic.Person(), "1.3.12.2.1107.5.2.38.99999.2017032715581112300000001"
_CUT = 4096  # bytes of a longer text
_DEFLATED = b"\2\0\x10\0UI\x16\x001.2.840.10008.1.2.1.99"


def seeds(target: str) -> Iterator[bytes]:
    """Give the seeds of a target."""
    yield from _SEEDS[target]()


def _text() -> bytes:
    text = registration(_PERSON)
    return (text + visible("Protocol0", nested(text + visible("Inner", nested(text))))).encode("latin-1")


def _dataset() -> bytes:
    """Give a Part 10 file with a protocol, a CSA header, an Interfile header and a payload."""
    dataset = t1_image(_PERSON, 1, 1, 2, 2)
    header, lines = image_header(_PERSON, 1), listmode_header(_PERSON, 4, 1)
    private(dataset, 0x0029, "SIEMENS CSA HEADER", (0x10, "OB", header), (0x20, "OB", _text() + b" "))
    private(dataset, 0x0029, "SIEMENS CSA NON-IMAGE", (0x10, "OB", lines + b" " * (len(lines) % 2)))
    return encode(dataset)


def _walk() -> Iterator[bytes]:
    """Give datasets behind a byte for their encoding; one sequence in each of the three."""
    item = b"\xfe\xff\0\xe0\x0a\0\0\0\x08\0\5\0CS\2\0A "
    yield b"\0\x08\0\x40\x11SQ\0\0\x12\0\0\0" + item
    yield b"\1\x08\0\x40\x11\xff\xff\xff\xff\xfe\xff\0\xe0\2\0\0\0A \xfe\xff\xdd\xe0\0\0\0\0"
    yield b"\2\0\x08\0\5CS\0\2A \0\x08\x11\x40SQ\0\0\0\0\0\x08\xff\xfe\xe0\0\0\0\0\0"
    yield b"\0" + _dataset()[132:]


def _csa() -> Iterator[bytes]:
    for older in (False, True):
        yield image_header(_PERSON, 1, older)
    numbers = struct.pack("<4i", 8, 8, 77, 8)
    tag = struct.pack("<64si4siii", b"MrPhoenixProtocol", 1, b"UN\0\0", 0, 1, 77)
    text = _text()[:_CUT]
    yield b"SV10\4\3\2\1" + struct.pack("<2i", 1, 77) + tag + struct.pack("<4i", *(len(text),) * 4) + text
    yield b"SV10\4\3\2\1" + struct.pack("<2i", 1, 77) + tag + numbers + b"A\0residu"


def _protocol() -> Iterator[bytes]:
    yield _text()
    yield ascconv(_PERSON, _UID, "t1").encode("latin-1")[:_CUT]
    yield b'<XProtocol>{<P."a">{"b" <Label>"c"}} ### ASCCONV BEGIN ###\na.b[0]=1e3 # d\n### ASCCONV END ###'


def _containers() -> Iterator[bytes]:
    whole, text = _dataset(), _text()
    yield whole
    yield whole[:132] + _DEFLATED + zlib.compress(whole[whole.index(b"\x08\0\x05\0CS") :], 9, -15)
    yield bytes(16) + whole + struct.pack("<i", len(whole)) + b"LARGE_PET_LM_RAWDATA"
    yield b"dummy data" + whole + b"END!"
    header = b"Meas\0" + struct.pack("<I", len(text)) + text
    header = struct.pack("<2I", 8 + len(header), 1) + header
    yield header + bytes(16)
    entry = struct.pack("<2I2Q64s64s", 1, 1, 10240, len(header) + 16, b"DOE^JANE", b"gre")
    yield (struct.pack("<2I", 0, 1) + entry).ljust(10240, b"\0") + header + bytes(16)
    yield listmode_header(_PERSON, 4, 1)
    with tempfile.TemporaryDirectory() as folder:
        yield synthetic.make_rda(Path(folder) / "svs.rda").read_bytes()[:8192]


def _journal() -> Iterator[bytes]:
    """Give journals without their checksum, which the target adds."""
    entries = journal.Entry(5, 100, 110, "", ((4, b"new"), (90, b"tail"))), journal.Entry(6, 9, 9, "b/c.dcm", ())
    for count in range(3):
        yield journal.pack(journal.Journal(1, "host", 2, entries[:count]))[:-32]


_SEEDS: dict[str, Callable[[], Iterator[bytes]]] = {
    "walk": _walk,
    "csa": _csa,
    "protocol": _protocol,
    "containers": _containers,
    "journal": _journal,
}
