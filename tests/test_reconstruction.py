"""What reconstruction programs read stays bit for bit, whatever the patient is called; the rest of a header too.

Two oracles: the readers of ``tests.nipet``, and nibabel and csa_header, piece by piece: a piece that differs has
held a value of the patient, and its other words are still there.
"""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from csa_header import CsaHeader
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian as EXPLICIT
from pydicom.uid import ImplicitVRLittleEndian

from fastanon import anonymize, dcmanonym
from fastanon.errors import DONE
from fastanon.synthetic import Person, make_norm_pair, make_study
from tests import nipet
from tests.corpus import corpus_folder
from tests.nipet import Scan
from tests.siemens_files import CLASS_UID, csa_tags, even, read, save

pytestmark = pytest.mark.filterwarnings("ignore:ast:DeprecationWarning")  # csa_header, from Python 3.12

_WORDS = 4096
_SCANNERS = (0x00080070, 0x00081090, 0x00181020, 0x00080008, 0x00080060, 0x00080016)
_TIMES = (*range(0x00080020, 0x00080024), *range(0x00080030, 0x00080034), 0x00181200, 0x00181201, 0x00181242)
_BODY = (0x00100040, 0x00101010, 0x00101020, 0x00101030, 0x00185100)
_IMAGE = (0x00180024, 0x00180050, 0x00180080, 0x00180081, 0x00200032, 0x00200037, 0x00280010, 0x00280030)
_PRIVATE = (0x00290010, 0x00290011, 0x00291008, 0x00291108, 0x7FE10010)
_UIDS = (0x00080018, 0x0020000D, 0x0020000E, 0x00200052)


def digest(data: bytes) -> str | None:
    return hashlib.sha256(data).hexdigest() if data else None


def protocol_values(scan: Scan) -> list[tuple[str, ...]] | None:
    """Give positions and UIDs by key from all protocols, and every number."""
    text = b"".join(v for v in scan.raw.values() if b"<XProtocol>" in v or b"### ASCCONV BEGIN" in v)
    keys = r"t?PatientPosition|PATModeText|tFrameOfReference|SoftwareVersions|\w+LOID"
    found: list[tuple[str, ...]] = []
    for pattern in (
        rf'<ParamString\."+({keys})"+>\s*{{[^{{}}]*?"+([^"{{}}<>]+)"+\s*}}',
        r'<Param(?:Long|Double)\."+(\w+)"+>\s*{[^{}]*?(-?[\d.]+)\s*}',
        r'(?m)^(tReferenceImage\d|sPatPosition|\S+tBaselineString)\s*=\s*"+([^"\n]+)',
        r"(?m)^([\w.\[\]]+)\s*=\s*([-+.\dxa-fA-F]+)\s*$",
    ):
        found += re.findall(pattern, text.decode("latin-1"))
    return found or None


#: What has to stay, and how it is read.
KEEP = (
    ("classification", nipet.classification),
    ("scanner", nipet.scanner),
    ("times", nipet.times),
    ("a date of birth", nipet.birth),
    ("frame duration", nipet.frame_seconds),
    ("radiopharmaceutical", nipet.radiopharmaceutical),
    ("injection", nipet.injection),
    ("gantry offset", nipet.gantry_offset),
    ("table origin", nipet.table_origin),
    ("table home", nipet.table_home),
    ("isotope", nipet.isotope),
    ("isotope code", nipet.isotope_code),
    ("bed", nipet.bed),
    ("since calibration", nipet.since_calibration),
    ("place of the Interfile header", nipet.interfile_at),
    ("word count", nipet.word_count),
    ("valid payload", nipet.payload_is_valid),
    ("protocol values", protocol_values),
    ("raw data", lambda scan: digest(scan.bytes_of(0x7FE11010))),
    ("pixels", lambda scan: digest(scan.bytes_of(0x7FE00010))),
    (".bf", lambda scan: digest(scan.bf.read_bytes()) if scan.bf.exists() else None),
    *((f"({t:08x})", nipet.element(t)) for t in (*_SCANNERS, *_TIMES, *_BODY, *_IMAGE, *_PRIVATE, *_UIDS)),
)

