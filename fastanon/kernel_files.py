"""Where compiled kernels are kept, each in a file of its own: machine code, which nobody else may write.

A file says what it is for: CPU, versions, numba's settings, and the sources. It is found by that, and believed if
it says so itself and its digest is right. Neither shows who has written it: its owner and mode have to.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import grp
import hashlib
import importlib.util
import os
import pwd
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from fastanon import __version__

#: What goes into kernels, or into the way in which they are made and called.
SOURCES = (
    "kept_kernels.py", "kernel_code.py", "walk.py", "walk_kernels.py", "siemens/csa_tags.py",
    "scan/fields.py", "scan/kernels.py", "scan/vector.py",
)  # fmt: skip

_MAGIC = b"fastanon kernel\n"
_DIGEST = 32
_HEAD = len(_MAGIC) + 2 * _DIGEST
_MOST = 1 << 20  # bytes; none has 8000

_PLACE = "NUMBA_CACHE_DIR"
_HERE = ".numba_config.yaml"  # in which numba looks for settings


class NotOursError(PermissionError):
    """A file or folder into which others could put code."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EPERM, "others could put code there", str(path))


def folder() -> Path:
    """Say where kernels are kept: below numba's folder for such, or else the user's.

    Raises
    ------
    FileNotFoundError
        If the user has no home.
    """
    told, cache = os.environ.get(_PLACE), os.environ.get("XDG_CACHE_HOME", "")
    with contextlib.suppress(RuntimeError):
        return Path(told or (cache if os.path.isabs(cache) else Path.home() / ".cache"), "fastanon")
    raise FileNotFoundError(errno.ENOENT, "there is no such folder", "~")


def read(name: str) -> bytes | None:
    """Give the object file of a kernel: one of ours, for this CPU, these versions and these sources, or None."""
    try:
        key = _key()
        data = _content(_checked(folder()) / _file(name, key))
    except OSError:
        return None
    known, code = data[:_HEAD], data[_HEAD:]
    return code if known == _head(key, code) and len(code) < _MOST else None


def prepared() -> Path:
    """Make the folder if it is not there, and see to it that it is ours alone.

    Raises
    ------
    OSError
        As of `write`.
    """
    place = folder()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _checked(place)


def _content(path: Path) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(fd, "rb") as file:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or _is_open(found):
            raise NotOursError(path)
        return file.read(_HEAD + _MOST)


def write(name: str, code: bytes) -> None:
    """Keep an object file for later processes.

    Raises
    ------
    OSError
        If that can't be; `NotOursError` if others could exchange it.
    """
    import tempfile  # slow to load

    key, place = _key(), prepared()
    fd, temporary = tempfile.mkstemp(".tmp", ".", place)  # 0600
    try:
        with open(fd, "wb") as file:
            file.write(_head(key, code) + code)
        os.replace(temporary, place / _file(name, key))
    except BaseException:
        os.unlink(temporary)
        raise


def _file(name: str, key: bytes) -> str:
    return f"{name}-{key.hex()[:16]}.o"  # those for other CPUs stay: a home may be that of many machines


def _head(key: bytes, code: bytes) -> bytes:
    return _MAGIC + key + hashlib.blake2b(code, digest_size=_DIGEST).digest()


@functools.cache
def _key() -> bytes:
    """Digest all that a kernel depends on.

    Raises
    ------
    OSError
        If a source or numba's version can't be read, or numba has settings in a file of its own.
    """
    digest = hashlib.blake2b(digest_size=_DIGEST)
    for part in _parts():
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.digest()


def _parts() -> Iterator[bytes]:
    import llvmlite
    from llvmlite import binding

    if os.path.exists(_HERE):
        raise FileExistsError(errno.EEXIST, "numba has settings there", _HERE)
    try:
        features = binding.get_host_cpu_features().flatten()
    except RuntimeError:  # as numba takes it
        features = ""
    settings = sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_") and item[0] != _PLACE)
    told = __version__, sys.version, llvmlite.__version__, binding.llvm_version_info, binding.get_process_triple()
    yield repr((*told, binding.get_host_cpu_name(), features, settings)).encode()
    numba = importlib.util.find_spec("numba")  # not imported by that
    if numba is None or numba.origin is None:
        raise ModuleNotFoundError("numba")
    yield (Path(numba.origin).parent / "_version.py").read_bytes()
    for source in SOURCES:
        yield (Path(__file__).parent / source).read_bytes()


def _checked(place: Path) -> Path:
    """See to it that nobody but this user and root can put a file into a folder, or exchange it; resolve it."""
    real = place.resolve()
    above = [path.stat() for path in real.parents]
    if _is_open(real.stat()) or any(_is_open(one) and not one.st_mode & stat.S_ISVTX for one in above):
        raise NotOursError(real)
    return real


def _is_open(found: os.stat_result) -> bool:
    """Say whether another user owns a file or may write it."""
    others = stat.S_IWOTH if found.st_gid == _own_group() else stat.S_IWOTH | stat.S_IWGRP
    return found.st_uid not in (os.geteuid(), 0) or bool(found.st_mode & others)


@functools.cache
def _own_group() -> int:
    """Give the group in which the user is alone, or -1: with an umask of 002 all files are writable for it."""
    try:
        user = pwd.getpwuid(os.geteuid())
        group = grp.getgrgid(user.pw_gid)
    except KeyError:
        return -1
    return group.gr_gid if group.gr_name == user.pw_name and not group.gr_mem else -1
