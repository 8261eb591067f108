"""What may be given to the calls: paths, lists, folders, globs, and NiftyPET's dictionary of a study."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fastanon import UsageError, dcmanonym
from tests.niftypet import anonymize
from tests.siemens_files import Study, digest, people, read, write

STUDY = Study("VAN DER BERG^ANNA")
SLICES = ("one.dcm", "two.IMA", "deep/three", "deep/er/four.ima")

Source = Callable[[Path], object]
SOURCES: dict[str, tuple[Source, tuple[str, ...]]] = {
    "a str": (lambda folder: str(folder / "one.dcm"), ("one.dcm",)),
    "a Path": (lambda folder: folder / "one.dcm", ("one.dcm",)),
    "a list of both": (lambda folder: [folder / "one.dcm", str(folder / "two.IMA")], ("one.dcm", "two.IMA")),
    "a tuple": (lambda folder: (folder / "one.dcm",), ("one.dcm",)),
    "a generator": (lambda folder: (folder / name for name in SLICES), SLICES),
    "a folder": (lambda folder: folder, SLICES),
    "a folder as str": (lambda folder: f"{folder}/", SLICES),
    "a list with a folder": (lambda folder: [folder / "deep", folder / "one.dcm"], (*SLICES[2:], "one.dcm")),
    "a file twice": (lambda folder: [folder / "one.dcm", folder], SLICES),
    "a glob": (lambda folder: str(folder / "*.dcm"), ("one.dcm",)),
    "a deep glob": (lambda folder: str(folder / "**" / "*.[iI][mM][aA]"), ("two.IMA", "deep/er/four.ima")),
    "a link": (lambda folder: _link(folder), ("one.dcm",)),
}


def _link(folder: Path) -> Path:
    link = folder.parent / "link.dcm"
    link.symlink_to(folder / "one.dcm")
    return link


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder of slices."""
    for n, name in enumerate(SLICES):
        write(tmp_path / "study" / name, STUDY, uid=f"1.2.3.{n}")
    return tmp_path / "study"


def is_done(path: Path) -> bool:
    return {value for _, value in people(read(path))} == {"anonymised", "19800101"}


def is_touched(path: Path) -> bool:
    return any(value not in ("VAN DER BERG^ANNA", "ROSSETTI^CARLO", "19610503") for _, value in people(read(path)))


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_named_is_done_and_nothing_else(name: str, folder: Path) -> None:
    source, expected = SOURCES[name]
    dcmanonym(source(folder))
    assert {s for s in SLICES if is_done(folder / s)} == set(expected)
    assert {s for s in SLICES if is_touched(folder / s)} == set(expected)


def test_a_file_may_have_the_name_of_a_glob(folder: Path) -> None:
    odd = folder / "a[1]*.dcm"
    shutil.copy(folder / "one.dcm", odd)
    dcmanonym(odd)
    assert is_done(odd)
    assert not is_touched(folder / "one.dcm")


@pytest.mark.parametrize("source", [None, 3, b"bytes", [3], {"lm_dcm": 3}, {"mumapDCM": [1.5]}])
def test_what_is_no_source_is_wrong_usage(source: object) -> None:
    with pytest.raises(UsageError):
        dcmanonym(source)  # type: ignore[arg-type]


#: Every key of NIPET's datain that is a DICOM file, a folder of them, a payload, or something else of the study.
FILES = ("lm_dcm", "lm_ima", "nrm_dcm", "nrm_ima")
FOLDERS = ("mumapDCM", "T1DCM", "T2DCM", "UTE1", "UTE2", "mumapCT")
OTHERS = (
    "hmumap", "mumapNPY", "sinos", "mumapNII", "pCT", "T1nii", "T1nii_2", "T1N4", "T1N4_2", "T1bc", "T1lbl",
    "em_nocrr", "em_crr",
)  # fmt: skip


def make_datain(folder: Path) -> dict[str, object]:
    datain: dict[str, object] = {"corepath": str(folder)}
    for key in FILES:
        path = folder / "raw" / (f"{key}.dcm" if key.endswith("dcm") else f"{key}.IMA")
        datain[key] = str(write(path, STUDY))
        if key.endswith("dcm"):
            payload = path.with_suffix(".bf")
            payload.write_bytes(b"q" + b"VAN DER BERG^ANNA" * 40 + b"q")
            datain[key.replace("dcm", "bf")] = str(payload)
    for key in FOLDERS:
        for n in range(2):
            write(folder / key / f"{n}.ima", STUDY, uid=f"1.2.3.{n}")
        datain[key] = str(folder / key)
        datain[f"#{key}"] = 2
    for key in OTHERS:
        datain[key] = str(folder / f"{key}.bin")
        Path(folder / f"{key}.bin").write_bytes(b"\x93NUMPY no DICOM at all")
    return datain


@pytest.mark.filterwarnings("ignore:.*not DICOM:UserWarning")
def test_all_of_datain_is_done(tmp_path: Path) -> None:
    datain = make_datain(tmp_path)
    others = {key: digest(Path(str(datain[key]))) for key in (*OTHERS, "lm_bf", "nrm_bf")}
    assert dcmanonym(datain, Cnt={}) is None  # type: ignore[arg-type]
    done = [Path(str(datain[key])) for key in FILES]
    done += [Path(str(datain[key])) / f"{n}.ima" for key in FOLDERS for n in range(2)]
    assert all(is_done(path) for path in done)
    assert {key: digest(Path(str(datain[key]))) for key in others} == others


def test_what_is_no_image_in_datain_only_warns(tmp_path: Path) -> None:
    write(tmp_path / "lm.dcm", STUDY)
    (tmp_path / "T1.nii").write_bytes(b"no DICOM" * 100)
    with pytest.warns(UserWarning, match=r"T1\.nii.*not DICOM"):
        dcmanonym({"lm_dcm": str(tmp_path / "lm.dcm"), "T1nii": str(tmp_path / "T1.nii")})
    assert is_done(tmp_path / "lm.dcm")


def test_datain_may_be_of_paths_lists_and_none(folder: Path) -> None:
    dcmanonym({"lm_dcm": folder / "one.dcm", "T1DCM": [folder / "two.IMA", str(folder / "deep")], "UTE1": None})
    assert all(is_done(folder / name) for name in SLICES)


def test_corepath_is_not_searched(folder: Path) -> None:
    dcmanonym({"corepath": str(folder), "lm_dcm": str(folder / "one.dcm"), "#T1DCM": 0})
    assert [is_touched(folder / name) for name in SLICES] == [True, False, False, False]


def test_folders_keep_their_shape_in_a_copy(folder: Path, tmp_path: Path) -> None:
    before = digest(folder)
    report = anonymize(folder, to=tmp_path / "copy")
    assert digest(folder) == before
    assert report.count("anonymized") == len(SLICES)
    assert all(is_done(tmp_path / "copy" / name) for name in SLICES)
    found = sorted(
        p.relative_to(tmp_path / "copy").as_posix() for p in (tmp_path / "copy").rglob("*") if p.is_file()
    )
    assert found == sorted(SLICES)
