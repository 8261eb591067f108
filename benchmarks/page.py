"""All of docs/benchmarks.md in one command, and the table in the README.

    pip install -e '.[bench]'
    python -m benchmarks.page [--quick] [--folder DIR]

It makes the inputs, runs floors, fastanon and every peer that is installed in turn, looks at what each has left,
and writes docs/benchmarks.md, .json and .svg, and what stands between the markers in README.md. With ``--quick``
everything is small, and nothing is written but to the screen. In full it takes half an hour and 25 GB of disk.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import plot, tables
from benchmarks.cases import CAT, CP, PEERS, QUICK, SECTIONS, Lab, Sizes
from benchmarks.goals import Found, rows
from benchmarks.machine import described

ROOT = Path(__file__).parent.parent
PAGE, FIGURES, PLOT = (ROOT / "docs" / f"benchmarks.{kind}" for kind in ("md", "json", "svg"))
README = ROOT / "README.md"
BEGIN, END = "<!-- peers -->\n", "<!-- end of peers -->"

_TEXT = """# Benchmarks

Floors, fastanon and its peers on the same files, in the same run, in turn. Written by

    pip install -e '.[bench]'     # and nimpa, dcmtk, libgdcm-tools
    python -m benchmarks.page{quick}

on {date} in {minutes:.0f} minutes, on a virtual machine:

{machine}

Medians of whole processes, page cache warm; the first run of each is not counted, and its result is looked at: of
fastanon no copy of the name may be left, payload and CSA headers must be there. What has taken more than
{budget:.0f} s is not run again, so the slowest have one run. Ratios are medians of ratios pair by pair. Floors that
write are followed by `sync` of that filesystem, since fastanon makes files durable before it says that they are done;
no peer does, and none is made to. Before each run everything is written to the disk. What counts are the ratios.

Peak memory is that of the largest process. Bytes written are those given to write(2) and its kind. *Names left*: the
patient's family name, in ASCII and UTF-16, in either case, counted in every byte; pieces of it in leftover memory and
other values that identify are not. *Payload*: pixels and list-mode by their digest. *CSA headers*: kept if all tags and
lengths are there. [peers.md](peers.md) has what programs leave in other files.

## Goals

{goals}

## {slices:,} slices of {slice_kb:.0f} kB with CSA headers

{names[slices]:,} copies of the name in all. fastanon does its full `petmr` profile and audits every byte; in place it
keeps a journal. Peers run as their documentation shows, one process or one for each core with its share of the files;
{told}.

{slices_table}

## List-mode, {listmode_mib:,} MiB

{names[listmode]} copies of the name.

{listmode_table}

## An enhanced multi-frame image of {frames} frames

{names[enhanced]} copies of the name. A peer keeps it whole if the pixels are the same and its private data were not
thrown away.

{enhanced_table}

## Start

{start_table}

## Growth

![time and peak memory over files and bytes](benchmarks.svg)

One run each: slices of 92 kB to a new folder; `.ptd` in place, sparse.

{growth_table}
"""

_TOLD = (
    "pydicom sets the name, dcmodify four attributes, `gdcmanon --dumb` the name; gdcmanon gets a certificate; dcmanon "
    "and nimpa are called from Python over all files"
)


def page(found: Found) -> str:
    """Give the page."""
    sizes = found["sizes"]
    return _TEXT.format(
        quick=found["how"], date=found["date"], minutes=found["minutes"], budget=sizes["budget"], told=_TOLD,
        machine="\n".join(f"* {key}: {value}" for key, value in found["machine"].items()),
        goals=tables.goals(found), slices=sizes["slices"], slice_kb=found["slice_kb"], listmode_mib=sizes["listmode"] >> 20,
        frames=sizes["frames"], names={key: found[key]["names"] for key in ("slices", "listmode", "enhanced")},
        slices_table=tables.slices(found), listmode_table=tables.one_file(found, "listmode", "CSA headers", (CP, CAT)),
        enhanced_table=tables.one_file(found, "enhanced", "private elements", (CP,)),
        start_table=tables.start(found), growth_table=tables.growth(found),
    )  # fmt: skip


def summary(found: Found) -> str:
    """Give what the README shows."""
    sizes, judged = found["sizes"], list(rows(found))
    met = sum(row.met for row in judged)
    missed = "; ".join(f"{row.what}: {row.measured}, wanted {row.wanted}" for row in judged if not row.met)
    return (
        f"{sizes['slices']:,} slices of {found['slice_kb']:.0f} kB with one process / all cores, list-mode of "
        f"{sizes['listmode'] >> 20:,} MiB, {sizes['frames']} frames in one file. Names left in a slice / the list-mode / the "
        f"frames.\n\n{tables.main_table(found)}\n\n"
        f"Of {len(judged)} goals {met} are met. Missed: {missed or 'none'}.\n"
    )


def into_readme(text: str, found: Found) -> str:
    """Replace what stands between the markers."""
    return re.sub(f"(?<={BEGIN}).*?(?={END})", lambda _: summary(found), text, flags=re.DOTALL)


def measure(folder: Path, quick: bool) -> Found:
    """Run everything."""
    begun, sizes = time.monotonic(), QUICK if quick else Sizes()
    missing = {one.name: one.missing for one in PEERS if one.missing}
    found: Found = {
        "date": f"{datetime.date.today():%-d %B %Y}", "how": " --quick" if quick else "",
        "machine": described(folder), "sizes": sizes._asdict(), "missing": missing,
        "versions": {one.name: one.version for one in PEERS if not one.missing},
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
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where the inputs are made")
    parser.add_argument("--render", action="store_true", help="measure nothing: write the page from its figures again")
    options = parser.parse_args()
    found = json.loads(FIGURES.read_text("utf-8")) if options.render else measure(options.folder, options.quick)
    if options.quick:
        plot.draw(found["growth"], options.folder / "benchmarks.svg")
        print(page(found), summary(found), sep="\n")
        return
    FIGURES.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    PAGE.write_text(page(found), "utf-8")
    plot.draw(found["growth"], PLOT)
    README.write_text(into_readme(README.read_text("utf-8"), found), "utf-8")


if __name__ == "__main__":
    main()
