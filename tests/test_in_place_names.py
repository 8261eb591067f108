"""In place, what gives the patient away in the names of files and folders gets the pseudonyms of the elements."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.fileset import FileSet

import fastanon
from fastanon.errors import DONE, LEFT, REFUSED
from fastanon.pseudonyms import Pseudonyms
from fastanon.report import Report
from fastanon.synthetic import Person, interfile_files, make_slice, make_study, raw
from fastanon.vault import Vault
from tests.canary import CANARIES, assert_clean
from tests.study200 import close

FIRST, LAST, NUMBER, BIRTH = CANARIES
PERSON = Person(f"{LAST}^{FIRST}", NUMBER, BIRTH)
KEY = bytes(range(32))
SCAN = "20170327"  # the date of the synthetic study


def tree(folder: Path) -> list[str]:
    """Name everything below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def in_place(source: Path | list[Path], status: int = DONE, **how: Any) -> Report:
    report = fastanon.anonymize(source, in_place=True, **{"key": KEY, **how})
    assert report.exit_status == status, [str(one) for one in report.files]
    assert_clean(report.to_json(), report.summary(), *map(str, report.files))
    return report


def sliced(path: Path, person: Person = PERSON, number: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return make_slice(path, person, 16, 16, number)


def only(folder: Path) -> tuple[Path, pydicom.Dataset]:
    """Give the only file below a folder, and what pydicom reads in it."""
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    return path, pydicom.dcmread(path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"{LAST}_{FIRST}/a.dcm", "{PatientName}/a.dcm"),
        (f"{LAST.lower()}/{FIRST}.IMA", "{PatientName}/{PatientName}.IMA"),
        (f"{NUMBER}/{LAST}^{FIRST}", "{PatientID}/{PatientName}"),
        (f"study {NUMBER.lower()}/x/0001", "study {PatientID}/x/0001"),
        (f"a/b/{LAST}.MR.{NUMBER}.0001.dcm", "a/b/{PatientName}.MR.{PatientID}.0001.dcm"),
        (f"{LAST}.{NUMBER}", "{PatientName}.{PatientID}"),
        (f"{SCAN}/MR.{SCAN}.dcm", "{StudyDate}/MR.{StudyDate}.dcm"),
    ],
)
def test_names_ids_and_dates(name: str, expected: str, tmp_path: Path) -> None:
    sliced(tmp_path / "in" / name)
    in_place(tmp_path / "in")
    path, ds = only(tmp_path / "in")
    words = {keyword: str(ds[keyword].value) for keyword in ("PatientName", "PatientID", "StudyDate")}
    assert path.relative_to(tmp_path / "in").as_posix() == expected.format(**words)
    assert not {f"{LAST}^{FIRST}", NUMBER, SCAN} & set(words.values())


@pytest.mark.parametrize("name", ["MR.{0}.dcm", "{0}/{1}", "{0}.IMA"])
def test_uids(name: str, tmp_path: Path) -> None:
    keywords = ("SOPInstanceUID", "SeriesInstanceUID")
    old = sliced(tmp_path / "in" / "a")
    before = [str(pydicom.dcmread(old)[keyword].value) for keyword in keywords]
    target = tmp_path / "in" / name.format(*before)
    target.parent.mkdir(exist_ok=True)
    old.rename(target)
    report = in_place(tmp_path / "in")
    assert [uid for uid in before if uid in report.to_json()] == []
    path, ds = only(tmp_path / "in")
    after = [str(ds[keyword].value) for keyword in keywords]
    assert path.relative_to(tmp_path / "in").as_posix() == name.format(*after)


def test_given_words_stand_in_names_too_but_in_those_above_what_was_named(tmp_path: Path) -> None:
    sliced(tmp_path / LAST / f"{LAST}_{FIRST}" / f"{NUMBER}.{BIRTH}.dcm")
    in_place(tmp_path / LAST, patient="T-07", dob="19400101")
    assert tree(tmp_path / LAST) == ["T-07", "T-07/T-07.19400101.dcm"]


