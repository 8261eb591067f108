"""Small files that ask for much: each is dense with what costs most to read, plan or write."""

from __future__ import annotations

import struct
import zlib

from tests.builder import DEFLATED, EXPLICIT, IMPLICIT, meta

SIZE = 1 << 19
ITEM, UNDEFINED = b"\xfe\xff\0\xe0", b"\xff\xff\xff\xff"
ENDS = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
NAME = b"\x10\0\x10\0PN\x08\0DOE^JANE"


def u32(number: int) -> bytes:
    """Spell a length."""
    return struct.pack("<I", number)


def private(value: bytes, creator: bytes = b"SIEMENS CSA HEADER") -> bytes:
    """Give a file with one value of Siemens'."""
    value += b" " * (len(value) % 2)
    head = b"\x29\0\x10\0LO" + struct.pack("<H", len(creator)) + creator
    return meta(EXPLICIT) + NAME + head + b"\x29\0\x20\x10OB\0\0" + u32(len(value)) + value


def text(piece: bytes) -> bytes:
    """Give a file with a protocol of nothing but a piece."""
    return private(b"<XProtocol>" + piece * (SIZE // len(piece)))


def sequence(content: bytes) -> bytes:
    """Give a sequence of one run of items."""
    return b"\x08\0\x40\x11SQ\0\0" + u32(len(content)) + content


def deflated(piece: bytes, times: int) -> bytes:
    """Give a deflated file, made piece by piece."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = b"".join(engine.compress(piece) for _ in range(times)) + engine.flush()
    return meta(DEFLATED) + packed


def csa(item: bytes) -> bytes:
    """Give a file with a CSA header of one tag with as many items as there is room for."""
    count = SIZE // (16 + len(item))
    tag = struct.pack("<64si4siii", b"Name", 1, b"LO\0\0", 0, count, 77)
    numbers = struct.pack("<4i", len(item), len(item), 77, len(item))
    return private(b"SV10\4\3\2\1" + struct.pack("<2i", 1, 77) + tag + (numbers + item) * count)


def nested(levels: int, inner: bytes) -> bytes:
    """Give a file with elements inside sequences inside each other."""
    opening = b"\x08\0\x40\x11SQ\0\0" + UNDEFINED + ITEM + UNDEFINED
    return meta(EXPLICIT) + opening * levels + inner + ENDS * levels


#: By what they hold; each with the limit that refuses it, empty where none has to.
BOMBS = {
    "empty elements": (meta(EXPLICIT) + NAME + b"\x10\0\0\x40LT\0\0" * (SIZE // 8), ""),
    "empty items": (meta(EXPLICIT) + NAME + sequence((ITEM + bytes(4)) * (SIZE // 8)), ""),
    "comments in deep sequences": (nested(64, b"\x10\0\0\x40LT\x08\0a b c d " * (SIZE // 16)), ""),
    "sequences too deep": (nested(SIZE // 36, b""), "depth"),
    "strings": (text(b'"a" '), "fields"),
    "comments": (text(b"#a\n"), "fields"),
    "braces": (text(b'<P."a">{'), "depth"),
    "half a tag": (text(b"a<"), ""),
    "a long name": (private(b'<XProtocol> <P."' + b"LOID4" * (SIZE // 5) + b'-"> { "a" }'), ""),
    "items of a CSA header": (csa(b"a\0\1\1"), ""),
    "lines": (b"!INTERFILE:=\n" + b";a\n" * (SIZE // 3), "fields"),
    "a long value": (meta(IMPLICIT) + b"\x10\0\x10\0" + u32(SIZE) + b"N " * (SIZE // 2), "values"),
    "copies": (meta(EXPLICIT) + NAME + b"\x10\0\0\x40UT\0\0" + u32(2 * SIZE) + b"DOE " * (SIZE // 2), "hits"),
    "names": (meta(EXPLICIT) + b"".join(b"\x10\0\x10\0PN\x08\0N%07d" % n for n in range(SIZE // 16)), "needles"),
    "names that all change": (meta(EXPLICIT) + NAME * (SIZE // 16), ""),
    "names in items": (meta(EXPLICIT) + sequence((ITEM + u32(16) + NAME) * (SIZE // 24)), ""),
    "names that are counted": (meta(EXPLICIT) + (b"\x10\0\0\0UL\4\0" + u32(16) + NAME) * (SIZE // 28), ""),
    "deflated zeros": (deflated(bytes(1 << 20), 400), "ratio"),
    "deflated elements": (deflated(b"\x10\0\0\x40LT\0\0" * (1 << 17), 64), "elements"),
}  # fmt: skip
