"""Where the tags of CSA headers begin, beside nibabel, in plain Python and compiled."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from fastanon.siemens import csa_tags_compiled
from fastanon.siemens.csa_tags import tag_starts
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
