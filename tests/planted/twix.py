"""Writers of twix files, VB and VD (hdr_def.py of twixtools)."""

from __future__ import annotations

import struct

from tests.planted.marked import Marked, Part, cat, copies, filled, mark, payload, slack
from tests.planted.protocols import assignments, keyed, protocol, values, xprotocol
from tests.planted.spelling import Spelled


def measurement(buffers: list[tuple[bytes, Part]], left: bytes, data: Marked) -> Marked:
    """Write a header of named texts, and data.

    The header begins with its size and the number of texts. Each text follows its name, a NUL, and its size. All
    are little-endian 32-bit integers.

    Parameters
    ----------
    buffers : list of tuple
        Names and texts.
    left : bytes
        What the memory held that fills the header up to 32 bytes.
    data : Marked
        What follows the header.
    """
    body = cat(*(cat(n, b"\0", struct.pack("<I", len(t)), t) for n, t in buffers))
    body = cat(body, b"Last\0", struct.pack("<I", size := -(len(body) + 17 + 28) % 32), b" " * size)
    pad = filled(slack(left, 28).under("header pad"), 28)
    return cat(struct.pack("<2I", len(body) + 36, len(buffers) + 1), body, pad, data)


def buffers(s: Spelled, name: bytes, known: bool) -> list[tuple[bytes, Part]]:
    """Write all texts of a header; where the name is cut in the directory, the first of them has it whole."""
    left = cat(*(part for form in s.forms + s.respelled for part in (slack(form, 999), b"\0"))).under("behind NUL")
    start = b'<XProtocol> \n{\n<ParamLong."Count">  { ' + b" " * 160 + b"1  }\n"
    whole = cat(start, b'<ParamString."PatientName">{"', mark(name, "field", "name"), b'"}\n}\n')
    found: list[tuple[bytes, Part]] = [(b"Config", whole if len(name) > 63 or known else b"<XProtocol> \n{\n}\n")]
    flat = cat(b"<XProtocol> \n{\n", (keyed if known else values)(s, 1), b"}\n")
    texts = {b"Dicom": flat, b"Spice": flat, b"Meas": protocol(s, known), b"MeasYaps": assignments(s, 1, known)}
    texts |= {b"Phoenix": xprotocol(s, known)} | ({} if known else {b"Notes": copies(s)})
    if not s.wide:
        found += [(key, cat(text, b"\0").under(key.decode())) for key, text in texts.items()]
    return [*found, (b"Dated", cat(b"20170327 is all\0", left, b"\0"))]


def vb(s: Spelled, name: bytes, known: bool) -> Marked:
    """Write one measurement and nothing else; the name stands in a text, for there is no directory."""
    texts = buffers(s, name, known=known)
    texts[0] = buffers(s, name.ljust(64), known=True)[0]
    return measurement(texts, s.forms[0] if s.forms else s.respelled[0], payload(s)).under("VB")


def vd(s: Spelled, name: bytes) -> Marked:
    """Write a directory and a measurement for each form, aligned to 512 bytes by what the memory held.

    The directory takes 9736 bytes: a zero, the number of measurements, and 64 entries of 152 bytes, each with two
    32-bit numbers, offset and length in 64 bits, the patient's name and the protocol's in 64 bytes each. The first
    measurement begins at 10240.
    """
    forms, body, entries = s.forms + s.respelled, Marked(b""), []
    for number, form in enumerate(forms):
        texts = [(b"Config", b"<XProtocol> \n{\n}\n\0")]
        if number == 0:
            texts = [text for text in buffers(s, name, known=False) if text[0] not in (b"Meas", b"Phoenix")]
        one = measurement(texts, form, payload(s))
        numbers = struct.pack("<2I2Q", 360 + number, 9 + number, 10240 + len(body), len(one))
        entries.append(cat(numbers, _slot(mark(name[:63], "field", "name"), form), _protocol_slot(s, form)))
        gap = -len(one) % 512
        body = cat(body, one, filled(slack(form, gap).under("alignment pad"), gap))
    unused = [filled(cat(bytes(24), slack(f, 63).under("unused entry")), 152) for f in forms]
    head = filled(cat(struct.pack("<2I", 0, len(forms)), *entries, *unused), 9736)
    between = filled(slack(b"\0".join(forms), 504).under("behind the directory"), 504)
    return cat(head, between, body).under("VD")


def _slot(text: Marked, left: bytes) -> Marked:
    return cat(filled(cat(text, b"\0", slack(left, 63 - len(text)).under("slot")), 64))


def _protocol_slot(s: Spelled, form: bytes) -> Marked:
    fits = not s.wide and len(form) < 55
    return _slot(cat(b"t1_", copies(s, b"", [form])).under("protName") if fits else Marked(b"t1"), form)
