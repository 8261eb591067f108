"""Protocol text: which strings are text, whose they are, and what becomes of a text that is broken."""

from __future__ import annotations

import functools
import re
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pydicom
import pytest
from csa_header.ascii.ascconv import parse_ascconv as csa_header_ascconv
from hypothesis import given, settings
from hypothesis import strategies as st

from fastanon.fields import Space, Text
from fastanon.limits import limited
from fastanon.siemens import protocol
from fastanon.siemens.protocol_keys import is_kept
from fastanon.synthetic.person import Person
from fastanon.synthetic.protocol import ascconv, nested, phoenix_protocol, registration
from tests.corpus import corpus_folder
from tests.niftypet import anonymize
from tests.siemens_files import Study, dataset, even, save, sv10

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nibabel says that its DICOM readers are experimental
    from nibabel.nicom.ascconv import parse_ascconv as nibabel_ascconv
    from nibabel.nicom.csareader import read as read_csa

NAME = b"DOE^JANE"
NAMED = '<ParamString."tPatientName"> { "DOE^JANE" }'
SYNTHETIC = {
    "phoenix": phoenix_protocol(Person(), "1.3.12.2.1107.5.2.38.1", "t1").encode("latin-1"),
    "registration": registration(Person()).encode("latin-1"),
    "ascconv": ascconv(Person(), "1.3.12.2.1107.5.2.38.1", "t1").encode("latin-1"),
    "two quotes": nested(registration(Person())).encode("latin-1"),
    "four quotes": nested(nested(registration(Person()))).encode("latin-1"),
}


def corpus_texts() -> Iterator[tuple[str, bytes]]:
    folder = corpus_folder()
    if folder is None:
        return
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        if data.startswith(b"### ASCCONV"):
            yield path.name, data
        elif protocol.is_protocol(data):
            yield from ((f"{path.name} {name}", text) for name, text in texts_in(data))


