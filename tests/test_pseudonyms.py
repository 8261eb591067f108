"""Pseudonyms: stable under a key, unrelated under two, valid, of the right length, and known again."""

from __future__ import annotations

import argparse
import hashlib
import os
import pickle
import random
import re
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydicom.uid import UID

import fastanon
from fastanon.cli import key as key_command
from fastanon.errors import DONE, AccessError, UsageError
from fastanon.pseudonyms import Pseudonyms, new_key, normalised, read_key

ROOT = Path(fastanon.__file__).parent.parent
ONE, TWO = Pseudonyms(bytes(range(32))), Pseudonyms(bytes(range(1, 33)))
SIEMENS = "1.3.12.2.1107.5.2.38.51011."
TEXT = re.compile(r"[A-Z][A-Z2-7]*")
IDS = [f"{number:08}" for number in range(10_000)]


def siemens(length: int, number: int = 0) -> str:
    """Make a UID of a length from 35 on, as a scanner does."""
    return SIEMENS + f"2{number:0{length - len(SIEMENS) - 1}}"


def any_uid(length: int, number: int = 0) -> str:
    """Make a UID of any length from 1 on: an organization's root, then digits."""
    uid = f"1.2.840.{number:03}1234567890123456789012.1234567890123456789012.345678901"[:length]
    return uid[:-1] + "7" if uid.endswith(".") else uid


def chi_square(counts: np.ndarray) -> float:
    """Give how many standard deviations chi-square lies above its mean, if all counts are expected alike."""
    expected, freedom = counts.sum() / counts.size, counts.size - 1
    return float((((counts - expected) ** 2 / expected).sum() - freedom) / np.sqrt(2 * freedom))


# texts


@pytest.mark.parametrize("length", [*range(1, 129), 300])
def test_a_text_has_its_length_and_characters_and_is_known(length: int) -> None:
    text = ONE.text("patient", "12345", length)
    assert len(text) == length
    assert TEXT.fullmatch(text)
    assert (ONE.text_bits("patient", text) > 0) == (length > 2)


@pytest.mark.parametrize(
    ("length", "bits"),
    [(0, 0), (1, 0), (2, 0), (3, 5), (5, 5), (6, 10), (15, 25), (16, 15), (17, 20), (18, 25), (19, 30), (20, 30),
     (21, 35), (64, 105), (96, 160), (128, 160)],
)  # fmt: skip
def test_bits_of_a_text(length: int, bits: int) -> None:
    text = ONE.text("patient", "12345", length) if length else ""
    assert ONE.text_bits("patient", text) == bits


@pytest.mark.parametrize("length", [16, 17, 18, 19, 20, 64])
def test_at_least_64_bits_are_left_for_the_value(length: int) -> None:
    body = length - ONE.text_bits("patient", ONE.text("patient", "12345", length)) // 5
    assert np.log2(26) + 5 * (body - 1) >= 64


@pytest.mark.parametrize("length", [0, -1])
def test_a_text_without_length(length: int) -> None:
    with pytest.raises(ValueError, match="at least one character"):
        ONE.text("patient", "12345", length)


def test_a_domain_has_at_most_16_bytes() -> None:
    assert ONE.text("a" * 16, "x") != ONE.text("a" * 15, "x")
    for call in (ONE.text, ONE.text_bits):
        with pytest.raises(ValueError, match="16"):
            call("a" * 17, "x" * 20)
    with pytest.raises(ValueError, match="16"):
        ONE.derived("ä" * 9)


def test_domains_give_unrelated_texts() -> None:
    patients, studies = ({ONE.text(domain, i) for i in IDS} for domain in ("patient", "study"))
    assert len(patients | studies) == 2 * len(IDS)
    assert sum(ONE.text_bits("study", text) > 0 for text in patients) == 0


