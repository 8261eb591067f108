"""People with every spelling of their names written out, and writers of files that hide these in every place.

Nothing of fastanon is used. A writer gives bytes together with spans: where a copy of a name stands, where a value
that identifies, where leftover memory, where a payload. So a test can look at each place on its own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

PHYSICIAN, BIRTH, NUMBER = b"ROSSETTI^CARLO", b"19610503", b"PX-77120Q4"


@dataclass(frozen=True)
class Person:
    """Somebody.

    Attributes
    ----------
    shape : str
        What is special about the name.
    charset, codec : str
        (0008,0005), and how Python calls it; with code extensions the latter is how the bytes look without them.
    name : str or bytes
        Patient's Name; bytes where code extensions are needed.
    forms : tuple of str
        How others write that name, with the letters that it has.
    respelled : tuple of str
        The same in another case, or without accents.
    escaped, bare : tuple of bytes
        How it is written with code extensions, and what of that must be gone, escapes or not.
    """

    shape: str
    charset: str
    codec: str
    name: str | bytes
    forms: tuple[str, ...]
    respelled: tuple[str, ...] = ()
    escaped: tuple[bytes, ...] = ()
    bare: tuple[bytes, ...] = ()

    @property
    def raw(self) -> bytes:
        """Patient's Name as the file holds it."""
        return self.name if isinstance(self.name, bytes) else self.name.encode(self.codec)


