"""What reconstruction programs read stays bit for bit, whatever the patient is called; the rest of a header too.

Two oracles: the readers of ``tests.nipet``, and nibabel and csa_header, piece by piece: a piece that differs has
held a value of the patient, and its other words are still there.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from csa_header import CsaHeader
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from fastanon import dcmanonym
from fastanon.errors import DONE
from fastanon.synthetic import Person, make_norm_pair, make_study
from tests import nipet
from tests.corpus import corpus_folder
from tests.niftypet import anonymize
from tests.nipet import Scan
from tests.siemens_files import CLASS_UID, csa_tags, even, read, save

pytestmark = pytest.mark.filterwarnings("ignore:ast:DeprecationWarning")  # csa_header, from Python 3.12

_WORDS = 4096

#: What has to stay as it is: classification, times, body, frame, image, creators and types, UIDs.
ELEMENTS = """
    0008,0008 0008,0060 0008,0070 0008,1090 0018,1020 0008,0020 0008,0021 0008,0022 0008,0023 0008,0030 0008,0031
    0008,0032 0008,0033 0018,1200 0018,1201 0018,1242 0010,0040 0010,1010 0010,1020 0010,1030 0018,5100 0018,0024
    0018,0050 0018,0080 0018,0081 0020,0032 0020,0037 0028,0010 0028,0030 0029,0010 0029,0011 0029,1008 0029,1108
    7fe1,0010 0008,0016 0008,0018 0020,000d 0020,000e 0020,0052
