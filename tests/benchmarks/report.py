"""The results as a table for the terminal, and as JSON."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING

from attrs import asdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .ratios import Verdict
    from .rounds import Figures

__all__ = ["as_json", "lines"]


def lines(verdict: Verdict) -> Iterable[str]:
    """Return one row of the table, a line for each comparison."""
    medians = "  ".join(f"{name} {value:.4g}" for name, value in verdict.medians.items())
    yield f"{verdict.name:14} {verdict.work.title}, {verdict.work.unit} of {verdict.work.figure}: {medians}"
    for other, ratio in verdict.against.items():
        what = f"in {verdict.work.unit}" if other == "limit" else f"against {other}"
        yield f"{'':14}   {what}: {ratio}"


def as_json(verdicts: Iterable[Verdict], figures: dict[str, Figures]) -> str:
    """Return everything that was measured as JSON, with what it was measured on."""
    rows = [
        {
            "name": each.name,
            "title": each.work.title,
            "figure": each.work.figure,
            "unit": each.work.unit,
            "rounds": each.rounds,
            "medians": each.medians,
            "against": {name: {**asdict(ratio), "met": ratio.met} for name, ratio in each.against.items()},
            "measured": figures[each.name],
        }
        for each in verdicts
    ]
    machine = {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()}
    return json.dumps({"on": machine, "rows": rows}, indent=2, ensure_ascii=False) + "\n"
