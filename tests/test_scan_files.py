"""Files searched chunk by chunk: nothing missed at an edge, nothing found twice; a file that shrinks is told."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastanon.errors import ChangedError
from fastanon.scan import Match, Pattern, in_file, stream
from tests.scanning import FILLER, KINDS, exact, folding, invented, made, naive

WORDS = folding(b"anna", b"nn", b"van der berg^anna", b"a" * 70, b"na") + exact(b"\xe9nna", b"Anna", b"\0\0")

everywhere = pytest.mark.parametrize("kind", KINDS)


def searched(
    path: Path, patterns: list[Pattern], kind: str, start: int = 0, stop: int | None = None, threads: int = 1
) -> list[Match]:
    fd = os.open(path, os.O_RDONLY)
    try:
        return in_file(fd, made(patterns, kind), start, path.stat().st_size if stop is None else stop, threads)
    finally:
        os.close(fd)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "payload"


@everywhere
@pytest.mark.parametrize("chunk", [1, 7, 16, 64, 69, 70, 71, 100, 4096])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_across_every_edge(
    kind: str, chunk: int, threads: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CHUNK", chunk)
    data = bytearray(FILLER[:900] if chunk < 64 else FILLER * 8)
    for n, at in enumerate(range(0, len(data) - 100, 61)):
        word = WORDS[n % len(WORDS)].data
        data[at : at + len(word)] = word
    path.write_bytes(data)
    assert searched(path, WORDS, kind, threads=threads) == naive(bytes(data), WORDS)


@everywhere
@pytest.mark.parametrize("threads", [1, 2])
def test_across_the_edges_of_real_chunks(kind: str, threads: int, path: Path) -> None:
    """Patterns that end 0 to 16 bytes behind each edge, also that between the threads' parts."""
    size = 4 * stream.CHUNK + 12345
    half = -(-size // threads // 4096) * 4096
    edges = sorted({n * stream.CHUNK for n in range(1, 5)} | {half + n * stream.CHUNK for n in range(3)})
    for shift in range(17):
        data, wanted = bytearray(size), []
        for edge in edges:
            if edge + 17 <= size:
                data[edge - 17 + shift : edge + shift] = b"Van der Berg^Anna"
                wanted += [(edge - 17 + shift, 0), (edge - 4 + shift, 1)]
        path.write_bytes(data)
        assert searched(path, folding(b"van der berg^anna", b"anna"), kind, threads=threads) == sorted(wanted)


@everywhere
def test_a_range_of_a_file(kind: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHUNK", 50)
    data = b"annanna" * 40
    path.write_bytes(data)
    for start, stop in ((0, 280), (1, 279), (3, 3), (3, 4), (100, 180), (5, 9)):
        wanted = [(start + at, number) for at, number in naive(data[start:stop], WORDS)]
        for threads in (1, 2):
            assert searched(path, WORDS, kind, start, stop, threads) == wanted


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(b"anA"), max_size=120).map(bytes),
    st.integers(1, 40), st.integers(1, 3), st.sampled_from(KINDS),
)  # fmt: skip
def test_chunks_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, chunk: int, threads: int, kind: str
) -> None:
    path = tmp_path_factory.mktemp("chunks") / "payload"
    path.write_bytes(data)
    patterns = folding(b"an", b"nan", b"annanan") + exact(b"AA")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "CHUNK", chunk)
        assert searched(path, patterns, kind, threads=threads) == naive(data, patterns)


@everywhere
def test_reads_that_bring_little(kind: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, data = os.preadv, FILLER * 9
    path.write_bytes(data)
    monkeypatch.setattr(os, "preadv", lambda fd, views, at: read(fd, [views[0][:777]], at))
    assert searched(path, WORDS, kind) == naive(data, WORDS)


@everywhere
@pytest.mark.parametrize("threads", [1, 2])
def test_a_file_that_ends_early(kind: str, threads: int, path: Path) -> None:
    path.write_bytes(b"." * 1000)
    with pytest.raises(ChangedError) as caught:
        searched(path, WORDS, kind, stop=1001, threads=threads)
    assert caught.value.offset == 1000


@everywhere
def test_a_file_that_shrinks_while_it_is_searched(kind: str, path: Path) -> None:
    path.write_bytes(b"." * 3 * stream.CHUNK)
    with path.open("rb") as file, pytest.raises(ChangedError) as caught:
        in_file(
            file.fileno(), made(WORDS, kind), 0, 3 * stream.CHUNK,
            seen=lambda *_: os.truncate(path, stream.CHUNK + 99),
        )  # fmt: skip
    assert caught.value.offset == stream.CHUNK + 99


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_every_byte_is_shown_once(threads: int, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHUNK", 3000)
    data, shown, lock = os.urandom(50_000), {}, threading.Lock()

    def seen(at: int, chunk: memoryview) -> None:
        with lock:
            assert at not in shown
            shown[at] = bytes(chunk)

    path.write_bytes(data)
    with path.open("rb") as file:
        in_file(file.fileno(), made(WORDS, "small"), 123, 49_000, threads, seen)
    assert b"".join(shown[at] for at in sorted(shown)) == data[123:49_000]


def test_threads_share_the_work(path: Path) -> None:
    """Each of two waits in its first chunk for the other: one alone would wait for ever."""
    path.write_bytes(bytes(4 * stream.CHUNK))
    both = threading.Barrier(2, timeout=60)
    firsts = {0, 2 * stream.CHUNK}

    def seen(at: int, _: memoryview) -> None:
        if at in firsts:
            both.wait()

    with path.open("rb") as file:
        found = in_file(file.fileno(), made(invented(20), KINDS[-1]), 0, 4 * stream.CHUNK, 2, seen)
    assert found == []
