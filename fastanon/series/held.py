"""A file that stands in memory alone."""

from __future__ import annotations

from fastanon.opened import Identity, Opened


class Held(Opened):
    """Bytes in the place of an open file.

    Parameters
    ----------
    path : str
        What errors name.
    data : bytes
        The whole file.
    """

    def __init__(self, path: str, data: bytes) -> None:
        self.path, self.fd, self.view = path, -1, data
        self.identity = Identity(0, 0, len(data), 0)

    def read(self, start: int, stop: int) -> bytes:
        """Read bytes by position."""
        return bytes(self.view[start:stop])

    def check(self) -> None:
        """Nobody can change it."""

    def close(self) -> None:
        """There is nothing to give back."""
