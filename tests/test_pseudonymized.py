"""A kept key from end to end: the same patient is the same everywhere, the vault leads back, nobody else sees."""

from __future__ import annotations

import csv
import datetime
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

import fastanon
from fastanon.pseudonyms import Pseudonyms, new_key, read_key
from fastanon.vault import Vault
from tests.canary import CANARIES, assert_clean
from tests.profiles import study

FIRST, LAST, NUMBER, BIRTH = CANARIES
OTHER = "0815-4242-99"
DAY = datetime.date(2017, 3, 27)
SPELLINGS = (NUMBER, NUMBER.lower(), f"  {NUMBER}", NUMBER.replace("K", "\uff2b"))


def ended(*words: object, code: str = "from fastanon.cli import main") -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own, after some other code."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", f"import sys; {code}; sys.exit(main())", *map(str, words)],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(fastanon.__file__).parents[1])},
    )  # fmt: skip


def run(*words: object) -> None:
    """Anonymize; it has to end well, and to say nothing of the patient."""
    done = ended("anonymize", *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert_clean(done.stdout)


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


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
    fastanon.anonymize(source, to=tmp_path / "call", key=read_key(key), vault=tmp_path / "w")
    assert contents(tmp_path / "program") == contents(tmp_path / "call")
    one, two = (who(path) for path in sorted((tmp_path / "call").rglob("*.dcm")))
    assert not set(one) & set(two)
    vaults = [Vault(path, Pseudonyms(read_key(key))) for path in (tmp_path / "v", tmp_path / "w")]
    rows = [{row for row in vault.rows() if row.kind != "path"} for vault in vaults]
    for vault in vaults:
        vault.close()
    assert rows[0] == rows[1] != set()


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "forgotten"])
def test_the_report_says_whether_there_is_a_way_back(kept: bool, tmp_path: Path, key: Path, source: Path) -> None:
    more = ("--key", key) if kept else ()
    run(source, "-o", tmp_path / "out", "--report", tmp_path / "r.json", *more)
    told = json.loads((tmp_path / "r.json").read_text())
    assert told["pseudonymized"] is kept
    assert told["key"] == (Pseudonyms(read_key(key)).fingerprint if kept else "")
    method = pydicom.dcmread(next((tmp_path / "out").rglob("b.dcm"))).DeidentificationMethod
    assert method.split()[-1] == (told["key"] or "forgotten")


def test_no_value_comes_out_by_any_door(tmp_path: Path, key: Path, source: Path) -> None:
    done = ended(
        "anonymize", source, "-o", tmp_path / "out", "-v", "--key", key, "--vault", tmp_path / "v", "--report",
        tmp_path / "r.json",
    )  # fmt: skip
    assert done.returncode == 0
    files = [path for path in tmp_path.rglob("*") if path.is_file() and source not in path.parents]
    assert {path.name for path in files} == {"a.dcm", "b.dcm", "k", "v", "r.json"}
    assert_clean(done.stdout, done.stderr, *(path.read_bytes() for path in files))
    assert_clean(*(str(path.relative_to(tmp_path)) for path in files))


@pytest.mark.parametrize("more", [[], ["--in-place"]])
def test_what_if_shows_no_value_either(more: list[str], tmp_path: Path, key: Path, source: Path) -> None:
    before = contents(tmp_path)
    run(source, "--what-if", "--key", key, *more)
    assert contents(tmp_path) == before


def test_everything_is_looked_up(tmp_path: Path, key: Path, source: Path) -> None:
    options = ("--vault", tmp_path / "v", "--key", key)
    run(source, "-o", tmp_path / "out", *options)
    (path,) = (tmp_path / "out").rglob("a.dcm")
    ds = pydicom.dcmread(path)
    expected = {
        str(ds.PatientName): f"{LAST}^{FIRST}", ds.PatientID: NUMBER, ds.SOPInstanceUID: study.INSTANCE,
    }  # fmt: skip
    for new, old in expected.items():
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
    found = {
        (folder, name): who(next((tmp_path / folder).rglob(f"{name}.dcm")))
        for folder in ("plain", "mapped", "given")
        for name in "ab"
    }
    days = {name: found["plain", name][2] for name in "ab"}
    assert found["mapped", "a"] == ("T-07", "T-07", days["a"])
    assert found["mapped", "b"] == found["plain", "b"]
    assert [found["given", name] for name in "ab"] == [("NOBODY", "NOBODY", days[name]) for name in "ab"]
    assert (tmp_path / "mapped" / "T-07" / "a.dcm").is_file()


# wrong usage: nothing is written


def kept(folder: Path) -> list[object]:
    return ["-o", folder / "out", "--key", folder / "k"]


def short(folder: Path) -> Path:
    path = folder / "short"
    path.write_text("ab" * 31 + "\n")
    path.chmod(0o600)
    return path


def wide(folder: Path) -> Path:
    new_key(folder / "wide")
    (folder / "wide").chmod(0o644)
    return folder / "wide"


def other_vault(folder: Path) -> Path:
    with Vault(folder / "other", Pseudonyms(bytes(32))):
        return folder / "other"


