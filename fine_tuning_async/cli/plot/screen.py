"""Charts on the terminal: in colours and braille dots, or in plain ASCII for a pipe."""

from __future__ import annotations

import sys
from itertools import cycle
from typing import TYPE_CHECKING

from rich.text import Text

from fine_tuning_async.cli.output import is_terminal, tell
from fine_tuning_async.cli.terminal import console

from . import chart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from .chart import Points

# Of the terminal's own sixteen, whose owner has made them readable on dark or light.
COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")
NARROWEST, WIDEST, PLAIN = 30, 100, 78
HEIGHT = 13


def show(curves: Mapping[str, Points], *, label: str, title: str = "") -> None:
    """Draw curves, each with its own stroke, in the way that suits who looks."""
    if is_terminal(sys.stdout):
        on_console(console(), curves, label=label, title=title)
    else:
        in_lines(curves, label=label, title=title)


def in_lines(curves: Mapping[str, Points], *, label: str, title: str = "") -> None:
    """Draw curves in plain ASCII."""
    lines = chart.draw(curves, label=label, width=PLAIN, height=HEIGHT, style=chart.ASCII)
    tell("", *filter(None, [title]), *("".join(text for text, _ in line).rstrip() for line in lines))


def on_console(
    screen: Console, curves: Mapping[str, Points], *, label: str, title: str = "", indent: int = 0
) -> None:
    """Draw curves in colours, and in as much Unicode as the console takes."""
    style = chart.UNICODE if screen.encoding.startswith("utf") else chart.ASCII
    width = max(NARROWEST, min(screen.width - indent, WIDEST))
    colours = dict(zip(curves, cycle(COLOURS), strict=False))
    screen.print(Text(f"\n{title}", style="bold") if title else "")
    for line in chart.draw(curves, label=label, width=width, height=HEIGHT, style=style):
        spans = [(text, colours.get(name or "", "")) for text, name in line]
        screen.print(Text(" " * indent).append_text(Text.assemble(*spans)), no_wrap=True, crop=True)