PEOPLE = (
    Person(
        "plain", "", "ascii", "DOE^JANE",
        (
            "DOE^JANE", "DOE JANE", "DOE, JANE", "DOE,JANE", "JANE DOE", "JANE^DOE", "DOE_JANE", "DOEJANE", "DOE",
            "JANE",
        ),
        ("doe^jane", "Doe, Jane", "Jane Doe", "jane.doe"),
    ),
    Person(
        "long double family", "ISO_IR 100", "latin-1", "WOLFESCHLEGELSTEINHAUSEN BERGERDORFF^HUBERT BLAINE",
        (
            "WOLFESCHLEGELSTEINHAUSEN BERGERDORFF^HUBERT BLAINE", "WOLFESCHLEGELSTEINHAUSEN BERGERDORFF",
            "HUBERT BLAINE WOLFESCHLEGELSTEINHAUSEN BERGERDORFF", "HUBERT BLAINE", "WOLFESCHLEGELSTEINHAUSEN",
            "BERGERDORFF, HUBERT BLAINE", "WOLFESCHLEGELSTEINHAUSEN_BERGERDORFF_HUBERT_BLAINE",
        ),
        ("Wolfeschlegelsteinhausen Bergerdorff, Hubert Blaine", "bergerdorff", "Hubert Blaine"),
    ),
    Person(
        "umlauts", "ISO_IR 100", "latin-1", "MÜLLER^JÖRG",
        ("MÜLLER^JÖRG", "MÜLLER JÖRG", "MÜLLER, JÖRG", "JÖRG MÜLLER", "MÜLLER", "JÖRG"),
        (
            "Müller, Jörg", "müller^jörg", "Jörg Müller", "MULLER^JORG", "MUELLER^JOERG", "Mueller, Joerg",
            "Joerg Mueller", "MULLER", "MUELLER", "JORG", "JOERG", "mueller",
        ),
    ),
    Person(
        "sharp s", "ISO_IR 100", "latin-1", "Großstraß^Käthe",
        ("Großstraß^Käthe", "Großstraß, Käthe", "Käthe Großstraß", "Großstraß", "Käthe"),
        (
            "GROSSSTRASS^KAETHE", "Grossstrass, Kaethe", "GROSSSTRASS", "Grossstrass", "KATHE", "KÄTHE",
            "GROSSSTRASS^KÄTHE",
        ),
    ),
    Person(
        "apostrophe", "", "ascii", "O'BRIEN^SIOBHAN",
        ("O'BRIEN^SIOBHAN", "O'BRIEN SIOBHAN", "O'BRIEN, SIOBHAN", "SIOBHAN O'BRIEN", "O'BRIEN", "SIOBHAN"),
        ("O'Brien, Siobhan", "o'brien^siobhan", "OBRIEN^SIOBHAN", "OBRIEN", "Siobhan OBrien", "O_BRIEN"),
    ),
    Person(
        "typographic apostrophe", "ISO_IR 192", "utf-8", "D\u2019ARVERS^FÉLICITÉ",
        (
            "D\u2019ARVERS^FÉLICITÉ", "D\u2019ARVERS, FÉLICITÉ", "FÉLICITÉ D\u2019ARVERS", "D\u2019ARVERS",
            "FÉLICITÉ",
        ),
        ("D\u2019Arvers, Félicité", "DARVERS^FELICITE", "D'ARVERS^FELICITE", "D'Arvers", "FELICITE"),
    ),
    Person(
        "hyphens", "ISO_IR 100", "latin-1", "SMITH-JONES^MARY-ANN",
        (
            "SMITH-JONES^MARY-ANN", "SMITH-JONES MARY-ANN", "SMITH-JONES, MARY-ANN", "MARY-ANN SMITH-JONES",
            "SMITH-JONES", "SMITH JONES", "SMITH", "JONES", "MARY-ANN", "MARY ANN", "SMITHJONES",
        ),
        ("Smith-Jones, Mary-Ann", "smith_jones_mary_ann", "Mary Ann Smith Jones"),
    ),
    Person(
        "particles", "ISO_IR 100", "latin-1", "VAN DER BERG^PIETER",
        (
            "VAN DER BERG^PIETER", "VAN DER BERG PIETER", "VAN DER BERG, PIETER", "PIETER VAN DER BERG",
            "VAN DER BERG", "PIETER", "VANDERBERG", "VAN_DER_BERG", "BERG",
        ),
        ("van der Berg, Pieter", "Pieter van der Berg", "vanderberg^pieter"),
    ),
    Person(
        "French accents", "ISO_IR 100", "latin-1", "LEFÈVRE-GARÇON^ÉLODIE",
        ("LEFÈVRE-GARÇON^ÉLODIE", "LEFÈVRE-GARÇON, ÉLODIE", "ÉLODIE LEFÈVRE-GARÇON", "LEFÈVRE-GARÇON", "ÉLODIE"),
        ("Lefèvre-Garçon, Élodie", "LEFEVRE-GARCON^ELODIE", "Lefevre Garcon", "LEFEVRE", "ELODIE", "élodie"),
    ),
    Person(
        "Spanish accents", "ISO_IR 100", "latin-1", "NÚÑEZ IBÁÑEZ^MARÍA JOSÉ",
        ("NÚÑEZ IBÁÑEZ^MARÍA JOSÉ", "NÚÑEZ IBÁÑEZ, MARÍA JOSÉ", "MARÍA JOSÉ NÚÑEZ IBÁÑEZ", "NÚÑEZ", "MARÍA JOSÉ"),
        ("Núñez Ibáñez, María José", "NUNEZ IBANEZ^MARIA JOSE", "Maria Jose Nunez", "IBANEZ", "nunez_ibanez"),
    ),
    Person(
        "Portuguese accents", "ISO_IR 100", "latin-1", "GONÇALVES^JOÃO",
        ("GONÇALVES^JOÃO", "GONÇALVES, JOÃO", "JOÃO GONÇALVES", "GONÇALVES", "JOÃO"),
        ("Gonçalves, João", "GONCALVES^JOAO", "Joao Goncalves", "GONCALVES", "JOAO", "joão"),
    ),
    Person(
        "Nordic letters", "ISO_IR 100", "latin-1", "SØRENSEN^ÅSHILD",
        ("SØRENSEN^ÅSHILD", "SØRENSEN, ÅSHILD", "ÅSHILD SØRENSEN", "SØRENSEN", "ÅSHILD"),
        ("Sørensen, Åshild", "SOERENSEN^AASHILD", "SORENSEN^ASHILD", "SORENSEN", "Soerensen", "ASHILD", "AASHILD"),
    ),
    Person(
        "Polish", "ISO_IR 101", "iso8859-2", "WIŚNIEWSKI^MIECZYSŁAW",
        ("WIŚNIEWSKI^MIECZYSŁAW", "WIŚNIEWSKI, MIECZYSŁAW", "MIECZYSŁAW WIŚNIEWSKI", "WIŚNIEWSKI", "MIECZYSŁAW"),
        ("Wiśniewski, Mieczysław", "WISNIEWSKI^MIECZYSLAW", "Mieczyslaw Wisniewski", "WISNIEWSKI", "MIECZYSLAW"),
    ),
    Person(
        "Russian", "ISO_IR 144", "iso8859-5", "ИВАНОВА^НАТАЛЬЯ",
        ("ИВАНОВА^НАТАЛЬЯ", "ИВАНОВА НАТАЛЬЯ", "ИВАНОВА, НАТАЛЬЯ", "НАТАЛЬЯ ИВАНОВА", "ИВАНОВА", "НАТАЛЬЯ"),
        ("Иванова, Наталья", "Наталья Иванова", "иванова"),
    ),
    Person(
        "Greek", "ISO_IR 126", "iso8859-7", "Παπαδόπουλος^Γιώργος",
        ("Παπαδόπουλος^Γιώργος", "Παπαδόπουλος, Γιώργος", "Γιώργος Παπαδόπουλος", "Παπαδόπουλος", "Γιώργος"),
        ("ΠΑΠΑΔΟΠΟΥΛΟΣ^ΓΙΩΡΓΟΣ", "ΠΑΠΑΔΟΠΟΥΛΟΣ", "παπαδόπουλος", "ΓΙΩΡΓΟΣ"),
    ),
    Person(  # names and bytes of PS3.5 H.3.1
        "Japanese", "\\ISO 2022 IR 87", "",
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
        (
            "Yamada^Tarou", "Yamada, Tarou", "Tarou Yamada", "Yamada", "Tarou", "山田^太郎", "山田 太郎",
            "山田太郎", "山田", "太郎", "やまだ^たろう", "やまだ たろう", "やまだ", "たろう",
        ),
        ("YAMADA^TAROU", "yamada"),
        (
            b"\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", b"\x1b$B;3ED\x1b(B \x1b$BB@O:\x1b(B", b"\x1b$B;3EDB@O:\x1b(B",
            b"\x1b$B;3ED!!B@O:\x1b(B", b"\x1b$B;3ED\x1b(B", b"\x1b$BB@O:\x1b(B", b"\x1b$B45<T;3ED\x1b(B",
            b"\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B", b"\x1b$B$d$^$@\x1b(B", b"\x1b$B$?$m$&\x1b(B",
        ),
        (b";3ED", b"B@O:", b"$d$^$@", b"$?$m$&"),
    ),
    Person(  # names and bytes of PS3.5 I.2
        "Korean", "\\ISO 2022 IR 149", "euc_kr",
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
        (
            "Hong^Gildong", "Hong, Gildong", "Gildong Hong", "Gildong", "洪^吉洞", "洪吉洞", "吉洞", "홍^길동",
            "홍길동", "길동",
        ),
        ("HONG^GILDONG", "gildong"),
        (
            b"\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", b"\x1b$)C\xd1\xce\xd4\xd7",
            b"\x1b$)C\xfb\xf3\xd1\xce\xd4\xd7",
            b"\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf", b"\x1b$)C\xb1\xe6\xb5\xbf",
        ),
        (b"\xd1\xce\xd4\xd7", b"\xb1\xe6\xb5\xbf"),
    ),
    Person(  # escapes of ISO 2022 IR 144: ESC - L
        "Russian with escapes", "\\ISO 2022 IR 144", "iso8859-5",
        b"Ivanova^Natalya=\x1b-L\xb8\xb2\xb0\xbd\xbe\xb2\xb0^\x1b-L\xbd\xb0\xc2\xb0\xbb\xcc\xcf",
        ("Ivanova^Natalya", "Ivanova", "Natalya", "ИВАНОВА^НАТАЛЬЯ", "ИВАНОВА", "НАТАЛЬЯ"),
        ("IVANOVA^NATALYA", "Natalya Ivanova"),
        (b"\x1b-L\xb8\xb2\xb0\xbd\xbe\xb2\xb0", b"\x1b-L\xbd\xb0\xc2\xb0\xbb\xcc\xcf"),
        (b"\xb8\xb2\xb0\xbd\xbe\xb2\xb0", b"\xbd\xb0\xc2\xb0\xbb\xcc\xcf"),
    ),
    Person(  # names of PS3.5 J.3
        "Chinese", "GB18030", "gb18030", "Wang^XiaoDong=王^小东",
        ("Wang^XiaoDong", "Wang, XiaoDong", "XiaoDong Wang", "XiaoDong", "Wang", "王^小东", "王小东", "小东"),
        ("WANG^XIAODONG", "xiaodong"),
    ),
    Person(
        "three letters", "", "ascii", "LEE^ANN",
        ("LEE^ANN", "LEE ANN", "LEE, ANN", "ANN LEE", "LEE_ANN", "LEE", "ANN"), ("Lee, Ann", "lee^ann", "Ann Lee"),
    ),
    Person(
        "four letters", "ISO_IR 100", "latin-1", "DIAZ^EVA",
        ("DIAZ^EVA", "DIAZ EVA", "DIAZ, EVA", "EVA DIAZ", "DIAZ", "EVA"), ("Diaz, Eva", "diaz^eva", "Eva Diaz"),
    ),
    Person(
        "five components", "ISO_IR 100", "latin-1", "ADAMS^JOHN^ROBERT QUINCY^REV.^B.A. M.DIV.",
        (
            "ADAMS^JOHN^ROBERT QUINCY^REV.^B.A. M.DIV.", "ADAMS^JOHN^ROBERT QUINCY", "ADAMS^JOHN", "ADAMS, JOHN",
            "JOHN ROBERT QUINCY ADAMS", "JOHN ADAMS", "ADAMS", "ROBERT QUINCY", "QUINCY",
        ),
        ("Rev. John Robert Quincy Adams", "adams^john", "Adams, John Robert Quincy"),
    ),
    Person(
        "over 64 characters", "ISO_IR 100", "latin-1",
        "CHOLMONDELEY-FEATHERSTONHAUGH-WRIOTHESLEY^MARMADUKE BARTHOLOMEW PEREGRINE",
        (
            "CHOLMONDELEY-FEATHERSTONHAUGH-WRIOTHESLEY^MARMADUKE BARTHOLOMEW PEREGRINE",
            "MARMADUKE BARTHOLOMEW PEREGRINE CHOLMONDELEY-FEATHERSTONHAUGH-WRIOTHESLEY",
            "CHOLMONDELEY-FEATHERSTONHAUGH-WRIOTHESLEY", "MARMADUKE BARTHOLOMEW PEREGRINE", "FEATHERSTONHAUGH",
        ),
        ("Cholmondeley", "featherstonhaugh, marmaduke", "Peregrine"),
    ),
)  # fmt: skip

