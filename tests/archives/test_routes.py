"""An archive is what a folder is: the same members, anonymized as files of these names are."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pydicom
import pytest

import fastanon
from fastanon.pseudonyms import new_key
from fastanon.synthetic import Person, make_study
from tests.archives.making import BIRTH, FIRST, ID, LAST, MAKERS, dicom, read, said, unpacked, zipped
from tests.canary import leaks_in
from tests.security.oracle import Oracle

EACH = pytest.mark.parametrize("ending", MAKERS)
PERSON = Person()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a study of every kind of file, its key, and what comes of it as files."""
    root = tmp_path_factory.mktemp("study")
    make_study(root / "study", PERSON, listmode_bytes=1 << 16, slices=1)
    new_key(root / "key")
    report = fastanon.anonymize(root / "study", to=root / "files", key=root / "key")
    assert report.exit_status == 0
    return root


def below(folder: Path) -> dict[str, bytes]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith(".fastanon-"))
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


@EACH
def test_members_are_what_files_are(study: Path, tmp_path: Path, ending: str) -> None:
    files = below(study / "study")
    backwards = dict(reversed(files.items()))  # payloads behind or before their headers
    (tmp_path / f"a{ending}").write_bytes(MAKERS[ending](backwards))
    report = fastanon.anonymize(tmp_path / f"a{ending}", to=tmp_path / "out", key=study / "key")
    assert (report.exit_status, report.leaks) == (0, 0)
    written = tmp_path / "out" / f"a{ending}"
    found = read(written)
    assert found == below(study / "files")
    stems = {Path(name).suffix for name in files}
    assert [Path(name).suffix for name in found] == [Path(name).suffix for name in backwards]
    assert {".bf", ".dcm", ".ptd", ".dat", ".rda", ".hdr"} <= stems
    words = (*PERSON.name.split("^"), PERSON.patient_id, PERSON.birth_date, PERSON.accession)
    assert Oracle(words).found(unpacked(written.read_bytes())) == []
    assert len(report.files) == 1 + len([name for name in files if not name.endswith((".bf", ".l", ".s", ".n"))])
    assert {Path(path.source).name for path in report.files[:1]} == {f"a{ending}"}


@EACH
def test_nothing_but_names_sizes_and_content(tmp_path: Path, ending: str) -> None:
    long = "a" * 90 + "/" + "ä" * 60 + "/0001.dcm"
    (tmp_path / f"a{ending}").write_bytes(MAKERS[ending]({"./x//0001.dcm": dicom(), long: dicom()}))
    assert fastanon.anonymize(tmp_path / f"a{ending}", to=tmp_path / "out").exit_status == 0
    written = tmp_path / "out" / f"a{ending}"
    assert list(read(written)) == ["x/0001.dcm", long]
    plain = {b"", (1980, 1, 1, 0, 0, 0), 0o100644, 0, bytes(4), "", 0o644, frozenset()}
    assert {frozenset(one) if isinstance(one, set) else one for one in said(written)} <= plain
    assert fastanon.anonymize(written, to=tmp_path / "twice").exit_status == 0
    if zipfile.is_zipfile(written):
        methods = {info.compress_type for info in zipfile.ZipFile(written).infolist()}
        assert methods == {zipfile.ZIP_STORED if "stored" in ending else zipfile.ZIP_DEFLATED}


@EACH
def test_names_are_cleaned_and_numbered(tmp_path: Path, ending: str) -> None:
    names = {
        f"{LAST}/{ID}.dcm": dicom(),
        f"{LAST.lower()}/{ID}.dcm": dicom(b"2"),
        f"{FIRST}_0001.dcm": dicom(b"3"),
    }
    (tmp_path / f"{LAST}{ending}").write_bytes(MAKERS[ending](names))
    report = fastanon.anonymize(tmp_path / f"{LAST}{ending}", to=tmp_path / "out", patient="P001")
    (written,) = (tmp_path / "out").iterdir()
    assert written.name == f"P001{ending}"
    assert list(read(written)) == ["P001/P001.dcm", "P001/P001-2.dcm", "P001_0001.dcm"]
    text = report.to_json()
    assert leaks_in(text) == leaks_in(str(report.files)) == []
    assert [Path(f.source).name for f in report.files] == [
        f"<name1>{ending}", "<id1>.dcm", "<id1>.dcm", "<name2>_0001.dcm",
    ]  # fmt: skip
    assert report.files[1].output.endswith(f"P001{ending}/P001/P001.dcm")
    assert report.exit_status == 0


