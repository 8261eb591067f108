"""The text of a measurement protocol: XProtocol with ASCCONV inside, in every spelling that scanners use.

The outer text has single quotes. Its string parameters hold whole protocols again, and in those each quote is
doubled; a string inside such a protocol has four.
"""

from __future__ import annotations

from fastanon.synthetic.person import Person

_COILS = 48  # coil elements; they make most of the text, as on the scanner
_ASCCONV = (
    "### ASCCONV BEGIN object=MrProtDataImpl@MrProtocolData version=51130001 "
    "converter=%MEASCONST%/ConverterList/Prot_Converter.txt ###"
)


def nested(text: str) -> str:
    """Spell a text as it stands inside a string: every quote doubled."""
    return text.replace('"', '""')


def one_line(key: str, value: str) -> str:
    """Give a string parameter on one line."""
    return f'<ParamString."{key}">  {{ "{value}"  }}\n'


def tight(key: str, value: str) -> str:
    """Give a string parameter without blanks."""
    return f'<ParamString."{key}">{{"{value}"}}\n'


def visible(key: str, value: str) -> str:
    """Give a string parameter on several lines, with a modifier that has a string of its own."""
    return f'<ParamString."{key}"> \n{{\n  <Visible> "true" \n  "{value}" \n}}\n'


def modified(key: str, value: str) -> str:
    """Give a string parameter with many modifiers."""
    lines = ('<Comment> "as registered"', '<Label> "Patient"', '<Default> ""', "<MaxSize> 50", '<Visible> "true"')
    return f'<ParamString."{key}"> \n{{\n  ' + " \n  ".join(lines) + f' \n  "{value}" \n}}\n'


def number(kind: str, key: str, value: str, modifiers: str = "") -> str:
    """Give a parameter that is a number."""
    return f'<Param{kind}."{key}">  {{ {modifiers}{value}  }}\n'


def array(key: str, *values: str) -> str:
    """Give an array of strings."""
    items = " ".join(f'{{ "{value}" }}' for value in values)
    return (
        f'<ParamArray."{key}"> \n{{\n  <MinSize> 1 \n  <MaxSize> 50 \n'
        f'  <Default> <ParamString.""> \n  {{\n  }}\n  {items} \n}}\n'
    )


def phoenix_protocol(person: Person, uid: str, sequence: str) -> str:
    """Write the text of MrPhoenixProtocol.

    Parameters
    ----------
    person : Person
        Who was registered.
    uid : str
        The UID of an image that the slices were planned on.
    sequence : str
        The name of the protocol.

    Returns
    -------
    str
        Characters of ISO_IR 100; lines end with LF.
    """
    outer = (
        '<ParamBool."IsInlineComposed"> \n{\n  <Visible> "true" \n  <LimitRange> { "false" "true" }\n}\n'
        + number("Long", "Count", "2", '<Visible> "true" ')
        + visible("PatientsName", person.name)
        + one_line("PatientID", person.patient_id)
        + visible("PatientPosition", "HFS")
        + one_line("StudyComment", f"ref. {person.accession}")
        + visible("Protocol0", nested(ascconv(person, uid, sequence)))
        + visible("Protocol1", nested(registration(person)))
    )
    return f'<XProtocol> \n{{\n<Name> "PhoenixMetaProtocol" \n<ID> 1000002 \n<Userversion> 2.0 \n{_map(outer)}}}\n'


def registration(person: Person) -> str:
    """Write the parameters of the registration, each key in another spelling.

    Parameters
    ----------
    person : Person
        Who was registered.

    Returns
    -------
    str
        An XProtocol with single quotes.
    """
    card = one_line("tPatientID", person.patient_id) + visible("tPatientsName", person.name)
    body = _map(_people(person) + _numbers()) + visible("tPatientCard", nested(card))
    return f'<XProtocol> \n{{\n<Name> "Registration" \n<ID> 1000001 \n{body}}}\n'


def _people(person: Person) -> str:
    """Give the parameters that name someone, and some that only look like it."""
    return (
        one_line("PatientName", person.name)
        + visible("tPatientName", person.name)
        + modified("PatientsName", person.name)
        + tight("PatientID", person.patient_id)
        + modified("PatientBirthDay", person.birth_date)
        + one_line("tPerfPhysiciansName", person.physician)
        + visible("tReferringPhysician", person.physician)
        + modified("tOperatorName", "OPERATOR^THEA")
        + one_line("PatientLOID", "6.0.99990001")
        + array("PatientQuadruple", person.name, person.patient_id, person.birth_date, "F")
        + array("SeriesLOIDS4Split", "6.0.99990002", "6.0.99990003")
        + visible("tStudyDescription", f"PET/MR of Mrs {person.family}")
        + modified("StudyComment", f"{person.spoken}, born {person.birth_dates[1]}")
        + one_line("PatientPosition", "HFS")
        + one_line("PATModeText", "p2")
        + '<ParamString."tImageComment">  { }\n'
    )