def texts_in(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Find protocols in twix buffers, in CSA headers, in what NumarisX writes, and in DICOM files."""
    if data[:4] == b"SV10":
        for name, tag in read_csa(data)["tags"].items():
            for item in tag["items"]:
                text = item if isinstance(item, bytes) else str(item).encode("latin-1")
                if protocol.is_protocol(text):
                    yield name, text
    elif b"DICM" in data[:132]:
        for name, value in bulk_in(data):
            yield from ((f"{name} {inner}", text) for inner, text in texts_in(value))
    elif data[:4] == b"\0\0\0\0":
        for buffer in re.finditer(rb"(\w+)\0(.{4})(?=<XProtocol>|### ASCCONV)", data, re.DOTALL):
            yield buffer[1].decode(), data[buffer.end() : buffer.end() + int.from_bytes(buffer[2], "little")]
    elif protocol.is_protocol(data):
        yield "", data


def bulk_in(data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        elements = list(pydicom.dcmread(pydicom.filebase.DicomBytesIO(data)).iterall())
    except NotImplementedError:  # a file whose private elements have no real VR
        return
    for element in elements:
        if isinstance(element.value, bytes) and protocol.is_protocol(element.value):
            yield str(element.tag), element.value


@functools.cache
def all_texts() -> dict[str, bytes]:
    return SYNTHETIC | dict(corpus_texts())


@functools.cache
def real_xprotocols() -> dict[str, bytes]:
    """Give all but those that are escaped in XML: what stands in PhoenixZIP."""
    return {name: text for name, text in all_texts().items() if not text.startswith(b"<?xml")}


def found(data: bytes | str, base: int = 0) -> list[tuple[str, bytes]]:
    """Give path and value of each field, the path without what was handed in."""
    if isinstance(data, str):
        data = data.encode("latin-1")
    fields = protocol.fields(data, base, Space(), ("text",))
    spans = [(f.value[0] - base, f.value[1] - base) for f in fields]
    assert all(f.key[0] == "text" and f.outer == f.value and f.fixed for f in fields)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    return [("/".join(f.key[1:]), data[slice(*span)]) for f, span in zip(fields, spans, strict=True)]


def assert_whole(data: bytes) -> None:
    assert b"".join(data[t.start : t.end] for t in protocol.tokens(data)) == data
    assert all(t.start < t.end for t in protocol.tokens(data))


def quoted(text: str) -> Iterator[str]:
    """Read all that stands in quotes as simply as can be: quote by quote, texts inside by calling itself."""
    parts, inside = [""], False
    for char in text:
        if char == '"':
            inside = not inside
            parts.append("")
        else:
            parts[-1] += char
    assert not inside
    at = 1
    while at < len(parts):
        value = parts[at]
        while at + 2 < len(parts) and parts[at + 1] == "":  # two quotes without anything between
            value += '"' + parts[at + 2]
            at += 2
        if re.match(r"\s*<(XProtocol>|Param\w+\.\")|(?s:.*)### ASCCONV BEGIN", value):
            yield from quoted(value)
        else:
            yield value
        at += 2


def strings_of(text: bytes) -> Iterator[str]:
    """Give the same by tokens."""
    for token in protocol.tokens(text):
        if token.kind == "string":
            value = text[token.start + token.quotes : token.end - token.quotes]
        elif token.kind == "tag" and token.name is not None:
            value = token.name.encode("latin-1")
        else:
            continue
        yield value.replace(b'"' * 2 * token.quotes, b'"').decode("latin-1")


def test_tokens_are_all_bytes() -> None:
    for text in all_texts().values():
        assert_whole(text)


def test_quotes_pair_as_a_reader_of_single_characters_pairs_them() -> None:
    for name, text in real_xprotocols().items():
        quotes = 1 if b'"' in text.replace(b'""', b"") else 4 if b'"' not in text.replace(b'"' * 4, b"") else 2
        plain = text.decode("latin-1").replace('"' * quotes, '"')
        assert list(strings_of(text)) == list(quoted(plain)), name
    assert corpus_folder() is None or len(real_xprotocols()) > 30


def is_broken(text: bytes) -> bool:
    return any(field.broken for field in protocol.fields(text, 0, Space(), ()))


def test_real_texts_are_not_broken() -> None:
    assert [name for name, text in real_xprotocols().items() if is_broken(text)] == []
    kinds = {token.kind for text in real_xprotocols().values() for token in protocol.tokens(text)}
    assert "loose" not in kinds


def test_what_xml_escapes_is_text_without_structure() -> None:
    text = b'<?xml version="1.0" ?><A Data="&lt;XProtocol&gt; ### ASCCONV BEGIN ###"><S>DOE^JANE</S></A>'
    assert protocol.is_protocol(text)
    assert found(text) == [("", text)]


def flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Give path and value of each string; indices at its end left out."""
    if isinstance(value, str) and value:
        yield re.sub(r"(\[\d+\])+$", "", path), value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from flat(inner, f"{path}[{i}]")


def ascconv_strings(text: bytes) -> Counter[tuple[str, str]]:
    """Give the fields of the assignments, by their full names."""
    start, end = text.index(b"### ASCCONV BEGIN"), text.index(b"### ASCCONV END")
    mine: Counter[tuple[str, str]] = Counter()
    for field in protocol.fields(text, 0, Space(), ("text",)):
        assert field.text is not None
        if start < field.value[0] < end and field.key[-1] != "#" and field.text.quotes:
            before = text[text.rindex(b"\n", 0, field.value[0]) : field.value[0]]
            mine[".".join(field.key[-1 - (b"." in before) :]), text[slice(*field.value)].decode("latin-1")] += 1
    return mine


def ascconv_texts() -> Iterator[tuple[bytes, str, str]]:
    """Give texts with assignments, each decoded, and how its strings are quoted."""
    for text in real_xprotocols().values():
        begins = re.search(rb'### ASCCONV BEGIN.*?= *\t? *("+)[^"]', text, re.DOTALL)
        if begins and b"### ASCCONV END" in text and b'"' * 4 not in text[begins.start() :]:
            yield text, text.decode("latin-1"), begins[1].decode()


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="csa_header reads with classes that Python 3.14 dropped")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_assignments_are_those_of_csa_header() -> None:
    for text, decoded, quotes in ascconv_texts():
        theirs = Counter(flat(csa_header_ascconv(decoded, quotes)[0]))
        assert ascconv_strings(text) == Counter(
            {k: n for k, n in theirs.items() if not is_kept(k[0].rpartition(".")[2])}
        )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_assignments_are_those_of_nibabel() -> None:
    for text, decoded, quotes in ascconv_texts():
        part = decoded[decoded.index("### ASCCONV BEGIN") :]
        part = re.sub(r"\n[^\n=]*(__attribute__|\.\d+\s)[^\n]*", "", part)  # which it can't read
        theirs = Counter(flat(nibabel_ascconv(part, quotes)[0]))
        assert ascconv_strings(text) == Counter(
            {k: n for k, n in theirs.items() if not is_kept(k[0].rpartition(".")[2])}
        )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (NAMED, [("tPatientName", NAME)]),
        ('<ParamString."A">{"DOE^JANE"}', [("A", NAME)]),
        ('<ParamString."A"> \n{\n  <Visible> "true" \n  "DOE^JANE" \n}\n', [("A", NAME)]),
        (
            '<ParamString."A"> { <Comment> "c" <Label> "l" <Tooltip> "t" <Default> "d" <Unit> "[mm]" <MaxSize> 5 '
            '<Dll> "d" <Context> "ONLINE" <Limit> { "x" "y" } <LimitRange> { "a" "b" } <Precision> 6 "DOE^JANE" }',
            [("A<Comment>", b"c"), ("A<Label>", b"l"), ("A<Tooltip>", b"t"), ("A", NAME)],
        ),
        ('<ParamDouble."A"> { <Unit> "[mm]" <Precision> 6  1750.000000 }', []),
        ('<ParamLong."A">  { 3 }<ParamLong."B">  { }<ParamLong."C"> { -1 0x1F 1e-5 +.5 }', []),
        ('<ParamBool."A"> { <LimitRange> { "false" "true" } "true" }', []),
        ('<ParamChoice."A"> { <Limit> { "On" "Off" } "On" }', []),
        (
            '<ParamArray."A"> { <Default> <ParamString.""> { } { "a" } { "b" } { } { "c" "d" } }',
            [("A", b"a"), ("A", b"b"), ("A", b"c"), ("A", b"d")],
        ),
        ('<ParamArray."A"> { <MinSize> 1 <MaxSize> 50 "6.0.66" "x" }', [("A", b"6.0.66"), ("A", b"x")]),
        (
            '<ParamMap.""> { <ParamMap."M"> { <ParamMap."N"> { <ParamString."A"> { "a" } } } '
            '<ParamString."B"> { "b" } }',
            [("M/N/A", b"a"), ("B", b"b")],
        ),
        ('<ParamString."A"> { }<ParamString."B"> {}<ParamString."C"> { "" }', []),
        ('tPatientName = "DOE^JANE"\nlX = 1\n', [("tPatientName", NAME)]),
        ('tPatientName\t = \t""DOE^JANE""\n', [("tPatientName", NAME)]),
        ('a.b[0].asX[3] = "x"\na.b.lY = 0x41\na.dZ[0] = -1.5e-3\n', [("a.b[0]/asX", b"x")]),
        ("sComment.0 = 0x44 # 'D'\n", [("#", b" 'D'")]),
        ('<XProtocol> { <Name> "n" <ID> 1 <Userversion> 2.0 }', [("<Name>", b"n")]),
        (
            '<EVAStringTable> { 2 400 "Step" 401 "a ""b"" c" } <ParamString."A"> { "a" }',
            [("<EVAStringTable>", b"Step"), ("<EVAStringTable>", b'a ""b"" c'), ("A", b"a")],
        ),
        (
            '<Dependency."1"> { "A.B" <Dll> "d" <Context> "ONLINE" } <Event."E"> { "class X<class Y> &" } '
            '<Connection."c1">  { "E" "" "M" } <Control> { <Param> "A.B" <Pos> 1 2 <Repr> "UI" } '
            '<Method."M"> { "int" } <ParamFunctor."F"> { <Class> "F@Dll" <ParamString."A"> { "a" } }',
            [("F/A", b"a")],
        ),
        ('<ParamString."A"> { """quoted"" at its start" }', [("A", b'""quoted"" at its start')]),
        ('<ParamString.""A""> { """"""quoted"""""" } tB = ""b""', [("A", b'""""quoted""""'), ("tB", b"b")]),
        ('<ParamString."A"> { "Prof. <Müller> {x} = #1" }', [("A", "Prof. <Müller> {x} = #1".encode("latin-1"))]),
        ('<ParamString."A"> { "two\nlines" }\n\0\0', [("A", b"two\nlines")]),
        ('<ParamString."PatientPosition"> { "HFS" } sPatPosition = "HFS"\nx.sPatPosition = "HFS"', []),
        ('<ParamArray."PatientPosition"> { <Default> <ParamString.""> { "HFS" } { "HFS" } }', []),
        ("", []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("levels", [0, 1, 2])
def test_every_form(text: str, wanted: list[tuple[str, bytes]], levels: int) -> None:
    for _ in range(levels):
        text, wanted = nested(text), [(key, value.replace(b'"', b'""')) for key, value in wanted]
    assert not is_broken(text.encode("latin-1"))
    assert found(text, base=1000) == wanted
    assert_whole(text.encode("latin-1"))


@pytest.mark.parametrize("deep", [0, 1, 2, 3])
def test_a_string_may_hold_a_text(deep: int) -> None:
    text, path = NAMED, "tPatientName"
    for _ in range(deep):
        text = (
            f'<ParamString."Outer"> {{ <Visible> "true" "<XProtocol> {{ {nested(text)} }}" }} <ParamLong."L"> {{}}'
        )
        path = f"Outer/{path}"
    assert found(text) == [(path, NAME)]
    [field] = protocol.fields(text.encode(), 0, Space(), ())
    assert field.text == Text("latin-1", b" ", 0, 2**deep)


def test_deeper_texts_are_strings() -> None:
    text = NAMED
    for _ in range(8):
        text = f'<ParamString."Outer"> {{ "{nested(text)}" }}'
    [(path, value)] = found(text)
    assert path == "Outer/Outer/Outer/Outer"
    assert NAME in value


def test_a_text_may_end_with_its_string() -> None:
    inner = '### ASCCONV BEGIN ###\ntA = ""a""\n### ASCCONV END ###\ntB = ""b"""'
    assert found(f'<ParamString."P"> {{ "{inner} }}') == [("P/tA", b"a"), ("P/tB", b"b")]


def test_synthetic_values_have_their_keys() -> None:
    person = Person()
    values = Counter((path.split("/")[-1], value.decode("latin-1")) for path, value in found(SYNTHETIC["phoenix"]))
    for key in ("PatientName", "PatientsName", "tPatientName", "tPatientsName"):
        assert values[key, person.name]
    assert values["PatientQuadruple", person.name]
    assert values["PatientQuadruple", person.birth_date]
    assert values["tPatientID", person.patient_id]
    assert values["PatientsName<Label>", "Patient"]
    assert values["tReferringPhysician", person.physician] == 2
    assert not {key for key, _ in values} & {"PatientPosition", "sPatPosition", "PATModeText"}


@pytest.mark.parametrize("name", sorted(SYNTHETIC))
def test_each_quote_and_brace_counts(name: str) -> None:
    """Without any of them, or with one more, a text is broken, and no name is outside of its fields."""
    family = Person().family.encode()
    text = SYNTHETIC[name]
    marks = [m.start() for m in re.finditer(rb'["{}]', text)]
    for at in marks[:: max(1, len(marks) // 150)]:
        for broken in (text[:at] + text[at + 1 :], text[: at + 1] + text[at:]):
            assert is_broken(broken)
            spans = [f.value for f in protocol.fields(broken, 0, Space(), ("text",))]
            for place in re.finditer(re.escape(family), broken):
                assert any(start <= place.start() and place.end() <= end for start, end in spans)


@pytest.mark.parametrize(
    "broken",
    [
        "}",
        "{",
        '"',
        "{{}",
        "}{",
        "DOE^JANE",
        '{ "a" } b',
        "<Label",
        "<Label attribute>",
        '<ParamString."A" { }',
        "a-1",
    ],
)
def test_broken_texts(broken: str) -> None:
    text = f'<ParamString."A"> {{ "a" }} <ParamBool."B"> {{ "true" }} {broken} <ParamString."C"> {{ "DOE" }}'
    assert is_broken(text.encode())
    assert found(text) == [("", text.encode())]


def test_a_broken_text_still_says_who_it_is() -> None:
    text = f'{{ <ParamString."A"> {{ "a" }} {NAMED} <ParamString."B"> {{ "b" }}'
    before, after = text.encode().split(NAME)
    assert found(text) == [("", before), ("tPatientName", NAME), ("", after)]


def test_no_piece_of_a_broken_text_is_taken_for_a_name() -> None:
    text = '<ParamString."PatientName"> { "DOE }\n<ParamString."PatientID"> { "123" }'
    assert found(text) == [("", text.encode())]


def test_a_broken_text_in_a_string_is_a_string() -> None:
    inner = '<XProtocol> { <ParamString.""B""> { ""b"" } }'
    text = f'<ParamString."P"> {{ "{inner}" }} <ParamString."Q"> {{ "{inner} }}" }} <ParamBool."R"> {{ "true" }}'
    assert is_broken(text.encode())
    assert found(text) == [("P/B", b"b"), ("Q", f"{inner} }}".encode())]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        *((name, "patient") for name in ("PatientName", "PatientsName", "tPatientName", "tPatientsName")),
        *((name, "id") for name in ("PatientID", "tPatientID")),
        *((name, "dob") for name in ("PatientBirthDay", "PatientBirthDate", "PatientsBirthDate")),
        *((name, "physician") for name in ("tPerfPhysiciansName", "tReferringPhysician")),
        *((name, None) for name in ("patientname", "PatientNames", "tPatientName<Label>", "", "3", "Patients")),
    ],
)
def test_rules_go_by_the_whole_name(name: str, rule: str | None) -> None:
    assert protocol.rule_of(name) == rule


@pytest.mark.parametrize(
    "name",
    [
        "PatientPosition",
        "tPatientPosition",
        "sPatPosition",
        "PATModeText",
        "lPatientTableX",
        "PatientRegistration1",
    ],
)
def test_positions_are_kept(name: str) -> None:
    assert is_kept(name)
    assert found(f'<ParamString."{name}"> {{ "HFS" }}\n{name} = "HFS"') == []


PIECES = st.sampled_from(
    ["{", "}", '"', '""', '""""', "<", ">", "#", "'", "=", " ", "\n", "\0", "a", "1", ".", "-", "\xff",
     "<XProtocol>", "### ASCCONV BEGIN ###", "### ASCCONV END ###", '<ParamString."A">', '<ParamString.""A"">',
     "<Label>", '{ "a" }', 'tA = ""a""', 'tPatientName = "DOE"', '"<XProtocol> {', '}"']
)  # fmt: skip


@given(
    st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=40).map(lambda p: "".join(p).encode("latin-1")))
)
def test_nothing_raises(data: bytes) -> None:
    assert_whole(data)
    fields = found(data)
    assert len(protocol.fields(data, 0, Space(), ())) == len(fields)


