"""What is done to each attribute: PS3.15 Table E.1-1 as data, and the named profiles that are made of it."""

from __future__ import annotations

from fastanon.profiles.loading import Profile, ProfileError, load, names
from fastanon.profiles.loading import load as load_profile
from fastanon.profiles.table import basic_action, options_of

__all__ = ["Profile", "ProfileError", "basic_action", "load", "load_profile", "names", "options_of"]
