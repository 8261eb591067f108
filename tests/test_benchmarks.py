"""What the page of benchmarks says is what its figures say, and what it measures is looked at first."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import pydicom
import pytest

from benchmarks import page, tables
from benchmarks.cases import COPY, CP
from benchmarks.deidentifiers import Program
from benchmarks.goals import RATIOS, rows
from benchmarks.lab import ONE, QUICK, Lab
from benchmarks.processes import Case, Cost, command, in_turn
from benchmarks.traces import names_in, traces
from fastanon.synthetic import Person, make_listmode, make_slice

README = page.README.read_text("utf-8")
FAMILY = Person().family


@pytest.fixture
def found() -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(page.FIGURES.read_text("utf-8"))
    return figures


def test_the_page_and_the_readme_show_the_figures(found: dict[str, Any]) -> None:
    assert page.PAGE.read_text("utf-8") == page.page(found)
    assert page.into_readme(README, found) == README
    assert page.summary(found) in README
    assert f"]({page.PAGE.relative_to(page.ROOT)})" in README
    assert page.PLOT.read_text("utf-8").count("<svg") == 1
    assert page.PLOT.stat().st_size < 100_000


def test_a_goal_is_met_up_to_its_limit_and_missed_beyond(found: dict[str, Any]) -> None:
    for number, (what, section, case, other, most) in enumerate(RATIOS):
        for factor, met in ((1.0, True), (1.01, False)):
            changed = copy.deepcopy(found)
            cases = changed[section]["cases"]
            cases[case]["seconds"], cases[other]["seconds"] = [3 * most * factor], [3.0]
            row = list(rows(changed))[number]
            assert (row.what, row.met) == (what, met)
            shown = next(line for line in page.page(changed).splitlines() if line.startswith(f"| {what} |"))
            assert ("MISSED" in shown, shown.endswith("| met |")) == (not met, met)
            assert (what in page.summary(changed).split("Missed:")[1]) == (not met)


def test_every_goal_of_the_page_is_a_row(found: dict[str, Any]) -> None:
    judged = list(rows(found))
    shown = tables.goals(found).splitlines()[2:]
    assert len(shown) == len(judged) == len({row.what for row in judged}) >= len(RATIOS) + 6
    assert all(line.endswith(("| met |", "| **MISSED** |")) for line in shown)


def test_a_peer_that_is_not_installed_is_listed_with_the_reason(found: dict[str, Any]) -> None:
    here = Program("here", "pytest", lambda *_: (), module="pytest")
    module = Program("gone", "gone-dist", lambda *_: (), module="no_such_module")
    binary = Program("no-such-binary", "no-such-binary", lambda *_: ())
    assert not here.missing
    assert "pip install gone-dist" in module.missing
    assert "Debian" in binary.missing
    found["missing"] = {"gone": module.missing}
    text = page.page(found)
    assert text.count(f"| gone | {module.missing} |") == 3
    assert f"not measured: gone: {module.missing}" in text


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le", "utf-16-be"])
def test_copies_of_the_name_are_counted_in_every_spelling(
    codec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.traces._BLOCK", 61)
    words = [FAMILY, FAMILY.lower(), FAMILY.title(), FAMILY.replace(" ", "_")]
    for pad in range(70):  # so that each lies across the end of a block
        (tmp_path / "a").write_bytes(b"\1" * pad + b"\1\2\3".join(word.encode(codec) for word in words))
        assert names_in(tmp_path / "a") == 4


def test_what_was_lost_is_said(tmp_path: Path) -> None:
    for folder in ("in", "out"):
        (tmp_path / folder).mkdir()
    old = make_slice(tmp_path / "in" / "a.dcm", rows=8, columns=8)
    new = tmp_path / "out" / "a.dcm"

    def after(**changes: Any) -> tuple[str, str]:
        dataset = pydicom.dcmread(old)
        for name, value in changes.items():
            if name == "remove_private":
                dataset.remove_private_tags()
            elif name == "header":
                dataset.private_block(0x0029, "SIEMENS CSA HEADER")[0x20].value = value
            else:
                setattr(dataset, name, value)
        dataset.save_as(new)
        return traces([old], new.parent)[1:]

    assert traces([old], new.parent)[1] == "no output"
    assert after() == ("intact", "kept")
    assert after(PixelData=bytes(128)) == ("CHANGED", "kept")
    assert after(remove_private=True) == ("intact", "dropped")
    assert after(header=b"SV10 is not enough") == ("intact", "BROKEN")
    new.write_bytes(b"no DICOM")
    assert traces([old], new.parent)[1:] == ("UNREADABLE", "UNREADABLE")
    assert not traces([old], new.parent).whole


def test_the_payload_of_list_mode_is_found(tmp_path: Path) -> None:
    for folder in ("in", "out"):
        (tmp_path / folder).mkdir()
    old = make_listmode(tmp_path / "in" / "a.IMA", 1 << 12)
    data = bytearray(old.read_bytes())
    (tmp_path / "out" / "a.IMA").write_bytes(data)
    assert traces([old], tmp_path / "out")[1:] == ("intact", "kept")
    data[-1] ^= 1
    (tmp_path / "out" / "a.IMA").write_bytes(data)
    assert traces([old], tmp_path / "out")[1:] == ("CHANGED", "kept")


def test_a_result_of_ours_that_is_wrong_stops_the_measurement(tmp_path: Path) -> None:
    given = tmp_path / "in"
    given.mkdir()
    make_slice(given / "a.dcm", rows=8, columns=8)
    lab = Lab(tmp_path, QUICK, lambda _: None)
    for how in (["true"], ["false"], ["cp", str(given / "a.dcm"), str(tmp_path / "out" / "0")]):
        for ours in (True, False):
            case = lab.case(COPY + ONE, [given], lambda *_, how=how: how, ours=ours)
            case.ready()
            cost = case.run()
            if ours:
                with pytest.raises(AssertionError):
                    case.check(cost)
            else:
                case.check(cost)
                assert lab.traces[COPY + ONE].payload == ("intact" if how[0] == "cp" else "no output")


def test_a_command_costs_what_its_processes_do(tmp_path: Path) -> None:
    code = "import sys; data = bytes(range(256)) * 400_000; open(sys.argv[1], 'wb').write(data); sys.exit(3)"
    cost = command("sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-c", code, str(tmp_path / "out"))
    assert cost.status == 3
    assert 102_400_000 <= cost.written < 103_000_000
    assert 100 < cost.peak_mb < 160
    assert command("true").peak_mb < 30  # not that of this process


def test_cases_run_in_turn_and_one_that_is_slow_not_again() -> None:
    ran: list[str] = []

    def case(name: str, seconds: float) -> Case:
        return Case(
            lambda: ran.append(f"ready {name}"),
            lambda: ran.append(name) or Cost(seconds, 0, 0, 0, 0, ""),
            lambda _: ran.append(f"look at {name}"),
        )

    costs = in_turn(2, {"a": case("a", 1), "b": case("b", 9)}, 5, lambda _: None)
    first = ["ready a", "a", "look at a", "ready b", "b", "look at b"]
    assert ran == [*first, "ready a", "a", "ready a", "a"]
    assert {name: len(found) for name, found in costs.items()} == {"a": 2, "b": 1}


def test_ratios_are_of_pairs(found: dict[str, Any]) -> None:
    cases = found["slices"]["cases"]
    cases[COPY + ONE]["seconds"], cases[CP]["seconds"] = [1.0, 20.0, 300.0], [1.0, 10.0, 100.0]
    assert next(rows(found)).measured == "2.00x"
