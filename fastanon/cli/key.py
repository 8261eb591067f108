"""``fastanon key``."""

from __future__ import annotations

import argparse

from fastanon.errors import DONE


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    text = "write a new key; an existing file is never overwritten"
    new = actions.add_parser("new", help=text, description=f"{text[0].upper()}{text[1:]}.")
    new.add_argument("file", metavar="FILE", help="where to; nobody but you may read it")


def run(options: argparse.Namespace) -> int:
    """Write a key and say what it is worth."""
    from fastanon.pseudonyms import new_key

    new_key(options.file)
    print(f"{options.file}: a new key")
    print("Who has it can link and verify pseudonyms: keep it apart from the data.")
    return DONE
