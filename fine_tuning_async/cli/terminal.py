"""The terminal, through rich: its console, and what colours mean."""

from __future__ import annotations

from rich.console import Console

# Of the terminal's own sixteen, whose owner has made them readable on dark or light.
STYLES = {
    "succeeded": "green",
    "processed": "green",
    "failed": "red",
    "error": "red",
    "cancelled": "yellow",
    "paused": "yellow",
    "running": "cyan",
}


def console(*, stderr: bool = False) -> Console:
    """Return a console on stdout or stderr, that adds no colours of its own; NO_COLOR is obeyed."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)
