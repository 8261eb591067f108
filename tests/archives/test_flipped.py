"""Archives with bytes that were flipped, cut out and put in: refused or done, never half done or unforeseen."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

import fastanon
from tests.archives.making import MAKERS, dicom, read

ROUNDS = 1000 if os.environ.get("FASTANON_THOROUGH") else 40
FILES = {"a/0001.dcm": dicom(b"1"), "a/0002.dcm": dicom(b"2"), "notes": b"no image"}


def harmed(data: bytes, chance: random.Random) -> bytes:
    """Change a few places, more often near the end, where the directory of a zip stands."""
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = max(
            0, len(found) - 1 - chance.randrange(min(len(found), 400 if chance.random() < 0.5 else len(found)))
        )
        how = chance.randrange(4)
        if how < 2:
            found[at] ^= 1 << chance.randrange(8)
        elif how == 2:
            del found[at : at + chance.randrange(1, 64)]
        else:
            found[at:at] = chance.randbytes(chance.randrange(1, 64))
    return bytes(found) or b"\0"


@pytest.mark.parametrize("ending", MAKERS)
def test_whatever_was_flipped(ending: str, tmp_path: Path) -> None:
    seed = int(os.environ.get("FASTANON_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"FASTANON_SEED={seed}")
    chance, whole = random.Random(seed), MAKERS[ending](FILES)
    done = 0
    for number in range(ROUNDS):
        path, out = tmp_path / f"{number}{ending}", tmp_path / f"out{number}"
        path.write_bytes(data := harmed(whole, chance))
        report = fastanon.anonymize(path, to=out)
        assert "internal error" not in report.to_json(), number
        assert path.read_bytes() == data
        fastanon.plan(path)
        first, *members = report.files
        if first.status == "refused":
            assert not out.exists()
        else:
            done += 1
            assert list(read(out / path.name)) == [f.output.split(f"{ending}/", 1)[1] for f in members if f.output]
    assert done < ROUNDS


def test_a_zip_is_done_whole_or_not_at_all(tmp_path: Path) -> None:
    """Every single bit of a zip: what is done has the content that was put in, for its checksums say so."""
    whole = MAKERS[".stored.zip"]({"0001.dcm": FILES["a/0001.dcm"]})
    at = whole.index(b"PK\1\2")
    key = bytes(range(32))
    (tmp_path / "a.zip").write_bytes(whole)
    fastanon.anonymize(tmp_path / "a.zip", to=tmp_path / "out", key=key)
    (good,) = read(tmp_path / "out" / "a.zip").values()
    places = range(0, at, 1 if ROUNDS > 100 else 29)
    for place in places:
        path = tmp_path / "in.zip"
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        out = tmp_path / f"out{place}"
        if fastanon.anonymize(path, to=out, key=key).files[0].status != "refused":
            assert list(read(out / "in.zip").values()) == [good], place
