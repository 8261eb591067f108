"""Profiles: the table against its source, options as sets, every typo with its line, honest codes."""

from __future__ import annotations

import argparse
import csv
import importlib.util
import itertools
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.sr.codedict import codes

import fastanon
from fastanon.cli import profile as command
from fastanon.errors import UsageError
from fastanon.profiles import ProfileError, load, names, table

ROOT = Path(fastanon.__file__).parent.parent
TABLES = Path(os.environ.get("FASTANON_TABLES", ROOT.parent / "shared" / "data"))
needs_tables = pytest.mark.skipif(not TABLES.is_dir(), reason="the tables of PS3.15 are not here: FASTANON_TABLES")

#: The option columns of the source by the options' names, written down here a second time.
COLUMNS = {
    "clean-graphics": "cleanGraphOpt",
    "clean-structured-content": "cleanStructContOpt",
    "clean-descriptors": "cleanDescOpt",
    "retain-full-dates": "rtnLongFullDatesOpt",
    "retain-modified-dates": "rtnLongModifDatesOpt",
    "retain-patient-characteristics": "rtnPatCharsOpt",
    "retain-device-identity": "rtnDevIdOpt",
    "retain-uids": "rtnUIDsOpt",
    "retain-safe-private": "rtnSafePrivOpt",
    "retain-institution-identity": "rtnInstIdOpt",
}
BOTH_DATES = {"retain-full-dates", "retain-modified-dates"}
PAIRS = [set(pair) for pair in itertools.combinations(table.OPTIONS, 2) if set(pair) != BOTH_DATES]
CHOICES = [set(), *({option} for option in table.OPTIONS), *PAIRS]

#: What each combined action must come to, for values and for sequences.
VALUES = {"X/Z": "Z", "X/D": "D", "Z/D": "D", "X/Z/D": "D"}
SEQUENCES = {"X/Z": "D", "X/D": "D", "X/Z/D": "D", "X/Z/U*": "U"}


def source_rows() -> list[dict[str, str]]:
    return json.loads((TABLES / "confidentiality_profile_attributes.json").read_text("utf-8"))


