"""A file that comes through a pipe: its header is kept, and its payload passes once.

Nobody says how long it will be. So a walk is begun as if it had no end. Where that asks for what lies far ahead,
it has met a large value: if this is a payload, and all before it a whole header, the file ends with it. All else
is read to its end, as far as headers may go.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from fastanon.container import read_parts
from fastanon.dicom import DicomPart
from fastanon.dicomdir import is_directory
from fastanon.errors import AccessError, FileError, NotMedicalError, UnsupportedError
from fastanon.limits import check
from fastanon.opened import NO_FILE, SMALL, Identity, Opened
from fastanon.pages import Indexed
from fastanon.payload import Payload
from fastanon.siemens import ptd, twix

#: What a pipe is called.
NAME = "-"

_ENDLESS = 1 << 62
_PREAMBLE = 132
_STEP = 1 << 20


class _EndedError(Exception):
    """All has been read: now its size is known."""


class _AheadError(Exception):
    """Somebody wants to read far ahead."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at


class Piped(Opened):
    """What comes through a pipe.

    Parameters
    ----------
    source : int
        A descriptor that is read to its end.

    Attributes
    ----------
    passes : Payload or None
        The payload that ends the file and is not kept; None where the whole file is.

    Raises
    ------
    NotMedicalError, MalformedError, UnsupportedError
        As of files, and where a second look at the end would be needed.
    AccessError
        If it can't be read.
    """

    def __init__(self, source: int) -> None:
        self.path, self.fd = NAME, NO_FILE
        self.passes: Payload | None = None
        self._source, self._ended, self._data = source, False, bytearray()
        self.view = _Head(self)
        self._resize(_ENDLESS)
        self._read_to(_PREAMBLE)
        if not self._data:
            raise NotMedicalError("empty", path=NAME)
        try:
            if self._data[128:_PREAMBLE] == b"DICM":
                self.passes = self._settled()
            else:
                self._read_short()
        except FileError as error:
            error.path = NAME
            raise

    def _resize(self, size: int) -> None:
        self.identity = Identity(NO_FILE, NO_FILE, size, NO_FILE)

    def _settled(self) -> Payload | None:
        """Find out what the header promises; give the payload that it ends with, unless all was read already."""
        while True:
            try:
                parts = read_parts(self)
                if any(isinstance(part, DicomPart) and is_directory(part.elements) for part in parts):
                    raise UnsupportedError("a DICOMDIR, which needs the files that it names: not from a pipe")
                return None
            except _EndedError:
                self._resize(len(self._data))
            except _AheadError as asked:
                payload = self._payload_before(asked.at)
                if payload is not None:
                    return payload
                self._read_to(asked.at)
            except FileError:
                if self.size != _ENDLESS or not self._is_short():
                    raise
                self._resize(len(self._data))  # to say it with the size known

    def _payload_before(self, stop: int) -> Payload | None:
        """Give the payload with which a file ends that ends here, if it is one then."""
        self._resize(stop)
        try:
            payloads = [one for part in read_parts(self) for one in part.payloads()]
        except (FileError, _AheadError):
            payloads = []
        if payloads and payloads[-1].end == stop > len(self._data):
            return payloads[-1]
        self._resize(_ENDLESS)
        return None

    def _read_short(self) -> None:
        """Read what has no mark of DICOM: a text, or a small dataset without preamble."""
        if not self._is_short():
            raise UnsupportedError("neither DICOM with its preamble nor a short text: not from a pipe")
        self._resize(len(self._data))
        if ptd.locate(self) is not None or twix.is_twix(bytes(self._data[: twix.HEAD])):
            raise UnsupportedError("raw data that need a second look: not from a pipe")

    def _is_short(self) -> bool:
        """Read on, and say whether it ends soon."""
        self._read_to(len(self._data) + SMALL)
        return self._ended

    def _read_to(self, stop: int) -> None:
        """Read on until so many bytes are kept, or all."""
        while len(self._data) < stop and not self._ended:
            self._data += self._take(stop - len(self._data))
            check("header", len(self._data), "bytes before the payload")

    def _take(self, most: int) -> bytes:
        try:
            data = os.read(self._source, min(most, _STEP))
        except OSError as error:
            raise AccessError(os.strerror(error.errno or 0), path=NAME) from None
        self._ended = not data
        return data

    def read(self, start: int, stop: int) -> bytes:
        """Read by position; what is not far is kept from then on."""
        if stop > len(self._data):
            if stop > len(self._data) + SMALL:
                raise _AheadError(start)
            self._read_to(stop)
            if stop > len(self._data):
                self._raise_ended()
        return bytes(self._data[start:stop])

    def _raise_ended(self) -> None:
        if self.size == _ENDLESS:
            raise _EndedError
        raise AccessError("ends before what its header promises", path=NAME, offset=len(self._data))

    def passing(self, start: int, stop: int) -> Iterator[bytes]:
        """Give a range piece by piece; what was not kept is gone then. To be asked for in order."""
        kept = min(stop, len(self._data))
        for at in range(start, kept, _STEP):
            yield bytes(self._data[at : min(at + _STEP, kept)])
        at = max(start, kept)
        while at < stop:
            data = self._take(stop - at)
            if not data:
                raise AccessError("ends before what its header promises", path=NAME, offset=at)
            at += len(data)
            yield data

    def finish(self) -> None:
        """Raise AccessError if anything follows: nobody has looked at it, and it goes nowhere."""
        if not self._ended and self._take(1):
            raise AccessError("goes on behind what its header promises", path=NAME, offset=self.size)

    def fill(self, view: memoryview, offset: int) -> None:
        """Fill a buffer with the bytes from an offset on."""
        view[:] = self.read(offset, offset + len(view))

    def check(self) -> None:
        """Do nothing: what has been read does not change."""

    def close(self) -> None:
        """Let go of what is kept."""
        self._data.clear()


class _Head(Indexed):
    """The bytes of a pipe, read as far as they are asked for."""

    def __init__(self, pipe: Piped) -> None:
        self._pipe = pipe

    def __len__(self) -> int:
        return self._pipe.size

    def read(self, start: int, stop: int) -> bytes:
        """Give the bytes between two offsets."""
        return self._pipe.read(start, stop)