#: Without a character set nobody can tell these from others, nor where a character begins.
_NOT_TOLD = ("gb18030", "euc_kr")
_ANYWHERE = ("latin-1", "cp1252", "utf-8", "utf-16-le")
WIDE, ESCAPED = "utf-16-le", "ISO 2022"


class Spelled(NamedTuple):
    """The forms of a name in one encoding; those that an encoding before has written the same are left out."""

    person: Person
    encoding: str
    forms: tuple[bytes, ...]
    respelled: tuple[bytes, ...]

    @property
    def wide(self) -> bool:
        """Whether only places that can hold zeros take it."""
        return self.encoding == WIDE


def encoded(forms: Iterable[str], codec: str) -> Iterator[bytes]:
    """Write what a codec can write."""
    for form in forms:
        try:
            yield form.encode(codec)
        except UnicodeEncodeError:
            continue


def encodings(person: Person) -> Iterator[Spelled]:
    """Give every encoding that adds a spelling."""
    seen: set[bytes] = set()
    for codec in dict.fromkeys((*_ANYWHERE, person.codec or "ascii")):
        pair = [
            tuple(form for form in encoded(forms, codec) if form not in seen)
            for forms in (person.forms, person.respelled)
        ]
        seen.update(*pair)
        if any(pair):
            yield Spelled(person, codec, *pair)
    if person.escaped:
        yield Spelled(person, ESCAPED, person.escaped, ())


def searched(person: Person) -> set[bytes]:
    """Give every byte string that nobody may find, in lower case as far as ASCII goes."""
    words = {v for f in (*person.forms, *person.respelled) for v in (f, f.lower(), f.upper(), f.title())}
    codecs = (*_ANYWHERE, person.codec or "ascii")
    return {b.lower() for codec in codecs for b in encoded(words, codec)} | {b.lower() for b in person.bare}


class Span(NamedTuple):
    """Bytes that mean something, from the first to the end: a `copy`, a `field`, `slack` or `payload`."""

    start: int
    end: int
    kind: str
    place: str


