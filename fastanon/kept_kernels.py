"""The door to compiled kernels: machine code that was kept, loaded by llvmlite alone, or else numba.

To import numba takes 0.3 s, to load all kernels without it 0.05 s. What is kept for another CPU, other versions or
another source, or is damaged, or could come from somebody else, is compiled again.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, cast

#: Called with integers only, most of them addresses; the GIL is released meanwhile.
Kernel = Callable[..., int]


class Home(NamedTuple):
    """The module that has the source of a kernel, and how many int64 it is called with; it returns one too."""

    module: str
    arguments: int


_SCAN, _WALK = "fastanon.scan.kernels", "fastanon.walk_kernels"

KERNELS = {
    "few": Home(_SCAN, 7),
    "many": Home(_SCAN, 7),
    "both_nibbles": Home(_SCAN, 7),
    "two_bytes": Home(_SCAN, 7),
    "grams": Home(_SCAN, 7),
    "count_bytes": Home(_SCAN, 3),
    "shuffled": Home(_SCAN, 0),
    "walk": Home(_WALK, 12),
    "tag_starts": Home(_WALK, 5),
    "tag_runs": Home(_WALK, 5),
}

_ready: dict[str, Kernel] = {}
_lock = threading.Lock()
_linked: list[Any] = []  # what was linked is unloaded where nobody holds it
_numbers = itertools.count()  # no two may have one name, nor may what can't be linked


def kernel(name: str) -> Kernel:
    """Give a kernel of `KERNELS`, in the fastest way to be had."""
    return _ready.get(name) or _made(name)


def _made(name: str) -> Kernel:
    with _lock:
        if name not in _ready:
            _ready[name] = loaded(name) or _compiled(name)
        return _ready[name]


def is_at_hand(name: str) -> bool:
    """Say whether a kernel takes little time to be had: it is loaded now, if an earlier process has kept it."""
    with _lock:
        if name not in _ready and not is_off() and (found := loaded(name)) is not None:
            _ready[name] = found
        return name in _ready


def is_off() -> bool:
    """Say whether numba was told to compile nothing; kernels can't do without."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")


def loaded(name: str) -> Kernel | None:
    """Load a kernel that was kept, or say that there is none that would do."""
    from fastanon import kernel_files

    try:
        code = kernel_files.read(name)
        return linked(name, code) if code else None
    except (ImportError, AttributeError, RuntimeError):  # another llvmlite, or it takes it for no object file
        return None


def linked(name: str, code: bytes) -> Kernel:
    """Make a function of an object file.

    Raises
    ------
    RuntimeError
        If it is none, or needs something that is not there.
    """
    import ctypes

    from llvmlite.binding import JITLibraryBuilder

    builder = JITLibraryBuilder().add_object_img(code).export_symbol(symbol(name))
    library = builder.link(_linker(), f"{name} {next(_numbers)}")
    _linked.append(library)
    kind = ctypes.CFUNCTYPE(ctypes.c_int64, *KERNELS[name].arguments * [ctypes.c_int64])
    function: Any = kind(library[symbol(name)])
    function.__name__ = name
    return cast("Kernel", function)


def symbol(name: str) -> str:
    """Give the name of a kernel in its object file."""
    return f"fastanon_{name}"


@functools.cache
def _linker() -> Any:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.create_lljit_compiler(suppress_errors=True)


def _compiled(name: str) -> Kernel:
    """Compile a kernel, and keep it if that can be."""
    from fastanon import kernel_code, kernel_files  # numba

    try:
        code = kernel_code.emitted(name)
        function = linked(name, code)
    except Exception:  # noqa: BLE001  # whatever another version lacks, numba itself is still there
        return kernel_code.called_by_numba(name)
    with contextlib.suppress(OSError):  # the next process compiles it again
        kernel_files.write(name, code)
    return function
