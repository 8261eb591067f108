"""The synthetic study is what readers written by others take it for, and the patient is where it says."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import struct
import warnings
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pydicom.config
import pytest
from csa_header import CsaHeader

from fastanon.synthetic import Person, Study, make_listmode, make_slice, make_study, planted_forms
from fastanon.synthetic.packed import unpack
from fastanon.synthetic.payload import payload_of
from fastanon.synthetic.words import BINS, listmode_block, norm

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nibabel calls its own DICOM readers experimental
    from nibabel.nicom import csareader
    from nibabel.nicom.csareader import get_csa_header

WORDS = 1 << 18
NIPET_SOFTWARE = ("syngo MR B18P", "syngo MR B20P", "syngo MR E11")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return make_study(tmp_path_factory.mktemp("study"), listmode_bytes=4 * WORDS, slices=3)


def with_csa(study: Study) -> list[Path]:
    """List the DICOM files with CSA headers that begin with SV10."""
    files = (*study.listmode, *study.norm, *study.umap, *study.t1, *study.report)
    return [path for path in files if path.suffix != ".bf"]


def dicoms(study: Study) -> list[Path]:
    return [*with_csa(study), *study.older, *study.xa]


def streams(study: Study) -> list[bytes]:
    """Cut the DICOM streams out of both ptd, by the flavor's own marks."""
    large, dummy = (path.read_bytes() for path in study.ptd)
    size = struct.unpack("<i", large[-24:-20])[0]
    assert large.endswith(b"LARGE_PET_LM_RAWDATA")
    assert dummy[:10] + dummy[-4:] == b"dummy dataEND!"
    return [large[len(large) - 24 - size : -24], dummy[10:-4]]


def block(dataset: pydicom.Dataset, group: int, creator: str) -> pydicom.dataset.PrivateBlock:
    return dataset.private_block(group, creator)


def csa_headers(study: Study) -> Iterator[tuple[pydicom.Dataset, str, bytes]]:
    for path in with_csa(study):
        dataset = pydicom.dcmread(path)
        found = block(dataset, 0x0029, "SIEMENS CSA HEADER")
        yield dataset, "image", found[0x10].value
        yield dataset, "series", found[0x20].value


def interfile(path: Path) -> str:
    found = block(pydicom.dcmread(path), 0x0029, "SIEMENS CSA NON-IMAGE")
    return found[0x10].value.rstrip(b"\0").decode("ascii")


