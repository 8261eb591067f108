"""Archives that can't be trusted: refused as a whole, named, and as they were."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

import fastanon
from fastanon.limits import limited
from tests.archives.making import (
    LAST,
    MAKERS,
    central,
    dicom,
    ended,
    gzipped,
    local,
    read,
    said,
    tarred,
    unpacked,
    zipped,
)
from tests.canary import leaks_in
from tests.security.oracle import Oracle

NAME, DATA = b"0001.dcm", dicom()


def zip_of(name: bytes = NAME, other: bytes | None = None, mode: int = 0, **changes: int) -> bytes:
    """Give a zip of one stored member by hand; `other` is its name in the local header."""
    return ended(
        local(name if other is None else other, DATA, **changes), central(name, DATA, 0, mode=mode, **changes), 1
    )


def two(first: bytes, second: bytes) -> bytes:
    body = local(first, DATA)
    rows = central(first, DATA, 0) + central(second, DATA, len(body))
    return ended(body + local(second, DATA), rows, 2)


def tar_of(type: bytes, name: str = "x", linkname: str = "") -> bytes:  # noqa: A002  # as in tarfile
    def change(info: tarfile.TarInfo) -> None:
        if info.name == "x":
            info.type, info.name, info.linkname, info.size = type, name, linkname, 0

    return tarred({"0001.dcm": DATA, "x": b""}, change)


def sparse() -> bytes:
    """Give a tar with a sparse file in PAX's form 1.0."""

    def change(info: tarfile.TarInfo) -> None:
        info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "100"}

    return tarred({"0001.dcm": b"1\n0\n100\n".ljust(512, b"\0") + DATA}, change)


def overlapping() -> bytes:
    """Give a zip whose second member begins inside the first (as zip bombs of D. Fifield do)."""
    inner = local(b"b.dcm", DATA)
    outer = local(b"a.dcm", inner)
    return ended(outer, central(b"a.dcm", inner, 0) + central(b"b.dcm", DATA, len(outer) - len(inner)), 2)


