"""Reports of several shards as one."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fastanon.errors import DONE, FAILED, LEFT, REFUSED, UsageError

Json = dict[str, Any]

#: What has to be the same in all.
_SAME = ("schema", "fastanon", "profile", "key")

#: How a word is shown that is masked in a path: its number holds for one report.
_MASKED = re.compile(r"<([a-z]+)(\d+)>")


def read(path: str) -> Json:
    """Read a report.

    Raises
    ------
    UsageError
        If it can't be read, or is no report of this schema.
    """
    try:
        with open(path, encoding="ascii") as file:
            found = json.load(file)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("schema") != 1 or not isinstance(found.get("files"), list):
        raise UsageError(f"{path}: no report of schema 1")
    if not isinstance(found.get("recovered"), int) or not all(map(_is_entry, found["files"])):
        raise UsageError(f"{path}: a report that contradicts itself")
    return found


def _is_entry(entry: object) -> bool:
    names = {"source": str, "output": str, "status": str, "bytes_written": int, "messages": list}
    return isinstance(entry, dict) and all(isinstance(entry.get(name), kind) for name, kind in names.items())


def merge(reports: Mapping[str, Json]) -> Json:
    """Make one report of several, by their paths.

    Raises
    ------
    UsageError
        If they are of different versions, profiles or keys, of a key that nobody kept, or tell of the same file.
    """
    (first, one), *_ = reports.items()
    owners: dict[str, str] = {}
    shards: set[str] = set()
    for path, report in reports.items():
        for name in _SAME:
            if report.get(name) != one.get(name):
                raise UsageError(f"{path}: another {name} than in {first}")
        if not report.get("key"):
            raise UsageError(f"{path}: without a kept key nothing tells whether two reports tell of one file")
        if not shards.isdisjoint(_shards(report)):
            raise UsageError(f"{path}: of a shard that another report tells of too")
        shards.update(_shards(report))
        for entry in report["files"]:
            other = owners.setdefault(entry.get("id", ""), path)
            if other != path:
                raise UsageError(f"{path}: tells of a file that {other} tells of too")
    numbers = _Numbers()
    files = [entry for path, report in reports.items() for entry in _numbered(path, report["files"], numbers)]
    merged = {name: value for name, value in one.items() if name != "shard"}
    return merged | {
        "recovered": sum(report["recovered"] for report in reports.values()),
        "shards": sorted(shards),
        "files": files, "totals": totals(files),
    }  # fmt: skip


def _shards(report: Json) -> list[str]:
    """Give the shards of a report, or of one that was merged."""
    found: list[str] = report.get("shards") or [report[name] for name in ("shard",) if name in report]
    return found


def missing(report: Json) -> list[str]:
    """Give the shards that a merged report lacks."""
    counts = {shard.partition("/")[2] for shard in report["shards"]}
    wanted = {f"{number}/{count}" for count in counts for number in range(1, int(count) + 1)}
    return sorted(wanted - set(report["shards"]))


def totals(files: Sequence[Json]) -> Json:
    """Count what became of files."""
    found: Json = dict(Counter(entry["status"] for entry in files))
    leaks = sum(len(entry["audit"]["leaks"]) for entry in files if entry["audit"])
    return found | {
        "files": len(files), "leaks": leaks, "bytes_written": sum(entry["bytes_written"] for entry in files),
    }  # fmt: skip


def exit_status(report: Json) -> int:
    """Give what the program exits with after such a report."""
    counts = report["totals"]
    if counts.get("failed"):
        return FAILED
    return LEFT if counts["leaks"] else REFUSED if counts.get("refused") else DONE


class _Numbers:
    """Running numbers of masked words: those of several reports stay apart."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], int] = {}

    def of(self, path: str, text: str) -> str:
        def number(match: re.Match[str]) -> str:
            kind, old = match.groups()
            known = sum(other == kind for _, other, _ in self._known)
            return f"<{kind}{self._known.setdefault((path, kind, old), known + 1)}>"

        return _MASKED.sub(number, text)


def _numbered(path: str, files: Sequence[Json], numbers: _Numbers) -> list[Json]:
    shown = [{name: numbers.of(path, entry[name]) for name in ("source", "output")} for entry in files]
    messages = [[numbers.of(path, message) for message in entry["messages"]] for entry in files]
    return [e | s | {"messages": m} for e, s, m in zip(files, shown, messages, strict=True)]