def test_no_cut_or_changed_text_is_known() -> None:
    for length in range(12, 65):
        texts = [ONE.text("patient", str(number), length) for number in range(8)]
        assert not any(ONE.text_bits("patient", text[:-cut]) > 10 for text in texts for cut in range(1, 5))
        changed = [text[:at] + "7A"[text[at] == "7"] + text[at + 1 :] for text in texts for at in range(1, length)]
        # 3 characters of MAC at the least: a few in 32**3 verify by chance
        assert sum(ONE.text_bits("patient", text) > 0 for text in changed) <= 1


def test_texts_of_one_value_begin_alike() -> None:
    long = ONE.text("patient", "12345", 64)
    for length in range(1, 64):
        text = ONE.text("patient", "12345", length)
        body = length - ONE.text_bits("patient", text) // 5
        assert text[:body] == long[:body]


def test_characters_of_texts_are_uniform() -> None:
    grid = np.array([np.frombuffer(ONE.text("patient", i).encode(), np.uint8) for i in IDS])
    letters = np.bincount(grid[:, 0], minlength=128)[65:91]
    assert letters.sum() == len(IDS)
    assert abs(chi_square(letters)) < 4
    for column in grid[:, 1:].T:
        counts = np.bincount(column, minlength=128)
        assert abs(chi_square(counts[counts > 0])) < 5
        assert (counts > 0).sum() == 32


def test_no_foreign_text_is_known() -> None:
    source = random.Random(1)
    foreign = ["".join(source.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=20)) for _ in range(100_000)]
    assert not any(ONE.text_bits("patient", text) for text in foreign)
    assert not any(
        ONE.text_bits("patient", text) for text in ("SMITH^JOHN", "12345678", "anonymised", "", "MÜLLER", "\udce4")
    )


def test_short_macs_verify_by_chance_as_often_as_they_say() -> None:
    source = random.Random(2)
    foreign = ["".join(source.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=6)) for _ in range(102_400)]
    assert 60 < sum(ONE.text_bits("patient", text) > 0 for text in foreign) < 150  # 100 expected: 2**-10


@given(st.text(st.characters(), max_size=80), st.integers(3, 64))
@example("", 20)
@example("\udcff", 16)
def test_any_value_gives_a_known_text(value: str, length: int) -> None:
    text = ONE.text("patient", value, length)
    assert len(text) == length
    assert TEXT.fullmatch(text)
    assert ONE.text_bits("patient", text) > 0
    assert ONE.text_bits("patient", ONE.text("patient", text, length)) > 0


# UIDs


@pytest.mark.parametrize("length", range(1, 91))
def test_uids_keep_their_length_and_are_valid(length: int) -> None:
    old = any_uid(length) if length <= 64 else siemens(length)
    assert len(old) == length
    new = ONE.uid(old)
    assert len(new) == (44 if length < 25 else min(length, 64))
    assert UID(new).is_valid
    first, *more = new.removeprefix("2.25.").split(".")
    assert new.startswith("2.25.")
    assert int(first) < 2**128
    assert len(more) == (len(new) > 44)
    assert all(int(component) > 0 and len(component) <= 19 for component in more)
    assert len(first) in (range(37, 40) if more else [len(new) - 5])
    assert ONE.uid_bits(new) == ONE.uid_bits(f" {new}\0") > 0


@pytest.mark.parametrize("length", [25, 26, 28, 29, 35, 43, 44, 45, 46, 64])
def test_many_uids_of_a_length_are_valid(length: int) -> None:
    new = [ONE.uid(siemens(max(length, 35), number)[:9] + f"{number:0{length - 9}}") for number in range(2000)]
    assert all(len(uid) == length and UID(uid).is_valid for uid in new)
    assert all(int(uid.split(".")[2]) < 2**128 for uid in new)
    assert all(ONE.uid_bits(uid) for uid in new)
    assert len(set(new)) == len(new)


