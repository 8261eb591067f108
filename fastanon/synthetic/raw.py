"""Raw PET data: list-mode and norm, the payload inside the DICOM file (.IMA) or beside it (.dcm, .bf)."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from pydicom.dataset import Dataset

from fastanon.synthetic.csa_headers import add_csa
from fastanon.synthetic.dataset import CSA_NON_IMAGE, DAY, encode, fill, items, new_dataset, private, save
from fastanon.synthetic.interfile import listmode_header, norm_header
from fastanon.synthetic.person import Person
from fastanon.synthetic.words import WORDS_A_MS, listmode_blocks, norm

LISTMODE_SERIES, NORM_SERIES = 4, 3
#: The longest value of an element: even, and not FFFFFFFFH, which says undefined (PS3.5 7.1.1, 7.5).
LONGEST = 0xFFFFFFFE

_TRACER = {
    "Radiopharmaceutical": "Fluorodeoxyglucose",
    "RadiopharmaceuticalVolume": "0",
    "RadiopharmaceuticalStartTime": "160700.000000",
    "RadiopharmaceuticalStopTime": "160700.000000",
    "RadionuclideTotalDose": "185000000",
    "RadionuclideHalfLife": "6586.2",
    "RadionuclidePositronFraction": "0.97",
    "RadiopharmaceuticalStartDateTime": f"{DAY}160700.000000",
    "RadiopharmaceuticalStopDateTime": f"{DAY}160700.000000",
}
_FLUORINE = {"CodeValue": "C-111A1", "CodingSchemeDesignator": "SRT", "CodeMeaning": "^18^Fluorine"}
_GLUCOSE = {"CodeValue": "C-B1031", "CodingSchemeDesignator": "SRT", "CodeMeaning": "Fluorodeoxyglucose F^18^"}


def make_listmode(
    path: str | os.PathLike[str],
    payload_bytes: int,
    person: Person | None = None,
    *,
    repeat: bool = True,
    sparse: bool = False,
) -> Path:
    """Write a list-mode file with the payload inside, in little memory.

    Parameters
    ----------
    path : path-like
        The file, replaced if it exists.
    payload_bytes : int
        Bytes of list-mode words, a multiple of 4.
    person : Person, optional
        Who was scanned.
    repeat : bool
        Repeat one block of 8 MiB; otherwise each block has events and times of its own.
    sparse : bool
        Write no words: the payload is a hole that reads as zeros.

    Returns
    -------
    pathlib.Path
        The file. The payload is its last element.

    Raises
    ------
    ValueError
        If the payload is no whole number of words, or longer than an element can be.
    """
    if payload_bytes > LONGEST:
        raise ValueError(f"payload_bytes: an element holds {LONGEST} bytes; make_listmode_pair has no limit")
    dataset = listmode_dataset(person or Person(), 2, payload_bytes, "MRPETLM")
    header = encode(dataset)
    with Path(path).open("wb") as file:
        file.write(header[:-4] + struct.pack("<I", payload_bytes))  # the header ends with the payload's length
        if sparse:
            file.truncate(len(header) + payload_bytes)
        else:
            file.writelines(listmode_blocks(payload_bytes, repeat))
    return Path(path)


def make_listmode_pair(
    path: str | os.PathLike[str], payload_bytes: int, person: Person | None = None
) -> tuple[Path, Path]:
    """Write a list-mode file with the payload beside it, of any size.

    Parameters
    ----------
    path : path-like
        The ``.dcm``; the ``.bf`` has the same stem.
    payload_bytes, person
        As in `make_listmode`.

    Returns
    -------
    tuple of pathlib.Path
        The ``.dcm`` and the ``.bf``.
    """
    dicom = save(listmode_dataset(person or Person(), 1, payload_bytes, "MRPETLM_LARGE"), path)
    with dicom.with_suffix(".bf").open("wb") as file:
        file.writelines(listmode_blocks(payload_bytes))
    return dicom, dicom.with_suffix(".bf")


def make_norm_pair(path: str | os.PathLike[str], person: Person | None = None) -> tuple[Path, Path]:
    """Write a norm and its payload beside it. The CSA headers are in block 10, the Interfile header in 11.

    Parameters
    ----------
    path, person
        As in `make_listmode_pair`.

    Returns
    -------
    tuple of pathlib.Path
        The ``.dcm`` and the ``.bf``.
    """
    person = person or Person()
    dataset = _raw(person, NORM_SERIES, 1, "PET_NORM", "PET Normalization data")
    add_csa(dataset, person, 1, "Head_PET_raw")
    _add_interfile(dataset, "MRPETNORM", norm_header(person))
    dicom = save(dataset, path)
    dicom.with_suffix(".bf").write_bytes(norm())
    return dicom, dicom.with_suffix(".bf")


def listmode_dataset(person: Person, number: int, payload_bytes: int, kind: str) -> Dataset:
    """Make a list-mode dataset without its payload.

    Parameters
    ----------
    person : Person
        Who was scanned.
    number : int
        The instance number, from 1.
    payload_bytes : int
        Bytes of list-mode words, for the Interfile header to count.
    kind : str
        The CSA Data Type, such as ``MRPETLM``.

    Returns
    -------
    pydicom.Dataset
        The Interfile header is in block 10, the CSA headers in 11, as NIPET wants it.

    Raises
    ------
    ValueError
        If the payload is no whole number of words.
    """
    if payload_bytes < 4 or payload_bytes % 4:
        raise ValueError("payload_bytes: a positive multiple of 4")
    words = payload_bytes // 4
    seconds = max(1, words // (1000 * WORDS_A_MS))
    dataset = _raw(person, LISTMODE_SERIES, number, "PET_LISTMODE", "Listmode")
    dataset.ActualFrameDuration = str(1000 * seconds)
    tracer = fill(items(_TRACER)[0], {"RadionuclideCodeSequence": items(_FLUORINE)})
    tracer.RadiopharmaceuticalCodeSequence = items(_GLUCOSE)
    dataset.RadiopharmaceuticalInformationSequence = [tracer]
    _add_interfile(dataset, kind, listmode_header(person, words, seconds))
    add_csa(dataset, person, number, "Head_PET_raw")
    return dataset


def _raw(person: Person, series: int, number: int, kind: str, comment: str) -> Dataset:
    dataset = new_dataset(person, CSA_NON_IMAGE, series, number)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", kind]
    dataset.Modality = "PT"
    dataset.SeriesDescription = dataset.ProtocolName = "Head_PET_raw"
    dataset.ImageComments = comment
    private(
        dataset,
        0x0071,
        "SIEMENS MED PT",
        (0x21, "UI", dataset.SeriesInstanceUID),
        (0x22, "DT", f"{DAY}170035.123000"),
        (0x23, "LO", f"{person.listed} {person.patient_id}"[:64]),
    )
    private(dataset, 0x7FE1, "SIEMENS CSA NON-IMAGE", (0x10, "OB", b""))
    return dataset


def _add_interfile(dataset: Dataset, kind: str, header: bytes) -> None:
    private(
        dataset,
        0x0029,
        "SIEMENS CSA NON-IMAGE",
        (0x08, "CS", kind),
        (0x09, "LO", "20100114"),
        (0x10, "OB", header),
    )