""".split()


def protocol_values(scan: Scan) -> list[tuple[str, str]]:
    """Give positions and UIDs by key from all protocols, and every number."""
    text = b"".join(v for v in scan.raw.values() if b"<XProtocol>" in v or b"### ASCCONV BEGIN" in v)
    keys = r"t?PatientPosition|PATModeText|tFrameOfReference|SoftwareVersions|\w+LOID"
    patterns = (
        rf'<ParamString\."+({keys})"+>\s*{{[^{{}}]*?"+([^"{{}}<>]+)"+\s*}}',
        r'<Param(?:Long|Double)\."+(\w+)"+>\s*{[^{}]*?(-?[\d.]+)\s*}',
        r'(?m)^(tReferenceImage\d|sPatPosition|\S+tBaselineString)\s*=\s*"+([^"\n]+)',
        r"(?m)^([\w.\[\]]+)\s*=\s*([-+.\dxa-fA-F]+)\s*$",
    )
    return [found for pattern in patterns for found in re.findall(pattern, text.decode("latin-1"))]


KEEP = (*((reader.__name__, reader) for reader in nipet.READERS), ("protocol_values", protocol_values))

#: Named like what classifies or is looked for; born on the day of the scan; numbered like a number that counts.
_NAMES = """
    MAX TIM HEAD LONG LIST NORM IRIS LISTMODE^X SIEMENS^Y PHYSIO^A GANTRY^B F^18 PET^NORMALIZATION^DATA SYNGO^X
    BIOGRAPH^MMR M\xdcLLER^UTE""".split()
PATIENTS = {name: Person(name=name) for name in _NAMES} | {
    "nobody special": Person(),
    "newborn": Person(birth_date="20170327"),
    "numbered": Person(patient_id=str(_WORDS), accession="323404", other_id="185000000"),
    "coded": Person(patient_id="C-111A1", accession="HFS", other_id="MRPETNORM"),
}
EACH = pytest.mark.parametrize("person", PATIENTS.values(), ids=PATIENTS)


#: The folders of the synthetic study that NiftyPET's ``datain`` names.
NIFTYPETS = ("LM", "LM-IMA", "NORM", "UMAP", "T1")


def scans(folder: Path, below: Sequence[str] = ("",)) -> dict[str, Scan]:
    """Read all DICOM files of a folder, by the UID that each keeps."""
    files = [path for name in below for path in (folder / name).rglob("*") if path.is_file()]
    found = [Scan(path) for path in files if path.suffix.lower() in (".dcm", ".ima")]
    return {scan.text(0x00080018): scan for scan in sorted(found, key=lambda scan: scan.text(0x00080018))}


def kept(scan: Scan) -> dict[str, str]:
    values = {name: reader(scan) for name, reader in KEEP} | {tag: scan.raw.get(tag) for tag in ELEMENTS}
    return {name: repr(value) for name, value in values.items() if value}


def differences(before: dict[str, Scan], after: dict[str, Scan]) -> list[str]:
    """Name what differs in any file."""
    assert list(before) == list(after)
    return sorted({name for uid in before for name, _ in kept(before[uid]).items() ^ kept(after[uid]).items()})


@EACH
def test_a_copy_keeps_what_is_read(person: Person, tmp_path: Path) -> None:
    study = make_study(tmp_path / "in", person, 4 * _WORDS, slices=1)
    for path in (*study.listmode[1:], *study.norm[1:], *study.umap, *study.t1):  # a payload is at the end of each
        data = path.read_bytes()
        path.write_bytes(data[:-128] + f"q{person.name}q".encode("latin-1").ljust(128, b"\0"))
    assert anonymize(tmp_path / "in", to=tmp_path / "out").exit_status == DONE
    before, after = scans(tmp_path / "in", NIFTYPETS), scans(tmp_path / "out")
    after = {uid: scan for uid, scan in after.items() if uid in before}
    assert {name for scan in before.values() for name in kept(scan)} == {name for name, _ in KEEP} | set(ELEMENTS)
    assert differences(before, after) == []
    for uid, scan in before.items():
        twice = nipet.classification(scan)[1] == "t1"  # csa_header takes a hundred times as long
        assert compared(scan, after[uid], twice)["nibabel"] > 1000


@pytest.mark.filterwarnings("ignore:.*identifying are left:UserWarning")  # in file names, which stay in place
@EACH
def test_niftypet_reads_the_same_after_dcmanonym(person: Person, tmp_path: Path) -> None:
    datain = make_study(tmp_path / "in", person, 4 * _WORDS, slices=1).datain
    shutil.copytree(tmp_path / "in", tmp_path / "original")
    dcmanonym(datain)
    after = scans(tmp_path / "in", NIFTYPETS)
    assert {scan.text(0x00100010) for scan in after.values()} == {"anonymised"}
    assert differences(scans(tmp_path / "original", NIFTYPETS), after) == []


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
)


@pytest.mark.parametrize("form", ["explicit", "implicit", "unknown"])
@pytest.mark.parametrize("who", ["NORM", "LISTMODE^X", "PHYSIO^A", "PET^NORMALIZATION^DATA", "coded"])
def test_one_sign_is_enough_to_classify(who: str, form: str, tmp_path: Path) -> None:
    (norm, _) = make_norm_pair(tmp_path / "norm.dcm", PATIENTS[who])
    syntax = ImplicitVRLittleEndian if form == "implicit" else ExplicitVRLittleEndian
    for number, (kind, comment, data, _) in enumerate(VARIANTS):
        ds = read(norm)
        ds.ImageType, ds.ImageComments, ds.SOPInstanceUID = ["ORIGINAL", kind], comment, f"1.2.{number}"
        ds[0x00291108].value = data
        del ds[0x00291020]  # the protocol, which has its own test
        for tag in (0x00291008, 0x00291018, 0x00291108) if form == "unknown" else ():  # as archives do
            ds[tag] = DataElement(tag, "UN", even(ds[tag].value.encode()))
        save(tmp_path / "in" / f"{number}.dcm", ds, syntax)
    assert anonymize(tmp_path / "in", to=tmp_path / "out").exit_status == DONE
    before, after = scans(tmp_path / "in"), scans(tmp_path / "out")
    assert [" ".join(nipet.classification(scan)) for scan in before.values()] == [kind for *_, kind in VARIANTS]
    assert differences(before, after) == []


_WORD = re.compile(r"[^\W_]+")
_IDENTITY = re.compile("0008,(0050|0090|1070)|0010,(00[123]0|100[015]|10[569]0)|0038,0010")


def held_by(scan: Scan) -> re.Pattern[str]:
    """Make a pattern of the words of a file's names, numbers and birth date, in any order, joined by anything."""
    values = [(path[-9:], value.decode("latin-1")) for path, value in scan.raw.items()]
    texts = [value for tag, value in values if _IDENTITY.fullmatch(tag)]
    texts += [f"{day[:4]} {day[4:6]} {day[6:]}" for tag, day in values if tag == "0010,0030"]
    texts += [unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode() for text in texts]
    words = sorted({word for text in texts for word in _WORD.findall(text)}, key=lambda word: (-len(word), word))
    any_word = "|".join(w if len(w) > 5 else rf"(?<![^\W_]){w}(?![^\W_])" for w in words) or "(?!)"
    return re.compile(rf"(?:{any_word})(?:[\W_]*(?:{any_word}))*", re.IGNORECASE)


def pieces(scan: Scan, twice: bool) -> Iterator[tuple[str, str]]:
    """Give all that is in a file, with reader and path: texts in pieces, CSA headers as others parse them."""
    for path, value in scan.raw.items():
        if value[:4] == b"SV10":
            yield from csa_pieces(path, value, twice)
        elif not path.endswith(("7fe0,0010", "7fe1,1010", ",0000", "0012,0063")):  # group lengths, the marker
            kind = "protocol" if b"<XProtocol>" in value or b"### ASCCONV BEGIN" in value else "element"
            yield from text_pieces(f"{kind} {path}", value.decode("latin-1"))


