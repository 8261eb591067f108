"""Files for tests of profiles, made with pydicom; and a run of fastanon that is read with pydicom."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

import fastanon
from fastanon.report import FileResult
from tests.profiles.values import BIRTH, FIRST, LAST, NUMBER

KEY = bytes(range(32))
CLASS = "1.2.840.10008.5.1.4.1.1.7"
INSTANCE = "1.3.12.2.1107.5.2.38.51008.2017032714253695"
HOLDER = "RadiopharmaceuticalInformationSequence"  # not in the table: it stays, and so does the code inside
PIXELS = bytes(range(64))
INNER = "RadionuclideCodeSequence"


def patient(**more: Any) -> Dataset:
    """Make a small dataset of the patient."""
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = CLASS, INSTANCE
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = f"{LAST}^{FIRST}", NUMBER, BIRTH
    ds.StudyDate, ds.StudyTime = "20170327", "142536"
    for name, value in more.items():
        setattr(ds, name, value)
    return ds


def image(**more: object) -> Dataset:
    """Make an image of eight by eight."""
    ds = patient(**more)
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.Rows, ds.Columns = 1, "MONOCHROME2", 8, 8
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.add_new(0x7FE00010, "OB", PIXELS)
    return ds


def item(**values: Any) -> Dataset:
    """Make an item."""
    ds = Dataset()
    for name, value in values.items():
        setattr(ds, name, value)
    return ds


def holding(*items: Dataset) -> list[Dataset]:
    """Give the items of a kept sequence, each given one at its first and at its second level."""
    outer = []
    for one in items:
        first = Dataset()
        first.update(one)
        first.RadionuclideCodeSequence = [one]
        outer.append(first)
    return outer


def write(path: Path, ds: Dataset, syntax: str = ExplicitVRLittleEndian, **meta: Any) -> Path:
    """Write a dataset as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.get("SOPClassUID", CLASS)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID", INSTANCE)
    ds.file_meta.TransferSyntaxUID = syntax
    for name, value in meta.items():
        setattr(ds.file_meta, name, value)
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    return path


def run(path: Path, options: Iterable[str] = (), profile: str = "basic", **more: Any) -> tuple[FileResult, Path]:
    """Anonymize one file to a folder of its own, and give what is said of it and where it would be."""
    target = path.parent / f"out{sum(1 for _ in path.parent.iterdir())}"
    report = fastanon.anonymize(path, to=target, profile=profile, options=list(options), **{"key": KEY, **more})
    (result,) = report.files
    return result, target / path.name


def read(path: Path) -> Dataset:
    """Read all of a file with pydicom."""
    return pydicom.dcmread(path)


def cleaned(path: Path, options: Iterable[str] = (), profile: str = "basic", **more: Any) -> Dataset:
    """Anonymize one file that has to come out clean, and read it."""
    result, target = run(path, options, profile, **more)
    assert (result.status, result.leaks) == ("anonymized", 0), result.messages
    return read(target)


def of(ds: Dataset, tmp_path: Path, options: Iterable[str] = (), profile: str = "basic", **more: Any) -> Dataset:
    """Write, anonymize and read a dataset."""
    return cleaned(write(tmp_path / "a.dcm", ds), options, profile, **more)


def places(ds: Dataset) -> list[Dataset]:
    """Give the dataset itself and every item that `holding` made."""
    outer = list(ds.get(HOLDER, []))
    return [ds, *outer, *(inner for one in outer for inner in one.get(INNER, []))]
