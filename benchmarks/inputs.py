"""What is measured: synthetic files of one patient, who is planted in all of them."""

from __future__ import annotations

import copy
import os
import tempfile
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from fastanon.synthetic import make_slice, make_xa_frames
from fastanon.synthetic.dataset import items
from fastanon.synthetic.words import pixels

#: Rows and columns of a slice of 666 kB, and of one that is hardly more than its header, 92 kB.
SIDE, SMALL = 536, 16
#: Rows and columns of a frame: 500 of them are 250 MiB.
_FRAME = 512
#: Functional groups of a frame that tell nobody: with what an XA scanner adds, 62 elements a frame.
_GROUPS: dict[str, dict[str, object]] = {
    "PlanePositionSequence": {"ImagePositionPatient": ["-98", "-128", "113"]},
    "PlaneOrientationSequence": {"ImageOrientationPatient": ["0", "1", "0", "0", "0", "-1"]},
    "PixelMeasuresSequence": {"SliceThickness": "2", "PixelSpacing": ["2", "2"], "SpacingBetweenSlices": "2"},
    "FrameVOILUTSequence": {"WindowCenter": "520", "WindowWidth": "1200", "WindowCenterWidthExplanation": "Algo1"},
    "PixelValueTransformationSequence": {"RescaleIntercept": "0", "RescaleSlope": "1", "RescaleType": "US"},
    "MRImageFrameTypeSequence": {
        "FrameType": ["ORIGINAL", "PRIMARY", "M", "NONE"], "PixelPresentation": "MONOCHROME",
        "VolumetricProperties": "VOLUME", "VolumeBasedCalculationTechnique": "NONE",
        "ComplexImageComponent": "MAGNITUDE", "AcquisitionContrast": "UNKNOWN",
    },
    "MRTimingAndRelatedParametersSequence": {
        "RepetitionTime": "1800", "FlipAngle": "9", "EchoTrainLength": "1", "RFEchoTrainLength": 1,
        "GradientEchoTrainLength": 1, "SpecificAbsorptionRateDefinition": "WHOLE_BODY",
    },
    "MREchoSequence": {"EffectiveEchoTime": 2.41},
    "MRAveragesSequence": {"NumberOfAverages": "1"},
    "MRModifierSequence": {
        "InversionRecovery": "NO", "FlowCompensation": "NONE", "Spoiling": "RF", "T2Preparation": "NO",
    },
    "MRMetaboliteMapSequence": {"MetaboliteMapDescription": "NONE"},
    "FrameAnatomySequence": {"FrameLaterality": "U"},
}  # fmt: skip


def make_slices(folder: Path, count: int, side: int = SIDE) -> Path:
    """Write the slices of one series into a new folder."""
    folder.mkdir()
    for number in range(1, count + 1):
        make_slice(folder / f"{number:05d}.dcm", rows=side, columns=side, number=number)
    return folder


def make_enhanced(path: Path, frames: int) -> Path:
    """Write an enhanced MR image: 62 elements a frame, names in the first two."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = pydicom.dcmread(make_xa_frames(Path(folder, "frames.dcm")))
        groups = [_frame(dataset, number) for number in range(frames)]
    dataset.NumberOfFrames = str(frames)
    dataset.Rows = dataset.Columns = _FRAME
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    gray = b"".join(pixels(_FRAME, _FRAME, number, 900).tobytes() for number in range(min(frames, 8)))
    size = 2 * frames * _FRAME * _FRAME
    dataset.PixelData = (gray * (size // len(gray) + 1))[:size]
    dataset["PixelData"].VR = "OW"
    dataset.save_as(path)
    return path


def _frame(dataset: Dataset, number: int) -> Dataset:
    made = dataset.PerFrameFunctionalGroupsSequence
    frame = copy.deepcopy(made[min(number, len(made) - 1)])
    if number >= len(made):
        frame.FrameContentSequence = items({"FrameComments": "none"})
    content = frame.FrameContentSequence[0]
    content.FrameAcquisitionNumber, content.StackID, content.InStackPositionNumber = number + 1, "1", number + 1
    content.FrameReferenceDateTime = content.FrameAcquisitionDateTime = "20170327170035.123"
    content.DimensionIndexValues, content.TemporalPositionIndex = [1, number + 1], 1
    for keyword, values in _GROUPS.items():
        setattr(frame, keyword, items(values))
    return frame


def halves(folder: Path, parts: int) -> list[Path]:
    """Deal the files of a folder to folders beside it, as other links to them."""
    given = [folder.with_name(f"{folder.name}-{n}-of-{parts}") for n in range(parts)]
    for one in given:
        one.mkdir(exist_ok=True)
    for n, path in enumerate(sorted(folder.iterdir())):
        os.link(path, given[n % parts] / path.name)
    return given
