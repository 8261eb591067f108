"""Random datasets, nested and encoded in every way, with a name, an ID and a date of birth in them."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.builder import BIG, DEFLATED, EXPLICIT, IMPLICIT, Fragments, GroupLength, Item, Leaf, Node, Nodes, Seq
from tests.canary import CANARIES

FIRST, LAST, ID, BORN = CANARIES
NAME = f"{LAST}^{FIRST}"

#: Character sets, each with letters that it has and ASCII has not.
CHARSETS = {"": "", "ISO_IR 100": "äß", "ISO_IR 144": "Ж", "ISO_IR 192": "ł漢"}
_CODECS = {"": "ascii", "ISO_IR 100": "latin-1", "ISO_IR 144": "iso8859-5", "ISO_IR 192": "utf-8"}

_NAMES = (0x00080090, 0x00100010, 0x00101001)
_TEXTS = ((0x00081030, "LO"), (0x00104000, "LT"), (0x00204000, "LT"), (0x0040A160, "UT"))
_OTHERS = (
    Leaf(0x00080008, "CS", b"ORIGINAL\\PRIMARY"),
    Leaf(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.7"),
    Leaf(0x00200013, "IS", b"3"),
    Leaf(0x00280010, "US", b"\0\1"),
    Leaf(0x00281201, "OW", bytes(range(16))),
)
_SEQUENCES = (0x00081140, 0x00400275, 0x00409096)
_PRIVATE = 0x00091000

syntaxes = st.sampled_from([EXPLICIT, IMPLICIT, BIG])
all_syntaxes = st.sampled_from([EXPLICIT, IMPLICIT, BIG, DEFLATED])


def words(letters: str, size: int = 12) -> st.SearchStrategy[str]:
    """Give short text, in the letters of a character set."""
    return st.text(alphabet="abcXYZ019 " + letters, max_size=size)


@st.composite
def leaves(draw: st.DrawFn, charset: str, planted: bool) -> list[Node]:
    """Draw elements with values: names, texts, and what no edit may touch."""
    codec, text = _CODECS[charset], words(CHARSETS[charset])
    names = st.one_of(text, st.just(NAME)) if planted else text
    found: list[Node] = [
        Leaf(tag, "PN", draw(names).encode(codec)) for tag in draw(st.sets(st.sampled_from(_NAMES)))
    ]
    for tag, vr in draw(st.sets(st.sampled_from(_TEXTS))):
        copy = f" of {draw(st.sampled_from([LAST.title(), FIRST, NAME, ID]))}, " if planted else ""
        found.append(Leaf(tag, vr, (draw(text) + copy + draw(text)).encode(codec)))
    return found + list(draw(st.sets(st.sampled_from(_OTHERS))))


@st.composite
def datasets(draw: st.DrawFn, depth: int = 2, charset: str = "", planted: bool = False) -> Nodes:
    """Draw a dataset in the order of its tags."""
    found: list[Node] = []
    if draw(st.booleans()):
        charset = draw(st.sampled_from(sorted(CHARSETS)))
        found.append(Leaf(0x00080005, "CS", charset.encode()))
    found += draw(leaves(charset, planted))
    found += draw(private_blocks(charset, depth))
    if depth:
        tags = draw(st.sets(st.sampled_from(_SEQUENCES), max_size=2))
        found += [draw(sequences(tag, depth, charset, planted)) for tag in tags]
    groups = {node.tag >> 16 for node in found}
    found += [GroupLength(group << 16) for group in groups if draw(st.booleans())]
    return tuple(sorted(found, key=lambda node: node.tag))


@st.composite
def private_blocks(draw: st.DrawFn, charset: str, depth: int) -> list[Node]:
    """Draw a private block: text, bytes that begin like an item and are none, and a sequence."""
    if not draw(st.booleans()):
        return []
    found: list[Node] = [Leaf(0x00090010, "LO", b"MAKER OF TESTS"), Leaf(_PRIVATE + 1, "LO", b"private text")]
    if draw(st.booleans()):
        found.append(Leaf(_PRIVATE + 2, "OB", b"\xfe\xff\x00\xe0\x08\x00\x00\x00broken"))
    if depth and draw(st.booleans()):
        found.append(draw(sequences(_PRIVATE + 3, depth, charset, False)))
    return found


@st.composite
def sequences(draw: st.DrawFn, tag: int, depth: int, charset: str, planted: bool) -> Node:
    """Draw a sequence: lengths defined or not, now and then as UN."""
    inside = st.builds(Item, datasets(depth - 1, charset, planted), st.booleans())
    undefined = draw(st.booleans())
    vr = "SQ" if undefined else draw(st.sampled_from(["SQ", "SQ", "UN"]))
    return Seq(tag, tuple(draw(st.lists(inside, max_size=2))), undefined, vr)


@st.composite
def studies(draw: st.DrawFn) -> Nodes:
    """Draw a dataset whose patient has a name, an ID and a date of birth, with pixels behind it."""
    patient = (
        Leaf(0x00100010, "PN", NAME.encode()),
        Leaf(0x00100020, "LO", ID.encode()),
        Leaf(0x00100030, "DA", BORN.encode()),
    )
    nodes: dict[int, Node] = {node.tag: node for node in (*draw(datasets(planted=True)), *patient)}
    nodes[0x7FE00010] = Leaf(0x7FE00010, "OW", NAME.encode() * 2)
    return tuple(nodes[tag] for tag in sorted(nodes))


def with_fragments(nodes: Nodes) -> Nodes:
    """Give the dataset encapsulated pixel data behind all else."""
    kept = tuple(node for node in nodes if node.tag != 0x7FE00010)
    return (*kept, Fragments(0x7FE00010, (b"", b"\xff\xd8 fragment", b"\xfe\xff\xdd\xe0")))
