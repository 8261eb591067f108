"""What pydicom and a plain search find in the output of a program: what is left, lost and broken."""

from __future__ import annotations

import re
import struct
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pydicom
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

#: What identifies, by kind; UIDs and dates are known by their VR.
KEYWORDS = {
    "patient's name": "PatientName OtherPatientNames PatientBirthName PatientMotherBirthName",
    "patient's or visit's ID": "PatientID OtherPatientIDs AccessionNumber AdmissionID",
    "birth date": "PatientBirthDate",
    "institution": "InstitutionName InstitutionAddress InstitutionalDepartmentName",
    "physician or operator": "OperatorsName ReferringPhysicianName PerformingPhysicianName RequestingPhysician "
    "NameOfPhysiciansReadingStudy PhysiciansOfRecord ConsultingPhysicianName ContentCreatorName",
    "station or serial number": "StationName DeviceSerialNumber PerformedStationName",
}
_KINDS = {keyword: kind for kind, keywords in KEYWORDS.items() for keyword in keywords.split()}
UID, DATE = "original UID", "original date"
KINDS = (*KEYWORDS, UID, DATE)

#: Not the name of anybody: files that were de-identified before, and what programs write.
_NOBODY = re.compile(
    r"(anon\w*|unknown|none|no[ _^]?name|n/?a|removed|deleted|x+)[\W\d]*|[0\W]*|19000101", re.IGNORECASE
)
_INSTANCES = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_STANDARD = "1.2.840.10008."
PIXELS = 0x7FE00010
_PAYLOAD = 1024  # bytes from which on a private value counts as a payload

Key: TypeAlias = "tuple[int, ...]"
Values: TypeAlias = "dict[str, set[str]]"
Census: TypeAlias = "dict[str, list[dict[str, Any]]]"


class Sample:
    """One file, and what pydicom reads of it.

    Attributes
    ----------
    values : dict of str to (str, object)
        VR and value of every element at every depth, by tags and numbers of items.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.dataset = pydicom.dcmread(path)
            self.values = dict(_walk(self.dataset.file_meta, ())) | dict(_walk(self.dataset, ()))

    def uids(self) -> dict[Key, str]:
        """Give all UIDs of instances, series and so on: no classes, no syntaxes, no programs."""
        found = {key: str(v) for key, (vr, v) in self.values.items() if vr == "UI" and isinstance(v, str) and v}
        return {key: uid for key, uid in found.items() if not uid.startswith(_STANDARD) and not _is_class(key)}

    def own_uids(self) -> dict[Key, str]:
        """Give those of the dataset alone: what the file meta information says may be put right by a program."""
        return {key: uid for key, uid in self.uids().items() if key[0] >> 16 != 2}

    def dates(self) -> dict[Key, str]:
        """Give the days of all dates but births, YYYYMMDD."""
        found = {key: str(value)[:8] for key, (vr, value) in self.values.items() if vr in ("DA", "DT")}
        days = {k: day for k, day in found.items() if re.fullmatch(r"(19|20)\d{6}", day) and kind_of(k) is None}
        return {key: day for key, day in days.items() if not _NOBODY.fullmatch(day)}

    def private(self) -> dict[tuple[Any, ...], Any]:
        """Give the private values by place and creator; a creator's block may move."""
        return {
            (*key[:-1], key[-1] >> 16, key[-1] & 0xFF, self._creator(key)): value
            for key, (_, value) in self.values.items()
            if key[-1] >> 16 & 1 and key[-1] & 0xFFFF > 0xFF
        }

    def _creator(self, key: Key) -> str:
        tag = key[-1] & 0xFFFF0000 | key[-1] >> 8 & 0xFF
        return str(self.values.get((*key[:-1], tag), ("", ""))[1]).strip()


def _walk(dataset: Dataset, above: Key) -> Iterator[tuple[Key, tuple[str, Any]]]:
    for element in dataset:
        key = (*above, int(element.tag))
        if element.VR == "SQ":
            for i, item in enumerate(element.value):
                yield from _walk(item, (*key, i))
        else:
            yield key, (element.VR, element.value)


def _is_class(key: Key) -> bool:
    return bool(re.search("Class|Syntax|Implementation|CodingScheme|ContextUID|CreatorVersion", _keyword(key)))


def _keyword(key: Key) -> str:
    return pydicom.datadict.keyword_for_tag(key[-1])


def kind_of(key: Key) -> str | None:
    return _KINDS.get(_keyword(key))


def identifying(sample: Sample, census: Census, name: str) -> Values:
    """Give what identifies in a file, by kind: as pydicom reads it, and as the census has it.

    What has fewer than four letters, is a placeholder or stands in the maker's name too tells of nobody.
    """
    found: Values = defaultdict(set)
    for key, (_, value) in sample.values.items():
        for one in value if isinstance(value, MultiValue) else [value]:
            if kind_of(key):
                found[kind_of(key) or ""].add(str(one).strip())
    for row in census.get(name, ()):
        for keyword in row["keywords"]:
            if keyword in _KINDS and row["class"] == "id":
                found[_KINDS[keyword]].add(row["value"].strip())
    made = " ".join(str(sample.dataset.get(k, "")).lower() for k in ("Manufacturer", "ManufacturerModelName"))
    found = {
        kind: {v for v in values if len(v) > 3 and not _NOBODY.fullmatch(v) and v.lower() not in made}
        for kind, values in found.items()
    }
    found[UID], found[DATE] = set(sample.uids().values()), set(sample.dates().values())
    return found


