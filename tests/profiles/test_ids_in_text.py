"""LOIDs and other IDs of Siemens' databases in protocol text: at equal length, and as UIDs where they are such."""

from __future__ import annotations

import re
from pathlib import Path

import pydicom
import pytest

import fastanon
from tests.siemens_files import Study, dataset, even, save, sv10

SHAPED = "1.3.12.2.1107.5.2.38.51011.30000017032708151123400000012"
PLAIN = "6_0_66327775_20210622_151635_650"


@pytest.mark.parametrize("key", ["StudyLOID", "ExamMemoryUID"])
@pytest.mark.parametrize("old", [SHAPED, PLAIN])
def test_an_id_is_replaced_at_equal_length(key: str, old: str, tmp_path: Path) -> None:
    text = f'<XProtocol> {{ <ParamString."{key}"> {{ "{old}" }} <ParamString."Other"> {{ "kept" }} }}'.encode()
    whole = dataset(Study("OKONKWO^CHIDINMA"))
    whole[0x0029, 0x1020].value = even(sv10((("MrPhoenixProtocol", "UN", [text]),)))
    whole.StudyInstanceUID = SHAPED
    fastanon.anonymize(save(tmp_path / "a.dcm", whole), in_place=True, profile="petmr").raise_for_leaks()
    new = pydicom.dcmread(tmp_path / "a.dcm")
    found = re.search(rb'<ParamString."%s"> { "([^"]*)" }' % key.encode(), new[0x0029, 0x1020].value)
    assert found is not None
    said = found[1].decode()
    assert len(said) == len(old)
    assert said != old
    assert "20170327" not in said
    assert "20210622" not in said
    if old == SHAPED:  # a UID wherever it stands: the same as in the element
        assert said == new.StudyInstanceUID
    assert b'<ParamString."Other"> { "kept" }' in new[0x0029, 0x1020].value