@pytest.mark.parametrize(
    ("length", "bits"),
    [(25, 13), (26, 16), (29, 26), (32, 29), (35, 33), (40, 36), (41, 39), (44, 39), (45, 39), (64, 39)],
)
def test_bits_of_a_uid(length: int, bits: int) -> None:
    assert ONE.uid_bits(ONE.uid(any_uid(length))) == bits


def test_the_number_of_a_uuid_stays_below_2_to_128_at_the_very_top() -> None:
    numbers = [int(ONE.uid(siemens(44, number)).split(".")[2]) for number in range(20_000)]
    assert min(numbers) >= 10**38
    assert 0.999 * 2**128 < max(numbers) < 2**128


@pytest.mark.parametrize(
    "uid", ["", " ", "\0", "no UID at all", "1.2.x.4567890123456789012345", "äöü" * 30, "\udcff" * 50, "1" * 1000]
)
def test_junk_gives_a_valid_uid(uid: str) -> None:
    new = ONE.uid(uid)
    assert UID(new).is_valid
    assert ONE.uid_bits(new)
    assert ONE.uid_bits(uid) == 0


def test_padding_of_a_uid_does_not_count() -> None:
    old = siemens(55)
    assert len({ONE.uid(old + pad) for pad in ("", "\0", " ", "\0\0 ")} | {ONE.uid(f" {old}")}) == 1


def test_no_two_uids_of_200_thousand_meet() -> None:
    new = {ONE.uid(siemens(48, number)) for number in range(200_000)}
    assert len(new) == 200_000
    assert len({uid.split(".")[2] for uid in new}) == 200_000


def test_digits_of_uids_are_uniform() -> None:
    new = [ONE.uid(siemens(64, number)) for number in range(20_000)]
    macs = np.array([np.frombuffer(uid.split(".")[2][-12:].encode(), np.uint8) for uid in new]) - ord("0")
    tails = np.array([np.frombuffer(uid.split(".")[3][1:].encode(), np.uint8) for uid in new]) - ord("0")
    for digits in (*macs.T, *tails.T):
        assert abs(chi_square(np.bincount(digits, minlength=10))) < 5
    firsts = np.array([int(uid.split(".")[2][:-12]) / 10**26 for uid in new])
    counts, _ = np.histogram(firsts, bins=50, range=(1, 2**128 / 1e38))
    assert abs(chi_square(counts)) < 5


def test_no_foreign_uid_is_known() -> None:
    source = random.Random(3)
    foreign = [f"2.25.{source.randrange(2**128)}" for _ in range(100_000)]
    foreign += [
        f"2.25.{source.randrange(10**38, 2**128)}.{source.randrange(10**18, 10**19)}" for _ in range(100_000)
    ]
    foreign += [siemens(length, number) for length in range(40, 64) for number in range(100)]
    assert not any(ONE.uid_bits(uid) for uid in foreign)


@pytest.mark.parametrize("length", [25, 30, 44, 45, 55, 64])
def test_no_changed_uid_is_known(length: int) -> None:
    new = ONE.uid(any_uid(length))
    places = [at for at in range(5, length) if new[at] != "."]
    changed = [new[:at] + str((int(new[at]) + 1) % 10) + new[at + 1 :] for at in places]
    changed += [
        new[:-1],
        new + "1",
        new.replace("2.25.", "2.26."),
        new[:5] + "x" + new[6:],
        new[:5] + "٣" + new[6:],
    ]
    assert not any(ONE.uid_bits(uid) for uid in changed)


@given(st.text(st.characters(), max_size=80))
def test_any_value_gives_a_known_uid(value: str) -> None:
    new = ONE.uid(value)
    assert UID(new).is_valid
    assert ONE.uid_bits(new)
    assert ONE.uid_bits(ONE.uid(new))


# days


def test_days_are_uniform() -> None:
    days = np.array([ONE.days(str(number)) for number in range(365_000)])
    assert (days.min(), days.max()) == (1, 3650)
    assert abs(chi_square(np.bincount(days, minlength=3651)[1:])) < 4