@dataclass(frozen=True)
class Marked:
    """Bytes that were joined from others, each with its offset; `kind` is set where all of them are one span."""

    data: bytes
    parts: tuple[tuple[int, Marked], ...] = ()
    place: str = ""
    kind: str = ""

    def __len__(self) -> int:
        return len(self.data)

    def under(self, place: str) -> Marked:
        """Put a word before the names of all places."""
        return Marked(self.data, ((0, self),), place)

    def spans(self, base: int = 0, before: str = "") -> Iterator[Span]:
        """Give all spans, in order."""
        place = f"{before}{self.place} > " if self.place and not self.kind else before
        if self.kind:
            yield Span(base, base + len(self), self.kind, before + self.place)
        for offset, part in self.parts:
            yield from part.spans(base + offset, place)


Part: TypeAlias = "bytes | Marked"


def cat(*parts: Part) -> Marked:
    """Join bytes; spans move with them."""
    found, at = [], 0
    for part in parts:
        if isinstance(part, Marked) and (part.parts or part.kind):
            found.append((at, part))
        at += len(part)
    return Marked(b"".join(part.data if isinstance(part, Marked) else part for part in parts), tuple(found))


def mark(data: bytes, kind: str, place: str) -> Marked:
    """Make all of some bytes one span."""
    return Marked(data, (), place, kind if data else "")


def filled(part: Part, size: int, fill: bytes = b"\0") -> Marked:
    """Fill up to a size."""
    return cat(part, fill * (size - len(part)))


def copies(s: Spelled, between: bytes = b" ", forms: Iterable[bytes] | None = None) -> Marked:
    """Write forms one after the other, each in brackets of its encoding."""
    codec = WIDE if s.wide else "ascii"
    opened, closed, between = (text.decode().encode(codec) for text in (b"[", b"]", between))
    words = [
        cat(opened, mark(f, "copy", repr(f)), closed) for f in (s.forms + s.respelled if forms is None else forms)
    ]
    return cat(*(part for word in words for part in (word, between)))


def slack(form: bytes, room: int) -> Marked:
    """Write leftover memory, cut where the room ends."""
    return mark(form[:room], "slack", f"slack {form[:room]!r}")


# --- DICOM (PS3.5 7.1, PS3.10 7.1)

Element: TypeAlias = "tuple[int, str, Part | list[list[Element]]]"
_LONG = ("OB", "OW", "UN", "UT", "SQ")
_MEDIA = b"1.2.840.10008.5.1.4.1.1.4\0"


def element(row: Element, implicit: bool) -> Marked:
    """Write an element; a list of datasets is a sequence, with the length of each item but the first's."""
    tag, vr, value = row
    if isinstance(value, list):
        value = cat(*(_item(rows, implicit, undefined=n == 0) for n, rows in enumerate(value)))
    else:
        value = cat(value).under(f"({tag >> 16:04x},{tag & 0xFFFF:04x}) {vr}")
        value = filled(value, len(value) + len(value) % 2, b"\0" if vr in ("UI", *_LONG[:3]) else b" ")
    head, size = struct.pack("<HH", tag >> 16, tag & 0xFFFF), len(value)
    if implicit:
        return cat(head, struct.pack("<I", size), value)
    if vr in _LONG:
        return cat(head, vr.encode(), struct.pack("<HI", 0, size), value)
    return cat(head, vr.encode(), struct.pack("<H", size), value)


def _item(rows: list[Element], implicit: bool, undefined: bool) -> Marked:
    inside = dataset(rows, implicit)
    if undefined:
        return cat(b"\xfe\xff\x00\xe0\xff\xff\xff\xff", inside, b"\xfe\xff\x0d\xe0\0\0\0\0")
    return cat(b"\xfe\xff\x00\xe0", struct.pack("<I", len(inside)), inside)


def dataset(rows: list[Element], implicit: bool = False) -> Marked:
    """Write elements in the order of their tags."""
    return cat(*(element(row, implicit) for row in sorted(rows, key=lambda row: row[0])))


def part10(rows: list[Element], implicit: bool = False, preamble: Part = b"") -> Marked:
    """Write a whole file."""
    syntax = b"1.2.840.10008.1.2\0" if implicit else b"1.2.840.10008.1.2.1\0"
    meta: list[Element] = [
        (0x00020001, "OB", b"\0\1"), (0x00020002, "UI", _MEDIA), (0x00020003, "UI", b"1.2.3.4\0"),
        (0x00020010, "UI", syntax),
    ]  # fmt: skip
    group = dataset(meta)
    length = element((0x00020000, "UL", struct.pack("<I", len(group))), False)
    return cat(filled(preamble, 128), b"DICM", length, group, dataset(rows, implicit))


def identity(person: Person) -> list[Element]:
    """Give what every dataset says; the name has room for a replacement, so that no length changes."""
    name = person.raw.ljust(max(10, len(person.raw)))
    return [
        (0x00080005, "CS", person.charset.encode()),
        (0x00080016, "UI", _MEDIA), (0x00080018, "UI", b"1.2.3.4\0"),
        (0x00080020, "DA", b"20170327"), (0x00080070, "LO", b"SIEMENS "), (0x00081090, "LO", b"Biograph_mMR"),
        (0x00080090, "PN", mark(PHYSICIAN, "field", "physician")),
        (0x00100010, "PN", mark(name + b" " * (len(name) % 2), "field", "name")),
        (0x00100020, "LO", mark(NUMBER, "field", "ID")), (0x00100030, "DA", mark(BIRTH, "field", "birth date")),
        (0x00080008, "CS", b"ORIGINAL\\PRIMARY\\NORM\\LIST\\IRIS\\TIM"), (0x00180015, "CS", b"HEAD"),
        (0x00180024, "SH", b"MAX_LONG"), (0x00181020, "LO", b"syngo MR B20P "),
    ]  # fmt: skip


