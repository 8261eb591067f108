"""A bucket as source and target: what arrives there, and that nothing does where something goes wrong."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fastanon
from fastanon.errors import DONE, FAILED, LEFT, REFUSED
from fastanon.synthetic import Person, make_listmode
from tests.remote.conftest import Bucket, Moody
from tests.siemens_files import Study, left_in, write

PERSON = Person(name="THISTLEWOOD^JOHANNA", patient_id="QX-55120-R7")
SPELLINGS = ("THISTLEWOOD", "JOHANNA", "QX-55120-R7")
SIZE = 64 << 20
SMALL = 17 << 20  # still too large to be read at once


def listmode(folder: Path, size: int, planted: bytes = b"") -> bytes:
    """Give the bytes of a list-mode file with random words, which are its end."""
    path = folder / "listmode.dcm"
    make_listmode(path, size, PERSON)
    words = bytearray(random.Random(size).randbytes(size))
    words[size // 2 : size // 2 + len(planted)] = planted
    return path.read_bytes()[:-size] + bytes(words)


def test_an_object_of_64_mib(bucket: Bucket, tmp_path: Path) -> None:
    data = listmode(tmp_path, SIZE)
    assert left_in(data[:-SIZE], SPELLINGS)
    bucket.put("raw/listmode.dcm", data)
    report = fastanon.anonymize(bucket.url("raw"), to=bucket.url("anon"))
    assert report.exit_status == DONE
    assert bucket.get("raw/listmode.dcm") == data
    new = bucket.get("anon/listmode.dcm")
    assert new[-SIZE:] == data[-SIZE:]
    assert not left_in(new[:-SIZE], SPELLINGS)
    assert sorted(bucket.keys()) == ["anon/listmode.dcm", "raw/listmode.dcm"]
    assert bucket.unfinished() == []
    (file,) = report.files
    assert (file.status, file.bytes_written) == ("anonymized", len(new))
    assert file.audit is not None
    assert (file.audit.how, file.audit.payload) == ("preview", 0)


def test_it_is_what_a_local_copy_is(bucket: Bucket, tmp_path: Path) -> None:
    key = bytes(range(32))
    data = listmode(tmp_path, SMALL)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.dcm").write_bytes(data)
    bucket.put("raw/a.dcm", data)
    assert fastanon.anonymize(tmp_path / "raw", to=tmp_path / "local", key=key).exit_status == DONE
    assert fastanon.anonymize(tmp_path / "raw", to=bucket.url("sent"), key=key).exit_status == DONE
    assert fastanon.anonymize(bucket.url("raw"), to=tmp_path / "fetched", key=key).exit_status == DONE
    expected = (tmp_path / "local" / "a.dcm").read_bytes()
    assert bucket.get("sent/a.dcm") == expected
    assert (tmp_path / "fetched" / "a.dcm").read_bytes() == expected


def test_nothing_is_sent_where_something_is_left(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("raw/a.dcm", listmode(tmp_path, SMALL, b"\0THISTLEWOOD JOHANNA\0"))
    report = fastanon.anonymize(bucket.url("raw"), to=bucket.url("anon"), payload="report")
    assert report.exit_status == LEFT
    assert bucket.keys() == ["raw/a.dcm"]
    assert bucket.unfinished() == []
    (file,) = report.files
    assert (file.status, file.output, file.leaks) == ("refused", "", 1)


def begun(bucket: Bucket) -> Callable[[], bool]:
    return lambda: bool(bucket.unfinished())


def fail() -> None:
    raise OSError(5, "broken")


def flip(moody: type[Moody]) -> None:
    """Change one byte of the payload, so that no time and no size tells it."""
    (file,) = moody.store.values()
    file.getbuffer()[-5] ^= 1


@pytest.mark.parametrize(("what", "status"), [("breaks", FAILED), ("changes", REFUSED)])
def test_a_source_that_goes_wrong_meanwhile(
    what: str, status: int, bucket: Bucket, moody: type[Moody], tmp_path: Path
) -> None:
    moody().pipe("/a.dcm", listmode(tmp_path, 3 * SMALL))
    done = []

    def before(_: int) -> None:
        if bucket.unfinished() and not done:
            done.append(what)
            flip(moody)
        if what == "breaks" and done:
            fail()

    moody.before = staticmethod(before)
    report = fastanon.anonymize("moody://a.dcm", to=bucket.url("anon"))
    assert done  # the upload had begun
    assert report.exit_status == status
    assert bucket.keys() == []
    assert bucket.unfinished() == []


def test_a_run_that_is_stopped_leaves_nothing(bucket: Bucket, moody: type[Moody], tmp_path: Path) -> None:
    moody().pipe("/a.dcm", listmode(tmp_path, 3 * SMALL))

    def before(_: int) -> None:
        if bucket.unfinished():
            raise KeyboardInterrupt  # as SIGTERM does

    moody.before = staticmethod(before)
    with pytest.raises(KeyboardInterrupt):
        fastanon.anonymize("moody://a.dcm", to=bucket.url("anon"))
    assert bucket.keys() == []
    assert bucket.unfinished() == []


def test_what_stands_for_a_folder_is_no_file(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("raw/", b"")
    bucket.put("raw/a.dcm", write(tmp_path / "a.dcm", Study("THISTLEWOOD^JOHANNA")).read_bytes())
    report = fastanon.anonymize(bucket.url("raw/"), to=bucket.url("anon/"))
    assert report.exit_status == DONE
    assert bucket.keys() == ["anon/a.dcm", "raw/", "raw/a.dcm"]


def test_what_is_there_stays(bucket: Bucket, tmp_path: Path) -> None:
    write(tmp_path / "a.dcm", Study("THISTLEWOOD^JOHANNA"))
    bucket.put("anon/a.dcm", b"mine")
    report = fastanon.anonymize(tmp_path / "a.dcm", to=bucket.url("anon"))
    assert report.exit_status == REFUSED
    assert bucket.get("anon/a.dcm") == b"mine"


def test_what_somebody_else_puts_there_meanwhile_stays(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastanon.stores import Store

    write(tmp_path / "a.dcm", Study("THISTLEWOOD^JOHANNA"))
    asked: list[bool] = []
    exists = Store.exists

    def spy(store: Store) -> bool:  # the last to ask is told no, and only then it is put there
        there = exists(store)
        asked.append(there)
        if len(asked) == 3:
            bucket.put("anon/a.dcm", b"mine")
        return there

    monkeypatch.setattr(Store, "exists", spy)
    report = fastanon.anonymize(tmp_path / "a.dcm", to=bucket.url("anon"))
    assert len(asked) == 3
    assert report.exit_status == REFUSED
    assert bucket.get("anon/a.dcm") == b"mine"
    assert bucket.unfinished() == []


def test_a_bucket_that_is_not_there_and_then_is(bucket: Bucket, tmp_path: Path) -> None:
    for name in ("a.dcm", "b.dcm"):
        write(tmp_path / "raw" / name, Study("THISTLEWOOD^JOHANNA"))
    report = fastanon.anonymize(tmp_path / "raw", to="s3://elsewhere/anon")
    assert [file.status for file in report.files] == ["failed", "failed"]
    assert report.exit_status == FAILED
    assert fastanon.anonymize(tmp_path / "raw", to=bucket.url("anon")).exit_status == DONE
    assert bucket.keys() == ["anon/a.dcm", "anon/b.dcm"]


def test_a_source_that_is_not_there(bucket: Bucket, tmp_path: Path) -> None:
    report = fastanon.anonymize([bucket.url("a.dcm"), "s3://elsewhere/b.dcm"], to=tmp_path / "out")
    assert [file.status for file in report.files] == ["failed", "failed"]
    assert report.exit_status == FAILED
    assert not (tmp_path / "out").exists()


def test_a_server_that_does_not_answer(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "raw" / "a.dcm", Study("THISTLEWOOD^JOHANNA"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    report = fastanon.anonymize(tmp_path / "raw", to=bucket.url("anon"))
    assert [file.status for file in report.files] == ["failed"]
    assert report.exit_status == FAILED


def test_an_upload_that_is_refused(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    (tmp_path / "a.dcm").write_bytes(listmode(tmp_path, 3 * SMALL))
    real, calls = s3fs.S3FileSystem.call_s3, []

    def refuse(self: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        calls.append(method)
        if method == "upload_part" and calls.count(method) == 2:
            raise PermissionError("a secret text")
        return real(self, method, *args, **kwargs)

    monkeypatch.setattr(s3fs.S3FileSystem, "call_s3", refuse)
    report = fastanon.anonymize(tmp_path / "a.dcm", to=bucket.url("anon"))
    assert calls.count("upload_part") == 2
    assert report.exit_status == FAILED
    assert report.files[0].messages == ("Permission denied",)
    assert bucket.keys() == []
    assert bucket.unfinished() == []
