"""What was done, as JSON and as lines that a person reads. No value of a patient, also not in a path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from fastanon.auditor import Audit
from fastanon.bulk import Bulk
from fastanon.chance import LEAST_BYTES, MOST_EXPECTED
from fastanon.errors import DONE, FAILED, LEFT, REFUSED, BatchError, LeakError, printable

ANONYMIZED, UNCHANGED, COPIED, AUDITED = "anonymized", "unchanged", "copied", "audited"


@dataclass(frozen=True)
class FileResult:
    """What became of one file.

    Attributes
    ----------
    source, output : str
        Paths, with what identifies in them masked; `output` is empty where nothing was written.
    status : str
        ``anonymized``, ``unchanged``, ``copied``, ``audited``, ``refused`` or ``failed``.
    strategy : str
        ``none``, ``patch``, ``rewrite`` or ``copy``.
    edits, bytes_written : int
        How many runs of bytes changed, and how many bytes went to disk.
    audit : Audit or None
        None where nothing was searched.
    messages : tuple of str
        What a person should know.
    warnings : tuple of str
        What is wrong with the file; in the JSON report the first of the messages.
    id : str
        A digest of its path under the kept key: what tells it from others where names are masked.
    listed : bool
        Whether somebody named the file; otherwise it was met in a folder.
    medical : bool
        Whether it is of a format that is known.
    members : tuple of FileResult
        Of an archive what became of the files in it; a report lists them behind it.
    """

    source: str
    status: str
    output: str = ""
    strategy: str = "none"
    edits: int = 0
    bytes_written: int = 0
    audit: Audit | None = None
    messages: tuple[str, ...] = ()
    listed: bool = False
    medical: bool = True
    warnings: tuple[str, ...] = ()
    members: tuple[FileResult, ...] = ()
    id: str = ""

    @property
    def leaks(self) -> int:
        """How many places with something identifying are left."""
        return len(self.audit.leaks) if self.audit else 0

    def as_dict(self) -> dict[str, Any]:
        """Give the entry of the JSON report."""
        names = ("source", "output", "status", "strategy", "edits", "bytes_written")
        entry = {"id": self.id} if self.id else {}
        entry |= {name: getattr(self, name) for name in names}
        return entry | {"audit": _audit_dict(self.audit), "messages": [*self.warnings, *self.messages]}

    def __str__(self) -> str:
        parts = [f"{self.source}: {self.status}"]
        if self.output:
            parts.append(f"to {self.output}")
        if self.edits:
            parts.append(f"({self.strategy}, {self.edits} edits)")
        text = " ".join(parts)
        if self.leaks:
            text += f"; {self.leaks} places with something identifying are left"
        return printable("; ".join((text, *self.warnings, *self.messages)))


def _audit_dict(audit: Audit | None) -> dict[str, Any] | None:
    if audit is None:
        return None
    leaks = [{"offset": p.offset, "where": p.where, "kind": p.kind} for p in audit.leaks]
    not_scanned = [{"what": "payload", "bytes": audit.payload}] if audit.payload else []
    not_scanned += [{"what": f"packed text in {where}", "bytes": size} for where, size in audit.packed]
    return {
        "how": audit.how, "bytes_scanned": audit.scanned, "not_scanned": not_scanned,
        "leaks": leaks, "structural": audit.structural, "chance": _chance(audit.bulk),
        "payloads": [_bulk_dict(one) for one in audit.bulk],
    }  # fmt: skip


def _chance(seen: Iterable[Bulk]) -> dict[str, dict[str, float]]:
    """Give for each kind of value how often it stands in payloads, and how often chance would have it there."""
    found: dict[str, dict[str, float]] = {}
    for one in seen:
        for kind, count in one.hits.items():
            entry = found.setdefault(kind, {"hits": 0, "expected": 0.0})
            entry["hits"] += count
            entry["expected"] = float(f"{entry['expected'] + one.expected[kind]:.3g}")
    return found


def _bulk_dict(seen: Bulk) -> dict[str, Any]:
    """Give the entry of one payload: what was found, what chance explains, and what was done."""
    entry: dict[str, Any] = {"what": seen.kind, "offset": seen.offset, "bytes": seen.size, "hits": seen.hits}
    entry["expected_by_chance"] = {kind: float(f"{count:.3g}") for kind, count in seen.expected.items()}
    entry["done"] = seen.done
    if seen.patched:
        entry["patched_at"] = [place.offset for place in seen.patched]
        entry |= {"sha256_before": seen.before, "sha256_after": seen.after}
    return entry


#: What was searched for and what counts, in words: part of every report.
RULES = {
    "needles": (
        "The values of identifying fields, in the spellings and encodings that the README lists. Left out are "
        "those of under 3 letters or 4 digits, and words for nobody, such as 'unknown'. Under 6 letters "
        "or 8 digits a hit counts only where it stands delimited. Prefixes and suffixes of names are left out."
    ),
    "text": (
        "A hit in text is replaced at equal length. In keys, numbers, codes and UIDs, and in words that classify "
        "a file, it stays and is counted as structural."
    ),
    "payloads": (
        f"A hit in list-mode or other raw data is taken for real if it has at least {LEAST_BYTES} bytes, stands "
        f"delimited on both sides, and fewer than {MOST_EXPECTED:g} are to be expected by chance. It is then "
        "replaced at equal length, or reported as a leak. All others are counted, and in pixels, sinograms, "
        "norms, overlays and waveforms all. What chance would have is computed from the bytes of that payload, by "
        "their place in words of four."
    ),
}

#: Is told of each result as soon as it is there.
Tell: TypeAlias = Callable[[FileResult], object]


@dataclass(frozen=True)
class Report:
    """What became of all files.

    Attributes
    ----------
    files : tuple of FileResult
        In the order of the source.
    profile : str
        Its name.
    key : str
        The fingerprint of the kept key; empty if pseudonyms were made with a key that is forgotten now.
    recovered : int
        How many files were finished first that a run before this one had begun; these were not audited then.
    shard : str
        Which part of the source it tells of, ``I/N``; empty if of all.
    """

    files: tuple[FileResult, ...] = field(default_factory=tuple)
    profile: str = ""
    key: str = ""
    recovered: int = 0
    shard: str = ""

    def count(self, status: str) -> int:
        """Give the number of files with a status."""
        return sum(f.status == status for f in self.files)

    @property
    def leaks(self) -> int:
        """How many places with something identifying are left in all."""
        return sum(f.leaks for f in self.files)

    @property
    def exit_status(self) -> int:
        """What the program exits with: 0 done and clean, 1 failed, 3 something left, 4 refused."""
        if self.count("failed"):
            return FAILED
        if self.leaks:
            return LEFT
        return REFUSED if self.count("refused") else DONE

    def raise_for_leaks(self) -> None:
        """Raise unless every file is done and clean.

        Raises
        ------
        LeakError
            If something identifying is left.
        BatchError
            If a file failed or was refused.
        """
        if self.leaks:
            raise LeakError(f"{self.leaks} places with something identifying are left")
        bad = [str(f) for f in self.files if f.status in ("failed", "refused")]
        if bad:
            raise BatchError("\n".join(bad))

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON report (schema 1)."""
        return self._head() | {"files": [f.as_dict() for f in self.files], "totals": self._totals()}

    def _totals(self) -> dict[str, int]:
        totals = dict(Counter(f.status for f in self.files))
        totals |= {"files": len(self.files), "leaks": self.leaks}
        return totals | {"bytes_written": sum(f.bytes_written for f in self.files)}

    def _head(self) -> dict[str, Any]:
        from fastanon import __version__

        part = {"shard": self.shard} if self.shard else {}
        return {
            "schema": 1, "fastanon": __version__, "profile": self.profile,
            "key": self.key, "pseudonymized": bool(self.key), "recovered": self.recovered, "rules": RULES, **part,
        }  # fmt: skip

    def to_json(self) -> str:
        """Give the JSON report as text."""
        return "".join(self.pieces())

    def pieces(self) -> Iterator[str]:
        """Give the JSON report as text, file by file: of many files it is large."""
        import json  # not for who wants none
        from textwrap import indent

        yield json.dumps(self._head(), indent=1)[:-2] + ',\n "files": ['
        for number, one in enumerate(self.files):
            yield (",\n" if number else "\n") + indent(json.dumps(one.as_dict(), indent=1), "  ")
        end = "\n ]" if self.files else "]"
        yield f'{end},\n "totals": {indent(json.dumps(self._totals(), indent=1), " ").lstrip()}\n}}\n'

    def summary(self) -> str:
        """Give one line for a person."""
        counts = Counter(f.status for f in self.files)
        parts = [f"{n} {status}" for status, n in sorted(counts.items())]
        audits = [f.audit for f in self.files if f.audit]
        scanned, payload = sum(a.scanned for a in audits), sum(a.payload for a in audits)
        searched = f"{_size(scanned)} searched" + (f", {_size(payload)} of payload not" if payload else "")
        left = f"{self.leaks} identifying places left" if self.leaks else "nothing identifying found again"
        before = f"; {self.recovered} finished that a run before had begun, not audited" if self.recovered else ""
        earlier = sum(a.how == "before" for a in audits)
        before += f"; {earlier} of them done by a run before, not searched now" if earlier else ""
        return f"{len(self.files)} files: {', '.join(parts) or 'none'}; {searched}; {left}{_stays(audits)}{before}"


def _stays(audits: list[Audit]) -> str:
    """Say what stays, for a person: in structure, by chance, and packed."""
    structural = sum(a.structural for a in audits)
    seen = [one for a in audits for one in a.bulk]
    hits = sum(sum(one.hits.values()) for one in seen)
    chance = sum(sum(one.expected.values()) for one in seen)
    packed = sum(len(a.packed) for a in audits)
    parts = []
    if structural:
        parts.append(f"{structural} times in keys, numbers and codes, which stay")
    if hits:
        parts.append(f"{hits} times in payloads, where chance explains {chance:.3g}")
    if packed:
        parts.append(f"{packed} packed texts not searched")
    return "".join(f"; {part}" for part in parts)


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
