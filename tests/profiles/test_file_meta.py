"""What stands around a dataset: preamble, group 0002, bytes behind it (PS3.10 7.1)."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.profiles import study
from tests.profiles.values import LAST

TITLES = {
    "SourceApplicationEntityTitle": "WARD9_CT",
    "SendingApplicationEntityTitle": "WARD9_SEND",
    "ReceivingApplicationEntityTitle": "WARD9_RECV",
    "SourcePresentationAddress": "ward9.example:104",
    "SendingPresentationAddress": "ward9.example:105",
    "ReceivingPresentationAddress": "ward9.example:106",
}


def group_length_is_right(data: bytes) -> bool:
    """Say whether (0002,0000) leads to the first element of another group."""
    (length,) = struct.unpack_from("<I", data, 140)
    (group,) = struct.unpack_from("<H", data, 144 + length)
    return group == 8


@pytest.mark.parametrize("profile", ["basic", "petmr"])
def test_titles_addresses_and_private_information_go(profile: str, tmp_path: Path) -> None:
    path = study.write(
        tmp_path / "a.dcm", study.patient(), **TITLES, PrivateInformationCreatorUID="1.2.3.4.5",
        PrivateInformation=f"of {LAST} ".encode(),
    )  # fmt: skip
    result, target = study.run(path, profile=profile)
    meta, data = study.read(target).file_meta, target.read_bytes()
    assert result.status == "anonymized"
    assert not [name for name in TITLES if name in meta]
    assert "PrivateInformationCreatorUID" not in meta
    assert "PrivateInformation" not in meta
    assert b"ward9" not in data.lower()
    assert group_length_is_right(data)
    assert meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"


@pytest.mark.parametrize("uid", [study.INSTANCE, "1.2.3", f"1.2.840.{'9' * 55}", "2.25.7"])
def test_the_instance_has_one_uid(uid: str, tmp_path: Path) -> None:
    new = study.of(study.patient(SOPInstanceUID=uid), tmp_path)
    assert new.file_meta.MediaStorageSOPInstanceUID == new.SOPInstanceUID != uid
    assert new.SOPInstanceUID.is_valid
    assert new.file_meta.MediaStorageSOPClassUID == new.SOPClassUID == study.CLASS


def test_the_option_keeps_it(tmp_path: Path) -> None:
    new = study.of(study.patient(), tmp_path, ["retain-uids"])
    assert new.file_meta.MediaStorageSOPInstanceUID == new.SOPInstanceUID == study.INSTANCE


@pytest.mark.parametrize("preamble", [b"II*\0" + LAST.encode() + bytes(112), b"\xff" * 128, b"x" * 128])
def test_the_preamble_is_cleared(preamble: bytes, tmp_path: Path) -> None:
    ds = study.patient()
    ds.preamble = preamble[:128]
    _, target = study.run(study.write(tmp_path / "a.dcm", ds))
    assert target.read_bytes()[:132] == bytes(128) + b"DICM"


@pytest.mark.parametrize("count", [1, 2, 8, 512])
def test_zeros_behind_the_dataset_pass(count: int, tmp_path: Path) -> None:
    path = study.write(tmp_path / "a.dcm", study.patient())
    path.write_bytes(path.read_bytes() + bytes(count))
    result, target = study.run(path)
    assert result.status == "anonymized"
    assert LAST.encode() not in target.read_bytes()


@pytest.mark.parametrize("tail", [b"\1", f"heap of {LAST}".encode(), bytes(512) + b"x", b"DICM" * 8])
def test_anything_else_behind_it_is_refused(tail: bytes, tmp_path: Path) -> None:
    path = study.write(tmp_path / "a.dcm", study.patient())
    path.write_bytes(path.read_bytes() + tail)
    before = path.read_bytes()
    result, target = study.run(path)
    assert result.status == "refused"
    assert not target.exists()
    assert path.read_bytes() == before


def test_group_0000_does_not_come_through(tmp_path: Path) -> None:
    path = study.write(tmp_path / "a.dcm", study.patient())
    data, uid = path.read_bytes(), b"1.2.3.4.5.6.7.88"
    end = 144 + struct.unpack_from("<I", data, 140)[0]
    for element in (0x1000, 0x1001):  # Affected and Requested SOP Instance UID
        command = struct.pack("<2H2sH", 0, element, b"UI", len(uid)) + uid
        path.write_bytes(data[:end] + command + data[end:])
        result, target = study.run(path)
        assert result.status == "refused" or uid not in target.read_bytes()
