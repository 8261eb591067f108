"""The list of a trial office: read as it is meant, or refused with the line."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastanon.errors import UsageError
from fastanon.mapping import read_mapping
from fastanon.pseudonyms import normalised
from tests.canary import CANARIES, assert_clean

FIRST, LAST, NUMBER, BIRTH = CANARIES
HEADER = "id_old,id_new\n"


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        f"id_old,id_new\n{NUMBER},T-01\n{BIRTH},T-02\n",
        f"\ufeffid_old,id_new\n{NUMBER},T-01\n{BIRTH},T-02",
        f"id_old;id_new\r\n{NUMBER};T-01\r\n{BIRTH};T-02\r\n",
        f"\ufeff id_old ; id_new \n {NUMBER} ; T-01\n\n{BIRTH};T-02 \n\n",
        f'"id_old","id_new"\n"{NUMBER}","T-01"\n"{BIRTH}","T-02"\n',
        f"site,id_new,id_old\nLeeds,T-01,{NUMBER}\n,T-02,{BIRTH}\n",
        f"id_old,id_new\r{NUMBER},T-01\r{BIRTH},T-02\r",
    ],
    ids=["plain", "mark", "semicolons", "blanks", "quotes", "more columns", "old Mac"],
)
def test_what_offices_write_is_read(tmp_path: Path, text: str) -> None:
    assert read_mapping(written(tmp_path, text)) == {normalised(NUMBER): "T-01", normalised(BIRTH): "T-02"}


def test_a_new_id_is_kept_as_it_is_and_an_old_one_is_normalised(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + '" ab  12",Müller-7 X\n"x,y","T,2"\n')
    assert read_mapping(path) == {normalised("AB 12"): "Müller-7 X", normalised("X,Y"): "T,2"}


def test_a_list_of_nobody(tmp_path: Path) -> None:
    assert read_mapping(written(tmp_path, HEADER)) == {}


_LETTERS = st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters='\\"{}^=')
_IDS = st.text(_LETTERS, min_size=1, max_size=20)


@given(st.lists(_IDS, unique_by=normalised), st.sampled_from(",;"))
def test_what_the_csv_module_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], delimiter: str
) -> None:
    pairs = list(zip(ids[::2], ids[1::2], strict=False))
    path = tmp_path_factory.mktemp("csv") / "list.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([("id_old", "id_new"), *pairs])
    assert read_mapping(path) == {normalised(old): new for old, new in pairs}


def refused(path: Path) -> str:
    """Give the reason; it names the file and nobody in it."""
    with pytest.raises(UsageError) as caught:
        read_mapping(path)
    reason = str(caught.value)
    assert_clean(reason)
    assert "T-01" not in reason
    assert reason.startswith(f"{path}: ")
    return reason.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "header"),
        (f"{NUMBER},T-01\n", 1, "header"),
        (f"id_old\n{NUMBER}\n", 1, "header"),
        (f"id_old,id_new,id_old\n{NUMBER},T-01,{NUMBER}\n", 1, "header"),
        (f"id_old\tid_new\n{NUMBER}\tT-01\n", 1, "header"),
        (f"{HEADER}{BIRTH},T-02\n{NUMBER}\n", 3, "1 fields, and 2 columns"),
        (f"{HEADER}{NUMBER},T-01,{FIRST}\n", 2, "3 fields"),
        (f"{HEADER}{NUMBER};T-01\n", 2, "1 fields"),
        (f"{HEADER}{NUMBER},T-01\nx,T-02\n{NUMBER},T-03\n", 4, "the id_old of line 2"),
        (f"{HEADER}{NUMBER},T-01\n\n {NUMBER.lower()},T-01\n", 4, "the id_old of line 2"),
        (f"{HEADER}{NUMBER},T-01\n{BIRTH},T-01\n", 3, "the id_new of line 2 again: two patients"),
        (f"{HEADER}{NUMBER},T-01\n{BIRTH},t-01\n", 3, "two patients"),
        (f"{HEADER}{NUMBER},T-01\n,T-02\n", 3, "empty"),
        (f"{HEADER}{NUMBER},\n", 2, "empty"),
        (f"{HEADER}{NUMBER},  \n", 2, "empty"),
        (f"{HEADER},\n", 2, "empty"),
        (f"{HEADER}{NUMBER},{NUMBER}\n", 2, "the id_old of line 2"),
        (f"{HEADER}{NUMBER},{BIRTH}\n{BIRTH},T-01\n", 2, "the id_old of line 3"),
        (f"{HEADER}{NUMBER},{'T' * 65}\n", 2, "64 characters"),
        (f"{HEADER}{NUMBER},{'T' * 32}={'T' * 32}\n", 2, "64 characters"),
        (f"{HEADER}{NUMBER},T\\1\n", 2, "a backslash"),
        (f"{HEADER}{NUMBER},T{{1\n", 2, "a brace"),
        (f'{HEADER}{NUMBER},"T""1"\n', 2, "a double quote"),
        (f"{HEADER}{NUMBER},T\t1\n", 2, "a control character"),
        (f"{HEADER}{NUMBER},T\x001\n", 2, "a control character"),
        (f'{HEADER}"{NUMBER}\n{LAST}","T\n1"\n', 2, "a control character"),
        (f"{HEADER}{NUMBER},a=b=c=d\n", 2, "component groups"),
        (f"{HEADER}{NUMBER},a^b^c^d^e^f\n", 2, "components"),
        (f'{HEADER}{BIRTH},T-02\n"{NUMBER},T-01\n{LAST},T-03\n', 3, "no CSV"),
        (f'{HEADER}"{NUMBER}"{LAST},T-01\n', 2, "no CSV"),
        (f"{HEADER}{NUMBER},{'T' * 200_000}\n", 2, "no CSV"),
    ],
)
def test_a_bad_list_is_refused_with_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    message = refused(written(tmp_path, text))
    assert message.startswith(f"line {line}: ")
    assert reason in message


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (f"{HEADER}{NUMBER},T-01\n{LAST}é,T-02\n".encode("latin-1"), 3),
        (f"{HEADER}{NUMBER},T-01\n".encode("utf-16"), 1),
        (HEADER.encode() + NUMBER.encode() + b"\xed\xb2\x80,T-01", 2),
    ],
    ids=["Latin-1", "UTF-16", "a surrogate"],
)
def test_what_is_not_utf8_is_refused(tmp_path: Path, data: bytes, line: int) -> None:
    assert refused(written(tmp_path, data)) == f"line {line}: not UTF-8"


def test_no_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.csv") == "No such file or directory"
    assert refused(tmp_path) == "Is a directory"


def test_64_characters_fit(tmp_path: Path) -> None:
    assert read_mapping(written(tmp_path, f"{HEADER}{NUMBER},{'T' * 64}\n")) == {normalised(NUMBER): "T" * 64}
