"""Other people's validators find no error in a copy that they did not find in its original."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

import fastanon
from fastanon.beside import is_record
from tests.corpus import TALLY, Sample, corpus_folder, samples
from tests.siemens_files import read, save
from tests.validators import PROGRAMS, Program, distinct, errors, errors_of_input, normalised, require

#: Errors that a copy may have and its original has not: patterns of profile and file, of the error, and why.
ALLOWED: tuple[tuple[str, str, str], ...] = (
    (
        "basic .*",
        r"/PresentationCreation(Date|Time)\(0070,008[23]\)> - Missing attribute",
        "Table E.1-1 says X, with no choice, and presentation states need them",
    ),
    (
        "(petmr|basic) .*/nested_priv_SQ.dcm",
        r"/PixelData\(7fe0,0010\)> - PixelData has incorrect value length",
        "dciodvfy stops in the original's private elements; without them it gets as far as the pixels",
    ),
)

_KEY = bytes(range(32))  # the same pseudonyms in every session
_FEWEST, _FEWEST_WITH_CORPUS = 150, 300


def cases(step: int, *profiles: str, more: str = "(?!)") -> list[object]:
    """Give every so many-th file under each profile, and those of a name."""
    chosen = [s for n, s in enumerate(distinct()) if n % step == 0 or re.search(more, s.name)]
    return [pytest.param(profile, s, id=f"{profile}-{s.name}") for profile in profiles for s in chosen]


def new_errors(case: str, before: dict[str, Counter[str]], after: dict[str, Counter[str]]) -> list[str]:
    """Give what each program says of the copy more often than of the original, but for what is allowed."""
    patterns = [pattern for where, pattern, _ in ALLOWED if re.fullmatch(where, case)]
    found = [f"{name}: {line}" for name in after for line in after[name] - before[name]]
    return [line for line in found if not any(re.search(pattern, line) for pattern in patterns)]


def present() -> tuple[Program, ...]:
    """Give the programs that are here; without any there is nothing to ask."""
    found = tuple(program for program in PROGRAMS if not program.missing)
    if not found:
        require(PROGRAMS[0])
    return found


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_it_is_there(program: Program) -> None:
    require(program)


_CASES = [
    *cases(1, "petmr"),
    *cases(2, "basic"),
    *cases(6, "niftypet", more="XA60"),  # scanned on the birth date
]


@pytest.mark.parametrize(("profile", "sample"), _CASES)
def test_no_new_errors(profile: str, sample: Sample, tmp_path: Path) -> None:
    programs = present()
    (result,) = fastanon.anonymize(sample.path, to=tmp_path / "out", profile=profile, key=_KEY).files
    if result.status == "refused":
        assert not any(path.is_file() for path in tmp_path.rglob("*"))
        return
    (copy,) = (path for path in tmp_path.rglob("*") if path.is_file() and not is_record(path.name))
    after = errors(programs, copy)
    found = new_errors(f"{profile} {sample.name}", errors_of_input(programs, sample.path), after)
    assert not found, "\n".join(found)
    for name in after:
        TALLY.notes[f"copies under {profile} that {name} has read"] += 1


def test_enough_was_compared() -> None:
    """Run behind the others: files that were refused have compared nothing."""
    expected = _FEWEST_WITH_CORPUS if corpus_folder() else _FEWEST
    assert all(TALLY.notes[f"copies under petmr that {p.name} has read"] >= expected for p in present())


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_damage_is_found(program: Program, tmp_path: Path) -> None:
    require(program)
    whole = next(sample.path for sample in samples() if sample.name == "test_files/MR_small.dcm")
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(whole.read_bytes()[:1000])
    before = errors_of_input((program,), whole)
    assert new_errors("", before, errors((program,), cut)) != []
    assert new_errors("", before, errors((program,), whole)) == []


def test_a_missing_attribute_and_a_wrong_value_are_found(tmp_path: Path) -> None:
    dciodvfy = PROGRAMS[0]
    require(dciodvfy)
    path = next(sample.path for sample in samples() if sample.name == "test_files/MR_small.dcm")
    ds = read(path)
    del ds.PatientName
    ds.StudyDate = "20x4"
    changed = save(tmp_path / "a.dcm", ds, ds.file_meta.TransferSyntaxUID)
    found = new_errors("", errors_of_input((dciodvfy,), path), errors((dciodvfy,), changed))
    assert any("/PatientName(0010,0010)> - Missing attribute for Type 2 Required" in line for line in found)
    assert any("/StudyDate(0008,0020)[]> - Value invalid for this VR [DA]" in line for line in found)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "Error - </ASequence(0008,1111)[12]/BUID(0008,1155)[1]> - Not listed but have UID  = <1.2.3>",
            "Error - </ASequence(0008,1111)[]/BUID(0008,1155)[]> - Not listed but have UID  = <>",
        ),
        (
            "Error - </ADate(0008,0020)[1]> - Value invalid [DA] = <a> b> - Character invalid = '>' (0x3e)",
            "Error - </ADate(0008,0020)[]> - Value invalid [DA] = <> - Character invalid = ''",
        ),
        (
            "Error - </A(0008,0020)> - Missing attribute for Type 1C Conditional - Module=<General1>",
            "Error - </A(0008,0020)> - Missing attribute for Type 1C Conditional - Module=<General1>",
        ),
        (
            "E: DcmElement: PixelData (7fe0,0010) larger (8192) than remaining bytes at 12 in file",
            "E: DcmElement: PixelData (7fe0,0010) larger () than remaining bytes at N in file",
        ),
    ],
)
def test_lines_without_values(line: str, expected: str) -> None:
    assert normalised(line) == expected
