"""The words for a job and its progress that all views use."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from fine_tuning_async.cli.output import harmless

if TYPE_CHECKING:
    from fine_tuning_async.models import FineTuningJob, Metrics


LARGEST = 1e100
"""Larger figures come from a server or a training that has gone wrong; no scale and no bar has room for them."""


def is_figure(value: object) -> TypeGuard[float]:
    """Tell whether a value is a number that can be shown to scale."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST < value < LARGEST


def name_of(job: FineTuningJob) -> str:
    """Return what a person calls the job: its suffix, which has another name on Azure."""
    suffix = job.user_provided_suffix or job.extra.get("suffix")
    return harmless(suffix if isinstance(suffix, str) and suffix else job.id)


def method_of(job: FineTuningJob) -> str:
    """Return the job's method; servers leave it out where it is supervised."""
    return harmless(job.method.type if job.method else "supervised")


def are_shown(metrics: Metrics) -> bool:
    """Tell whether the figures of a step, as far as a line of progress has them, can be shown."""
    figures = (metrics.step, metrics.total_steps, metrics.train_loss, metrics.train_reward_mean)
    return bool(metrics.total_steps) and all(is_figure(each) for each in figures if each is not None)


def figures_of(metrics: Metrics) -> str:
    """Return how far a training is, and its loss or reward."""
    steps = "" if metrics.step is None else f"step {metrics.step:g}"
    if steps and metrics.total_steps:
        steps += f"/{metrics.total_steps:g}"
    named = (("loss", metrics.train_loss), ("reward", metrics.train_reward_mean))
    return "  ".join(filter(None, [steps, *(f"{name} {value:.2f}" for name, value in named if value is not None)]))
