"""The CSA headers of an image and of a series, and their place in a dataset."""

from __future__ import annotations

from functools import lru_cache

from pydicom.dataset import Dataset

from fastanon.synthetic.csa import Tag, parse_tags, write_csa
from fastanon.synthetic.csa_tags import IMAGE, SERIES
from fastanon.synthetic.dataset import DAY, private
from fastanon.synthetic.person import Person
from fastanon.synthetic.protocol import phoenix_protocol, xml_note


def _filled(table: str, values: dict[str, str]) -> list[Tag]:
    """Give the tags of a table, some with a value of this patient."""
    return [t._replace(values=(values[t.name],)) if t.name in values else t for t in parse_tags(table)]


@lru_cache(maxsize=8)  # a series has one, and it takes longer than an image
def series_header(person: Person, uid: str, sequence: str, older: bool = False) -> bytes:
    """Write the CSA series header of one series.

    Parameters
    ----------
    person : Person
        Who stands in the protocol and in the slack.
    uid : str
        The UID of an image, quoted by the protocol.
    sequence : str
        The name of the protocol.
    older : bool
        Write CSA1.

    Returns
    -------
    bytes
        The value of (0029,xx20).
    """
    family = person.family.replace(" ", "_")
    values = {
        "DataFileName": f"%MEASDAT%/{person.file_name}_meas.dat",
        "RepresentativeImage": uid,
        "MrPhoenixProtocol": phoenix_protocol(person, uid, sequence),
        "UserDefinedSeries": f"exam of {person.spoken}, {person.patient_id}",
        "ConfigFileInfo": f"C:/MedCom/config/{family}.cfg",
        "AutoAlignData": xml_note("AutoAlign", person),
    }
    return write_csa(_filled(SERIES, values), person, older)


def image_header(person: Person, number: int, older: bool = False, landmarks: str = "") -> bytes:
    """Write the CSA image header of one image.

    Parameters
    ----------
    person : Person
        Who stands in the slack, in a file name and in a note.
    number : int
        The image, from 1.
    older : bool
        Write CSA1.
    landmarks : str
        What stands in ExamLandmarks, by default a note that names the patient.

    Returns
    -------
    bytes
        The value of (0029,xx10).
    """
    values = {
        "PixelFileName": f"D:/MedCom/temp/{person.file_name}_{number:04d}.ima",
        "ExamLandmarks": landmarks or xml_note("Landmarks", person),
        "UserDefinedImage": f"{person.listed} *{person.birth_dates[1]}",
    }
    return write_csa(_filled(IMAGE.replace("{number}", str(number)), values), person, older)


def add_csa(
    dataset: Dataset, person: Person, number: int, sequence: str, *, older: bool = False, landmarks: str = ""
) -> None:
    """Add both CSA headers to a dataset, in its next free block of group 0029.

    Parameters
    ----------
    dataset : pydicom.Dataset
        With its modality and the UID of its series.
    person, number, sequence, older, landmarks
        As in `image_header` and `series_header`.
    """
    private(
        dataset,
        0x0029,
        "SIEMENS CSA HEADER",
        (0x08, "CS", "IMAGE NUM 4"),
        (0x09, "LO", DAY),
        (0x10, "OB", image_header(person, number, older, landmarks)),
        (0x18, "CS", dataset.Modality),
        (0x19, "LO", DAY),
        (0x20, "OB", series_header(person, str(dataset.SeriesInstanceUID), sequence, older)),
    )
