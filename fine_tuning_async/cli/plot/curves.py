"""The figures of trainings as curves; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from attrs import frozen

from fine_tuning_async._codec import to_dict
from fine_tuning_async.cli.jobs.words import is_figure, name_of
from fine_tuning_async.cli.output import harmless

if TYPE_CHECKING:
    from fine_tuning_async.models import FineTuningJob, JobEvent, TrainingStep

    from .chart import Points

Row = Mapping[str, float]
"""The figures of one step by the API's names, `step` among them."""

TRAINING, VALIDATION = "training", "validation"
# What is drawn together, with the names that servers have for it.
PANELS: dict[str, dict[str, tuple[str, ...]]] = {
    "loss": {TRAINING: ("train_loss",), VALIDATION: ("valid_loss",)},
    "accuracy": {
        TRAINING: ("train_mean_token_accuracy", "train_accuracy"),
        VALIDATION: ("valid_mean_token_accuracy", "valid_accuracy"),
    },
    "reward": {TRAINING: ("train_reward_mean",), VALIDATION: ("valid_reward_mean",)},
}
SMOOTHING = 40
"""Into so many parts a training falls, each of which is worth a point of its own."""


class Curve(NamedTuple):
    """One line of a panel: of a run, in training or in validation."""

    run: str
    kind: str
    points: Points

    @property
    def name(self) -> str:
        """What the legend calls it."""
        return f"{self.run} {self.kind}"


@frozen
class Run:
    """One job with its figures, in the order of the steps."""

    job: FineTuningJob
    label: str
    rows: Sequence[Row]

    def curves(self, panel: str) -> list[Curve]:
        """Return the lines that it has in a panel."""
        found = [(kind, self._points(names)) for kind, names in PANELS[panel].items()]
        return [Curve(self.label, kind, points) for kind, points in found if points]

    def _points(self, names: Sequence[str]) -> Points:
        pairs = ((row["step"], next((row[name] for name in names if name in row), None)) for row in self.rows)
        return [(step, value) for step, value in pairs if value is not None]


def panels(runs: Sequence[Run]) -> dict[str, list[Curve]]:
    """Return the panels that have something to show, with their curves."""
    drawn = {panel: [curve for run in runs for curve in run.curves(panel)] for panel in PANELS}
    return {panel: curves for panel, curves in drawn.items() if curves}


def labels(jobs: Sequence[FineTuningJob]) -> list[str]:
    """Return what a legend calls each job: its suffix, with the end of its id where another has the same."""
    names = [name_of(job) for job in jobs]
    return [
        name if names.count(name) == 1 else f"{name} ({harmless(job.id[-6:])})"
        for name, job in zip(names, jobs, strict=True)
    ]


def rows_of_results(steps: Sequence[TrainingStep]) -> list[Row]:
    """Return the rows of result files."""
    return _in_order(to_dict(step) for step in steps)


def rows_of_events(events: Sequence[JobEvent]) -> list[Row]:
    """Return the rows that events tell of, in any order."""
    figures = (event.data for event in events if event.type == "metrics" and isinstance(event.data, dict))
    # The scores of a reinforcement job lie one level deeper.
    return _in_order(
        {**scores, **data} for data in figures if isinstance(scores := data.get("scores") or {}, dict)
    )


def _in_order(documents: Iterable[Mapping[str, object]]) -> list[Row]:
    numbered: dict[float, Row] = {}
    for each in documents:
        row = {name: value for name, value in each.items() if is_figure(value)}
        if "step" in row:
            numbered[row["step"]] = row
    return [numbered[step] for step in sorted(numbered)]


def merged(first: Sequence[Row], second: Sequence[Row]) -> list[Row]:
    """Return the rows of two sources by step; what both say, the second has right."""
    by_step: dict[float, Row] = {row["step"]: row for row in first}
    by_step.update({row["step"]: {**by_step.get(row["step"], {}), **row} for row in second})
    return [by_step[step] for step in sorted(by_step)]


def named(panel: str, over: int) -> str:
    """Return what stands at the axis of a panel."""
    return panel if over == 1 else f"{panel}, mean of {over} steps"


def smoothing(curves: Sequence[Curve]) -> int:
    """Return over how many points a running mean lets the trend of these curves be seen."""
    longest = max(len(curve.points) for curve in curves)
    return longest // SMOOTHING * 2 + 1


def smoothed(points: Points, over: int) -> Points:
    """Return the running mean: of each point with its neighbours on both sides, as far as there are any."""
    reach = over // 2
    return [
        (x, fmean(y for _, y in points[max(0, index - reach) : index + reach + 1]))
        for index, (x, _) in enumerate(points)
    ]
