"""In place, what gives the patient away in the names of files and folders gets the pseudonyms of the elements."""

from __future__ import annotations

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
from tests.test_again import digests

FIRST, LAST, NUMBER, BIRTH = CANARIES
PERSON = Person(f"{LAST}^{FIRST}", NUMBER, BIRTH)
KEY = bytes(range(32))


def tree(folder: Path) -> list[str]:
    """Name everything below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def in_place(source: Path | list[Path], status: int = DONE, **how: Any) -> Report:
    report = fastanon.anonymize(source, in_place=True, **{"key": KEY, **how})
    assert report.exit_status == status, [str(one) for one in report.files]
    assert_clean(report.to_json(), report.summary(), *map(str, report.files))
    return report


def sliced(path: Path, person: Person = PERSON, number: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return make_slice(path, person, 16, 16, number)


#: How files are called, and how the patient's name is spelled there.
NAMES = (
    ("{name}/a.dcm", f"{LAST}_{FIRST}"), ("{name}/{name}.IMA", LAST.lower()), ("{id}/{name}", f"{LAST}^{FIRST}"),
    ("study {id}/x/0001", ""), ("a/b/{name}.MR.{id}.0001.dcm", FIRST), ("{name}.{id}", LAST), ("{series}/1.2", ""),
    ("{date}/MR.{date}.dcm", ""), ("MR.{uid}.dcm", ""), ("{uid}.IMA", ""), ("{series}/{uid}", ""),
)  # fmt: skip


@pytest.mark.parametrize(("template", "spelled"), NAMES)
def test_names_are_those_of_the_elements(template: str, spelled: str, tmp_path: Path) -> None:
    made = sliced(tmp_path / "made" / "a")
    olds = words_of(made, spelled)
    (tmp_path / "in" / template.format(**olds)).parent.mkdir(parents=True)
    made.rename(tmp_path / "in" / template.format(**olds))
    report = in_place(tmp_path / "in")
    assert [uid for uid in (olds["uid"], olds["series"]) if uid in report.to_json()] == []
    (path,) = (path for path in (tmp_path / "in").rglob("*") if path.is_file())
    news = words_of(path)
    assert path.relative_to(tmp_path / "in").as_posix() == template.format(**news)
    assert not set(olds.values()) & set(news.values())


def words_of(path: Path, spelled: str = "") -> dict[str, str]:
    """Give what may stand in a name, as the elements have it."""
    ds = pydicom.dcmread(path)
    name, uids = spelled or str(ds.PatientName), {"uid": ds.SOPInstanceUID, "series": ds.SeriesInstanceUID}
    return {"name": name, "id": ds.PatientID, "date": ds.StudyDate, **uids}


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
        d for name, d in digests(tmp_path / "in").items() if name.endswith((".bf", ".s", ".l", ".n"))
    )
    in_place(tmp_path / "in")
    after = digests(tmp_path / "in")
    assert_clean("\n".join(tree(tmp_path / "in")))
    assert len(after) == len(study.files)
    assert sorted(d for name, d in after.items() if name.endswith((".bf", ".s", ".l", ".n"))) == payloads
    assert all(any(path.iterdir()) for path in (tmp_path / "in").rglob("*") if path.is_dir())
    names = tree(tmp_path / "in")
    assert {one.status for one in in_place(tmp_path / "in").files} == {"unchanged"}
    assert (tree(tmp_path / "in"), digests(tmp_path / "in")) == (names, after)


def test_folders_that_were_named_keep_their_names(tmp_path: Path) -> None:
    folders = [tmp_path / f"{LAST}{n}" for n in range(2)]
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
    for number, name in enumerate((f"{LAST}.dcm", f"{LAST.lower()}.dcm", f"{FIRST}.dcm"), 1):
        sliced(tmp_path / name, number=number)
    in_place(tmp_path)
    found = {path.name: pydicom.dcmread(path) for path in tmp_path.iterdir()}
    (word,) = {str(ds.PatientName) for ds in found.values()}
    assert found.keys() == {f"{word}.dcm", f"{word}-2.dcm", f"{word}-3.dcm"}
    assert {ds.InstanceNumber for ds in found.values()} == {1, 2, 3}
    before = digests(tmp_path)
    in_place(tmp_path)
    assert digests(tmp_path) == before


def test_refused_files_stay_where_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "in" / LAST
    whole = sliced(folder / f"{FIRST}.dcm")
    broken = {f"{LAST}.dcm": whole.read_bytes()[:-100], f"{LAST}.bf": b"payload", f"{NUMBER}.txt": b"notes"}
    for name, data in broken.items():
        (folder / name).write_bytes(data)
    report = in_place(tmp_path / "in", REFUSED)
    assert report.count("refused") == 2
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == broken


# directories of media


def medium(folder: Path, person: Person) -> None:
    """Write a DICOMDIR with two images, in a folder that is called as the patient is: of eight letters."""
    files = FileSet()
    for number in (1, 2):
        files.add(sliced(folder.with_name("made") / f"{number}", person, number))
    files.write(folder)
    close(files)
    data = (folder / "DICOMDIR").read_bytes()
    (folder / "DICOMDIR").write_bytes(data.replace(b"PT000000", person.family.encode()))
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
        assert all(bool(one.leaks) == ("<name" in one.source) for one in report.files)
    else:
        with pytest.warns(UserWarning, match="1 places with something identifying are left") as caught:
            fastanon.dcmanonym(study.datain)
        assert_clean(*(str(one.message) for one in caught))
    assert tree(tmp_path / "in") == names


# the way back


def test_old_paths_are_in_the_vault_alone(tmp_path: Path) -> None:
    folder, vault = tmp_path / "in", tmp_path / "v"
    old = {sliced(folder / LAST / f"{n}" / f"{NUMBER}.dcm", number=n): n for n in (1, 2)}
    report, news = in_place(folder, vault=vault), list(folder.rglob("*.dcm"))
    assert_clean(vault.read_bytes(), *(path.read_bytes() for path in news), *tree(folder))
    assert {one.output for one in report.files} == {str(new) for new in news}
    assert {one.status for one in in_place(folder, vault=vault).files} == {"unchanged"}
    with Vault(vault, Pseudonyms(KEY)) as opened:
        back = {row.original: row.pseudonym for row in opened.rows(("path",))}
    for path, number in old.items():
        (new,) = (one for one in news if str(one).endswith(back[str(path)]))
        assert pydicom.dcmread(new).InstanceNumber == number
