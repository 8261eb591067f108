"""MR images of an XA scanner (Numaris X): no CSA header, the protocol stands in SIEMENS MR SDS 01 instead.

Elements and values are of the kind that 11 real files of XA10 to XA60 hold (dcm_qa_xa30 and others). A classic
image has the protocol, (0021,xx19), beside everything else; an enhanced one has it two sequences deep, in
(0021,xxFE) of the Shared Functional Groups.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from fastanon.synthetic.dataset import DAY, MR_IMAGE, fill, items, make_uid, new_dataset, private, save
from fastanon.synthetic.person import Person
from fastanon.synthetic.protocol import phoenix_protocol
from fastanon.synthetic.words import pixels

XA_SERIES, ENHANCED_SERIES = 7, 8
ENHANCED_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4.1"
_SIDE, _FRAMES = 128, 2

_SCANNER: dict[str, object] = {
    "Manufacturer": "Siemens Healthineers",
    "ManufacturerModelName": "MAGNETOM Vida",
    "SoftwareVersions": "syngo MR XA30",
    "Modality": "MR",
    "SeriesDescription": "anat-T1w",
    "ProtocolName": "anat-T1w",
    "MagneticFieldStrength": "3",
    "Rows": _SIDE,
    "Columns": _SIDE,
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16,
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 0,
    "BurnedInAnnotation": "NO",
}
_CLASSIC: dict[str, object] = {
    "ImageType": ["ORIGINAL", "PRIMARY", "M", "DIS2D", "MFSPLIT"],
    "ScanningSequence": "GR",
    "SequenceVariant": "SK",
    "MRAcquisitionType": "3D",
    "SequenceName": "*tfl3d1_16ns",
    "SliceThickness": "2",
    "RepetitionTime": "1800",
    "EchoTime": "2.41",
    "FlipAngle": "9",
    "PixelSpacing": ["2", "2"],
    "ImagePositionPatient": ["-98", "-128", "113"],
    "ImageOrientationPatient": ["0", "1", "0", "0", "0", "-1"],
}
_SERIES: tuple[tuple[int, str, object], ...] = (
    (0x01, "IS", "72"),
    (0x06, "LO", "void"),
    (0x08, "SH", "Fast*"),
    (0x0C, "SH", "+LPH"),
    (0x10, "IS", "63010001"),
    (0x12, "FD", 2.0),
    (0x18, "SH", "Head"),
    (0x22, "SH", "SIEMENS"),
    (0x25, "SL", [0, 0, -1250]),
    (0x2B, "ST", "1;HFS;72;;F;0;0;-921240000"),
    (0x33, "SH", "AS82"),
    (0x5E, "LO", "FoV 256*256"),
    (0x60, "DT", f"{DAY}170035.123000"),
)
_IMAGE: tuple[tuple[int, str, object], ...] = (
    (0x06, "LO", "X_1_1_1_1_1_1_1_1_1_1_1_189"),
    (0x1A, "SH", "measured"),
    (0x45, "SL", [0, 0, -1250]),
    (0x4F, "LO", "HC1-7;NC1,2"),
    (0x58, "SH", "128*128"),
    (0x75, "CS", ["ORIGINAL", "PRIMARY", "M", "NONE"]),
    (0x76, "LO", ["ChannelMixing:ND=true_CMM=1_CDM=1", "ACCAlgo:9"]),
)


def make_xa_slice(path: str | os.PathLike[str], person: Person | None = None, number: int = 1) -> Path:
    """Write a classic MR image of an XA scanner.

    Parameters
    ----------
    path : path-like
        The file, replaced if it exists.
    person : Person, optional
        Who was scanned.
    number : int
        The instance number, from 1.

    Returns
    -------
    pathlib.Path
        The file.
    """
    person = person or Person()
    dataset = fill(_image(person, MR_IMAGE, XA_SERIES, number, 1), _CLASSIC)
    private(dataset, 0x0021, "SIEMENS MR SDS 01", *_series(person, XA_SERIES))
    private(dataset, 0x0021, "SIEMENS MR SDI 02", *_IMAGE)
    _add_index(dataset, person)
    return save(dataset, path)


def make_xa_frames(path: str | os.PathLike[str], person: Person | None = None) -> Path:
    """Write an enhanced MR image of an XA scanner, of two frames.

    Parameters
    ----------
    path, person
        As in `make_xa_slice`.

    Returns
    -------
    pathlib.Path
        The file.
    """
    person = person or Person()
    dataset = _image(person, ENHANCED_MR_IMAGE, ENHANCED_SERIES, 1, _FRAMES)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "T1", "NONE"]
    dataset.NumberOfFrames = str(_FRAMES)
    shared = _nested("SIEMENS MR SDS 01", _series(person, ENHANCED_SERIES))
    frames = [_nested("SIEMENS MR SDI 02", _IMAGE) for _ in range(_FRAMES)]
    for frame in frames:
        frame.FrameContentSequence = items({"FrameComments": f"{person.listed}, {person.patient_id}"})
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    _add_index(dataset, person)
    return save(dataset, path)


def _image(person: Person, sop_class: str, series: int, number: int, frames: int) -> Dataset:
    dataset = fill(new_dataset(person, sop_class, series, number), _SCANNER)
    gray = b"".join(pixels(_SIDE, _SIDE, number + frame, 900).tobytes() for frame in range(frames))
    dataset.PixelData = gray
    dataset["PixelData"].VR = "OW"
    return dataset


def _series(person: Person, series: int) -> tuple[tuple[int, str, object], ...]:
    """Give the elements of SDS 01, the protocol with a NUL as padding."""
    text = phoenix_protocol(person, make_uid(series, 1), "anat-T1w").encode("latin-1")
    return (*_SERIES, (0x19, "OB", text + b"\0" * (len(text) % 2)))


def _nested(creator: str, elements: tuple[tuple[int, str, object], ...]) -> Dataset:
    """Make an item with a private sequence of one item, which reserves its block again (PS3.5 7.8.1)."""
    outer, inner = Dataset(), Dataset()
    private(inner, 0x0021, creator, *elements)
    private(outer, 0x0021, creator, (0xFE, "SQ", Sequence([inner])))
    return outer


def _add_index(dataset: Dataset, person: Person) -> None:
    """Add what the scanner's database and its receiver add."""
    private(dataset, 0x0009, "SIEMENS SYNGO INDEX SERVICE", (0x8C, "LO", f"{person.file_name}/{DAY}"[:64]))
    private(dataset, 0x0021, "SIEMENS MR SDR 01", (0x01, "LO", "ACQUISITION"), (0x02, "LO", "ACQUISITION"))
