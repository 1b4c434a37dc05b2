"""What a view reads out of jobs with their events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fine_tuning_async.cli.plot.curves import PANELS, rows_of_events, smoothed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fine_tuning_async.cli.plot.chart import Points
    from fine_tuning_async.models import JobEvent, Metrics

LOSS = PANELS["loss"]
SMOOTHED_OVER = 5
"""Steps; single losses jump about too much for a trend to be seen."""


def latest(events: Sequence[JobEvent]) -> Metrics | None:
    """Return the figures of the last step among the events, oldest first."""
    return next((event.metrics for event in reversed(events) if event.metrics), None)


def losses(events: Sequence[JobEvent]) -> dict[str, Points]:
    """Return the smoothed losses by step: of the training and, where there is one, of the validation."""
    steps = rows_of_events(events)
    points = {kind: [(row["step"], row[name]) for row in steps if name in row] for kind, (name,) in LOSS.items()}
    return {kind: smoothed(each, SMOOTHED_OVER) for kind, each in points.items() if each}
