"""What a view reads out of jobs with their events."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fine_tuning_async.models import JobEvent, Metrics

    from .chart import Points

SMOOTHED_OVER = 5
"""Steps; single losses jump about too much for a trend to be seen."""


def latest(events: Sequence[JobEvent]) -> Metrics | None:
    """Return the figures of the last step among the events, oldest first."""
    return next((event.metrics for event in reversed(events) if event.metrics), None)


def losses(events: Sequence[JobEvent]) -> dict[str, Points]:
    """Return the smoothed losses by step: of the training and, where there is one, of the validation."""
    steps = [event.metrics for event in events if event.metrics]
    training = [(each.step, each.train_loss) for each in steps if each.step and each.train_loss is not None]
    validation = [(each.step, each.valid_loss) for each in steps if each.step and each.valid_loss is not None]
    curves = {"training": smoothed(training), "validation": smoothed(validation)}
    return {name: points for name, points in curves.items() if points}


def smoothed(points: Points, over: int = SMOOTHED_OVER) -> Points:
    """Return the running mean: of each point with its neighbours on both sides, as far as there are any."""
    reach = over // 2
    return [
        (x, fmean(y for _, y in points[max(0, index - reach) : index + reach + 1]))
        for index, (x, _) in enumerate(points)
    ]