#: Makers of a header and its data, given a path without ending.
PAIRS: dict[str, Callable[[Path], tuple[Path, Path]]] = {
    "list-mode": lambda stem: raw.make_listmode_pair(f"{stem}.dcm", 1 << 12, PERSON),
    "norm": lambda stem: raw.make_norm_pair(f"{stem}.dcm", PERSON),
    ".l": lambda stem: interfile_files.make_listmode_files(f"{stem}.l.hdr", PERSON, 1 << 12),
    ".n": lambda stem: interfile_files.make_norm_files(f"{stem}.n.hdr", PERSON),
    ".s": lambda stem: interfile_files.make_sinogram(f"{stem}.s.hdr", PERSON, 1 << 12),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_pairs_stay_pairs(kind: str, tmp_path: Path) -> None:
    """An Interfile header names its data as they are called now."""
    (tmp_path / "in" / NUMBER).mkdir(parents=True)
    _, data = PAIRS[kind](tmp_path / "in" / NUMBER / f"{LAST}_{FIRST}_HEAD")
    before = data.read_bytes()
    in_place(tmp_path / "in")
    (header,) = (path for path in (tmp_path / "in").rglob("*_HEAD*") if path.suffix in (".dcm", ".hdr"))
    beside = header.with_suffix(".bf" if header.suffix == ".dcm" else "")
    assert beside.read_bytes() == before
    lines = [line.partition(":=") for line in header.read_text("latin-1").splitlines()]
    named = {value.strip() for key, _, value in lines if key.endswith("name of data file")}
    assert header.suffix == ".dcm" or named == {beside.name}
    assert len(tree(tmp_path / "in")) == 3
    assert_clean(header.read_bytes(), *tree(tmp_path / "in"))


def test_a_whole_study(tmp_path: Path) -> None:
    """No value in any name, no empty folder left behind, and a second run leaves all as it is."""
    study = make_study(tmp_path / "in" / f"{LAST}_{FIRST}_{NUMBER}_{BIRTH}", PERSON, 1 << 12, 2)
    payloads = sorted(
        d for name, d in contents(tmp_path / "in").items() if name.endswith((".bf", ".s", ".l", ".n"))
    )
    in_place(tmp_path / "in")
    after = contents(tmp_path / "in")
    assert_clean("\n".join(tree(tmp_path / "in")))
    assert len(after) == len(study.files)
    assert sorted(d for name, d in after.items() if name.endswith((".bf", ".s", ".l", ".n"))) == payloads
    assert all(any(path.iterdir()) for path in (tmp_path / "in").rglob("*") if path.is_dir())
    names = tree(tmp_path / "in")
    assert {one.status for one in in_place(tmp_path / "in").files} == {"unchanged"}
    assert (tree(tmp_path / "in"), contents(tmp_path / "in")) == (names, after)


@pytest.mark.parametrize("others", [0, 1, 2])
def test_folders_that_were_named_keep_their_names(others: int, tmp_path: Path) -> None:
    folders = [tmp_path / f"{LAST}{n}" for n in range(1 + others)]
    for n, folder in enumerate(folders):
        sliced(folder / LAST / "a.dcm", number=n + 1)
    in_place(folders)
    assert sorted(tmp_path.iterdir()) == folders
    assert_clean(*(name for folder in folders for name in tree(folder)))


def test_a_folder_that_names_a_later_patient(tmp_path: Path) -> None:
    """A second run, to which its own output tells no names, could not do it."""
    sliced(tmp_path / "in" / f"a {LAST}" / "0.dcm", Person("ROTHENBERG^GRETA", "0815-4242-99"))
    sliced(tmp_path / "in" / "b" / "0.dcm")
    in_place(tmp_path / "in")
    assert_clean(*tree(tmp_path / "in"))


# what is there already


def test_what_exists_is_never_overwritten_and_no_pair_is_torn(tmp_path: Path) -> None:
    (tmp_path / "trial").mkdir()
    raw.make_listmode_pair(tmp_path / "trial" / f"{LAST}.dcm", 1 << 12, PERSON)
    in_place(tmp_path / "trial")
    for name in tree(tmp_path / "trial"):
        folder = tmp_path / f"in {name[-3:]}"
        folder.mkdir()
        _, payload = raw.make_listmode_pair(folder / f"{LAST}.dcm", 1 << 12, PERSON)
        before = payload.read_bytes()
        (folder / name).write_bytes(b"somebody's")
        in_place(folder, REFUSED)
        (header,) = (path for path in folder.glob("*.dcm") if path.name != name)
        assert (folder / name).read_bytes() == b"somebody's"
        assert header.with_suffix(".bf").read_bytes() == before
        assert_clean(*tree(folder))


def test_names_that_become_one_are_numbered(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for number, name in enumerate((f"{LAST}.dcm", f"{LAST.lower()}.dcm", f"{FIRST}.dcm"), 1):
        sliced(folder / name, number=number)
    in_place(folder)
    assert len(tree(folder)) == len({pydicom.dcmread(path).SOPInstanceUID for path in folder.iterdir()}) == 3
    word = str(pydicom.dcmread(folder / tree(folder)[0]).PatientName)
    assert set(tree(folder)) == {f"{word}.dcm", f"{word}-2.dcm", f"{word}-3.dcm"}
    before = contents(folder)
    in_place(folder)
    assert contents(folder) == before


def test_refused_files_stay_where_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "in" / LAST
    whole = sliced(folder / f"{FIRST}.dcm")
    broken, payload = folder / f"{LAST}.dcm", folder / f"{LAST}.bf"
    broken.write_bytes(whole.read_bytes()[:-100])
    payload.write_bytes(b"payload")
    text = folder / f"{NUMBER}.txt"
    text.write_bytes(b"notes")
    before = {path: path.read_bytes() for path in (broken, payload, text)}
    report = in_place(tmp_path / "in", REFUSED)
    assert [one.status for one in report.files].count("refused") == 2
    assert {path: path.read_bytes() for path in before} == before
    assert not whole.exists()


# directories of media


def medium(folder: Path, person: Person) -> None:
    """Write a DICOMDIR with two images, in a folder that is called as the patient is: of eight letters."""
    files = FileSet()
    for number in (1, 2):
        files.add(sliced(folder.parent / f"{number}", person, number))
    files.write(folder)
    close(files)
    for number in (1, 2):
        (folder.parent / f"{number}").unlink()
    directory = folder / "DICOMDIR"
    directory.write_bytes(directory.read_bytes().replace(b"PT000000", person.family.encode()))
    (folder / "PT000000").rename(folder / person.family)


@pytest.mark.parametrize("patient", [None, "T0000007", "T7"])
def test_a_dicomdir_leads_to_every_file(patient: str | None, tmp_path: Path) -> None:
    folder = tmp_path / "media"
    medium(folder, Person("KILBRIDE^ZELMA", NUMBER, BIRTH))
    for _ in range(2):
        in_place(folder, patient=patient)
        assert "KILBRIDE" not in "\n".join(tree(folder))
        records = pydicom.dcmread(folder / "DICOMDIR").DirectoryRecordSequence
        found = [record for record in records if "ReferencedFileID" in record]
        assert len(found) == 2
        for record in found:
            ds = pydicom.dcmread(folder.joinpath(*record.ReferencedFileID))
            assert ds.SOPInstanceUID == record.ReferencedSOPInstanceUIDInFile
            assert patient in (None, record.ReferencedFileID[0])


# profiles that leave names alone


@pytest.mark.parametrize("call", ["niftypet", "dcmanonym"])
def test_niftypet_renames_nothing_and_says_so(call: str, tmp_path: Path) -> None:
    """The dictionary names the files: it must not dangle."""
    study = make_study(tmp_path / "in", PERSON, 1 << 12, 1)
    names = tree(tmp_path / "in")
    if call == "niftypet":
        report = in_place(tmp_path / "in", LEFT, profile="niftypet", key=None)
        named = {
            one.source for one in report.files if one.audit and "file name" in {p.where for p in one.audit.leaks}
        }
        assert named == {one.source for one in report.files if "<name" in one.source}
    else:
        with pytest.warns(UserWarning, match="1 places with something identifying are left") as caught:
            fastanon.dcmanonym(study.datain)
        assert_clean(*(str(one.message) for one in caught))
    assert tree(tmp_path / "in") == names


# the way back


def test_old_paths_are_in_the_vault_alone(tmp_path: Path) -> None:
    folder, vault = tmp_path / "in", tmp_path / "v"
    old = {sliced(folder / LAST / f"{n}" / f"{NUMBER}.dcm", number=n): n for n in (1, 2)}
    report = in_place(folder, vault=vault)
    assert_clean(vault.read_bytes(), *(path.read_bytes() for path in folder.rglob("*.dcm")), *tree(folder))
    news = sorted(folder.rglob("*.dcm"))
    with Vault(vault, Pseudonyms(KEY)) as opened:
        back = {row.original: row.pseudonym for row in opened.rows(("path",))}
    assert back.keys() == {str(path) for path in old}
    for path, number in old.items():
        (new,) = (one for one in news if str(one).endswith(back[str(path)]))
        assert pydicom.dcmread(new).InstanceNumber == number
    assert {one.output for one in report.files} == {str(new) for new in news}
    assert {one.status for one in in_place(folder, vault=vault).files} == {"unchanged"}
    with Vault(vault, Pseudonyms(KEY)) as opened:
        assert back.items() <= {row.original: row.pseudonym for row in opened.rows(("path",))}.items()
