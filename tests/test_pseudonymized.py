"""A kept key from end to end: the same patient is the same everywhere, the vault leads back, nobody else sees."""

from __future__ import annotations

import csv
import datetime
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest

import fastanon
from fastanon import tasks
from fastanon.beside import is_record
from fastanon.pseudonyms import Pseudonyms, new_key, read_key
from fastanon.vault import Vault
from tests.canary import CANARIES, assert_clean
from tests.profiles import study
from tests.test_again import digests

FIRST, LAST, NUMBER, BIRTH = CANARIES
OTHER = "0815-4242-99"
DAY = datetime.date(2017, 3, 27)
SPELLINGS = (NUMBER, NUMBER.lower(), f"  {NUMBER}", NUMBER.replace("K", "\uff2b"))


def ended(*words: object, first: str = "") -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own, after some other code."""
    start = ["-c", f"{first}; import sys; from fastanon.cli import main; sys.exit(main())"]
    environment = {**os.environ, "PYTHONPATH": str(Path(fastanon.__file__).parents[1])}
    command = [sys.executable, "-W", "error", *(start if first else ["-m", "fastanon"]), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)


def run(*words: object) -> None:
    """Anonymize; it has to end well, and to say nothing of the patient."""
    done = ended("anonymize", *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert_clean(done.stdout)


def who(path: Path) -> tuple[str, str, int]:
    """Give name, ID and the days by which the study date went back."""
    ds = pydicom.dcmread(path)
    days = (DAY - datetime.datetime.strptime(ds.StudyDate, "%Y%m%d").date()).days
    return str(ds.PatientName), ds.PatientID, days


@pytest.fixture
def key(tmp_path: Path) -> Path:
    new_key(tmp_path / "k")
    return tmp_path / "k"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write a file of the patient and one of another, in folders of their own."""
    study.write(tmp_path / "in" / LAST / "a.dcm", study.patient(SeriesDescription=f"head of {FIRST}"))
    other = study.patient(PatientName="OESTERBLOM^INGVAR", PatientID=OTHER, SOPInstanceUID=f"{study.INSTANCE}.2")
    study.write(tmp_path / "in" / "b" / "b.dcm", other)
    return tmp_path / "in"


# who is who


def test_spellings_of_one_patient_are_one_in_one_run_and_in_others(tmp_path: Path, key: Path) -> None:
    names = (f"{LAST}^{FIRST}", f"{LAST}^{FIRST}".lower(), f"{LAST} ^{FIRST}", LAST)
    for n, (number, name) in enumerate(zip(SPELLINGS, names, strict=True)):
        ds = study.patient(PatientID=number, PatientName=name, SOPInstanceUID=f"{study.INSTANCE}.{n}")
        ds.SpecificCharacterSet = "ISO_IR 192"
        for folder in ("all", f"alone{n}"):
            study.write(tmp_path / folder / f"{n}.dcm", ds)
    for folder in ("all", *(f"alone{n}" for n in range(len(SPELLINGS)))):
        run(tmp_path / folder, "-o", tmp_path / "out" / folder, "--key", key, "--vault", tmp_path / "v")
    found = sorted((tmp_path / "out").rglob("*.dcm"))
    assert len(found) == 2 * len(SPELLINGS)
    assert len({who(path) for path in found}) == 1
    for n in range(len(SPELLINGS)):
        same = [path.read_bytes() for path in found if path.name == f"{n}.dcm"]
        assert same[0] == same[1]


def test_two_patients_are_two_and_the_program_does_what_the_call_does(
    tmp_path: Path, key: Path, source: Path
) -> None:
    run(source, "-o", tmp_path / "program", "--key", key, "--vault", tmp_path / "v")
    fastanon.anonymize(source, to=tmp_path / "call", key=read_key(key))
    assert digests(tmp_path / "program") == digests(tmp_path / "call")
    one, two = (who(path) for path in sorted((tmp_path / "call").rglob("*.dcm")))
    assert not set(one[:2]) & set(two[:2])


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "forgotten"])
def test_the_report_says_whether_there_is_a_way_back(kept: bool, tmp_path: Path, key: Path, source: Path) -> None:
    more = ("--key", key) if kept else ()
    run(source, "-o", tmp_path / "out", "--report", tmp_path / "r.json", *more)
    told = json.loads((tmp_path / "r.json").read_text())
    assert told["pseudonymized"] is kept
    assert told["key"] == (Pseudonyms(read_key(key)).fingerprint if kept else "")


