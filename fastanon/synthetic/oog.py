"""Drawings on an image as syngo keeps them in (0029,xx10) of SIEMENS MEDCOM OOG: text that begins with STEP.

Layout and names are those of three real files, in the test data of pydicom, nibabel and nitest-dicom. Strings
stand in it in two ways: in single quotes, where a quote inside is doubled (ISO 10303-21 6.4.3), and, for what
people draw and type onto an image, as the decimal codes of their letters and of a closing NUL.
"""

from __future__ import annotations

from fastanon.synthetic.person import Person

_HEAD = """STEP;
HEADER;
    FILE_IDENTIFICATION(
	'{file}',
	'Mon Mar 27 17:00:35 2017',
	('{operator}'),
	('{organization}'),
	'1.0',
	'1.0',
	'Local');
    FILE_DESCRIPTION('STEP format');
    IMP_LEVEL('1.0');
ENDSEC;
DATA;
@101 = CsaGraDoubleVec3DArray(0, (0.5, 0.25, 0.0));
@102 = CsaImageOverlay(0, (), (), '{listed}', 0, 0, 0, $, (), (#103), 0, '{number}', '', (), '', 0.0, 0, 0, );
@103 = CsaGraphicPrimGroup(0, 0, 0, 0, 0.0, 0, #101, 1, 1, 0, 0, $, #102, $, $, $, (#104));
@104 = CsaGraphicText(0, 0, 0, 0, 0.0, 0, #101, 4, 1, 1, 1, #103, $, $, 0, 65535, 1.0, {drawn}, 1, -1, 0, 100);
ENDSEC;
ENDSTEP;
"""


def quoted(text: str) -> str:
    """Spell a text as it stands between single quotes."""
    return text.replace("'", "''")


def decimal(text: str) -> str:
    """Spell a text as the codes of its letters, with a NUL: ``(83, 97, 103, 0)``."""
    return f"({', '.join(str(code) for code in (*text.encode('latin-1'), 0))})"


def step_text(person: Person, annotation: str) -> bytes:
    """Write the drawings on one image.

    Parameters
    ----------
    person : Person
        Who stands between quotes, as the name of a file, as a person of this name, and as an ID.
    annotation : str
        What was typed onto the image.

    Returns
    -------
    bytes
        In ISO_IR 100, lines end with LF; a NUL at the end, and an even number of them.
    """
    text = _HEAD.format(
        file=f"{person.file_name}.oog",
        operator=quoted("OPERATOR^THEA"),
        organization=quoted(f"for Dr. {person.physician}"),
        listed=quoted(person.listed),
        number=quoted(person.patient_id),
        drawn=decimal(annotation),
    )
    data = text.encode("latin-1") + b"\0"
    return data + b"\0" * (len(data) % 2)
