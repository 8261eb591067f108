"""Writers of texts of lines: Interfile headers and rda spectra."""

from __future__ import annotations

from tests.planted.marked import Marked, Part, cat, copies, mark, payload
from tests.planted.people import BIRTH, NUMBER
from tests.planted.spelling import Spelled

#: What nobody is to change; values are patients' names too.
_LINES = (
    b"!originating system:=2008", b"%study date (yyyy:mm:dd):=2017:03:27", b"%total listmode word counts:=4096",
    b"isotope name:=F-18", b"data format:=LIST", b"PET data type:=NORM", b"LIST:=1", b"MAX HEAD IRIS:=64",
    b"%LONG TIM [1]:=NORM",
)  # fmt: skip
#: Keys of free text.
_FREE = (
    b"%comment:=", b"; ", b"%raw normalization scans description:=", b"!data description :=",
    b"name of physical institution := ", b"",
)  # fmt: skip
#: Names of files; `~` stands for a form.
_FILES = (
    b"!name of data file:=C:\\MedCom\\temp\\~_01.l", b"%listmode header file:=~.hdr", b"name of data file := ~",
    b"%data set [1]:={0,,~-01.s}",
)  # fmt: skip


def interfile(s: Spelled, end: bytes, known: bool = False, head: Part = b"!INTERFILE:=") -> Marked:
    r"""Write a header.

    Parameters
    ----------
    s : Spelled
        What to hide.
    end : bytes
        What ends a line; in normalisation files of the mMR that is ``\r\r\n``.
    known : bool
        Under keys of names; otherwise in comments and descriptions, and in the names of other files.
    head : bytes or Marked
        The first lines.
    """
    forms = s.forms + s.respelled
    lines: list[Part] = [head, *_LINES]
    if known:
        keys = (b"Patient name := ", b"!patient name:=", b";Patient name := ")
        lines += [cat(k, mark(f, "copy", f"{k!r} {f!r}")) for k in keys for f in forms]
    else:
        lines += [cat(key, b"of ", copies(s)).under(repr(key)) for key in _FREE]
        for line, form in ((line, form) for line in _FILES for form in forms):
            key, _, value = line.partition(b"=")
            opened, value, closed = (b"{0,,", value[4:-1], b"}") if value[:1] == b"{" else (b"", value, b"")
            name = mark(value.replace(b"~", form).lstrip(), "copy", f"{key!r} {form!r}")
            lines.append(cat(key, b"=", opened, name, closed))
    text = cat(*(part for line in lines for part in (line, end)), b"!END OF INTERFILE:=", end)
    return text.under(f"Interfile {end!r}")


def rda(s: Spelled, name: bytes) -> Marked:
    """Write a spectrum: lines, then numbers.

    Parameters
    ----------
    s : Spelled
        What to hide in descriptions and comments, and in a second line of them.
    name : bytes
        The value of PatientName.
    """
    keys = (b"StudyDescription", b"SeriesDescription", b"ProtocolName", b"InstitutionName", b"InstanceComments")
    lines: list[Part] = [
        b">>> Begin of header <<<", cat(b"PatientName: ", mark(name, "field", "name")),
        cat(b"PatientID: ", mark(NUMBER, "field", "ID")), b"PatientSex: F",
        cat(b"PatientBirthDate: ", mark(BIRTH, "field", "birth date")), b"StudyDate: 20170327", b"TR: 2000.000000",
        b"MAX: 3.000000", b"LIST[0]: 1", b"NORM: 1.0", b"IRIS: 2", b"LONG: 4", b"TransmitCoil: HEAD",
        b"ModelName: TIM Trio",
        *(cat(key, b": of ", copies(s)).under(repr(key)) for key in keys),
        cat(b"of ", copies(s)).under("second line"), b"VectorSize: 4", b">>> End of header <<<",
    ]  # fmt: skip
    return cat(*(part for line in lines for part in (line, b"\r\n")), payload(s)).under("rda")
