"""What the parameters of protocol text are: those that name someone, those that never change, those of programs.

Names are whole parameter names, in the spellings seen on scanners; case counts.
"""

from __future__ import annotations

import re

#: Parameters that identify, by the rule for their values.
RULES: dict[str, tuple[str, ...]] = {
    "patient": (
        "PatientName", "PatientsName", "tPatientName", "tPatientsName",
    ),
    "physician": (
        "PerfPhysicianName", "PerfPhysiciansName", "tPerfPhysicianName", "tPerfPhysiciansName",
        "PerformingPhysicianName", "PerformingPhysiciansName",
        "ReferringPhysician", "ReferringPhysicianName", "ReferringPhysiciansName",
        "tReferringPhysician", "tReferringPhysicianName", "tReferringPhysiciansName",
        "OperatorName", "OperatorsName", "tOperatorName", "tOperatorsName",
    ),
    "dob": (
        "PatientBirthDay", "PatientBirthDate", "PatientsBirthDay", "PatientsBirthDate",
        "tPatientBirthDay", "tPatientBirthDate", "tPatientsBirthDay", "tPatientsBirthDate",
    ),
    "id": ("PatientID", "PatientsID", "tPatientID", "tPatientsID"),
}  # fmt: skip

#: Parameters that point to a person in a site's database, or say when: no rule replaces them yet.
LATER = (
    "Patient", "PatientLOID", "PatientLoid", "Study", "StudyLOID", "StudyLoid", "SeriesLOID", "ParentLoid",
    "DefaultSeriesLoid", "tCurrentMppsLoid", "StudyLOIDS4Split", "SeriesLOIDS4Split", "MppsLOIDS4Split",
    "StudyLOIDS4SplitAndPause", "SeriesLOIDS4SplitAndPause", "MppsLOIDS4SplitAndPause",
    "Studyloids4Split", "MppsLOIDS4DMWLPause", "ParentUid", "MeasUID", "MeasUid", "ExamMemoryUID",
    "FrameOfReference", "tFrameOfReference", "PrepareTimestamp",
)  # fmt: skip

#: Parameters that sound like a patient and say how the machine stands (images turn over when they change), and
#: the version of the software, by which readers tell the layout.
_KEPT = re.compile(
    r"t?PatientPosition|sPatPosition|PATModeText|.*PatientTable.*|PatientRegistration.*"
    r"|.*SoftwareVersions?|t?BaselineString",
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
        ``patient``, ``physician``, ``dob`` or ``id``; None where no rule speaks of it.
    """
    return _RULE_OF.get(name)


def is_kept(name: str) -> bool:
    """Say whether the values of a parameter must never change."""
    return _KEPT.fullmatch(name) is not None
