"""Files of somebody, with a value of a patient's at one place, written by hand: nothing of fastanon is used.

A `Place` writes the same file for anybody. What stands at the place is in brackets of its own encoding, and stands
nowhere else, so that a plain search tells its offset.
"""

from __future__ import annotations

import random
import struct
import unicodedata
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

from tests import builder
from tests.builder import BIG, DEFLATED, EXPLICIT, IMPLICIT, GroupLength, Item, Leaf, Node, Seq, part10
from tests.canary import CANARIES
from tests.planted.csa import csa
from tests.siemens_files import sv10

FIRST, LAST, NUMBER, BIRTH = CANARIES

Files: TypeAlias = "dict[str, bytes]"


class Who(NamedTuple):
    """Whose file it is, as its bytes say it."""

    name: bytes
    number: bytes
    birth: bytes
    physician: bytes
    charset: bytes = b"ISO_IR 100"


PATIENT = Who(f"{LAST}^Zyxwärth".encode("latin-1"), NUMBER.encode(), BIRTH.encode(), b"ROSSETTI^CARLO")
NOBODY = Who(b"PLAIN^PAUL", b"000-0000-00", b"19800101", b"OTHER^OLGA")


class Value(NamedTuple):
    """Something of the patient's: what kind the report should call it, and how it is written."""

    kind: str
    data: bytes
    codec: str = "latin-1"

    @property
    def is_wide(self) -> bool:
        """Whether it has zeros, which end many texts."""
        return self.codec.startswith("utf-16")

    @property
    def planted(self) -> bytes:
        """It and its brackets; of UTF-16 in big endian it begins with the first byte that is no zero."""
        before, after = "[".encode(self.codec), "]".encode(self.codec)
        return before + b"\0" * (self.codec == "utf-16-be") + self.data + after


#: The whole name and its parts, in other orders, joints and cases; without accents, with letters lost, cut off.
_NAMES = (
    f"{LAST}^Zyxwärth", f"{LAST}, Zyxwärth", f"Zyxwärth {LAST}", LAST, "Zyxwärth", f"zyxwärth_{LAST.lower()}",
    "Quillfeather", "ZYXWÄRTH", unicodedata.normalize("NFD", "Zyxwärth"), FIRST, f"{LAST}^{FIRST}",
    f"{FIRST}.{LAST}".lower(), f"{LAST}{FIRST}", "Zyxwaerth", "ZYXWAERTH QUILLFEATHER", "Zyxw?rth", "Zyxw??rth",
    f"{LAST}^Zyx",
)  # fmt: skip
_WIDE = (f"{LAST}^Zyxwärth", "Zyxwärth", "quillfeather", "Zyxwarth", NUMBER)
_DATES = (
    "19430217", "1943-02-17", "1943.02.17", "1943:02:17", "1943/02/17", "17.02.1943", "17/02/1943", "02/17/1943",
    "17-02-1943",
)  # fmt: skip


def _values() -> tuple[Value, ...]:
    found = []
    for codec in ("latin-1", "utf-8"):
        found += [Value("name", s.encode(codec), codec) for s in _NAMES if codec == "utf-8" or _is_latin(s)]
    for codec in ("utf-16-le", "utf-16-be"):
        for text in _WIDE:
            data = text.encode(codec)
            found.append(Value("id" if text == NUMBER else "name", data[codec == "utf-16-be" :], codec))
    found += [Value("name", text.encode()) for text in ("ROSSETTI^CARLO", "Rossetti", "Carlo Rossetti")]
    found += [Value("id", text.encode()) for text in (NUMBER, NUMBER.lower())]
    found += [Value("date", text.encode()) for text in _DATES]
    return tuple({value.data: value for value in reversed(found)}.values())


def _is_latin(text: str) -> bool:
    return all(ord(c) < 0x100 for c in text)


VALUES = _values()


class Place(NamedTuple):
    """A place in a file.

    Attributes
    ----------
    where : str
        A part of what the report should call it.
    files : callable
        Writes all files, for somebody and with some text at the place.
    takes : callable
        Says of a value whether it can stand there.
    spelled : callable
        Gives the bytes that a value becomes there.
    inside : callable
        Gives of the bytes of a file those in which offsets count.
    """

    where: str
    files: Callable[[Who, bytes], Files]
    takes: Callable[[Value], bool] = lambda value: not value.is_wide
    spelled: Callable[[Value], bytes] = lambda value: value.data
    inside: Callable[[bytes], bytes] = lambda data: data


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files, in place of those of the same name."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def _any(_: Value) -> bool:
    return True


