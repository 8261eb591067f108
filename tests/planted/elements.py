"""DICOM elements that hide a name: of people, of private creators, of Siemens."""

from __future__ import annotations

from tests.planted.csa import Tag, csa, places_in_csa
from tests.planted.dicom import Element
from tests.planted.lines import interfile
from tests.planted.marked import cat, copies, mark, payload
from tests.planted.protocols import assignments, protocol, xprotocol
from tests.planted.spelling import Spelled


def texts(s: Spelled) -> list[Element]:
    """Hide a name in elements that people fill, in sequences, and in private elements of any kind."""
    bulk: list[Element] = [
        (0x00330010, "LO", b"ACME NOTES"), (0x00331002, "UN", cat(b"\1\2", copies(s))),
        (0x00331003, "OB", cat(b"\xff\xfe", copies(s))), (0x00331004, "OW", copies(s)),
    ]  # fmt: skip
    if s.wide:
        return bulk
    inner: list[Element] = [
        (0x00081030, "LO", copies(s)),
        (0x00330010, "LO", b"ACME NOTES"),
        (0x00331001, "LO", copies(s)),
    ]
    return [
        *bulk, (0x00081030, "LO", copies(s, b"\\")), (0x00102180, "SH", copies(s)), (0x001021B0, "LT", copies(s)),
        (0x00104000, "LT", copies(s)), (0x00204000, "LT", cat(b"PET Listmode data ", copies(s))),
        (0x00400280, "ST", copies(s)), (0x0040A160, "UT", copies(s)), (0x00081070, "PN", copies(s, b"\\")),
        (0x00400275, "SQ", [inner, [*inner, (0x00400008, "SQ", [inner, inner])]]),
        (0x00331001, "LO", copies(s)), (0x00331005, "UT", copies(s)), (0x00331006, "SQ", [inner]),
        (0x00331007, "LT", copies(s)), (0x00331008, "ST", copies(s)),
    ]  # fmt: skip


_CSA = b"SIEMENS CSA HEADER"
#: What differs from others in nothing but VR and block.
REPEATED = (0x00291210, 0x00291510, 0x00291610, 0x00291820, 0x00293510, 0x00293520)


def siemens(s: Spelled) -> list[Element]:
    """Hide a name in what Siemens' private elements hold, in usual and unusual blocks and VRs."""
    rows: list[Element] = [
        (0x00290010, "LO", _CSA), (0x00290011, "LO", _CSA), (0x00290035, "LO", _CSA),
        (0x00290012, "LO", b"SIEMENS MEDCOM HEADER"), (0x00291008, "CS", b"IMAGE NUM 4"),
        (0x00291010, "OB", places_in_csa(s, True)), (0x00291110, "UN", places_in_csa(s, False)),
        (0x00291210, "UN", places_in_csa(s, True)),
        (0x00293510, "OW", places_in_csa(s, True)), (0x00293520, "OB", places_in_csa(s, False)),
        (0x7FE00010, "OW", mark(bytes(16) + b"|".join(s.forms)[:97].ljust(100), "payload", "pixels")),
        (0x7FE10010, "LO", b"SIEMENS CSA NON-IMAGE"), (0x7FE11010, "OB", payload(s)),
    ]  # fmt: skip
    return rows if s.wide else [*rows, *_texts_of_siemens(s)]


def _texts_of_siemens(s: Spelled) -> list[Element]:
    sds: list[Element] = [(0x00210010, "LO", b"SIEMENS MR SDS 01"), (0x00211019, "OB", protocol(s))]
    step = cat(b"STEP;\nHEADER;\nENDSEC;\nDATA;\n#1=OOGINFO('", copies(s), b"');\nENDSEC;\nENDSTEP;\n")
    series: list[Tag] = [("MrPhoenixProtocol", "UN", [protocol(s)], b"")]
    older: list[Tag] = [("MrProtocol", "UT", [xprotocol(s), assignments(s, 1, known=False)], b"")]
    return [
        (0x00290013, "LO", b"SIEMENS MEDCOM OOG"), (0x00291310, "OB", step),
        *((0x00290014 + n, "LO", b"SIEMENS CSA NON-IMAGE") for n in range(3)),
        *((0x00291410 + (n << 8), "OB", interfile(s, e)) for n, e in enumerate((b"\n", b"\r\n", b"\r\r\n"))),
        (0x00290017, "LO", _CSA), (0x00291720, "OB", csa(series, True)),
        (0x00290018, "LO", _CSA), (0x00291820, "UN", csa(older, False)),
        (0x52009229, "SQ", [[(0x002111FE, "SQ", [sds])]]),
    ]  # fmt: skip


def known(s: Spelled) -> list[Element]:
    """Hide a name where keys say that it is one."""
    series: list[Tag] = [("Unused", "LO", [], b""), ("MrPhoenixProtocol", "UN", [protocol(s, known=True)], b"")]
    return [
        (0x00290010, "LO", b"SIEMENS CSA NON-IMAGE"), (0x00291010, "OB", interfile(s, b"\n", known=True)),
        (0x00290011, "LO", _CSA), (0x00291120, "OB", csa(series, True)),
        (0x00210010, "LO", b"SIEMENS MR SDS 01"), (0x00211019, "OB", protocol(s, known=True)),
    ]  # fmt: skip
