"""URLs of any store as sources and targets: folders, pairs, names of files, commands; and what is never shown."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from fsspec.implementations.memory import MemoryFileSystem

import fastanon
from fastanon import urls
from fastanon.beside import is_record
from fastanon.errors import DONE, FAILED, LEFT, REFUSED, USAGE
from fastanon.synthetic import Person, make_listmode_files, make_listmode_pair, make_ptd, make_slice, make_twix
from tests.remote.conftest import Bucket, Moody
from tests.siemens_files import Study, left_in, write

PERSON = Person(name="THISTLEWOOD^JOHANNA", patient_id="QX-55120-R7")
SPELLINGS = ("THISTLEWOOD", "JOHANNA", "QX-55120-R7")
KEY = bytes(range(32))


def put(memory: MemoryFileSystem, folder: Path, prefix: str) -> None:
    """Copy a folder to the store."""
    for path in folder.rglob("*"):
        if path.is_file():
            memory.pipe(f"/{prefix}/{path.relative_to(folder)}", path.read_bytes())


def tree(folder: Path) -> dict[str, bytes]:
    found = (p for p in folder.rglob("*") if p.is_file() and not is_record(p.name))
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}


def stored(memory: MemoryFileSystem, prefix: str) -> dict[str, bytes]:
    return {name.removeprefix(f"/{prefix}/"): memory.cat(name) for name in memory.find(f"/{prefix}")}


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "fastanon", *map(str, arguments)]
    return subprocess.run(run, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Make a folder with pairs, texts that name others, a name in a path, and two kinds of raw data."""
    folder = tmp_path / "raw"
    (folder / "THISTLEWOOD" / "pet").mkdir(parents=True)
    make_slice(folder / "THISTLEWOOD" / "a.IMA", PERSON)
    make_slice(folder / "THISTLEWOOD" / "b.IMA", PERSON, number=2)
    make_listmode_pair(folder / "THISTLEWOOD" / "pet" / "lm.dcm", 1 << 16, PERSON)
    make_listmode_files(folder / "THISTLEWOOD" / "pet" / "johanna.l.hdr", PERSON, 1 << 16)
    make_ptd(folder / "c.ptd", 1 << 16, PERSON)
    make_twix(folder / "d.dat", PERSON)
    return folder


def test_a_prefix_is_what_a_folder_is(study: Path, memory: MemoryFileSystem, tmp_path: Path) -> None:
    put(memory, study, "raw")
    assert fastanon.anonymize(study, to=tmp_path / "local", key=KEY).exit_status == DONE
    expected = tree(tmp_path / "local")
    assert len(expected) == 8
    assert not left_in("".join(expected).encode(), SPELLINGS)
    report = fastanon.anonymize("memory://raw", to="memory://sent", key=KEY)
    assert report.exit_status == DONE
    assert stored(memory, "sent") == expected
    assert fastanon.anonymize("memory://raw/", to=tmp_path / "fetched", key=KEY).exit_status == DONE
    assert tree(tmp_path / "fetched") == expected
    assert fastanon.anonymize(study, to="memory://put/", key=KEY).exit_status == DONE
    assert stored(memory, "put") == expected
    assert stored(memory, "raw") == tree(study)


def test_globs_and_lists(study: Path, memory: MemoryFileSystem) -> None:
    put(memory, study / "THISTLEWOOD", "raw")
    report = fastanon.anonymize("memory://raw/*.IMA", to="memory://globbed")
    assert report.exit_status == DONE
    assert sorted(stored(memory, "globbed")) == ["a.IMA", "b.IMA"]
    report = fastanon.anonymize(["memory://raw/a.IMA", "memory://raw/pet/lm.dcm"], to="memory://listed")
    assert report.exit_status == DONE
    assert sorted(stored(memory, "listed")) == ["a.IMA", "pet/lm.bf", "pet/lm.dcm"]
    with pytest.raises(fastanon.UsageError, match="matches nothing"):
        fastanon.anonymize("memory://raw/*.none", to="memory://globbed")