# ------------------------------------------------------------------------------------------------- DICOM

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


def _element(tag: int, vr: str, text: bytes = b"of %b.", syntax: str = EXPLICIT) -> Callable[[Who, bytes], Files]:
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


_DICOM = {
    "text": Place("PatientComments", _element(0x00104000, "LT")),
    "one of several values": Place("StudyDescription", _element(0x00081030, "LO", b"head\\%b\\t1")),
    "somebody else's name": Place("OperatorsName", _element(0x00081070, "PN", b"%b")),
    "short text": Place("Occupation", _element(0x00102180, "SH", b"%b")),
    "unlimited text": Place("TextValue", _element(0x0040A160, "UT")),
    "sequence": Place("RequestAttributesSequence > ScheduledProtocolCodeSequence > ", _nested(False)),
    "sequence, undefined length": Place("> ScheduledProcedureStepDescription", _nested(True)),
    "sequence as UN": Place("> ScheduledProcedureStepDescription", _nested(False, "UN")),
    "private text": Place("ACME NOTES (0033,1001)", _element(0x00331001, "LO")),
    "private UN": Place("ACME NOTES (0033,1002)", _element(0x00331002, "UN", b"\1\2%b\0"), _any),
    "private OB": Place("ACME NOTES (0033,1003)", _element(0x00331003, "OB", b"\xff\xfe%b"), _any),
    "private OW": Place("ACME NOTES (0033,1004)", _element(0x00331004, "OW", b"%b"), _any),
    "private, implicit": Place("ACME NOTES (0033,1001)", _element(0x00331001, "ST", syntax=IMPLICIT), _any),
    "UN": Place("(0012,0199)", _element(0x00120199, "UN"), _any),
    "big endian": Place("PatientComments", _element(0x00104000, "LT", syntax=BIG)),
    "deflated": Place("PatientComments", _element(0x00104000, "LT", syntax=DEFLATED), inside=inflated),
    "document": Place("EncapsulatedDocument", _element(0x00420011, "OB", b"%%PDF-1.4\n%b\n"), _any),
    "trailing padding": Place("DataSetTrailingPadding", _element(0xFFFCFFFC, "OB", b"%b"), _any),
    "private information": Place("PrivateInformation", _private_information, _any),
    "preamble": Place("preamble", lambda w, t: {"a.dcm": t.ljust(128, b"\0") + dicom(w)[128:]}, _any),
    "no preamble": Place(
        "PatientComments", lambda w, t: {"a": builder.build(nodes(w, Leaf(0x00104000, "LT", b"of " + t)))[0]}
    ),
}

# --------------------------------------------------------------------------------------- Siemens' texts

_XPROTOCOL = b"""<XProtocol>
{
  <ParamString.QPatientNameQ>  { Q%bQ  }
  <ParamString.QPatientIDQ>  { Q%bQ  }
  <ParamString.QPatientBirthDayQ>  { Q%bQ  }
  <ParamString.QtReferringPhysicianNameQ>  { Q%bQ  }
  <ParamLong.QCountQ>  { 1  }
  %b
}
"""


def xprotocol(who: Who, inside: bytes, quotes: int = 1) -> bytes:
    """Write an XProtocol of somebody, with more inside."""
    text = _XPROTOCOL.replace(b"Q", b'"' * quotes)
    return text % (who.name, who.number, who.birth, who.physician, inside)


def _in_protocol(make: Callable[[bytes], bytes], after: bool = False) -> Callable[[Who, bytes], Files]:
    """Write a protocol as MR has it in (0021,xx19), with more inside or behind it."""

    def files(who: Who, text: bytes) -> Files:
        protocol = xprotocol(who, b"") + _ascconv(make(text)) if after else xprotocol(who, make(text))
        return {"a.dcm": dicom(who, Leaf(0x00211019, "OB", protocol))}

    return files


def _two_quotes(who: Who, text: bytes) -> Files:
    inner = xprotocol(who, b'<ParamString.""StudyComment"">  { ""of %b""  }' % text, 2)
    outer = xprotocol(who, b'<ParamString."Protocol0"> { "%b" }' % inner)
    return {"a.dcm": dicom(who, Leaf(0x00291020, "OB", sv10([("MrPhoenixProtocol", "UN", [outer])])))}


def _ascconv(text: bytes) -> bytes:
    return b"### ASCCONV BEGIN ###\nulVersion\t = \t51130001\n%b\n### ASCCONV END ###" % text


