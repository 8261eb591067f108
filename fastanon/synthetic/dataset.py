"""The elements that every file of the study has: patient, visit and scanner.

The patient stands in more places than the module of that name: in sequences, in free text, in what an archive
keeps of corrected values (PS3.3 C.12.1.1.9), and in private elements, one of them with VR UN.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from fastanon.synthetic.person import Person

DAY, TIME = "20170327", "170035.123000"
SERIAL, STATION = "99999", "MRC99999"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
CSA_NON_IMAGE = "1.3.12.2.1107.5.9.1"

_ROOT = f"1.3.12.2.1107.5.2.38.{SERIAL}"
_WRITER = "2.25.252302390175340813862231461872030146309"

_EQUIPMENT = {
    "SpecificCharacterSet": "ISO_IR 100",
    "InstanceCreationDate": DAY,
    "InstanceCreationTime": "171512.406000",
    "StudyDate": DAY,
    "SeriesDate": DAY,
    "AcquisitionDate": DAY,
    "ContentDate": DAY,
    "StudyTime": "155811.093000",
    "SeriesTime": TIME,
    "AcquisitionTime": TIME,
    "ContentTime": TIME,
    "Manufacturer": "SIEMENS",
    "InstitutionName": "Synthetic Hospital",
    "InstitutionAddress": "Nowhere Lane 1,Utopia,Sample District,ZZ,00000",
    "InstitutionalDepartmentName": "Department of Examples",
    "StationName": STATION,
    "OperatorsName": "OPERATOR^THEA",
    "ManufacturerModelName": "Biograph_mMR",
    "BodyPartExamined": "BRAIN",
    "DeviceSerialNumber": SERIAL,
    "SoftwareVersions": "syngo MR E11",
    "PatientPosition": "HFS",
    "DateOfLastCalibration": DAY,
    "TimeOfLastCalibration": "074112.000000",
    "StudyID": "1",
    "PositionReferenceIndicator": "",
}


def make_uid(series: int, number: int = 0) -> str:
    """Make a UID like the scanner's, with its serial number, the day and the time.

    Parameters
    ----------
    series, number : int
        Where the object stands in the study; 0 for the series, and series 0 for the study itself.

    Returns
    -------
    str
        52 letters.
    """
    return f"{_ROOT}.{DAY}16{series:02d}{number:04d}300012345"


def fill(dataset: Dataset, values: Mapping[str, object]) -> Dataset:
    """Set elements by keyword and give the dataset back."""
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def items(*values: Mapping[str, object]) -> Sequence:
    """Make a sequence with one item for each mapping of keywords."""
    return Sequence([fill(Dataset(), v) for v in values])


def private(dataset: Dataset, group: int, creator: str, *elements: tuple[int, str, object]) -> None:
    """Reserve the next free block of a group and add elements to it (PS3.5 7.8.1)."""
    block = dataset.private_block(group, creator, create=True)
    for offset, vr, value in elements:
        block.add_new(offset, vr, value)


def new_dataset(person: Person, sop_class: str, series: int, number: int) -> Dataset:
    """Make a dataset with all that the files of the study have in common.

    Parameters
    ----------
    person : Person
        Whose study it is.
    sop_class : str
        UID of the SOP class.
    series, number : int
        Which object of which series it is, from 1.

    Returns
    -------
    pydicom.Dataset
        To which type, pixels or payload are still to be added.
    """
    dataset = fill(Dataset(), _EQUIPMENT)
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = make_uid(series, number)
    dataset.StudyInstanceUID = make_uid(0)
    dataset.SeriesInstanceUID = make_uid(series)
    dataset.FrameOfReferenceUID = f"{_ROOT}.1.{DAY}155811123.0.0.0"
    dataset.SeriesNumber = str(series)
    dataset.AcquisitionNumber = "1"
    dataset.InstanceNumber = str(number)
    fill(dataset, _patient(person))
    fill(dataset, _visit(person))
    _archive(dataset, person)
    return dataset


def _patient(person: Person) -> dict[str, object]:
    other = {"PatientID": person.other_id, "IssuerOfPatientID": "ELSEWHERE"}
    return {
        "PatientName": person.name,
        "PatientID": person.patient_id,
        "IssuerOfPatientID": "UTOPIA",
        "PatientBirthDate": person.birth_date,
        "PatientSex": "F",
        "OtherPatientNames": person.other_name,
        "OtherPatientIDsSequence": items(other),
        "PatientBirthName": person.other_name,
        "PatientAge": "063Y",
        "PatientSize": "1.68",
        "PatientWeight": "72",
        "PatientAddress": "Sample Street 7, 00000 Utopia",
        "PatientTelephoneNumbers": "+00 555 0100471",
        "AdditionalPatientHistory": f"{person.spoken} was seen before as {person.other_name.split('^')[0]}.",
        "PatientComments": f"ID {person.patient_id}, called by Dr. {person.physician.split('^')[0]}",
    }


def _request(person: Person) -> dict[str, object]:
    return {
        "AccessionNumber": person.accession,
        "RequestingPhysician": person.physician,
        "RequestedProcedureDescription": f"PET/MR {person.listed}"[:64],
        "ScheduledProcedureStepDescription": "PET/MR head",
        "ScheduledProcedureStepID": "SPS471",
        "RequestedProcedureID": "RP471",
    }


def _visit(person: Person) -> dict[str, object]:
    study = {
        "ReferencedSOPClassUID": "1.2.840.10008.3.1.2.3.1",
        "ReferencedSOPInstanceUID": make_uid(0, 1),
    }
    return {
        "AccessionNumber": person.accession,
        "ReferringPhysicianName": person.physician,
        "PerformingPhysicianName": person.physician,
        "StudyDescription": f"PET/MR head, Mrs {person.family}"[:64],
        "ReferencedStudySequence": items(study),
        "RequestingPhysician": person.physician,
        "RequestedProcedureDescription": "PET/MR head",
        "PerformedProcedureStepStartDate": DAY,
        "PerformedProcedureStepStartTime": "155811.171000",
        "PerformedProcedureStepID": "MR20170327155811",
        "PerformedProcedureStepDescription": "PET/MR head",
        "CommentsOnThePerformedProcedureStep": f"Mrs {person.family}, born {person.birth_dates[2]}, moved",
        "RequestAttributesSequence": items(_request(person)),
    }


def _archive(dataset: Dataset, person: Person) -> None:
    """Add what an archive adds: the values before a correction, and notes of its own."""
    before = {"PatientName": person.other_name, "PatientID": person.other_id}
    correction = {
        "ModifiedAttributesSequence": items(before),
        "AttributeModificationDateTime": f"{DAY}180000",
        "ModifyingSystem": "SYNTHETIC PACS",
        "SourceOfPreviousValues": "",
        "ReasonForTheAttributeModification": "COERCE",
    }
    dataset.OriginalAttributesSequence = items(correction)
    inner = Dataset()
    inner.PatientName = person.name
    private(inner, 0x0099, "SYNTHETIC PACS", (0x01, "LO", person.patient_id))
    label = f"{person.listed} *{person.birth_dates[1]}"[:64]
    unknown = label.encode("latin-1")
    private(
        dataset,
        0x0099,
        "SYNTHETIC PACS",
        (0x01, "LO", label),
        (0x02, "SQ", Sequence([inner])),
        (0x03, "UN", unknown + b" " * (len(unknown) % 2)),
    )


def encode(dataset: Dataset) -> bytes:
    """Give the bytes of a DICOM file in explicit VR little endian (PS3.10 7.1).

    Parameters
    ----------
    dataset : pydicom.Dataset
        Its elements.

    Returns
    -------
    bytes
        The same in every version of pydicom, for the file meta information names this writer instead.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(dataset.SOPClassUID)
    meta.MediaStorageSOPInstanceUID = UID(dataset.SOPInstanceUID)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(_WRITER)
    meta.ImplementationVersionName = "FASTANON_SYN_1"
    meta.SourceApplicationEntityTitle = STATION
    dataset.file_meta = meta
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def save(dataset: Dataset, path: str | os.PathLike[str]) -> Path:
    """Write a DICOM file and give its path."""
    path = Path(path)
    path.write_bytes(encode(dataset))
    return path
