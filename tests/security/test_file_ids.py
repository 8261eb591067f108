"""A DICOMDIR may name any file: what it names is neither read nor written because it says so."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path

import pydicom
import pytest
from pydicom.fileset import FileSet

import fastanon
from tests.siemens_files import Study, write

KEY = bytes(range(32))
HOSTILE = {
    "above": ["..", "..", "victim", "a.dcm"],
    "from the root": ["", "victim", "a.dcm"],
    "a path in a name": ["../../victim/a.dcm"],
    "dots": ["...", "..", "."],
    "a device": ["CON", "NUL"],
}


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Make a file set of one slice, and a file outside that a file ID leads to."""
    write(tmp_path / "victim" / "a.dcm", Study("SOMEBODY^ELSE"))
    path = write(tmp_path / "made" / "a.dcm", Study("VAN DER BERG^ANNA"))
    with warnings.catch_warnings():  # pydicom leaves it to the collector to let go of its folders
        warnings.simplefilter("ignore", ResourceWarning)
        files = FileSet()
        ds = pydicom.dcmread(path)
        ds.StudyID = ds.SeriesNumber = ds.InstanceNumber = "1"
        ds.SeriesInstanceUID, ds.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.77", "1.2.826.0.1.3680043.8.498.78"
        ds.StudyTime, ds.StudyDate, ds.Modality = "120000", "20170327", "MR"
        files.add(ds)
        files.write(tmp_path / "in" / "study")
        del files
        gc.collect()
    return tmp_path / "in" / "study"


@pytest.mark.parametrize("in_place", [False, True], ids=["copy", "in place"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_id_leads_nowhere(name: str, in_place: bool, study: Path, tmp_path: Path) -> None:
    directory = pydicom.dcmread(study / "DICOMDIR")
    record = next(r for r in directory.DirectoryRecordSequence if "ReferencedFileID" in r)
    record.ReferencedFileID = HOSTILE[name]
    directory.save_as(study / "DICOMDIR")
    before = {name: tree(tmp_path / name) for name in ("victim", "made")}
    how = {"in_place": True} if in_place else {"to": tmp_path / "out" / "deep"}
    report = fastanon.anonymize(study, key=KEY, **how)  # type: ignore[arg-type]
    assert "failed" not in {f.status for f in report.files}
    assert {name: tree(tmp_path / name) for name in ("victim", "made")} == before
    below = {"in", "victim", "made"} if in_place else {"in", "victim", "made", "out"}
    assert {p.name for p in tmp_path.iterdir()} == below
    assert [p.name for p in (study.parent if in_place else tmp_path / "out").iterdir()] == [
        "study" if in_place else "deep"
    ]
