"""Power cuts: every state of the disk that the recorded calls allow is recovered, and the model would notice."""

from __future__ import annotations

import os

import pytest

from tools.crash_model import Scenario, check, scenarios

EVERY = list(scenarios())
#: The syncs of a commit and of a rewrite, in order.
COMMIT = {"journal": 0, "folder": 1, "target": 2}
PATCH = "patch of 100+300 2448+900, 1 files"
GROUP = "patch of 400+900, 3 files"
REWRITE = "rewrite of 100+700 900-30, to 0.dcm"


def named(name: str) -> Scenario:
    return next(scenario for scenario in EVERY if scenario.name == name)


def chosen() -> list[Scenario]:
    """Give all if that is wanted, else those with one and two edits and all that are no patch of a single file."""
    if os.environ.get("FASTANON_THOROUGH"):
        return EVERY
    return [one for one in EVERY if one.name.startswith(("patch", "rewrite")) and one.name.count("+") < 3]


@pytest.mark.parametrize("scenario", chosen(), ids=lambda scenario: scenario.name)
def test_every_state_is_recovered(scenario: Scenario) -> None:
    result = check(scenario)
    assert result.states > 5
    assert result.lost == 0


@pytest.mark.parametrize("name", [PATCH, GROUP])
@pytest.mark.parametrize("missing", COMMIT)
def test_a_commit_without_one_of_its_syncs_loses_files(missing: str, name: str) -> None:
    assert check(named(name), COMMIT[missing]).lost


def test_a_rewrite_without_its_sync_loses_files() -> None:
    assert check(named(REWRITE), 0).lost
