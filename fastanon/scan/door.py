"""Which matcher is for what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from fastanon.kept_kernels import is_off
from fastanon.scan.pattern import Matcher, Pattern
from fastanon.scan.small import Small

Kind = Literal["auto", "small", "vector", "portable"]

#: Bytes times patterns that the standard library goes through while numba is imported and a kernel is compiled, as
#: it is where none has been kept.
_WORTH = 1 << 30


def matcher(patterns: Iterable[Pattern], size: int | None = None, kind: Kind = "auto") -> Matcher:
    """Get ready to look for patterns.

    Parameters
    ----------
    patterns : iterable of Pattern
        What for.
    size : int, optional
        How many bytes will be searched, if few: then it may not be worth while to load kernels.
    kind : {"auto", "small", "vector", "portable"}
        The implementation; by default the fastest for the size and for numba's target.

    Raises
    ------
    ValueError
        If a pattern is empty, or folds case and has an upper-case letter; or if the kind is "vector" and numba's
        target has no byte shuffle.
    """
    patterns = list(patterns)
    if kind == "small" or (kind == "auto" and (is_off() or is_little(size, len(patterns)))):
        return Small(patterns)
    from fastanon.scan.compiled import Compiled  # numpy, and kernels

    return Compiled(patterns, None if kind == "auto" else kind)


def is_little(size: int | None, count: int) -> bool:
    """Say whether it is not worth while to load kernels for a search for so many patterns."""
    return size is not None and size * count < _WORTH