def _csa(items: list[bytes], slack: bytes = b"", vr: str = "LO") -> bytes:
    return sv10([("ImageComment", vr, items)], slack)


def _in_csa(make: Callable[[bytes], bytes]) -> Callable[[Who, bytes], Files]:
    return lambda who, t: {"a.dcm": dicom(who, Leaf(0x00291010, "OB", make(t)))}


def _lines(text: bytes) -> bytes:
    """Spell a text as ASCCONV does in comments, a character a line."""
    return b"".join(b"sWipComment.%d = 0x%02x # '%c'\n" % (n, c, c) for n, c in enumerate(text))


def _numbered(text: bytes) -> bytes:
    """Spell a text as MEDCOM OOG does."""
    return b", ".join(b"%d" % c for c in text)


def _line_digits(value: Value) -> bytes:
    """Give the lines of a value from the first digit to the last letter."""
    lines = _lines(value.planted).split(b"\n")
    start = value.planted.index(value.data)
    return b"\n".join(lines[start : start + len(value.data)]).partition(b"0x")[2].rstrip(b"'")


_CSA = "SIEMENS CSA HEADER (0029,1010)"
_TEXTS = {
    "CSA text": Place(f"{_CSA} > ImageComment", _in_csa(lambda t: _csa([b"first", b"of " + t]))),
    "CSA1 text": Place(
        f"{_CSA} > Comment", _in_csa(lambda t: csa([("Comment", "LT", [b"of " + t], b"")], False).data)
    ),
    "CSA number": Place(f"{_CSA} > ImageComment", _in_csa(lambda t: _csa([b"of " + t], vr="IS"))),
    "CSA slack of a name": Place(
        "ImageComment > slack", _in_csa(lambda t: _csa([b"text"], t)), lambda v: len(v.planted) < 51
    ),
    "CSA slack of an item": Place("ImageComment > slack", _in_csa(lambda t: _csa([b"text\0" + t])), _any),
    "broken CSA": Place(_CSA, _in_csa(lambda t: _csa([b"of " + t, b"cut off"])[:-9])),
    "XProtocol": Place("StudyComment", _in_protocol(lambda t: b'<ParamString."StudyComment">  { "of %b"  }' % t)),
    "XProtocol label": Place(
        "StudyComment<Label>", _in_protocol(lambda t: b'<ParamString."StudyComment"> { <Label> "%b" "a" }' % t)
    ),
    "XProtocol array": Place(
        "Ids",
        _in_protocol(lambda t: b'<ParamArray."Ids"> { <Default> <ParamString.""> { } { "a" } { "%b" } }' % t),
    ),
    "XProtocol in a string": Place("MrPhoenixProtocol > Protocol0 > StudyComment", _two_quotes),
    "broken XProtocol": Place(
        "MR SDS 01 (0021,1019)", _in_protocol(lambda t: b'<ParamString."StudyComment"> { loose "%b" } }' % t)
    ),
    "ASCCONV": Place("tProtocolName", _in_protocol(lambda t: b'tProtocolName\t = \t"of %b"' % t, after=True)),
    "ASCCONV, a character a line": Place("sWipComment", _in_protocol(_lines, after=True), spelled=_line_digits),
    "OOG": Place("MEDCOM OOG (0029,1210)", _element(0x00291210, "OB", b"STEP;\n#1=OOGINFO('of %b');\n")),
    "OOG, as numbers": Place(
        "typed text",
        lambda w, t: {"a.dcm": dicom(w, Leaf(0x00291210, "OB", b"STEP;\n#1=TXT((%b));\n" % _numbered(t)))},
        spelled=lambda value: _numbered(value.data),
    ),
}

# ---------------------------------------------------------------------------------------------- raw data

NOISE = random.Random(5).randbytes(1 << 14)


def payload(text: bytes) -> bytes:
    """Write data in which something stands delimited."""
    return NOISE[:5000] + b"\0" + text + b"\0" + NOISE[5000:]


def is_long(value: Value) -> bool:
    """Say whether a value is long enough to be no chance in a payload."""
    return len(value.data) >= 8


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


def _twix(make: Callable[[bytes], Twix]) -> Callable[[Who, bytes], Files]:
    return lambda who, t: {"a.dat": twix(who, make(t))}