def payload(s: Spelled) -> Marked:
    """Write list-mode words; that a name stands there is chance as far as anybody knows."""
    data = b"\x11\x22\x33\x44" * 64 + b"\0".join(s.forms + s.respelled)
    return mark(data + bytes(-len(data) % 4), "payload", "payload")


# --- CSA headers (nibabel's doc/source/dicom/siemens_csa.rst)

Tag: TypeAlias = "tuple[str, str, list[Part], bytes]"
_SYNGO = {"UN": 0, "DS": 3, "IS": 6, "CS": 16, "LO": 19, "LT": 20, "PN": 21, "SH": 22, "ST": 23, "UT": 27}


def csa(tags: list[Tag], new: bool) -> Marked:
    """Write a CSA header: with SV10, or of the older form, which adds the first tag's items to each length."""
    first = len(tags[0][2])
    parts: list[Part] = [b"SV10\4\3\2\1"] if new else []
    parts.append(struct.pack("<2I", len(tags), 77))
    for name, vr, items, left in tags:
        parts += [name.encode(), b"\0", filled(slack(left, 63 - len(name)).under("name[64]"), 63 - len(name))]
        parts += [struct.pack("<i", len(items)), vr.encode(), b"\0", slack(left or b"A", 1).under("vr[4]")]
        parts.append(struct.pack("<3i", _SYNGO[vr], len(items), 77 if items else 205))
        for item in items:
            text = cat(item, b"\0")
            size = len(text)
            parts.append(struct.pack("<4i", size if new else size + first, size, 77, size))
            parts += [text.under(f"{name} {vr}"), slack(left or b"ANN", -size % 4).under("pad")]
    return cat(*parts, bytes(4)).under("CSA2" if new else "CSA1")


def places_in_csa(s: Spelled, new: bool) -> Marked:
    """Hide a name in all items that are text, and in everything that nobody cleared."""
    forms = s.forms + s.respelled
    tags: list[Tag] = [("UsedPatientWeight", "IS", [b"66      "], b""), ("Unused", "LO", [], b"")]
    tags += [(word, "CS", [b"NORM", b"HEAD", b"LIST"], b"") for word in ("MAX", "TIM", "IRIS", "LONG")]
    texts = ("UN",) if s.wide else ("UN", "LO", "LT", "SH", "ST", "UT", "PN")
    tags += [(f"Item{vr}", vr, [b"first", copies(s)], b"") for vr in texts]
    for vr, value in (("LO", b"text"), ("DS", b"1.25000000"), ("CS", b"ROW")):
        tags.append((f"Behind{vr}", vr, [cat(value, b"\0", slack(form, 999)) for form in forms], b""))
    twice = [cat(mark(form, "copy", repr(form)), b"\0", slack(form, 999)) for form in forms]
    tags.append(("TwiceLO", "LO", [] if s.wide else twice, b""))
    tags += [(f"Left{number}", "DS", [b"0.5"] * (number % 3), form) for number, form in enumerate(forms)]
    return csa(tags, new)


# --- protocols: quotes are doubled in a text that stands in a string


#: Words that are patients' names too, as keys, numbers and words of programs; `Q` is to be a quote.
_STRUCTURE = b"""<ParamMap.QHEADQ>
{
  <Class> QMAX@LISTQ
  <ParamLong.QMAXQ>  { <MinSize> 1 <MaxSize> 1000000000 3  }
  <ParamDouble.QTIMQ> { <Precision> 6  1.500000  }
  <ParamMap.QIRISQ>
  {
    <ParamLong.QLISTQ>  { 2  }
    <ParamBool.QNORMQ>  { QtrueQ  }
    <ParamArray.QLONGQ> { <Default> <ParamLong.QQ> { } { 1 } { 2 } }
  }
}
"""


def values(s: Spelled, quotes: int) -> Marked:
    """Write parameters that nobody would know to hold a name, in every form a parameter has."""
    text, q = copies(s), b'"' * quotes
    one = b"<ParamString.%btStudyDescription%b>  { %b" % (q, q, q)
    many = b"<ParamString.%bStudyComment%b> \n{\n  <Visible> %btrue%b \n  <Comment> %b" % (q, q, q, q, q)
    modified = (
        b"<ParamString.%btImageComment%b> \n{\n  <Label> %bImage%b \n  <MaxSize> 50 \n  <Default> %b%b \n  %b"
        % ((q,) * 7)
    )
    quadruple = [cat(b"{ ", q, mark(f, "copy", repr(f)), q, b" } ") for f in s.forms + s.respelled]
    array = b"<ParamArray.%bPatientQuadruple%b> \n{\n  <MinSize> 1 \n  <MaxSize> 50 \n"
    array += b"  <Default> <ParamString.%b%b> \n  { }\n  "
    return cat(
        cat(one, text, q, b"  }\n").under("one line"),
        cat(many, text, q, b" \n  ", q, b"shown ", text, q, b" \n}\n").under("many lines"),
        cat(modified, text, q, b" \n}\n").under("modifiers"),
        cat(array % (q, q, q, q), *quadruple, b"\n}\n").under("array"),
        _STRUCTURE.replace(b"Q", q),
        b"<ParamLong.%bPatientSex%b>  { 2  }\n<ParamString.%btPatientPosition%b>  { %bHFS%b  }\n" % ((q,) * 6),
    ).under(f"{quotes} quotes")


