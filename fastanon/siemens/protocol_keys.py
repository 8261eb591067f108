"""What the parameters of protocol text are: those that identify, those that never change, those of programs.

Names are whole parameter names, in the spellings seen on scanners; case counts.
"""

from __future__ import annotations

import re

#: A parameter that is a number and holds a date as YYYYMMDD: VE11 and XA30 write that of the exam into it, in
#: ASCCONV of images. In three real files it is their Study Date; a fourth protocol stands alone. In spectroscopy
#: it is a size.
DATED_NUMBER = "lFinalMatrixSizePhase"

#: Parameters by the rule for their values; a number at the end of a name is left out.
RULES: dict[str, tuple[str, ...]] = {
    "patient": (
        "PatientName", "PatientsName", "tPatientName", "tPatientsName",
    ),
    "physician": (
        "PerfPhysicianName", "PerfPhysiciansName", "tPerfPhysicianName", "tPerfPhysiciansName",
        "PerformingPhysicianName", "PerformingPhysiciansName",
        "ReferringPhysician", "ReferringPhysicianName", "ReferringPhysiciansName",
        "tReferringPhysician", "tReferringPhysicianName", "tReferringPhysiciansName",
    ),
    "operator": ("OperatorName", "OperatorsName", "tOperatorName", "tOperatorsName"),
    "dob": (
        "PatientBirthDay", "PatientBirthDate", "PatientsBirthDay", "PatientsBirthDate",
        "tPatientBirthDay", "tPatientBirthDate", "tPatientsBirthDay", "tPatientsBirthDate",
    ),
    "age": ("PatientAge", "PatientsAge", "tPatientAge", "tPatientsAge", "PatReinPattern<age>"),
    "id": ("PatientID", "PatientsID", "tPatientID", "tPatientsID"),
    # Of the database of a site, for patient, study, series and step; one ends with date and time of the exam.
    "loid": ("Patient", "Study", "StudyID", "tStudyID", "ParentUid", "MeasUID", "MeasUid", "ExamMemoryUID"),
    "uid": (
        "FrameOfReference", "tFrameOfReference", "FrameOfReferenceUID", "tReferenceImage", "ReferenceImage",
        "ReferencedImageSequence", "SourceImageSequence", "RepresentativeImage", "WaterReferencedImageUid",
        "DICOM_UID_ROOT", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID",
    ),
    "institution": (
        "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "tInstitutionName",
        "tInstitutionAddress", "tInstitutionalDepartmentName",
    ),
    "station": (
        "StationName", "tStationName",
        "HOST_NAME", "HOST_NAME_CLIENT", "HOST_NAME_SERVER", "HOST_NAME_SERVER_LINUX",
    ),
    "device": ("DeviceSerialNumber", "tDeviceSerialNumber"),
    "date": (
        "PrepareTimestamp", "atTXCalibDate", "StudyDate", "tStudyDate", "SeriesDate", "tSeriesDate",
        "AcquisitionDate", "tAcquisitionDate", "ContentDate", "InstanceDate", DATED_NUMBER,
    ),
}  # fmt: skip

#: Names of LOIDs, whoever they are of: DefaultSeriesLoids4Split, StudyLOIDS4SplitAndPause, tCurrentMppsLoid.
_LOID = re.compile(r"(?:\w*(?:LOID|Loid)|Studyloid)[Ss]?(?:4\w+)?")

#: Parameters that sound like a patient and say how the machine stands (images turn over when they change), and
#: the version of the software, by which readers tell the layout: it ends with a date that is none of the exam.
_KEPT = re.compile(
    r"t?PatientPosition|s?PatPosition|sPatientPos|PATModeText|.*PatientTable.*|PatientRegistration.*"
    r"|.*SoftwareVersions?|t?(?:Measured)?BaselineString",
    re.DOTALL,
)

#: Tags whose strings are words of programs: paths of parameters, types, choices, units. No needle touches them.
PROGRAM_WORDS = frozenset(
    """
    ParamBool ParamChoice ParamLong ParamDouble ParamCardLayout EVACardLayout Dependency Event Method Connection
    Class Context Control Default Dll ID Limit LimitRange Line MaxSize MinSize Param Pos
    Precision Repr Unit Userversion Visible
    """.split()
)

_LONGEST = 256  # letters of a name; real ones have 62, and the expressions above go back over what they read

_RULE_OF = {name: rule for rule, names in RULES.items() for name in names}


def rule_of(name: str) -> str | None:
    """Give the rule for a parameter.

    Parameters
    ----------
    name : str
        Its whole name: the last part of its field's key.

    Returns
    -------
    str or None
        ``patient``, ``physician``, ``operator``, ``dob``, ``age``, ``id``; ``loid`` for other IDs, ``uid``;
        ``institution``, ``station``, ``device``; ``date``; None where no rule speaks of it.
    """
    if len(name) > _LONGEST:
        return None
    return _RULE_OF.get(name.rstrip("0123456789")) or ("loid" if _LOID.fullmatch(name) else None)


def is_kept(name: str) -> bool:
    """Say whether the values of a parameter must never change."""
    return len(name) <= _LONGEST and _KEPT.fullmatch(name) is not None
