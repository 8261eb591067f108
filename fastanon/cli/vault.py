"""``fastanon vault``."""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from typing import TYPE_CHECKING

from fastanon.errors import DONE, FAILED, AccessError, UsageError

if TYPE_CHECKING:
    from fastanon.pseudonyms import Pseudonyms


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the commands and their arguments."""
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    lookup = commands.add_parser("lookup", help="show what a pseudonym stands for")
    lookup.add_argument("pseudonym", metavar="PSEUDONYM")
    export = commands.add_parser("export", help="write the originals and their pseudonyms as CSV")
    export.add_argument("--csv", required=True, metavar="FILE", help="a new file, of mode 0600; - for stdout")
    export.add_argument("--kind", choices=("patient", "uid"), default="patient", help="which (default: patient)")
    merge = commands.add_parser("merge", help="add the rows of other vaults of the same key; all or none")
    merge.add_argument("into", metavar="INTO", help="made if there is none")
    merge.add_argument("others", nargs="+", metavar="FROM")
    for command in (lookup, export):
        command.add_argument("--vault", required=True, metavar="FILE")
    for command in (lookup, export, merge):
        command.add_argument("--key", required=True, metavar="FILE", help="the key that the vault was made with")


def run(options: argparse.Namespace) -> int:
    """Look up, export or merge."""
    from fastanon.pseudonyms import Pseudonyms, read_key

    pseudonyms = Pseudonyms(read_key(options.key))
    return {"lookup": _lookup, "export": _export, "merge": _merge}[options.action](options, pseudonyms)


def _lookup(options: argparse.Namespace, pseudonyms: Pseudonyms) -> int:
    from fastanon.vault import Vault

    with Vault.existing(options.vault, pseudonyms) as vault:
        rows = vault.lookup(options.pseudonym)
    for row in rows:
        print(f"{row.kind}\t{_shown(row.original)}")
    if not rows:
        print("fastanon: the vault does not hold this pseudonym", file=sys.stderr)
    return DONE if rows else FAILED


def _export(options: argparse.Namespace, pseudonyms: Pseudonyms) -> int:
    from fastanon.vault import Vault

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id_old", "id_new"))
    with Vault.existing(options.vault, pseudonyms) as vault:
        writer.writerows((row.original, row.pseudonym) for row in vault.rows((options.kind,)))
    if options.csv == "-":
        sys.stdout.write(text.getvalue())
    else:
        _write_new(options.csv, text.getvalue())
    return DONE


def _merge(options: argparse.Namespace, pseudonyms: Pseudonyms) -> int:
    from fastanon.vault import Vault

    with Vault(options.into, pseudonyms) as vault:
        print(f"{vault.merge(options.others)} new rows")
    return DONE


def _shown(value: str) -> str:
    """Escape what a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in value)


def _write_new(path: str, text: str) -> None:
    """Write a file that only its owner may read; what exists is not touched, and no half of it stays."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise UsageError(f"{path}: exists and is not overwritten") from None
    except OSError as error:
        raise AccessError(error.strerror or "can't be made", path=path) from None
    try:
        with open(fd, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.write(text)
    except OSError as error:
        os.unlink(path)
        raise AccessError(error.strerror or "can't be written", path=path) from None