def keyed(s: Spelled, quotes: int) -> Marked:
    """Write the name as the value of parameters that are known to hold it, one form in each."""
    q, keys = b'"' * quotes, (b"PatientName", b"PatientsName", b"tPatientName", b"tPatientsName")
    layouts = (
        b"<ParamString.Q%bQ>  { Q~Q  }\n", b"<ParamString.Q%bQ>{Q~Q}\n",
        b"<ParamString.Q%bQ> \n{\n  <Visible> QtrueQ \n  Q~Q \n}\n",
        b"<ParamString.Q%bQ> \n{\n  <Comment> Qas it isQ \n  <Label> QNameQ \n  <MaxSize> 50 \n  Q~Q \n}\n",
    )  # fmt: skip
    parts = []
    for number, form in enumerate(s.forms + s.respelled):
        for turn, layout in enumerate(layouts):
            before, after = (layout % keys[(number + turn) % 4]).replace(b"Q", q).split(b"~")
            parts.append(cat(before, mark(form, "copy", f"layout {turn} {form!r}"), after))
    return cat(*parts).under(f"{quotes} quotes, keyed")


def assignments(s: Spelled, quotes: int, known: bool) -> Marked:
    """Write ASCCONV."""
    q = b'"' * quotes
    lines = [
        cat(
            b"tSequenceFileName\t = \t",
            q,
            b"%SiemensSeq%\\tfl",
            q,
            b"\nlAverages\t = \t1\nTIM.MAX = 3\nalLIST[0]\t = \t0x1\nNORM.LONG[1].IRIS = 2\nHEAD = 1\n",
        )
    ]
    if known:
        lines += [cat(b"tPatientName = ", q, mark(f, "copy", repr(f)), q, b"\n") for f in s.forms + s.respelled]
    else:
        lines += [cat(b"tProtocolName\t = \t", q, b"of ", copies(s), q, b"\nsPatPosition = ", q, b"HFS", q, b"\n")]
    return cat(b"### ASCCONV BEGIN ###\n", *lines, b"### ASCCONV END ###").under(f"ASCCONV {quotes}")


def xprotocol(s: Spelled, known: bool = False, quotes: int = 1) -> Marked:
    """Write a text of one level and, in strings of it, of the next two."""
    q, body = b'"' * quotes, (keyed if known else values)(s, quotes)
    inner: Part = b""
    if quotes < 4:
        inner = cat(b"<ParamString.%bProtocol0%b> \n{\n  %b" % (q, q, q), xprotocol(s, known, 2 * quotes))
        inner = cat(inner, assignments(s, 2 * quotes, known), q, b" \n}\n")
    return cat(b"<XProtocol> \n{\n<ParamMap.%b%b> \n{\n" % (q, q), body, inner, b"}\n}\n")


def protocol(s: Spelled, known: bool = False) -> Marked:
    """Write a protocol with the assignments that end it."""
    return cat(xprotocol(s, known), assignments(s, 1, known)).under("protocol")


# --- texts of lines

_LINES = (
    b"!originating system:=2008", b"%study date (yyyy:mm:dd):=2017:03:27", b"%total listmode word counts:=4096",
    b"isotope name:=F-18", b"data format:=LIST", b"PET data type:=NORM", b"LIST:=1", b"MAX HEAD IRIS:=64",
    b"%LONG TIM [1]:=NORM",
)  # fmt: skip
_FREE = (
    b"%comment:=", b"; ", b"%raw normalization scans description:=", b"!data description :=",
    b"name of physical institution := ", b"",
)  # fmt: skip
_FILES = (
    b"!name of data file:=C:\\MedCom\\temp\\~_01.l", b"%listmode header file:=~.hdr", b"name of data file := ~",
    b"%data set [1]:={0,,~-01.s}",
)  # fmt: skip


def interfile(s: Spelled, end: bytes, known: bool = False, head: Part = b"!INTERFILE:=") -> Marked:
    """Write a header: in comments and descriptions, and in the names of other files; or where the name belongs."""
    forms = s.forms + s.respelled
    lines: list[Part] = [head, *_LINES]
    if known:
        keys = (b"Patient name := ", b"!patient name:=", b";Patient name := ")
        lines += [cat(k, mark(f, "copy", f"{k!r} {f!r}")) for k in keys for f in forms]
    else:
        lines += [cat(key, b"of ", copies(s)).under(repr(key)) for key in _FREE]
        for line, form in ((line, form) for line in _FILES for form in forms):
            key, _, value = line.partition(b"=")
            opened, value, closed = (b"{0,,", value[4:-1], b"}") if value[:1] == b"{" else (b"", value, b"")
            name = mark(value.replace(b"~", form).lstrip(), "copy", f"{key!r} {form!r}")
            lines.append(cat(key, b"=", opened, name, closed))
    text = cat(*(part for line in lines for part in (line, end)), b"!END OF INTERFILE:=", end)
    return text.under(f"Interfile {end!r}")


def rda(s: Spelled, name: bytes) -> Marked:
    """Write a spectrum: lines, then numbers."""
    keys = (b"StudyDescription", b"SeriesDescription", b"ProtocolName", b"InstitutionName", b"InstanceComments")
    lines: list[Part] = [
        b">>> Begin of header <<<", cat(b"PatientName: ", mark(name, "field", "name")),
        cat(b"PatientID: ", mark(NUMBER, "field", "ID")), b"PatientSex: F",
        cat(b"PatientBirthDate: ", mark(BIRTH, "field", "birth date")), b"StudyDate: 20170327", b"TR: 2000.000000",
        b"MAX: 3.000000", b"LIST[0]: 1", b"NORM: 1.0", b"IRIS: 2", b"LONG: 4", b"TransmitCoil: HEAD",
        b"ModelName: TIM Trio",
        *(cat(key, b": of ", copies(s)).under(repr(key)) for key in keys),
        cat(b"of ", copies(s)).under("second line"), b"VectorSize: 4", b">>> End of header <<<",
    ]  # fmt: skip
    return cat(*(part for line in lines for part in (line, b"\r\n")), payload(s)).under("rda")


# --- twix (hdr_def.py of twixtools)


