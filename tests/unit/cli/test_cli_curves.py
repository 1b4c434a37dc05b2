"""Figures as curves: read from events and result files, merged, named."""

from __future__ import annotations

import io
import itertools

import pytest
from rich.console import Console

from fine_tuning_async import from_dict
from fine_tuning_async.cli.bars import JobBars
from fine_tuning_async.cli.plot import chart
from fine_tuning_async.cli.plot.curves import (
    Run,
    labels,
    merged,
    panels,
    rows_of_events,
    rows_of_results,
    smoothing,
)
from fine_tuning_async.models import FineTuningJob, JobEvent, TrainingStep


def job(number: int, suffix: str | None = None) -> FineTuningJob:
    return FineTuningJob(f"ftjob-{number:06}", 0, "gpt", "succeeded", user_provided_suffix=suffix)


def metrics(**data: object) -> JobEvent:
    return JobEvent("ftevent", 0, "a step", type="metrics", data=data)


def test_events_are_read_in_any_order_and_each_step_once() -> None:
    events = [metrics(step=2, train_loss=1.0), metrics(step=1, train_loss=2.0), metrics(step=2, train_loss=1.0)]
    assert rows_of_events(events) == [{"step": 1, "train_loss": 2.0}, {"step": 2, "train_loss": 1.0}]


def test_what_is_no_figure_is_left_out() -> None:
    odd = metrics(step=1, train_loss="low", valid_loss=None, done=True, train_reward_mean=float("nan"))
    events = [odd, metrics(train_loss=1.0), JobEvent("ftevent", 0, "text", type="message", data={"step": 9})]
    assert rows_of_events(events) == [{"step": 1}]


@pytest.mark.parametrize("figure", [1.7e308, -1.7e308, 10**400, -(10**400), float("nan"), float("inf")])
def test_a_figure_that_no_scale_has_room_for_is_left_out(figure: float) -> None:
    events = [metrics(step=1, train_loss=figure, valid_loss=1.0), metrics(step=figure, train_loss=1.0)]
    assert rows_of_events(events) == [{"step": 1, "valid_loss": 1.0}]
    bars = JobBars(Console(file=io.StringIO()))
    with bars.progress:
        for step, total, loss in itertools.product((1, figure), repeat=3):
            found = metrics(step=step, total_steps=total, train_loss=loss).metrics
            bars.show(job(1), found)


def test_scores_may_lie_one_level_deeper() -> None:
    events = [metrics(step=1, scores={"train_reward_mean": 0.5}), metrics(step=2, scores=[])]
    assert rows_of_events(events) == [{"step": 1, "train_reward_mean": 0.5}, {"step": 2}]


def test_result_files_keep_their_further_columns() -> None:
    steps = [from_dict(TrainingStep, {"step": 1, "train_loss": 2.0, "valid_reward_mean": 0.25, "note": "x"})]
    assert rows_of_results(steps) == [{"step": 1, "train_loss": 2.0, "valid_reward_mean": 0.25}]


def test_two_sources_are_merged_step_by_step() -> None:
    events = [{"step": 1.0, "train_loss": 2.1, "train_reward_mean": 0.5}, {"step": 2.0, "train_loss": 1.0}]
    files = [{"step": 1.0, "train_loss": 2.0}, {"step": 3.0, "train_loss": 0.5}]
    assert merged(events, files) == [{**events[0], "train_loss": 2.0}, events[1], files[1]]


def test_accuracy_has_another_name_in_result_files() -> None:
    runs = [
        Run(job(1), "a", [{"step": 1, "train_accuracy": 0.5}]),
        Run(job(2), "b", [{"step": 1, "train_mean_token_accuracy": 0.6, "valid_mean_token_accuracy": 0.4}]),
    ]
    drawn = panels(runs)
    assert drawn.keys() == {"accuracy"}
    assert [(each.name, each.points) for each in drawn["accuracy"]] == [
        ("a training", [(1, 0.5)]),
        ("b training", [(1, 0.6)]),
        ("b validation", [(1, 0.4)]),
    ]


def test_jobs_of_one_suffix_are_told_apart() -> None:
    assert labels([job(1, "x"), job(2, "y"), job(3, "x"), job(4)]) == [
        "x (000001)",
        "y",
        "x (000003)",
        "ftjob-000004",
    ]


def test_a_job_of_azure_is_called_by_its_suffix_too() -> None:
    document = {"id": "ftjob-000009", "created_at": 0, "model": "gpt", "status": "succeeded", "suffix": "sums"}
    assert labels([from_dict(FineTuningJob, document)]) == ["sums"]
    assert labels([from_dict(FineTuningJob, {**document, "suffix": None})]) == ["ftjob-000009"]


def test_short_trainings_are_drawn_as_they_are() -> None:
    def over(steps: int) -> int:
        return smoothing(Run(job(1), "a", [{"step": s, "train_loss": 1.0} for s in range(steps)]).curves("loss"))

    assert [over(39), over(80), over(400)] == [1, 5, 21]


def test_a_chart_of_negative_rewards_has_its_zero() -> None:
    lines = chart.draw({"r": [(1, -0.9), (2, 0.4)]}, label="reward", width=40, height=9, style=chart.ASCII)
    text = ["".join(piece for piece, _ in line) for line in lines]
    assert text[0] == "reward"
    assert text[1].startswith("0.40 +")
    assert text[9].startswith("-1.0 +")


def test_a_chart_of_losses_below_nothing_stays_in_its_frame() -> None:
    lines = chart.draw({"r": [(1, -3.0), (2, -2.0)]}, width=40, height=9, style=chart.ASCII)
    assert max(len("".join(piece for piece, _ in line).rstrip()) for line in lines) <= 40


def test_a_legend_that_does_not_fit_goes_on_below() -> None:
    curves = {f"a curve number {number}": [(1.0, 1.0)] for number in range(9)}
    lines = chart.draw(curves, width=60, height=5, style=chart.ASCII)
    text = ["".join(piece for piece, _ in line).rstrip() for line in lines]
    assert max(map(len, text)) <= 60
    assert sum(line.count("a curve number") for line in text) == 9
