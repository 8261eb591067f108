"""A tiny writer of DICOM datasets (PS3.5 chapter 7), which shares no line with fastanon.

A dataset is a tuple of nodes. `build` gives its bytes and where everything came to stand; the order of `placed`
is that of the file, items included.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

EXPLICIT, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
DEFLATED, JPEG = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.50"
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

_LONG = ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
_NULL = ("OB", "OW", "UI", "UN")


@dataclass(frozen=True)
class Leaf:
    """An element with a value; odd values are padded."""

    tag: int
    vr: str
    value: bytes


@dataclass(frozen=True)
class GroupLength:
    """An element (gggg,0000), or (0008,0001) Length to End: its value is worked out."""

    tag: int


@dataclass(frozen=True)
class Fragments:
    """Encapsulated pixel data: an offset table and fragments."""

    tag: int
    parts: tuple[bytes, ...]


@dataclass(frozen=True)
class Item:
    """One item of a sequence."""

    nodes: tuple[Node, ...]
    undefined: bool = False


@dataclass(frozen=True)
class Seq:
    """A sequence; as UN its inside is implicit little endian, whatever is around it (PS3.5 6.2.2)."""

    tag: int
    items: tuple[Item, ...]
    undefined: bool = False
    vr: str = "SQ"


Node: TypeAlias = Leaf | GroupLength | Fragments | Seq
Nodes: TypeAlias = tuple[Node, ...]


class Placed(NamedTuple):
    """Where a node came to stand."""

    tag: int
    header: int
    value: int
    length: int
    depth: int
    undefined: bool


class _Writer:
    def __init__(self, base: int) -> None:
        self.out = bytearray(base)
        self.placed: list[Placed] = []

    def dataset(self, nodes: Nodes, depth: int, explicit: bool, order: str) -> None:
        counters: list[tuple[int, int]] = []
        ends: dict[int, int] = {}
        for node in nodes:
            self.node(node, depth, explicit, order)
            ends[node.tag >> 16] = len(self.out)
            if isinstance(node, GroupLength):
                counters.append((node.tag, len(self.out)))
        for tag, at in counters:
            end = ends[tag >> 16] if tag & 0xFFFF == 0 else len(self.out)
            struct.pack_into(order + "I", self.out, at - 4, end - at)

    def node(self, node: Node, depth: int, explicit: bool, order: str) -> None:
        header, row = len(self.out), len(self.placed)
        undefined = isinstance(node, Fragments) or (isinstance(node, Seq) and node.undefined)
        slot, fmt = self.header(node, explicit, order, undefined)
        value = len(self.out)
        self.placed.append(Placed(node.tag, header, value, 0, depth, undefined))
        self.value(node, depth, explicit, order)
        length = len(self.out) - value
        self.placed[row] = self.placed[row]._replace(length=length)
        if undefined:
            self.out += struct.pack(order + "HHI", 0xFFFE, 0xE0DD, 0)
        else:
            struct.pack_into(fmt, self.out, slot, length)

    def header(self, node: Node, explicit: bool, order: str, undefined: bool) -> tuple[int, str]:
        """Write tag, VR and room for the length; give offset and format of the length."""
        self.out += struct.pack(order + "HH", node.tag >> 16, node.tag & 0xFFFF)
        vr = {GroupLength: "UL", Fragments: "OB"}.get(type(node)) or node.vr  # type: ignore[union-attr]
        if explicit:
            self.out += vr.encode()
        if explicit and vr not in _LONG:
            self.out += b"\0\0"
            return len(self.out) - 2, order + "H"
        self.out += (b"\0\0" if explicit else b"") + (b"\xff" if undefined else b"\0") * 4
        return len(self.out) - 4, order + "I"

    def value(self, node: Node, depth: int, explicit: bool, order: str) -> None:
        if isinstance(node, Leaf):
            self.out += padded(node.value, node.vr)
        elif isinstance(node, GroupLength):
            self.out += bytes(4)
        elif isinstance(node, Fragments):
            for part in node.parts:
                self.out += struct.pack(order + "HHI", 0xFFFE, 0xE000, len(padded(part, "OB"))) + padded(
                    part, "OB"
                )
        else:
            inside = (False, "<") if node.vr == "UN" else (explicit, order)
            for item in node.items:
                self.item(item, depth + 1, *inside)

    def item(self, item: Item, depth: int, explicit: bool, order: str) -> None:
        header, row = len(self.out), len(self.placed)
        self.out += struct.pack(order + "HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
        self.placed.append(Placed(ITEM, header, header + 8, 0, depth, item.undefined))
        self.dataset(item.nodes, depth, explicit, order)
        length = len(self.out) - header - 8
        self.placed[row] = self.placed[row]._replace(length=length)
        if item.undefined:
            self.out += struct.pack(order + "HHI", 0xFFFE, 0xE00D, 0)
        else:
            struct.pack_into(order + "I", self.out, header + 4, length)


def padded(value: bytes, vr: str) -> bytes:
    """Fill a value up to even length (PS3.5 6.2)."""
    return value + (b"\0" if vr in _NULL else b" ") * (len(value) % 2)


def build(nodes: Nodes, syntax: str = EXPLICIT, base: int = 0) -> tuple[bytes, list[Placed]]:
    """Write a dataset as it stands behind `base` other bytes, which are not given."""
    writer = _Writer(base)
    writer.dataset(nodes, 0, syntax != IMPLICIT, ">" if syntax == BIG else "<")
    return bytes(writer.out[base:]), writer.placed


def meta(syntax: str) -> bytes:
    """Write preamble, prefix and file meta information (PS3.10 7.1)."""
    nodes: Nodes = (
        GroupLength(0x00020000),
        Leaf(0x00020001, "OB", b"\0\1"),
        Leaf(0x00020002, "UI", b"1.2.840.10008.5.1.4.1.1.7"),
        Leaf(0x00020003, "UI", b"1.2.3.4"),
        Leaf(0x00020010, "UI", syntax.encode()),
        Leaf(0x00020012, "UI", b"1.2.3"),
    )
    return bytes(128) + b"DICM" + build(nodes)[0]


def part10(nodes: Nodes, syntax: str = EXPLICIT) -> bytes:
    """Write a whole file."""
    data = build(nodes, syntax)[0]
    if syntax == DEFLATED:
        engine = zlib.compressobj(wbits=-15)
        data = padded(engine.compress(data) + engine.flush(), "OB")
    return meta(syntax) + data


def preorder(nodes: Nodes) -> Iterator[Node | Item]:
    """Give every node and item in the order in which they are placed."""
    for node in nodes:
        yield node
        for item in node.items if isinstance(node, Seq) else ():
            yield item
            yield from preorder(item.nodes)


def replaced(nodes: Nodes, values: Mapping[int, bytes]) -> Nodes:
    """Give the same dataset with other values; the keys count in preorder."""
    return _replaced(nodes, dict(values), [0])


def _replaced(nodes: Nodes, values: Mapping[int, bytes], at: list[int]) -> Nodes:
    result: list[Node] = []
    for node in nodes:
        index, at[0] = at[0], at[0] + 1
        if isinstance(node, Seq):
            items = []
            for item in node.items:
                at[0] += 1
                items.append(replace(item, nodes=_replaced(item.nodes, values, at)))
            result.append(replace(node, items=tuple(items)))
        else:
            result.append(replace(node, value=values[index]) if index in values else node)  # type: ignore[call-arg]
    return tuple(result)


def without_un(nodes: Nodes) -> Nodes:
    """Write SQ for UN: pydicom reads the little endian inside of a UN as big endian in a big endian file."""
    return tuple(
        replace(node, vr="SQ", items=tuple(replace(item, nodes=without_un(item.nodes)) for item in node.items))
        if isinstance(node, Seq)
        else node
        for node in nodes
    )