def test_no_value_comes_out_by_any_door(tmp_path: Path, key: Path, source: Path) -> None:
    options = ("--key", key, "--vault", tmp_path / "v", "--report", tmp_path / "r.json")
    done = ended("anonymize", source, "-o", tmp_path / "out", "-v", *options)
    assert done.returncode == 0
    files = [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and source not in path.parents and not is_record(path.name)
    ]
    assert {path.name for path in files} == {"a.dcm", "b.dcm", "k", "v", "r.json"}
    names = (str(path.relative_to(tmp_path)) for path in files)
    assert_clean(done.stdout, done.stderr, *names, *(path.read_bytes() for path in files))


def test_what_if_shows_no_value_either(tmp_path: Path, key: Path, source: Path) -> None:
    before = digests(tmp_path)
    run(source, "--what-if", "--key", key)
    assert digests(tmp_path) == before


def test_everything_is_looked_up(tmp_path: Path, key: Path, source: Path) -> None:
    options = ("--vault", tmp_path / "v", "--key", key)
    run(source, "-o", tmp_path / "out", *options)
    (path,) = (tmp_path / "out").rglob("a.dcm")
    ds = pydicom.dcmread(path)
    news, olds = (ds.PatientName, ds.PatientID, ds.SOPInstanceUID), (f"{LAST}^{FIRST}", NUMBER, study.INSTANCE)
    for new, old in zip(news, olds, strict=True):
        lines = ended("vault", "lookup", new, *options).stdout.splitlines()
        assert old in [line.partition("\t")[2] for line in lines]
    with Vault(tmp_path / "v", Pseudonyms(read_key(key))) as vault:
        paths = [row.pseudonym for row in vault.rows(("path",)) if row.original == str(source / LAST / "a.dcm")]
    assert [str(path).endswith(one) for one in paths] == [True]
    said = ended("vault", "lookup", paths[0], *options).stdout
    assert said == f"path\t{source / LAST / 'a.dcm'}\n"
    table = list(csv.reader(io.StringIO(ended("vault", "export", "--csv", "-", *options).stdout)))
    (other,) = (tmp_path / "out").rglob("b.dcm")
    assert sorted(table[1:]) == sorted([[NUMBER, ds.PatientID], [OTHER, who(other)[1]]])


def test_two_studies_of_the_same_file_names_in_one_vault(tmp_path: Path, key: Path) -> None:
    options = ("--vault", tmp_path / "v", "--key", key)
    for n, number in enumerate((NUMBER, OTHER)):
        study.write(tmp_path / f"in{n}" / "0001.dcm", study.patient(PatientID=number))
        run(tmp_path / f"in{n}", "-o", tmp_path / f"out{n}", *options)
        run(tmp_path / f"in{n}", "-o", tmp_path / f"again{n}", *options)
    with Vault(tmp_path / "v", Pseudonyms(read_key(key))) as vault:
        olds = {row.original for row in vault.rows(("path",))}
    assert olds == {str(tmp_path / f"in{n}" / "0001.dcm") for n in range(2)}


# the list of a trial office


def test_a_mapping_gives_id_and_name_and_leaves_the_rest(tmp_path: Path, key: Path, source: Path) -> None:
    (tmp_path / "map.csv").write_text(f"id_old,id_new\n{NUMBER.lower()},T-07\n")
    run(source, "-o", tmp_path / "plain", "--key", key)
    run(source, "-o", tmp_path / "mapped", "--key", key, "--map", tmp_path / "map.csv")
    run(source, "-o", tmp_path / "given", "--key", key, "--patient", "NOBODY")
    plain, mapped, given = (
        [who(next((tmp_path / folder).rglob(f"{name}.dcm"))) for name in "ab"]
        for folder in ("plain", "mapped", "given")
    )
    assert mapped == [("T-07", "T-07", plain[0][2]), plain[1]]
    assert given == [("NOBODY", "NOBODY", days) for _, _, days in plain]
    assert (tmp_path / "mapped" / "T-07" / "a.dcm").is_file()


# wrong usage: nothing is written

