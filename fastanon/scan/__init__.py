"""Patterns in bytes and files, and needles in text.

Nothing here imports numpy, or loads kernels, before it is worth while.
"""

from fastanon.scan.door import matcher
from fastanon.scan.pattern import Match, Matcher, Pattern
from fastanon.scan.stream import Fill, Seen, in_file, through
from fastanon.scan.words import Hit, find, is_word, matcher_of, patterns_of

__all__ = [
    "Fill",
    "Hit",
    "Match",
    "Matcher",
    "Pattern",
    "Seen",
    "find",
    "in_file",
    "is_word",
    "matcher",
    "matcher_of",
    "patterns_of",
    "through",
]