@EACH
def test_in_place(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"{LAST}{ending}"
    path.write_bytes(MAKERS[ending]({f"{LAST}.dcm": dicom()}))
    path.chmod(0o640)
    new_key(tmp_path / "key")
    (tmp_path / "in").mkdir()
    path = path.rename(tmp_path / "in" / path.name)
    report = fastanon.anonymize(path, in_place=True, key=tmp_path / "key")
    assert report.exit_status == 0
    (written,) = (tmp_path / "in").iterdir()
    assert leaks_in(written.name) == leaks_in(unpacked(written.read_bytes())) == []
    assert (written.stat().st_mode & 0o777, report.files[0].status) == (0o640, "anonymized")
    before = (written.stat().st_ino, written.read_bytes())
    again = fastanon.anonymize(written, in_place=True, key=tmp_path / "key")
    assert [f.status for f in again.files] == ["unchanged", "unchanged"]
    assert (written.stat().st_ino, written.read_bytes()) == before


def test_niftypet_in_place_keeps_names(tmp_path: Path) -> None:
    path = tmp_path / f"{LAST}.zip"
    path.write_bytes(zipped({"0001.dcm": dicom(), f"{LAST}.dcm": dicom()}))
    with pytest.warns(UserWarning, match="something identifying"):
        fastanon.dcmanonym(path)
    assert list(read(path)) == ["0001.dcm", f"{LAST}.dcm"]
    for data in read(path).values():
        assert leaks_in(data) == []


@EACH
def test_among_other_files(tmp_path: Path, ending: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "0001.dcm").write_bytes(dicom())
    nameless = {"report": b"nothing known", f"about {FIRST}.dcm": dicom()}
    (folder / f"b{ending}").write_bytes(MAKERS[ending](nameless))
    (folder / "README.txt").write_text("no image")
    report = fastanon.anonymize(folder, to=tmp_path / "out", patient="P001")
    assert report.exit_status == 4
    assert [(Path(f.source).name, f.status) for f in report.files] == [
        ("0001.dcm", "anonymized"),
        ("README.txt", "refused"),
        (f"b{ending}", "anonymized"),
        ("report", "refused"),
        ("about <name1>.dcm", "anonymized"),
    ]
    assert list(read(tmp_path / "out" / f"b{ending}")) == ["about P001.dcm"]
    with pytest.raises(fastanon.BatchError):
        report.raise_for_leaks()


def test_niftypet_only_warns_of_what_is_no_medical_file(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"report": b"nothing known", "0001.dcm": dicom()}))
    with pytest.warns(UserWarning, match="a.zip/report: refused; not DICOM but plain text"):
        fastanon.dcmanonym(tmp_path)
    assert list(read(tmp_path / "a.zip")) == ["0001.dcm"]


def test_who_names_nobody_goes_with_the_others(tmp_path: Path) -> None:
    """A file without a name, in an archive of its own, takes the shift of the folder; in either order."""
    from tests.builder import Leaf, part10

    nameless = part10((Leaf(0x00080020, "DA", b"20170327"), Leaf(0x00081030, "LO", b"norm")))
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.zip").write_bytes(zipped({"norm.dcm": nameless}))
    (folder / "b.zip").write_bytes(zipped({"norm.dcm": nameless, "x.dcm": dicom()}))
    assert fastanon.anonymize(folder, to=tmp_path / "out").exit_status == 0
    days = set()
    for path in (tmp_path / "out").iterdir():
        for name, data in read(path).items():
            copy = tmp_path / "one.dcm"
            copy.write_bytes(data)
            days.add(str(pydicom.dcmread(copy).StudyDate))
            assert name
    assert len(days) == 1
    assert days != {"20170327"}


def test_a_directory_follows_its_files(tmp_path: Path) -> None:
    """A DICOMDIR that stands first names all files as they are called behind it."""
    folder = Path(pydicom.__path__[0]) / "data" / "test_files" / "dicomdirtests"
    names = sorted(p for p in folder.rglob("*") if p.is_file() and p.name[0].isdigit())
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in [folder / "DICOMDIR", *names]}
    assert len(files) > 20
    for name, data in files.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    new_key(tmp_path / "key")
    fastanon.anonymize(tmp_path / "in", to=tmp_path / "files", key=tmp_path / "key")
    (tmp_path / "a.zip").write_bytes(zipped(files))
    fastanon.anonymize(tmp_path / "a.zip", to=tmp_path / "out", key=tmp_path / "key")
    assert read(tmp_path / "out" / "a.zip") == below(tmp_path / "files")


def test_a_vault_knows_the_members(tmp_path: Path) -> None:
    new_key(tmp_path / "key")
    (tmp_path / "a.zip").write_bytes(zipped({f"{LAST}.dcm": dicom()}))
    out = tmp_path / "out"
    fastanon.anonymize(tmp_path / "a.zip", to=out, key=tmp_path / "key", vault=tmp_path / "vault")
    from fastanon.pseudonyms import Pseudonyms, read_key
    from fastanon.vault import Vault

    with Vault.existing(tmp_path / "vault", Pseudonyms(read_key(tmp_path / "key"))) as vault:
        rows = {row.pseudonym: row.original for row in vault.rows(("path", "patient"))}
    (member,) = read(out / "a.zip")
    assert rows[str(out / "a.zip" / member)] == str(tmp_path / "a.zip" / f"{LAST}.dcm")
    assert ID in rows.values()