def with_byte(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes([value]) + data[at + 1 :]


def corrupt(data: bytes) -> bytes:
    """Change a byte of the pixels."""
    at = data.index(bytes(range(256)))
    return with_byte(data, at + 7, 0)


def broken_header() -> bytes:
    """Give a tar whose second header has a wrong checksum: tarfile ends there in silence."""
    data = tarred({"0001.dcm": DATA, "0002.dcm": DATA})
    return with_byte(data, data.index(b"0002.dcm"), ord("1"))


def negative() -> bytes:
    """Give a tar whose second member has a negative size (CVE-2025-8194: tarfile went round in circles)."""
    data = bytearray(tarred({"0001.dcm": DATA, "0002.dcm": DATA}))
    at = data.index(b"0002.dcm")
    data[at + 124 : at + 136] = b"\xff" * 10 + b"\x00\x00"
    header = bytearray(data[at : at + 512])
    header[148:156] = b" " * 8
    data[at + 148 : at + 156] = b"%06o\0 " % sum(header)
    return bytes(data)


def headers_inside_each_other() -> bytes:
    """Give a tar in which each extended header is extended by the next."""
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 12
    return (info.tobuf(tarfile.USTAR_FORMAT) + b"12 path=abc\n".ljust(512, b"\0")) * 3000 + tarred({"a": DATA})


BF = {"0001.dcm": DATA, "0002.bf": b"no header"}
DESCRIBED = zipped({"0001.dcm": DATA})
ROW = DESCRIBED.index(b"PK\1\2")

#: By name: ending, bytes, and what the line that refuses has to say.
HAZARDS = {
    "up": (".zip", zip_of(b"../0001.dcm"), "a path that leads up"),
    "up inside": (".zip", zip_of(b"a/../../0001.dcm"), "a path that leads up"),
    "absolute": (".zip", zip_of(b"/etc/0001.dcm"), "an absolute path"),
    "drive": (".zip", zip_of(b"C:0001.dcm"), "a path with a drive"),
    "backslash": (".zip", zip_of(b"a\\0001.dcm"), "a path with a backslash"),
    "control": (".zip", zip_of(b"a\n0001.dcm"), "a name with control characters"),
    "no name": (".zip", zip_of(b"./"), "a folder with content"),
    "zero in a name": (".zip", zip_of(b"0001.dcm\0.txt"), "two names"),
    "Latin-1 name": (".zip", zip_of(b"M\xfcller.dcm"), "unknown character set"),
    "tar up": (".tar", tarred({"a/../../0001.dcm": DATA}), "a path that leads up"),
    "tar absolute": (".tar", tarred({"/0001.dcm": DATA}), "an absolute path"),
    "tar Latin-1": (".tar", tarred({"M\udcfcller.dcm": DATA}), "unknown character set"),
    "gz up": (".tar.gz", gzipped(tarred({"../0001.dcm": DATA})), "a path that leads up"),
    "same name": (".zip", two(NAME, NAME), "two members have the same name"),
    "same path": (".zip", two(NAME, b"./" + NAME), "two members have the same name"),
    "tar same name": (".tar", tarred({"a": DATA, "./a": DATA}), "two members have the same name"),
    "file and folder": (".zip", two(b"a", b"a/b"), "the name of a folder"),
    "folder and file": (".zip", two(b"a/b", b"a"), "the same name"),
    "link in zip": (".zip", zip_of(mode=0o120777), "a link or a device"),
    "device in zip": (".zip", zip_of(mode=0o020666), "a link or a device"),
    "symbolic link": (".tar", tar_of(tarfile.SYMTYPE, "x", "/etc/passwd"), "no file"),
    "hard link": (".tar", tar_of(tarfile.LNKTYPE, "x", "0001.dcm"), "no file"),
    "FIFO": (".tar", tar_of(tarfile.FIFOTYPE), "no file"),
    "device": (".tar", tar_of(tarfile.CHRTYPE), "no file"),
    "other type": (".tar", tar_of(b"V"), "no file"),
    "sparse": (".tar", sparse(), "a sparse member"),
    "encrypted": (".zip", zip_of(flags=1), "encrypted"),
    "strongly encrypted": (".zip", zip_of(flags=0x41), "encrypted"),
    "other method": (".zip", zip_of(method=12), "otherwise than by deflate"),
    "several disks": (".zip", ended(local(NAME, DATA), central(NAME, DATA, 0), 1, disk=1), "in several files"),
    "counts": (".zip", ended(local(NAME, DATA), central(NAME, DATA, 0), 1, total=2), "in several files"),
    "one less": (".zip", ended(local(NAME, DATA), central(NAME, DATA, 0), 2), "another number of members"),
    "overlap": (".zip", overlapping(), "members that overlap"),
    "twice": (".zip", ended(local(NAME, DATA), central(NAME, DATA, 0) * 2, 2), "the same name"),
    "local name": (".zip", zip_of(NAME, other=b"0002.dcm"), "contradicts the directory"),
    "local method": (".zip", with_byte(zipped({"a": DATA}), 8, 0), "contradicts the directory"),
    "local size": (".zip", with_byte(zip_of(), 18, 1), "contradicts the directory"),
    "local checksum": (".zip", with_byte(zip_of(), 14, 1), "contradicts the directory"),
    "not there": (".zip", with_byte(zip_of(), 0, 0), "not where the directory says"),
    "checksum": (".zip", corrupt(zip_of()), "checksum"),
    "checksum, deflated": (".zip", with_byte(with_byte(DESCRIBED, 14, 1), ROW + 16, 1), "checksum"),
    "two sizes": (".zip", zip_of(size=7), "two sizes"),
    "too small": (".zip", with_byte(with_byte(DESCRIBED, 22, 1), ROW + 24, 1), "another size"),
    "behind the deflated": (
        ".zip",
        ended(
            struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 33, zlib.crc32(b""), 7, 0, 1, 0) + b"a\3\0hide!",
            struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 33, 0, 7, 0, 1, 0, 0, 0, 0, 0, 0) + b"a", 1,
        ),
        "bytes behind the deflated",
    ),
    "cut zip": (".zip", zipped({"0001.dcm": DATA})[:-30], "can't be read"),
    "no zip": (".zip", b"PK\3\4" + bytes(100), "can't be read"),
    "cut tar": (".tar", tarred({"0001.dcm": DATA, "0002.dcm": DATA})[:2048], "cut off"),
    "cut in a member": (".tar", tarred({"0001.dcm": DATA})[:1000], "cut off"),
    "no end": (".tar", tarred({"0001.dcm": DATA})[: 512 + -(-len(DATA) // 512) * 512], "cut off"),
    "broken header": (".tar", broken_header(), "a broken header"),
    "negative": (".tar", negative(), "negative size"),
    "endless headers": (".tar", headers_inside_each_other(), "a broken header"),
    "cut gzip": (".tar.gz", gzipped(tarred({"0001.dcm": DATA}))[:-9], "cut off"),
    "gzip checksum": (".tar.gz", gzipped(tarred({"0001.dcm": DATA}))[:-8] + bytes(8), "can't be unpacked"),
    "behind gzip": (".tar.gz", gzipped(tarred({"0001.dcm": DATA})) + b"more", "can't be unpacked"),
    "cut bzip2": (".tar.bz2", bz2.compress(tarred({"0001.dcm": DATA}))[:-9], "cut off"),
    "zip in a zip": (".zip", zipped({"0001.dcm": DATA, "a": zipped({"b": DATA})}), "an archive in an archive"),
    "gzip in a zip": (".zip", zipped({"0001.dcm": DATA, "a": gzip.compress(DATA)}), "an archive in an archive"),
    "tar in a tar": (".tar", tarred({"0001.dcm": DATA, "a": tarred({"b": DATA})}), "an archive in an archive"),
    "xz in a tar": (".tar", tarred({"0001.dcm": DATA, "a": b"\xfd7zXZ\0" + bytes(9)}), "an archive in an archive"),
    "broken member": (".zip", zipped({"0001.dcm": DATA, "0002.dcm": DATA[:-100]}), "at offset"),
    "broken member of gz": (".tgz", gzipped(tarred({"0001.dcm": DATA, "0002.dcm": DATA[:-100]})), "at offset"),
    "payload alone": (".zip", zipped(BF), "a .bf without its .dcm"),
    "payload is DICOM": (".zip", zipped({"0001.dcm": DATA, "0001.bf": DATA}), "DICOM of its own"),
}  # fmt: skip


@pytest.mark.parametrize("where", ["copies", "in place"])
@pytest.mark.parametrize("name", HAZARDS)
def test_hazards_are_refused(name: str, where: str, tmp_path: Path) -> None:
    ending, data, reason = HAZARDS[name]
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / f"{LAST}{ending}"
    path.write_bytes(data)
    (folder / "0001.dcm").write_bytes(dicom())
    out = {"to": tmp_path / "out"} if where == "copies" else {"in_place": True}
    report = fastanon.anonymize(folder, **out)  # type: ignore[arg-type]
    assert report.exit_status == 4
    first, *rest = [f for f in report.files if f.status == "refused"]
    assert Path(first.source).name == f"<name1>{ending}"
    assert report.count("anonymized") == 1, "the others are done"
    assert reason in str([f.messages for f in (first, *rest)])
    assert path.read_bytes() == data
    assert sorted(p.name for p in folder.iterdir()) == ["0001.dcm", path.name]
    if where == "copies":
        assert [p.name for p in (tmp_path / "out").iterdir()] == ["0001.dcm"]
    assert not (tmp_path / "0001.dcm").exists()
    assert leaks_in(report.to_json()) == []


@pytest.mark.parametrize("name", HAZARDS)
def test_who_only_looks_is_told_too(name: str, tmp_path: Path) -> None:
    ending, data, reason = HAZARDS[name]
    path = tmp_path / f"a{ending}"
    path.write_bytes(data)
    if name != "payload is DICOM":  # of a payload nobody looks inside
        errors = [one for one in fastanon.plan(path) if isinstance(one, fastanon.FileError)]
        assert reason in str(errors[0])
        assert [str(found.error) for found in fastanon.inspect(path) if found.error] == [str(e) for e in errors]
        report = fastanon.audit(path, against=path)
        assert report.count("refused") >= 1
        assert report.exit_status in (3, 4)


HIDDEN = f"of {LAST}^FIRST".encode()


def commented() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        info = zipfile.ZipInfo("0001.dcm")
        info.comment = info.extra = struct.pack("<HH", 0x4C41, len(HIDDEN)) + HIDDEN
        archive.writestr(info, DATA)
        archive.comment = HIDDEN
    return data.getvalue()


def shifted(front: bytes) -> bytes:
    return front + zipped({"0001.dcm": DATA})


def with_gap(first: bool) -> bytes:
    """Give a zip from whose directory a member was struck off, the first or the last."""
    gone, body = local(b"gone.txt", HIDDEN), local(NAME, DATA)
    return ended(gone + body if first else body + gone, central(NAME, DATA, len(gone) if first else 0), 1)


def with_pax() -> bytes:
    def change(info: tarfile.TarInfo) -> None:
        info.pax_headers = {"comment": f"of {LAST}", "SCHILY.xattr.user.who": LAST}

    return tarred({"0001.dcm": DATA}, change)


def with_global_header() -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", pax_headers={"comment": f"of {LAST}"}) as archive:
        info = tarfile.TarInfo("0001.dcm")
        info.size = len(DATA)
        archive.addfile(info, io.BytesIO(DATA))
    return data.getvalue()


def streamed() -> bytes:
    """Give a zip as it is written to a pipe: sizes stand in descriptors behind the members."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

        def seek(self, *_: int) -> int:
            raise OSError

    data = Pipe()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0001.dcm", DATA)
        archive.writestr(zipfile.ZipInfo("folder/"), b"")
        archive.writestr("folder/0002.dcm", DATA)
    assert b"PK\7\10" in data.getvalue()
    return data.getvalue()


def zip64() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive, archive.open("0001.dcm", "w", force_zip64=True) as member:
        member.write(DATA)
    return data.getvalue()


GZIP_COMMENT = (
    b"\x1f\x8b\x08\x10" + bytes(6) + HIDDEN + b"\0" + gzip.compress(tarred({"0001.dcm": DATA}), mtime=0)[10:]
)

#: By name: ending, bytes, and what the report says was left out.
FINE = {
    "comments": (".zip", commented(), "a comment"),
    "a program in front": (".zip", shifted(b"MZ" + HIDDEN), "bytes in front of the archive"),
    "something behind": (".zip", zipped({"0001.dcm": DATA}) + HIDDEN, "bytes behind the archive"),
    "a deleted member": (".zip", with_gap(False), "bytes between the members"),
    "the first member deleted": (".zip", with_gap(True), "bytes in front of the archive"),
    "descriptors": (".zip", streamed(), ""),
    "zip64": (".zip", zip64(), ""),
    "without an ending": ("", zipped({"0001.dcm": DATA}), ""),
    "tar without an ending": ("", tarred({"0001.dcm": DATA}), ""),
    "gzip without an ending": ("", gzipped(tarred({"0001.dcm": DATA})), "gzip"),
    "PAX headers": (".tar", with_pax(), ""),
    "a global header": (".tar", with_global_header(), ""),
    "behind the end": (".tar", tarred({"0001.dcm": DATA}) + HIDDEN, "bytes behind the archive"),
    "behind the end, packed": (".tgz", gzipped(tarred({"0001.dcm": DATA}) + HIDDEN), "bytes behind the archive"),
    "a gzip name": (".tar.gz", gzipped(tarred({"0001.dcm": DATA}), f"{LAST}.tar"), "gzip"),
    "a gzip comment": (".tar.gz", GZIP_COMMENT, "gzip"),
    "two gzip members": (
        ".tar.gz", gzipped(tarred({"0001.dcm": DATA})[:1000]) + gzipped(tarred({"0001.dcm": DATA})[1000:]), "gzip",
    ),
    "UTF-8 that does not say so": (".zip", zip_of("Größe.dcm".encode()), ""),
}  # fmt: skip


@pytest.mark.parametrize("where", ["copies", "in place"])
@pytest.mark.parametrize("name", FINE)
def test_what_stands_around_the_members_does_not_pass(name: str, where: str, tmp_path: Path) -> None:
    ending, data, note = FINE[name]
    path = tmp_path / f"a{ending}"
    path.write_bytes(data)
    out = {"to": tmp_path / "out"} if where == "copies" else {"in_place": True}
    report = fastanon.anonymize(path, **out)  # type: ignore[arg-type]
    assert report.exit_status == 0
    assert (note or "()") in str(report.files[0].messages)
    written = tmp_path / "out" / path.name if where == "copies" else path
    found = read(written)
    assert [Path(name).suffix for name in found] == [".dcm"] * len(found)
    assert len(found) == (2 if name == "descriptors" else 1)
    for bytes_ in (unpacked(written.read_bytes()), *found.values()):
        assert Oracle((LAST, "hide")).found(bytes_) == []
    assert len(set(map(str, said(written)))) < 9


def test_a_preamble_that_looks_like_a_zip_is_dicom(tmp_path: Path) -> None:
    archive = zipped({"a.dcm": DATA})
    assert len(archive) > 128
    polyglot = b"PK\3\4".ljust(128, b"\0") + DATA[128:]
    (tmp_path / "a.dcm").write_bytes(polyglot)
    report = fastanon.anonymize(tmp_path / "a.dcm", to=tmp_path / "out")
    assert [f.status for f in report.files] == ["anonymized"]
    assert (tmp_path / "out" / "a.dcm").read_bytes()[:132] == bytes(128) + b"DICM"


NO_ARCHIVES = {
    "empty.zip": ended(b"", b"", 0),
    "report.docx": zipped({"[Content_Types].xml": b"<?xml version='1.0'?>", "word/document.xml": b"<?xml?>"}),
    "empty.tar": bytes(10240),
    "a.npz": zipped({"a.npy": b"\x93NUMPY"}),
    "a.nii.gz": gzip.compress(struct.pack("<i", 348).ljust(344, b"\0") + b"n+1\0"),
    "0001.dcm.gz": gzip.compress(DATA),
}


@pytest.mark.parametrize("name", NO_ARCHIVES)
def test_what_holds_no_medical_file_is_none(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(NO_ARCHIVES[name])
    report = fastanon.anonymize(tmp_path, to=tmp_path.parent / f"{tmp_path.name}-out")
    assert [(f.status, f.medical, f.members) for f in report.files] == [("refused", False, ())]
    assert "not DICOM but" in report.files[0].messages[0]


@pytest.mark.parametrize("ending", MAKERS)
def test_too_many_members(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"a{ending}").write_bytes(MAKERS[ending]({f"{n}.dcm": DATA for n in range(5)}))
    with limited(members=4):
        (found,) = fastanon.anonymize(tmp_path / f"a{ending}", to=tmp_path / "out").files
    assert "(limit members)" in found.messages[0]
    with limited(members=5):
        assert fastanon.anonymize(tmp_path / f"a{ending}", to=tmp_path / "out").exit_status == 0


@pytest.mark.parametrize("ending", [".zip", ".tar.gz", ".tar.bz2"])
def test_a_member_that_inflates_to_too_much(ending: str, tmp_path: Path) -> None:
    large = dicom(b"." * 20000)
    (tmp_path / f"a{ending}").write_bytes(MAKERS[ending]({"0001.dcm": large}))
    with limited(inflated=len(large) - 1):
        (first, second) = fastanon.anonymize(tmp_path / f"a{ending}", to=tmp_path / "out").files
    assert "unpack the archive (limit inflated)" in second.messages[0]
    assert (first.status, second.status) == ("refused", "refused")
    for ending in (".stored.zip", ".tar"):  # of these nothing is inflated
        (tmp_path / f"a{ending}").write_bytes(MAKERS[ending]({"0001.dcm": large}))
        with limited(inflated=len(large) - 1):
            assert fastanon.anonymize(tmp_path / f"a{ending}", to=tmp_path / "out").exit_status == 0


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_a_bomb_is_met_at_its_ratio(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastanon.inflating.FLOOR", 1 << 20)
    (tmp_path / f"a{ending}").write_bytes(MAKERS[ending]({"0001.dcm": DATA, "0002.dcm": bytes(1 << 26)}))
    report = fastanon.anonymize(tmp_path / f"a{ending}", to=tmp_path / "out")
    assert "(limit ratio)" in report.files[1].messages[0]
    assert not (tmp_path / "out").exists()


def test_a_directory_that_claims_too_much_is_not_read(tmp_path: Path) -> None:
    rows = b"".join(central(b"%d" % n, DATA, 0) for n in range(200))
    (tmp_path / "a.zip").write_bytes(ended(local(b"0", DATA), rows, 200))
    with limited(members=1):
        (found,) = fastanon.anonymize(tmp_path / "a.zip", to=tmp_path / "out").files
    assert found.status == "refused"
    assert "(limit members)" in found.messages[0] or "asks for a read" in found.messages[0]
