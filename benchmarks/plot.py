"""Time and memory over the number of files and the size of one: a small SVG, the same for the same figures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

#: What stands at the end of a line, and its color: of two that everybody can tell apart.
_LINES = {"files": ("", "#0b6e99"), "full": ("every byte audited", "#0b6e99"), "text": ("text audited", "#c2571a")}
#: Axes of time end at powers of ten.
_OUTWARD = (math.floor, math.ceil)
_TICKS = (("{:,.0f}", 1, "files"), ("{:,.0f}", 1 << 20, "payload, MiB"))


def draw(growth: dict[str, list[list[float]]], path: Path) -> None:
    """Draw what `benchmarks.cases.growth` found."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    style = {
        "svg.hashsalt": "fastanon",
        "svg.fonttype": "none",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with mpl.rc_context(style):
        figure, axes = plt.subplots(2, 2, figsize=(7.2, 4.6), sharex="col", layout="constrained")
        for column, keys in enumerate((("files",), ("full", "text"))):
            for key in keys:
                _line(axes[0, column], growth[key], 1, key)
                _line(axes[1, column], growth[key], 2, key, named=False)
            _scales(axes[:, column], [row[0] for row in growth[keys[0]]], *_TICKS[column])
        axes[0, 0].set_ylabel("time, s")
        axes[1, 0].set_ylabel("peak memory, MB")
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        plt.close(figure)


def _line(axis: Any, rows: list[list[float]], column: int, key: str, named: bool = True) -> None:
    said, color = _LINES[key]
    axis.plot(
        [row[0] for row in rows], [row[column] for row in rows], "o-", color=color, markersize=4, linewidth=1.5
    )
    if said and named:
        axis.annotate(
            said, (rows[-1][0], rows[-1][column]), (-4, 5), textcoords="offset points", ha="right", color=color
        )


def _scales(axes: Any, sizes: list[float], shown: str, unit: int, label: str) -> None:
    axes[0].set(xscale="log", yscale="log")
    axes[0].set_ylim(
        *(10 ** round_(math.log10(limit)) for round_, limit in zip(_OUTWARD, axes[0].get_ylim(), strict=True))
    )
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[1].set(xscale="log", xlabel=label)
    axes[1].set_ylim(0, 1.1 * axes[1].get_ylim()[1])
    axes[1].set_xticks(sizes, [shown.format(size / unit) for size in sizes])
    for axis in axes:
        axis.minorticks_off()
        axis.grid(alpha=0.25)
