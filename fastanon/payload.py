"""What payload is, of which kind, and what may be done where a needle stands in it.

Payload is bulk without text: pixels, sinograms, events. Small pixel values are letters in UTF-16, and in gigabytes
of events every short name stands somewhere by chance, so nothing in payload is changed on a coincidence.
"""

from __future__ import annotations

from typing import NamedTuple

#: Kinds in which hits are only counted: samples, where letters are ordinary values.
_SAMPLES = frozenset(("pixels", "waveform", "curve", "overlay", "norm", "sinogram"))

#: What a type of Siemens' raw data says it is: PET_LISTMODE, MRPETLM_LARGE, MRPETNORM, PET_EM_SINO.
_BY_TYPE = (("LISTMODE", "list-mode"), ("PETLM", "list-mode"), ("NORM", "norm"), ("SINO", "sinogram"))

FIRST_BULK = 0x50000000  #: No tag of payload is lower.


class Payload(NamedTuple):
    """A run of bulk data.

    Attributes
    ----------
    start, end : int
        Its bytes.
    kind : str
        ``pixels``, ``list-mode``, ``norm``, ``sinogram``, ``measurement``, ``spectrum``, ``raw data`` and so on.
    """

    start: int
    end: int
    kind: str

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.end - self.start

    @property
    def is_samples(self) -> bool:
        """Whether what stands in it is never text, however much it looks so."""
        return self.kind in _SAMPLES


def is_payload(tag: int) -> bool:
    """Say whether an element may be: pixel data, waveforms, overlays, curves, Siemens' raw data."""
    group, number = tag >> 16, tag & 0xFFFF
    if group in (0x7FE0, 0x5400):
        return tag in (0x7FE00008, 0x7FE00009, 0x7FE00010, 0x54001010)
    if group == 0x7FE1:
        return number & 0xFF == 0x10 and number > 0xFF
    return group >> 8 in (0x50, 0x60) and not group & 1 and number == 0x3000


def kind_of(tag: int, types: str) -> str:
    """Give the kind of such an element.

    Parameters
    ----------
    tag : int
        Its tag.
    types : str
        What the dataset says of itself: Image Type and CSA Data Type.
    """
    group = tag >> 16
    if group == 0x7FE1:
        return next((kind for word, kind in _BY_TYPE if word in types), "raw data")
    by_group = {0x7FE0: "pixels", 0x5400: "waveform", 0x5000: "curve", 0x6000: "overlay"}
    return by_group[group if group in by_group else group & 0xFF00]