def maps() -> st.SearchStrategy[str]:
    words = st.sampled_from(["a", "DOE^JANE", "", "x {y}", 'a "b" c', "<z>"]).map(nested)
    leaves = st.builds('<ParamString."{}"> {{ <Visible> "true" "{}" }}\n'.format, st.sampled_from("ABC"), words)
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map("".join).map('<ParamMap."M"> {{ {} }}\n'.format),
            inner.map(nested).map('<ParamString."P"> {{ "<XProtocol> {{ {} }}" }}\n'.format),
        ),
        max_leaves=6,
    )


@settings(deadline=None)
@given(maps(), st.data())
def test_nestings_read_back(text: str, data: st.DataObject) -> None:
    whole = text.encode("latin-1")
    assert not is_broken(whole)
    assert list(strings_of(whole)) == list(quoted(text)) or b'"' * 16 in whole
    marks = [m.start() for m in re.finditer(rb'["{}]', whole)]
    for at in data.draw(st.lists(st.sampled_from(marks), max_size=4)) if marks else []:
        whole = whole[:at] + data.draw(st.sampled_from([b"", b'"', b"{{", b'""'])) + whole[at + 1 :]
    assert_whole(whole)
    found(whole)


def seconds(text: bytes) -> float:
    start = time.process_time()  # of this process alone, however busy the machine is
    with limited(depth=len(text), fields=len(text)):
        protocol.fields(text, 0, Space(), ("text",))
    return time.process_time() - start


