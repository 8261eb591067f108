"""A whole Biograph mMR study, and what else one patient leaves behind on Siemens' scanners."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fastanon.synthetic.image import make_slice, make_umap_slice
from fastanon.synthetic.interfile_files import make_listmode_files, make_norm_files, make_sinogram
from fastanon.synthetic.older import make_older_slice
from fastanon.synthetic.packed import make_report
from fastanon.synthetic.person import Person
from fastanon.synthetic.ptd import make_ptd
from fastanon.synthetic.raw import make_listmode, make_listmode_pair, make_norm_pair
from fastanon.synthetic.rda import make_rda
from fastanon.synthetic.twix import make_twix
from fastanon.synthetic.xa import make_xa_frames, make_xa_slice

_SLICES = 24
_FOLDERS = ("LM", "LM-IMA", "NORM", "UMAP", "T1", "PTD", "TWIX", "RDA", "SINO", "XA", "CSA1", "REPORT")
_PTD_BYTES = 1 << 20

_Paths = tuple[Path, ...]


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
        The parts that NiftyPET reads: ``.dcm``, ``.bf`` and ``.IMA``; ``.dcm`` and ``.bf``; slices; slices.
    ptd, twix, rda : tuple of pathlib.Path
        Raw data in files of their own: a ``.ptd`` with payload and one without; ``.dat`` of VB and of VE;
        one ``.rda``.
    interfile : tuple of pathlib.Path
        A sinogram, list-mode and a norm, each a ``.hdr`` and its data.
    xa, older, report : tuple of pathlib.Path
        A classic and an enhanced image of an XA scanner; a slice with CSA1 headers and drawings; a
        PhoenixZIPReport.
    datain : dict
        The parts as NiftyPET's dictionary of inputs names them.
    """

    folder: Path
    files: _Paths
    listmode: _Paths
    norm: _Paths
    umap: _Paths
    t1: _Paths
    ptd: _Paths
    twix: _Paths
    rda: _Paths
    interfile: _Paths
    xa: _Paths
    older: _Paths
    report: _Paths
    datain: dict[str, str | int]


def make_study(
    folder: str | os.PathLike[str],
    person: Person | None = None,
    listmode_bytes: int = 24 << 20,
    slices: int = _SLICES,
) -> Study:
    """Write the synthetic study of one patient: 63 MB, the same bytes each time.

    They are the same on every machine too, but for the archive in the report, which depends on zlib.

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
    parts = _petmr(root, person, listmode_bytes, slices) | _raw(root, person) | _others(root, person)
    files = tuple(path for part in parts.values() for path in part)
    return Study(root, files, **parts, datain=_datain(root, parts["listmode"], parts["norm"], slices))


def _petmr(root: Path, person: Person, listmode_bytes: int, slices: int) -> dict[str, _Paths]:
    """Write what NiftyPET reads."""
    stem = f"{person.file_name}.MR.HEAD_PET"  # Siemens' export starts each name with the patient's
    pair = make_listmode_pair(root / "LM" / f"{stem}.0004.0001.dcm", listmode_bytes, person)
    single = make_listmode(root / "LM-IMA" / f"{stem}.0004.0002.IMA", listmode_bytes, person, repeat=False)
    norm = make_norm_pair(root / "NORM" / f"{stem}.0003.0001.dcm", person)
    numbers = range(1, slices + 1)
    umap = tuple(make_umap_slice(root / "UMAP" / f"{n:04d}.dcm", person, n) for n in numbers)
    t1 = tuple(make_slice(root / "T1" / f"{n:04d}.dcm", person, 256, 256, n) for n in numbers)
    return {"listmode": (*pair, single), "norm": norm, "umap": umap, "t1": t1}


def _raw(root: Path, person: Person) -> dict[str, _Paths]:
    """Write raw data that is no DICOM file."""
    stem = f"{person.file_name}.PT.HEAD_PET.602"
    large = make_ptd(root / "PTD" / f"{stem}.PET_LISTMODE.20170327170035.2.0.1.ptd", _PTD_BYTES, person)
    dummy = make_ptd(root / "PTD" / f"{stem}.PETCT_SPL.20170327170035.2.0.2.ptd", 4, person, flavor="dummy")
    vb = make_twix(root / "TWIX" / "meas_MID00360_FID117961_scout.dat", person, "VB")
    ve = make_twix(root / "TWIX" / "meas_MID00361_FID117962_bold.dat", person, "VE")
    rda = make_rda(root / "RDA" / f"{person.file_name}.MR.SVS.0010.0001.rda", person)
    at = root / "SINO" / f"{person.file_name}_HEAD_PET"
    sinogram = make_sinogram(f"{at}.s.hdr", person)
    interfile = (*sinogram, *make_listmode_files(f"{at}.l.hdr", person), *make_norm_files(f"{at}.n.hdr", person))
    return {"ptd": (large, dummy), "twix": (vb, ve), "rda": (rda,), "interfile": interfile}


def _others(root: Path, person: Person) -> dict[str, _Paths]:
    """Write DICOM files of other scanners, and a report."""
    xa = make_xa_slice(root / "XA" / "0001.dcm", person), make_xa_frames(root / "XA" / "0002.dcm", person)
    older = make_older_slice(root / "CSA1" / "0001.dcm", person)
    report = make_report(root / "REPORT" / "0001.dcm", person)
    return {"xa": xa, "older": (older,), "report": (report,)}


def _datain(root: Path, listmode: _Paths, norm: _Paths, slices: int) -> dict[str, str | int]:
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
