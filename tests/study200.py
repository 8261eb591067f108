"""A study of 200 small files of two patients, full of references; made with pydicom, read with pydicom.

Patient A has MR images and presentation states of them, patient B PET images and structure sets drawn on them; a
scan for normalisation belongs to B's study and names nobody. A DICOMDIR lists all that have a patient.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pydicom
from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.fileset import FileSet
from pydicom.uid import ExplicitVRLittleEndian

from fastanon.synthetic.csa import Tag, write_csa
from fastanon.synthetic.person import Person

A = Person("QUILLFEATHER^ZELMA", "MRN-7700431", "19430217", "ROSSETTI^CARLO", "ACC7700431")
B = Person("OESTERBLOM^INGVAR", "0815-4242-99", "19610923", "ROSSETTI^CARLO", "ACC0815424")

IMAGES, STATES, SLICES, CONTOURS = 80, 20, 79, 20
TALAIRACH = "1.2.840.10008.1.4.1.1"  # a frame of reference known to everybody (PS3.6 A)
MR, PT, PR, RT, RAW = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("4", "128", "11.1", "481.3", "66"))

#: What no text can be searched for: shorter runs of digits may be anything.
SHORTEST_IN_TEXT = 25

#: Tags and numbers of items down to a value, and the offset of what is quoted in it.
Key: TypeAlias = "tuple[int, ...]"

_PIXELS = 0x7FE00010
_UID = re.compile(rb"(?<![\d.])[012](?:\.\d+){4,}(?![\d.]*\d)")
_SIEMENS, _SHORT = "1.3.12.2.1107.5.2.38.51011.", "1.2.752.37.5."


class Study(NamedTuple):
    """Where it is, all of its files, and all UIDs that are its own."""

    folder: Path
    files: tuple[Path, ...]
    uids: frozenset[str]


def uid(length: int, number: int) -> str:
    """Make a UID of 20 to 64 characters, as a scanner does where there is room: with a date from 50 on."""
    root = _SIEMENS if length >= 36 else _SHORT
    day = "20170327" if length >= 50 else "1"
    return f"{root}{day}{number:0{length - len(root) - len(day)}}"


def _uids(first: int, count: int) -> list[str]:
    return [uid(20 + n % 45, n) for n in range(first, first + count)]


_MR, _PR, _PT, _RT = _uids(0, IMAGES), _uids(80, STATES), _uids(100, SLICES), _uids(180, CONTOURS)
_NORM = uid(58, 199)
_STUDIES, _FRAMES = (uid(64, 900), uid(33, 901)), (uid(20, 902), uid(52, 903))
_SERIES = [uid(length, 904 + i) for i, length in enumerate((24, 37, 45, 61, 44))]


def make(folder: Path) -> Study:
    """Write it."""
    listed = FileSet()
    for dataset in _listed():
        listed.add(dataset)
    listed.write(folder)
    close(listed)
    norm = folder / "NORM" / "IM000000"
    norm.parent.mkdir()
    _norm().save_as(norm, enforce_file_format=True)
    files = tuple(sorted(path for path in folder.rglob("*") if path.is_file()))
    own = {*_MR, *_PR, *_PT, *_RT, _NORM, *_STUDIES, *_FRAMES, *_SERIES}
    own.add(str(pydicom.dcmread(folder / "DICOMDIR").file_meta.MediaStorageSOPInstanceUID))
    return Study(folder, files, frozenset(own))


def close(files: FileSet) -> None:
    """Let go of the folder that pydicom keeps for changes; left alone it warns, and there is no other way."""
    files._stage["t"].cleanup()


def _listed() -> Iterator[Dataset]:
    yield from (_image(n) for n in range(IMAGES))
    yield from (_state(n) for n in range(STATES))
    yield from (_slice(n) for n in range(SLICES))
    yield from (_contours(n) for n in range(CONTOURS))


def _item(**values: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def _to(sop_class: str, instance: str, **more: Any) -> Dataset:
    return _item(ReferencedSOPClassUID=sop_class, ReferencedSOPInstanceUID=instance, **more)


def _base(who: Person | None, sop_class: str, instance: str, series: int, number: int, modality: str) -> Dataset:
    second = datetime.datetime(2017, 3, 27, 15, 58, 11, 171003) + datetime.timedelta(seconds=977.000123 * number)
    study = who is not A
    dataset = _item(
        SOPClassUID=sop_class, SOPInstanceUID=instance, StudyInstanceUID=_STUDIES[study], Modality=modality,
        SeriesInstanceUID=_SERIES[series], FrameOfReferenceUID=_FRAMES[study], StudyDate="20170327",
        StudyTime="155811", SeriesDate="20170328", SeriesTime="000000.5", AcquisitionDate=f"{second:%Y%m%d}",
        AcquisitionTime=f"{second:%H%M%S.%f}", ContentDate="20200229", ContentTime="235959.999999",
        AcquisitionDateTime=f"{second:%Y%m%d%H%M%S.%f}", StudyID="1", SeriesNumber=series + 1,
        InstanceNumber=number + 1, Manufacturer="SIEMENS",
    )  # fmt: skip
    if who is not None:
        for keyword, value in (
            ("PatientName", who.name), ("PatientID", who.patient_id), ("PatientBirthDate", who.birth_date),
            ("ReferringPhysicianName", who.physician), ("AccessionNumber", who.accession), ("PatientSex", "F"),
            ("StudyDescription", f"head of {who.spoken}"),
        ):  # fmt: skip
            setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.file_meta.MediaStorageSOPInstanceUID = instance
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def _pixels(dataset: Dataset, number: int) -> None:
    for keyword, value in (
        ("SamplesPerPixel", 1), ("PhotometricInterpretation", "MONOCHROME2"), ("Rows", 8), ("Columns", 8),
        ("BitsAllocated", 16), ("BitsStored", 16), ("HighBit", 15), ("PixelRepresentation", 0),
        ("PixelData", bytes((number + i) % 251 for i in range(128))),
    ):  # fmt: skip
        setattr(dataset, keyword, value)


def _image(n: int) -> Dataset:
    """Make an MR image that refers to others at depths 1 to 3, in private text and in a protocol."""
    dataset = _base(A, MR, _MR[n], 0, n, "MR")
    dataset.ReferencedImageSequence = [_to(MR, _MR[(n + 7) % IMAGES]), _to(MR, _MR[3 * n % IMAGES])]
    source = [_to(MR, _MR[(n + 41) % IMAGES])]
    dataset.SourceImageSequence = source
    shown = [_item(SeriesInstanceUID=_SERIES[1], ReferencedInstanceSequence=[_to(PR, _PR[n % STATES])])]
    dataset.ReferencedSeriesSequence = shown
    dataset.SharedFunctionalGroupsSequence = [_item(DerivationImageSequence=[_item(SourceImageSequence=source)])]
    frames = [_item(FrameOfReferenceUID=TALAIRACH), _item(FrameOfReferenceUID=_FRAMES[0])]
    dataset.ReferencedFrameOfReferenceSequence = frames
    quoted = next(one for one in _MR[(n + 11) % IMAGES :] + _MR if len(one) >= SHORTEST_IN_TEXT)
    dataset.ImageComments = f"moved, see {quoted}"
    _private(dataset, n, quoted)
    _pixels(dataset, n)
    return dataset


def _private(dataset: Dataset, n: int, quoted: str) -> None:
    lines = "".join(f'tReferenceImage{i}\t = \t"{one}"\n' for i, one in enumerate((quoted, _STUDIES[0])))
    protocol = f'### ASCCONV BEGIN ###\n{lines}tPatientName\t = \t"{A.name}"\n### ASCCONV END ###\n'
    tags = (Tag("RepresentativeImage", 1, "UI", (quoted,)), Tag("MrPhoenixProtocol", 1, "UN", (protocol,)))
    csa = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    csa.add_new(0x20, "OB", write_csa(tags, A))
    sds = dataset.private_block(0x0021, "SIEMENS MR SDS 01", create=True)
    sds.add_new(0x19, "OB", protocol.encode() + b"\0" * (len(protocol) % 2))
    med = dataset.private_block(0x0071, "SIEMENS MED PT", create=True)
    med.add_new(0x21, "UI", _MR[(n + 1) % IMAGES])
    med.add_new(0x22, "DT", "20170327170035.123000")
    med.add_new(0x23, "LT", f"registered to {quoted} by hand")


def _state(n: int) -> Dataset:
    """Make a presentation state of the MR series."""
    dataset = _base(A, PR, _PR[n], 1, n, "PR")
    images = [_to(MR, one) for one in _MR[4 * n : 4 * n + 4]]
    dataset.ReferencedSeriesSequence = [_item(SeriesInstanceUID=_SERIES[0], ReferencedImageSequence=images)]
    dataset.DisplayedAreaSelectionSequence = [_item(ReferencedImageSequence=images[:2])]
    dataset.ContentLabel, dataset.ContentDescription = "STATE", f"as {A.spoken} wished"
    dataset.PresentationCreationDate, dataset.PresentationCreationTime = "20170329", "101112.000001"
    dataset.ContentCreatorName = A.physician
    return dataset


def _slice(n: int) -> Dataset:
    """Make a PET image."""
    dataset = _base(B, PT, _PT[n], 2, n, "PT")
    dataset.SourceImageSequence = [_to(PT, _PT[(n + 5) % SLICES])]
    dataset.ReferencedImageSequence = [_to(PT, _PT[(n + 9) % SLICES])]
    dose = _item(RadiopharmaceuticalStartDateTime="20170327144459.999999", RadionuclideTotalDose="2e8")
    dataset.RadiopharmaceuticalInformationSequence = [dose]
    dataset.DecayFactor = "1.25"
    _pixels(dataset, n)
    return dataset


def _contours(n: int) -> Dataset:
    """Make a structure set drawn on the PET series."""
    dataset = _base(B, RT, _RT[n], 3, n, "RTSTRUCT")
    images = [_to(PT, one) for one in _PT[3 * n : 3 * n + 3]]
    series = [_item(SeriesInstanceUID=_SERIES[2], ContourImageSequence=images)]
    study = [_to("1.2.840.10008.3.1.2.3.1", _STUDIES[1], RTReferencedSeriesSequence=series)]
    frame = _item(FrameOfReferenceUID=_FRAMES[1], RTReferencedStudySequence=study)
    dataset.ReferencedFrameOfReferenceSequence = [frame]
    roi = _item(ROINumber=1, ReferencedFrameOfReferenceUID=_FRAMES[1], ROIName="tumour")
    dataset.StructureSetROISequence = [roi]
    dataset.ROIContourSequence = [_item(ContourSequence=[_item(ContourImageSequence=images)])]
    dataset.StructureSetLabel, dataset.StructureSetDate, dataset.StructureSetTime = "SET", "20170330", "091500.25"
    return dataset


def _norm() -> Dataset:
    """Make a scan for normalisation: of B's study, and of nobody."""
    dataset = _base(None, RAW, _NORM, 4, 3, "PT")
    dataset.ImageType, dataset.ImageComments = ["ORIGINAL", "PRIMARY", "PET_NORM"], "PET Normalization data"
    dataset.ReferencedImageSequence = [_to(PT, _PT[0])]
    kind = dataset.private_block(0x0029, "SIEMENS CSA NON-IMAGE", create=True)
    kind.add_new(0x08, "CS", "MRPETNORM")
    payload = dataset.private_block(0x7FE1, "SIEMENS CSA NON-IMAGE", create=True)
    payload.add_new(0x10, "OB", bytes(i * 7 % 253 for i in range(4096)))
    return dataset