@pytest.mark.parametrize(
    "piece",
    ['"', '""', '"a', '""a"', 'a"', "{", "}", "<", "<a", '<a."', '<a."b', '<a.""', "#", "### ASCCONV BEGIN", "a ",
     "a\t", "a=", "a = 1", "1", "1.", "1e", "\0", " ", "a", '"" "a', '"<XProtocol>', '""<XProtocol>', '"""', "'\"",
     '{ "a" ', '"### ASCCONV BEGIN ""', "### ASCCONV BEGIN "],
)  # fmt: skip
@pytest.mark.parametrize("start", ["", '<A."b">', '<A.""b"">', '<A.""""b"""">', '"', "### ASCCONV BEGIN "])
def test_time_is_linear(start: str, piece: str) -> None:
    text = (start + piece * (100_000 // len(piece))).encode()
    assert seconds(text) < 5  # it takes 0.1 s; were it quadratic, hours


def test_a_name_in_a_comment_that_is_spelled_goes(tmp_path: Path) -> None:
    """ASCCONV writes numbers that are characters one a line, as in a real diffusion protocol of the corpus."""
    spelled = "".join(
        f"sFree.sComment.{n}\t\t = 0x{ord(c):x}    # '{c}'\n" for n, c in enumerate("of OKONKWO, C.")
    )
    text = f'### ASCCONV BEGIN ###\nulVersion = 1\n{spelled}tOther = "a"\n### ASCCONV END ###'.encode()
    for name, wanted in (("OKONKWO^CHIDI", "of XXXXXXX, C."), ("SMITH^CHIDI", "of OKONKWO, C.")):
        whole = dataset(Study(name))
        whole[0x0029, 0x1020].value = even(sv10((("MrPhoenixProtocol", "UN", [text]),)))
        report = anonymize(save(tmp_path / "a.dcm", whole), in_place=True)
        new = (tmp_path / "a.dcm").read_bytes().decode("latin-1")
        assert "".join(re.findall(r"sComment\.\d+\t\t = 0x.. +# '(.)'", new)) == wanted
        codes = re.findall(r"sComment\.\d+\t\t = 0x(..)", new)
        assert bytes.fromhex("".join(codes)).decode() == wanted
        assert report.exit_status == 0
        assert anonymize(tmp_path / "a.dcm", in_place=True).count("unchanged") == 1
