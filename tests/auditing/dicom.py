"""A writer of DICOM files of somebody, and the places in its elements (PS3.5 7.1, PS3.10 7.1)."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from tests import builder
from tests.auditing.case import Files, Place, Who, takes_any
from tests.builder import BIG, DEFLATED, EXPLICIT, IMPLICIT, GroupLength, Item, Leaf, Node, Seq, part10

_CREATORS = {
    0x00210010: b"SIEMENS MR SDS 01", 0x00290010: b"SIEMENS CSA HEADER", 0x00290011: b"SIEMENS CSA NON-IMAGE",
    0x00290012: b"SIEMENS MEDCOM OOG", 0x00330010: b"ACME NOTES", 0x7FE10010: b"SIEMENS CSA NON-IMAGE",
}  # fmt: skip


def nodes(who: Who, *more: Node) -> tuple[Node, ...]:
    """Give a dataset of somebody; what is given replaces what has the same tag."""
    own = [Leaf(tag, "LO", creator) for tag, creator in _CREATORS.items()]
    own += [
        Leaf(0x00080005, "CS", who.charset), Leaf(0x00080008, "CS", b"ORIGINAL\\PRIMARY\\PET_LISTMODE"),
        Leaf(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.66"), Leaf(0x00080018, "UI", b"1.2.3.4"),
        Leaf(0x00080090, "PN", who.physician), Leaf(0x00100010, "PN", who.name),
        Leaf(0x00100020, "LO", who.number), Leaf(0x00100030, "DA", who.birth),
    ]  # fmt: skip
    chosen: dict[int, Node] = {node.tag: node for node in (*own, *more)}
    return tuple(chosen[tag] for tag in sorted(chosen))


def dicom(who: Who, *more: Node, syntax: str = EXPLICIT) -> bytes:
    """Write a file of somebody."""
    return part10(nodes(who, *more), syntax)


def element(tag: int, vr: str, text: bytes = b"of %b.", syntax: str = EXPLICIT) -> Callable[[Who, bytes], Files]:
    """Write files with an element in which a text stands."""
    return lambda who, t: {"a.dcm": dicom(who, Leaf(tag, vr, text % t), syntax=syntax)}


def _nested(undefined: bool, vr: str = "SQ") -> Callable[[Who, bytes], Files]:
    def files(who: Who, text: bytes) -> Files:
        row = Leaf(0x00400007, "LO", b"of " + text)
        inner = Seq(0x00400008, (Item((row,), undefined),), undefined)
        return {"a.dcm": dicom(who, Seq(0x00400275, (Item((inner,), undefined),), undefined, vr))}

    return files


def _private_information(who: Who, text: bytes) -> Files:
    rows = (
        GroupLength(0x00020000), Leaf(0x00020001, "OB", b"\0\1"), Leaf(0x00020002, "UI", b"1.2.3"),
        Leaf(0x00020003, "UI", b"1.2.3.4"), Leaf(0x00020010, "UI", EXPLICIT.encode()),
        Leaf(0x00020012, "UI", b"1.2.3"), Leaf(0x00020100, "UI", b"1.2.3.5"), Leaf(0x00020102, "OB", text),
    )  # fmt: skip
    return {"a.dcm": bytes(128) + b"DICM" + builder.build(rows)[0] + builder.build(nodes(who))[0]}


def inflated(data: bytes) -> bytes:
    """Inflate the dataset of a file with the usual meta information."""
    return zlib.decompress(data[len(builder.meta(DEFLATED)) :], -zlib.MAX_WBITS)


IN_DICOM = {
    "text": Place("PatientComments", element(0x00104000, "LT")),
    "one of several values": Place("StudyDescription", element(0x00081030, "LO", b"head\\%b\\t1")),
    "somebody else's name": Place("OperatorsName", element(0x00081070, "PN", b"%b")),
    "short text": Place("Occupation", element(0x00102180, "SH", b"%b")),
    "unlimited text": Place("TextValue", element(0x0040A160, "UT")),
    "sequence": Place("RequestAttributesSequence > ScheduledProtocolCodeSequence > ", _nested(False)),
    "sequence, undefined length": Place("> ScheduledProcedureStepDescription", _nested(True)),
    "sequence as UN": Place("> ScheduledProcedureStepDescription", _nested(False, "UN")),
    "private text": Place("ACME NOTES (0033,1001)", element(0x00331001, "LO")),
    "private UN": Place("ACME NOTES (0033,1002)", element(0x00331002, "UN", b"\1\2%b\0"), takes_any),
    "private OB": Place("ACME NOTES (0033,1003)", element(0x00331003, "OB", b"\xff\xfe%b"), takes_any),
    "private OW": Place("ACME NOTES (0033,1004)", element(0x00331004, "OW", b"%b"), takes_any),
    "private, implicit": Place("ACME NOTES (0033,1001)", element(0x00331001, "ST", syntax=IMPLICIT), takes_any),
    "UN": Place("(0012,0199)", element(0x00120199, "UN"), takes_any),
    "big endian": Place("PatientComments", element(0x00104000, "LT", syntax=BIG)),
    "deflated": Place("PatientComments", element(0x00104000, "LT", syntax=DEFLATED), inside=inflated),
    "document": Place("EncapsulatedDocument", element(0x00420011, "OB", b"%%PDF-1.4\n%b\n"), takes_any),
    "trailing padding": Place("DataSetTrailingPadding", element(0xFFFCFFFC, "OB", b"%b"), takes_any),
    "private information": Place("PrivateInformation", _private_information, takes_any),
    "preamble": Place("preamble", lambda w, t: {"a.dcm": t.ljust(128, b"\0") + dicom(w)[128:]}, takes_any),
    "no preamble": Place(
        "PatientComments", lambda w, t: {"a": builder.build(nodes(w, Leaf(0x00104000, "LT", b"of " + t)))[0]}
    ),
}


#: Elements that identify (PS3.6), written down here once more.
TAGS = {
    0x00080050: "SH", 0x00080090: "PN", 0x00100010: "PN", 0x00100020: "LO", 0x00100030: "DA", 0x00101000: "LO",
    0x00101001: "PN", 0x00101005: "PN", 0x00101050: "LO", 0x00101060: "PN", 0x00101090: "LO", 0x00380010: "LO",
}  # fmt: skip


def own_field(tag: int) -> Leaf:
    """Write an element with a value that stands nowhere else."""
    values = {"DA": b"19511231", "PN": b"ALIASSON^BERTA"}
    return Leaf(tag, TAGS[tag], values.get(TAGS[tag], b"ZQ-99-1234"))
