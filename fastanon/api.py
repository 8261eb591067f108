"""The calls of the public face."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastanon import batch, comparison
from fastanon.archives.within import within
from fastanon.errors import BatchError, FileError, UsageError, printable
from fastanon.fields import Place
from fastanon.files import Input, Source, sources
from fastanon.names import Mask, Met
from fastanon.opened import Opened
from fastanon.planner import Plan, plan_in_place
from fastanon.profiles import Profile
from fastanon.report import FileResult, Report
from fastanon.runs import Runs
from fastanon.scheme import Scheme
from fastanon.schemes import DEFAULT, PathLike, make_scheme
from fastanon.search import Finding, search
from fastanon.shards import Shard
from fastanon.text import decode
from fastanon.uids import telling_uids
from fastanon.work import Options


@dataclass(frozen=True)
class Inspection:
    """What identifies one file. It holds values: show it, do not store it.

    Attributes
    ----------
    path : str
        The file.
    fields : tuple of (str, int, str)
        Name, offset and value of each identifying field that is filled.
    copies : tuple of Place
        Where else these values stand, offset and kind; without the values.
    uids : tuple of Place
        UIDs that tell the device's serial number or a date, as their kind says.
    slack : int
        Runs of leftover memory in CSA headers, which may hold pieces of them.
    structural : int
        Where they stand in keys, numbers and codes, and would stay.
    error : FileError or None
        Why the file could not be read.
    """

    path: str
    fields: tuple[tuple[str, int, str], ...] = ()
    copies: tuple[Place, ...] = ()
    uids: tuple[Place, ...] = ()
    slack: int = 0
    structural: int = 0
    error: FileError | None = None

    def __str__(self) -> str:
        if self.error is not None:
            return str(self.error)
        found = f"{len(self.fields)} identifying fields, {len(self.copies)} copies of their values"
        lines = [f"{printable(self.path)}: {found}"]
        lines += [f"  {offset:>12}  {name}: {value}" for name, offset, value in self.fields]
        lines += [f"  {place.offset:>12}  {place.where}: copy of a {place.kind}" for place in self.copies]
        lines += [f"  {place.offset:>12}  {place.where}: {place.kind} in a UID" for place in self.uids]
        if self.slack:
            lines.append(f"  {self.slack} runs of leftover memory in CSA headers")
        return "\n".join(lines)


def inspect(source: Input) -> list[Inspection]:
    """Show what identifies the patient in every file of a source; nothing is changed.

    Parameters
    ----------
    source : path, glob, list of paths, or dict
        A file, a folder (searched to its depth, whatever the files are called), or NiftyPET's ``datain``.

    Returns
    -------
    list of Inspection
        One for each file, in order; a file that can't be read has its `error` set.

    Raises
    ------
    UsageError
        If the source is of no known kind.
    """
    found, scheme = [], make_scheme()
    for item, opens in _opening(source):
        try:
            with opens() as opened:
                found.append(inspection(opened.path, search(opened, scheme, everything=True)))
        except FileError as error:
            error.path = item.path
            found.append(Inspection(item.path, error=error))
    return found


def _opening(source: Input) -> Iterator[tuple[Source, Callable[[], Opened]]]:
    """Give all files, those in archives too, and what opens each."""
    for item in sources(source):
        for inner in within(item):
            if inner.open is not None:
                yield inner.source, inner.open


def inspection(path: str, found: Finding) -> Inspection:
    """Show what a search with everything brought."""
    fields = []
    copies: list[Place] = []
    structural = slack = 0
    for one in found.parts:
        known = [field for field, rule in one.fields if rule.kind and field.text is not None]
        for field in known:
            value = decode(one.part.bytes_at(*field.value), field.text.encoding if field.text else "").strip(" \0")
            if value:  # a terminal must not obey what a file says
                shown = "".join(c if c.isprintable() else "?" for c in value)
                fields.append((field.name, field.value[0] + one.base, shown))
        own = Runs(field.value for field in known)
        for hit, at in one.hits:
            if at is None:
                structural += not own.hold(hit.start, hit.end)
            elif not own.hold(hit.start, hit.end):
                copies.append(Place(at.name, hit.start + one.base, hit.end - hit.start, hit.needle.kind))
        slack += sum(1 for _ in one.part.slack())
    uids = tuple(p._replace(offset=p.offset + one.base) for one in found.parts for p in telling_uids(one.part))
    return Inspection(path, tuple(fields), tuple(copies), uids, slack, structural)


def plan(
    source: Input,
    *,
    profile: PathLike | Profile = DEFAULT,
    options: Iterable[str] = (),
    key: PathLike | bytes | None = None,
    mapping: PathLike | Mapping[str, str] | None = None,
    patient: str | None = None,
    physician: str | None = None,
    dob: str | None = None,
) -> list[Plan | FileError]:
    """Say what `anonymize` would change in place, without values and without writing.

    Parameters
    ----------
    source, profile, options, key, mapping, patient, physician, dob
        As for `anonymize`.

    Returns
    -------
    list of Plan or FileError
        One for each file, in order; the error where a file would be refused.

    Raises
    ------
    UsageError
        If the source is of no known kind, or a profile, key, mapping or replacement can't be used.
    """
    return planned(source, make_scheme(profile, options, key, mapping, patient, physician, dob))[0]


def planned(source: Input, scheme: Scheme) -> tuple[list[Plan | FileError], Callable[[str], str]]:
    """Plan all files, and give what masks their paths: the names of each may stand in those of others."""
    plans: list[Plan | FileError] = []
    mask, met = Mask(scheme), Met()
    for item, opens in _opening(source):
        try:
            with opens() as opened:
                found = search(opened, scheme)
                met.add(found.needles)
                plans.append(plan_in_place(opened, scheme, found))
        except FileError as error:
            error.path = item.path
            plans.append(error)
    return plans, lambda path: mask.shown(path, met)


def anonymize(
    source: Input,
    *,
    to: str | os.PathLike[str] | None = None,
    in_place: bool = False,
    profile: PathLike | Profile = DEFAULT,
    options: Iterable[str] = (),
    key: PathLike | bytes | None = None,
    vault: PathLike | None = None,
    mapping: PathLike | Mapping[str, str] | None = None,
    patient: str | None = None,
    physician: str | None = None,
    dob: str | None = None,
    audit: str = "full",
    payload: str = "patch",
    workers: int = 1,
    shard: str | None = None,
    cluster: str | None = None,
) -> Report:
    """Remove the patient from every file of a source.

    A profile says what becomes of each attribute, at every depth: PS3.15 Annex E with what PET/MR reconstruction
    needs, by default. Copies of the values that go are replaced wherever they stand in text: in free text, private
    elements, CSA headers, protocols and Interfile headers, there at equal length. Payload (list-mode, sinograms,
    norm, pixels) is searched, and not changed on a coincidence.

    Parameters
    ----------
    source : path, glob, iterable of paths, or dict
        A file, a folder (searched to its depth, whatever the files are called), or NiftyPET's ``datain``.
    to : path, optional
        Write copies below this folder; nothing that exists is overwritten.
    in_place : bool
        Change the files themselves. One of `to` and `in_place` must be given. Files whose names below the named
        folder give the patient away get other names (`FileResult.output`), but for the profile ``niftypet``: a
        ``datain`` would lead nowhere.
    profile : {"petmr", "basic", "niftypet"}, path of a TOML file, or Profile
        What becomes of each attribute; a Profile comes from `fastanon.load_profile`.
    options : iterable of str
        Options of PS3.15 E.3 on top of those of the profile, such as ``retain-device-identity``.
    key : path or bytes, optional
        A kept key of 256 bits (``fastanon key new``): the same patient gets the same pseudonyms in every run, and
        that is pseudonymisation. Without one a random key lives for this call and is forgotten.
    vault : path, optional
        Where to keep who is who, encrypted under the key.
    mapping : path of a CSV file or mapping, optional
        New patient IDs by old ones (``id_old,id_new``): ID and name become the new ID.
    patient, physician : str, optional
        What stands in place of the names, and of the patient's ID; pseudonyms by default, ``anonymised`` in the
        profile ``niftypet``.
    dob : str, optional
        What stands in place of the birth date, YYYYMMDD; nothing by default, ``19800101`` in ``niftypet``.
    audit : {"full", "text", "none"}
        Search every byte for what may be left, payloads too; or all but the payloads; or do not search copies.
    payload : {"patch", "report"}
        What becomes of a value in list-mode or other raw data that chance does not explain: at least 8 bytes,
        delimited, and less than 1e-9 expected. It is replaced, or is reported as a leak. In pixels, norms and
        sinograms, and in files beside a header, nothing is changed.
    workers : int
        How many processes do the work; 0 are as many as there are CPUs. The result is the same.
    shard : str, optional
        Which part of the source to do, ``I/N`` with I from 1: others do the others, with the same key. Shared out
        are the folders in the source, each whole.
    cluster : str, optional
        The address of a dask scheduler, such as ``tls://host:8786``: its workers do the work. They have to see the
        files under the same paths, and are sent the key.

    Returns
    -------
    Report
        What became of each file. Files that are broken or unknown are refused and left as they are, the
        others are done: see `Report.raise_for_leaks`.

    Raises
    ------
    UsageError
        Before any file is looked at.
    """
    if (to is None) == (not in_place):
        raise UsageError("say either to=FOLDER or in_place=True")
    scheme = make_scheme(profile, options, key, mapping, patient, physician, dob)
    folder = None if to is None else os.fspath(to)
    part = None if shard is None else Shard.of(shard)
    key_file = None if isinstance(key, bytes) else key
    return batch.run(source, Options(scheme, folder, audit, payload, vault, key_file, workers, part, cluster))


def audit(
    source: Input, *, against: Input, profile: PathLike | Profile = DEFAULT, options: Iterable[str] = ()
) -> Report:
    """Search copies for the values of their originals, byte by byte; nothing is changed.

    Parameters
    ----------
    source : path, glob, list of paths, or dict
        The copies, as `anonymize` wrote them, or any other program.
    against : path, glob, list of paths, or dict
        The originals. A copy is audited against the file of the same path below its folder, and against all of
        them where there is none.
    profile, options
        What should be gone; as for `anonymize`.

    Returns
    -------
    Report
        For each copy every byte that was searched, payloads too, and each place where something is left. Each is
        walked, and read by pydicom if it is DICOM.

    Raises
    ------
    UsageError
        If a source is of no known kind.
    """
    return comparison.audit(source, against, make_scheme(profile, options))


def dcmanonym(
    dcmpath: Input,
    displayonly: bool = False,
    patient: str = "anonymised",
    physician: str = "anonymised",
    dob: str = "19800101",
    verbose: bool = False,
    Cnt: Any = None,  # noqa: ARG001, N803  # NiftyPET's name; its constants are not needed here
) -> None:
    """Anonymize in place with NiftyPET's call (``nimpa.dcmanonym``).

    Parameters
    ----------
    dcmpath : path, list of paths, or dict
        A file, a list, a folder, or the dictionary ``datain`` with all the data of a reconstruction.
    displayonly : bool
        Print what is sensitive, values included, and change nothing.
    patient, physician : str
        What stands in place of the names.
    dob : str
        What stands in place of the birth date, YYYYMMDD.
    verbose : bool
        Print a line about each file.
    Cnt : dict, optional
        Accepted and ignored.

    Raises
    ------
    BatchError
        At the end, if a file failed or was refused; the others are done. Files met in a folder or in
        `datain` that are no medical files only warn.
    UsageError
        Before any file is looked at.
    """
    if displayonly:
        for inspection in inspect(dcmpath):
            print(inspection)
        return
    options = Options(make_scheme("niftypet", patient=patient, physician=physician, dob=dob))
    report = batch.run(dcmpath, options, batch.say if verbose else lambda _: None)
    bad = [f for f in report.files if f.status in ("failed", "refused")]
    for result in report.files:
        if result.leaks or result.warnings or (result in bad and _is_bystander(result)):
            warnings.warn(str(result), stacklevel=2)
    serious = [str(f) for f in bad if not _is_bystander(f)]
    if serious:
        raise BatchError("\n".join(serious))


def _is_bystander(result: FileResult) -> bool:
    return result.status == "refused" and not result.medical and not result.listed
