"""A whole Biograph mMR study: list-mode, norm, mu-map and T1."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fastanon.synthetic.image import make_slice, make_umap_slice
from fastanon.synthetic.person import Person
from fastanon.synthetic.raw import make_listmode, make_listmode_pair, make_norm_pair

_SLICES = 24
_FOLDERS = ("LM", "LM-IMA", "NORM", "UMAP", "T1")


@dataclass(frozen=True, slots=True)
class Study:
    """What `make_study` wrote.

    Attributes
    ----------
    folder : pathlib.Path
        Where.
    files : tuple of pathlib.Path
        All of it.
    listmode, norm, umap, t1 : tuple of pathlib.Path
        The parts: ``.dcm``, ``.bf`` and ``.IMA``; ``.dcm`` and ``.bf``; slices; slices.
    datain : dict
        The parts as NiftyPET's dictionary of inputs names them.
    """

    folder: Path
    files: tuple[Path, ...]
    listmode: tuple[Path, ...]
    norm: tuple[Path, ...]
    umap: tuple[Path, ...]
    t1: tuple[Path, ...]
    datain: dict[str, str | int]


def make_study(
    folder: str | os.PathLike[str],
    person: Person | None = None,
    listmode_bytes: int = 24 << 20,
    slices: int = _SLICES,
) -> Study:
    """Write the synthetic study of one patient: 60 MB, the same bytes each time and on every machine.

    Parameters
    ----------
    folder : path-like
        Where; made if it does not exist, files in it are replaced.
    person : Person, optional
        Who was scanned.
    listmode_bytes : int
        Bytes of list-mode words, a multiple of 4. They are written twice: beside a DICOM file and inside one.
    slices : int
        Slices of the mu-map, and of the T1 volume.

    Returns
    -------
    Study
        What there is now.
    """
    root, person = Path(folder), person or Person()
    for name in _FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    stem = f"{person.file_name}.MR.HEAD_PET"  # Siemens' export starts each name with the patient's
    pair = make_listmode_pair(root / "LM" / f"{stem}.0004.0001.dcm", listmode_bytes, person)
    single = make_listmode(root / "LM-IMA" / f"{stem}.0004.0002.IMA", listmode_bytes, person, repeat=False)
    norm = make_norm_pair(root / "NORM" / f"{stem}.0003.0001.dcm", person)
    numbers = range(1, slices + 1)
    umap = tuple(make_umap_slice(root / "UMAP" / f"{n:04d}.dcm", person, n) for n in numbers)
    t1 = tuple(make_slice(root / "T1" / f"{n:04d}.dcm", person, 256, 256, n) for n in numbers)
    listmode = (*pair, single)
    files = (*listmode, *norm, *umap, *t1)
    return Study(root, files, listmode, norm, umap, t1, _datain(root, listmode, norm, slices))


def _datain(root: Path, listmode: tuple[Path, ...], norm: tuple[Path, ...], slices: int) -> dict[str, str | int]:
    """Name the parts as `nipet.mmraux.explore_input` does."""
    return {
        "corepath": str(root),
        "lm_dcm": str(listmode[0]),
        "lm_bf": str(listmode[1]),
        "lm_ima": str(listmode[2]),
        "nrm_dcm": str(norm[0]),
        "nrm_bf": str(norm[1]),
        "mumapDCM": str(root / "UMAP"),
        "#mumapDCM": slices,
        "T1DCM": str(root / "T1"),
        "#T1DCM": slices,
    }
