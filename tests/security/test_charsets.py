"""A file names its character set, and may name anything: Python has codecs by names that are no character set."""

from __future__ import annotations

from pathlib import Path

import pytest

import fastanon
from tests.builder import Leaf, part10

NAMES = [
    *"hex idna undefined unicode_escape punycode rot13 zlib utf-16 utf-7 mbcs xyz latin".split(),
    *"latin-1\0 a\0b \\a\0b \xff".split(),
    "\\ISO 2022 IR 87\0x",
    "ISO_IR 100\\hex",
    "ISO 2022 IR 6\\undefined",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "patient", [b"DOE^JANE", b"M\xfcLLER^J\xd6RG", b"\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", b"xn--\x80^\\u12"]
)
def test_a_name_goes_whatever_the_character_set_is_called(name: str, patient: bytes, tmp_path: Path) -> None:
    leaves = (
        Leaf(0x00080005, "CS", name.encode("latin-1")), Leaf(0x00100010, "PN", patient),
        Leaf(0x00104000, "LT", b"of " + patient),
    )  # fmt: skip
    path = tmp_path / "a.dcm"
    path.write_bytes(part10(leaves))
    result = fastanon.anonymize(path, in_place=True).files[0]
    assert not any("internal error" in message for message in result.messages)
    if result.status == "anonymized":
        assert patient not in path.read_bytes()
    else:
        assert result.status == "refused"
