"""What reconstruction programs read from a file, read as they do: same elements, same patterns, same windows.

Told anew from NiftyPET/NIMPA (niftypet/nimpa/prc/imio.py), NiftyPET/NIPET (niftypet/nipet/mmraux.py and
img/mmrimg.py) and UCL/pet-rd-tools (lib/nmtools/MMR.hpp). Nothing of fastanon is used. A reader gives None where
a file has nothing for it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from pydicom.dataset import Dataset

from tests.siemens_files import read

NORM_BYTES = 4 * (344 * 127 + 9 * 344 + 504 * 64 + 837 + 64 + 64 + 9 + 837)  # MMR.hpp
_FORMS = ("%Y%m%d%H%M%S", "%Y%m%d%H%M%S.%f")
_NEW, _OLD = ("syngo MR B20P", "syngo MR E11"), "syngo MR B18P"


class Scan:
    """One file: the bytes of its values as they stand.

    Attributes
    ----------
    path, bf : pathlib.Path
        The file, and the ``.bf`` that may lie beside it.
    raw : dict
        From the path of each element that is no sequence to its bytes, in the order of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.bf = path, path.with_suffix(".bf")
        self.raw = dict(_values(read(path)))

    def bytes_of(self, tag: int) -> bytes:
        """Give the bytes of an element, none where it is missing."""
        return self.raw.get(_spelled(tag), b"")

    def text(self, tag: int) -> str:
        """Give the text of an element, without its padding."""
        return self.bytes_of(tag).decode("latin-1").rstrip(" \0")

    @property
    def is_raw_data(self) -> bool:
        """Whether it has a place for list-mode words, sinogram or norm."""
        return bool(self.bytes_of(0x7FE10010))


def _spelled(tag: int) -> str:
    return f"{tag >> 16:04x},{tag & 0xFFFF:04x}"