def _numbers() -> str:
    """Give the parameters that are numbers, the scanner and its dates."""
    frame = "1.3.12.2.1107.5.2.38.99999.1.20170327155811123.0.0.0"
    return (
        number("Long", "PatientSex", "2")
        + number("Double", "flPatientAge", "63.000000", "<Precision> 6 ")
        + number("Double", "flUsedPatientWeight", "72.000000", '<Unit> "[kg]" <Precision> 6 ')
        + number("Double", "flPatientHeight", "1680.000000", '<Unit> "[mm]" <Precision> 6 ')
        + one_line("InstitutionName", "Synthetic Hospital")
        + one_line("DeviceSerialNumber", "99999")
        + one_line("SoftwareVersions", "syngo MR E11")
        + one_line("tFrameOfReference", frame)
        + one_line("ExamMemoryUID", "6_0_99990001_20170327_155811_123")
        + one_line("PrepareTimestamp", "2017-03-27 15:58:11")
    )


def ascconv(person: Person, uid: str, sequence: str) -> str:
    """Write the list of assignments that ends a protocol.

    Parameters
    ----------
    person, uid, sequence
        As in `phoenix_protocol`.

    Returns
    -------
    str
        From ``### ASCCONV BEGIN`` to ``### ASCCONV END ###``, with single quotes.
    """
    lines = [
        ("ulVersion", "51130001"),
        ("tSequenceFileName", '"%SiemensSeq%\\tfl"'),
        ("tProtocolName", f'"{sequence}"'),
        ("tPatientName", f'"{person.name}"'),
        ("tReferringPhysician", f'"{person.physician}"'),
        ("tStudyDescription", f'"{person.listed}"'),
        *((f"tReferenceImage{i}", f'"{uid}.{i + 1}"') for i in range(3)),
        ("lScanRegionPosTra", "0.0"),
        ("ucScanRegionPosValid", "0x1"),
        ("lPtabAbsStartPosZ", "-1252"),
        ("lAverages", "1"),
        ("sProtConsistencyInfo.tBaselineString", '"N4_VE11P_LATEST_20150530"'),
        ("sProtConsistencyInfo.flNominalB0", "2.89362001419"),
        ("alTR.__attribute__.size", "1"),
        ("alTR[0]", "1700000"),
        ("alTE[0]", "2630"),
        ("sSliceArray.asSlice[0].dThickness", "176.0"),
        ("sSliceArray.asSlice[0].sNormal.dTra", "1.0"),
        ("sSliceArray.lSize", "1"),
        ("sPatPosition", '"HFS"'),
        *(line for i in range(_COILS) for line in _coil(i)),
    ]
    return "\n".join((_ASCCONV, *(f"{key}\t = \t{value}" for key, value in lines), "### ASCCONV END ###"))


def _coil(index: int) -> list[tuple[str, str]]:
    """Give the assignments of one coil element."""
    at = f"sCoilSelectMeas.aRxCoilSelectData[0].asList[{index}]"
    return [
        (f"{at}.sCoilElementID.tCoilID", '"HeadNeck_MMR"'),
        (f"{at}.sCoilElementID.lCoilCopy", "1"),
        (f"{at}.sCoilElementID.tElement", f'"H{index % 12 + 1:02d}"'),
        (f"{at}.lElementSelected", "1"),
        (f"{at}.lRxChannelConnected", str(index + 1)),
        (f"{at}.sCoilProperties.eCoilType", "1"),
        *((f"{at}.sCoilProperties.adFactor[{k}]", f"{1 + k / 8:.6f}") for k in range(8)),
    ]


def _map(body: str) -> str:
    """Wrap parameters in a map without a name."""
    return f'<ParamMap.""> \n{{\n{body}}}\n'


def xml_note(kind: str, person: Person) -> str:
    """Write a note in the XML-like form that landmarks have.

    Parameters
    ----------
    kind : str
        The name of the outermost tag.
    person : Person
        Who is on the table.

    Returns
    -------
    str
        One line.
    """
    return f"<{kind}><Patient>{person.name}</Patient><Pos>HFS</Pos><Id>{person.patient_id}</Id></{kind}>"
