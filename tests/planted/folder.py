"""A folder of files of every format, each hiding a name in one encoding."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.planted.dicom import identity, part10
from tests.planted.elements import REPEATED, known, siemens, texts
from tests.planted.lines import interfile, rda
from tests.planted.marked import Marked, cat, copies, mark, payload
from tests.planted.spelling import Spelled, name_without_charset, without_charset
from tests.planted.twix import vb, vd

#: Interfile headers, and what ends their lines.
_HEADERS = {"lm.l.hdr": b"\n", "sino.s.hdr": b"\r\n", "daily.n.hdr": b"\r\r\n", "image.hs": b"\n"}


def preambles(s: Spelled) -> Iterator[Marked]:
    """Hide a name in preambles: as many forms as fit into 128 bytes in each."""
    chosen: list[bytes] = []
    for form in (*s.forms, *s.respelled, None):
        if form is None or len(copies(s, b" ", [*chosen, form])) > 128:
            yield part10(identity(s.person), preamble=copies(s, b" ", chosen)).under("preamble")
            chosen = []
        if form is not None and len(copies(s, b" ", [form])) <= 128:
            chosen.append(form)


def files(s: Spelled) -> dict[str, Marked]:
    """Give every file that can hide a name in one encoding.

    Returns
    -------
    dict of str to Marked
        Names of files and what they hold. A `.bf` belongs to the `.dcm` beside it.
    """
    found = _with_charset(s) | _twix(s) | _lines(s)
    return {file: marked.under(file) for file, marked in found.items()}


def _with_charset(s: Spelled) -> dict[str, Marked]:
    own = identity(s.person)
    stream, few = part10([*own, *texts(s)]), [row for row in siemens(s) if row[0] not in REPEATED]
    found = {
        "explicit.dcm": part10([*own, *texts(s), *siemens(s)]),
        "implicit.dcm": part10([*own, *texts(s), *few], implicit=True),
        "pair.dcm": stream, "pair.bf": payload(s),
        "large.ptd": cat(payload(s), stream, struct.pack("<i", len(stream)), b"LARGE_PET_LM_RAWDATA"),
        "dummy.ptd": cat(b"dummy data", stream, b"END!"),
    }  # fmt: skip
    found |= {f"preamble{n}.dcm": file for n, file in enumerate(preambles(s))}
    return found if s.wide else found | {"known.dcm": part10([*own, *known(s)])}


def _twix(s: Spelled) -> dict[str, Marked]:
    bare, name = without_charset(s), name_without_charset(s)
    found = {} if s.wide else {"known.dat": vb(s, name, known=True)}
    if bare.forms + bare.respelled:
        found |= {"vb.dat": vb(bare, name, known=False), "vd.dat": vd(bare, name)}
    return found


def _lines(s: Spelled) -> dict[str, Marked]:
    bare, name = without_charset(s), name_without_charset(s)
    if s.wide or not bare.forms + bare.respelled:
        return {}
    head = cat(b"!INTERFILE:=\n!patient name:=", mark(name, "field", "name"))
    return {file: interfile(bare, end, head=head) for file, end in _HEADERS.items()} | {"svs.rda": rda(bare, name)}


def write(folder: Path, found: dict[str, Marked], only: Callable[[str], bool] = lambda _: True) -> None:
    """Write those files whose names pass a test."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, marked in found.items():
        if only(file):
            (folder / file).write_bytes(marked.data)
