"""What stands in a tree or where output goes: links, devices, names, and words that want to be paths."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from fastanon.errors import UsageError
from fastanon.synthetic import Person, make_listmode_pair
from tests.canary import CANARIES
from tests.security.world import (
    NEEDS_ROOT,
    STUDY,
    anonymize,
    changed,
    holds_precious,
    picture,
    statuses,
    world,
)
from tests.siemens_files import write

pytestmark = pytest.mark.usefixtures("in_time")

FIRST, LAST, NUMBER, BIRTH = CANARIES
WAYS = pytest.mark.parametrize("way", ["copies", "in place"])


def run(way: str, source: object, root: Path, **how: object) -> dict[str, str]:
    return statuses(anonymize(source, root / "out" if way == "copies" else None, **how))


LINKS: dict[str, Callable[[Path, Path], None]] = {
    "to a file": lambda at, root: at.symlink_to(root / "victim" / "a.dcm"),
    "to a folder": lambda at, root: at.symlink_to(root / "victim"),
    "to itself": lambda at, _: at.symlink_to(at),
    "to nothing": lambda at, root: at.symlink_to(root / "nothing"),
    "to the folder above": lambda at, _: at.symlink_to(".."),
    "up and down again": lambda at, _: at.symlink_to("../victim/a.dcm"),
}


@pytest.mark.parametrize("kind", LINKS)
def test_no_copy_is_made_through_a_link(kind: str, tmp_path: Path) -> None:
    folder = world(tmp_path)
    LINKS[kind](folder / "link.dcm", tmp_path)
    before = picture(tmp_path)
    assert run("copies", folder, tmp_path) == {"a.dcm": "anonymized", "link.dcm": "refused"}
    assert changed(before, tmp_path) == ["out", "out/a.dcm"]
    assert holds_precious((tmp_path / "out").rglob("*")) == []


@WAYS
@pytest.mark.parametrize("kind", ["link", "fifo"])
def test_a_payload_that_is_no_file_of_the_tree_is_refused_with_its_header(
    kind: str, way: str, tmp_path: Path
) -> None:
    folder = world(tmp_path)
    _, payload = make_listmode_pair(folder / "lm.dcm", 4096, Person(f"{LAST}^{FIRST}", NUMBER, BIRTH))
    payload.unlink()
    if kind == "link":
        payload.symlink_to(tmp_path / "victim" / "a.dcm")
    else:
        os.mkfifo(payload)
    before = picture(tmp_path)
    assert run(way, folder, tmp_path)["lm.dcm"] == "refused"
    assert changed(before, tmp_path, "out", "in/a.dcm") == []
    assert [p.name for p in (tmp_path / "out").rglob("*")] == (["a.dcm"] if way == "copies" else [])


def _socket(at: Path) -> None:
    here = os.getcwd()
    os.chdir(at.parent)  # an address may have 108 bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(at.name)
    finally:
        os.chdir(here)


def _node(kind: int, major: int, minor: int) -> Callable[[Path], None]:
    return lambda at: os.mknod(at, 0o600 | kind, os.makedev(major, minor))


NODES: dict[str, Callable[[Path], None]] = {
    "fifo": os.mkfifo,
    "socket": _socket,
    "null": _node(stat.S_IFCHR, 1, 3),
    "zero, which never ends": _node(stat.S_IFCHR, 1, 5),
    "terminal": _node(stat.S_IFCHR, 5, 0),
    "block device without driver": _node(stat.S_IFBLK, 250, 99),
}
DEVICES = [pytest.param(kind, marks=NEEDS_ROOT if number > 1 else ()) for number, kind in enumerate(NODES)]


@WAYS
@pytest.mark.parametrize("kind", DEVICES)
def test_what_is_no_file_is_neither_read_nor_waited_for(kind: str, way: str, tmp_path: Path) -> None:
    folder = world(tmp_path)
    NODES[kind](folder / "node.dcm")
    before = picture(tmp_path)
    done = run(way, folder, tmp_path)
    assert done.pop("node.dcm") in ("refused", "failed")
    assert done == {"a.dcm": "anonymized"}
    assert changed(before, tmp_path, "out", "in/a.dcm") == []


@pytest.mark.parametrize("kind", DEVICES)
def test_what_is_no_file_may_be_named(kind: str, tmp_path: Path) -> None:
    folder = world(tmp_path)
    NODES[kind](folder / "node.dcm")
    assert set(run("copies", folder / "node.dcm", tmp_path).values()) <= {"refused", "failed"}
    assert not (tmp_path / "out").exists()


@WAYS
def test_a_folder_called_like_a_slice_is_a_folder(way: str, tmp_path: Path) -> None:
    folder = world(tmp_path)
    write(folder / "b.dcm" / "c.dcm", STUDY)
    assert run(way, folder, tmp_path) == {"a.dcm": "anonymized", "c.dcm": "anonymized"}


def test_a_copy_leaves_other_hard_links_alone(tmp_path: Path) -> None:
    folder = world(tmp_path)
    os.link(folder / "a.dcm", tmp_path / "other.dcm")
    before = picture(tmp_path)
    assert run("copies", folder, tmp_path) == {"a.dcm": "anonymized"}
    assert changed(before, tmp_path) == ["out", "out/a.dcm"]
    assert (tmp_path / "out" / "a.dcm").stat().st_nlink == 1


# where output goes


def test_a_link_where_a_subfolder_would_go_is_refused(tmp_path: Path) -> None:
    folder = world(tmp_path, "sub/a.dcm")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "victim")
    before = picture(tmp_path)
    assert run("copies", folder, tmp_path) == {"a.dcm": "refused"}
    assert changed(before, tmp_path) == []


IN_THE_WAY: dict[str, Callable[[Path, Path], object]] = {
    "file": lambda at, _: at.write_bytes(b"mine"),
    "folder": lambda at, _: at.mkdir(),
    "link to a file": lambda at, root: at.symlink_to(root / "victim" / "a.dcm"),
    "link to nothing": lambda at, root: at.symlink_to(root / "victim" / "new.dcm"),
    "fifo": lambda at, _: os.mkfifo(at),
}


@pytest.mark.parametrize("kind", IN_THE_WAY)
def test_what_is_in_the_way_of_a_copy_stays(kind: str, tmp_path: Path) -> None:
    folder = world(tmp_path)
    (tmp_path / "out").mkdir()
    IN_THE_WAY[kind](tmp_path / "out" / "a.dcm", tmp_path)
    before = picture(tmp_path)
    assert run("copies", folder, tmp_path) == {"a.dcm": "refused"}
    assert changed(before, tmp_path) == []


def test_an_output_folder_that_is_a_file_stays_one(tmp_path: Path) -> None:
    folder = world(tmp_path)
    (tmp_path / "out").write_bytes(b"mine")
    before = picture(tmp_path)
    assert run("copies", folder, tmp_path) == {"a.dcm": "failed"}
    assert changed(before, tmp_path) == []


def test_an_output_folder_inside_the_input_is_no_input_next_time(tmp_path: Path) -> None:
    folder = world(tmp_path)
    before = picture(tmp_path)
    anonymize(folder, folder / "out")
    assert changed(before, tmp_path) == ["in/out", "in/out/a.dcm"]
    before = picture(tmp_path)
    with pytest.raises(UsageError, match="output folder"):
        anonymize(folder, folder / "out")
    with pytest.raises(UsageError, match="output folder"):
        anonymize(folder, folder)
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(UsageError, match="output folder"):
        anonymize(folder, tmp_path / "link")
    assert changed(before, tmp_path, "link") == []