def digests(study: Study) -> dict[str, str]:
    return {
        str(p.relative_to(study.folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(study.files)
    }


def test_pydicom_finds_nothing_to_complain_of(study, monkeypatch):
    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.RAISE)
    for path in [*dicoms(study), *map(BytesIO, streams(study))]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dataset = pydicom.dcmread(path)
            elements = [(e.tag, e.VR, e.value) for e in dataset.iterall()]
        assert len(elements) > 100
        assert dataset.PatientName == Person().name
        assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID


def test_every_object_has_its_own_uid(study):
    files = [*dicoms(study), *map(BytesIO, streams(study))]
    uids = [pydicom.dcmread(file, specific_tags=["SOPInstanceUID"]).SOPInstanceUID for file in files]
    assert len(set(uids)) == len(uids)


def test_csa_headers_stand_in_either_block(study):
    first = {pydicom.dcmread(path)[0x00290010].value for path in (study.umap[0], study.norm[0])}
    other = {pydicom.dcmread(path)[0x00290011].value for path in (study.t1[0], study.listmode[0])}
    assert first == other == {"SIEMENS CSA HEADER"}


@pytest.mark.filterwarnings("ignore:ast:DeprecationWarning")  # csa_header, from Python 3.12
def test_two_readers_agree_on_the_csa_headers(study):
    for dataset, kind, raw in csa_headers(study):
        theirs, others = get_csa_header(dataset, kind)["tags"], CsaHeader(raw).read()
        assert list(theirs) == list(others)
        assert len(theirs) in {"image": range(83, 102), "series": range(65, 80)}[kind]
        for name, tag in theirs.items():
            values = others[name]["value"]
            if name != "MrPhoenixProtocol":
                listed = values if isinstance(values, list) else [v for v in [values] if v is not None]
                assert tag["items"] == listed or (tag["vm"] == 0 and tag["items"][: len(listed)] == listed)
            else:
                assert values["tPatientName"] == Person().name
                assert len(values["sCoilSelectMeas"]["aRxCoilSelectData"][0]["asList"]) == 48


def test_series_headers_begin_with_the_weight(study):
    for dataset, kind, raw in csa_headers(study):
        if kind == "series":
            assert next(iter(get_csa_header(dataset, kind)["tags"])) == "UsedPatientWeight"
            assert raw[16:].startswith(b"UsedPatientWeight\0")


def test_protocol_doubles_quotes_in_strings(study):
    text = get_csa_header(pydicom.dcmread(study.t1[0]), "series")["tags"]["MrPhoenixProtocol"]["items"][0]
    name = Person().name
    for quotes in ('"', '""', '""""'):
        assert re.search(rf'(?<!"){quotes}{re.escape(name)}{quotes}(?!")', text)
    assert "\r" not in text
    assert 40_000 < len(text) < 100_000
    assert text.count("{") == text.count("}")


def test_nipet_finds_where_the_table_was(study):
    for path in (study.listmode[0], study.listmode[2]):
        dataset = pydicom.dcmread(path)
        assert dataset[0x0018, 0x1020].value in NIPET_SOFTWARE
        text = dataset[0x0029, 0x1120].value
        start = re.search(b"GantryOffset(?!_)", text).start()
        offset = re.findall(rb"-?\d.\d{4,10}", text[start : start + 200])[-3:]
        assert [float(x) for x in offset] == [-0.1309, -1.5043, 3.395]
        start = text.find(b"TablePositionOrigin")
        origin = re.sub(rb"[^a-zA-Z0-9\-]", b"", text[start : start + 200]).split(b"M")
        assert [float(x) for x in origin[-3:]] == [0, 0, -1252]
        start = text.find(b"RadionuclideCodeSequence")
        assert re.search(rb"(?<=CodeValue:)\S*", text[start : start + 100]).group() == b"C-111A1"


def test_table_offset_of_the_mu_map_is_found(study):
    text = pydicom.dcmread(study.umap[0])[0x0029, 0x1020].value.decode("latin-1")
    start = re.search("GantryTableHomeOffset(?!_)", text).start()
    kept = re.sub(r"[^a-zA-Z0-9\-.]", "", text[start : start + 300])
    first = re.search(r"(?<=M)-*\d{1,4}\.\d{6,9}", kept).start()
    assert [float(x) for x in kept[first:].split("M")[:2]] == [-0.5, -0.75]


def test_nimpa_knows_what_each_file_is(study):
    kinds = {
        study.listmode[0]: ("PET_LISTMODE", "Listmode"),
        study.listmode[2]: ("PET_LISTMODE", "Listmode"),
        study.norm[0]: ("PET_NORM", "PET Normalization data"),
        study.umap[0]: ("MRPET_UMAP3D", "MR based umap"),
    }
    for path, (kind, comment) in kinds.items():
        dataset = pydicom.dcmread(path)
        assert kind in dataset.ImageType
        assert dataset.ImageComments == comment
        assert "mMR" in dataset.ManufacturerModelName


def test_interfile_counts_the_words(study):
    for path in (study.listmode[0], study.listmode[2]):
        lines = interfile(path).split("\n")
        assert lines[0] == "!INTERFILE:="
        assert f"%total listmode word counts:={WORDS}" in lines
        assert "\r" not in "".join(lines)


def test_norm_has_its_size_and_line_ends(study):
    assert study.norm[1].stat().st_size == 323_404
    factors = np.fromfile(study.norm[1], "<f4")
    assert factors.min() >= 0.5
    assert factors.max() < 1.5
    assert all(line.endswith("\r\r") for line in interfile(study.norm[0]).split("\n")[:-1])


def test_list_mode_words_are_events_and_tags(study):
    assert study.listmode[1].stat().st_size == 4 * WORDS
    words = np.fromfile(study.listmode[1], "<u4")
    events, tags = words[words < 1 << 31], words[words >= 1 << 31]
    assert (events & 0x3FFFFFFF).max() < BINS
    prompts = np.count_nonzero(events >> 30) / len(events)
    assert 0.63 < prompts < 0.67
    times = tags[tags >> 29 == 0b100] & 0x1FFFFFFF
    assert (times == np.arange(len(times))).all()
    singles = tags[tags >> 29 == 0b101]
    assert len(times) + len(singles) == len(tags)
    assert ((singles >> 19 & 0x3FF) < 224).all()


def test_the_payload_is_the_same_inside_and_beside(study):
    dataset = pydicom.dcmread(study.listmode[2])
    payload = list(dataset)[-1]
    assert payload.tag == 0x7FE11010
    assert payload.value == study.listmode[1].read_bytes()
    assert not list(pydicom.dcmread(study.listmode[0]))[-1].value


def test_slack_of_tag_names_holds_the_patient_whole_and_cut_off(study):
    name = Person().name.encode()
    for _, _, raw in csa_headers(study):
        slack = list(slack_of(raw))
        assert sum(map(bool, slack)) > 50
        assert any(name in s for s in slack)
        assert any(name not in s and name[:10] in s for s in slack)
        assert any(name not in s and name[6:] in s for s in slack)
        assert any(b'<Visible> "true"' in s for s in slack)


def slack_of(raw: bytes) -> Iterator[bytes]:
    assert raw.startswith(b"SV10\4\3\2\1")
    tags, at = struct.unpack_from("<I", raw, 8)[0], 16
    for _ in range(tags):
        yield raw[at : at + 64].partition(b"\0")[2].strip(b"\0")
        items = struct.unpack_from("<I", raw, at + 76)[0]
        at += 84
        for _ in range(items):
            size = struct.unpack_from("<4i", raw, at)
            assert size in ((size[0], size[0], 77, size[0]), (0, 0, 205, 0))
            at += 16 + -(-size[0] // 4) * 4
    assert raw[at:] == bytes(4)


@pytest.mark.filterwarnings("ignore:ast:DeprecationWarning")  # csa_header, from Python 3.12
def test_two_readers_find_the_same_in_older_csa_headers(study):
    """Both take the items of the second tag for those of the first, so an empty tag is put in front."""
    older, newer = pydicom.dcmread(study.older[0]), pydicom.dcmread(study.t1[0])
    empty = struct.pack("<64si4siii", b"Empty", 1, b"IS", 6, 0, 205)
    for offset, others in ((0x10, set()), (0x20, {"MrPhoenixProtocol", "RepresentativeImage"})):
        old, new = (block(d, 0x0029, "SIEMENS CSA HEADER")[offset].value for d in (older, newer))
        count = struct.unpack_from("<2I", old)
        assert count == struct.unpack_from("<2I", new, 8)
        shifted = struct.pack("<2I", count[0] + 1, 77) + empty + old[8:]
        theirs, ours = csareader.read(shifted)["tags"], csareader.read(new)["tags"]
        assert list(theirs) == ["Empty", *ours]
        assert {name for name in ours if theirs[name]["items"] != ours[name]["items"]} == others
        theirs, ours = CsaHeader(shifted).read(), CsaHeader(new).read()
        assert {name for name in ours if theirs[name]["value"] != ours[name]["value"]} == others


def test_an_older_header_adds_the_items_of_the_first_tag_to_lengths(study):
    raw = block(pydicom.dcmread(study.older[0]), 0x0029, "SIEMENS CSA HEADER")[0x10].value
    first = struct.unpack_from("<I", raw, 8 + 76)[0]
    x = struct.unpack_from("<4i", raw, 8 + 84)
    assert (first, x) == (6, (9 + 6, 9, 77, 9))
    assert raw[8 + 100 : 8 + 109] == b"128     \0"


def test_drawings_are_quoted_and_spelled_in_numbers(study):
    text = block(pydicom.dcmread(study.older[0]), 0x0029, "SIEMENS MEDCOM OOG")[0x10].value.decode("latin-1")
    assert text.startswith("STEP;\nHEADER;\n")
    assert text.rstrip("\0").endswith("ENDSEC;\nENDSTEP;\n")
    strings = [found.replace("''", "'") for found in re.findall(r"'((?:[^'\n]|'')*)'", text)]
    assert {Person().listed, Person().patient_id, f"for Dr. {Person().physician}"} <= set(strings)
    codes = re.search(r"CsaGraphicText\(.*?\(([\d, ]+), 0\)", text)[1]
    assert bytes(map(int, codes.split(", "))) == b"Sag>Cor -12"


def test_packed_texts_are_packed(study):
    path = study.report[0]
    dataset = pydicom.dcmread(path)
    archive = block(dataset, 0x0029, "SIEMENS CSA NON-IMAGE")[0x10].value
    with zipfile.ZipFile(BytesIO(archive)) as opened:
        assert opened.testzip() is None
        packed = [opened.read(name) for name in opened.namelist()]
    landmarks = get_csa_header(dataset, "image")["tags"]["ExamLandmarks"]["items"][0]
    texts = [b"\0".join(packed), base64.b64decode(landmarks, validate=True)]
    assert unpack(path.read_bytes()) == texts
    assert all(Person().name.encode() in text for text in texts)


def test_xa_has_the_protocol_where_real_files_have_it(study):
    classic, enhanced = map(pydicom.dcmread, study.xa)
    shared = enhanced.SharedFunctionalGroupsSequence[0]
    nested = block(shared, 0x0021, "SIEMENS MR SDS 01")[0xFE].value[0]
    for dataset in (classic, nested):
        found = block(dataset, 0x0021, "SIEMENS MR SDS 01")[0x19]
        assert (found.tag, found.VR) == (0x00211019, "OB")
        assert found.value.startswith(b"<XProtocol>")
        assert f'""{Person().name}""'.encode() in found.value
    assert not any(e.tag.group == 0x0029 for d in (classic, enhanced) for e in d)
    assert enhanced.NumberOfFrames == len(enhanced.PerFrameFunctionalGroupsSequence) == len(enhanced.pixel_array)


def test_payloads_are_what_is_no_text(study):
    words = 1 << 18
    assert payload_of(study.listmode[1]) == payload_of(study.listmode[2]) == study.listmode[1].read_bytes()
    assert payload_of(study.t1[0]) == pydicom.dcmread(study.t1[0]).PixelData
    assert payload_of(study.ptd[0]) == listmode_block(0, words)
    assert [len(payload_of(path)) for path in study.twix] == [65536, 2 * 65536]
    assert len(payload_of(study.rda[0])) == 1024 * 16
    for header, data in zip(study.interfile[::2], study.interfile[1::2], strict=True):
        assert (payload_of(header), payload_of(data)) == (b"", data.read_bytes())
    forms = [form for forms in planted_forms(Person()).values() for form in forms]
    assert not any(form in payload_of(path) for path in study.files for form in forms)


@pytest.mark.parametrize(
    "person",
    [
        Person(),
        Person(name="M\xdcLLER^ANNA", physician="GAR\xc7ON"),
        Person(name="O'BRIEN^MARY"),
        Person(name="MADONNA"),
        Person(name="X" * 40 + "^" + "Y" * 23),
        Person(name="LEE^TIM^MAX^Dr.^jun."),
    ],
    ids=["default", "umlaut", "apostrophe", "single", "long", "suffix"],
)
def test_every_spelling_stands_somewhere(tmp_path, person):
    study = make_study(tmp_path, person, listmode_bytes=4096, slices=1)
    data = b"".join(path.read_bytes() for path in study.files)
    names = "\n".join(path.name for path in study.files).encode()
    for forms in planted_forms(person).values():
        for form in forms:
            assert form in data or form in names, form
    for path in dicoms(study):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dataset = pydicom.dcmread(path)
            assert len(list(dataset.iterall())) > 100
        assert dataset.PatientName == person.name
        if path in with_csa(study):
            tags = get_csa_header(dataset, "series")["tags"]
            assert person.name in tags["MrPhoenixProtocol"]["items"][0]


@pytest.mark.parametrize(
    "wrong",
    [{"name": "A\\B"}, {"name": ""}, {"name": "\u5c71\u7530"}, {"birth_date": "1954"}, {"accession": "A" * 17}],
)
def test_person_must_fit_the_elements(wrong):
    with pytest.raises(ValueError, match="|".join(wrong)):
        Person(**wrong)


def test_datain_names_what_is_there(study):
    paths = {k: Path(v) for k, v in study.datain.items() if isinstance(v, str)}
    assert all(path.exists() for path in paths.values())
    assert paths["lm_bf"] == paths["lm_dcm"].with_suffix(".bf")
    for key in ("mumapDCM", "T1DCM"):
        assert len(list(paths[key].iterdir())) == study.datain[f"#{key}"] == 3
    assert sorted(study.files) == sorted(p for p in study.folder.rglob("*") if p.is_file())


def test_every_run_gives_the_same_bytes(study, tmp_path):
    again = make_study(tmp_path, listmode_bytes=4 * WORDS, slices=3)
    assert digests(again) == digests(study)


def test_numbers_are_those_of_every_machine():
    assert hashlib.sha256(listmode_block(0, 100_000)).hexdigest()[:16] == "65796ea1584bfa54"
    assert hashlib.sha256(norm()).hexdigest()[:16] == "e82af854451c18f4"


def test_default_study_has_sixty_megabytes(tmp_path):
    study = make_study(tmp_path)
    assert 50e6 < sum(path.stat().st_size for path in study.files) < 70e6
    assert len(study.files) == 5 + 24 + 24 + 15
    assert sum(path.stat().st_size for path in study.files[53:]) < 6e6


def test_slice_for_benchmarks(tmp_path):
    path = make_slice(tmp_path / "slice.dcm")
    assert 480_000 < path.stat().st_size < 520_000
    dataset = pydicom.dcmread(path)
    assert dataset.pixel_array.shape == (448, 448)
    assert 150 < len(list(dataset.iterall())) < 180


@pytest.mark.parametrize("repeat", [True, False])
def test_blocks_repeat_only_when_asked(tmp_path, repeat):
    path = make_listmode(tmp_path / "x.IMA", 20 << 20, repeat=repeat)
    payload = pydicom.dcmread(path)[0x7FE11010].value
    assert len(payload) == 20 << 20
    block = 8 << 20
    assert (payload[:block] == payload[block : 2 * block]) is repeat
    assert payload[: 4 << 20] != payload[4 << 20 : block]


def test_sparse_payload_reaches_the_limit_of_an_element(tmp_path):
    path = make_listmode(tmp_path / "x.IMA", 0xFFFFFFFC, sparse=True)
    status = path.stat()
    assert status.st_size > 1 << 32
    assert status.st_blocks * 512 < 1 << 20
    with path.open("rb") as file:
        assert struct.pack("<HH2sHI", 0x7FE1, 0x1010, b"OB", 0, 0xFFFFFFFC) in file.read(1 << 20)


@pytest.mark.parametrize("size", [0, 6, -4, 1 << 32])
def test_payload_must_be_words_that_fit(tmp_path, size):
    with pytest.raises(ValueError, match="payload_bytes"):
        make_listmode(tmp_path / "x.IMA", size, sparse=True)
    assert not any(tmp_path.iterdir())


def test_maker_uses_nothing_else_of_fastanon():
    folder = Path(__file__).parents[1] / "fastanon" / "synthetic"
    lines = itertools.chain.from_iterable(p.read_text().splitlines() for p in folder.glob("*.py"))
    imports = [line for line in lines if re.match(r"\s*(from|import) fastanon", line)]
    assert imports
    assert all("from fastanon.synthetic" in line for line in imports)
