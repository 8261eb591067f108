"""Siemens' texts inside DICOM files: XProtocol, ASCCONV, CSA headers, MEDCOM OOG; and the places in them."""

from __future__ import annotations

from collections.abc import Callable

from tests.auditing.case import Files, Place, Value, Who, takes_any
from tests.auditing.dicom import dicom, element
from tests.builder import Leaf
from tests.planted.csa import csa
from tests.siemens_files import sv10

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
IN_TEXTS = {
    "CSA text": Place(f"{_CSA} > ImageComment", _in_csa(lambda t: _csa([b"first", b"of " + t]))),
    "CSA1 text": Place(
        f"{_CSA} > Comment", _in_csa(lambda t: csa([("Comment", "LT", [b"of " + t], b"")], False).data)
    ),
    "CSA number": Place(f"{_CSA} > ImageComment", _in_csa(lambda t: _csa([b"of " + t], vr="IS"))),
    "CSA slack of a name": Place(
        "ImageComment > slack", _in_csa(lambda t: _csa([b"text"], t)), lambda v: len(v.planted) < 51
    ),
    "CSA slack of an item": Place("ImageComment > slack", _in_csa(lambda t: _csa([b"text\0" + t])), takes_any),
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
    "OOG": Place("MEDCOM OOG (0029,1210)", element(0x00291210, "OB", b"STEP;\n#1=OOGINFO('of %b');\n")),
    "OOG, as numbers": Place(
        "typed text",
        lambda w, t: {"a.dcm": dicom(w, Leaf(0x00291210, "OB", b"STEP;\n#1=TXT((%b));\n" % _numbered(t)))},
        spelled=lambda value: _numbered(value.data),
    ),
}
