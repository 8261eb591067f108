"""A job with its files before and after, and fresh folders in which to disturb it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.crash.scenarios import Scenario, key_file
from tests.crash.states import Fate, files, judged, snapshot


@dataclass(frozen=True)
class Bench:
    """A scenario on a filesystem, with what its files were and what they become.

    Attributes
    ----------
    scenario : Scenario
        The job.
    folder : Path
        Where folders for its runs can be made.
    key : Path
        The key of the job.
    old, new : mapping
        Everything before, and after an undisturbed run.
    fates : tuple of Fate
        What may become of each file.
    """

    scenario: Scenario
    folder: Path
    key: Path
    old: dict[str, str]
    new: dict[str, str]
    fates: tuple[Fate, ...]

    def fresh(self, name: str) -> Path:
        """Lay out the files for one more run."""
        root = self.folder / name
        self.scenario.prepare(self.folder / "template", root, self.key)
        return root


def bench(scenario: Scenario, folder: Path) -> Bench:
    """Make the files of a scenario, and do the job undisturbed once to know its end."""
    folder.mkdir()
    key, template, root = key_file(folder), folder / "template", folder / "model"
    template.mkdir()
    scenario.make(template)
    scenario.prepare(template, root, key)
    old = snapshot(root)
    if not scenario.cut:
        assert {one.strategy for one in scenario.report(root, key).files} == {scenario.strategy}
    else:
        assert scenario.run(root, key).done == [True]
    new = snapshot(root)
    fates = tuple(_fates(scenario, files(old), files(new)))
    assert set(judged(fates, new)) == {"new"}
    return Bench(scenario, folder, key, old, new, fates)


def _fates(scenario: Scenario, old: dict[str, str], new: dict[str, str]) -> Iterator[Fate]:
    """Pair old and new: names keep their order, since all that changes of them is the patient."""
    if scenario.cut:  # what a journal promises is done
        yield from (Fate(None, item) for item in new.items())
        return
    stay = [path for path in new if path.startswith("in/")]
    for before, after in zip(sorted(old), sorted(stay), strict=True):
        between = (after, old[before]) if scenario.moves_first else None
        yield Fate((before, old[before]), (after, new[after]), between)
    yield from (Fate(None, (path, new[path]), copied=True) for path in new if path not in stay)
