"""Writers of XProtocol and ASCCONV; quotes are doubled in a text that stands in a string."""

from __future__ import annotations

from tests.planted.marked import Marked, Part, cat, copies, mark
from tests.planted.spelling import Spelled

#: Words that are patients' names too, as keys, numbers and words of programs; `Q` is to be a quote.
_STRUCTURE = b"""<ParamMap.QHEADQ>
{
  <Class> QMAX@LISTQ
  <ParamLong.QMAXQ>  { <MinSize> 1 <MaxSize> 1000000000 3  }
  <ParamDouble.QTIMQ> { <Precision> 6  1.500000  }
  <ParamMap.QIRISQ>
  {
    <ParamLong.QLISTQ>  { 2  }
    <ParamBool.QNORMQ>  { QtrueQ  }
    <ParamArray.QLONGQ> { <Default> <ParamLong.QQ> { } { 1 } { 2 } }
  }
}
"""


def values(s: Spelled, quotes: int) -> Marked:
    """Write parameters that nobody would know to hold a name, in every form a parameter has."""
    text, q = copies(s), b'"' * quotes
    one = b"<ParamString.%btStudyDescription%b>  { %b" % (q, q, q)
    many = b"<ParamString.%bStudyComment%b> \n{\n  <Visible> %btrue%b \n  <Comment> %b" % (q, q, q, q, q)
    modified = (
        b"<ParamString.%btImageComment%b> \n{\n  <Label> %bImage%b \n  <MaxSize> 50 \n  <Default> %b%b \n  %b"
        % ((q,) * 7)
    )
    quadruple = [cat(b"{ ", q, mark(f, "copy", repr(f)), q, b" } ") for f in s.forms + s.respelled]
    array = b"<ParamArray.%bPatientQuadruple%b> \n{\n  <MinSize> 1 \n  <MaxSize> 50 \n"
    array += b"  <Default> <ParamString.%b%b> \n  { }\n  "
    return cat(
        cat(one, text, q, b"  }\n").under("one line"),
        cat(many, text, q, b" \n  ", q, b"shown ", text, q, b" \n}\n").under("many lines"),
        cat(modified, text, q, b" \n}\n").under("modifiers"),
        cat(array % (q, q, q, q), *quadruple, b"\n}\n").under("array"),
        _STRUCTURE.replace(b"Q", q),
        b"<ParamLong.%bPatientSex%b>  { 2  }\n<ParamString.%btPatientPosition%b>  { %bHFS%b  }\n" % ((q,) * 6),
    ).under(f"{quotes} quotes")


def keyed(s: Spelled, quotes: int) -> Marked:
    """Write the name as the value of parameters that are known to hold it, one form in each."""
    q, keys = b'"' * quotes, (b"PatientName", b"PatientsName", b"tPatientName", b"tPatientsName")
    layouts = (
        b"<ParamString.Q%bQ>  { Q~Q  }\n", b"<ParamString.Q%bQ>{Q~Q}\n",
        b"<ParamString.Q%bQ> \n{\n  <Visible> QtrueQ \n  Q~Q \n}\n",
        b"<ParamString.Q%bQ> \n{\n  <Comment> Qas it isQ \n  <Label> QNameQ \n  <MaxSize> 50 \n  Q~Q \n}\n",
    )  # fmt: skip
    parts = []
    for number, form in enumerate(s.forms + s.respelled):
        for turn, layout in enumerate(layouts):
            before, after = (layout % keys[(number + turn) % 4]).replace(b"Q", q).split(b"~")
            parts.append(cat(before, mark(form, "copy", f"layout {turn} {form!r}"), after))
    return cat(*parts).under(f"{quotes} quotes, keyed")


def assignments(s: Spelled, quotes: int, known: bool) -> Marked:
    """Write ASCCONV."""
    q = b'"' * quotes
    lines = [
        cat(
            b"tSequenceFileName\t = \t",
            q,
            b"%SiemensSeq%\\tfl",
            q,
            b"\nlAverages\t = \t1\nTIM.MAX = 3\nalLIST[0]\t = \t0x1\nNORM.LONG[1].IRIS = 2\nHEAD = 1\n",
        )
    ]
    if known:
        lines += [cat(b"tPatientName = ", q, mark(f, "copy", repr(f)), q, b"\n") for f in s.forms + s.respelled]
    else:
        lines += [cat(b"tProtocolName\t = \t", q, b"of ", copies(s), q, b"\nsPatPosition = ", q, b"HFS", q, b"\n")]
    return cat(b"### ASCCONV BEGIN ###\n", *lines, b"### ASCCONV END ###").under(f"ASCCONV {quotes}")


def xprotocol(s: Spelled, known: bool = False, quotes: int = 1) -> Marked:
    """Write a text of one level and, in strings of it, of the next two."""
    q, body = b'"' * quotes, (keyed if known else values)(s, quotes)
    inner: Part = b""
    if quotes < 4:
        inner = cat(b"<ParamString.%bProtocol0%b> \n{\n  %b" % (q, q, q), xprotocol(s, known, 2 * quotes))
        inner = cat(inner, assignments(s, 2 * quotes, known), q, b" \n}\n")
    return cat(b"<XProtocol> \n{\n<ParamMap.%b%b> \n{\n" % (q, q), body, inner, b"}\n}\n")


def protocol(s: Spelled, known: bool = False) -> Marked:
    """Write a protocol with the assignments that end it."""
    return cat(xprotocol(s, known), assignments(s, 1, known)).under("protocol")
