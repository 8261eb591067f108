"""What files are called that are not handled."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastanon import formats
from tests.corpus import Sample, corpus_folder, samples

HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(700)


def nifti(magic: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "i", 348) + bytes(340) + magic + bytes(4)


def two(magic: bytes, order: str) -> bytes:
    return struct.pack(order + "i", 540) + magic + b"\0\r\n\x1a\n" + bytes(528)


def rdf8(order: str, last: int = 4000) -> bytes:
    return struct.pack(order + "I15I", 0xFEFF, *range(100, 1500, 100), last) + bytes(5000)


def packed_tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", b"b")
    return out.getvalue()


def npy() -> bytes:
    out = io.BytesIO()
    np.save(out, np.arange(4))
    return out.getvalue()


PULS = b"1 2 40 280 5002 LOGVERSION_PULS 3 6002 1653 1593 5000 1545 5003\nLogStartMDHTime: 36632400\n"
SIN = b"#\r\n\r\n 01 00 00: channel_names                  : HEAD\r\n"
CASES = [
    ("a.nii", nifti(b"n+1\0"), "NIfTI image"),
    ("a.hdr", nifti(b"ni1\0", ">"), "NIfTI image"),
    ("a", two(b"n+2", "<"), "NIfTI image"),
    ("a", two(b"ni2", ">"), "NIfTI image"),
    ("a.nii.gz", gzip.compress(nifti(b"n+1\0")), "NIfTI image (gzip)"),
    ("a.hdr", struct.pack("<i34xc", 348, b"r").ljust(348, b"\0"), "Analyze 7.5 header"),
    ("a.h5", HDF5, "HDF5 file"),
    ("a.h5", bytes(512) + HDF5, "HDF5 file"),
    ("a", HDF5 + b"HeaderData\0", "GE RDF 9 (HDF5)"),
    ("LIST0000.BLF", HDF5 + b"HeaderData\0", "GE RDF 9 list-mode (HDF5)"),
    ("a.h5", HDF5 + b"dataset\0<ismrmrdHeader>", "ISMRMRD raw data (HDF5)"),
    ("a.mnc", HDF5 + b"minc-2.0\0", "MINC 2 image (HDF5)"),
    ("LIST0000.BLF", bytes(9) + b"\x91", "GE list-mode (.BLF)"),
    ("a.rdf", rdf8("<"), "GE RDF 8"),
    ("a", rdf8(">"), "GE RDF 8"),
    ("a", rdf8("<", 1 << 31), None),
    ("a.mnc", b"CDF\1" + bytes(9), "MINC 1 image (netCDF)"),
    ("a.nc", b"CDF\2" + bytes(9), "netCDF file"),
    ("a.PAR", b"# === DATA DESCRIPTION FILE =====\n", "Philips PAR header"),
    ("a.REC", bytes(99), "Philips REC data"),
    ("a.xml", b'<?xml version="1.0"?>\r\n<PRIDE_V5>\r\n', "Philips XML-REC header"),
    ("a.xml", b"<PRIDE_V5>\r\n", "Philips XML-REC header"),
    ("a.xml", b'\xef\xbb\xbf<?xml version="1.0"?><x/>', "XML file"),
    ("a", SIN, "Philips .sin header"),
    ("a.SIN", b"something\n", "Philips .sin header"),
    ("a.lab", bytes(99), "Philips raw data labels (.lab)"),
    ("a.raw", bytes(99), "raw data without a header (.raw, as Philips exports it)"),
    ("a", PULS, "Siemens physiological log"),
    ("a.resp", b"ACQ_TIME_TICS", "Siemens physiological log"),
    ("a.ecg", b"1 2 3", "Siemens physiological log"),
    ("a.v", b"MATRIX72v\0", "ECAT 7 PET file"),
    ("a.npy", npy(), "NumPy array"),
    ("a.npz", zipped(), "NumPy arrays (.npz)"),
    ("a.zip", zipped(), "zip archive"),
    ("a.tar", packed_tar(), "tar archive"),
    ("a.tgz", gzip.compress(packed_tar()), "tar archive (gzip)"),
    ("a.gz", gzip.compress(b"DOE"), "gzip file"),
    ("a.gz", b"\x1f\x8b\x08broken", "gzip file"),
    ("a.mgz", gzip.compress(b"\0\0\0\1"), "MGH image (gzip)"),
    ("a", b"%PDF-1.4", "PDF document"),
    ("a", b"\x89PNG\r\n\x1a\n\0", "PNG image"),
    ("a", b"\xff\xd8\xff\xe0", "JPEG image"),
    ("a", b"MATLAB 5.0 MAT-file, Platform", "MATLAB file"),
    ("a.mat", b"MATLAB 7.3 MAT-file".ljust(512) + HDF5, "MATLAB file"),
    ("a.mat", bytes(20), "MATLAB file"),
    ("a", b"SV10\4\3\2\1", "Siemens CSA header without its DICOM file"),
    ("a.json", json.dumps({"Modality": "MR"}, indent=1).encode(), "JSON file"),
    ("a", b'[{"a": 1}]', "JSON file"),
    ("a.tsv", b"onset\tduration\n", "table as text (.tsv)"),
    ("a.hs", b"!INTERFILE  :=\n", "Interfile header"),
    ("a.rda", b">>> Begin of header <<<\r\n", "Siemens spectroscopy (.rda)"),
    ("a.log", b"patient DOE\r\n", "plain text"),
    ("a", "Müller".encode(), "plain text"),
    ("a", ("x" * 50 + "Müller").encode("latin-1"), "plain text"),
    ("a", b"", "empty file"),
    ("a.bin", bytes(range(256)), None),
    ("a.raw", b"x" * 128 + b"DICM", None),
    ("a.tif", b"II*\0".ljust(128, b"\0") + b"DICM", None),
]


@pytest.mark.parametrize(("path", "data", "name"), CASES)
def test_names(path: str, data: bytes, name: str | None) -> None:
    assert formats.name_of("folder/" + path, data[: formats.HEAD], len(data)) == name


def test_the_first_bytes_of_a_long_text_are_cut_within_a_letter() -> None:
    for shift in range(4):
        data = b"x" * shift + "Ж漢".encode() * 9999
        assert formats.name_of("a", data[: formats.HEAD], len(data)) == "plain text"


def _reads_as_dicom(sample: Sample) -> bool:
    try:
        return len(pydicom.dcmread(sample.path, stop_before_pixels=True, force=True)) > 3
    except Exception:  # noqa: BLE001 - pydicom raises whatever a broken file leads it to
        return False


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_no_dicom_file_is_named_by_its_content() -> None:
    named = {}
    for sample in samples():
        with sample.path.open("rb") as file:
            head = file.read(formats.HEAD)
        name = formats.name_of("file", head, sample.path.stat().st_size)
        if name and name != "empty file" and (head[128:132] == b"DICM" or _reads_as_dicom(sample)):
            named[sample.name] = name
    assert named == {}


@pytest.mark.skipif(corpus_folder() is None, reason="FASTANON_CORPUS is not set")
def test_real_files() -> None:
    folder = corpus_folder()
    assert folder is not None
    for name, called in {
        "nipy__nibabel/tinypet.v": "ECAT 7 PET file",
        "phi_census.json": "JSON file",
        "manifest.tsv": "table as text (.tsv)",
        "UCL__STIR/template_span11.hs": "Interfile header",
        "openmrslab__suspect/SVS_30.rda": "Siemens spectroscopy (.rda)",
    }.items():
        data = (folder / name).read_bytes()
        assert formats.name_of(name, data[: formats.HEAD], len(data)) == called


_starts = st.sampled_from([data[:20] for _, data, _ in CASES])


@given(st.text(max_size=9), st.one_of(st.binary(), st.builds(bytes.__add__, _starts, st.binary())))
def test_never_raises(path: str, data: bytes) -> None:
    name = formats.name_of(path, data, len(data))
    assert name is None or name