def measurement(buffers: list[tuple[bytes, Part]], left: bytes, data: Marked) -> Marked:
    """Write a header of named texts, filled up to 32 bytes by what the memory held, and data."""
    body = cat(*(cat(n, b"\0", struct.pack("<I", len(t)), t) for n, t in buffers))
    body = cat(body, b"Last\0", struct.pack("<I", size := -(len(body) + 17 + 28) % 32), b" " * size)
    pad = filled(slack(left, 28).under("header pad"), 28)
    return cat(struct.pack("<2I", len(body) + 36, len(buffers) + 1), body, pad, data)


def buffers(s: Spelled, name: bytes, known: bool) -> list[tuple[bytes, Part]]:
    """Write all texts of a header; where the name is cut in the directory, the first of them has it whole."""
    left = cat(*(part for form in s.forms + s.respelled for part in (slack(form, 999), b"\0"))).under("behind NUL")
    start = b'<XProtocol> \n{\n<ParamLong."Count">  { ' + b" " * 160 + b"1  }\n"
    whole = cat(start, b'<ParamString."PatientName">{"', mark(name, "field", "name"), b'"}\n}\n')
    found: list[tuple[bytes, Part]] = [(b"Config", whole if len(name) > 63 or known else b"<XProtocol> \n{\n}\n")]
    flat = cat(b"<XProtocol> \n{\n", (keyed if known else values)(s, 1), b"}\n")
    texts = {b"Dicom": flat, b"Spice": flat, b"Meas": protocol(s, known), b"MeasYaps": assignments(s, 1, known)}
    texts |= {b"Phoenix": xprotocol(s, known)} | ({} if known else {b"Notes": copies(s)})
    if not s.wide:
        found += [(key, cat(text, b"\0").under(key.decode())) for key, text in texts.items()]
    return [*found, (b"Dated", cat(b"20170327 is all\0", left, b"\0"))]


def vb(s: Spelled, name: bytes, known: bool) -> Marked:
    """Write one measurement and nothing else; the name stands in a text, for there is no directory."""
    texts = buffers(s, name, known=known)
    texts[0] = buffers(s, name.ljust(64), known=True)[0]
    return measurement(texts, s.forms[0] if s.forms else s.respelled[0], payload(s)).under("VB")


def vd(s: Spelled, name: bytes) -> Marked:
    """Write a directory and a measurement for each form, aligned to 512 bytes by what the memory held."""
    forms, body, entries = s.forms + s.respelled, Marked(b""), []
    for number, form in enumerate(forms):
        texts = [(b"Config", b"<XProtocol> \n{\n}\n\0")]
        if number == 0:
            texts = [text for text in buffers(s, name, known=False) if text[0] not in (b"Meas", b"Phoenix")]
        one = measurement(texts, form, payload(s))
        numbers = struct.pack("<2I2Q", 360 + number, 9 + number, 10240 + len(body), len(one))
        entries.append(cat(numbers, _slot(mark(name[:63], "field", "name"), form), _protocol_slot(s, form)))
        gap = -len(one) % 512
        body = cat(body, one, filled(slack(form, gap).under("alignment pad"), gap))
    unused = [filled(cat(bytes(24), slack(f, 63).under("unused entry")), 152) for f in forms]
    head = filled(cat(struct.pack("<2I", 0, len(forms)), *entries, *unused), 9736)
    between = filled(slack(b"\0".join(forms), 504).under("behind the directory"), 504)
    return cat(head, between, body).under("VD")


def _slot(text: Marked, left: bytes) -> Marked:
    return cat(filled(cat(text, b"\0", slack(left, 63 - len(text)).under("slot")), 64))


def _protocol_slot(s: Spelled, form: bytes) -> Marked:
    fits = not s.wide and len(form) < 55
    return _slot(cat(b"t1_", copies(s, b"", [form])).under("protName") if fits else Marked(b"t1"), form)


# --- files


def texts(s: Spelled) -> list[Element]:
    """Hide a name in elements that people fill, in sequences, and in private elements of any kind."""
    bulk: list[Element] = [
        (0x00330010, "LO", b"ACME NOTES"), (0x00331002, "UN", cat(b"\1\2", copies(s))),
        (0x00331003, "OB", cat(b"\xff\xfe", copies(s))), (0x00331004, "OW", copies(s)),
    ]  # fmt: skip
    if s.wide:
        return bulk
    inner: list[Element] = [
        (0x00081030, "LO", copies(s)),
        (0x00330010, "LO", b"ACME NOTES"),
        (0x00331001, "LO", copies(s)),
    ]
    return [
        *bulk, (0x00081030, "LO", copies(s, b"\\")), (0x00102180, "SH", copies(s)), (0x001021B0, "LT", copies(s)),
        (0x00104000, "LT", copies(s)), (0x00204000, "LT", cat(b"PET Listmode data ", copies(s))),
        (0x00400280, "ST", copies(s)), (0x0040A160, "UT", copies(s)), (0x00081070, "PN", copies(s, b"\\")),
        (0x00400275, "SQ", [inner, [*inner, (0x00400008, "SQ", [inner, inner])]]),
        (0x00331001, "LO", copies(s)), (0x00331005, "UT", copies(s)), (0x00331006, "SQ", [inner]),
        (0x00331007, "LT", copies(s)), (0x00331008, "ST", copies(s)),
    ]  # fmt: skip


#: What differs from others in nothing but VR and block.
_REPEATED = (0x00291210, 0x00291510, 0x00291610, 0x00291820, 0x00293510, 0x00293520)