# what is left


def left(data: bytes, values: Values) -> set[str]:
    """Give the kinds of which a value stands in some bytes: any case, joint of names, form of dates, encoding."""
    return {kind for kind in KINDS if any(_pattern(kind, one).search(data) for one in values.get(kind, ()))}


def _pattern(kind: str, value: str) -> re.Pattern[bytes]:
    forms = [value]
    if kind in ("birth date", DATE):
        year, month, day = value[:4], value[4:6], value[6:8]
        forms += [f"{year}{c}{month}{c}{day}" for c in ":-./"] + [f"{day}.{month}.{year}", f"{month}/{day}/{year}"]
    elif "name" in kind or "physician" in kind:
        parts = [part for part in re.split(r"[\^=]", value) if part.strip()]
        forms += [joint.join(parts) for joint in (" ", ", ", ",", "_", "^")]
        forms += [joint.join(parts[1::-1]) for joint in (" ", "_")]
    encoded = (_encoded(form) for form in dict.fromkeys(forms))
    return re.compile(b"|".join(one for some in encoded for one in some), re.IGNORECASE)


def _encoded(form: str) -> Iterator[bytes]:
    """Give patterns of a text that stands by itself; a date may have a time behind it, a UID no more digits."""
    dated = rb"(?=\d{6}|\d{4}(?!\d)|(?!\d))" if re.fullmatch(r"\d{8}", form) else rb"(?![0-9A-Za-z]|\.\d)"
    before = rb"(?<![0-9.])" if form[0].isdigit() else rb"(?<![0-9A-Za-z])"
    for codec in ("latin-1", "utf-8", "utf-16-le", "utf-16-be"):
        data = re.escape(form.encode(codec, "replace"))
        yield data if codec.startswith("utf-16") else before + data + dated


# what is broken, and what is kept


def measured(olds: dict[str, Sample], folder: Path, values: dict[str, Values]) -> Counter[str]:
    """Measure the outputs in a folder, each against the file of its name."""
    found: Counter[str] = Counter()
    maps: dict[str, Counter[str]] = defaultdict(Counter)
    for name, old in olds.items():
        if not (folder / name).is_file():
            continue
        found.update(f"left: {kind}" for kind in left((folder / name).read_bytes(), values[name]))
        try:
            new = Sample(folder / name)
        except Exception:  # noqa: BLE001  # whatever it is, pydicom can't read what a program wrote
            found["unreadable"] += 1
            continue
        found.update(kept(old, new))
        after = new.own_uids()
        for key, uid in old.own_uids().items():
            if key in after:
                maps[uid][after[key]] += 1
    found["links"] = sum(len(news) == 1 and news.total() > 1 for news in maps.values())
    found["several"] = sum(len(news) > 1 for news in maps.values())
    found["merged"] = sum(count > 1 for count in Counter(new for news in maps.values() for new in news).values())
    return found


def kept(old: Sample, new: Sample) -> Counter[str]:
    """Count what one file keeps and loses."""
    found: Counter[str] = Counter()
    before, after = old.private(), new.private()
    found["private"] = len(before.keys() & after.keys())
    csa = {key for key in before if key[-1] == "SIEMENS CSA HEADER" and key[-2] in (0x10, 0x20)}
    found["CSA"] = sum(tags_of_csa(before[key]) == tags_of_csa(after.get(key)) is not None for key in csa)
    payloads = [k for k in before.keys() - csa if isinstance(before[k], bytes) and len(before[k]) >= _PAYLOAD]
    found["payloads"] = sum(_size(before[key]) == _size(after.get(key)) for key in payloads)
    found["payloads same"] = sum(before[key] == after.get(key) for key in payloads)
    if PIXELS in old.dataset:
        found["pixels"] = old.dataset[PIXELS].value == new.dataset.get("PixelData")
    lost = [k for k in _INSTANCES if old.dataset.get(k) and not new.dataset.get(k)]
    found["no instance"] = bool(lost)
    found["meta"] = _agrees(old) and not _agrees(new)
    found["dates"] = len({k for k, v in old.dates().items() if new.dates().get(k)})
    return found


def _size(value: object) -> int | None:
    return len(value) if isinstance(value, bytes) else None


def _agrees(sample: Sample) -> bool:
    """Say whether the file meta information names the instance that the dataset is."""
    meta = sample.dataset.file_meta.get("MediaStorageSOPInstanceUID")
    return meta is not None and meta == sample.dataset.get("SOPInstanceUID")


def tags_of_csa(csa: Any) -> list[tuple[bytes, list[int]]] | None:
    """Give the tags of a CSA header of the newer form with the lengths of their items, as nibabel describes it.

    None if it is of another form, or contradicts itself.
    """
    if not isinstance(csa, bytes) or csa[:4] != b"SV10":
        return None
    try:
        return _tags(csa)
    except struct.error:
        return None


def _tags(csa: bytes) -> list[tuple[bytes, list[int]]]:
    found, at = [], 16
    for _ in range(struct.unpack_from("<I", csa, 8)[0]):
        name, count = csa[at : at + 64].split(b"\0")[0], struct.unpack_from("<i", csa, at + 76)[0]
        at += 84
        lengths = []
        for _ in range(count):
            lengths.append(struct.unpack_from("<I", csa, at + 4)[0])
            at += 16 + -(-lengths[-1] // 4) * 4
        found.append((name, lengths))
    return found
