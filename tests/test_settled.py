"""Names in place that only a later file explains: the vault follows, and what is in the way is reported."""

from __future__ import annotations

from pathlib import Path

import fastanon
from fastanon.errors import DONE, LEFT
from fastanon.pseudonyms import Pseudonyms
from fastanon.synthetic import Person, make_slice
from fastanon.vault import Vault
from tests.canary import CANARIES

KEY = bytes(range(32))
FIRST, LAST, _, _ = CANARIES


def two_patients(folder: Path) -> Path:
    """Make a folder that is called after a patient whose file comes later."""
    (folder / f"a {LAST}").mkdir(parents=True)
    (folder / "b").mkdir()
    make_slice(folder / f"a {LAST}" / f"{FIRST}.dcm", Person("ROTHENBERG^GRETA", "0815-4242-99"))
    make_slice(folder / "b" / "0.dcm", Person(f"{LAST}^{FIRST}"))
    return folder / f"a {LAST}" / f"{FIRST}.dcm"


def test_the_vault_holds_the_last_path_and_no_name_in_the_clear(tmp_path: Path) -> None:
    old, vault = two_patients(tmp_path / "in"), tmp_path / "vault"
    assert fastanon.anonymize(tmp_path / "in", in_place=True, key=KEY, vault=vault).exit_status == DONE
    (new,) = (path for path in (tmp_path / "in").rglob("*.dcm") if path.parent.name.startswith("a "))
    data = vault.read_bytes().lower()
    assert LAST.lower().encode() not in data
    with Vault.existing(vault, Pseudonyms(KEY)) as opened:
        paths = {row.pseudonym: row.original for row in opened.rows(("path",))}
        assert paths[str(new)] == str(old)
        assert all(Path(path).exists() for path in paths)


def test_what_is_in_the_way_stays_and_is_reported(tmp_path: Path) -> None:
    def folder_of(run: Path) -> Path:
        two_patients(run)
        fastanon.anonymize(run, in_place=True, key=KEY).raise_for_leaks()
        return next(path.parent for path in run.rglob("*.dcm") if path.parent.name.startswith("a "))

    taken = folder_of(tmp_path / "first").name
    two_patients(tmp_path / "in")
    blocked = tmp_path / "in" / taken
    blocked.write_text("a file where the folder should be")
    report = fastanon.anonymize(tmp_path / "in", in_place=True, key=KEY)
    assert report.exit_status == LEFT
    assert blocked.read_text() == "a file where the folder should be"
    assert [one.status for one in report.files].count("anonymized") == 2


def test_what_is_refused_stays_where_it_is(tmp_path: Path) -> None:
    old = two_patients(tmp_path / "in")
    old.chmod(0o444)
    before = old.read_bytes()
    report = fastanon.anonymize(tmp_path / "in", in_place=True, key=KEY)
    assert [one.status for one in report.files].count("refused") == 1
    assert old.read_bytes() == before


def test_of_own_output_nothing_counts_as_searched(tmp_path: Path) -> None:
    make_slice(tmp_path / "a.dcm", Person())
    for scanned, how in (
        (True, {"to": tmp_path / "1"}),
        (False, {"in_place": True}),
        (False, {"to": tmp_path / "2"}),
    ):
        source = tmp_path / "a.dcm" if scanned else tmp_path / "1" / "a.dcm"
        (one,) = fastanon.anonymize(source, key=KEY, **how).files
        assert one.audit is not None
        assert bool(one.audit.scanned) is scanned
