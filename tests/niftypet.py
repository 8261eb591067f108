"""The calls of the public face with the profile ``niftypet``: fixed words for the names, everything else kept.

What these tests ask is how values are found and written, which no profile changes.
"""

from __future__ import annotations

import functools

import fastanon
from fastanon.scheme import Scheme
from fastanon.schemes import make_scheme

NIFTYPET = ("--profile", "niftypet")

anonymize = functools.partial(fastanon.anonymize, profile="niftypet")
plan = functools.partial(fastanon.plan, profile="niftypet")
audit = functools.partial(fastanon.audit, profile="niftypet")


def scheme(patient: str = "anonymised", physician: str = "anonymised", dob: str = "19800101") -> Scheme:
    """Give the scheme that writes these words."""
    return make_scheme("niftypet", patient=patient, physician=physician, dob=dob)
