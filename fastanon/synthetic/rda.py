"""Siemens spectroscopy files (``.rda``): a header in lines of ``Key: value``, then a free induction decay.

Keys, order, line ends and marks are those of the real file in the tests of the suspect project; the values
are not. That file has no line for a physician: those two are taken from its scanner's other texts.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastanon.synthetic.dataset import DAY, SERIAL, STATION
from fastanon.synthetic.person import Person
from fastanon.synthetic.words import random_bytes

#: Complex points, each two doubles.
POINTS = 1024

_HEADER = """
>>> Begin of header <<<
PatientName: {name}
PatientID: {id}
PatientSex: F
PatientBirthDate: {birth}
StudyDate: {day}
StudyTime: 155811.093000
StudyDescription: PET/MR head, Mrs {family}
PatientAge: 063Y
PatientWeight: 72.000000
SeriesDate: {day}
SeriesTime: 173012.250000
SeriesDescription: svs_se_135
ProtocolName: svs_se_135
PatientPosition: HFS
SeriesNumber: 10
InstitutionName: Synthetic Hospital
StationName: {station}
ModelName: Biograph_mMR
DeviceSerialNumber: {serial}
SoftwareVersion[0]: syngo MR E11
ReferringPhysician: {physician}
PerformingPhysician: {physician}
InstanceDate: {day}
InstanceTime: 173012.252000
InstanceNumber: 1
InstanceComments: {comment}
AcquisitionNumber: 1
SequenceName: *svs_se
SequenceDescription: *svs_se
TR: 1500.000000
TE: 135.000000
TM: 0.000000
TI: 0.000000
DwellTime: 500
EchoNumber: 0
NumberOfAverages: 128.000000
MRFrequency: 123.198837
Nucleus: 1H
MagneticFieldStrength: 3.000000
NumOfPhaseEncodingSteps: 1
FlipAngle: 90.000000
VectorSize: {points}
CSIMatrixSize[0]: 1
CSIMatrixSize[1]: 1
CSIMatrixSize[2]: 1
CSIMatrixSizeOfScan[0]: 1
CSIMatrixSizeOfScan[1]: 1
CSIMatrixSizeOfScan[2]: 1
CSIGridShift[0]: 0
CSIGridShift[1]: 0
CSIGridShift[2]: 0
HammingFilter: Off
FrequencyCorrection: NO
TransmitCoil: Body
TransmitRefAmplitude[1H]: 287.104000
SliceThickness: 25.000000
PositionVector[0]: 12.500000
PositionVector[1]: -8.250000
PositionVector[2]: 31.000000
RowVector[0]: 1.000000
RowVector[1]: 0.000000
RowVector[2]: 0.000000
ColumnVector[0]: 0.000000
ColumnVector[1]: 1.000000
ColumnVector[2]: 0.000000
VOIPositionSag: 12.500000
VOIPositionCor: -8.250000
VOIPositionTra: 31.000000
VOIThickness: 25.000000
VOIPhaseFOV: 25.000000
VOIReadoutFOV: 25.000000
VOINormalSag: 0.000000
VOINormalCor: 0.000000
VOINormalTra: 1.000000
VOIRotationInPlane: 0.000000
FoVHeight: 25.000000
FoVWidth: 25.000000
FoV3D: 25.000000
PercentOfRectFoV: 1.000000
NumberOfRows: 1
NumberOfColumns: 1
NumberOf3DParts: 1
PixelSpacingRow: 25.000000
PixelSpacingCol: 25.000000
PixelSpacing3D: 25.000000
>>> End of header <<<
"""


def make_rda(path: str | os.PathLike[str], person: Person | None = None) -> Path:
    """Write a spectrum of one voxel.

    Parameters
    ----------
    path : path-like
        The file, replaced if it exists.
    person : Person, optional
        Who was scanned: in name, ID, date of birth, both physicians, a description and a comment.

    Returns
    -------
    pathlib.Path
        The file: the header in ISO_IR 100 with CRLF, then 1024 complex doubles, little endian.
    """
    person = person or Person()
    header = _HEADER[1:].format(
        name=person.name,
        id=person.patient_id,
        birth=person.birth_date,
        family=person.family,
        physician=person.physician,
        comment=f"{person.listed} *{person.birth_dates[1]}, {person.spoken} moved",
        day=DAY,
        station=STATION,
        serial=SERIAL,
        points=POINTS,
    )
    path = Path(path)
    path.write_bytes(header.replace("\n", "\r\n").encode("latin-1") + _decay())
    return path


def _decay() -> bytes:
    """Give noise that halves every 64 points: integers over powers of two, exact on every machine."""
    noise = np.frombuffer(random_bytes("rda", 4 * POINTS), "<i2").astype("<f8").reshape(POINTS, 2)
    halvings = np.arange(POINTS, dtype=np.int64)[:, None] // 64
    points: npt.NDArray[np.float64] = np.ldexp(noise, -halvings).astype("<f8")
    return points.tobytes()