def test_a_directory_of_dicom_follows(memory: MemoryFileSystem, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    given = Path(pydicom.__path__[0]) / "data" / "test_files" / "dicomdirtests"
    for name in ("DICOMDIR", *(f"77654033/{path.name}" for path in (given / "77654033").iterdir())):
        if (given / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(given / name, folder / name)
        else:
            shutil.copytree(given / name, folder / name)
    put(memory, folder, "set")
    assert fastanon.anonymize(folder, to=tmp_path / "local", key=KEY).exit_status == DONE
    assert fastanon.anonymize("memory://set", to="memory://sent", key=KEY).exit_status == DONE
    assert len(stored(memory, "sent")) > 2
    assert stored(memory, "sent") == tree(tmp_path / "local")
    assert stored(memory, "sent")["DICOMDIR"] != (folder / "DICOMDIR").read_bytes()


def test_a_payload_beside_a_header_with_a_name_in_it_stays_here(memory: MemoryFileSystem, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    header, data = make_listmode_pair(tmp_path / "raw" / "lm.dcm", 1 << 16, PERSON)
    data.write_bytes(data.read_bytes()[:1000] + b"\0THISTLEWOOD JOHANNA\0" + bytes(1 << 15))
    assert header.exists()
    report = fastanon.anonymize(tmp_path / "raw", to="memory://sent")
    assert report.exit_status == LEFT
    assert stored(memory, "sent") == {}


def test_a_payload_is_taken_back_without_its_header(study: Path, memory: MemoryFileSystem) -> None:
    put(memory, study / "THISTLEWOOD" / "pet", "raw")
    memory.pipe("/sent/lm.dcm", b"mine")
    report = fastanon.anonymize(["memory://raw/lm.dcm", "memory://raw/johanna.l.hdr"], to="memory://sent")
    assert [file.status for file in report.files] == ["refused", "anonymized"]
    assert "lm.bf" not in stored(memory, "sent")
    assert stored(memory, "sent")["lm.dcm"] == b"mine"


def test_in_memory_nothing_stays_of_what_breaks(
    memory: MemoryFileSystem, moody: type[Moody], tmp_path: Path
) -> None:
    from fastanon.synthetic import make_listmode

    size = 40 << 20
    moody().pipe("/a.dcm", make_listmode(tmp_path / "a.dcm", size, PERSON).read_bytes())
    seen = []

    def before(_: int) -> None:
        if memory.find("/sent"):
            seen.append(True)
            raise ConnectionResetError(104, "THISTLEWOOD")

    moody.before = staticmethod(before)
    report = fastanon.anonymize("moody://a.dcm", to="memory://sent")
    assert seen
    assert report.exit_status == FAILED
    assert memory.find("/sent") == []


def test_what_is_read_at_once_is_compared_too(moody: type[Moody], tmp_path: Path) -> None:
    data = write(tmp_path / "a.dcm", Study("THISTLEWOOD^JOHANNA")).read_bytes()
    moody().pipe("/a.dcm", data)
    moody.before = staticmethod(lambda _: moody().pipe("/a.dcm", data + b"\0\0"))
    report = fastanon.anonymize("moody://a.dcm", to=tmp_path / "out")
    assert report.exit_status == REFUSED
    assert report.files[0].messages == ("changed while it was looked at",)


def test_an_object_that_shrinks(moody: type[Moody], tmp_path: Path) -> None:
    data = write(tmp_path / "a.dcm", Study("THISTLEWOOD^JOHANNA")).read_bytes()
    moody().pipe("/a.dcm", data)
    moody.before = staticmethod(lambda _: moody().pipe("/a.dcm", data[:-2]))
    report = fastanon.anonymize("moody://a.dcm", to=tmp_path / "out")
    assert report.exit_status == REFUSED
    assert not (tmp_path / "out").exists()


def test_a_local_file_by_url(tmp_path: Path) -> None:
    path = write(tmp_path / "raw" / "a.dcm", Study("THISTLEWOOD^JOHANNA"))
    report = fastanon.anonymize(f"file://{tmp_path}/raw", to=f"file://{tmp_path}/out", key=KEY)
    assert report.exit_status == DONE
    assert fastanon.anonymize(path, to=tmp_path / "plain", key=KEY).exit_status == DONE
    assert tree(tmp_path / "out") == tree(tmp_path / "plain")
    link = tmp_path / "raw" / "link.dcm"
    link.symlink_to(path)
    report = fastanon.anonymize(f"file://{tmp_path}/raw", to=f"file://{tmp_path}/out2")
    assert [file.status for file in report.files] == ["anonymized", "refused"]  # as without a URL


def test_wrong_usage(memory: MemoryFileSystem, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", Study("THISTLEWOOD^JOHANNA"))
    memory.pipe("/raw/a.dcm", path.read_bytes())
    before = path.read_bytes()
    with pytest.raises(fastanon.UsageError, match="in place"):
        fastanon.anonymize("memory://raw", in_place=True)
    with pytest.raises(fastanon.UsageError, match="in place"):
        fastanon.dcmanonym(["memory://raw/a.dcm"])
    with pytest.raises(fastanon.UsageError, match="local files and URLs"):
        fastanon.anonymize([str(path), "memory://raw/a.dcm"], to=tmp_path / "out")
    with pytest.raises(fastanon.UsageError, match="no store"):
        fastanon.anonymize("nosuch://raw", to=tmp_path / "out")
    with pytest.raises(fastanon.UsageError, match="lies among"):
        fastanon.anonymize("memory://raw", to="memory://raw")
    assert memory.cat("/raw/a.dcm") == path.read_bytes() == before


def test_names_in_a_store_lead_nowhere(memory: MemoryFileSystem, tmp_path: Path) -> None:
    data = write(tmp_path / "a.dcm", Study("THISTLEWOOD^JOHANNA")).read_bytes()
    for name in ("/raw/../../escaped.dcm", "/raw/x/../y.dcm", "/raw//z.dcm"):
        memory.store[name] = type(memory.open("/w", "wb"))(memory, name, data)
    memory.rm("/w")
    out = tmp_path / "deep" / "out"
    report = fastanon.anonymize("memory://raw", to=out)
    assert [file.status for file in report.files].count("refused") == 1
    assert all(path.is_relative_to(out) for path in tmp_path.rglob("*.dcm") if path.name != "a.dcm")


def test_commands_read_urls(bucket: Bucket, tmp_path: Path) -> None:
    path = write(tmp_path / "raw" / "a.dcm", Study("THISTLEWOOD^JOHANNA"))
    bucket.put("raw/a.dcm", path.read_bytes())
    shown, of_file = command("inspect", bucket.url("raw")), command("inspect", path)
    assert shown.returncode == DONE, shown.stderr
    assert shown.stdout == of_file.stdout.replace(str(path), bucket.url("raw/a.dcm"))
    what_if = command("anonymize", bucket.url("raw"), "-o", bucket.url("anon"), "--what-if")
    assert what_if.returncode == DONE
    assert bucket.url("raw/a.dcm") in what_if.stdout
    assert bucket.keys() == ["raw/a.dcm"]
    report = tmp_path / "report.json"
    run = command("anonymize", bucket.url("raw"), "-o", bucket.url("anon"), "--report", report, "-v")
    assert run.returncode == DONE, run.stderr
    (file,) = json.loads(report.read_text())["files"]
    assert (file["source"], file["output"]) == (bucket.url("raw/a.dcm"), bucket.url("anon/a.dcm"))
    clean = command("audit", bucket.url("anon"), "--against", bucket.url("raw"))
    assert clean.returncode == DONE, clean.stderr
    dirty = command("audit", bucket.url("raw"), "--against", bucket.url("raw"))
    assert dirty.returncode == LEFT
    assert command("anonymize", bucket.url("raw"), "--in-place").returncode == USAGE
    for said in (what_if, run, clean, dirty):
        assert "testing" not in said.stdout + said.stderr


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """Serve a folder."""
    (tmp_path / "www").mkdir()
    handler = functools.partial(_Quiet, directory=str(tmp_path / "www"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_web_server_is_read(web: str, tmp_path: Path) -> None:
    path = write(tmp_path / "www" / "a.dcm", Study("THISTLEWOOD^JOHANNA"))
    run = command("anonymize", f"{web}/a.dcm?X-Amz-Signature=s3cret/1", "-o", tmp_path / "out", "-v")
    assert run.returncode == DONE, run.stderr
    assert "s3cret" not in run.stdout + run.stderr
    assert f"{web}/a.dcm?..." in run.stdout
    assert list(tree(tmp_path / "out")) == ["a.dcm"]
    assert not left_in(tree(tmp_path / "out")["a.dcm"][:-512], SPELLINGS)
    run = command("anonymize", path, "-o", f"{web}/new")
    assert run.returncode == REFUSED
    assert "a store that can only be read" in run.stderr
    assert sorted(os.listdir(tmp_path / "www")) == ["a.dcm"]


def test_passwords_are_not_shown(tmp_path: Path) -> None:
    url = "http://user:s3cret@127.0.0.1:9/a.dcm"
    for arguments in (
        ("anonymize", url, "-o", tmp_path / "out"),
        ("inspect", url),
        ("audit", url, "--against", url),
    ):
        run = command(*arguments)
        assert run.returncode == FAILED
        assert "http://127.0.0.1:9/a.dcm" in run.stdout + run.stderr
        assert "s3cret" not in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://bucket/a?b", "s3://bucket/a?b"),
        ("ftp://me:pw@host/a@b", "ftp://host/a@b"),
        ("https://host/a.dcm?sig=1#2", "https://host/a.dcm?..."),
        ("/home/me@host/a?b", "/home/me@host/a?b"),
        ("c:/me@host", "c:/me@host"),
    ],
)
def test_what_is_shown_of_a_url(text: str, expected: str) -> None:
    assert urls.shown(text) == expected


def test_without_fsspec_it_says_what_is_missing(tmp_path: Path) -> None:
    code = "import sys; sys.modules['fsspec'] = None; from fastanon.cli import main; sys.exit(main(sys.argv[1:]))"
    arguments = ["anonymize", "s3://bucket/a.dcm", "-o", str(tmp_path / "out")]
    run = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == USAGE
    assert "fastanon[remote]" in run.stderr


def test_fsspec_is_not_loaded_for_files(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", Study("THISTLEWOOD^JOHANNA"))
    code = (
        "import sys, fastanon; assert fastanon.anonymize(sys.argv[1], to=sys.argv[2]).exit_status == 0;"
        "assert not {'fsspec', 's3fs', 'asyncio'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, path, tmp_path / "out"], check=True)


def test_a_series_goes_the_short_way_and_is_the_same(
    memory: MemoryFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastanon.work.MANY", 40)
    for number in range(1, 41):
        make_slice(tmp_path / f"{number:02}.IMA", PERSON, number=number)
    raw = tmp_path / "raw"
    raw.mkdir()
    for path in tmp_path.glob("*.IMA"):
        path.rename(raw / path.name)
    assert fastanon.anonymize(raw, to=tmp_path / "local", key=KEY).exit_status == DONE
    put(memory, raw, "raw")
    report = fastanon.anonymize("memory://raw", to="memory://sent", key=KEY)
    assert report.exit_status == DONE
    assert stored(memory, "sent") == tree(tmp_path / "local")
    assert all(file.audit is not None and file.audit.payload == 0 for file in report.files)


def test_archives_in_a_store(memory: MemoryFileSystem, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", Study("THISTLEWOOD^JOHANNA"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(path, "a.dcm")
    memory.pipe("/raw/a.zip", (tmp_path / "a.zip").read_bytes())
    report = fastanon.anonymize("memory://raw", to=tmp_path / "out")
    assert report.exit_status == DONE
    with zipfile.ZipFile(tmp_path / "out" / "a.zip") as archive:
        assert not left_in(archive.read("a.dcm")[:-512], SPELLINGS)
    report = fastanon.anonymize("memory://raw", to="memory://sent")
    assert report.exit_status == REFUSED
    assert "an archive, which is not written to a store" in str(report.files[0])
    assert stored(memory, "sent") == {}


@pytest.mark.usefixtures("memory")
def test_a_vault_knows_who_went(tmp_path: Path) -> None:
    path = write(tmp_path / "www" / "a.dcm", Study("THISTLEWOOD^JOHANNA"))
    key, vault = tmp_path / "key", tmp_path / "vault"
    assert command("key", "new", key).returncode == DONE
    report = fastanon.anonymize(path, to="memory://sent", key=key, vault=vault)
    assert report.exit_status == DONE
    listed = command("vault", "export", "--csv", tmp_path / "who.csv", "--vault", vault, "--key", key)
    assert listed.returncode == DONE
    assert "PX-77120Q4" in (tmp_path / "who.csv").read_text()


def test_an_object_that_is_another_is_not_taken_for_done(memory: MemoryFileSystem, tmp_path: Path) -> None:
    first = write(tmp_path / "a.dcm", Study("THISTLEWOOD^JOHANNA")).read_bytes()
    second = write(tmp_path / "b.dcm", Study("QUILLFEATHER^ADA"), uid="1.2.3.4.6").read_bytes()
    memory.pipe("/raw/a.dcm", first)
    memory.pipe("/raw/b.dcm", second)
    once = fastanon.anonymize("memory://raw", to=tmp_path / "out", key=KEY)
    assert [file.status for file in once.files] == ["anonymized", "anonymized"]
    again = fastanon.anonymize("memory://raw", to=tmp_path / "out", key=KEY)
    assert [file.status for file in again.files] == ["unchanged", "unchanged"]  # done by a run before
    memory.pipe("/raw/a.dcm", second)
    changed = fastanon.anonymize("memory://raw", to=tmp_path / "out", key=KEY)
    assert [file.status for file in changed.files] == ["refused", "unchanged"]
    memory.rm("/raw/b.dcm")
    gone = fastanon.anonymize(["memory://raw/a.dcm", "memory://raw/b.dcm"], to=tmp_path / "out", key=KEY)
    assert [file.status for file in gone.files] == ["refused", "failed"]
