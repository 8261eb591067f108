"""Kill every job of ``tests/crash/scenarios.py`` at every call, on three filesystems, and look at what is left.

After each kill what was begun is recovered: every file has to be old or new, nothing of ours may be left, and the
same job has to end as if nothing had happened. Needs Linux and strace. The filesystems need root: each is made in
a file and mounted for the time being. Anybody else has ``plain``, the folder for temporary files.

    python tools/kill_points.py                             everything; exit status 1 if anything is harmed
    python tools/kill_points.py --filesystem xfs --scenario refit --most 20
"""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from tests.crash.benches import bench
from tests.crash.killing import Tally, kills, missing
from tests.crash.scenarios import SCENARIOS

#: How each is made, and how large a file it needs.
MAKERS = {
    "ext4": (["mkfs.ext4", "-q", "-F"], 64 << 20),
    "xfs": (["mkfs.xfs", "-q", "-f", "-m", "reflink=1"], 300 << 20),
    "btrfs": (["mkfs.btrfs", "-q", "-f"], 128 << 20),
}


@contextmanager
def filesystem(kind: str) -> Iterator[pathlib.Path]:
    """Give an empty folder on a filesystem, which is unmounted and gone in the end."""
    with tempfile.TemporaryDirectory(prefix="fastanon-kills-") as above:
        folder, image = pathlib.Path(above, "mounted"), pathlib.Path(above, "image")
        folder.mkdir()
        if kind == "plain":
            yield folder
            return
        command, size = MAKERS[kind]
        with image.open("wb") as file:
            file.truncate(size)
        subprocess.run([*command, image], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["mount", "-o", "loop", image, folder], check=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)


def killed(folder: pathlib.Path, kind: str, names: Sequence[str], most: int) -> Iterator[Tally]:
    """Do all scenarios on one filesystem, and say what was found."""
    for name in names:
        tally = Tally()
        for kill in kills(bench(SCENARIOS[name], folder / name.replace(" ", "-")), most=most):
            tally.add(kill)
        print(f"{kind:<6}{name:<18}{tally}", flush=True)
        if tally.found("harm"):
            print(tally.harm(), flush=True)
        yield tally


def main(argv: Sequence[str] | None = None) -> int:
    """Kill what is wanted, and say in a line for each scenario and in one for all what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--filesystem", action="append", choices=("plain", *MAKERS), help="may be repeated")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="may be repeated")
    parser.add_argument(
        "--most",
        type=int,
        default=sys.maxsize,
        metavar="N",
        help="kills of each scenario, from its last call back",
    )
    options = parser.parse_args(argv)
    if missing():
        print(missing(), file=sys.stderr)
        return 2
    total = Tally()
    for kind in options.filesystem or (MAKERS if os.geteuid() == 0 else ("plain",)):
        with filesystem(kind) as folder:
            for tally in killed(folder, kind, options.scenario or list(SCENARIOS), options.most):
                total.kills += tally.kills
    print(f"total: {total}")
    return 1 if total.found("harm") or not total.kills else 0


if __name__ == "__main__":
    sys.exit(main())