def test_days_and_texts_do_not_tell_of_each_other() -> None:
    days = np.array([ONE.days(i) for i in IDS], float)
    letters = np.array([ord(ONE.text("patient", i)[0]) for i in IDS], float)
    assert abs(np.corrcoef(days, letters)[0, 1]) < 0.04


# keys


@pytest.mark.parametrize(
    "give", [lambda p, i: p.text("patient", i), lambda p, i: p.uid(SIEMENS + i)], ids=["text", "uid"]
)
def test_two_keys_have_nothing_in_common(give) -> None:
    one, two = ([give(p, i) for i in IDS] for p in (ONE, TWO))
    assert len({*one, *two}) == 2 * len(IDS)
    for text in two:
        assert ONE.text_bits("patient", text) == ONE.uid_bits(text) == 0


def test_two_keys_shift_by_different_days() -> None:
    same = sum(ONE.days(i) == TWO.days(i) for i in IDS)
    assert same < 15  # 10000 / 3650 = 2.7 expected


def test_nothing_of_the_key_or_a_bare_hash_shows() -> None:
    secret = bytes(range(32))
    shown = {ONE.fingerprint, ONE.derived("vault").hex(), ONE.text("patient", "1"), repr(ONE)}
    bare = {
        function(data).hexdigest()[:8] for function in (hashlib.sha256, hashlib.blake2b) for data in (secret, b"")
    }
    assert not any(secret.hex()[:8] in text or text[:8] in bare for text in shown)


def test_fingerprints_and_derived_keys() -> None:
    assert re.fullmatch("[0-9a-f]{8}", ONE.fingerprint)
    assert ONE.fingerprint == Pseudonyms(bytes(range(32))).fingerprint != TWO.fingerprint
    derived = [p.derived(domain) for p in (ONE, TWO) for domain in ("vault", "journal", "")]
    assert {len(key) for key in derived} == {32}
    assert len({*derived, bytes(range(32))}) == 7
    assert derived[0] == Pseudonyms(bytes(range(32))).derived("vault")
    assert (ONE.kept, Pseudonyms().kept, Pseudonyms().fingerprint) == (True, False, "forgotten")


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(33), bytes(64)])
def test_a_key_has_256_bits(secret: bytes) -> None:
    with pytest.raises(UsageError, match="32 bytes"):
        Pseudonyms(secret)


def test_a_forgotten_key_is_another_one_every_time_but_its_output_is_known() -> None:
    one, two = Pseudonyms(), Pseudonyms()
    old = siemens(60)
    assert one.uid(old) == one.uid(old) != two.uid(old)
    assert one.text("patient", "1") == one.text("patient", "1") != two.text("patient", "1")
    assert len({(p.days("1"), p.days("2"), p.days("3")) for p in (one, two)}) == 2
    assert one.derived("vault") != two.derived("vault")
    assert two.text_bits("patient", one.text("patient", "1")) == 30
    assert two.uid_bits(one.uid(old)) == 39
    assert ONE.uid_bits(one.uid(old)) == two.uid_bits(ONE.uid(old)) == 0
    assert (
        ONE.text_bits("patient", one.text("patient", "1"))
        == two.text_bits("patient", ONE.text("patient", "1"))
        == 0
    )


_EVERYTHING = """
from fastanon.pseudonyms import Pseudonyms
p = Pseudonyms(bytes(range(32)))
print(p.text("patient", "12345"), p.text("study", "ä", 16), p.uid("1.2.3"), p.uid("1." * 30), p.days("1"))
print(p.fingerprint, p.derived("vault").hex())
"""


