"""Files of Siemens' raw data that are no DICOM, each as one part: text around payloads."""

from __future__ import annotations

from fastanon.fields import Space
from fastanon.limits import limits
from fastanon.opened import Opened
from fastanon.part import Part, TextPart
from fastanon.payload import Payload
from fastanon.siemens import interfile, protocol_keys, rda, spelled, twix

#: What the sniffers and the header of an ``.rda`` need to see.
_HEAD = max(twix.HEAD, rda.MAX_HEADER)


def read_raw(opened: Opened) -> Part | None:
    """Read a twix ``.dat``, an ``.rda`` or an Interfile header; None if it is none of them.

    Raises
    ------
    MalformedError, UnsupportedError
        If it is one, and its structure can't be trusted.
    """
    head = opened.read(0, min(_HEAD, opened.size))
    if twix.is_twix(head[: twix.HEAD]):
        return _twix(opened)
    if rda.is_rda(head):
        _, payload = rda.locate(head)
        fields = rda.fields(head[:payload], 0, Space(), ("rda",))
        return TextPart(opened, fields, rda.rule_of, [Payload(payload, opened.size, "spectrum")])
    if interfile.is_interfile(head):
        data = opened.read(0, min(limits().text + 1, opened.size))  # a larger file goes on with image data
        end = interfile.end_of(data)
        fields = interfile.fields(data[:end], 0, Space(), ("Interfile",))
        rest = [Payload(end, opened.size, "raw data")] if data[end:].strip() else []
        return TextPart(opened, fields, interfile.rule_of, rest)
    return None


def _twix(opened: Opened) -> TextPart:
    located = twix.locate(opened)
    fields = twix.fields(located, opened, Space())
    payloads = [Payload(*m.data, "measurement") for m in located.measurements]
    texts = [buffer.text for m in located.measurements for buffer in m.buffers]
    comments = [found for text in texts for found in spelled.read(opened.read(*text), text[0])]
    part = TextPart(opened, fields, _twix_rule_of, payloads, comments)
    if any(m.cut for m in located.measurements):
        part.notes.append("the measurement data is cut off")
    if located.lost:
        part.notes.append(
            f"{located.lost} entries of the directory point past the end: only their names are there"
        )
    return part


def _twix_rule_of(key: str) -> str | None:
    return "patient" if key == "patName" else protocol_keys.rule_of(key)
