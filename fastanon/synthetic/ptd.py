"""A ptd: list-mode words, and behind them the DICOM stream that describes them."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from fastanon.synthetic.dataset import encode
from fastanon.synthetic.person import Person
from fastanon.synthetic.raw import listmode_dataset
from fastanon.synthetic.words import listmode_blocks

_FLAVORS = ("large", "dummy")
_MARK = b"LARGE_PET_LM_RAWDATA"


def make_ptd(
    path: str | os.PathLike[str],
    payload_bytes: int,
    person: Person | None = None,
    *,
    flavor: str = "large",
    sparse: bool = False,
) -> Path:
    """Write a ptd, in little memory.

    Parameters
    ----------
    path : path-like
        The file, replaced if it exists.
    payload_bytes : int
        Bytes of list-mode words, a positive multiple of 4.
    person : Person, optional
        Who was scanned.
    flavor : str
        ``large`` has the payload first and the length of the stream and a mark last; ``dummy`` has the words
        ``dummy data`` for a payload, and ``END!`` last.
    sparse : bool
        Write no words: the payload is a hole that reads as zeros.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If the payload is no whole number of words, or there is no such flavor.
    """
    if flavor not in _FLAVORS:
        raise ValueError("flavor: large or dummy")
    number = 3 + _FLAVORS.index(flavor)  # beside the .dcm and the .IMA of a study
    stream = encode(listmode_dataset(person or Person(), number, payload_bytes, "PET_LISTMODE_T"))
    with Path(path).open("wb") as file:
        if flavor == "dummy":
            file.write(b"dummy data" + stream + b"END!")
        else:
            if sparse:
                file.seek(payload_bytes)
            else:
                file.writelines(listmode_blocks(payload_bytes))
            file.write(stream + struct.pack("<i", len(stream)) + _MARK)
    return Path(path)
