"""The journal as bytes: what goes in comes out, and what is torn, cut or made up is told from what is whole."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastanon.journal import Entry, Journal, JournalError, TornError, pack, parse, said_by

NUMBERS = st.integers(0, 2**40)
PATHS = st.lists(st.text("abcÄ漢 .-_", min_size=1).filter(lambda name: name not in (".", "..")), min_size=1)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    at, writes = 0, []
    for gap, data in draw(st.lists(st.tuples(st.integers(0, 2**33), st.binary(max_size=40)), max_size=4)):
        writes.append((at + gap, data))
        at += gap + len(data)
    to = "/".join(draw(st.one_of(st.just([]), PATHS)))
    up = "../" * draw(st.integers(0, 3)) if to else ""
    return Entry(draw(NUMBERS), at, at + draw(NUMBERS), up + to, tuple(writes))


JOURNALS = st.builds(
    Journal,
    st.integers(0, 2**31),
    st.text("host-1.example", max_size=20),
    NUMBERS,
    st.tuples(entries(), entries()),
)
ONE = Journal(4711, "scanner", 3, (Entry(12, 900, 900, "", ((3, b"new"), (80, b"bytes"))),))


def sealed(body: bytes) -> bytes:
    return body + hashlib.blake2b(body, digest_size=32).digest()


@given(JOURNALS)
def test_what_goes_in_comes_out(journal: Journal) -> None:
    assert parse(pack(journal)) == journal


def test_cut_off_anywhere_it_is_torn() -> None:
    data = pack(ONE)
    for size in range(len(data)):
        with pytest.raises(TornError):
            parse(data[:size])


def test_with_any_byte_changed_it_is_torn() -> None:
    data = pack(ONE)
    for at in range(len(data)):
        with pytest.raises(TornError):
            parse(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


def test_with_a_block_that_was_never_written_it_is_torn() -> None:
    data = pack(Journal(1, "host", 2, (Entry(3, 9000, 9000, "", ((0, b"n" * 4000),)),)))
    for at in range(0, len(data) - 512, 512):
        with pytest.raises(TornError):
            parse(data[:at] + bytes(512) + data[at + 512 :])


@pytest.mark.parametrize("size", range(0, len(pack(ONE)) - 32, 7))
def test_cut_off_with_a_checksum_it_is_refused(size: int) -> None:
    with pytest.raises(JournalError) as caught:
        parse(sealed(pack(ONE)[:size]))
    assert not isinstance(caught.value, TornError)


@pytest.mark.parametrize(
    "entry",
    [
        Entry(1, 100, 100, "", ((50, b"abc"), (52, b"overlaps"))),
        Entry(1, 100, 100, "", ((98, b"leaves the file"),)),
        Entry(1, 100, 100, "/etc/passwd", ()),
        Entry(1, 100, 100, "a/../../b", ()),
        Entry(1, 100, 100, "..", ()),
        Entry(1, 100, 100, "a//b", ()),
        Entry(1, 100, 100, "a/./b", ()),
        Entry(1, 100, 100, "a\0b", ()),
    ],
)
def test_what_makes_no_sense_is_refused(entry: Entry) -> None:
    with pytest.raises(JournalError) as caught:
        parse(pack(ONE._replace(entries=(entry,))))
    assert not isinstance(caught.value, TornError)


def test_more_behind_the_end_is_refused() -> None:
    with pytest.raises(JournalError, match="contradicts"):
        parse(sealed(pack(ONE)[:-32] + b"more"))


@pytest.mark.parametrize(("at", "new"), [(0, b"another!program!"), (16, b"\2\0\0\0")])
def test_another_program_or_version_is_refused(at: int, new: bytes) -> None:
    body = pack(ONE)[:-32]
    with pytest.raises(JournalError, match="version"):
        parse(sealed(body[:at] + new + body[at + len(new) :]))


def test_it_says_who_holds_it_also_before_it_is_whole() -> None:
    assert said_by(pack(ONE)[:60]) == "process 4711 on scanner"
    assert said_by(pack(ONE._replace(host="\33[2Jx"))) == "process 4711 on [2Jx"
    assert said_by(b"") == "another process"
