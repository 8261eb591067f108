"""What a dataset says of its own de-identification: all that holds, and nothing else (PS3.15 E.1.1)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

import fastanon
from tests.profiles import study
from tests.profiles.table import OPTIONS
from tests.profiles.values import LAST

MEANINGS = {
    "113100": "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113103": "Clean Graphics Option",
    "113104": "Clean Structured Content Option",
    "113105": "Clean Descriptors Option",
    "113106": "Retain Longitudinal Temporal Information Full Dates Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
    "113109": "Retain Device Identity Option",
    "113110": "Retain UIDs Option",
    "113111": "Retain Safe Private Option",
    "113112": "Retain Institution Identity Option",
}
CODES = dict(zip(OPTIONS, [
    "113101", "113103", "113104", "113105", "113106", "113107", "113108", "113109", "113110", "113111", "113112",
], strict=True))  # fmt: skip
PATTERN = re.compile(r"fastanon \S+ (\S+) ([0-9a-f]{8,})")
ALL = ("PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
       "LongitudinalTemporalInformationModified")  # fmt: skip


def codes(ds: Dataset) -> set[str]:
    """Give the codes, each checked for its scheme and meaning."""
    items = ds.DeidentificationMethodCodeSequence
    assert all((i.CodingSchemeDesignator, i.CodeMeaning) == ("DCM", MEANINGS[i.CodeValue]) for i in items)
    assert len(items) == len({i.CodeValue for i in items})
    return {i.CodeValue for i in items}


def methods(ds: Dataset) -> list[str]:
    value = ds.DeidentificationMethod
    return [value] if isinstance(value, str) else list(value)


@pytest.mark.parametrize("option", ["", *OPTIONS])
def test_the_basic_profile_names_itself_and_the_option(option: str, tmp_path: Path) -> None:
    new = study.of(study.image(BurnedInAnnotation="NO"), tmp_path, [option] if option else [])
    assert new.PatientIdentityRemoved == "YES"
    (said,) = (PATTERN.fullmatch(text) for text in methods(new))
    assert said
    assert said[1] == "basic" if not option else re.fullmatch("basic-[0-9a-f]{8}", said[1])
    assert codes(new) == {"113100", *([CODES[option]] if option else [])}


@pytest.mark.parametrize(
    ("options", "state"),
    [((), "REMOVED"), (("retain-full-dates",), "UNMODIFIED"), (("retain-modified-dates",), "MODIFIED")],
)
def test_what_became_of_dates(options: tuple[str, ...], state: str, tmp_path: Path) -> None:
    assert study.of(study.patient(), tmp_path, options).LongitudinalTemporalInformationModified == state


def test_all_options_together(tmp_path: Path) -> None:
    new = study.of(
        study.image(BurnedInAnnotation="NO"), tmp_path, [o for o in OPTIONS if o != "retain-full-dates"]
    )
    assert codes(new) == set(MEANINGS) - {"113106"}
    assert "113102" not in str(new)


@pytest.mark.parametrize("keyword", ["SeriesDescription", "ProtocolName", "ImageComments", "AdmissionID"])
@pytest.mark.parametrize("nested", [False, True], ids=["top", "item"])
def test_descriptors_are_not_claimed_while_text_is_left(keyword: str, nested: bool, tmp_path: Path) -> None:
    ds, words = study.patient(), study.item(**{keyword: "of my uncle"})
    if nested:
        setattr(ds, study.HOLDER, [words])
    else:
        ds.update(words)
    path = study.write(tmp_path / "a.dcm", ds)
    said = codes(study.cleaned(path, ["clean-descriptors"]))
    left = "of my uncle" in str(study.cleaned(path, ["clean-descriptors"]))
    assert ("113105" in said) is not left
    assert "113105" not in codes(study.cleaned(path))


def test_structured_content_is_not_claimed_while_it_is_left(tmp_path: Path) -> None:
    ds = study.patient(ContentSequence=[study.item(ValueType="TEXT", TextValue="of my uncle")])
    path = study.write(tmp_path / "a.dcm", ds)
    new = study.cleaned(path, ["clean-structured-content"])
    assert ("113104" in codes(new)) is ("of my uncle" not in str(new))
    assert codes(study.cleaned(path)) == {"113100"}


@pytest.mark.parametrize("where", ["overlay", "annotation"])
def test_graphics_are_not_claimed_while_their_text_is_left(where: str, tmp_path: Path) -> None:
    ds = study.patient()
    if where == "overlay":
        ds.add_new(0x60004000, "LT", "of my uncle")
    else:
        text = study.item(UnformattedTextValue="of my uncle")
        ds.GraphicAnnotationSequence = [study.item(TextObjectSequence=[text])]
    new = study.of(ds, tmp_path, ["clean-graphics", "clean-descriptors"])
    assert ("113103" in codes(new)) is ("of my uncle" not in str(new))


def test_another_programs_marks_stay_where_they_hold(tmp_path: Path) -> None:
    ds = study.patient(PatientIdentityRemoved="NO", DeidentificationMethod=["OTHER 1.0", "by hand"])
    claim = study.item(
        CodeValue="113102", CodingSchemeDesignator="DCM", CodeMeaning="Clean Recognizable Visual ..."
    )
    ds.DeidentificationMethodCodeSequence = [claim]
    new = study.of(ds, tmp_path)
    assert methods(new)[:-1] == ["OTHER 1.0", "by hand"]
    assert PATTERN.fullmatch(methods(new)[-1])
    assert new.PatientIdentityRemoved == "YES"
    assert codes(new) == {"113100"}


def test_a_long_method_of_another_program_is_still_valid(tmp_path: Path) -> None:
    new = study.of(study.patient(DeidentificationMethod=f"{LAST} did it " + "x" * 40), tmp_path)
    assert LAST not in str(new)
    assert all(len(text) <= 64 for text in methods(new))


def test_petmr_says_it_in_text_only(tmp_path: Path) -> None:
    new = study.of(study.patient(), tmp_path, profile="petmr")
    (text,) = methods(new)
    program, version, profile, fingerprint = text.split(" ")
    assert (program, version, profile) == ("fastanon", fastanon.__version__, "petmr")
    assert re.fullmatch("[0-9a-f]{8,}", fingerprint)
    assert "DeidentificationMethodCodeSequence" not in new
    assert new.LongitudinalTemporalInformationModified == "MODIFIED"


def test_the_fingerprint_is_that_of_the_key(tmp_path: Path) -> None:
    path = study.write(tmp_path / "a.dcm", study.patient())
    keys = [study.KEY, study.KEY, bytes(range(1, 33))]
    one, same, other = (methods(study.cleaned(path, profile="petmr", key=key)) for key in keys)
    assert one == same != other


def with_a_leak() -> Dataset:
    """Make raw data with the name in its payload, where it stays if that is what the user wants."""
    ds = study.patient(ImageType=["ORIGINAL", "PRIMARY", "PET_LISTMODE"])
    ds.add_new(0x00290010, "LO", "SIEMENS CSA NON-IMAGE")
    ds.add_new(0x00291008, "CS", "MRPETLM")
    ds.add_new(0x7FE10010, "LO", "SIEMENS CSA NON-IMAGE")
    ds.add_new(0x7FE11010, "OB", bytes(64) + LAST.encode() + bytes(4096 - 64 - len(LAST)))
    return ds


def test_nothing_is_claimed_while_something_is_left(tmp_path: Path) -> None:
    path = study.write(tmp_path / "a.dcm", with_a_leak())
    result, target = study.run(path, profile="petmr", payload="report")
    assert (result.status, result.leaks) == ("anonymized", 1)
    new = study.read(target)
    assert [name for name in ALL if name in new] == []
    report = fastanon.anonymize(path, in_place=True, profile="petmr", key=study.KEY, payload="report")
    assert [f.leaks for f in report.files] == [1]
    assert [name for name in ALL if name in study.read(path)] == []


def test_what_nothing_is_left_of_is_claimed(tmp_path: Path) -> None:
    path = study.write(tmp_path / "a.dcm", with_a_leak())
    assert "DeidentificationMethod" in study.cleaned(path, profile="petmr")


@pytest.mark.parametrize("profile", ["basic", "petmr"])
def test_own_output_is_known_and_stays_as_it_is(profile: str, tmp_path: Path) -> None:
    ds = study.patient(SeriesDescription="head", SeriesDate="20170328")
    _, first = study.run(study.write(tmp_path / "a.dcm", ds), profile=profile)
    again = tmp_path / "again" / "a.dcm"
    again.parent.mkdir()
    again.write_bytes(first.read_bytes())
    report = fastanon.anonymize(again, in_place=True, profile=profile, key=study.KEY)
    assert report.files[0].status == "unchanged"
    assert again.read_bytes() == first.read_bytes()


@pytest.mark.parametrize("name", ["own", "my own", "größe", "p" * 60, "a-b_c.d"])
def test_output_of_an_own_profile_is_known_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    profile = tmp_path / "profiles" / f"{name}.toml"
    profile.parent.mkdir()
    profile.write_text('extends = "petmr"\n[actions]\nStudyDescription = "X"\n', encoding="utf-8")
    path = study.write(tmp_path / "in" / "a.dcm", study.patient(StudyDescription="brain"))
    new = study.cleaned(path, profile=str(profile))
    assert all(len(text) <= 64 for text in methods(new))
    assert "StudyDescription" not in new
    for status in ("anonymized", "unchanged"):
        report = fastanon.anonymize(path, in_place=True, profile=profile, key=study.KEY)
        assert [f.status for f in report.files] == [status]
    other = fastanon.anonymize(path, in_place=True, profile=profile, key=bytes(range(1, 33)))
    assert [f.status for f in other.files] == ["anonymized"]
