"""Interfile headers as files, each beside its data: ``X.s.hdr`` and ``X.s``, as the mMR's own programs write them.

Keys and their order are those of STIR's examples (mMR_sinogram.s.hdr, mMR_listmode.l.hdr). Those have no
patient; the lines that name one are those of HRRT and ECAT headers.
"""

from __future__ import annotations

import os
from pathlib import Path

from fastanon.synthetic.interfile import STUDY_LINES, listmode_header, norm_header, patient_lines
from fastanon.synthetic.person import Person
from fastanon.synthetic.words import WORDS_A_MS, listmode_blocks, norm, random_bytes

_PLANES = 4084
_TABLE = 6 * _PLANES  # where the first of the compressed sinograms begins

_SINOGRAM = """!INTERFILE:=
%comment:=Sinogram SubHeader for MR-PET VA20
%comment:={comment}
!originating system:=2008
%SMS-MI header name space:=sinogram subheader
%SMS-MI version number:=3.4

!GENERAL DATA:=
%listmode header file:={stem}.l.hdr
%listmode data file:=D:\\MedCom\\temp\\{stem}.l
!name of data file:={data}
%compression:=on
%compressor version:=1.1

!GENERAL IMAGE DATA:={study}{patient}isotope name:=F-18
isotope gamma halflife (sec):=6586.2
isotope branching factor:=0.97
radiopharmaceutical:=FDG
tracer activity at time of injection (Bq):=1.85e+008
image data byte order:=LITTLEENDIAN
%patient orientation:=HFS
!PET data type:=emission
data format:=sinogram
number format:=signed integer
!number of bytes per pixel:=2
number of dimensions:=3
matrix axis label [1]:=bin
matrix axis label [2]:=projection
matrix axis label [3]:=plane
matrix size [1]:=344
matrix size [2]:=252
matrix size [3]:={planes}
scale factor (mm/pixel) [1]:=2.0445
scale factor (degree/pixel) [2]:=0.714286
scale factor (mm/pixel) [3]:=2.03125
%axial compression:=1
%maximum ring difference:=60
number of rings:=64
applied corrections:=
%number of TOF time bins:=1
number of scan data types:=2
scan data type description [1]:=prompts
scan data type description [2]:=randoms
data offset in bytes [1]:={first}
data offset in bytes [2]:={second}

!IMAGE DATA DESCRIPTION:=
!total number of data sets:=1
%data set [1]:={{0,,{data}}}
total prompts:=21376759
%total randoms:=5166385
%total net trues:=16210374
!image duration (sec):=600
END OF INTERFILE :=
"""


def make_sinogram(
    path: str | os.PathLike[str], person: Person | None = None, data_bytes: int = 1 << 18
) -> tuple[Path, Path]:
    """Write a sinogram in two files. Lines of the header end with CRLF.

    Parameters
    ----------
    path : path-like
        The header, ``X.s.hdr``; the data go to ``X.s``. Both are replaced if they exist.
    person : Person, optional
        Who was scanned: in patient lines, comments and file names, in ASCII.
    data_bytes : int
        Bytes of prompts and randoms together. They are no real scan: random numbers, as incompressible as
        the mMR's own format.

    Returns
    -------
    tuple of pathlib.Path
        Header and data.

    Raises
    ------
    ValueError
        If the name of the header does not say what that of the data is.
    """
    header, data = _places(path)
    person = person or Person()
    text = _SINOGRAM.format(
        comment=Person.ascii(f"{person.spoken} *{person.birth_dates[0]}, {person.patient_id}"),
        stem=data.stem,
        data=data.name,
        study=STUDY_LINES,
        patient=patient_lines(person),
        planes=_PLANES,
        first=_TABLE,
        second=_TABLE + data_bytes // 2,
    )
    header.write_bytes(text.replace("\n", "\r\n").encode("ascii"))
    data.write_bytes(random_bytes("sinogram", _TABLE + data_bytes))
    return header, data


def make_listmode_files(
    path: str | os.PathLike[str], person: Person | None = None, payload_bytes: int = 1 << 18
) -> tuple[Path, Path]:
    """Write list-mode in two files, ``X.l.hdr`` and ``X.l``. Lines of the header end with LF.

    Parameters
    ----------
    path, person
        As in `make_sinogram`.
    payload_bytes : int
        Bytes of list-mode words, a multiple of 4.

    Returns
    -------
    tuple of pathlib.Path
        Header and data.

    Raises
    ------
    ValueError
        If the name of the header does not say what that of the data is.
    """
    header, data = _places(path)
    person = person or Person()
    words = payload_bytes // 4
    seconds = max(1, words // (1000 * WORDS_A_MS))
    header.write_bytes(listmode_header(person, words, seconds, data.name, patient_lines(person)).rstrip(b"\0"))
    with data.open("wb") as file:
        file.writelines(listmode_blocks(payload_bytes))
    return header, data


def make_norm_files(path: str | os.PathLike[str], person: Person | None = None) -> tuple[Path, Path]:
    """Write a norm in two files, ``X.n.hdr`` and ``X.n``. Lines of the header end with CR CR LF.

    Parameters
    ----------
    path, person
        As in `make_sinogram`.

    Returns
    -------
    tuple of pathlib.Path
        Header and data.

    Raises
    ------
    ValueError
        If the name of the header does not say what that of the data is.
    """
    header, data = _places(path)
    person = person or Person()
    header.write_bytes(norm_header(person, data.name, patient_lines(person)).rstrip(b"\0"))
    data.write_bytes(norm())
    return header, data


def _places(path: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Give the paths of header and data."""
    header = Path(path)
    if header.suffix != ".hdr" or not header.with_suffix("").suffix:
        raise ValueError("path: such as X.s.hdr, for the data go to X.s")
    return header, header.with_suffix("")
