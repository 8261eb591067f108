"""Two processes share a key and nothing else: what they write is one study, as if one had written it."""

from __future__ import annotations

import csv
import datetime
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pydicom
import pytest
from pydicom.fileset import FileSet
from pydicom.uid import UID

import fastanon
from fastanon.pseudonyms import new_key
from tests import study200
from tests.study200 import A, B, Study, close, moments_of, uids_at, uids_of, values

ROOT = Path(fastanon.__file__).parent.parent
SECONDS = 300
HALVES = ("one", "two")
STANDARD = "1.2.840.10008."
INSTANCE, STUDY, SERIES, FRAME = 0x00080018, 0x0020000D, 0x0020000E, 0x00200052
NAME, NUMBER = 0x00100010, 0x00100020
#: Where a file has a UID of its own, and not a reference.
OWN = ((0x00020003,), (INSTANCE,), (STUDY,), (SERIES,), (FRAME,))


class Done(NamedTuple):
    """The study, and what became of it: all files in one folder, and which process wrote which."""

    study: Study
    folder: Path
    half: Mapping[str, str]

    def pairs(self) -> list[tuple[Path, Path]]:
        """Give every file, before and after."""
        return [(path, self.folder / path.relative_to(self.study.folder)) for path in self.study.files]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "fastanon", *map(str, arguments)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def at_once(*commands: list[str]) -> None:
    """Run all of them side by side; every one has to end well and to say nothing of trouble."""
    pipe = subprocess.PIPE
    started = [subprocess.Popen(one, env=environment(), stdout=pipe, stderr=pipe, text=True) for one in commands]
    said = [process.communicate(timeout=SECONDS) for process in started]
    assert [(p.returncode, err) for p, (_, err) in zip(started, said, strict=True)] == [(0, "")] * len(said)