def open_vault(folder: Path) -> Path:
    with Vault(folder / "open", Pseudonyms(read_key(folder / "k"))):
        (folder / "open").chmod(0o644)
    return folder / "open"


def inside(folder: Path, name: str) -> Path:
    (folder / "in" / name).write_bytes((folder / "k").read_bytes())
    (folder / "in" / name).chmod(0o600)
    return folder / "in" / name


def twice(folder: Path) -> Path:
    (folder / "twice.csv").write_text(f"id_old,id_new\n{NUMBER},T-1\n {NUMBER.lower()},T-2\n")
    return folder / "twice.csv"


#: What is said beside `anonymize in`, and what the error names.
WRONG: dict[str, tuple[Callable[[Path], list[object]], str]] = {
    "vault without key": (lambda f: ["-o", f / "out", "--vault", f / "v"], "a vault needs a key"),
    "vault in output": (lambda f: [*kept(f), "--vault", f / "out" / "v"], "inside the output folder"),
    "key in output": (lambda f: ["-o", f / "in" / "b", "--key", inside(f, "b/k")], "inside the output folder"),
    "vault in place": (lambda f: ["--in-place", "--key", f / "k", "--vault", f / "in" / "v"], "/in/v: "),
    "key in place": (lambda f: ["--in-place", "--key", inside(f, "k")], "/in/k: "),
    "mode 0644": (lambda f: ["-o", f / "out", "--key", wide(f)], "chmod 600"),
    "short key": (lambda f: ["-o", f / "out", "--key", short(f)], "64 hex digits"),
    "no key": (lambda f: ["-o", f / "out", "--key", f / "none"], "No such file"),
    "another key's vault": (lambda f: [*kept(f), "--vault", other_vault(f)], "belongs to another key"),
    "vault of mode 0644": (lambda f: [*kept(f), "--vault", open_vault(f)], "group or others may use the vault"),
    "an ID twice": (lambda f: [*kept(f), "--map", twice(f)], "line 3: the id_old of line 2 again"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage_writes_nothing(name: str, tmp_path: Path, key: Path, source: Path) -> None:
    make, reason = WRONG[name]
    words = make(tmp_path)
    before = contents(tmp_path)
    done = ended("anonymize", source, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert_clean(done.stderr)
    assert contents(tmp_path) == before
    assert not (tmp_path / "out").exists()
    assert key.is_file()


def test_a_key_beside_two_folders_is_no_key_in_them(tmp_path: Path, key: Path, source: Path) -> None:
    run(source / LAST, source / "b", "--in-place", "--key", key, "--vault", tmp_path / "v")
    run(source / "b", source / LAST, "--in-place", "--key", key, "--vault", source / "v")


# a full disk

LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0})); from fastanon.cli import main"
FEW = (
    "import fastanon.vault as v; check = v.Vault._check; "
    "v.Vault._check = lambda vault: (check(vault), vault._db.execute('PRAGMA max_page_count={0}')); "
    "from fastanon.cli import main"
)


@pytest.mark.parametrize("to", [True, False], ids=["copies", "in place"])
@pytest.mark.parametrize("full", [LIMITED.format(36_000), FEW.format(9), LIMITED.format(0)])
def test_a_vault_on_a_full_disk_leaves_nothing_half_done(full: str, to: bool, tmp_path: Path, key: Path) -> None:
    """What was written can be looked up, and what can't be looked up was not written."""
    folder, olds = tmp_path / "in", {}
    for n in range(8):
        items = [study.item(ReferencedSOPInstanceUID=f"{study.INSTANCE}.{n}.{k}") for k in range(60)]
        ds = study.patient(SOPInstanceUID=f"{study.INSTANCE}.{n}", ReferencedInstanceSequence=items)
        path = study.write(folder / f"{n}.dcm", ds)
        olds[f"{n}.dcm"] = path.read_bytes()
    where = ("-o", tmp_path / "out") if to else ("--in-place",)
    done = ended("anonymize", folder, *where, "--key", key, "--vault", tmp_path / "v", code=full)
    assert done.returncode not in (0, 3, 4), done
    assert "Traceback" not in done.stderr
    assert_clean(done.stdout, done.stderr)
    news = {path.name: path for path in (tmp_path / ("out" if to else "in")).rglob("*") if path.is_file()}
    assert set(news) <= set(olds)
    with Vault(tmp_path / "v", Pseudonyms(read_key(key))) as vault:
        rows = {(row.pseudonym, row.original) for row in vault.rows()}
    written = 0
    for name, path in news.items():
        if path.read_bytes() != olds[name]:
            new, old = pydicom.dcmread(path), pydicom.dcmread(io.BytesIO(olds[name]))
            pairs = {(new.PatientID, NUMBER), (new.SOPInstanceUID, old.SOPInstanceUID)}
            for one, other in zip(new.ReferencedInstanceSequence, old.ReferencedInstanceSequence, strict=True):
                pairs.add((one.ReferencedSOPInstanceUID, other.ReferencedSOPInstanceUID))
            assert pairs <= rows
            written += 1
    assert (0 < written < 8) == (full != LIMITED.format(0))
    if to:
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == olds
