"""What is attached to a dataset and tells more than it: old values, signatures, documents, padding."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from tests.profiles import study
from tests.profiles.table import OPTIONS
from tests.profiles.values import BIRTH, CANARIES, FIRST, LAST, NUMBER

MOST = [option for option in OPTIONS if option not in ("retain-full-dates", "clean-pixel-data")]
SIGNED = b"\x30\x82\x5a\xa5\x77\x13\x99\x0e"


def out(ds: Dataset, tmp_path: Path, options: list[str]) -> tuple[Dataset, bytes]:
    """Anonymize, and give the dataset and all bytes."""
    path = study.write(tmp_path / "a.dcm", ds)
    new = study.cleaned(path, options)
    return new, next(path.parent.glob("out*/a.dcm")).read_bytes()


def original() -> Dataset:
    """Make an item of Original Attributes."""
    old = study.item(PatientName=f"{LAST}^{FIRST}^OLD", PatientID=NUMBER, PatientBirthDate=BIRTH)
    return study.item(
        ModifiedAttributesSequence=[old], AttributeModificationDateTime="20170328101112",
        ModifyingSystem="COERCER", SourceOfPreviousValues="Ward 9", ReasonForTheAttributeModification="COERCE",
    )  # fmt: skip


def test_original_attributes_go(tmp_path: Path) -> None:
    ds = study.patient(OriginalAttributesSequence=[original(), original()])
    setattr(ds, study.HOLDER, [study.item(OriginalAttributesSequence=[original()])])
    new, data = out(ds, tmp_path, [])
    assert "OriginalAttributesSequence" not in new
    assert "OriginalAttributesSequence" not in getattr(new, study.HOLDER)[0]
    assert not any(c.encode() in data for c in CANARIES)


@pytest.mark.parametrize("options", [[], MOST], ids=["none", "most"])
def test_signatures_and_codes_over_other_objects_go(options: list[str], tmp_path: Path) -> None:
    signature = study.item(
        MACIDNumber=1, DigitalSignatureUID="1.2.3.4.5", DigitalSignatureDateTime="20170328101112.000000",
        CertificateType="X509_1993_SIG", CertificateOfSigner=SIGNED, Signature=SIGNED,
        CertifiedTimestampType="CMS_TSP", CertifiedTimestamp=SIGNED,
    )  # fmt: skip
    mac = study.item(MACIDNumber=1, MACAlgorithm="SHA256", MAC=SIGNED)
    ds = study.patient(DigitalSignaturesSequence=[signature], ReferencedSOPInstanceMACSequence=[mac], MAC=SIGNED)
    inner = study.item(DigitalSignaturesSequence=[signature])
    setattr(ds, study.HOLDER, [inner])
    new, data = out(ds, tmp_path, options)
    for place in (new, getattr(new, study.HOLDER)[0]):
        assert "DigitalSignaturesSequence" not in place  # any change makes it wrong
        assert "ReferencedSOPInstanceMACSequence" not in place
        assert "MAC" not in place
    assert SIGNED not in data


@pytest.mark.parametrize("options", [[], MOST], ids=["none", "most"])
def test_a_document_is_no_longer_the_old_one(options: list[str], tmp_path: Path) -> None:
    body = f"%PDF-1.7 report of {LAST}, {FIRST} %%EOF".encode()
    ds = study.patient(
        EncapsulatedDocument=body, MIMETypeOfEncapsulatedDocument="application/pdf", DocumentTitle=f"Report {LAST}"
    )
    new, data = out(ds, tmp_path, options)
    assert new.EncapsulatedDocument
    assert b"PDF" not in data
    assert b"report of" not in data
    assert not any(c.encode() in data for c in CANARIES)


def test_encrypted_attributes_do_not_come_through_readable(tmp_path: Path) -> None:
    sealed = study.item(EncryptedContentTransferSyntaxUID="1.2.840.10008.1.2.1", EncryptedContent=SIGNED)
    new, _ = out(study.patient(EncryptedAttributesSequence=[sealed]), tmp_path, [])
    assert new.PatientName != f"{LAST}^{FIRST}"


@pytest.mark.parametrize("options", [[], MOST], ids=["none", "most"])
def test_padding_behind_the_dataset_goes(options: list[str], tmp_path: Path) -> None:
    ds = study.patient()
    ds.add_new(0xFFFCFFFC, "OB", f"left over from {LAST}".encode())
    new, data = out(ds, tmp_path, options)
    assert 0xFFFCFFFC not in new
    assert b"left over" not in data


def test_photos_comments_and_other_numbers_of_the_patient_go(tmp_path: Path) -> None:
    ds = study.patient(
        PatientComments="walks", OtherPatientNames=f"{FIRST}^{LAST}", PatientTelephoneNumbers="030 12"
    )
    ds.OtherPatientIDs, ds.PatientAddress = ["ZK-4410-223", "ZK-4410-224"], "Elm Street 9"
    ds.OtherPatientIDsSequence = [study.item(PatientID="ZK-4410-225", TypeOfPatientID="TEXT")]
    ds.ReferencedPatientPhotoSequence = [study.item(ReferencedSOPInstanceUID="1.2.3.4.5.6.77")]
    new, data = out(ds, tmp_path, [])
    gone = "PatientComments OtherPatientNames PatientTelephoneNumbers OtherPatientIDs PatientAddress"
    assert not [name for name in gone.split() if name in new]
    assert "OtherPatientIDsSequence" not in new
    assert "ReferencedPatientPhotoSequence" not in new
    assert not any(text in data for text in (b"ZK-4410", b"Elm Street", b"030 12", b"1.2.3.4.5.6.77"))