def siemens(s: Spelled) -> list[Element]:
    """Hide a name in what Siemens' private elements hold, in usual and unusual blocks and VRs."""
    header = b"SIEMENS CSA HEADER"
    rows: list[Element] = [
        (0x00290010, "LO", header), (0x00290011, "LO", header), (0x00290035, "LO", header),
        (0x00290012, "LO", b"SIEMENS MEDCOM HEADER"), (0x00291008, "CS", b"IMAGE NUM 4"),
        (0x00291010, "OB", places_in_csa(s, True)), (0x00291110, "UN", places_in_csa(s, False)),
        (0x00291210, "UN", places_in_csa(s, True)),
        (0x00293510, "OW", places_in_csa(s, True)), (0x00293520, "OB", places_in_csa(s, False)),
        (0x7FE00010, "OW", mark(bytes(16) + b"|".join(s.forms)[:97].ljust(100), "payload", "pixels")),
        (0x7FE10010, "LO", b"SIEMENS CSA NON-IMAGE"), (0x7FE11010, "OB", payload(s)),
    ]  # fmt: skip
    if s.wide:
        return rows
    sds: list[Element] = [(0x00210010, "LO", b"SIEMENS MR SDS 01"), (0x00211019, "OB", protocol(s))]
    step = cat(b"STEP;\nHEADER;\nENDSEC;\nDATA;\n#1=OOGINFO('", copies(s), b"');\nENDSEC;\nENDSTEP;\n")
    series: list[Tag] = [("MrPhoenixProtocol", "UN", [protocol(s)], b"")]
    older: list[Tag] = [("MrProtocol", "UT", [xprotocol(s), assignments(s, 1, known=False)], b"")]
    return [
        *rows, (0x00290013, "LO", b"SIEMENS MEDCOM OOG"), (0x00291310, "OB", step),
        *((0x00290014 + n, "LO", b"SIEMENS CSA NON-IMAGE") for n in range(3)),
        *((0x00291410 + (n << 8), "OB", interfile(s, e)) for n, e in enumerate((b"\n", b"\r\n", b"\r\r\n"))),
        (0x00290017, "LO", header), (0x00291720, "OB", csa(series, True)),
        (0x00290018, "LO", header), (0x00291820, "UN", csa(older, False)),
        (0x52009229, "SQ", [[(0x002111FE, "SQ", [sds])]]),
    ]  # fmt: skip


def known(s: Spelled) -> list[Element]:
    """Hide a name where keys say that it is one."""
    series: list[Tag] = [("Unused", "LO", [], b""), ("MrPhoenixProtocol", "UN", [protocol(s, known=True)], b"")]
    return [
        (0x00290010, "LO", b"SIEMENS CSA NON-IMAGE"), (0x00291010, "OB", interfile(s, b"\n", known=True)),
        (0x00290011, "LO", b"SIEMENS CSA HEADER"), (0x00291120, "OB", csa(series, True)),
        (0x00210010, "LO", b"SIEMENS MR SDS 01"), (0x00211019, "OB", protocol(s, known=True)),
    ]  # fmt: skip


def preambles(s: Spelled) -> Iterator[Marked]:
    """Hide a name in preambles: as many forms as fit into 128 bytes in each."""
    chosen: list[bytes] = []
    for form in (*s.forms, *s.respelled, None):
        if form is None or len(copies(s, b" ", [*chosen, form])) > 128:
            yield part10(identity(s.person), preamble=copies(s, b" ", chosen)).under("preamble")
            chosen = []
        if form is not None and len(copies(s, b" ", [form])) <= 128:
            chosen.append(form)


def files(s: Spelled) -> dict[str, Marked]:
    """Write every file that can hide a name in one encoding."""
    own, name = identity(s.person), name_without_charset(s)
    stream, few = part10([*own, *texts(s)]), [row for row in siemens(s) if row[0] not in _REPEATED]
    found = {
        "explicit.dcm": part10([*own, *texts(s), *siemens(s)]),
        "implicit.dcm": part10([*own, *texts(s), *few], implicit=True),
        "pair.dcm": stream, "pair.bf": payload(s),
        "large.ptd": cat(payload(s), stream, struct.pack("<i", len(stream)), b"LARGE_PET_LM_RAWDATA"),
        "dummy.ptd": cat(b"dummy data", stream, b"END!"),
    }  # fmt: skip
    found |= {f"preamble{n}.dcm": file for n, file in enumerate(preambles(s))}
    bare = s if s.encoding in (*_ANYWHERE, ESCAPED) else s._replace(respelled=())
    if s.encoding in _NOT_TOLD:
        bare = bare._replace(forms=())
    if bare.forms + bare.respelled:
        found |= {"vb.dat": vb(bare, name, known=False), "vd.dat": vd(bare, name)}
    if not s.wide:
        found |= {"known.dcm": part10([*own, *known(s)]), "known.dat": vb(s, name, known=True)}
    if not s.wide and bare.forms + bare.respelled:
        head = cat(b"!INTERFILE:=\n!patient name:=", mark(name, "field", "name"))
        for file, end in (
            ("lm.l.hdr", b"\n"),
            ("sino.s.hdr", b"\r\n"),
            ("daily.n.hdr", b"\r\r\n"),
            ("image.hs", b"\n"),
        ):
            found[file] = interfile(bare, end, head=cat(head))
        found |= {"svs.rda": rda(bare, name)}
    return {file: marked.under(file) for file, marked in found.items()}


def name_without_charset(s: Spelled) -> bytes:
    """Give the name as a file without a character set has it: as its copies, or in the next best encoding."""
    if s.encoding == ESCAPED:
        return s.person.raw
    text = s.person.name if isinstance(s.person.name, str) else "=".join(_groups(s.person))
    codecs = (s.encoding, "latin-1", "utf-8") if not s.wide else ("latin-1", "utf-8")
    return next(iter(b for codec in codecs for b in encoded([text], codec)))


def _groups(person: Person) -> list[str]:
    return [form for form in person.forms if "^" in form]


def write(folder: Path, found: dict[str, Marked], only: Callable[[str], bool] = lambda _: True) -> None:
    """Write files."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, marked in found.items():
        if only(file):
            (folder / file).write_bytes(marked.data)