def text_pieces(path: str, text: str) -> Iterator[tuple[str, str]]:
    yield from ((f"{path} {number}", piece) for number, piece in enumerate(re.split(r'"+|[\r\n]+', text)))


def csa_pieces(path: str, header: bytes, twice: bool) -> Iterator[tuple[str, str]]:
    for name, tag in csa_tags(header).items():
        yield f"nibabel {path} {name}", repr([tag[key] for key in ("tag_no", "vm", "vr", "syngodt", "n_items")])
        for number, item in enumerate(tag["items"]):
            yield from text_pieces(f"nibabel {path} {name}[{number}]", str(item))
    try:
        parsed = CsaHeader(header).read() if twice else {}
    except TypeError as error:  # a line that VB12 writes into protocols
        parsed = {"error": str(error)}
    yield from text_pieces(f"csa_header {path}", json.dumps(parsed, default=str, ensure_ascii=False))


def compared(before: Scan, after: Scan, twice: bool = True) -> Counter[str]:
    """Count pieces by reader, and fail if one is missing, or differs by more than a value of the patient."""
    held, old, new = held_by(before), [*pieces(before, twice)], [*pieces(after, twice)]
    assert [path for path, _ in old] == [path for path, _ in new]
    pairs = [(path, was.rstrip("\0"), now.rstrip("\0")) for (path, was), (_, now) in zip(old, new, strict=True)]
    pairs = [(path, was, now) for path, was, now in pairs if was != now]
    assert [path for path, was, now in pairs if not _only(held, was, now)] == []
    return Counter(path.split()[0] for path, _ in old)


def _only(held: re.Pattern[str], was: str, now: str) -> bool:
    """Tell whether a piece has held a value, and all words beside it are still there, in order."""
    long = [match.span() for match in held.finditer(was) if len("".join(_WORD.findall(match[0]))) > 2]
    beside = [w for w in _WORD.finditer(was) if not any(a < w.end() and w.start() < b for a, b in long)]
    in_order = "".join(rf"(?>.*?{re.escape(word[0])})" for word in beside)
    return bool(long) and re.match(in_order, now, re.DOTALL) is not None


def siemens() -> list[str]:
    """Name the files of the corpus that hold CSA headers or protocols, and are no twix."""
    folder = corpus_folder()
    if folder is None:
        return []
    rows = csv.DictReader((folder / "manifest.tsv").read_text().splitlines(), delimiter="\t")
    odd = {row["file"]: row["oddities"] for row in rows}
    marked = [name for name, marks in odd.items() if re.search(r"CSA2\(SV10\)|XProtocol|MR-SDS", marks)]
    found = [name for name in marked if "kind=twix" not in odd[name] and "1001n" not in name]  # over its limit
    assert len(found) > 30
    return found


def wrapped(header: bytes) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.PatientID, ds.PatientName = CLASS_UID, "1.2.3", "KQ-4711-X", "NOBODY^S"
    ds.add_new(0x00290010, "LO", "SIEMENS CSA HEADER")
    ds.add_new(0x00291020, "OB", even(header))
    return ds


@pytest.mark.parametrize("patient", ["", "MAX^LONG^HEAD"], ids=["own", "collides"])
@pytest.mark.parametrize("name", siemens())
def test_real_headers_are_parsed_the_same(name: str, patient: str, tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    data = (corpus_folder() or tmp_path).joinpath(name).read_bytes()
    path.write_bytes(data)
    if patient or data[128:132] != b"DICM":
        ds = read(path) if data[128:132] == b"DICM" else wrapped(data)
        ds.PatientName = patient or ds.PatientName
        save(path, ds, ds.file_meta.TransferSyntaxUID if hasattr(ds, "file_meta") else ExplicitVRLittleEndian)
    assert anonymize(path, to=tmp_path / "out").files[0].status in ("anonymized", "copied")
    count = compared(Scan(path), Scan(tmp_path / "out" / "a.dcm"), twice=not patient)
    assert count["nibabel"] + count["protocol"] > 0
    assert count["csa_header"] >= 5 * bool(count["nibabel"] and not patient)


def test_a_name_beside_a_code_goes(tmp_path: Path) -> None:
    ds, item = wrapped(b""), Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "F1", "99LOCAL", "for QUARTERMAINE"
    ds.PatientName, ds.ProcedureCodeSequence = "QUARTERMAINE^A", [item]
    ds.add_new(0x00291021, "UT", "RadionuclideCodeSequence: CodeValue:C-111A1 of QUARTERMAINE")
    anonymize(path := save(tmp_path / "a.dcm", ds), in_place=True)
    assert [tag for tag, value in Scan(path).raw.items() if b"QUARTERMAINE" in value] == []
