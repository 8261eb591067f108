"""Files of many kinds, whole and broken, of people whose values are drawn anew for every run."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastanon import synthetic
from fastanon.synthetic import Person
from tests import siemens_files
from tests.siemens_files import Study

#: A person's files; the first is whole, comes first, and tells the names by which paths of the others are masked.
_A_PERSON = 15
_INSTITUTION = b"Synthetic Hospital"


@dataclass(frozen=True)
class Subject:
    """A person, and words that only this person's files hold."""

    person: Person
    institution: str
    comment: str

    @property
    def canaries(self) -> list[str]:
        """Everything that must not come out, in the spellings of which every one is a word of its own."""
        one = self.person
        names = [part for name in (one.name, one.physician, one.other_name) for part in name.split("^")]
        numbers = [one.patient_id, one.other_id, one.accession, one.birth_date, *one.birth_dates]
        return [*names, *numbers, self.institution, self.comment]


@dataclass(frozen=True)
class Zoo:
    """What was made.

    Attributes
    ----------
    folder : pathlib.Path
        Where.
    subjects : list of Subject
        Who was planted.
    refusable : frozenset of str
        Broken and non-medical files, below the folder: what is refused stays as it is.
    originals : frozenset of bytes
        The digests (SHA-256) of all files.
    """

    folder: Path
    subjects: list[Subject]
    refusable: frozenset[str]
    originals: frozenset[bytes]

    @property
    def canaries(self) -> list[str]:
        """All of theirs."""
        return [canary for subject in self.subjects for canary in subject.canaries]


def _word(chance: random.Random, size: int) -> str:
    return "".join(chance.choice("BCDFGHJKLMNPQRSTVWXZ" if n % 2 else "AEIOUY") for n in range(size)).capitalize()


def _subject(chance: random.Random) -> Subject:
    """Draw a person; born when no scanner's date, moved by ten years, can fall."""
    day = f"19{chance.randrange(10, 40)}{chance.randrange(1, 13):02}{chance.randrange(10, 29)}"
    number = f"{_word(chance, 2).upper()}-{chance.randrange(10**7, 10**8)}-{_word(chance, 1)}"
    name, physician, other = (f"{_word(chance, 10).upper()}^{_word(chance, 9)}" for _ in range(3))
    accession, second = f"ACC{chance.randrange(10**8, 10**9)}", f"EPD-{chance.randrange(10**7, 10**8)}"
    person = Person(name, number, day, physician, accession, other, second)
    return Subject(person, _word(chance, len(_INSTITUTION)), _word(chance, 12))


def _csa(path: Path, subject: Subject) -> None:
    """Write a slice that pydicom makes, with a comment; nothing of fastanon's own is in it."""
    one = subject.person
    study = Study(one.name, number=one.patient_id, birth=one.birth_date)
    ds = siemens_files.dataset(study)
    ds.InstitutionName, ds.ReferringPhysicianName = subject.institution, one.physician
    ds.PatientComments = (
        f"{one.spoken}, {one.patient_id}"  # petmr keeps the words that are no values of the patient's
    )
    ds.TextComments = f"{one.spoken}, {subject.comment}"  # and of this nothing
    ds.PixelData = bytes(512)  # of names in pixels another test asks
    siemens_files.save(path, ds)


#: Kinds of files by their ending, of which each maker may write several.
Maker = Callable[[Path, Subject], object]
MAKERS: Sequence[tuple[str, Maker]] = (
    (".IMA", lambda path, s: synthetic.make_slice(path, s.person, 16, 16)),
    (".dcm", _csa),
    (".l.hdr", lambda path, s: synthetic.make_listmode_files(path, s.person, 4096)),
    (".rda", lambda path, s: synthetic.make_rda(path, s.person)),
    (".ptd", lambda path, s: synthetic.make_ptd(path, 4096, s.person)),
    (".dat", lambda path, s: synthetic.make_twix(path, s.person, "VE", data_bytes=2048)),
    (".LM.dcm", lambda path, s: synthetic.make_listmode_pair(path, 4096, s.person)),
    (".XA.dcm", lambda path, s: synthetic.make_xa_slice(path, s.person)),
    (".old", lambda path, s: synthetic.make_older_slice(path, s.person)),
    (".s.hdr", lambda path, s: synthetic.make_sinogram(path, s.person, 4096)),
    (".vb.dat", lambda path, s: synthetic.make_twix(path, s.person, "VB", data_bytes=2048)),
    (".1", lambda path, s: synthetic.make_listmode(path, 4096, s.person, repeat=False)),
    (".frames", lambda path, s: synthetic.make_xa_frames(path, s.person)),
    (".dummy.ptd", lambda path, s: synthetic.make_ptd(path, 4, s.person, flavor="dummy")),
)
_OTHERS: Sequence[Callable[[Subject], bytes]] = (
    lambda s: f"Notes on {s.person.spoken}, {s.person.patient_id}, {s.comment}\n".encode() * 9,
    lambda s: b"\x89PNG\r\n\x1a\n" + s.person.name.encode() + bytes(range(256)),
    lambda s: f"id,name\n{s.person.patient_id},{s.person.listed}\n".encode(),
    lambda _: b"",
)


def make(folder: Path, files: int, seed: int) -> Zoo:
    """Make about as many files, three of five whole, one broken, one of no kind."""
    chance = random.Random(seed)
    subjects: list[Subject] = []
    refusable: set[str] = set()
    made = 0
    while made < files:
        subject = _subject(chance)
        at = folder / f"{len(subjects):02} ward" / chance.choice(_spellings(subject))
        at.mkdir(parents=True)
        synthetic.make_slice(at / "0.dcm", subject.person, 16, 16)
        for number in range(1, _A_PERSON):
            refusable |= {str(p.relative_to(folder)) for p in _add(at, subject, number, len(subjects), chance)}
        _settle(at, subject)
        subjects.append(subject)
        made += sum(path.is_file() for path in at.iterdir())
    all_files = (path for path in folder.rglob("*") if path.is_file())
    originals = frozenset(hashlib.sha256(path.read_bytes()).digest() for path in all_files)
    return Zoo(folder, subjects, frozenset(refusable), originals)


def _spellings(subject: Subject) -> list[str]:
    """Spell a person as files are named."""
    one = subject.person
    return [one.file_name, one.listed, one.patient_id, one.family.lower(), f"{one.given} {one.birth_date}"]


def _add(at: Path, subject: Subject, number: int, person: int, chance: random.Random) -> list[Path]:
    """Add a file, or a pair; give what will be refused of it."""
    ending, maker = MAKERS[(number + 5 * person) % len(MAKERS)]
    stem = f"{number:02} {chance.choice(_spellings(subject))}"
    if number % 5 == 4:
        path = at / f"{stem}.x"
        path.write_bytes(_OTHERS[(number + person) % len(_OTHERS)](subject))
        return [path]
    before = set(at.iterdir())
    maker(at / f"{stem}{ending}", subject)
    new = sorted(set(at.iterdir()) - before)
    if number % 5 != 3:
        return []
    broken = next(path for path in reversed(new) if path.name.endswith(ending))
    data = broken.read_bytes()
    broken.write_bytes(data[: len(data) * chance.randrange(40, 90) // 100])
    return new


def _settle(at: Path, subject: Subject) -> None:
    """Name the subject's hospital wherever that of the synthetic study stands."""
    for path in at.iterdir():
        path.write_bytes(path.read_bytes().replace(_INSTITUTION, subject.institution.encode()))
