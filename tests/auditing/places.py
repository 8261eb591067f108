"""Every place: in headers of raw data and in bulk, with those in DICOM and in Siemens' texts."""

from __future__ import annotations

from collections.abc import Callable

from tests.auditing.case import Files, Place, Value, Who, takes_any
from tests.auditing.dicom import IN_DICOM, dicom
from tests.auditing.raw import Twix, interfile, payload, ptd, rda, twix
from tests.auditing.texts import IN_TEXTS
from tests.builder import Leaf


def is_long(value: Value) -> bool:
    """Say whether a value is long enough to be no chance in a payload."""
    return len(value.data) >= 8


def in_twix(make: Callable[[bytes], Twix]) -> Callable[[Who, bytes], Files]:
    return lambda who, t: {"a.dat": twix(who, make(t))}


IN_RAW = {
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
    "twix protocol name": Place("protName", in_twix(lambda t: Twix(protocol=t[:63]))),
    "twix slot": Place("patName > slack", in_twix(lambda t: Twix(t)), lambda v: len(v.planted) < 52),
    "twix protocol": Place(
        "StudyComment", in_twix(lambda t: Twix(inside=b'<ParamString."StudyComment"> {"%b"}' % t))
    ),
    "twix text": Place("twix > Notes", in_twix(lambda t: Twix(note=b"of " + t))),
    "twix behind a text": Place("twix > Notes > slack", in_twix(lambda t: Twix(behind=t)), takes_any),
    "twix header pad": Place("twix > slack", in_twix(lambda t: Twix(pad=t)), lambda v: len(v.planted) < 32),
    "twix alignment pad": Place("twix > slack", in_twix(lambda t: Twix(gap=t)), takes_any),
    "twix unused entries": Place("twix directory > slack", in_twix(lambda t: Twix(unused=t)), takes_any),
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
    "measurement": Place("measurement", in_twix(lambda t: Twix(data=payload(t))), is_long),
    "data behind Interfile": Place("raw data", lambda w, t: {"a.v": interfile(w) + payload(t)}, is_long),
}

PLACES: dict[str, Place] = {**IN_DICOM, **IN_TEXTS, **IN_RAW, **PAYLOADS}

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
