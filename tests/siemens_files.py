"""Siemens-like files for tests, made with pydicom and by hand; nothing of fastanon is used."""

from __future__ import annotations

import hashlib
import random
import struct
import warnings
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nibabel calls its DICOM readers experimental
    from nibabel.nicom import csareader

PHYSICIAN, BIRTH, NUMBER = "ROSSETTI^CARLO", "19610503", "PX-77120Q4"
CLASS_UID = "1.2.840.10008.5.1.4.1.1.4"
_SYNGO = {"IS": 6, "DS": 3, "CS": 16, "LO": 19, "LT": 20, "SH": 22, "UN": 0, "UT": 27}

Tag = tuple[str, str, Sequence[bytes]]


def sv10(tags: Sequence[Tag], slack: bytes = b"") -> bytes:
    """Write a CSA header from (name, VR, values); `slack` is the leftover behind each name's NUL."""
    out = [b"SV10\4\3\2\1", struct.pack("<2I", len(tags), 77)]
    for name, vr, values in tags:
        field = (name.encode() + b"\0" + slack)[:64].ljust(64, b"\0")
        out.append(field + struct.pack("<i4siii", len(values), vr.encode(), _SYNGO[vr], len(values), 77))
        for value in values:
            text = value + b"\0"
            out.append(struct.pack("<4i", len(text), len(text), 77, len(text)) + text + bytes(-len(text) % 4))
    return b"".join(out) + bytes(4)


def protocol(names: Sequence[bytes]) -> bytes:
    """Write the text of MrPhoenixProtocol: outer quotes once, inner ones twice (hand copied from real headers)."""
    one, two, three, four = (list(names) * 4)[:4]
    return b"".join(
        (
            b'<XProtocol> \n{\n  <Name> "PhoenixMetaProtocol" \n  <ID> 1000002 \n  <ParamMap.""> \n  {\n',
            b'    <ParamLong."Count">  { 1 }\n    <ParamDouble."Weight"> { <Precision> 6  75.500000 }\n',
            b'    <ParamString."PatientName">  { "' + one + b'"  }\n',
            b'    <ParamString."tPatientName"> \n    {\n      <Visible> "true" \n      <Comment> "' + two,
            b'" \n      "' + two + b'" \n    }\n',
            b'    <ParamArray."Ids"> \n    {\n      <MinSize> 1 \n      <MaxSize> 1000000000 \n',
            b'      <DefaultSize> 1 \n      { "a" } { "' + one + b'" }\n    }\n',
            b'    <ParamString."Protocol0"> \n    {\n      "<XProtocol> \n{\n',
            b'  <ParamString.""PatientsName"">  { ""' + three + b'""  }\n',
            b'  <ParamString.""tPatientsName""> \n  {\n    <Visible> ""true"" \n    ""' + three + b'"" \n  }\n',
            b'  <ParamBool.""DiffWeightedImage"">  { ""true""  }\n  <ParamString.""Empty"">  { }\n}\n',
            b"### ASCCONV BEGIN ###\nulVersion\t = \t51130001\n",
            b'tPatientName\t = \t""' + four + b'""\ntProtocolName = ""head' + b"_" + four + b'""\n',
            b"sPat.lAccelFactPE\t = \t2\nsPat.sPatPosition\t = \t4\n### ASCCONV END ###",
            b'" \n    }\n  }\n}\n',
        )
    )


def image_header(name: bytes, slack: bytes = b"") -> bytes:
    """Write a CSA image header."""
    return sv10(
        (
            ("EchoLinePosition", "IS", [b"     64\0"[:-1]]),
            ("ImaAbsTablePosition", "IS", [b"0", b"0", b"-1234"]),
            ("ImageComment", "LT", [b"shown: " + name + b"."]),
            ("PhaseEncodingDirection", "CS", [b"ROW"]),
            ("Unused", "LO", []),
            ("ICE_Dims", "LO", [b"X_1_1_1_1_1_1_1_1_1_1_1_48"]),
        ),
        slack,
    )


def series_header(names: Sequence[bytes], slack: bytes = b"") -> bytes:
    """Write a CSA series header."""
    return sv10(
        (
            ("UsedPatientWeight", "IS", [b"66      "]),
            ("SequenceFileOwner", "LO", [names[-1]]),
            ("GradientMode", "SH", [b"Fast"]),
            ("MrPhoenixProtocol", "UN", [protocol(names)]),
            ("ProtocolChangeHistory", "IS", [b"0"]),
        ),
        slack,
    )


@dataclass(frozen=True)
class Study:
    """What a file shall hold: a name, the character set, and spellings of the name to plant."""

    name: str
    charset: str | list[str] = "ISO_IR 100"
    planted: Sequence[str] = ()
    block: int = 0x10
    birth: str = BIRTH
    number: str = NUMBER
    comments: str = "PET Listmode data"

    @property
    def bytes_planted(self) -> list[bytes]:
        """The spellings as programs without character sets write them."""
        return [_latin(text) for text in self.planted or (self.name,)]


