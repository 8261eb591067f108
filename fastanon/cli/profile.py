"""``fastanon profile``."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastanon.profiles import Profile

#: What the actions mean (PS3.15 Table E.1-1a).
_MEANINGS = {
    "D": "replaced by a dummy",
    "Z": "emptied, or replaced by a dummy",
    "X": "removed",
    "K": "kept",
    "C": "cleaned: what identifies goes, the rest stays",
    "U": "replaced by a new UID, the same everywhere",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    verbs = parser.add_subparsers(dest="verb", metavar="list|show", required=True)
    verbs.add_parser("list", help="name the profiles that come with fastanon")
    show = verbs.add_parser("show", help="show what a profile does to each attribute")
    add = show.add_argument
    add("profile", metavar="NAME|FILE", help="a profile that comes with fastanon, or a TOML file")
    add(
        "--option",
        action="append",
        default=[],
        metavar="NAME",
        help="an option of PS3.15 beside the profile's own",
    )
    add("--all", action="store_true", help="every attribute, not only those that the profile names itself")
    add("--markdown", action="store_true", help="write Markdown")


def run(options: argparse.Namespace) -> int:
    """List the profiles, or show one."""
    from fastanon.profiles.loading import levels, names

    if options.verb == "list":
        for name in names():
            print(f"{name:<10} {levels(name)[-1].description}")
        return 0
    print("\n\n".join(_blocks(options.profile, options.option, options.all, options.markdown)))
    return 0


def _blocks(name: str, options: Sequence[str], everything: bool, markdown: bool) -> Iterator[str]:
    from fastanon.profiles.loading import levels, load

    profile = load(name, options)
    files = levels(name)
    lay = _markdown if markdown else _aligned
    yield (
        f"`{profile.name}`: {files[-1].description}." if markdown else f"{profile.name}: {files[-1].description}."
    )
    counts = Counter(_said(profile).values())
    yield lay([("action", "attributes", "what happens"), *_counted(counts)])
    if profile.options:
        yield lay([("option", "code", "kept", "cleaned"), *_options(profile)])
    own = {tag for level in files for tag in level.actions}
    rows = list(_attributes(profile, set(_said(profile)) if everything else own))
    if rows:
        yield lay([("tag", "attribute", "VR", "action", "PS3.15"), *rows])
    yield _private(profile, "`" if markdown else "")


def _said(profile: Profile) -> dict[str, str]:
    """Give all actions by tag or pattern."""
    said = {f"{tag:08X}": action for tag, action in profile.actions.items()}
    for mask, tag, action in profile.repeating:
        digits = zip(f"{mask:08X}", f"{tag:08X}", strict=True)
        said["".join(digit if kept == "F" else "x" for kept, digit in digits)] = action
    return said


def _counted(counts: Counter[str]) -> Iterator[tuple[str, ...]]:
    for action, meaning in _MEANINGS.items():
        if counts[action]:
            yield action, str(counts[action]), meaning


def _options(profile: Profile) -> Iterator[tuple[str, ...]]:
    from fastanon.profiles import table

    for option, (code, _) in table.OPTIONS.items():
        if option in profile.options:
            rows = (row for row in table.attributes().values() if option in row.options and row.tag != "odd")
            said = Counter(table.resolve(row, {option}) for row in rows)
            yield (
                option,
                code,
                str(said["K"] + len(profile.safe) * (option == "retain-safe-private")),
                str(said["C"]),
            )


def _attributes(profile: Profile, tags: set[str]) -> Iterator[tuple[str, ...]]:
    from fastanon import dictionary
    from fastanon.profiles import table

    known = table.attributes()
    for tag, action in sorted(_said(profile).items()):
        if tag not in tags:
            continue
        row = known.get(tag)
        shown = f"({tag[:4]},{tag[4:]})"
        if row is not None:
            yield shown, row.name, row.vr, action, row.basic
        else:
            number = int(tag.replace("x", "0"), 16)
            yield shown, dictionary.keyword_of(number), dictionary.vr_of(number), action, ""


def _private(profile: Profile, quote: str) -> str:
    if profile.keeps_private:
        return "Private elements are kept, cleaned inside."
    kept = [f"those of {', '.join(f'{quote}{name}{quote}' for name in sorted(profile.creators))}, cleaned inside"]
    safe = [f"{len(profile.safe)} that PS3.15 Table E.3.10-1 lists as safe"]
    exceptions = (kept if profile.creators else []) + (safe if profile.safe else [])
    return f"Private elements are removed{', but for ' if exceptions else ''}{', and '.join(exceptions)}."


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, f"|{' --- |' * len(rows[0])}", *body])


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
