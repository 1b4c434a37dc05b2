"""Draws the results as a bar chart: for each row, what each contender takes, the client's own being 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from .ratios import Verdict

__all__ = ["drawn"]

COLOURS = {"bare": "#9aa5b1", "ours": "#0b7285", "openai": "#e8590c", "openai-aiohttp": "#f4a261"}
NAMES = {
    "bare": "bare aiohttp",
    "ours": "fine_tuning_async",
    "openai": "AsyncOpenAI",
    "openai-aiohttp": "AsyncOpenAI on aiohttp",
}
INK = "#767676"  # on white and on black alike, as the ground is left to the page
BAR = 0.2


def drawn(verdicts: Sequence[Verdict], path: Path) -> None:
    """Write the chart of all rows in which the client stands beside others."""
    rows = [each for each in verdicts if len(each.medians) > 1]
    # The same figures give the same file.
    with mpl.rc_context({"svg.hashsalt": "benchmarks", "font.family": "sans-serif", "font.size": 10}):
        for name in ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"):
            mpl.rcParams[name] = INK
        figure = Figure(figsize=(9, 0.9 + 0.95 * len(rows)), layout="constrained")
        axes = figure.subplots()
        for index, verdict in enumerate(rows):
            _bars(axes, index, verdict)
        _dress(axes, rows)
        figure.legend(loc="outside upper center", ncols=4, frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None}, transparent=True)


def _bars(axes: Axes, index: int, verdict: Verdict) -> None:
    ours = verdict.medians["ours"]
    middle = (len(verdict.medians) - 1) / 2
    for place, (name, value) in enumerate(verdict.medians.items()):
        y = index + (place - middle) * BAR
        axes.barh(y, value / ours, BAR * 0.92, color=COLOURS[name])
        times = "" if name == "ours" else f"  ({_figure(value / ours, 2)} x)"
        axes.text(value / ours, y, f" {_figure(value)} {verdict.work.unit}{times}", va="center", fontsize=8)


def _figure(value: float, digits: int = 3) -> str:
    """Return a figure in so many digits, as people write it: 1,020 and not 1.02e+03."""
    return f"{float(f'{value:.{digits}g}'):,.10g}"


def _dress(axes: Axes, rows: Sequence[Verdict]) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlim(right=axes.get_xlim()[1] * 4)  # room for the figures beside the longest bars
    axes.set_yticks(range(len(rows)), [each.work.title for each in rows])
    axes.invert_yaxis()
    axes.set_xlabel("times what fine_tuning_async takes; shorter is better, logarithmic")
    axes.spines[["top", "right"]].set_visible(False)
    axes.axvline(1, color=COLOURS["ours"], linewidth=0.8, alpha=0.3, zorder=0)
    taking_part = {name for each in rows for name in each.medians}
    for name in (each for each in NAMES if each in taking_part):
        axes.barh(0, 0, color=COLOURS[name], label=NAMES[name])
    axes.margins(y=0.01)