def test_other_objects_and_processes_give_the_same() -> None:
    printed = {
        subprocess.run(
            [sys.executable, "-c", _EVERYTHING],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout for seed in ("0", "1", "4711")
    }  # fmt: skip
    here = Pseudonyms(bytes(range(32)))
    texts = here.text("patient", "12345"), here.text("study", "ä", 16)
    uids = here.uid("1.2.3"), here.uid("1." * 30)
    last = f"{here.fingerprint} {here.derived('vault').hex()}\n"
    assert printed == {" ".join((*texts, *uids, str(here.days("1")))) + "\n" + last}


def test_pseudonyms_do_not_change_between_versions() -> None:
    """Figures that must stay, else a kept key no longer gives the same patient the same name."""
    assert ONE.text("patient", "12345") == "T63B4UGVL5TD5CNGZ2HR"
    assert ONE.text("accession", "12345", 16) == "G5WZ5ON7N6ARRHNP"
    assert ONE.uid("1.2.840.113619.2.1.1.1762295316") == "2.25.45249790459689885978741002"
    assert ONE.uid(siemens(60)) == "2.25.156849813576479958550812857226725458092.320166005156059"
    assert (ONE.days("12345"), ONE.fingerprint) == (1877, "51dc208f")


def test_a_digest_is_what_an_independent_computation_gives() -> None:
    digest = hashlib.blake2b(b"12345", key=bytes(range(32)), salt=b"days").digest()
    assert ONE.days("12345") == 1 + sum(byte << 8 * at for at, byte in enumerate(digest)) % 3650


@pytest.mark.parametrize("kept", [True, False])
def test_a_pickle_gives_the_same(kept: bool) -> None:
    one = ONE if kept else Pseudonyms()
    two = pickle.loads(pickle.dumps(one))
    old = siemens(50)
    assert (one.uid(old), one.text("patient", "1"), one.days("1")) == (
        two.uid(old),
        two.text("patient", "1"),
        two.days("1"),
    )


# spellings of one ID


@pytest.mark.parametrize(
    "spelling",
    [
        "ab 123",
        "AB 123",
        " ab  123 ",
        "Ab\t123",
        "\uff21\uff22 \uff11\uff12\uff13",
        "ab\u00a0123",
        "ab 123\0",
        "ab 123\r\n",
    ],
)
def test_spellings_of_one_id_are_one(spelling: str) -> None:
    assert normalised(spelling) == "ab 123"


def test_ids_that_differ_stay_different() -> None:
    ids = ["123", "0123", "12 3", "12-3", "A123", "123A", "", "Ä123"]
    assert len({normalised(i) for i in ids}) == len(ids)
    assert normalised("STRASSE") == normalised("straße")
    assert normalised("A\u0308") == normalised("ä")


@settings(max_examples=2000)
@given(st.text(st.characters(), max_size=12))
@example("\u0345\u0300")
@example("\u1e9b\u0323")
@example("İ")
def test_normalised_is_idempotent(value: str) -> None:
    assert normalised(normalised(value)) == normalised(value) == normalised(f" {value}\t")


# key files


def test_a_new_key_is_for_the_owner_alone(tmp_path: Path) -> None:
    path, other = tmp_path / "a.key", tmp_path / "b.key"
    old = os.umask(0)
    try:
        new_key(path)
        new_key(str(other))
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert re.fullmatch(r"[0-9a-f]{64}\n", path.read_text())
    assert read_key(path) == bytes.fromhex(path.read_text()) != read_key(str(other))
    assert len(read_key(path)) == 32
    assert Pseudonyms(read_key(path)).kept


@pytest.mark.parametrize("kind", ["file", "empty", "folder", "symlink", "dangling"])
def test_nothing_is_overwritten(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / "a.key", tmp_path / "target"
    if kind in ("file", "empty"):
        path.write_text("something" if kind == "file" else "")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(target)
    if kind == "symlink":
        target.write_text("something")
    before = sorted((p.name, p.is_symlink(), p.read_text() if p.is_file() else "") for p in tmp_path.iterdir())
    with pytest.raises(UsageError, match=f"^{re.escape(str(path))}: exists"):
        new_key(path)
    after = sorted((p.name, p.is_symlink(), p.read_text() if p.is_file() else "") for p in tmp_path.iterdir())
    assert before == after


def test_a_key_in_no_folder(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="No such file"):
        new_key(tmp_path / "missing" / "a.key")


def test_a_part_of_a_key_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AccessError, match="No space left"):
        new_key(tmp_path / "a.key")
    assert list(tmp_path.iterdir()) == []


GOOD = "0123456789abcdef" * 4


@pytest.mark.parametrize("text", [GOOD, GOOD + "\n", GOOD + "\r\n", GOOD.upper() + "\n"])
def test_good_keys(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.key"
    path.write_bytes(text.encode())
    path.chmod(0o400)
    assert read_key(path) == bytes.fromhex(GOOD)


BAD = (
    "", "\n", GOOD[:32], GOOD[:63], GOOD + "0", GOOD + "\n\n", GOOD + " ", " " + GOOD, GOOD * 2, GOOD[:63] + "g",
    GOOD[:32] + "\n" + GOOD[32:], GOOD + "\n" + GOOD, "\ufeff" + GOOD, GOOD + "\n" + "\0" * 9999, "x" * 100_000,
)  # fmt: skip


@pytest.mark.parametrize("number", range(len(BAD)))
def test_bad_keys(tmp_path: Path, number: int) -> None:
    path = tmp_path / "a.key"
    path.write_text(BAD[number])
    path.chmod(0o600)
    with pytest.raises(UsageError, match="64 hex digits") as caught:
        read_key(path)
    assert str(path) in str(caught.value)
    assert GOOD[:8] not in str(caught.value)


def test_32_raw_bytes_are_no_key(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    path.write_bytes(bytes(range(200, 232)))
    path.chmod(0o600)
    with pytest.raises(UsageError, match="64 hex digits"):
        read_key(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o660, 0o666, 0o777])
def test_a_key_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.key"
    new_key(path)
    path.chmod(mode)
    with pytest.raises(UsageError, match=f"group or others.*{mode:04o}") as caught:
        read_key(path)
    assert str(path) in str(caught.value)
    assert path.read_text()[:8] not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda _: None, "No such file"),
        (lambda path: path.mkdir(), "regular file"),
        (lambda path: os.mkfifo(path, 0o600), "regular file"),
        (lambda path: (new_key(path.with_name("b")), path.symlink_to("b")), "symlink"),
        (lambda path: path.symlink_to("b"), "symlink"),
        (lambda path: path.symlink_to(path), "symlink"),
    ],
    ids=["missing", "folder", "fifo", "symlink", "dangling", "loop"],
)  # fmt: skip
def test_what_is_no_file_is_no_key(tmp_path: Path, make, reason: str) -> None:
    path = tmp_path / "a.key"
    make(path)
    with pytest.raises(UsageError, match=reason) as caught:
        read_key(path)
    assert str(path) in str(caught.value)


# the command


def command(*arguments: str) -> int:
    """Run ``fastanon key`` as the program does."""
    parser = argparse.ArgumentParser()
    key_command.configure(parser)
    return key_command.run(parser.parse_args(arguments))


def test_key_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "study.key"
    assert command("new", str(path)) == DONE
    out, err = capsys.readouterr()
    assert (err, out.count("\n")) == ("", 2)
    assert str(path) in out
    assert "link and verify pseudonyms" in out
    assert "apart from the data" in out
    secret = read_key(path)
    assert secret.hex()[:8] not in out
    with pytest.raises(UsageError, match="never overwritten"):
        command("new", str(path))
    assert read_key(path) == secret


@pytest.mark.parametrize("arguments", [[], ["new"], ["old", "a.key"], ["new", "a", "b"]])
def test_key_wrong_usage(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        command(*arguments)
    assert caught.value.code == 2
    assert list(tmp_path.iterdir()) == []
