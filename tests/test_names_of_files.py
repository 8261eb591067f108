"""File names, pairs of .dcm and .bf, and DICOMDIR: what stands outside a dataset, or refers to it."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pydicom
import pytest

from fastanon.errors import DONE, LEFT
from tests.canary import CANARIES, assert_clean
from tests.niftypet import anonymize
from tests.siemens_files import Study, digest, left_in, read, write

FIRST, LAST, NUMBER, BIRTH = CANARIES
STUDY = Study(f"{LAST}^{FIRST}", number=NUMBER, birth=BIRTH)
DICOMDIRS = Path(pydicom.__path__[0]) / "data" / "test_files" / "dicomdirtests"


def names_below(folder: Path) -> str:
    return "\n".join(p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*")))


@pytest.mark.parametrize(
    "name",
    [
        f"{LAST}_{FIRST}/{LAST}.dcm",
        f"{LAST.lower()}-{FIRST.upper()}.IMA",
        f"PAT_{NUMBER}/{BIRTH}/slice.dcm",
        f"{FIRST}.{LAST}.MR.HEAD.0001.{BIRTH[:4]}.{BIRTH[4:6]}.{BIRTH[6:]}.IMA",
        f"{LAST}^{FIRST}/{LAST}, {FIRST}/x",
    ],
)
def test_names_of_folders_and_files_are_cleaned_in_a_copy(name: str, tmp_path: Path) -> None:
    write(tmp_path / "in" / name, STUDY)
    report = anonymize(tmp_path / "in", to=tmp_path / "out")
    assert report.exit_status == DONE
    assert_clean(names_below(tmp_path / "out"), report.to_json(), report.summary(), *map(str, report.files))
    assert sum(p.is_file() for p in (tmp_path / "out").rglob("*")) == 1


def test_a_file_that_names_nobody_has_its_name_cleaned_too(tmp_path: Path) -> None:
    ds = read(write(tmp_path / "in" / "a.dcm", STUDY))
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "ReferringPhysicianName"):
        del ds[keyword]
    del ds.OriginalAttributesSequence
    ds.StudyDescription = ds.AdditionalPatientHistory = "head"
    (tmp_path / "in" / LAST).mkdir()
    nobody = pydicom.Dataset({tag: e for tag, e in ds.items() if tag.group not in (0x0029, 0x0033)})
    nobody.file_meta = ds.file_meta
    nobody.save_as(tmp_path / "in" / LAST / "0.dcm", enforce_file_format=True)
    anonymize(tmp_path / "in", to=tmp_path / "out")
    assert_clean(names_below(tmp_path / "out"))


def test_different_names_stay_different(tmp_path: Path) -> None:
    others = Study("SMITH-JONES^ALBERT"), Study("ROTHENBERG^GRETA")
    for n, study in enumerate((STUDY, *others)):
        last, first = study.name.split("^")
        write(tmp_path / "in" / f"{last}_{first}" / "0.dcm", study, uid=f"1.2.{n}")
    report = anonymize(tmp_path / "in", to=tmp_path / "out")
    found = sorted((tmp_path / "out").rglob("*.dcm"))
    assert len(found) == len({p.parent for p in found}) == 3
    assert report.exit_status == DONE
    assert not left_in(names_below(tmp_path / "out").encode(), ["smith", "jones", "albert", "rothenberg", "greta"])


def test_paths_in_reports_are_masked(tmp_path: Path) -> None:
    write(tmp_path / LAST / "a.dcm", STUDY)
    report = anonymize(tmp_path / LAST, in_place=True)
    assert "<name1>" in report.files[0].source
    assert_clean(report.to_json(), str(report.files[0]))
    assert report.exit_status == DONE  # only what the user named holds the name: it is not ours to rename


def test_in_place_a_name_that_stays_in_a_path_is_a_leak(tmp_path: Path) -> None:
    write(tmp_path / "in" / LAST / "a.dcm", STUDY)
    report = anonymize(tmp_path / "in", in_place=True)
    assert report.exit_status == LEFT
    assert report.files[0].leaks == 1
    assert_clean(report.to_json())


def test_pairs_of_dcm_and_bf_stay_pairs(tmp_path: Path) -> None:
    payload = b"q" + f"{LAST}^{FIRST}".encode() * 77 + b"q"
    for name in ("plain", f"PET.{LAST}"):
        write(tmp_path / "in" / f"{name}.dcm", STUDY)
        (tmp_path / "in" / f"{name}.bf").write_bytes(payload + name.encode() + b"q")
    report = anonymize(tmp_path / "in", to=tmp_path / "out")
    assert report.exit_status == DONE
    assert_clean(names_below(tmp_path / "out"))
    headers = sorted((tmp_path / "out").glob("*.dcm"))
    assert [p.with_suffix(".bf").read_bytes() for p in headers] == [
        payload + name.encode() + b"q" for name in (f"PET.{LAST}", "plain")
    ]
    assert len(list((tmp_path / "out").iterdir())) == 4
    assert report.count("anonymized") == len(report.files) == 2


SHORT = Study("Ng^Bo^Su Wen")
HEADER = """!INTERFILE :={end}%comment := scan{end}!patient name := {name}{end}{key} := {value}{end}
%number of segments := 11{end}"""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
@pytest.mark.parametrize(
    ("header", "data", "key", "folder"),
    [
        (".s.hdr", ".s", "!name of data file", ""),
        (".l.hdr", ".l", "name of data file", "C:\\scans\\"),
        (".n.hdr", ".n", "%data file name", "/home/x/"),
        (".hs", ".s", "!name of data file", ""),
    ],
)
def test_names_of_data_files_follow(
    header: str, data: str, key: str, folder: str, end: str, tmp_path: Path
) -> None:
    """The new name is longer, shorter, or has a number since another file has it."""
    for name in ("Ng_Bo_Su Wen", "x_Ng^Bo^Su Wen_y", "Ng-Bo-Su Wen"):
        (tmp_path / "in").mkdir(exist_ok=True)
        text = HEADER.format(end=end, name=SHORT.name, key=key, value=f"{folder}{name}{data}")
        (tmp_path / "in" / f"{name}{header}").write_bytes(text.replace("\n%n", "%n").encode())
        (tmp_path / "in" / f"{name}{data}").write_bytes(SHORT.name.encode() * 99 + name.encode())
    old = {path.read_bytes() for path in (tmp_path / "in").glob(f"*{data}")}
    report = anonymize(tmp_path / "in", to=tmp_path / "out", patient="Nobody at All")
    assert report.exit_status == DONE, report.files
    headers = sorted((tmp_path / "out").glob(f"*{header}"))
    assert len(headers) == len(report.files) == 3
    read_back = set()
    for path in headers:
        assert b"Su Wen" not in path.read_bytes()
        lines = [line.partition(":=") for line in path.read_bytes().decode("ascii").split()]
        (value,) = [
            line.partition(":=")[2].strip()
            for line in path.read_bytes().decode("ascii").splitlines()
            if line.partition(":=")[0].strip() == key
        ]
        assert value.startswith(folder), lines
        read_back.add((path.parent / value.removeprefix(folder)).read_bytes())
    assert read_back == old
    assert len(list((tmp_path / "out").iterdir())) == 6


def test_a_data_file_that_is_dicom_is_no_payload(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.s.hdr").write_bytes(b"!INTERFILE :=\n!patient name := " + SHORT.name.encode() + b"\n")
    write(tmp_path / "in" / "a.s", SHORT)
    report = anonymize(tmp_path / "in", to=tmp_path / "out")
    assert [f.status for f in report.files] == ["refused"]
    assert not any((tmp_path / "out").rglob("*"))


def test_a_header_that_is_no_interfile_is_refused_with_its_data(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.s.hdr").write_bytes(b"something else\n")
    (tmp_path / "in" / "a.s").write_bytes(b"1234")
    report = anonymize(tmp_path / "in", to=tmp_path / "out")
    assert [f.status for f in report.files] == ["refused"]
    assert "nor the payload beside it" in str(report.files[0])


def test_a_name_in_place_fits_where_it_was(tmp_path: Path) -> None:
    for patient, wanted in (("A B", "A_B.l       "), ("Nobody at All", "x" * 10 + "  ")):
        path = tmp_path / "scan.l.hdr"
        line = "!name of data file := "
        path.write_text(f"!INTERFILE :=\n!patient name := SMITHERS\n{line}SMITHERS.l  \n", newline="\n")
        assert anonymize(path, in_place=True, patient=patient).exit_status == DONE
        assert path.read_text("ascii").split(line)[1] == wanted + "\n"


def test_a_pair_is_copied_whole_or_not_at_all(tmp_path: Path) -> None:
    write(tmp_path / "in" / "lm.dcm", STUDY)
    (tmp_path / "in" / "lm.bf").write_bytes(b"payload")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "lm.dcm").write_bytes(b"mine")
    assert [f.status for f in anonymize(tmp_path / "in", to=tmp_path / "out").files] == ["refused"]
    assert names_below(tmp_path / "out") == "lm.dcm"


def test_a_folder_that_names_a_later_patient_is_masked(tmp_path: Path) -> None:
    write(tmp_path / "in" / f"a {LAST}" / "0.dcm", Study("ROTHENBERG^GRETA"))
    write(tmp_path / "in" / "b" / "0.dcm", STUDY, uid="1.2")
    report = anonymize(tmp_path / "in", to=tmp_path / "out")
    assert_clean(report.to_json(), *map(str, report.files))
    assert LAST not in names_below(tmp_path / "out") or report.exit_status == LEFT


@pytest.mark.parametrize("names", [(LAST, LAST.lower()), (LAST, "anonymised")])
def test_cleaned_names_do_not_collide(names: tuple[str, str], tmp_path: Path) -> None:
    for n, name in enumerate(names):
        write(tmp_path / "in" / f"{name}.dcm", STUDY, uid=f"1.2.{n}")
    report = anonymize(tmp_path / "in", to=tmp_path / "out")
    assert report.exit_status == DONE
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_bf_in_place_is_not_touched(tmp_path: Path) -> None:
    path = write(tmp_path / "lm.dcm", STUDY)
    payload = tmp_path / "lm.bf"
    payload.write_bytes(f"{LAST}^{FIRST}".encode() * 77)
    before, stamp = digest(payload), payload.stat().st_mtime_ns
    report = anonymize([path, payload], in_place=True)
    assert (digest(payload), payload.stat().st_mtime_ns) == (before, stamp)
    assert [f.status for f in report.files] == ["anonymized"]


def test_a_refused_file_is_masked_too(tmp_path: Path) -> None:
    """It comes first, and its folder names a patient who is met later."""
    broken = tmp_path / "in" / f"a {LAST}" / "0.dcm"
    later = write(tmp_path / "in" / "b" / "0.dcm", STUDY)
    broken.parent.mkdir()
    broken.write_bytes(later.read_bytes()[:-100])
    report = anonymize(tmp_path / "in", to=tmp_path / "out")
    assert report.files[0].status == "refused"
    assert LAST not in report.to_json()


def test_a_bf_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lm.bf").write_bytes(b"payload")
    report = anonymize(tmp_path, in_place=True)
    assert [f.status for f in report.files] == ["refused"]
    assert "without its .dcm" in report.files[0].messages[0]


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-implicit", "DICOMDIR-reordered"])
@pytest.mark.parametrize("patient", ["anonymised", "Q", "A MUCH LONGER^NAME^THAN^THE^OLD ONE"])
def test_a_dicomdir_stays_consistent(name: str, patient: str, tmp_path: Path) -> None:
    path = tmp_path / "DICOMDIR"
    shutil.copyfile(DICOMDIRS / name, path)
    before = [kind for _, kind in walked(path)]
    report = anonymize(path, in_place=True, patient=patient)
    assert report.files[0].status == "anonymized"
    assert [kind for _, kind in walked(path)] == before
    records = read(path).DirectoryRecordSequence
    people = {str(r.PatientName) for r in records if r.DirectoryRecordType == "PATIENT"}
    assert people <= {patient, ""} | {str(p) for p in people if set(str(p)) == {"x"}}


def walked(path: Path) -> list[tuple[int, str]]:
    """Follow the offsets of a DICOMDIR by hand: every one must lead to the item of a record."""
    data, ds = path.read_bytes(), read(path)
    order = ">" if ds.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRBigEndian else "<"
    records = {r.seq_item_tell: r.DirectoryRecordType for r in ds.DirectoryRecordSequence}
    todo = [ds.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity]
    seen = []
    while todo:
        at = todo.pop()
        if not at:
            continue
        assert struct.unpack_from(f"{order}HH", data, at) == (0xFFFE, 0xE000)
        seen.append((at, records[at]))
        record = next(r for r in ds.DirectoryRecordSequence if r.seq_item_tell == at)
        todo += [record.OffsetOfTheNextDirectoryRecord, record.OffsetOfReferencedLowerLevelDirectoryEntity]
    return seen


def test_a_dicomdir_still_names_its_files_after_a_copy(tmp_path: Path) -> None:
    report = anonymize(DICOMDIRS / "TINY_ALPHA", to=tmp_path / "out")
    assert not report.count("failed")
    records = read(tmp_path / "out" / "DICOMDIR").DirectoryRecordSequence
    paths = [tmp_path.joinpath("out", *r.ReferencedFileID) for r in records if "ReferencedFileID" in r]
    assert len(paths) == len(list((DICOMDIRS / "TINY_ALPHA" / "PT000000").rglob("IM*")))
    assert all(path.is_file() for path in paths)
