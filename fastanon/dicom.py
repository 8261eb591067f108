"""A DICOM dataset as a part: its elements as fields, and what private values hold."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator

from fastanon import dictionary, walk
from fastanon.boxes import Boxes
from fastanon.decisions import decided
from fastanon.dicomdir import patients_of
from fastanon.dictionary import LIMITS, PADDING, TEXT_VRS
from fastanon.elements import Borders, Element, Elements
from fastanon.errors import FileError
from fastanon.fields import Box, Field, Space, Text
from fastanon.inside import BASE64, LEAST, Inside, inside_of, is_inside, read_text
from fastanon.keep import AROUND, KEEP, KEPT_PRIVATE, is_kept
from fastanon.opened import Opened
from fastanon.part import Part, Run, broken_text, holding, text_rules
from fastanon.payload import FIRST_BULK, Payload, is_payload, kind_of
from fastanon.rules import Rule
from fastanon.scheme import Scheme
from fastanon.siemens import csa, interfile, protocol, protocol_keys, spelled
from fastanon.siemens.spelled import Spelled
from fastanon.text import decode

#: Public bulk that may hold text: (0002,0102) Private Information, (0042,0011) Encapsulated Document, (FFFC,FFFC)
#: Data Set Trailing Padding.
_PUBLIC_BULK = frozenset((0x00020102, 0x00420011, 0xFFFCFFFC))

#: Numbers, codes, dates and UIDs: of these a needle touches none. OB and OW are bulk, which may be anything.
_CODED_VRS = frozenset((*dictionary.SHORT_VRS, *dictionary.LONG_VRS)) - TEXT_VRS - {"OB", "OW"}

#: Where Siemens puts CSA headers, Interfile headers and protocols: (gggg,xx10), (gggg,xx19), (gggg,xx20).
_SIEMENS_TEXTS = (0x10, 0x19, 0x20)

_LEAST_PACKED = 22  # bytes of an empty zip or gzip
_HEAD = 4096  # what tells an Interfile header

_RAW_DATA = 0x7FE11010
_BURNED_IN = 0x00280301
_PATIENT_NAME, _PATIENT_ID, _STUDY = 0x00100010, 0x00100020, 0x0020000D


class DicomPart(Part):
    """The file meta information, or a dataset.

    Parameters
    ----------
    space, data, start, stop, opened
        As of `Part`. What no element holds is preamble or lies behind the dataset.
    elements : Elements
        The walked table.
    outer : Box or None
        What counts the length of the whole, as the trailer of a ``.ptd`` does.
    """

    def __init__(
        self,
        space: Space,
        data: walk.Bytes,
        elements: Elements,
        start: int,
        stop: int,
        opened: Opened | None = None,
        outer: Box | None = None,
    ) -> None:
        super().__init__(space, data, start, stop, opened)
        self.elements, self.outer = elements, outer
        self.boxes, self.borders = Boxes(elements, outer), Borders(elements)
        self._inside: dict[int, list[Field]] = {}
        self._texts: dict[int, str] = {}
        self._fields: dict[int, Field] = {}
        self._keys: dict[int, tuple[str, ...]] = {}

    @property
    def is_meta(self) -> bool:
        """Whether it is the file meta information and not a dataset."""
        return len(self.elements) > 0 and self.elements.tags[0] >> 16 == 2

    def value(self, index: int) -> bytes:
        """Copy the value of an element out."""
        element = self.elements[index]
        return self.bytes_at(element.value, element.end)

    def text(self, index: int) -> str:
        """Read a short ASCII value, without its padding."""
        return self.value(index).decode("latin-1").strip(" \0") if index >= 0 else ""

    def creator(self, index: int) -> str:
        """Give the private creator of a private element, empty where it has none."""
        return self._text_of(self.elements.creator_row(index))

    def _text_of(self, index: int) -> str:
        """Read a short value that many elements ask for."""
        if index not in self._texts:
            self._texts[index] = self.text(index)
        return self._texts[index]

    @functools.cached_property
    def payload_rows(self) -> dict[int, None]:
        """The rows of bulk data without text, in order: a set that keeps it."""
        tags, by_tag = self.elements.tags, self.elements.by_tag
        rows = self.elements.rows_of(tag for tag in by_tag if tag >= FIRST_BULK and is_payload(tag))
        found = [i for i in rows if not self.elements[i].nested]
        return {i: None for i in found if tags[i] >> 16 != 0x7FE1 or self.creator(i) == "SIEMENS CSA NON-IMAGE"}

    def payloads(self) -> list[Payload]:
        """Give the runs of bulk data without text, in order."""
        rows = self.payload_rows
        types = self._types if rows else ""
        found = ((self.elements[i], kind_of(self.elements.tags[i], types)) for i in rows)
        return [Payload(element.value, element.end, kind) for element, kind in found]

    def kind_beside(self) -> str:
        """Give the kind of payload that a ``.bf`` beside it holds."""
        return kind_of(_RAW_DATA, self._types)

    @functools.cached_property
    def _types(self) -> str:
        """What the dataset says it is: Image Type, and the CSA Data Type of raw data."""
        told = (
            t for t in self.elements.by_tag if t == 0x00080008 or (t & 0xFFFF00FF == 0x00290008 and t & 0xFF00)
        )
        return " ".join(map(self.text, self.elements.rows_of(told)))

    def identifying(self, scheme: Scheme) -> Iterator[tuple[Field, Rule]]:
        """Give the fields that change: elements, and keys of Siemens' texts."""
        for i, rule in decided(self, scheme):
            yield self._value_field(i), rule
        for i in self._siemens_texts():
            head = self.bytes_at(self.elements[i].value, min(self.elements[i].value + _HEAD, self.elements[i].end))
            yield from text_rules(self.fields_inside(i), _rule_of(head), scheme)

    @functools.cached_property
    def inside_rows(self) -> dict[int, Inside]:
        """The rows of CSA headers and protocols that are parts of their own."""
        found: dict[int, Inside] = {}
        for i in () if self.space.codec else self._siemens_rows:
            element = self.elements[i]
            if element.length >= LEAST and is_inside(data := self.value(i)):
                found[i] = self._inside_of(i, data)
                broken = found[i].broken
                if broken is not None:
                    self._note(broken.name, element.value + broken.value[0])
        return found

    def _inside_of(self, index: int, data: bytes) -> Inside:
        """Read such a text; what goes wrong in it is told with the offset in this space."""
        element = self.elements[index]
        try:
            return inside_of(data, element.tag, self._key(index))
        except FileError as error:
            error.tag, error.offset = element.tag, element.value + (error.offset or 0)
            raise

    def insides(self) -> list[tuple[int, Inside]]:
        """Give the CSA headers and protocols in it, with the offset of each."""
        return [(self.elements[i].value, inside) for i, inside in self.inside_rows.items()]

    def searched(self) -> Iterator[Run]:
        """Give the runs that are neither payload nor parts of their own."""
        inside = [(at, at + inside.stop) for at, inside in self.insides()]
        start = self.start
        for run in sorted([*inside, *((one.start, one.end) for one in self.payloads())]):
            yield start, run[0]
            start = run[1]
        yield start, self.stop

    def patient(self) -> tuple[str, str]:
        """Give ID and name of the patient, of the dataset itself and not of what it refers to."""
        rows = {self.elements.tags[i]: i for i in self._top_rows((_PATIENT_ID, _PATIENT_NAME))}
        return self._shown(rows.get(_PATIENT_ID, -1)), self._shown(rows.get(_PATIENT_NAME, -1))

    def study(self) -> str:
        """Give the Study Instance UID, empty without one."""
        return next((self.text(i) for i in self._top_rows((_STUDY,))), "")

    def is_clean(self) -> bool:
        """Say whether the dataset says that no text is burned into its pixels."""
        return [self.text(i) for i in self._top_rows((_BURNED_IN,))] == ["NO"]

    def records(self) -> list[tuple[int, int, tuple[str, str]]]:
        """Give the records of a DICOMDIR, each with the patient of the record that leads to it."""
        found = []
        for i, rows in patients_of(self.elements, self.value).items():
            who = self._shown(rows.get(_PATIENT_ID, -1)), self._shown(rows.get(_PATIENT_NAME, -1))
            found.append((self.elements[i].header, self.elements[i].outer_end, who))
        return sorted(found)

    def _top_rows(self, tags: Iterable[int]) -> list[int]:
        return [i for i in self.elements.rows_of(tags) if self.elements.parents[i] < 0]

    def _shown(self, index: int) -> str:
        return decode(self.value(index), self.charset(index)).strip(" \0") if index >= 0 else ""

    def slack(self) -> Iterator[Field]:
        """Give the runs of leftover memory in all CSA headers that hold anything."""
        for i in self._siemens_texts():
            yield from (field for field in self.fields_inside(i) if field.key[-1] == "slack")

    def packed(self) -> list[Field]:
        """Give every text that is packed, so that no search sees it.

        Siemens packs reports (zip, gzip) and landmarks (base64) into private values and CSA items.
        """
        private = self.elements.rows_of(filter(dictionary.is_private, self.elements.by_tag))
        whole = [self._value_field(i) for i in private if self.is_packed(i)]
        texts = [f for i in self._siemens_texts() for f in self.fields_inside(i)]
        return whole + [f for f in texts if BASE64.fullmatch(self.bytes_at(*f.value))]

    def spelled(self) -> list[Spelled]:
        """Give the texts that are written as numbers."""
        runs = ((self._key(i), self.value(i), self.elements[i].value) for i in self._siemens_texts())
        found = ((key, one) for key, data, base in runs for one in spelled.read(data, base))
        return [one._replace(name=" > ".join((*key, one.name))) for key, one in found]

    def is_packed(self, index: int) -> bool:
        """Say whether a private value is packed."""
        length, start = self.elements.lengths[index], self.elements.values[index]
        if length < _LEAST_PACKED or self.elements.flags[index] & walk.NESTED:
            return False
        head = self.bytes_at(start, start + 4)
        if head == b"PK\3\4" or head[:3] == b"\x1f\x8b\x08":
            return True
        return (
            64 <= length < 1 << 24
            and index not in self.payload_rows
            and BASE64.fullmatch(self.value(index)) is not None
        )

    def is_plain(self, index: int) -> bool:
        """Say whether a value is a number or a code, whatever stands in it: no text is read there."""
        element = self.elements[index]
        dated = dictionary.is_private(element.tag) and element.real_vr in ("DA", "DT")
        return element.real_vr in _CODED_VRS and not (dated or element.nested or index in self.payload_rows)

    def _siemens_texts(self) -> Iterator[int]:
        """Give the rows of Siemens' texts that are no parts of their own."""
        return (i for i in self._siemens_rows if i not in self.inside_rows)

    @functools.cached_property
    def _siemens_rows(self) -> list[int]:
        private = filter(dictionary.is_private, self.elements.by_tag)
        tags = (tag for tag in private if tag & 0xFF in _SIEMENS_TEXTS and tag & 0xFFFF > 0xFF)
        rows = filter(self._is_siemens, self.elements.rows_of(tags))
        return [i for i in rows if i not in self.payload_rows]

    def element_field(self, index: int) -> Field:
        """Make the field of a whole value, with all lengths around it."""
        return self._value_field(index)._replace(box=self.boxes.of(index))

    def boxed(self, field: Field) -> Field:
        """Give a field with all lengths around it."""
        index = self.elements.at(field.outer[0])
        whole = index >= 0 and field.value[0] == self.elements.values[index]
        return self.element_field(index) if whole and field.box is None else field

    def _value_field(self, index: int) -> Field:
        """Make the same field without them: most values keep their length."""
        if index not in self._fields:
            self._fields[index] = self._make_field(index)
        return self._fields[index]

    def _make_field(self, index: int) -> Field:
        element = self.elements[index]
        text = _spelling(self.charset(index), element.real_vr)
        value, outer = (element.value, element.end), (element.header, element.outer_end)
        return Field(self._key(index), self.space, outer, value, text, fixed=False)

    def charset(self, index: int) -> str:
        """Give the Specific Character Set that holds for an element, as it is written."""
        return self._text_of(self.elements.charset_row(index))

    def fields_inside(self, index: int) -> list[Field]:
        """Give all text that a value holds, in order: what is not in here no needle may touch."""
        if index not in self._inside:
            self._inside[index] = sorted(self._read_inside(index), key=lambda field: field.value)
            self._note_broken(self._inside[index])
        return self._inside[index]

    def field_at(self, start: int, end: int) -> Field | None:
        """Give the text that holds all bytes of a hit; None in a key, in a number, or across a border."""
        index = self.elements.at(start)
        if index < 0:
            return self._outside(start, end)
        element = self.elements[index]
        at = max(element.value, start - AROUND)
        around = self.bytes_at(at, min(element.end, end + AROUND))
        if element.nested or is_kept(element.tag, around, start - at, end - at):
            return None
        return holding(self.fields_inside(index), start, end)

    def name_at(self, start: int, end: int) -> str:
        """Give the name of the text or the element that holds these bytes."""
        index = self.elements.at(start)
        if index < 0:
            return super().name_at(start, end)
        field = holding(self.fields_inside(index), start, end)
        return " > ".join(self._key(index)) if field is None else field.name

    def broken_at(self, start: int, end: int) -> Field | None:
        """Give the text of a broken structure that a hit touches."""
        index = self.elements.at(start)
        return broken_text(self.fields_inside(index), start, end) if index >= 0 else None

    def _outside(self, start: int, end: int) -> Field | None:
        """Take what lies before the first element or behind the last as slack, where every hit counts."""
        first = self.elements.headers[0] if len(self.elements) else self.stop
        run = (self.start, first) if start < first else (self.elements.end, self.stop)
        if not (run[0] <= start and end <= run[1]):
            return None
        name = "preamble" if start < first else "behind the dataset"
        return Field((name,), self.space, run, run, Text("latin-1", b"\0"))

    def _read_inside(self, index: int) -> list[Field]:
        element = self.elements[index]
        vr, private = element.real_vr, dictionary.is_private(element.tag)
        creator = dictionary.is_private_creator(element.tag) and element.vr in ("LO", "")
        kept = private and element.tag & 0xFF in KEPT_PRIVATE.get(self.creator(index), ())
        if creator or kept or index in self.payload_rows or KEEP.get(element.tag, element) is None:
            return []
        text = _spelling(self.charset(index), vr)
        outer, value = (element.header, element.outer_end), (element.value, element.end)
        whole = Field(self._key(index), self.space, outer, value, text)
        if vr in TEXT_VRS or (private and vr in ("DA", "DT")):
            return [whole]
        if vr in _CODED_VRS or not (private or _may_hold_text(element)):
            return []
        return self._read_bulk(index, whole)

    def _read_bulk(self, index: int, whole: Field) -> list[Field]:
        """Read private bulk by what it shows to be; what shows nothing is one text."""
        data, base = self.value(index), whole.value[0]
        if self._is_siemens(index):
            if csa.is_csa(data):
                return read_text(data, base, self.space, whole.key)
            if interfile.is_interfile(data):
                box = self.boxes.of(index)
                return interfile.fields(data, base, self.space, whole.key, box)
        return read_text(data, base, self.space, whole.key) if protocol.is_protocol(data) else [whole]

    def _is_siemens(self, index: int) -> bool:
        return self.creator(index).startswith("SIEMENS")

    def _key(self, index: int) -> tuple[str, ...]:
        if index not in self._keys:
            self._keys[index] = self._make_key(index)
        return self._keys[index]

    def _make_key(self, index: int) -> tuple[str, ...]:
        """Give the names from the outside in: up to the first row around it whose key is known, and back."""
        rows, tags = [index], self.elements.tags
        while (row := self.elements.parents[rows[-1]]) >= 0 and row not in self._keys:
            rows.append(row)
        key = self._keys.get(row, ())
        for row in reversed(rows):
            if tags[row] != walk.ITEM:
                creator = self.creator(row) if dictionary.is_private(tags[row]) else ""
                key = (*key, f"{creator} {dictionary.keyword_of(tags[row])}".strip())
            self._keys[row] = key
        return key


@functools.lru_cache(256)
def _spelling(charset: str, vr: str) -> Text:
    return Text(charset, PADDING.get(vr, b" "), LIMITS.get(vr, 0), is_date=vr in ("DA", "DT"))


def _may_hold_text(element: Element) -> bool:
    """Say whether public bulk may: where nobody knows what it is, a sequence that can't be read, and a few."""
    return element.tag in _PUBLIC_BULK or element.vr == "UN" or dictionary.vr_of(element.tag) == "UN"


def _rule_of(text: bytes) -> Callable[[str], str | None]:
    return interfile.rule_of if interfile.is_interfile(text) else protocol_keys.rule_of