def _latin(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")


def dataset(study: Study, uid: str = "1.2.3.4.5") -> Dataset:
    """Make the dataset of one slice."""
    ds = Dataset()
    ds.SpecificCharacterSet = study.charset
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = CLASS_UID, uid, "MR"
    ds.StudyDate, ds.Manufacturer, ds.ManufacturerModelName = "20170327", "SIEMENS", "Biograph_mMR"
    ds.SoftwareVersions, ds.ProtocolName, ds.PatientPosition = "syngo MR B20P", "t1_mprage", "HFS"
    _identify(ds, study)
    planted = study.planted or (study.name,)
    ds.StudyDescription = f"head, {planted[0]}"
    ds.AdditionalPatientHistory = "known as " + "; ".join(planted) + f"; born {study.birth}, {study.number}"
    ds.ImageComments = study.comments
    inner, outer = Dataset(), Dataset()
    _identify(inner, study)
    outer.ModifiedAttributesSequence = Items([inner])
    outer.PatientName = study.name
    ds.OriginalAttributesSequence = Items([outer])
    _add_private(ds, study, planted)
    ds.Rows, ds.Columns, ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 16, 12, 11
    ds.SamplesPerPixel, ds.PixelRepresentation, ds.PhotometricInterpretation = 1, 0, "MONOCHROME2"
    pixels = bytearray(random.Random(7).randbytes(512))
    pixels[100:100] = planted[0].encode("utf-8")  # by chance or not: a payload is left alone
    ds.PixelData = bytes(pixels[:512])
    return ds


def _identify(ds: Dataset, study: Study) -> None:
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = study.name, study.number, study.birth
    ds.ReferringPhysicianName = PHYSICIAN


def _add_private(ds: Dataset, study: Study, planted: Sequence[str]) -> None:
    raw, block = study.bytes_planted, study.block
    slack = b"ring> { " + raw[0]
    ds.add_new((0x0029, block), "LO", "SIEMENS CSA HEADER")
    ds.add_new((0x0029, block << 8 | 0x08), "CS", "IMAGE NUM 4")
    ds.add_new((0x0029, block << 8 | 0x10), "OB", even(image_header(raw[0], slack)))
    ds.add_new((0x0029, block << 8 | 0x20), "OB", even(series_header(raw, slack)))
    ds.add_new((0x0033, 0x0010), "LO", "ACME NOTES 1.0")
    ds.add_new((0x0033, 0x1001), "LO", planted[0])
    ds.add_new((0x0033, 0x1002), "UN", even(b"\1\2" + b"|".join(raw) + b"|"))
    wide = "; ".join(planted).encode("utf-16-le")
    ds.add_new((0x0033, 0x1003), "UN", b"\0\0" + wide + b"\0\0")


def even(data: bytes) -> bytes:
    """Pad bytes to even length."""
    return data + bytes(len(data) % 2)


def write(path: Path, study: Study, syntax: str = ExplicitVRLittleEndian, uid: str = "1.2.3.4.5") -> Path:
    """Write one slice."""
    return save(path, dataset(study, uid), syntax)


def save(path: Path, ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write a dataset with file meta information."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds.save_as(path, enforce_file_format=True)
    return path


def read(path: Path) -> pydicom.FileDataset:
    """Read with pydicom, which is the oracle."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path, force=True)


def people(ds: Dataset) -> Iterator[tuple[str, str]]:
    """Give keyword and value of names and birth dates at every depth."""
    wanted = ("PatientName", "ReferringPhysicianName", "PatientBirthDate")
    yield from ((e.keyword, str(e.value)) for e in ds.iterall() if e.keyword in wanted)


def csa_tags(header: bytes) -> dict[str, dict[str, Any]]:
    """Parse a CSA header with nibabel."""
    tags: dict[str, dict[str, Any]] = csareader.read(header)["tags"]
    return tags


def digest(path: Path) -> str:
    """Hash a file, or all of a folder with its names."""
    if path.is_dir():
        lines = [f"{p.relative_to(path)} {digest(p)}" for p in sorted(path.rglob("*")) if p.is_file()]
        return "\n".join(lines)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def left_in(data: bytes, spellings: Iterable[str], raw: Iterable[bytes] = ()) -> list[str]:
    """Name the spellings that stand in bytes, as simply as it can be done."""
    folded = data.lower()
    found = [
        f"{text} in {codec}"
        for text in spellings
        for codec in ("latin-1", "utf-8", "utf-16-le")
        for encoded in (text.encode(codec, "ignore"),)
        if len(encoded) >= 3 and (encoded in data or encoded.lower() in folded)
    ]
    return found + [repr(some) for some in raw if some in data]


def without_pixels(path: Path) -> bytes:
    """Give the bytes of a file with its pixel data cut out."""
    data = path.read_bytes()
    pixels = read(path).get("PixelData")
    return data.replace(pixels, b"") if pixels else data


def plain(path: Path) -> bytes:
    """Give a file's bytes, its dataset inflated, without pixels."""
    ds = read(path)
    if getattr(ds.file_meta, "TransferSyntaxUID", "") != DeflatedExplicitVRLittleEndian:
        return without_pixels(path)
    data = path.read_bytes()
    start = 132 + 12 + ds.file_meta.FileMetaInformationGroupLength
    inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[start:])
    pixels = ds.get("PixelData")
    return inflated.replace(pixels, b"") if pixels else inflated
