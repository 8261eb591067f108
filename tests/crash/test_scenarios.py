"""The jobs are what they are called, and always end in the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.canary import leaks_in
from tests.crash.benches import bench
from tests.crash.scenarios import SCENARIOS
from tests.crash.states import HarmError, files, judged, ours, snapshot


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_job_ends_in_the_same_bytes_every_time(name: str, tmp_path: Path) -> None:
    one = bench(SCENARIOS[name], tmp_path / "bench")
    root = one.fresh("again")
    assert all(one.scenario.run(root, one.key).done)
    assert snapshot(root) == one.new
    assert not ours(one.new)
    assert not leaks_in(" ".join(set(one.new) - set(one.old)))


def test_the_tail_of_a_ptd_changes_its_length(tmp_path: Path) -> None:
    one = bench(SCENARIOS["refit ptd"], tmp_path / "bench")
    before, after = ((one.folder / name / "a.ptd").stat().st_size for name in ("template", "model/in"))
    assert before != after


def test_what_is_recovered_is_what_would_have_been(tmp_path: Path) -> None:
    whole, cut = (bench(SCENARIOS[name], tmp_path / name) for name in ("patch three", "recover"))
    assert whole.new == cut.new
    assert files(cut.old) != files(whole.old)
    assert len(ours(cut.old)) == 1


def test_harm_is_seen(tmp_path: Path) -> None:
    one = bench(SCENARIOS["refit"], tmp_path / "bench")
    root = one.fresh("harmed")
    path = root / "in" / "a.dcm"
    before = path.read_bytes()
    for data in (before[:-1], before + b"\0", before.replace(b"head", b"hand"), b""):
        path.write_bytes(data)
        with pytest.raises(HarmError, match="neither old nor new"):
            judged(one.fates, snapshot(root))
    path.write_bytes(before)
    assert judged(one.fates, snapshot(root)) == ["old"]
    path.chmod(0o600)
    with pytest.raises(HarmError, match="neither old nor new"):
        judged(one.fates, snapshot(root))
    path.chmod(0o644)
    (root / "in" / ".fastanon-journal").touch()
    with pytest.raises(HarmError, match="1 files too many, 1 of them ours"):
        judged(one.fates, snapshot(root))
