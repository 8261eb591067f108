"""MR images with CSA headers: slices of a T1 volume and of the mu-map."""

from __future__ import annotations

import os
from pathlib import Path

from pydicom.dataset import Dataset

from fastanon.synthetic.csa_headers import add_csa
from fastanon.synthetic.dataset import MR_IMAGE, fill, items, make_uid, new_dataset, private, save
from fastanon.synthetic.person import Person
from fastanon.synthetic.words import pixels

T1_SERIES, UMAP_SERIES = 5, 6

_SEQUENCE: dict[str, object] = {
    "Modality": "MR",
    "ScanningSequence": ["GR", "IR"],
    "SequenceVariant": ["SP", "MP"],
    "ScanOptions": "IR",
    "MRAcquisitionType": "3D",
    "SequenceName": "*tfl3d1_16ns",
    "RepetitionTime": "1700",
    "EchoTime": "2.63",
    "InversionTime": "900",
    "NumberOfAverages": "1",
    "ImagingFrequency": "123.198837",
    "ImagedNucleus": "1H",
    "MagneticFieldStrength": "3",
    "NumberOfPhaseEncodingSteps": "255",
    "EchoTrainLength": "1",
    "PercentPhaseFieldOfView": "100",
    "PixelBandwidth": "180",
    "TransmitCoilName": "Body",
    "AcquisitionMatrix": [0, 256, 256, 0],
    "InPlanePhaseEncodingDirection": "ROW",
    "FlipAngle": "9",
    "SAR": "0.0311",
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16,
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 0,
    "SmallestImagePixelValue": 0,
    "WindowCenter": "520",
    "WindowWidth": "1200",
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
}

_GROUP_0019: tuple[tuple[int, str, object], ...] = (
    (0x08, "CS", "IMAGE NUM 4"),
    (0x09, "LO", "1.0"),
    (0x0B, "DS", "383600"),
    (0x0F, "SH", "Fast"),
    (0x11, "SH", "No"),
    (0x12, "SL", [0, 0, -1252]),
    (0x13, "SL", [0, 0, -1262]),
    (0x14, "IS", ["0", "0", "-10"]),
    (0x17, "DS", "1"),
    (0x18, "IS", "5600"),
)
_GROUP_0051: tuple[tuple[int, str, object], ...] = (
    (0x08, "CS", "IMAGE NUM 4"),
    (0x09, "LO", "1.0"),
    (0x0B, "SH", "256p*256"),
    (0x0C, "SH", "FoV 256*256"),
    (0x0E, "SH", "Tra"),
    (0x0F, "LO", "HE1-4;NE1,2"),
    (0x12, "SH", "TP 0"),
    (0x16, "LO", "p2 M/NORM/DIS2D"),
    (0x17, "SH", "SL 1.0"),
)


def make_slice(
    path: str | os.PathLike[str],
    person: Person | None = None,
    rows: int = 448,
    columns: int = 448,
    number: int = 1,
) -> Path:
    """Write one slice of a T1 volume: about 500 kB, 174 elements, CSA headers in block 11.

    Parameters
    ----------
    path : path-like
        The file, replaced if it exists.
    person : Person, optional
        Who was scanned.
    rows, columns : int
        The size of the image.
    number : int
        The instance number, from 1.

    Returns
    -------
    pathlib.Path
        The file.
    """
    person = person or Person()
    dataset = t1_image(person, T1_SERIES, number, rows, columns)
    private(dataset, 0x0029, "SIEMENS MEDCOM HEADER2", (0x60, "LO", "com"))
    add_csa(dataset, person, number, "t1_mpr_sag_iso")
    return save(dataset, path)


def make_umap_slice(path: str | os.PathLike[str], person: Person, number: int = 1) -> Path:
    """Write one slice of the mu-map, with CSA headers in block 10.

    Parameters
    ----------
    path, person, number
        As in `make_slice`.

    Returns
    -------
    pathlib.Path
        The file.
    """
    dataset = _image(person, UMAP_SERIES, number, 126, 192)
    dataset.ImageType = ["DERIVED", "PRIMARY", "MRPET_UMAP3D", "DIXON"]
    dataset.SeriesDescription = dataset.ProtocolName = "Head_MRAC_PET_UMAP"
    dataset.SequenceName, dataset.RepetitionTime, dataset.EchoTime = "*fl3d2", "3.6", "1.23"
    dataset.ImageComments = "MR based umap"
    add_csa(dataset, person, number, "Head_MRAC_PET")
    private(dataset, 0x0029, "SIEMENS MEDCOM HEADER2", (0x60, "LO", "com"))
    return save(dataset, path)


def t1_image(person: Person, series: int, number: int, rows: int, columns: int) -> Dataset:
    """Make one slice of a T1 volume, as yet without what group 0029 holds."""
    dataset = _image(person, series, number, rows, columns)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "NORM", "DIS2D"]
    dataset.SeriesDescription = dataset.ProtocolName = "T1_MPRAGE_sag_iso"
    return dataset


def _image(person: Person, series: int, number: int, rows: int, columns: int) -> Dataset:
    dataset = fill(new_dataset(person, MR_IMAGE, series, number), _SEQUENCE)
    position = str(number - 12)
    gray = pixels(rows, columns, number, 900)
    others = [{"ReferencedSOPClassUID": MR_IMAGE, "ReferencedSOPInstanceUID": make_uid(1, n)} for n in (1, 2)]
    here: dict[str, object] = {
        "ReferencedImageSequence": items(*others),
        "SliceThickness": "1",
        "PixelSpacing": ["1", "1"],
        "ImagePositionPatient": ["-128", "-128", position],
        "SliceLocation": position,
        "Rows": rows,
        "Columns": columns,
        "LargestImagePixelValue": int(gray.max()),
        "PixelData": gray.tobytes(),
    }
    fill(dataset, here)["PixelData"].VR = "OW"
    _add_mr_header(dataset, number)
    return dataset


def _add_mr_header(dataset: Dataset, number: int) -> None:
    """Add the private groups 0019 and 0051, whose values also stand in the CSA headers."""
    place = (0x15, "FD", [-120.5, -128.25, number + 0.5])
    private(dataset, 0x0019, "SIEMENS MR HEADER", *_GROUP_0019, place)
    private(dataset, 0x0051, "SIEMENS MR HEADER", *_GROUP_0051)
