"""List-mode words, norm factors and pixels: numbers that are the same on every machine, in every version.

Random bits come from SHAKE-128 (FIPS 202), and all arithmetic is on integers. The words are those of STIR's
CListRecordECAT8_32bit.h: bit 31 clear is an event, bit 30 tells prompts from delayeds, and the rest is a bin.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

#: Bins of a span-1 sinogram: 344 * 252 * 4084.
BINS = 354_033_792
#: Bytes of a norm: (344*127 + 9*344 + 504*64 + 837 + 64 + 64 + 9 + 837) * 4.
NORM_BYTES = 323_404
#: Words in a millisecond, a usual rate in the head; the first is the time.
WORDS_A_MS = 370

_BLOCK = 8 << 20
_PROMPT, _TIME, _SINGLES = 1 << 30, 0b100 << 29, 0b101 << 29
_SINGLES_EVERY = 9 * WORDS_A_MS  # 224 blocks are polled every 2 s
_PROMPTS_OF_256 = 166  # 65 %


def random_bytes(seed: str, size: int) -> bytes:
    """Give random bytes that are the same whenever the seed is."""
    return hashlib.shake_128(b"fastanon synthetic " + seed.encode()).digest(size)


def listmode_block(first: int, count: int) -> bytes:
    """Give list-mode words.

    Parameters
    ----------
    first : int
        The number of the first word in its file, from 0.
    count : int
        How many.

    Returns
    -------
    bytes
        ``4 * count`` of them, little-endian.
    """
    bits = np.frombuffer(random_bytes(f"words {first}", 4 * count), "<u4").astype(np.uint64)
    words = (bits * np.uint64(BINS)) >> np.uint64(32)
    words |= np.where((bits & np.uint64(255)) < _PROMPTS_OF_256, np.uint64(_PROMPT), np.uint64(0))
    at = np.arange(first, first + count, dtype=np.uint64)
    times = at % np.uint64(WORDS_A_MS) == 0
    words[times] = np.uint64(_TIME) + at[times] // np.uint64(WORDS_A_MS)
    polls = at % np.uint64(_SINGLES_EVERY) == 1
    poll = at[polls] // np.uint64(_SINGLES_EVERY)
    rate = np.uint64(900) + (bits[polls] & np.uint64(127))
    words[polls] = np.uint64(_SINGLES) + ((poll % np.uint64(224)) << np.uint64(19)) + rate
    return words.astype("<u4").tobytes()


def listmode_blocks(size: int, repeat: bool = False) -> Iterator[bytes]:
    """Give the payload of a list-mode file, block after block.

    Parameters
    ----------
    size : int
        Bytes in all.
    repeat : bool
        Give the first block again and again: fast, but then time starts anew with each.

    Yields
    ------
    bytes
        Up to 8 MiB.
    """
    block = b""
    for start in range(0, size, _BLOCK):
        count = min(_BLOCK, size - start)
        if not (repeat and block):
            block = listmode_block(start // 4, count // 4)
        yield block[:count]


def norm() -> bytes:
    """Give norm factors between 0.5 and 1.5: 323,404 bytes of little-endian float32."""
    levels = np.frombuffer(random_bytes("norm", NORM_BYTES // 4), np.uint8)
    return (levels.astype("<f4") / np.float32(256) + np.float32(0.5)).tobytes()


def pixels(rows: int, columns: int, number: int, peak: int) -> npt.NDArray[np.uint16]:
    """Draw one slice of a head: an ellipse with a rim and some noise.

    Parameters
    ----------
    rows, columns : int
        The size of the image.
    number : int
        Which slice; the noise differs.
    peak : int
        The gray level inside, at least 256.

    Returns
    -------
    numpy.ndarray
        Gray levels, little-endian.
    """
    y = (2 * np.arange(rows, dtype=np.int64) - rows)[:, None] * 1000 // rows
    x = (2 * np.arange(columns, dtype=np.int64) - columns)[None, :] * 1000 // columns
    radius = y * y * 14 // 10 + x * x * 20 // 10
    noise = np.frombuffer(random_bytes(f"slice {number}", rows * columns), np.uint8).reshape(rows, columns) >> 2
    tissue = np.where(radius < 900_000, np.where(radius > 780_000, peak // 2, peak), 0)
    gray: npt.NDArray[np.uint16] = (tissue + noise).astype("<u2")
    return gray
