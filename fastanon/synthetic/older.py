"""An MR image of an older scanner: CSA headers of the form before SV10, and drawings (MEDCOM OOG)."""

from __future__ import annotations

import os
from pathlib import Path

from fastanon.synthetic.csa_headers import add_csa
from fastanon.synthetic.dataset import private, save
from fastanon.synthetic.image import t1_image
from fastanon.synthetic.oog import step_text
from fastanon.synthetic.person import Person

OLDER_SERIES = 9


def make_older_slice(
    path: str | os.PathLike[str], person: Person | None = None, number: int = 1, annotation: str = "Sag>Cor -12"
) -> Path:
    """Write a slice of a T1 volume.

    Parameters
    ----------
    path : path-like
        The file, replaced if it exists.
    person : Person, optional
        Who was scanned.
    number : int
        The instance number, from 1.
    annotation : str
        What was typed onto the image, which syngo keeps as decimal codes.

    Returns
    -------
    pathlib.Path
        The file: the drawings in block 10 of group 0029, the CSA headers in block 11.
    """
    person = person or Person()
    dataset = t1_image(person, OLDER_SERIES, number, 128, 128)
    dataset.ManufacturerModelName, dataset.SoftwareVersions = "TrioTim", "syngo MR 2004A 4VA25A"
    private(
        dataset,
        0x0029,
        "SIEMENS MEDCOM OOG",
        (0x08, "CS", "MEDCOM OOG 2"),
        (0x09, "LO", "VA25A"),
        (0x10, "OB", step_text(person, annotation)),
    )
    add_csa(dataset, person, number, "t1_mpr", older=True)
    return save(dataset, path)
