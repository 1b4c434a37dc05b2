"""The bars of jobs, on wide terminals and on narrow ones."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from fine_tuning_async.cli.bars import JobBars
from fine_tuning_async.models import FineTuningJob, Metrics

JOB = FineTuningJob("ftjob-1", 0, "gpt", "running", user_provided_suffix="sums")


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (80, "  sums     supervised ━━━━━━━━━          step 3/6  loss 0.25   running"),
        (69, "  sums     running step 3/6  loss 0.25"),
        (40, "  sums     running step 3/6  loss 0.25"),
    ],
)
def test_what_a_job_has_come_to_is_seen_on_every_terminal(width: int, line: str) -> None:
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False)
    bars = JobBars(console)
    bars.show(JOB, Metrics(step=3, total_steps=6, train_loss=0.25))
    with console.capture() as captured:
        console.print(bars.progress)
    assert captured.get().rstrip() == line