#: Named like what classifies or is looked for; born on the day of the scan; numbered like a number that counts.
PATIENTS = {
    **{
        name: Person(name=name)
        for name in (
            "MAX TIM HEAD LONG LIST NORM IRIS LISTMODE^X SIEMENS^Y PHYSIO^A GANTRY^B F^18 "
            "PET^NORMALIZATION^DATA BIOGRAPH^MMR SYNGO^X HFS^PET M\xdcLLER^UTE"
        ).split()
    },
    "nobody special": Person(),
    "newborn": Person(birth_date="20170327"),
    "numbered": Person(patient_id=str(_WORDS), accession="323404", other_id="185000000"),
    "coded": Person(patient_id="C-111A1", accession="HFS"),
    "typed": Person(other_id="MRPETNORM"),
}
EACH = pytest.mark.parametrize("person", PATIENTS.values(), ids=PATIENTS)


def scans(folder: Path) -> dict[str, Scan]:
    """Read all DICOM files of a folder, by the UID that each keeps."""
    found = [Scan(path) for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".bf"]
    return {scan.text(0x00080018): scan for scan in found}


def kept(scan: Scan) -> dict[str, Any]:
    return {name: value for name, reader in KEEP if (value := reader(scan)) is not None}


def differences(before: dict[str, Scan], after: dict[str, Scan]) -> list[str]:
    """Name what differs, and fail if a reader found nothing anywhere."""
    assert set(before) == set(after)
    old, new = ({uid: kept(scan) for uid, scan in some.items()} for some in (before, after))
    seen = Counter(name for values in old.values() for name in values)
    assert {name for name, _ in KEEP} == set(seen)
    found = {name for uid in old for name, value in old[uid].items() if new[uid].get(name) != value}
    return sorted(found | {name for uid in old for name in new[uid].keys() - old[uid].keys()})