#: What is said behind `anonymize in`, and what the error names.
WRONG = {
    "vault without key": ("-o {0}/out --vault {0}/v", "a vault needs a key"),
    "vault in output": ("-o {0}/out --key {0}/k --vault {0}/out/v", "inside the output folder"),
    "key in output": ("-o {0}/in --key {0}/in/k", "inside the output folder"),
    "vault in place": ("--in-place --key {0}/k --vault {0}/in/v", "/in/v: "),
    "key in place": ("--in-place --key {0}/in/k", "/in/k: "),
    "mode 0644": ("-o {0}/out --key {0}/wide", "chmod 600"),
    "short key": ("-o {0}/out --key {0}/short", "64 hex digits"),
    "no key": ("-o {0}/out --key {0}/none", "No such file"),
    "another key's vault": ("-o {0}/out --key {0}/k --vault {0}/other", "belongs to another key"),
    "vault of mode 0644": ("-o {0}/out --key {0}/k --vault {0}/open", "group or others may use the vault"),
    "an ID twice": ("-o {0}/out --key {0}/k --map {0}/twice.csv", "line 3: the id_old of line 2 again"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage_writes_nothing(name: str, tmp_path: Path, key: Path, source: Path) -> None:
    for one in ("wide", "in/k"):
        new_key(tmp_path / one)
    (tmp_path / "short").write_text("ab" * 31 + "\n")
    (tmp_path / "short").chmod(0o600)
    (tmp_path / "twice.csv").write_text(f"id_old,id_new\n{NUMBER},T-1\n {NUMBER.lower()},T-2\n")
    for one, secret in (("other", bytes(32)), ("open", read_key(key))):
        Vault(tmp_path / one, Pseudonyms(secret)).close()
    for one in ("wide", "open"):
        (tmp_path / one).chmod(0o644)
    before = digests(tmp_path)
    words, reason = WRONG[name]
    done = ended("anonymize", source, *words.format(tmp_path).split())
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert reason in done.stderr
    assert_clean(done.stderr)
    assert digests(tmp_path) == before
    assert not (tmp_path / "out").exists()


def test_a_vault_beside_two_folders_is_in_none_of_them(key: Path, source: Path) -> None:
    study.write(source / "c" / "c.dcm", study.patient())
    run(source / "b", source / "c", "--in-place", "--key", key, "--vault", source / "v")


# a full disk

FILES = 3 * tasks.MOST_FILES  # who is who is kept for a bunch at once
LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))"
FEW = (
    "import fastanon.vault as v; check = v.Vault._check; "
    "v.Vault._check = lambda vault: (check(vault), vault._db.execute('PRAGMA max_page_count={0}'))"
)


@pytest.mark.parametrize("to", [True, False], ids=["copies", "in place"])
@pytest.mark.parametrize("full", [LIMITED.format(100_000), FEW.format(25), LIMITED.format(0)])
def test_a_vault_on_a_full_disk_leaves_nothing_half_done(full: str, to: bool, tmp_path: Path, key: Path) -> None:
    """What was written can be looked up, and what can't be looked up was not written."""
    folder, olds = tmp_path / "in", {}
    for n in range(FILES):
        items = [study.item(ReferencedSOPInstanceUID=f"{study.INSTANCE}.{n}.{k}") for k in range(6)]
        ds = study.patient(SOPInstanceUID=f"{study.INSTANCE}.{n}", ReferencedInstanceSequence=items)
        olds[f"{n}.dcm"] = study.write(folder / f"{n}.dcm", ds).read_bytes()
    where = ("-o", tmp_path / "out") if to else ("--in-place",)
    done = ended("anonymize", folder, *where, "--key", key, "--vault", tmp_path / "v", first=full)
    assert done.returncode not in (0, 3, 4), done
    assert "Traceback" not in done.stderr
    assert_clean(done.stdout, done.stderr)
    there = (path for path in (tmp_path / ("out" if to else "in")).rglob("*") if path.is_file())
    news = {path.name: path for path in there if not is_record(path.name)}
    assert set(news) <= set(olds)
    with Vault(tmp_path / "v", Pseudonyms(read_key(key))) as vault:
        rows = {(row.pseudonym, row.original) for row in vault.rows()}
    written = 0
    for name, path in news.items():
        if path.read_bytes() != olds[name]:
            new, old = pydicom.dcmread(path), pydicom.dcmread(io.BytesIO(olds[name]))
            both = zip(new.ReferencedInstanceSequence, old.ReferencedInstanceSequence, strict=True)
            pairs = {tuple(item.ReferencedSOPInstanceUID for item in pair) for pair in both}
            assert pairs | {(new.PatientID, NUMBER), (new.SOPInstanceUID, old.SOPInstanceUID)} <= rows
            written += 1
    assert (0 < written < FILES) == (full != LIMITED.format(0))
    if to:
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == olds