def ptd(who: Who, *more: Node, data: bytes = NOISE) -> bytes:
    """Write list-mode data with a DICOM stream behind it (rhscripts' LMParser)."""
    stream = dicom(who, *more)
    return data + stream + struct.pack("<i", len(stream)) + b"LARGE_PET_LM_RAWDATA"


_RAW = {
    "Interfile": Place(
        "Interfile > comment", lambda w, t: {"a.l.hdr": interfile(w, b"%comment:=of " + t), "a.l": bytes(64)}
    ),
    "Interfile remark": Place("Interfile > ;", lambda w, t: {"a.hs": interfile(w, b"; of " + t)}),
    "Interfile file name": Place(
        "name of data file", lambda w, t: {"a.hs": interfile(w, b"!name of data file:=C:\\temp\\%b_1.l" % t)}
    ),
    "Interfile embedded": Place(
        "NON-IMAGE (0029,1110) > comment",
        lambda w, t: {"a.dcm": dicom(w, Leaf(0x00291110, "OB", interfile(w, b"%comment:=of " + t)))},
    ),
    "rda": Place("rda > StudyDescription", lambda w, t: {"a.rda": rda(w, b"StudyDescription: of " + t)}),
    "rda, second line": Place("rda > text", lambda w, t: {"a.rda": rda(w, b"SeriesDescription: a\r\nof " + t)}),
    "twix protocol name": Place("protName", _twix(lambda t: Twix(protocol=t[:63]))),
    "twix slot": Place("patName > slack", _twix(lambda t: Twix(t)), lambda v: len(v.planted) < 52),
    "twix protocol": Place(
        "StudyComment", _twix(lambda t: Twix(inside=b'<ParamString."StudyComment"> {"%b"}' % t))
    ),
    "twix text": Place("twix > Notes", _twix(lambda t: Twix(note=b"of " + t))),
    "twix behind a text": Place("twix > Notes > slack", _twix(lambda t: Twix(behind=t)), _any),
    "twix header pad": Place("twix > slack", _twix(lambda t: Twix(pad=t)), lambda v: len(v.planted) < 32),
    "twix alignment pad": Place("twix > slack", _twix(lambda t: Twix(gap=t)), _any),
    "twix unused entries": Place("twix directory > slack", _twix(lambda t: Twix(unused=t)), _any),
    "ptd tail": Place(
        "PatientComments", lambda w, t: {"a.ptd": ptd(w, Leaf(0x00104000, "LT", b"of " + t))}
    ),
}  # fmt: skip

#: Bulk, in which only what is long and delimited is no chance.
PAYLOADS = {
    "list-mode": Place("list-mode", lambda w, t: {"a.dcm": dicom(w, Leaf(0x7FE11010, "OB", payload(t)))}, is_long),
    "ptd": Place("list-mode", lambda w, t: {"a.ptd": ptd(w, data=payload(t))}, is_long),
    "bf": Place("list-mode", lambda w, t: {"a.dcm": dicom(w), "a.bf": payload(t)}, is_long),
    "spectrum": Place("spectrum", lambda w, t: {"a.rda": rda(w, b"TR: 1.0", payload(t))}, is_long),
    "measurement": Place("measurement", _twix(lambda t: Twix(data=payload(t))), is_long),
    "data behind Interfile": Place("raw data", lambda w, t: {"a.v": interfile(w) + payload(t)}, is_long),
}

PLACES: dict[str, Place] = {**_DICOM, **_TEXTS, **_RAW, **PAYLOADS}

#: Bulk in which letters are ordinary values: what stands there is counted.
SAMPLES = {
    "pixels": lambda w, t: {"a.dcm": dicom(w, Leaf(0x7FE00010, "OW", payload(t)))},
    "overlay": lambda w, t: {"a.dcm": dicom(w, Leaf(0x60003000, "OW", payload(t)))},
    "waveform": lambda w, t: {"a.dcm": dicom(w, Leaf(0x54001010, "OW", payload(t)))},
    "curve": lambda w, t: {"a.dcm": dicom(w, Leaf(0x50003000, "OW", payload(t)))},
    "norm": lambda w, t: {
        "a.dcm": dicom(w, Leaf(0x00080008, "CS", b"ORIGINAL\\PRIMARY\\PET_NORM")), "a.bf": payload(t),
    },
    "sinogram": lambda w, t: {
        "a.dcm": dicom(
            w, Leaf(0x00080008, "CS", b"ORIGINAL\\PRIMARY\\PET_EM_SINO"), Leaf(0x7FE11010, "OB", payload(t))
        ),
    },
}  # fmt: skip
