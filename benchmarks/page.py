"""All of docs/benchmarks.md in one command, and the table in the README.

    pip install -e '.[bench]'
    [FASTANON_PEERS=PYTHON] python -m benchmarks.page [--half | --quick] [--folder DIR]

FASTANON_PEERS is the Python that has the peers, best in an environment of its own. It makes the inputs, runs
floors, fastanon and every peer that is installed in turn, looks at what each has left, and writes
docs/benchmarks.md, .json and .svg, and what stands between the markers in README.md. In full it takes half an hour
and 15 GB of disk, with ``--half`` ten minutes. With ``--quick`` everything is small, and all is written to DIR and
to the screen.
"""

from __future__ import annotations

import argparse
import compileall
import datetime
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import plot, tables
from benchmarks.cases import CAT, CP, SECTIONS
from benchmarks.goals import Found, rows
from benchmarks.lab import HALF, PEERS, QUICK, Lab, Sizes
from benchmarks.machine import described

ROOT = Path(__file__).parent.parent
PAGE, FIGURES, PLOT = (ROOT / "docs" / f"benchmarks.{kind}" for kind in ("md", "json", "svg"))
README = ROOT / "README.md"
BEGIN, END = "<!-- peers -->\n", "<!-- end of peers -->"

_TEXT = Path(__file__).with_name("page.template.md").read_text("utf-8")
_SUMMARY = Path(__file__).with_name("readme.template.md").read_text("utf-8")


def page(found: Found) -> str:
    """Give the page."""
    return _TEXT.format(
        **_facts(found),
        machine="\n".join(f"* {key}: {value}" for key, value in _where(found).items()),
        goals_table=tables.goals(found),
        slices_table=tables.slices(found),
        listmode_table=tables.one_file(found, "listmode", "CSA headers", (CP, CAT)),
        enhanced_table=tables.one_file(found, "enhanced", "private elements", (CP,)),
        start_table=tables.start(found),
        growth_table=tables.growth(found),
    )


def summary(found: Found) -> str:
    """Give what the README shows."""
    judged = list(rows(found))
    missed = [f"{row.what} ({row.measured}, wanted {row.wanted})" for row in judged if not row.met]
    return _SUMMARY.format(
        **_facts(found),
        table=tables.main_table(found),
        goals=len(judged),
        met=len(judged) - len(missed),
        missed="; ".join(missed) or "none",
    )


def _facts(found: Found) -> Found:
    """Give what both texts tell in words."""
    return {
        **{key: found[key] for key in ("how", "date", "minutes", "slice_kb")},
        **{key: found["sizes"][key] for key in ("slices", "frames", "budget")},
        "listmode": found["sizes"]["listmode"] >> 20,
        "names": {section: found[section]["names"] for section in ("slices", "listmode", "enhanced")},
        "processor": found["machine"]["processor"],
    }


def _where(found: Found) -> dict[str, str]:
    peers = ", ".join(f"{name} {version}" for name, version in found["peers"].items())
    missing = ", ".join(f"{name}: {why}" for name, why in found["missing"].items())
    return {**found["machine"], "peers": peers} | ({"not measured": missing} if missing else {})


def into_readme(text: str, found: Found) -> str:
    """Replace what stands between the markers."""
    return re.sub(f"(?<={BEGIN}).*?(?={END})", lambda _: summary(found), text, flags=re.DOTALL)


def measure(folder: Path, how: str) -> Found:
    """Run everything."""
    begun, sizes = time.monotonic(), {"": Sizes(), " --half": HALF, " --quick": QUICK}[how]
    compileall.compile_dir(ROOT / "fastanon", quiet=1)  # as pip does with what it installs
    subprocess.run([sys.executable, "-m", "fastanon", "warmup"], check=True, stdout=sys.stderr)
    missing = {one.name: one.missing for one in PEERS if one.missing}
    found: Found = {
        "date": f"{datetime.date.today():%-d %B %Y}", "how": how,
        "machine": described(folder), "sizes": sizes._asdict(), "missing": missing,
        "peers": {one.distribution: one.version for one in PEERS if not one.missing},
    }  # fmt: skip
    for name, section in SECTIONS.items():
        with tempfile.TemporaryDirectory(dir=folder) as own:
            found[name] = section(Lab(Path(own), sizes, lambda text: print(text, file=sys.stderr, flush=True)))
            if name == "slices":
                found["slice_kb"] = next(Path(own, "slices").iterdir()).stat().st_size / 1000
    found["minutes"] = (time.monotonic() - begun) / 60
    return found


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small, to see that it works: two minutes")
    parser.add_argument("--half", action="store_true", help="fewer and smaller: ten minutes")
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()), help="where the inputs are made"
    )
    parser.add_argument(
        "--render", action="store_true", help="measure nothing: write the page from its figures again"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    how = " --quick" if options.quick else " --half" if options.half else ""
    found = json.loads(FIGURES.read_text("utf-8")) if options.render else measure(options.folder, how)
    to = options.folder if options.quick else ROOT / "docs"
    (to / FIGURES.name).write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (to / PAGE.name).write_text(page(found), "utf-8")
    plot.draw(found["growth"], to / PLOT.name)
    if options.quick:
        print(page(found), summary(found), sep="\n")
    else:
        README.write_text(into_readme(README.read_text("utf-8"), found), "utf-8")


if __name__ == "__main__":
    main()