def vault(*arguments: object) -> str:
    done = subprocess.run(
        command("vault", *arguments),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return study200.make(tmp_path_factory.mktemp("study") / "whole")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "k"
    new_key(path)
    return path


def split(study: Study, root: Path) -> dict[str, str]:
    """Give each half every second file of each series."""
    half = {}
    for number, path in enumerate(study.files):
        name = path.relative_to(study.folder)
        half[str(name)] = HALVES[number % 2]
        (root / half[str(name)] / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, root / half[str(name)] / name)
    return half


def by_two(study: Study, root: Path, key: Path, *vaults: object) -> Done:
    """Let two processes do a half each, and put the halves together."""
    half = split(study, root)
    more = [("--vault", one) for one in vaults] or [(), ()]
    at_once(
        *(
            command("anonymize", root / name, "-o", root / f"{name}-out", "--key", key, *options)
            for name, options in zip(HALVES, more, strict=True)
        )
    )
    for name in HALVES:
        shutil.copytree(root / f"{name}-out", root / "merged", dirs_exist_ok=True)
    return Done(study, root / "merged", half)


@pytest.fixture(scope="module")
def two(study: Study, key: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    return by_two(study, tmp_path_factory.mktemp("two"), key)


@pytest.fixture(scope="module")
def kept(study: Study, key: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Path]:
    """Do the same with a vault each."""
    root = tmp_path_factory.mktemp("vaults")
    return by_two(study, root, key, root / "one.vault", root / "two.vault"), root


@pytest.fixture(scope="module")
def forgotten(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Let one process do it all, with a key that nobody keeps."""
    out = tmp_path_factory.mktemp("forgotten") / "out"
    at_once(command("anonymize", study.folder, "-o", out))
    return Done(study, out, {})


@pytest.fixture(params=["two", "forgotten"])
def done(request: pytest.FixtureRequest) -> Done:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Done)
    return found


def mapped(done: Done) -> dict[str, dict[str, set[str]]]:
    """Give for every UID before what stands in its places after, by the half in which the place is."""
    found: dict[str, dict[str, set[str]]] = {}
    for old, new in done.pairs():
        half = done.half.get(str(old.relative_to(done.study.folder)), "")
        before = uids_of(old)
        after = uids_at(new, before)
        for place, uid in before.items():
            if uid in done.study.uids or uid.startswith(STANDARD):
                found.setdefault(uid, {}).setdefault(half, set()).add(after.get(place, "gone"))
    return found


def subject(path: Path) -> str:
    return str(pydicom.dcmread(path, stop_before_pixels=True).get("PatientID", ""))


def shifts(done: Done, patient: str, half: str = "") -> set[datetime.timedelta]:
    """Give by how much the moments of a patient's files went back, place by place."""
    found = set()
    for old, new in done.pairs():
        if subject(old) == patient and half in ("", done.half.get(str(old.relative_to(done.study.folder)))):
            after = moments_of(new)
            found |= {moment - after[place] for place, moment in moments_of(old).items()}
    return found


# the study itself


def test_the_study_is_what_it_should_be(study: Study) -> None:
    assert len(study.files) == 201
    assert {path.name for path in study.files if path.name == "DICOMDIR"} == {"DICOMDIR"}
    assert {len(uid) for uid in study.uids} >= set(range(20, 65))
    images = [path for path in study.files if path.name != "DICOMDIR"]
    assert {subject(path) for path in images} == {A.patient_id, B.patient_id, ""}
    assert len({uids_of(path)[SERIES,] for path in images}) == 5
    depths = {len(place) // 2 for path in images for place, uid in uids_of(path).items() if uid in study.uids}
    assert depths >= {0, 1, 2, 3}
    quoted = [place for path in images for place in uids_of(path) if place[-1] < 1 << 16 and len(place) == 2]
    assert len(quoted) > 6 * study200.IMAGES


# UIDs and references


def test_every_reference_that_resolved_still_does(done: Done) -> None:
    """A reference resolves if its UID is some file's own, of the same kind."""
    before = {uid for old, _ in done.pairs() for place, uid in uids_of(old).items() if place in OWN}
    after = {uid for _, new in done.pairs() for place, uid in uids_of(new).items() if place in OWN}
    references = 0
    for old, new in done.pairs():
        places = uids_of(old)
        found = uids_at(new, places)
        for place, uid in places.items():
            if place not in OWN and uid in before:
                references += 1
                assert found.get(place) in after, (old.name, [hex(tag) for tag in place])
    assert references > 2000
    assert len(before) == len(after)


def test_one_old_uid_is_one_new_uid_everywhere(done: Done) -> None:
    """By position: in elements, nested, in text and protocols, in the DICOMDIR, and in both processes."""
    found = {old: set.union(*halves.values()) for old, halves in mapped(done).items()}
    assert {old: len(news) for old, news in found.items() if len(news) != 1} == {}
    news = [next(iter(news)) for news in found.values()]
    assert len(set(news)) == len(news)
    assert set(found) >= done.study.uids


def test_both_processes_meet_the_same_uids(two: Done) -> None:
    """Else the map above would not compare them."""
    both = [old for old, halves in mapped(two).items() if set(halves) == set(HALVES)]
    assert len(both) > 150


def test_uids_known_to_everybody_stay_and_all_others_go(done: Done) -> None:
    found = {old: set.union(*halves.values()) for old, halves in mapped(done).items()}
    assert study200.TALAIRACH in found
    for old, news in found.items():
        assert (news == {old}) == old.startswith(STANDARD), old


def test_new_uids_are_valid_and_of_the_same_length(done: Done) -> None:
    for old, halves in mapped(done).items():
        for new in set.union(*halves.values()):
            assert UID(new).is_valid, new
            assert len(new) == len(old) or len(old) < study200.SHORTEST_IN_TEXT


def test_no_old_uid_is_left_in_any_byte(done: Done) -> None:
    for old, new in done.pairs():
        data = new.read_bytes()
        assert [uid for uid in done.study.uids if uid.encode() in data] == [], old.name


def test_meta_information_and_dataset_agree(done: Done) -> None:
    for _, new in done.pairs():
        uids = uids_of(new)
        assert new.name == "DICOMDIR" or uids[0x00020003,] == uids[INSTANCE,]


# the directory


def test_the_directory_leads_to_every_file(done: Done) -> None:
    listed = FileSet(done.folder / "DICOMDIR")
    close(listed)
    assert len(listed) == 199
    for one in listed:
        dataset = pydicom.dcmread(one.path)
        assert one.SOPInstanceUID == dataset.SOPInstanceUID
        assert (one.PatientID, one.StudyInstanceUID) == (dataset.PatientID, dataset.StudyInstanceUID)
        assert one.SeriesInstanceUID == dataset.SeriesInstanceUID


# people


@pytest.mark.parametrize("who", [A, B], ids=["A", "B"])
def test_no_name_or_number_is_left_in_any_byte(done: Done, who: study200.Person) -> None:
    gone = [who.family, who.given, who.patient_id, who.accession, who.birth_date, "ROSSETTI"]
    for old, new in done.pairs():
        data = new.read_bytes().lower()
        assert [text for text in gone if text.lower().encode() in data] == [], old.name


def test_a_patient_is_one_person_in_both_halves_and_two_are_two(two: Done) -> None:
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for old, new in two.pairs():
        if subject(old):
            dataset = pydicom.dcmread(new)
            half = two.half[str(old.relative_to(two.study.folder))]
            found.setdefault((subject(old), half), set()).add((str(dataset.PatientName), dataset.PatientID))
    assert len(found) == 4
    assert all(len(people) == 1 for people in found.values())
    by_patient = [{next(iter(found[who.patient_id, half])) for half in HALVES} for who in (A, B)]
    assert [len(people) for people in by_patient] == [1, 1]
    assert not {part for person in by_patient[0] for part in person} & {p for x in by_patient[1] for p in x}


# dates


def test_one_shift_of_whole_days_for_a_patient_and_another_for_the_next(two: Done) -> None:
    found = {who.patient_id: [shifts(two, who.patient_id, half) for half in HALVES] for who in (A, B)}
    assert all(one == other and len(one) == 1 for one, other in found.values())
    (a,), (b,) = found[A.patient_id][0], found[B.patient_id][0]
    assert a != b
    for shift in (a, b):
        assert shift % datetime.timedelta(days=1) == datetime.timedelta()
        assert 1 <= shift.days <= 3650


def test_intervals_are_exact_to_the_microsecond(done: Done) -> None:
    for who in (A, B):
        olds, news = [], []
        for old, new in done.pairs():
            if subject(old) == who.patient_id:
                after = moments_of(new)
                olds += moments_of(old).values()
                news += [after[place] for place in moments_of(old)]
        assert len(set(olds)) > 80
        assert [moment - olds[0] for moment in olds] == [moment - news[0] for moment in news]


def test_a_scan_of_nobody_goes_with_the_study_that_it_came_with(done: Done) -> None:
    (pair,) = [(old, new) for old, new in done.pairs() if old.parent.name == "NORM"]
    olds, news = moments_of(pair[0]), moments_of(pair[1])
    assert {moment - news[place] for place, moment in olds.items()} == shifts(done, B.patient_id)
    before, after = ({v.key: v.value for v in values(path)} for path in pair)
    assert before[0x7FE11010,] == after[0x7FE11010,]
    assert NAME not in {key[0] for key in after} or not str(after[NAME,])


def test_pixels_stay(done: Done) -> None:
    for old, new in done.pairs():
        before, after = (pydicom.dcmread(path).get("PixelData") for path in (old, new))
        assert before == after


# the way back


def test_the_vaults_of_both_merge_and_lead_back(kept: tuple[Done, Path], key: Path) -> None:
    done, root = kept
    vault("merge", root / "all.vault", root / "one.vault", root / "two.vault", "--key", key)
    options = ("--vault", root / "all.vault", "--key", key)
    rows = list(csv.reader(io.StringIO(vault("export", "--csv", "-", *options))))
    assert rows[0] == ["id_old", "id_new"]
    people = {}
    for old, new in done.pairs():
        if subject(old):
            people[subject(old)] = subject(new)
    assert people.keys() == {A.patient_id, B.patient_id}
    assert {tuple(row) for row in rows[1:]} == set(people.items())
    for old_id, new_id in people.items():
        assert f"patient\t{old_id}" in vault("lookup", new_id, *options).splitlines()
    vault("export", "--csv", root / "uids.csv", "--kind", "uid", *options)
    with open(root / "uids.csv", newline="") as file:
        back = {new: old for old, new in list(csv.reader(file))[1:]}
    (root / "uids.csv").unlink()
    expected = {(next(iter(set.union(*halves.values()))), old) for old, halves in mapped(done).items()}
    assert set(back.items()) == {pair for pair in expected if not pair[1].startswith(STANDARD)}


@pytest.mark.parametrize("uid", [study200.uid(20, 0), study200.uid(64, 44), study200.uid(64, 900)])
def test_a_uid_is_looked_up_in_the_vault_of_a_half(kept: tuple[Done, Path], key: Path, uid: str) -> None:
    done, root = kept
    for half, news in mapped(done)[uid].items():
        (new,) = news
        said = vault("lookup", new, "--vault", root / f"{half}.vault", "--key", key)
        assert said == f"uid\t{uid}\n"


def test_a_vault_changes_nothing_in_the_output(two: Done, kept: tuple[Done, Path]) -> None:
    assert [new.read_bytes() for _, new in two.pairs()] == [new.read_bytes() for _, new in kept[0].pairs()]
