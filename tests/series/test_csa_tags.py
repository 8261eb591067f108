"""Where the tags of CSA headers begin, beside nibabel, in plain Python and compiled."""

from __future__ import annotations

import itertools
import random
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from fastanon.fields import Space
from fastanon.siemens import csa, csa_tags_compiled
from fastanon.siemens.csa_tags import FIRST, tag_runs, tag_starts
from fastanon.siemens.protocol import is_protocol
from fastanon.synthetic import Person, make_slice
from tests.corpus import corpus_folder, dicom_files

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nibabel calls its DICOM readers experimental
    from nibabel.nicom import csareader

EACH = pytest.mark.parametrize("find", [tag_starts, csa_tags_compiled.tag_starts], ids=["plain", "compiled"])


def starts_of(find: Callable[[Any, int, int, Any], int], data: bytes, room: int = 1001) -> list[int] | None:
    starts = np.zeros(room, np.int64)
    count = find(b"####" + data + b"####", 4, 4 + len(data), starts)
    return [int(at) - 4 for at in starts[: count + 1]] if count else None


def headers(paths: list[Path]) -> list[bytes]:
    found = []
    for path in paths:
        try:
            ds = pydicom.dcmread(path, stop_before_pixels=True)
            values = [ds.get_item(tag).value for tag in sorted(ds.keys()) if tag.group == 0x29]
        except Exception:  # noqa: BLE001  # whatever pydicom can't read
            continue
        found += [value for value in values if isinstance(value, bytes) and value[:4] == b"SV10"]
    return found


@EACH
def test_names_and_counts_are_nibabels(find: Callable[[Any, int, int, Any], int], tmp_path: Path) -> None:
    found = headers([*dicom_files(), make_slice(tmp_path / "slice.dcm", Person(), 16, 16)])
    assert len(found) > (30 if corpus_folder() else 1)
    read = 0
    for data in found:
        try:
            tags = csareader.read(data)["tags"]
        except Exception:  # noqa: BLE001  # a header that nibabel can't read
            continue
        starts = starts_of(find, data)
        if starts is None:
            continue
        read += 1
        names = [data[at : at + 64].split(b"\0")[0].decode("latin-1") for at in starts[:-1]]
        assert set(names) == set(tags)
        assert starts[-1] == len(data)
        assert len(names) == struct.unpack_from("<I", data, 8)[0]
    assert read > len(found) * 0.9


@EACH
def test_what_contradicts_itself_is_not_cut(find: Callable[[Any, int, int, Any], int], tmp_path: Path) -> None:
    data = max(headers([make_slice(tmp_path / "slice.dcm", Person(), 16, 16)]), key=len)
    assert starts_of(find, data) is not None
    assert starts_of(find, data[:-5]) is None
    assert starts_of(find, data + bytes(5)) is None
    assert starts_of(find, b"SV11" + data[4:]) is None
    assert starts_of(find, data[:12] + b"\0" + data[13:]) is None
    assert starts_of(find, data, room=3) is None
    assert starts_of(find, data[:8] + b"\xff\xff\xff\xff" + data[12:]) is None


RUNS = pytest.mark.parametrize("find", [tag_runs, csa_tags_compiled.tag_runs], ids=["plain", "compiled"])
LETTERS = (
    sorted(csa.TEXT_VRS) + sorted(csa.NUMBER_VRS) + sorted(csa.BINARY_VRS) + [b"FD", b"US", b"CS", b"L", b"LOX"]
)


def runs_of(find: Callable[[Any, int, int, Any], int], tag: bytes, room: int = 999) -> list[list[int]] | None:
    runs = np.zeros(3 * room, np.int64)
    count = find(b"####" + tag + b"####", 4, 4 + len(tag), runs)
    found = runs[: 3 * count].reshape(-1, 3).tolist()
    return [[kind, start - 4, end - 4] for kind, start, end in found] if count >= 0 else None


def as_fields(tag: bytes) -> list[list[int]] | None:
    """Ask the reader of whole headers about a tag that is the only one."""
    header = struct.pack("<4s4sii", b"SV10", b"\4\3\2\1", 1, 77) + tag
    try:
        found = csa.fields(header, 0, Space(), ("",))
    except csa.BrokenCsaError:
        return None
    return [[int(f.key[-1] != "slack"), f.value[0] - FIRST, f.value[1] - FIRST] for f in found]


def tags_of(data: bytes) -> list[bytes]:
    starts = starts_of(tag_starts, data) or []
    return [data[a:b] for a, b in itertools.pairwise(starts)]


@RUNS
def test_runs_of_a_tag_are_the_fields_of_its_header(
    find: Callable[[Any, int, int, Any], int], tmp_path: Path
) -> None:
    found = headers([*dicom_files(), make_slice(tmp_path / "slice.dcm", Person(), 16, 16)])
    tags = [tag for data in found for tag in tags_of(data) if b"PatReinPattern" not in tag]
    tags = [tag for tag in tags if not is_protocol(tag)]  # of these the fields are those of the protocol
    texts = 0
    for tag in dict.fromkeys(tags):
        runs = runs_of(find, tag)
        assert runs == as_fields(tag)
        texts += sum(kind for kind, _, _ in runs or ())
    assert texts > 50


@RUNS
def test_runs_of_tags_made_by_dice(find: Callable[[Any, int, int, Any], int]) -> None:
    """Names, VRs, lengths and values of any kind, and lengths that lead nowhere."""
    dice = random.Random(0)
    broken = 0
    for _ in range(3000):
        name, vr = (dice.choice((b"Name\0", b"", b"\0" * 64, b"x" * 64)), dice.choice(LETTERS))
        items = []
        for _ in range(dice.randrange(4)):
            value = dice.choice(
                (b"1.5\0left", b"-2 e\0\0\0\0", b"text", b"", b"\0\0\0", b"\0x", b"7\0", b"\xff\xfe")
            )
            length = dice.choice((len(value),) * 9 + (len(value) + 5, 0xFFFFFFFF, 0x7FFFFFFF))
            items.append(struct.pack("<4I", length, length, 77, length) + value + b"pad"[: -len(value) % 4])
        count = dice.choice((len(items),) * 9 + (len(items) + 1, 0xFFFFFFFF))
        head = (name + dice.randbytes(64))[:64] + struct.pack("<i4siII", 1, (vr + b"\0??")[:4], 3, count, 77)
        tag = head + b"".join(items)
        runs = runs_of(find, tag)
        broken += runs is None
        expected = as_fields(tag)
        if count == 0xFFFFFFFF and items:  # as a header of its own it ends too early
            continue
        assert runs == expected, tag
    assert 300 < broken < 2000
    assert runs_of(find, head[:-1]) is None
    assert runs_of(find, tags_of_texts(5), room=4) is None


def tags_of_texts(count: int) -> bytes:
    item = struct.pack("<4I", 4, 4, 77, 4) + b"text"
    return b"Name".ljust(64, b"\0") + struct.pack("<i4siii", 1, b"LO\0\0", 3, count, 77) + item * count
