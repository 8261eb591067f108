"""Fuzz the readers: ``python tools/fuzz.py walk --seconds 600``. Needs the extra ``fuzz`` (atheris).

An error that fastanon raises on purpose is fine; any other, five seconds, or 300 MB more than at the start is a
finding, left in the folder of ``--found``. Keep what was found, made small, in ``tests/security/regressions``, its
name beginning with that of the target: the tests run it from then on. Seeds are synthetic, and no patient's.
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from anywhere, with or without an installation

LONGEST = 1 << 15  # bytes of an input
_MEGABYTES, _SECONDS = 300, 5


def main() -> None:
    """Make seeds and fuzz one target; atheris ends the process, with a status other than 0 after a finding."""
    parser = argparse.ArgumentParser(description="Fuzz a reader.")
    parser.add_argument("target", choices=("walk", "csa", "protocol", "containers", "journal"))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", help="a folder that keeps what is learned; a temporary one by default")
    parser.add_argument("--found", default=".", help="the folder for findings")
    options = parser.parse_args()
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["fastanon"]):
        target = importlib.import_module("tools.fuzz_targets").TARGETS[options.target]
    corpus = Path(options.corpus or tempfile.mkdtemp(prefix=f"fastanon-fuzz-{options.target}-"))
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(importlib.import_module("tools.fuzz_seeds").seeds(options.target)):
        (corpus / f"seed-{number}").write_bytes(seed[:LONGEST])
    target(b"")  # whatever is loaded once is no growth
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    atheris.Setup(
        [
            sys.argv[0], f"-max_total_time={options.seconds}", f"-timeout={_SECONDS}", f"-max_len={LONGEST}",
            f"-rss_limit_mb={used + _MEGABYTES}", f"-artifact_prefix={options.found}{os.sep}{options.target}-",
            "-print_final_stats=1", str(corpus),
        ],
        target,
    )  # fmt: skip
    atheris.Fuzz()


if __name__ == "__main__":
    main()
