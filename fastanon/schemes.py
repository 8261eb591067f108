"""From what a user says to a `Scheme`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from fastanon.errors import UsageError
from fastanon.limits import limits
from fastanon.mapping import read_mapping
from fastanon.profiles import Profile, load
from fastanon.pseudonyms import Pseudonyms, normalised, read_key
from fastanon.scheme import Given, Scheme

PathLike: TypeAlias = "str | os.PathLike[str]"

#: The profile that holds where nothing else is said.
DEFAULT = "petmr"


def make_scheme(
    profile: PathLike | Profile = DEFAULT,
    options: Iterable[str] = (),
    key: PathLike | bytes | None = None,
    mapping: PathLike | Mapping[str, str] | None = None,
    patient: str | None = None,
    physician: str | None = None,
    dob: str | None = None,
) -> Scheme:
    """Make the scheme of a run; arguments are those of `fastanon.anonymize`.

    Raises
    ------
    UsageError
        If a profile, a key, a mapping, a replacement or a limit in the environment can't be used.
    """
    limits()  # a wrong one is an error of the call, and not of each file
    given = Given(patient, physician, dob)
    if isinstance(options, str):
        raise UsageError("options: a list of names, not one string")
    if not isinstance(profile, Profile):
        profile = load(profile, options)
    elif tuple(options):
        raise UsageError("a Profile has its options already: give them to load_profile")
    secret = key if key is None or isinstance(key, bytes) else read_key(key)
    if mapping is not None and not isinstance(mapping, Mapping):
        mapping = read_mapping(mapping)
    elif mapping is not None:
        mapping = {normalised(old): new for old, new in mapping.items()}
    return Scheme(profile, given, Pseudonyms(secret), mapping)