def _values(dataset: Dataset, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for tag in list(dataset.keys()):
        raw, path = dataset.get_item(tag), prefix + _spelled(int(tag))
        if raw.VR in ("SQ", "UN", None) and dataset[tag].VR == "SQ":
            for number, item in enumerate(dataset[tag].value):
                yield from _values(item, f"{path}[{number}]/")
        else:
            yield path, raw.value if isinstance(raw.value, bytes) else b""


# --- NIMPA imio.py: dcminfo


def scanner(scan: Scan) -> str:
    """Tell whose scanner it is."""
    siemens = "siemens" in scan.text(0x00080070).lower()
    return "mmr" if siemens and re.search("mMR|Biograph", scan.text(0x00081090)) else "other"


def classification(scan: Scan) -> tuple[str, ...]:
    """Classify a file by type, then comment, then CSA Data Type; images by tracer and times."""
    kinds, comment, csa = scan.text(0x00080008).split("\\"), scan.text(0x00204000), scan.text(0x00291108)
    rules = (
        ("raw norm", "PET_NORM", "PET Normalization data", "MRPETNORM"),
        ("raw list", "PET_LISTMODE", "Listmode", "MRPETLM_LARGE"),
        ("raw sinogram", "PET_EM_SINO", "Sinogram", "MRPETSINO"),
    )
    for what, kind, comments, data in rules:
        if any(kind in k for k in kinds) or comment == comments or csa == data:
            return (*what.split(), scanner(scan))
    if "PET_PHYSIO" in kinds or "physio" in comment.lower():
        return ("raw", "physio", scanner(scan))
    if any("MRPET_UMAP3D" in k for k in kinds) or comment == "MR based umap":
        return ("mr", "mumap", "ute", "mr", scanner(scan))
    return _image(scan) or ("unknown", comment.lower())


def _image(scan: Scan) -> tuple[str, ...] | None:
    tracer, series = radiopharmaceutical(scan), scan.text(0x00541000).split("\\")[0]
    if tracer and series in ("STATIC", "DYNAMIC", "WHOLE BODY", "GATED"):
        return ("pet", tracer["0018,0031"].decode("latin-1").strip().lower(), series.lower(), scanner(scan))
    if not (scan.text(0x00180080) and scan.text(0x00180081)):
        return None
    repetition, echo = float(scan.text(0x00180080)), float(scan.text(0x00180081))
    if "mprage" in (scan.text(0x00181030) + " " + scan.text(0x0008103E)).lower():
        return ("mr", "t1", "mprage", scanner(scan))
    if 400 < repetition < 2500 and echo < 20:
        return ("mr", "t1", scanner(scan))
    if repetition > 2500 and echo > 50:
        return ("mr", "t2", scanner(scan))
    if 0 < repetition < 50 and (1 < echo < 20 or 0 < echo < 0.1):
        return ("mr", "ute", "ute2" if echo > 1 else "ute1", scanner(scan))
    return None


def moment(text: str) -> datetime:
    """Read a date and a time; NIMPA raises where there is none."""
    return datetime.strptime(text, _FORMS["." in text])


def times(scan: Scan) -> list[datetime] | None:
    """Give the times of study, series and acquisition, and look whether the birth date is a date."""
    datetime.strptime(scan.text(0x00100030), "%Y%m%d")
    found = [(scan.text(0x00080020 + n), scan.text(0x00080030 + n)) for n in range(3)]
    return [moment(day + time) for day, time in found if day or time] or None


def radiopharmaceutical(scan: Scan) -> dict[str, bytes] | None:
    """Give all of the first item of the Radiopharmaceutical Information Sequence."""
    at = "0054,0016[0]/"
    return {path[len(at) :]: value for path, value in scan.raw.items() if path.startswith(at)} or None


def injection(scan: Scan) -> list[object] | None:
    """Read dose, half-life and fraction as numbers, and both times."""
    texts = {path: value.decode("latin-1").strip() for path, value in (radiopharmaceutical(scan) or {}).items()}
    if not texts:
        return None
    numbers = [float(texts[f"0018,{n}"]) for n in (1074, 1075, 1076)]
    return [*numbers, moment(texts["0018,1078"]), moment(texts["0018,1079"])]


# --- NIPET mmraux.py: lm_pos, hdr_lm, vh_bedpos, explore_input; mmrimg.py: get_hmupos


def series_header(scan: Scan) -> bytes | None:
    """Give the CSA series header from where the software version puts it, of raw data only."""
    if not scan.is_raw_data:
        return None
    version = scan.text(0x00181020)
    if version in _NEW:
        return scan.bytes_of(0x00291120) or None
    if version != _OLD:
        raise ValueError("unknown scanner software version")
    return scan.bytes_of(0x00291020) or scan.bytes_of(0x00291120) or None


def gantry_offset(scan: Scan) -> list[float] | None:
    """Give the last three numbers in 200 bytes from ``GantryOffset``, in cm; the oldest software flips them."""
    header = series_header(scan)
    match = re.search(rb"GantryOffset(?!_)", header) if header else None
    if header is None or match is None:
        return None
    found = re.findall(rb"-?\d.\d{4,10}", header[match.start() : match.start() + 200])
    return [(1 if scan.text(0x00181020) in _NEW else -1) * float(found[n]) / 10 for n in (-3, -2, -1)]


def table_origin(scan: Scan) -> list[float] | None:
    """Give three numbers from 200 bytes from ``TablePositionOrigin``, split at M, the 77 between items."""
    header = series_header(scan)
    at = header.find(b"TablePositionOrigin") if header else -1
    if header is None or at < 0:
        return None
    parts = re.sub(rb"[^a-zA-Z0-9\-]", b"", header[at : at + 200]).split(b"M")
    return [float(parts[n]) for n in (-1, -2, -3)]


def table_home(scan: Scan) -> list[list[bytes]] | None:
    """Give the candidates for the gantry table's offset in 300 bytes from each name, those of the mu-map."""
    header = scan.bytes_of(0x00291020)
    starts = [m.start() for m in re.finditer(rb"GantryTableHomeOffset(?!_)", header)]
    kept = [re.sub(rb"[^a-zA-Z0-9.\-]", b"", header[at : at + 300]) for at in starts]
    return [re.findall(rb"(?<=M)-*\d{1,4}\.\d{6,9}", text)[-3:] for text in kept] or None


def isotope_code(scan: Scan) -> bytes | None:
    """Give the code in 100 bytes from ``RadionuclideCodeSequence`` in the CSA series header."""
    header = series_header(scan) or b""
    at = header.find(b"RadionuclideCodeSequence")
    match = re.search(rb"(?<=CodeValue:)\S*", header[at : at + 100]) if at >= 0 else None
    return match.group() if match else None


def isotope(scan: Scan) -> str | None:
    """Give the isotope that the Interfile header names."""
    header = interfile(scan) or ""
    at = header.find("isotope name")
    found = re.findall(r"(?<=:=)\s*\S*", header[at : header.find("\n", at)]) if at >= 0 else []
    return found[0].replace("-", "").strip() if found else None


def bed(scan: Scan) -> list[float] | None:
    """Give the bed's positions, vertical and horizontal, in cm."""
    keys = (rf"start {way} bed position.*\d{{1,3}}\.*\d*" for way in ("vertical", "horizontal"))
    lines = [m.group() for m in (re.search(key, interfile(scan) or "") for key in keys) if m]
    return [0.1 * float(line[line.find("=") + 1 :]) for line in lines] or None


# --- pet-rd-tools MMR.hpp


def interfile_at(scan: Scan) -> str | None:
    """Tell where the Interfile header is: in (0029,1010), unless that holds SV10 or nothing."""
    first = scan.bytes_of(0x00291010)
    return _spelled(0x00291110 if not first or b"SV10" in first else 0x00291010) if scan.is_raw_data else None


def interfile(scan: Scan) -> str | None:
    """Give the Interfile header; NIPET decodes nothing but ASCII."""
    at = interfile_at(scan)
    return scan.raw[at].decode("ascii").rstrip("\0") if at else None


def word_count(scan: Scan) -> int | None:
    """Give the number of list-mode words that the header promises."""
    match = re.search(r"%total listmode word counts[^\n]*?([0-9]+)", interfile(scan) or "")
    return int(match[1]) if match else None


def payload_is_valid(scan: Scan) -> bool | None:
    """Tell whether the payload, in the file or beside it, has the length it should have."""
    if not scan.is_raw_data:
        return None
    words = word_count(scan)
    beside = scan.bf.stat().st_size if scan.bf.exists() else -1
    return (NORM_BYTES if words is None else 4 * words) in (len(scan.bytes_of(0x7FE11010)), beside)


def payloads(scan: Scan) -> list[str] | None:
    """Give digests of raw data, pixels and ``.bf``."""
    found = [
        scan.bytes_of(0x7FE11010),
        scan.bytes_of(0x7FE00010),
        scan.bf.read_bytes() if scan.bf.exists() else b"",
    ]
    return [hashlib.sha256(data).hexdigest() for data in found] if any(found) else None


READERS: tuple[Callable[[Scan], object], ...] = (
    classification, scanner, times, radiopharmaceutical, injection, gantry_offset, table_origin, table_home,
    isotope_code, isotope, bed, interfile_at, word_count, payload_is_valid, payloads,
)  # fmt: skip
