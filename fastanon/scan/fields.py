"""What kernels and those who call them agree on: sizes, and the fields of what lies in memory."""

from __future__ import annotations

#: Positions of a block, which are looked up at once, and of a span; bytes that are read from a span's first on.
BLOCK, SPAN, REACH = 64, 128, 192
#: How far ahead memory is asked for: a page, where hardware's own fetching stops.
AHEAD = 4096

#: Fields of a plan, each an int64: addresses of the nibble tables and of those to look up in, then numbers.
TABLES, FLAGS, HEADS, ENTRIES, KEY, SHIFT = range(0, 48, 8)
STEP, FIRST, FIRST_FOLD, SECOND, SECOND_FOLD, DISTANCE = range(48, 96, 8)
FIELDS = 12
#: Fields of an entry: addresses of the pattern and of a table that folds case, length, window's offset, number.
PATTERN, FOLDING, LENGTH, OFFSET, NUMBER = range(0, 40, 8)
ENTRY = 40

#: Blocks whose positions are noted before any of them is looked up, and bytes of the notes on one.
STRETCH, NOTE = 32, 16
#: Words of `out` before the matches: their number, and the notes.
MATCHES = 1 + STRETCH * NOTE // 8

#: What letters have in lower case only, in each of four bytes; and the golden ratio in 32 bits (Knuth's hash).
CASE, MULTIPLIER = 0x20202020, 0x9E3779B1