@pytest.mark.parametrize("audit", ["full", "text", "none"])
def test_the_audit_that_was_asked_for(tmp_path: Path, audit: str) -> None:
    (tmp_path / "a.tar").write_bytes(MAKERS[".tar"]({f"{n}.dcm": dicom(b"%d" % n) for n in range(40)}))
    report = fastanon.anonymize(tmp_path / "a.tar", to=tmp_path / "out", audit=audit)
    assert report.exit_status == 0
    audits = [f.audit for f in report.files[1:]]
    if audit == "none":
        assert audits == [None] * len(audits)
    else:
        assert all(a is not None and a.scanned > 300 and bool(a.payload) == (audit == "text") for a in audits)


@pytest.mark.parametrize("ending", [".zip", ".stored.zip", ".tar.gz"])
def test_a_series_is_planned_by_its_first(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is in a folder, and with the same bytes as where each slice is planned for itself."""
    from fastanon import work
    from fastanon.series import Series

    make_study(tmp_path / "study", PERSON, listmode_bytes=1 << 16, slices=20)
    files = {name: data for name, data in below(tmp_path / "study").items() if name.startswith(("T1/", "UMAP/"))}
    (tmp_path / f"a{ending}").write_bytes(MAKERS[ending](files))
    new_key(tmp_path / "key")
    alike, original = [], Series.like

    def like(self: Series, opened: object) -> object:
        found = original(self, opened)  # type: ignore[arg-type]
        alike.append(found is not None)
        return found

    monkeypatch.setattr(Series, "like", like)
    monkeypatch.setattr(work, "MANY", 40)
    report = fastanon.anonymize(tmp_path / f"a{ending}", to=tmp_path / "out", key=tmp_path / "key")
    assert (report.exit_status, report.leaks, sum(alike)) == (0, 0, 36)
    for name in ("FEW", "MANY"):
        monkeypatch.setattr(work, name, 1 << 20)
    long = fastanon.anonymize(tmp_path / f"a{ending}", to=tmp_path / "long", key=tmp_path / "key")
    assert len(alike) == 40
    assert read(tmp_path / "out" / f"a{ending}") == read(tmp_path / "long" / f"a{ending}")
    told = [[(f.edits, f.status, f.messages, f.audit) for f in one.files] for one in (report, long)]
    assert told[0] == told[1]


def test_it_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"0001.dcm": dicom()}))
    (tmp_path / "out").mkdir()
    shutil.copy(tmp_path / "a.zip", tmp_path / "out")
    report = fastanon.anonymize(tmp_path / "a.zip", to=tmp_path / "out")
    assert [f.status for f in report.files] == ["refused"]
    assert (tmp_path / "out" / "a.zip").read_bytes() == (tmp_path / "a.zip").read_bytes()


def test_a_run_goes_on_where_one_was_stopped(tmp_path: Path) -> None:
    """With a kept key an archive that was done is known, and one that was changed since is not written over."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "a.zip").write_bytes(zipped({"0001.dcm": dicom()}))
    new_key(tmp_path / "key")
    fastanon.anonymize(folder, to=out, key=tmp_path / "key")
    before = (out / "a.zip").read_bytes()
    (folder / "b.tar").write_bytes(MAKERS[".tar"]({"0001.dcm": dicom()}))
    report = fastanon.anonymize(folder, to=out, key=tmp_path / "key")
    assert [(Path(f.source).name, f.status) for f in report.files] == [
        ("a.zip", "unchanged"), ("b.tar", "anonymized"), ("0001.dcm", "anonymized"),
    ]  # fmt: skip
    assert report.exit_status == 0
    assert (out / "a.zip").read_bytes() == before
    (folder / "a.zip").write_bytes(zipped({"0002.dcm": dicom()}))
    again = fastanon.anonymize(folder, to=out, key=tmp_path / "key")
    assert [f.status for f in again.files] == ["refused", "unchanged"]
    assert (out / "a.zip").read_bytes() == before


def test_what_is_left_is_told_and_not_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member in which something is left does not say that it is de-identified; the others do."""
    from fastanon import planner

    original = planner.Draft.edits  # what an edit that is missing leaves behind

    def forgetful(draft: planner.Draft) -> list[object]:
        return [
            e for e in original(draft) if not (b"keep" in bytes(draft.part.data) and e.rule.startswith("copy"))
        ]

    monkeypatch.setattr(planner.Draft, "edits", forgetful)
    (tmp_path / "a.zip").write_bytes(zipped({"1.dcm": dicom(f"keep {LAST}".encode()), "2.dcm": dicom(b"2")}))
    report = fastanon.anonymize(tmp_path / "a.zip", to=tmp_path / "out")
    assert report.exit_status == 3
    assert [f.leaks > 0 for f in report.files] == [False, True, False]
    marks = []
    for data in read(tmp_path / "out" / "a.zip").values():
        (tmp_path / "one.dcm").write_bytes(data)
        marks.append("DeidentificationMethod" in pydicom.dcmread(tmp_path / "one.dcm"))
    assert marks == [False, True]


def test_birth_date_in_a_folder_of_the_archive(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({f"{BIRTH}/0001.dcm": dicom()}))
    fastanon.anonymize(tmp_path / "a.zip", to=tmp_path / "out")
    assert leaks_in(" ".join(read(tmp_path / "out" / "a.zip"))) == []