@EACH
def test_a_copy_keeps_what_is_read(person: Person, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    make_study(folder, person, 4 * _WORDS, slices=1)
    report = anonymize(folder, to=out)
    assert report.exit_status == DONE
    before, after = scans(folder), scans(out)
    assert all(nipet.payload_is_valid(scan) is not False for scan in after.values())
    assert differences(before, after) == []
    for uid, scan in before.items():
        assert compared(scan, after[uid])["nibabel"] > 1000


def datain(folder: Path, person: Person) -> dict[str, str | int]:
    """Write a study without names in paths, as NiftyPET lists it."""
    make_study(folder, person, 4 * _WORDS, slices=1)
    for number, sub in enumerate(sorted(folder.iterdir())):  # LM, LM-IMA, NORM, T1, UMAP
        for path in sub.iterdir():
            path.rename(sub / f"a{path.suffix}")
        sub.rename(folder / str(number))
    files = zip(
        ("lm_dcm", "lm_bf", "lm_ima", "nrm_dcm", "nrm_bf"), "0.dcm 0.bf 1.IMA 2.dcm 2.bf".split(), strict=True
    )
    named = {key: str(folder / name.replace(".", "/a.")) for key, name in files}
    return {
        **named,
        "corepath": str(folder),
        "T1DCM": str(folder / "3"),
        "mumapDCM": str(folder / "4"),
        "#T1DCM": 1,
    }


@EACH
def test_niftypet_reads_the_same_after_dcmanonym(person: Person, tmp_path: Path) -> None:
    listed = datain(tmp_path / "in", person)
    shutil.copytree(tmp_path / "in", tmp_path / "original")
    dcmanonym(listed)
    before, after = scans(tmp_path / "original"), scans(tmp_path / "in")
    assert differences(before, after) == []
    assert [scan.path.name for scan in before.values()] == [scan.path.name for scan in after.values()]


#: Image Type, Image Comments, CSA Data Type and what they make of a file: each alone is enough.
VARIANTS = (
    ("PET_EM_SINO", "", "OTHER", "raw sinogram mmr"),
    ("PET_PHYSIO", "", "OTHER", "raw physio mmr"),
    ("OTHER", "PET Normalization data", "OTHER", "raw norm mmr"),
    ("OTHER", "Listmode", "OTHER", "raw list mmr"),
    ("OTHER", "Sinogram", "OTHER", "raw sinogram mmr"),
    ("OTHER", "PET physio data", "OTHER", "raw physio mmr"),
    ("OTHER", "MR based umap", "OTHER", "mr mumap ute mr mmr"),
    ("OTHER", "", "MRPETNORM", "raw norm mmr"),
    ("OTHER", "", "MRPETLM_LARGE", "raw list mmr"),
    ("OTHER", "", "MRPETSINO", "raw sinogram mmr"),
)


def unknown(ds: Dataset) -> Dataset:
    """Give Siemens' elements the VR UN, as archives do."""
    for tag in [t for t in ds.keys() if t.group in (0x0029, 0x7FE1) and t.element > 0xFF]:  # noqa: SIM118
        value = ds[tag].value or b""
        ds[tag] = DataElement(tag, "UN", even(value if isinstance(value, bytes) else value.encode()))
    return ds


@pytest.mark.parametrize("form", ["explicit", "implicit", "unknown"])
@pytest.mark.parametrize("who", ["NORM", "LISTMODE^X", "PHYSIO^A", "PET^NORMALIZATION^DATA", "typed"])
def test_one_sign_is_enough_to_classify(who: str, form: str, tmp_path: Path) -> None:
    (norm, _) = make_norm_pair(tmp_path / "norm.dcm", PATIENTS[who])
    for number, (kind, comment, data, _) in enumerate(VARIANTS):
        ds = read(norm)
        ds.ImageType, ds.ImageComments = ["ORIGINAL", "PRIMARY", kind], comment
        ds.SOPInstanceUID, ds[0x00291108].value = f"1.2.{number}", data
        del ds[0x00291020]  # the protocol, which has its own test
        if form == "unknown":
            ds = unknown(ds)
        save(tmp_path / "in" / f"{number}.dcm", ds, ImplicitVRLittleEndian if form == "implicit" else EXPLICIT)
    assert anonymize(tmp_path / "in", to=tmp_path / "out").exit_status == DONE
    before, after = scans(tmp_path / "in"), scans(tmp_path / "out")
    assert [" ".join(nipet.classification(scan)) for scan in before.values()] == [
        wanted for *_, wanted in VARIANTS
    ]
    assert {uid: kept(scan) for uid, scan in after.items()} == {uid: kept(scan) for uid, scan in before.items()}


# --- piece by piece

_NAMES = "0008,0090 0008,1070 0010,0010 0010,1001 0010,1005 0010,1060".split()
_NUMBERS = "0008,0050 0010,0020 0010,1000 0010,1050 0010,1090 0038,0010".split()


def held_by(scan: Scan) -> re.Pattern[str]:
    """Make a pattern of a file's names, numbers and date of birth, as people and programs spell them."""
    runs: set[tuple[str, ...]] = set()
    for path, value in scan.raw.items():
        tag, text = path.rpartition("/")[2], value.decode("latin-1").strip(" \0")
        if tag in _NAMES:
            runs.update(run for group in re.split(r"[=\\]", text) for run in _runs(group))
        elif tag in _NUMBERS:
            runs.update(tuple(_WORD.findall(number)) for number in text.split("\\"))
        elif tag == "0010,0030":
            year, month, day = text[:4], text[4:6], text[6:8]
            runs.update(((year, month, day), (day, month, year), (month, day, year)))
    long = sorted((run for run in runs if len("".join(run)) > 2), key=lambda run: (-len("".join(run)), run))
    return re.compile("|".join(map(_form, long)) or "(?!)", re.IGNORECASE)


_WORD = re.compile(r"[^\W_]+")


def _runs(name: str) -> Iterator[tuple[str, ...]]:
    """Give the words of a name, of its components in any order, and each alone, with and without accents."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    for spelled in {name, name.replace("\xdc", "UE"), plain, name.encode().decode("latin-1")}:
        parts = [tuple(_WORD.findall(component)) for component in spelled.split("^")[:3]]
        words = sum(parts, ())
        yield from (words, words[::-1], sum(parts[1:], ()) + parts[0], sum(parts[::-1], ()), sum(parts[:2], ()))
        yield from (*parts, *((word,) for word in words))


def _form(run: tuple[str, ...]) -> str:
    """Join words as anything does; what is short has to stand delimited."""
    form = r"[\W_]*".join(map(re.escape, run))
    return form if len("".join(run)) > 5 else rf"(?<![^\W_]){form}(?![^\W_])"


def pieces(scan: Scan) -> Iterator[tuple[str, str]]:
    """Give all that is in a file, each with its reader and path: texts in pieces, CSA headers as others parse them."""
    for path, value in scan.raw.items():
        if value[:4] == b"SV10":
            yield from csa_pieces(path, value)
        elif path[-9:] in PAYLOADS:
            yield f"payload {path}", str(digest(value))
        elif not path.endswith(",0000"):  # but lengths of groups
            kind = "protocol" if b"<XProtocol>" in value or b"### ASCCONV BEGIN" in value else "element"
            yield from text_pieces(f"{kind} {path}", value.decode("latin-1"))


PAYLOADS = ("7fe0,0010", "7fe1,1010")


def text_pieces(path: str, text: str) -> Iterator[tuple[str, str]]:
    for number, piece in enumerate(re.split(r'"+|[\r\n]+', text)):
        yield f"{path} {number}", piece


def csa_pieces(path: str, header: bytes) -> Iterator[tuple[str, str]]:
    for name, tag in csa_tags(header).items():
        yield f"nibabel {path} {name}", repr([tag[key] for key in ("tag_no", "vm", "vr", "syngodt", "n_items")])
        for number, item in enumerate(tag["items"]):
            yield from text_pieces(f"nibabel {path} {name}[{number}]", str(item))
    try:
        yield from leaves(f"csa_header {path}", CsaHeader(header).read())
    except TypeError as error:  # of the protocol of VB12 it can't read a line
        yield f"csa_header {path}", repr(error)


def leaves(path: str, tree: Any) -> Iterator[tuple[str, str]]:
    if isinstance(tree, (dict, list)):
        for key, branch in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from leaves(f"{path} {key}", branch)
    else:
        yield path, str(tree)


def compared(before: Scan, after: Scan) -> Counter[str]:
    """Count pieces by reader, and fail if one is missing, or differs by more than a value of the patient."""
    held, old, new = held_by(before), list(pieces(before)), list(pieces(after))
    assert [path for path, _ in old] == [path for path, _ in new]
    wrong = [
        path for (path, was), (_, now) in zip(old, new, strict=True) if was != now and not _only(held, was, now)
    ]
    assert wrong == []
    return Counter(path.split()[0] for path, _ in old)


def _only(held: re.Pattern[str], was: str, now: str) -> bool:
    """Tell whether a piece has held a value, and all words beside it are still there, in order."""
    at = 0
    for word in (word for part in held.split(was) for word in _WORD.findall(part)):
        at = now.find(word, at) + len(word)
        if at < len(word):
            return False
    return bool(held.search(was))


# --- real headers

_MARKS = ("CSA2(SV10)", "XProtocol", "MR-SDS")
_UNREADABLE = ("nipy__nibabel/csa_str_1001n_items.bin",)  # nibabel takes no more than 1000 items


def siemens() -> list[str]:
    """Name the files of the corpus that hold CSA headers or protocols; neither reader knows twix."""
    folder = corpus_folder()
    if folder is None:
        return []
    with (folder / "manifest.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    odd = {row["file"]: row["oddities"] for row in rows}
    found = [name for name, marks in odd.items() if any(m in marks for m in _MARKS) and "kind=twix" not in marks]
    return [name for name in found if name not in _UNREADABLE]


def real(name: str, patient: str, folder: Path) -> Path:
    """Give a file of the corpus under another patient's name; a CSA header without its file gets one."""
    folder.mkdir()
    path = folder / "a.dcm"
    shutil.copyfile(str(corpus_folder()) + "/" + name, path)
    if path.read_bytes()[128:132] == b"DICM" and not patient:
        return path
    ds = read(path) if path.read_bytes()[128:132] == b"DICM" else wrapped(path.read_bytes())
    ds.PatientName = patient or "NOBODY^SPECIAL"
    return save(path, ds, getattr(getattr(ds, "file_meta", None), "TransferSyntaxUID", EXPLICIT))


def wrapped(header: bytes) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.PatientID = CLASS_UID, "1.2.3", "KQ-4711-X"
    ds.add_new(0x00290010, "LO", "SIEMENS CSA HEADER")
    ds.add_new(0x00291020, "OB", even(header))
    return ds


@pytest.mark.parametrize("patient", ["", "MAX^LONG^HEAD"], ids=["own", "collides"])
@pytest.mark.parametrize("name", siemens())
def test_real_headers_are_parsed_the_same(name: str, patient: str, tmp_path: Path) -> None:
    path = real(name, patient, tmp_path / "in")
    (result,) = anonymize(path, to=tmp_path / "out").files
    assert result.status in ("anonymized", "copied")
    count = compared(Scan(path), Scan(tmp_path / "out" / "a.dcm"))
    assert count["nibabel"] + count["protocol"] > 0
    assert bool(count["nibabel"]) == bool(count["csa_header"])


@pytest.mark.skipif(corpus_folder() is None, reason="FASTANON_CORPUS is not set")
def test_there_are_real_headers() -> None:
    assert len(siemens()) > 30
