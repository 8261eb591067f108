"""inspect, plan and audit look into archives."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

import fastanon
from fastanon.cli import main
from fastanon.planner import Plan
from tests.archives.making import BIRTH, FIRST, ID, LAST, MAKERS, dicom, gzipped, read, tarred, zipped

EACH = pytest.mark.parametrize("ending", MAKERS)
FILES = {f"{LAST}/0001.dcm": dicom(f"seen {LAST}".encode()), "0002.dcm": dicom(b"2"), "notes": b"no image"}


@pytest.fixture
def path(ending: str, tmp_path: Path) -> Path:
    path = tmp_path / f"a{ending}"
    path.write_bytes(MAKERS[ending](FILES))
    return path


@EACH
def test_inspect(path: Path) -> None:
    first, second, notes = fastanon.inspect(path)
    assert [one.path for one in (first, second, notes)] == [f"{path}/{name}" for name in FILES]
    values = {value for _, _, value in first.fields}
    assert {f"{LAST}^{FIRST}", ID, BIRTH} <= values
    assert len(first.copies) > len(second.copies) > 0
    assert "plain text" in str(notes.error)


@EACH
@pytest.mark.shows_values
def test_inspect_from_the_shell(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(path)]) == 4
    assert f"{LAST}^{FIRST}" in capsys.readouterr().out


@EACH
def test_plan(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = path.read_bytes()
    first, second, notes = fastanon.plan(path)
    assert isinstance(first, Plan)
    assert isinstance(second, Plan)
    assert len(first.edits) > 5
    assert isinstance(notes, fastanon.FileError)
    assert main(["anonymize", str(path), "--in-place", "--what-if"]) == 4
    said = capsys.readouterr()
    assert f"{path}/<name1>/0001.dcm: " in said.out
    assert f"{path}/notes: not DICOM but plain text: not handled" in said.err
    assert path.read_bytes() == before


@EACH
def test_audit_of_own_output(path: Path, tmp_path: Path) -> None:
    fastanon.anonymize(path, to=tmp_path / "out")
    report = fastanon.audit(tmp_path / "out" / path.name, against=path)
    assert [Path(f.source).name for f in report.files if f.status == "audited"] == [
        "0001.dcm",
        "0002.dcm",
        path.name,
    ]
    assert report.leaks == 0
    assert all(f.audit is None or f.audit.scanned for f in report.files[1:-1])
    assert report.files[-1].messages == ()
    assert fastanon.audit(path, against=path).leaks > 10


def test_audit_against_a_folder_and_the_other_way_round(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "0001.dcm").write_bytes(dicom())
    (tmp_path / "a.zip").write_bytes(zipped({"0001.dcm": dicom()}))
    fastanon.anonymize(folder, to=tmp_path / "files")
    fastanon.anonymize(tmp_path / "a.zip", to=tmp_path / "out")
    assert fastanon.audit(tmp_path / "files", against=tmp_path / "a.zip").exit_status == 0
    assert fastanon.audit(tmp_path / "out", against=folder).exit_status == 0
    assert fastanon.audit(tmp_path / "out", against=tmp_path / "files").leaks == 0  # pseudonyms of another run
    assert fastanon.audit(folder, against=tmp_path / "a.zip").exit_status == 3


def clean(tmp_path: Path) -> dict[str, bytes]:
    (tmp_path / "a.zip").write_bytes(zipped({"0001.dcm": dicom()}))
    fastanon.anonymize(tmp_path / "a.zip", to=tmp_path / "out")
    return read(tmp_path / "out" / "a.zip")


def with_comment(files: dict[str, bytes], of_member: bool) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.comment = f"of {LAST}".encode() if of_member else b""
            archive.writestr(info, content)
        archive.comment = b"" if of_member else f"of {LAST}".encode()
    return data.getvalue()


def with_pax(files: dict[str, bytes]) -> bytes:
    def change(info: tarfile.TarInfo) -> None:
        info.pax_headers, info.uname = {"comment": f"of {LAST}"}, ""

    return tarred(files, change)


@pytest.mark.parametrize("where", ["comment", "comment of a member", "name", "owner", "PAX header", "gzip name"])
def test_audit_of_what_another_program_left_around_the_members(where: str, tmp_path: Path) -> None:
    files = clean(tmp_path)
    data = {
        "comment": lambda: with_comment(files, False),
        "comment of a member": lambda: with_comment(files, True),
        "name": lambda: zipped({f"{LAST}.dcm": files["0001.dcm"]}),
        "owner": lambda: tarred(files),
        "PAX header": lambda: with_pax(files),
        "gzip name": lambda: gzipped(tarred(files, lambda info: setattr(info, "uname", "")), f"{LAST}.tar"),
    }[where]()
    (tmp_path / "copy").write_bytes(data)
    report = fastanon.audit(tmp_path / "copy", against=tmp_path / "a.zip")
    places = [place for f in report.files if f.audit for place in f.audit.leaks]
    assert {place.where for place in places} == {"file name" if where == "name" else "archive header"}
    assert {place.kind for place in places} == {"name"}
    assert "beside its members: " in str(report.files[-1].messages)


def test_audit_tells_what_it_did_not_search(tmp_path: Path) -> None:
    files = clean(tmp_path)
    (tmp_path / "copy.zip").write_bytes(b"MZ" + zipped(files) + b"more")
    report = fastanon.audit(tmp_path / "copy.zip", against=tmp_path / "a.zip")
    assert {
        "beside its members: bytes in front of the archive",
        "beside its members: bytes behind the archive",
    } <= set(report.files[-1].messages)


@EACH
def test_audit_of_a_payload(ending: str, tmp_path: Path) -> None:
    """A value that is planted into list-mode is found, wherever the payload stands before its header."""
    from fastanon.synthetic import Person, make_study

    study = make_study(tmp_path / "study", Person(), listmode_bytes=1 << 16, slices=1)
    header, payload = study.listmode[0], next(p for p in study.listmode if p.suffix == ".bf")
    data = bytearray(payload.read_bytes())
    data[4096:4128] = b"\0\0VAN DER BERG^ANNA MRN-00471108\0"
    files = {"a.bf": bytes(data), "a.dcm": header.read_bytes()}
    (tmp_path / f"a{ending}").write_bytes(MAKERS[ending](files))
    report = fastanon.anonymize(tmp_path / f"a{ending}", to=tmp_path / "out")
    assert report.exit_status == 3, "in a payload beside its header nothing is changed"
    assert [f.leaks > 0 for f in report.files] == [False, True]
    assert read(tmp_path / "out" / f"a{ending}")["a.bf"] == bytes(data)
    audited = fastanon.audit(tmp_path / "out" / f"a{ending}", against=tmp_path / f"a{ending}")
    assert [Path(f.source).name for f in audited.files if f.leaks] == ["a.bf"]


@EACH
def test_members_that_are_mapped_and_not_read(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too large to be read at once comes out the same."""
    from fastanon.synthetic import Person, make_study

    make_study(tmp_path / "study", Person(), listmode_bytes=1 << 16, slices=1)
    files = {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in (tmp_path / "study").rglob("*.*")}
    (tmp_path / f"a{ending}").write_bytes(MAKERS[ending](files))
    key = bytes(range(32))
    fastanon.anonymize(tmp_path / f"a{ending}", to=tmp_path / "read", key=key)
    monkeypatch.setattr("fastanon.opened.SMALL", 100)
    monkeypatch.setattr("fastanon.archives.members.SMALL", 100)
    assert fastanon.anonymize(tmp_path / f"a{ending}", to=tmp_path / "mapped", key=key).exit_status == 0
    assert (tmp_path / "mapped" / f"a{ending}").read_bytes() == (tmp_path / "read" / f"a{ending}").read_bytes()
