"""Interfile headers of list-mode and norm, as the mMR puts them into DICOM files: ``key:=value`` in ASCII.

The keys are those that STIR (InterfileHeaderSiemens.cxx) and NIPET read. Dates have colons. Lines of a norm
header end with two CRs and LF, for which pet-rd-tools has a cleaner.
"""

from __future__ import annotations

from fastanon.synthetic.person import Person

STUDY_LINES = """
%study date (yyyy:mm:dd):=2017:03:27
%study time (hh:mm:ss GMT+00:00):=17:00:35
"""

_LISTMODE = """
isotope name:=F-18
isotope gamma halflife (sec):=6586.2
isotope branching factor:=0.97
radiopharmaceutical:=FDG
%tracer injection date (yyyy:mm:dd):=2017:03:27
%tracer injection time (hh:mm:ss GMT+00:00):=16:07:00
tracer activity at time of injection (Bq):=1.85e+008
relative time of tracer injection (sec):=0
injected volume (ml):=0
%patient orientation:=HFS
%patient scan orientation:=HFS
PET data type:=Emission
data format:=CoincidenceList
start horizontal bed position (mm):=0
end horizontal bed position (mm):=0
start vertical bed position (mm):=0
%bed zero offset (mm):=0
number of energy windows:=1
%energy window lower level (keV) [1]:=430
%energy window upper level (keV) [1]:=610

!PET STUDY (Emission data):=
PET scanner type:=cylindrical
transaxial FOV diameter (cm):=59.6
number of rings:=64
distance between rings (cm):=0.40625
gantry tilt angle (degrees):=0
gantry crystal radius (cm):=32.8
bin size (cm):=0.20445
septa state:=none
%number of TOF time bins:=1

!IMAGE DATA DESCRIPTION:=
%preset type:=time
%preset value:={seconds}
%preset unit:=seconds
image duration (sec):={seconds}
%total listmode word counts:={words}

%COINCIDENCE LIST DATA:=
%LM event and tag words format (bits):=32
%timing tagwords interval (msec):=1
%singles polling method:=instantaneous
%singles polling interval (sec):=2
%singles scale factor:=8
%total number of singles blocks:=224
%axial compression:=1
%maximum ring difference:=60
%number of projections:=344
%number of views:=252
%number of segments:=121
%segment table:={segments}
%time_sync:=25934299
"""

_NORM = """
!IMAGE DATA DESCRIPTION:=
data format:=normalization
number format:=float
!number of bytes per pixel:=4
%calibration date (yyyy:mm:dd):=2017:03:27
%calibration time (hh:mm:ss GMT+00:00):=07:41:12
scanner quantification factor (Bq*s/ECAT counts):=2.3e+007
%cross calibration factor:=1.0
%raw normalization scans description:=daily QC before {name}
"""


def _start(data_file: str) -> str:
    return (
        "!INTERFILE:=\n!originating system:=2008\n%SMS-MI header name space:=PETLINK bin address\n"
        "%SMS-MI version number:=3.4\n\n!GENERAL DATA:=\n!data offset in bytes:=0\n"
        f"!name of data file:={data_file}\n\n!GENERAL IMAGE DATA:=\n!type of data:=PET"
    )


def patient_lines(person: Person) -> str:
    """Give the lines that name a patient in headers of HRRT and ECAT cameras, in ASCII."""
    return (
        f"!patient name:={Person.ascii(person.name)}\n"
        f"!patient ID:={Person.ascii(person.patient_id)}\n"
        f"%patient dob (yyyy:mm:dd):={person.birth_dates[0]}\n"
        f"%referring physician:={Person.ascii(person.physician)}\n"
    )


def listmode_header(person: Person, words: int, seconds: int, data_file: str = "", more: str = "") -> bytes:
    """Write the header of list-mode data.

    Parameters
    ----------
    person : Person
        Who stands in the file name and the comment, in ASCII, for NIPET decodes nothing else.
    words : int
        Words of 32 bits in the payload.
    seconds : int
        How long the scan took.
    data_file : str
        Where the payload is; by default a path that the scanner has long forgotten.
    more : str
        Lines to put behind the date.

    Returns
    -------
    bytes
        An even number of them, lines end with LF.
    """
    segments = "{64, " + ", ".join(f"{64 - i}, {64 - i}" for i in range(1, 61)) + "}"
    body = _LISTMODE.format(words=words, seconds=seconds, segments=segments)
    comment = (
        "%comment:=PET/CT gantry offset during PET acquisition was x=0.000000mm, y=0.000000mm, z=0.000000mm\n"
        f"%comment:={Person.ascii(person.spoken)} *{person.birth_dates[0]}, {Person.ascii(person.patient_id)}\n"
    )
    start = _start(data_file or f"C:\\MedCom\\temp\\{person.file_name}_20170327.l")
    return _finish(start + STUDY_LINES + more + body[1:] + comment)


def norm_header(person: Person, data_file: str = "", more: str = "") -> bytes:
    r"""Write the header of a norm.

    Parameters
    ----------
    person : Person
        Who stands in the file name and the description.
    data_file, more : str
        As in `listmode_header`.

    Returns
    -------
    bytes
        An even number of them, lines end with CR CR LF.
    """
    body = _NORM.format(name=Person.ascii(person.listed))
    start = _start(data_file or f"C:\\MedCom\\temp\\{person.file_name}_norm.n")
    text = start + STUDY_LINES + more + body
    return _finish(text.replace("\n", "\r\r\n"))


def _finish(text: str) -> bytes:
    data = text.encode("ascii")
    return data + b"\0" * (len(data) % 2)