def merged_rows() -> list[dict[str, str]]:
    with open(TABLES / "E1-1_merged.csv", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def digits(tag: str) -> str:
    return "odd" if tag.endswith("ODD") else "".join(c for c in tag if c not in "(),").replace("X", "x")


def tag_of(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return tag


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str, name: str = "own.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


# --- the table and its source


@needs_tables
def test_every_row_of_the_source_is_in_the_table() -> None:
    rows = source_rows()
    assert len(rows) == 621
    for row in rows:
        found = table.attributes()[digits(row["tag"].upper())]
        assert found.basic == row["basicProfile"], row
        assert found.options == {name: row[key] for name, key in COLUMNS.items() if key in row}, row
        assert row["name"].startswith(found.name), row
        assert "\n" not in found.name


@needs_tables
def test_the_table_has_the_newer_rows_and_no_others() -> None:
    newer = {digits(row["tag"]): row for row in merged_rows() if row["basicProfile"].startswith("~")}
    known = {digits(row["tag"].upper()) for row in source_rows()}
    assert len(newer) == 34
    assert set(table.attributes()) == known | set(newer)
    for tag, row in newer.items():
        guess = row["basicProfile"][1:]
        assert table.attributes()[tag].basic == ("X/D" if guess == "(SQ)" else guess), tag
        assert table.attributes()[tag].name == row["name"]


@needs_tables
def test_vrs_are_those_of_the_source() -> None:
    for row in merged_rows():
        assert table.attributes()[digits(row["tag"].upper())].vr == row["vr"]


def test_newer_rows_have_the_options_of_their_kind() -> None:
    # what NEMA's text of 2026c says; the source has no option columns for these rows
    said = {
        "00081301": {"clean-descriptors": "C"},
        "00100012": {},
        "00100042": {"clean-descriptors": "C", "retain-patient-characteristics": "C"},
        "00100047": {"retain-patient-characteristics": "K"},
        "00181010": {"retain-device-identity": "K"},
        "0040A034": {"retain-full-dates": "K", "retain-modified-dates": "C"},
        "0040B020": {"clean-structured-content": "C"},
        "0040B036": {"retain-full-dates": "K", "retain-modified-dates": "C"},
        "00700006": {"clean-descriptors": "C"},
        "300A0054": {"retain-uids": "K"},
    }
    assert {tag: table.attributes()[tag].options for tag in said} == said


@needs_tables
def test_the_safe_list_is_the_source() -> None:
    rows = json.loads((TABLES / "safe_private_attributes_E.3.10-1_2025b.json").read_text("utf-8"))
    expected = {(int(r["group"], 16), int(r["element"][-2:], 16), r["privateCreator"]): r["vr"] for r in rows}
    assert len(rows) == len(expected) == 87
    assert load("basic", ["retain-safe-private"]).safe == expected
    assert load("basic").safe == {}


@needs_tables
def test_the_tool_writes_what_is_checked_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("make_profiles", ROOT / "tools" / "make_profiles.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    monkeypatch.setattr(tool, "TARGET", tmp_path)
    monkeypatch.setattr(sys, "argv", ["make_profiles.py", str(TABLES)])
    tool.main()
    for name in ("table.tsv", "safe.tsv"):
        assert (tmp_path / name).read_bytes() == (ROOT / "fastanon" / "profiles" / name).read_bytes()


# --- options


def expected(row: dict[str, str], options: set[str]) -> str:
    """Give the action for a row of the source, without the loader's table."""
    tag = digits(row["tag"].upper())
    sequence = "x" not in tag and dictionary_VR(int(tag, 16)) == "SQ"
    said = [row[COLUMNS[option]] for option in options if COLUMNS.get(option) in row]
    if said:
        return "C" if sequence or "C" in said else "K"
    basic = row["basicProfile"]
    return basic if len(basic) == 1 else (SEQUENCES if sequence else VALUES)[basic]


@needs_tables
@pytest.mark.parametrize("options", CHOICES, ids=lambda options: "+".join(sorted(options)) or "none")
def test_every_row_under_every_option_and_pair(options: set[str]) -> None:
    profile = load("basic", options)
    assert profile.options == options
    for row in source_rows():
        tag = digits(row["tag"].upper())
        if tag == "odd":
            continue
        assert profile.action(int(tag.replace("x", "0"), 16)) == expected(row, options), row


@needs_tables
def test_patterns_hold_in_every_group() -> None:
    actions = {row["id"]: row["basicProfile"] for row in source_rows() if row["id"][:2] in ("50", "60")}
    assert actions == {"50xxxxxx": "X", "60xx3000": "X", "60xx4000": "X"}
    profile = load("basic")
    for group in range(0, 0x20, 2):
        assert profile.action(0x50000000 | group << 16 | 0x2500) == "X"
        assert profile.action(0x60003000 | group << 16) == "X"
        assert profile.action(0x60004000 | group << 16) == "X"
        assert profile.action(0x60000010 | group << 16) == ""
        assert load("basic", ["clean-graphics"]).action(0x60003000 | group << 16) == "C"


def test_nothing_is_said_of_what_is_not_in_the_table() -> None:
    assert load("basic").action(tag_of("PixelData")) == ""
    assert load("basic").action(tag_of("Rows")) == ""


def test_the_stricter_of_two_options_holds() -> None:
    tag = tag_of("DateOfLastCalibration")
    assert load("basic", ["retain-device-identity"]).action(tag) == "K"
    assert load("basic", ["retain-device-identity", "retain-modified-dates"]).action(tag) == "C"
    assert load("basic", ["retain-modified-dates", "retain-device-identity"]).action(tag) == "C"


def test_dates_are_either_full_or_modified(write: Callable[..., Path]) -> None:
    with pytest.raises(ProfileError, match="exclude each other"):
        load("basic", sorted(BOTH_DATES))
    with pytest.raises(ProfileError, match="exclude each other"):
        load("petmr", ["retain-full-dates"])
    own = write('extends = "petmr"\nwithout = ["retain-modified-dates"]\n')
    assert load(own, ["retain-full-dates"]).action(tag_of("StudyDate")) == "K"


@pytest.mark.parametrize("option", ["clean-recognizable-visual-features", "retain-everything", ""])
def test_an_option_that_is_not_offered(option: str) -> None:
    with pytest.raises(ProfileError, match="not offered" if option.startswith("clean") else "no option"):
        load("basic", [option])
    assert issubclass(ProfileError, UsageError)


# --- files that extend one another


def test_options_are_added_and_taken_away(write: Callable[..., Path]) -> None:
    write('extends = "basic"\noptions = ["retain-uids", "retain-device-identity"]\n', "base.toml")
    path = write('extends = "base.toml"\noptions = ["clean-graphics"]\nwithout = ["retain-uids"]\n')
    profile = load(path, ["clean-descriptors"])
    assert profile.name == "own"
    assert profile.options == {"retain-device-identity", "clean-graphics", "clean-descriptors"}
    assert profile.actions == load("basic", profile.options).actions
    assert profile.repeating == load("basic", profile.options).repeating


def test_an_action_has_the_last_word_and_the_nearer_file_the_later(write: Callable[..., Path]) -> None:
    base = 'extends = "basic"\noptions = ["clean-descriptors"]\n'
    write(base + '[actions]\nStudyDescription = "D"\nSeriesDescription = "K"\nRows = "X"\n', "base.toml")
    actions = 'SeriesDescription = "Z"\n"60xx3000" = "K"\n60023000 = "D"\n'
    profile = load(write(f'extends = "base.toml"\n[actions]\n{actions}'))
    found = {profile.action(tag_of(k)): k for k in ("StudyDescription", "SeriesDescription", "ImageComments")}
    assert found == {"D": "StudyDescription", "Z": "SeriesDescription", "C": "ImageComments"}
    assert profile.action(tag_of("Rows")) == "X"
    assert [profile.action(tag) for tag in (0x60003000, 0x60023000, 0x60043000)] == ["K", "D", "K"]


def test_tags_may_stand_for_keywords(write: Callable[..., Path]) -> None:
    by_tag = load(write('extends = "basic"\n[actions]\n0008103e = "D"\n00100012 = "Z"\nOverlayData = "C"\n'))
    assert by_tag.action(tag_of("SeriesDescription")) == "D"
    assert by_tag.action(0x00100012) == "Z"  # newer than pydicom's dictionary
    assert by_tag.action(0x601E3000) == "C"


def test_creators_add_up_and_private_is_the_nearest_word(write: Callable[..., Path]) -> None:
    write('extends = "petmr"\nprivate = "keep"\ncreators = ["ACME 1.1"]\n', "base.toml")
    inherited = load(write('extends = "base.toml"\n'))
    assert inherited.keeps_private
    assert inherited.creators == load("petmr").creators | {"ACME 1.1"}
    assert not load(write('extends = "base.toml"\nprivate = "remove"\n')).keeps_private


def test_a_path_is_relative_to_the_file(write: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write('extends = "basic"\n[actions]\nRows = "D"\n', "base.toml")
    path = write('extends = "../base.toml"\n', "sub/own.toml")
    assert load(path).action(tag_of("Rows")) == "D"
    assert load(os.fspath(path)) == load(path)


def test_a_file_may_have_a_shipped_name(write: Callable[..., Path]) -> None:
    own = load(write('[actions]\nRows = "D"\n', "basic.toml"))
    assert own.name == "basic"
    assert own.actions == {tag_of("Rows"): "D"}
    assert own.codes == ()


# --- what is wrong, and on which line

WRONG = {
    "key": ('description = ""\n\nextend = "basic"\n', 3, "unknown key 'extend'"),
    "table": ('extends = "basic"\n\n[action]\nRows = "X"\n', 3, "unknown key 'action'"),
    "option": ('extends = "basic"\noptions = [\n  "retain-uids",\n  "retain-uid",\n]\n', 4, "'retain-uid'"),
    "without": ('extends = "basic"\nwithout = ["clean"]\n', 2, "no option is called 'clean'"),
    "faces": ('options = [\n"clean-recognizable-visual-features"]\n', 2, "not offered"),
    "both": ('options = ["retain-uids"]\nwithout = ["retain-uids"]\n', 2, "both in options and in without"),
    "action": ('[actions]\nRows = "X"\nColumns = "X/Z"\n', 3, "the action for Columns must be one of D Z X K C U"),
    "small": ('[actions]\nColumns = "x"\n', 2, "the action for Columns"),
    "empty": ('[actions]\nColumns = ""\n', 2, "the action for Columns"),
    "several": ('[actions]\nColumns = "DZ"\n', 2, "the action for Columns"),
    "number": ("[actions]\nRows = 1\n", 2, "the action for Rows"),
    "keyword": ('[actions]\n# Patientname\nRows = "X"\nPatientname = "X"\n', 4, "'Patientname'"),
    "tag": ('[actions]\n"00100011" = "X"\n"00109999" = "X"\n', 3, "'00109999'"),
    "private": ('[actions]\n00291010 = "X"\n', 2, "'00291010'"),
    "private overlay": ('[actions]\n60013000 = "X"\n', 2, "'60013000'"),
    "odd": ('[actions]\nodd = "X"\n', 2, "'odd'"),
    "length": ('[actions]\n0010001 = "X"\n', 2, "'0010001'"),
    "twice": ('[actions]\nPatientName = "X"\n00100010 = "D"\n', 3, "00100010 names an attribute for the second"),
    "uid": ('[actions]\nPatientName = "U"\n', 2, "U is for UIDs, and PatientName is PN"),
    "inline": ('description = ""\nactions = { PatientNam = "X" }\n', 2, "'PatientNam'"),
    "commented": ('# PatientNam\nactions = { PatientNam = "X" }\n', 2, "'PatientNam'"),
    "dotted": ('description = ""\nactions.PatientNam = "X"\n', 2, "'PatientNam'"),
    "actions": ('description = ""\nactions = "X"\n', 2, "actions must be a table"),
    "description": ('\ndescription = ["a"]\n', 2, "description must be a string"),
    "extends": ('\n\nextends = true\n', 3, "extends must be a string"),
    "base": ('# extends\nextends = "basics"\n', 2, "extends 'basics', which is not there"),
    "options": ('options = "retain-uids"\n', 1, "options must be a list of strings"),
    "creators": ('description = ""\ncreators = ["a", 1]\n', 2, "creators must be a list of strings"),
    "keep": ('description = ""\nprivate = "kept"\n', 2, 'private must be "remove" or "keep"'),
    "blank": ('private = ""\n', 1, 'private must be "remove" or "keep"'),
    "cycle": ('description = ""\nextends = "own.toml"\n', 2, "would extend itself"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "problem"), WRONG.values(), ids=WRONG)
def test_an_error_has_its_file_and_line(text: str, line: int, problem: str, write: Callable[..., Path]) -> None:
    path = write(text)
    with pytest.raises(ProfileError) as error:
        load(path)
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert problem in str(error.value)


def test_an_error_in_a_base_names_the_base(write: Callable[..., Path]) -> None:
    base = write('\ndescriptions = ""\n', "base.toml")
    with pytest.raises(ProfileError, match=f"^{base}:2: "):
        load(write('extends = "base.toml"\n'))


def test_a_longer_cycle_is_found(write: Callable[..., Path]) -> None:
    write('extends = "own.toml"\n', "base.toml")
    with pytest.raises(ProfileError, match=r"base\.toml:1: .*own\.toml would extend itself"):
        load(write('extends = "base.toml"\n'))


def test_what_is_no_toml_and_what_is_no_file(write: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="line 2"):
        load(write('description = ""\noptions = [,]\n'))
    (tmp_path / "bytes.toml").write_bytes(b'description = "\xff"\n')
    with pytest.raises(ProfileError, match="not UTF-8"):
        load(tmp_path / "bytes.toml")
    with pytest.raises(ProfileError, match="basic, petmr, niftypet"):
        load("petmri")
    with pytest.raises(ProfileError):
        load(tmp_path)


def test_options_need_the_table(write: Callable[..., Path]) -> None:
    with pytest.raises(ProfileError, match="does not extend"):
        load("niftypet", ["retain-uids"])
    with pytest.raises(ProfileError, match="does not extend"):
        load(write('options = ["retain-uids"]\n'))


# --- codes


def test_codes_are_those_of_the_standard() -> None:
    group = codes.cid7050
    known = {getattr(group, name).value: getattr(group, name).meaning for name in group.dir()}
    offered = dict(load("basic", set(table.OPTIONS) - {"retain-full-dates"}).codes)
    offered |= dict(load("basic", set(table.OPTIONS) - {"retain-modified-dates"}).codes)
    assert offered == {code: meaning for code, meaning in known.items() if code != "113102"}


def test_a_code_for_each_option_and_no_other() -> None:
    assert [code for code, _ in load("basic").codes] == ["113100"]
    found = [code for code, _ in load("basic", ["retain-uids", "clean-pixel-data"]).codes]
    assert found == ["113100", "113101", "113110"]


@pytest.mark.parametrize(
    ("text", "honest"),
    [
        ('options = ["retain-uids"]\n', True),
        ("", True),
        ('private = "remove"\n', True),
        ('[actions]\nRows = "X"\n', False),
        ('creators = ["SIEMENS CSA HEADER"]\n', False),
        ('private = "keep"\n', False),
    ],
)
def test_codes_only_for_the_standard_with_options(text: str, honest: bool, write: Callable[..., Path]) -> None:
    write(f'extends = "basic"\n{text}', "base.toml")
    assert bool(load(write('extends = "base.toml"\n')).codes) is honest


def test_petmr_niftypet_and_the_baseless_claim_nothing(write: Callable[..., Path]) -> None:
    assert load("petmr").codes == load("niftypet").codes == load(write("")).codes == ()


# --- the profiles that come with fastanon


def test_petmr_leaves_a_value_wherever_niftypet_reads_one() -> None:
    read = """ImageType StudyDate SeriesDate AcquisitionDate ContentDate StudyTime SeriesTime AcquisitionTime
        Manufacturer InstitutionName SeriesDescription ManufacturerModelName PatientSex PatientAge PatientSize
        PatientWeight SequenceName Radiopharmaceutical RepetitionTime EchoTime SoftwareVersions ProtocolName
        RadionuclideTotalDose RadionuclideHalfLife RadionuclidePositronFraction RadiopharmaceuticalStartDateTime
        RadiopharmaceuticalStopDateTime DateOfLastCalibration TimeOfLastCalibration ActualFrameDuration
        ImageComments RadiopharmaceuticalInformationSequence RadionuclideCodeSequence Units DecayCorrection
        """.split()
    profile = load("petmr")
    assert {name: profile.action(tag_of(name)) for name in read}.items() >= {"InstitutionName": "D"}.items()
    lost = {name for name in read if profile.action(tag_of(name)) not in ("", "K", "C", "D")}
    assert lost == set()


def test_petmr_keeps_raw_data_and_what_suv_needs() -> None:
    profile = load("petmr")
    assert {"SIEMENS CSA HEADER", "SIEMENS CSA NON-IMAGE"} <= profile.creators
    assert not profile.keeps_private
    assert (0x7053, 0x09, "Philips PET Private Group") in profile.safe
    assert {profile.action(tag_of(f"Patient{name}")) for name in ("Weight", "Size", "Sex")} == {"K"}
    removed = ("PatientTelephoneNumbers", "OtherPatientIDs", "PatientAddress", "OriginalAttributesSequence")
    assert {profile.action(tag_of(name)) for name in removed} == {"X"}
    assert profile.action(tag_of("PatientBirthDate")) == profile.action(tag_of("PatientName")) == "Z"


def test_niftypet_changes_its_fields_only() -> None:
    profile = load("niftypet")
    fields = """PatientName PatientBirthDate ReferringPhysicianName PatientID OtherPatientIDs OtherPatientNames
        PatientBirthName PatientMotherBirthName AccessionNumber AdmissionID InsurancePlanIdentification
        MedicalRecordLocator""".split()
    assert profile.actions == {tag_of(name): "D" for name in fields}
    assert profile.keeps_private
    assert profile.repeating == ()
    assert not profile.options


def test_a_profile_is_a_value() -> None:
    assert load("petmr") == load("petmr")
    assert len({load("petmr"), load("petmr"), load("basic")}) == 2
    assert pickle.loads(pickle.dumps(load("petmr"))) == load("petmr")
    assert load("basic", ["retain-uids"]) != load("basic")


def test_loading_imports_neither_numpy_nor_pydicom() -> None:
    code = (
        "import sys; from fastanon.profiles import load; load('petmr');"
        "sys.exit(bool({'numpy', 'numba', 'pydicom'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)


# --- the command


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    assert command.run(parser.parse_args(arguments)) == 0
    return capsys.readouterr().out


def test_list_names_every_profile(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "list").splitlines()
    assert [line.split()[0] for line in lines] == list(names())
    assert all(len(line.split()) > 3 for line in lines)


def tables(text: str) -> dict[str, list[list[str]]]:
    """Parse Markdown: rows without head, by the first word of the head."""
    found: dict[str, list[list[str]]] = {}
    for block in text.split("\n\n"):
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines() if line[0] == "|"]
        if rows:
            assert set(map(len, rows)) == {len(rows[0])}
            found[rows[0][0]] = rows[2:]
    return found


@pytest.mark.parametrize("name", names())
def test_markdown_parses_back_to_the_actions(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    profile = load(name)
    found = tables(shown(capsys, "show", name, "--markdown", "--all"))
    actions: dict[int, str] = {}
    repeating = set()
    for tag, attribute, vr, action, _ in found["tag"]:
        digits = tag.strip("()").replace(",", "")
        assert attribute
        assert vr or "x" in tag
        if "x" in digits:
            mask = int("".join("0" if c == "x" else "F" for c in digits), 16)
            repeating.add((mask, int(digits.replace("x", "0"), 16), action))
        else:
            actions[int(digits, 16)] = action
    assert actions == profile.actions
    assert repeating == set(profile.repeating)
    for action, count, _ in found["action"]:
        assert int(count) == [row[3] for row in found["tag"]].count(action)


def test_show_is_short_unless_all_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "show", "petmr", "--markdown")
    assert len(text.splitlines()) < 40
    found = tables(text)
    assert {row[0]: row[3] for row in found["tag"]}["(0018,1000)"] == "D"
    assert {row[0] for row in found["option"]} == load("petmr").options
    assert all(f"`{creator}`" in text for creator in load("petmr").creators)
    assert "tag" not in tables(shown(capsys, "show", "basic", "--markdown"))


def test_show_counts_what_an_option_changes(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("retain-uids", "retain-device-identity")
    arguments = [word for option in options for word in ("--option", option)]
    for option, code, kept, cleaned in tables(shown(capsys, "show", "basic", "--markdown", *arguments))["option"]:
        alone = load("basic", [option])
        counts = [list(alone.actions.values()).count(action) for action in "KC"]
        assert [int(kept), int(cleaned)] == counts
        assert code in dict(alone.codes)


def test_plain_text_has_the_same_cells(capsys: pytest.CaptureFixture[str]) -> None:
    marked = tables(shown(capsys, "show", "niftypet", "--markdown"))
    plain = shown(capsys, "show", "niftypet")
    assert "|" not in plain
    for row in marked["tag"]:
        assert any(line.split() == " ".join(row).split() for line in plain.splitlines())


def test_show_takes_a_file(write: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    path = write('description = "Mine"\n[actions]\nRows = "X"\n')
    text = shown(capsys, "show", os.fspath(path))
    assert text.startswith("own: Mine.\n")
    assert "Rows" in text
    assert text.endswith("Private elements are removed.\n")
