"""Whether a file is own output: a second run has to leave it as it is.

A dataset says so in (0012,0063), an Interfile header in a comment. Where nothing of that kind fits, in other raw
data and in a DICOMDIR, the pseudonyms say it: part of each is a code over the rest that nobody makes without the
key. They have to agree everywhere: an output into which somebody wrote a patient again is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fastanon import text
from fastanon.dicom import DicomPart
from fastanon.dicomdir import is_directory
from fastanon.fields import Field
from fastanon.markers import is_marked, is_marked_text
from fastanon.part import Part
from fastanon.rules import Rule
from fastanon.scheme import Scheme

_ENOUGH = 20  # bits, where nothing but pseudonyms tells: a foreign file with such letters passes once in a million


def is_own(parts: Sequence[tuple[Part, list[tuple[Field, Rule]]]], uids: Iterable[bytes], scheme: Scheme) -> bool:
    """Say whether a file is output of the same profile and key.

    Parameters
    ----------
    parts : sequence of (Part, list of (Field, Rule))
        The file, and what would change in it.
    uids : iterable of bytes
        The UIDs in text that would change.
    scheme : Scheme
        Profile and key.
    """
    if not scheme.keyed:
        return False
    datasets = [one for one in parts if isinstance(one[0], DicomPart) and not is_directory(one[0].elements)]
    if any(is_marked(part, scheme) for part, _ in datasets if isinstance(part, DicomPart)):
        return all(bits for part, fields in datasets for bits in _bits(part, fields, scheme))
    if scheme.strips and any(not part.is_meta for part, _ in datasets if isinstance(part, DicomPart)):
        return False  # it would have been marked
    found = [bits for part, fields in parts for bits in _bits(part, fields, scheme)]
    found += [scheme.pseudonyms.uid_bits(uid.decode()) for uid in uids]
    return all(found) and (sum(found) >= _ENOUGH or any(is_marked_text(part, scheme) for part, _ in parts))


def _bits(part: Part, fields: list[tuple[Field, Rule]], scheme: Scheme) -> Iterator[int]:
    """Give for each name, ID and UID that would change by how many bits it verifies."""
    given = (scheme.given.patient, scheme.given.physician, *scheme.mapping.values())
    for f, rule in fields:
        if (rule.action == "D" and rule.kind in ("name", "id")) or rule.action == "U":
            values = text.split_values(part.bytes_at(*f.value), f.text.encoding if f.text else "")
            for value in (value for value in values if value.strip("xX ^=")):
                if rule.action == "U":
                    yield 1 if value.startswith("1.2.840.10008.") else scheme.pseudonyms.uid_bits(value)
                else:
                    yield 1 if value in given else scheme.pseudonyms.text_bits(rule.source, value)
