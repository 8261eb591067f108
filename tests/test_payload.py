"""Needles in payloads: chance is counted, what is no chance is patched or reported, and samples are left alone."""

from __future__ import annotations

import hashlib
import random
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastanon.chance import expected_hits, histogram
from fastanon.errors import DONE, LEFT
from fastanon.identity import Needle
from fastanon.synthetic import Person, make_listmode, make_listmode_pair
from fastanon.synthetic.raw import make_norm_pair
from tests.niftypet import anonymize
from tests.siemens_files import Study, dataset, read, save

NAME = "THISTLEWOOD^JO"  # 11 letters, and 2
BYTES = 1 << 20


@pytest.fixture(params=["small", "large"], autouse=True)
def _each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files pass for large ones too, whose payload is searched while it is copied."""
    if request.param == "large":
        monkeypatch.setattr("fastanon.opened.SMALL", 64)
        monkeypatch.setattr("fastanon.underway.LARGE", 1)


def payload_of(path: Path) -> bytes:
    """Give the list-mode words, which are the end of the file."""
    return path.read_bytes()[-BYTES:]


def listmode(path: Path, planted: bytes, at: int = 400_000) -> Path:
    """Write a list-mode file with something in its words."""
    make_listmode(path, BYTES, Person(name=NAME))
    data = bytearray(path.read_bytes())
    start = len(data) - BYTES + at
    data[start : start + len(planted)] = planted
    path.write_bytes(data)
    return path


def entry(report: Any, kind: str) -> dict[str, Any]:
    """Give the payload of the report that is of a kind."""
    (file,) = report.as_dict()["files"]
    (found,) = [one for one in file["audit"]["payloads"] if one["what"] == kind]
    return found


@pytest.mark.parametrize("to", [False, True])
@pytest.mark.parametrize("spelled", ["THISTLEWOOD", "Thistlewood, Jo", "thistlewood_jo"])
def test_a_name_that_is_no_chance_is_patched(spelled: str, to: bool, tmp_path: Path) -> None:
    path = listmode(tmp_path / "a.IMA", b"\0" + spelled.encode() + b"\0")
    before = payload_of(path)
    report = anonymize(path, to=tmp_path / "out") if to else anonymize(path, in_place=True)
    after = payload_of(tmp_path / "out" / "a.IMA" if to else path)
    assert report.exit_status == DONE
    assert b"thistlewood" not in after.lower()
    changed = [at for at, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    assert set(changed) <= set(range(400_001, 400_001 + len(spelled)))
    found = entry(report, "list-mode")
    assert found["done"] == "patched"
    assert found["bytes"] == BYTES
    assert found["patched_at"] == [found["offset"] + 400_001]
    assert found["sha256_before"] == hashlib.sha256(before).hexdigest()
    assert found["sha256_after"] == hashlib.sha256(after).hexdigest()
    assert "THISTLEWOOD" not in report.to_json().upper()


@pytest.mark.parametrize("to", [False, True])
def test_it_may_be_reported_only(to: bool, tmp_path: Path) -> None:
    path = listmode(tmp_path / "a.IMA", b"\0THISTLEWOOD\0")
    before = payload_of(path)
    where: dict[str, Any] = {"to": tmp_path / "out"} if to else {"in_place": True}
    report = anonymize(path, payload="report", **where)
    written = tmp_path / "out" / "a.IMA" if to else path
    assert report.exit_status == LEFT
    assert payload_of(written) == before
    (leak,) = report.as_dict()["files"][0]["audit"]["leaks"]
    size = written.stat().st_size
    assert leak == {"offset": size - BYTES + 400_001, "where": "list-mode", "kind": "name"}
    assert entry(report, "list-mode")["done"] == "left"


@pytest.mark.parametrize("planted", [b"qTHISTLEWOOD\0", b"\0THISTLEWOODq", b"\0THISTLE\0", b"\xffTHISTLEWOOD\0"])
def test_undelimited_or_in_part_it_is_counted(planted: bytes, tmp_path: Path) -> None:
    path = listmode(tmp_path / "a.IMA", planted)
    before = payload_of(path)
    report = anonymize(path, in_place=True)
    assert report.exit_status == DONE
    assert payload_of(path) == before
    assert entry(report, "list-mode")["done"] == ("counted" if b"WOOD" in planted else "nothing")


def test_a_name_of_seven_letters_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.IMA"
    make_listmode(path, BYTES, Person(name="JOHNSON^AL"))
    path.write_bytes(path.read_bytes()[:-20] + b"\0\0\0JOHNSON\0\0\0\0\0\0\0\0\0\0")
    before = payload_of(path)
    report = anonymize(path, in_place=True)
    assert (report.exit_status, payload_of(path)) == (DONE, before)
    assert entry(report, "list-mode")["hits"] == {"name": 1}


@pytest.mark.parametrize("audit", ["text", "none"])
def test_without_the_full_audit_payload_is_not_looked_at(audit: str, tmp_path: Path) -> None:
    path = listmode(tmp_path / "a.IMA", b"\0THISTLEWOOD\0")
    before = payload_of(path)
    report = anonymize(path, in_place=True, audit=audit)
    assert (report.exit_status, payload_of(path)) == (DONE, before)
    assert report.as_dict()["files"][0]["audit"]["not_scanned"] == [{"what": "payload", "bytes": BYTES}]


@pytest.mark.parametrize("name", ["DIAZ^EVA", "LEE^ANN"])
def test_pixels_that_are_letters_stay(name: str, tmp_path: Path) -> None:
    """Values of 16 bits under 128 are letters in UTF-16: a family name stands there again and again."""
    ds = dataset(Study(name))
    family = name.partition("^")[0]
    pixels = np.frombuffer(f"{family} ".encode("utf-16-le") * 50, np.uint16)
    ds.PixelData = np.resize(pixels, 256).tobytes()
    path = save(tmp_path / "a.dcm", ds)
    before = read(path).PixelData
    report = anonymize(path, in_place=True)
    assert report.exit_status == DONE
    assert read(path).PixelData == before
    found = entry(report, "pixels")
    assert found["done"] == "counted"
    assert found["hits"]["name"] >= 256 // (len(family) + 1) - 1


def test_a_norm_is_samples_too(tmp_path: Path) -> None:
    header, data = make_norm_pair(tmp_path / "n.dcm", Person(name=NAME))
    data.write_bytes(b"\0THISTLEWOOD\0" + data.read_bytes()[13:])
    before = data.read_bytes()
    report = anonymize(header, in_place=True)
    assert (report.exit_status, data.read_bytes()) == (DONE, before)
    assert entry(report, "norm")["hits"] == {"name": 1}


@pytest.mark.parametrize("to", [False, True])
def test_a_bf_is_searched_and_never_edited(to: bool, tmp_path: Path) -> None:
    header, data = make_listmode_pair(tmp_path / "a.dcm", BYTES, Person(name=NAME))
    data.write_bytes(b"\0THISTLEWOOD\0" + data.read_bytes()[13:])
    before = data.read_bytes()
    report = anonymize(header, to=tmp_path / "out") if to else anonymize(header, in_place=True)
    written = tmp_path / "out" / "a.bf" if to else data
    assert (report.exit_status, written.read_bytes(), data.read_bytes()) == (LEFT, before, before)
    (file,) = report.as_dict()["files"]
    assert file["audit"]["leaks"] == [{"offset": 1, "where": "list-mode", "kind": "name"}]


# ------------------------------------------------------------------------------------------------ chance


def _needle(text: bytes) -> Needle:
    return Needle(text, True, True, "latin-1", "name", "")


@pytest.mark.parametrize("compiled", [False, True])
def test_counts_are_those_of_numpy(compiled: bool) -> None:
    data = random.Random(3).randbytes(100_003)
    counts = histogram([data[:50_000], data[50_000:]], compiled)
    wanted = [np.bincount(np.frombuffer(data, np.uint8)[place::4], minlength=256).tolist() for place in range(4)]
    assert counts == wanted


@pytest.mark.parametrize("letters", [b"lee", b"tim", b"diaz", b"kim9"])
def test_in_random_bytes_there_are_as_many_as_expected(letters: bytes) -> None:
    """A GiB of random bytes, counted with `bytes.count`: within 5 sigma of chance (Poisson)."""
    rng, found, expected = np.random.default_rng(7), 0, 0.0
    for _ in range(16):
        block = rng.bytes(64 << 20)
        counts = histogram([block[: 4 << 20]], compiled=True)
        expected += expected_hits([_needle(letters)], counts, len(block))[0]
        found += block.lower().count(letters)
    assert expected > 1
    assert abs(found - expected) < 5 * expected**0.5


def test_in_words_of_four_a_place_counts() -> None:
    """A byte that always has the same place in a word makes a name likelier than it looks, or impossible."""
    words = np.full(1 << 18, 0x45454C20, np.uint32)  # the letters of " LEE"
    counts = histogram([words.tobytes()], compiled=False)
    lee, eel = expected_hits([_needle(b"lee"), _needle(b"eel")], counts, words.nbytes)
    assert (round(lee), round(eel)) == (1 << 18, 0)


@pytest.mark.parametrize("audit", ["text", "full"])
def test_a_large_payload_is_never_in_memory(audit: str, tmp_path: Path) -> None:
    """A hole of 256 MiB: neither its bytes nor a copy of them are held, whatever looks for text beside it."""
    path = make_listmode(tmp_path / "a.IMA", 256 << 20, Person(name=NAME), sparse=True)
    anonymize(make_listmode(tmp_path / "b.IMA", 64 << 20, sparse=True), in_place=True)  # loads what is needed
    tracemalloc.start()
    report = anonymize(path, in_place=True, audit=audit)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.exit_status == DONE
    assert report.files[0].audit is not None
    assert report.files[0].audit.payload == (256 << 20 if audit == "text" else 0)
    assert peak < 48 << 20
    assert path.stat().st_blocks * 512 < 8 << 20
