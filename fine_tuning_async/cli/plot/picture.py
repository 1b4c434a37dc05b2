"""Charts as pictures, through matplotlib."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .curves import TRAINING, named, smoothed, smoothing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from .curves import Curve


class Theme(NamedTuple):
    """The colours of a setting."""

    paper: str
    ink: str
    grid: str
    lines: tuple[str, ...]


# The palette of Okabe and Ito, which the colour-blind can tell apart, in the order of contrast to the paper.
LIGHT = Theme(
    "#ffffff", "#222222", "#d9d9d9", ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
)
DARK = Theme(
    "#16181d", "#e6e6e6", "#3a3f4a", ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#D55E00", "#ffffff")
)
MARKERS = "osD^vPX"
MARKED = 12
"""How many points of a line bear its marker."""
DPI = 160
PANEL_INCHES = (8.0, 3.4)


def draw(panels: Mapping[str, Sequence[Curve]], *, theme: Theme, suffix: str, over: int | None) -> bytes:
    """Return a picture.

    Args:
        panels: The curves by what is drawn up the axis.
        theme: The colours.
        suffix: The format: svg or png.
        over: How many steps a running mean takes together; None for what suits the length.
    """
    with mpl.rc_context(
        {
            "svg.hashsalt": "fine-tuning",  # the same figures, the same file
            "text.parse_math": False,  # a suffix may have a dollar sign
            "font.size": 11,
            "text.color": theme.ink,
            "axes.labelcolor": theme.ink,
            "xtick.color": theme.ink,
            "ytick.color": theme.ink,
        }
    ):
        width, height = PANEL_INCHES
        figure = Figure(figsize=(width, height * len(panels)), layout="constrained", facecolor=theme.paper)
        rows = figure.subplots(len(panels), sharex=True, squeeze=False)
        styles = _Styles(theme, list(dict.fromkeys(each.run for curves in panels.values() for each in curves)))
        for (label, curves), (axes,) in zip(panels.items(), rows, strict=True):
            _panel(axes, label, curves, styles, over)
        rows[-1][0].set_xlabel("step")
        content = BytesIO()
        # Without a date: the same figures, the same file.
        metadata = {"Date": None} if suffix == "svg" else None
        figure.savefig(content, format=suffix, dpi=DPI, metadata=metadata, facecolor=theme.paper)
    return content.getvalue()


class _Styles(NamedTuple):
    """A colour and a marker for each run, in every panel the same."""

    theme: Theme
    runs: Sequence[str]

    def of(self, run: str) -> tuple[str, str]:
        place = self.runs.index(run)
        return self.theme.lines[place % len(self.theme.lines)], MARKERS[place % len(MARKERS)]


def _panel(axes: Axes, label: str, curves: Sequence[Curve], styles: _Styles, over: int | None) -> None:
    over, theme = over or smoothing(curves), styles.theme
    for curve in curves:
        _line(axes, curve, styles, over)
    axes.set_facecolor(theme.paper)
    axes.set_ylabel(named(label, over))
    axes.grid(color=theme.grid, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(theme.ink)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    if label == "loss" or min(y for curve in curves for _, y in curve.points) >= 0:
        axes.set_ylim(bottom=0)
    axes.legend(frameon=True, facecolor=theme.paper, edgecolor=theme.grid, framealpha=0.9, handlelength=2.8)


def _line(axes: Axes, curve: Curve, styles: _Styles, over: int) -> None:
    colour, marker = styles.of(curve.run)
    trains = curve.kind == TRAINING
    xs = [x for x, _ in curve.points]
    if over > 1:
        axes.plot(xs, [y for _, y in curve.points], color=colour, linewidth=0.8, alpha=0.25)
    axes.plot(
        xs,
        [y for _, y in smoothed(curve.points, over)],
        color=colour,
        linewidth=2,
        linestyle="-" if trains else "--",
        marker=marker,
        markersize=6,
        markerfacecolor=colour if trains else styles.theme.paper,
        markevery=max(1, len(xs) // MARKED),
        label=f" {curve.name}",  # what begins with an underscore, a legend would leave out
    )