# What pydicom reads


class Value(NamedTuple):
    """One value of a file: tags and numbers of items down to it, its VR, and what stands there."""

    key: Key
    vr: str
    value: Any


def values(path: Path) -> Iterator[Value]:
    """Give every value of a file, meta information first, at every depth."""
    dataset = pydicom.dcmread(path)
    yield from _values(dataset.file_meta, ())
    yield from _values(dataset, ())


def _values(dataset: Dataset, above: Key) -> Iterator[Value]:
    for element in dataset:
        key = (*above, int(element.tag))
        if element.VR == "SQ":
            for i, item in enumerate(element.value):
                yield from _values(item, (*key, i))
        else:
            yield Value(key, element.VR, element.value)


def uids_of(path: Path) -> dict[Key, str]:
    """Give the UIDs of a file by their places: of elements, and those quoted in text and bytes by offset too."""
    found: dict[Key, str] = {}
    for key, vr, value in values(path):
        if vr == "UI":
            found[key] = str(value)
        elif isinstance(value, bytes | str) and key[-1] != _PIXELS:
            found |= {(*key, match.start()): match[0].decode() for match in _UID.finditer(_bytes(value))}
    return found


def uids_at(path: Path, olds: Mapping[Key, str]) -> dict[Key, str]:
    """Give what stands in the places of UIDs of another file: in text, at the same offset and as much of it."""
    known = {key: value for key, _, value in values(path)}
    found: dict[Key, str] = {}
    for place, old in olds.items():
        if place in known:
            found[place] = str(known[place])
        elif place[:-1] in known:
            start = place[-1]
            found[place] = _bytes(known[place[:-1]])[start : start + len(old)].decode("latin-1")
    return found


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("latin-1", "replace")


def moments_of(path: Path) -> dict[Key, datetime.datetime]:
    """Give every day and moment by its place, but for birth dates; a date goes with the time of the same name."""
    known = {key: str(value) for key, vr, value in values(path) if vr in ("DA", "TM", "DT") and value}
    found = {}
    for key, text in known.items():
        name = keyword_for_tag(key[-1])
        if name == "PatientBirthDate" or (name.endswith("Time") and not name.endswith("DateTime")):
            continue
        time = (*key[:-1], tag_for_keyword(name.removesuffix("Date") + "Time") or 0)
        found[key] = _moment(text + known.get(time, ""))
    return found


def _moment(text: str) -> datetime.datetime:
    whole, _, part = text.partition(".")
    return datetime.datetime.strptime(f"{whole:0<14}{part:0<6}", "%Y%m%d%H%M%S%f")
