"""The demo as plain lines, for pipes, files, terminals that can do no more."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from fine_tuning_async.cli.jobs.words import figures_of, method_of, name_of
from fine_tuning_async.cli.output import tell
from fine_tuning_async.cli.plot import screen
from fine_tuning_async.cli.tables import Table

from .reading import SMOOTHED_OVER, latest, losses

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from fine_tuning_async.models import File, FineTuningJob, JobEvent

STAGES = 4
"""How often a job's progress is worth a line."""


class Lines:
    """Writes ASCII, line by line, without colour."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[str, int]] = {}

    def opening(self, url: str) -> None:
        """Say where the server is."""
        tell(f"local server at {url}: offline, no key, no cost; trainings are simulated")

    def uploaded(self, file: File) -> None:
        """Write the file."""
        tell(f"uploaded {file.filename:<18} {file.bytes:>6} bytes  {file.id}")

    def following(self, jobs: Sequence[FineTuningJob]) -> AbstractContextManager[object]:
        """Write the new jobs."""
        for job in jobs:
            tell(f"created {name_of(job):<10} {method_of(job):<12} {job.id}")
        return nullcontext()

    def update(self, job: FineTuningJob, news: Sequence[JobEvent]) -> None:
        """Write a line where the status is new, or another quarter of the steps is done."""
        metrics = latest(news)
        before = self._shown.get(job.id, ("", 0))
        stage, text = before[1], ""
        if metrics and metrics.step and metrics.total_steps:
            stage = int(STAGES * metrics.step / metrics.total_steps)
            text = figures_of(metrics)
        if (job.status, stage) != before:
            self._shown[job.id] = (job.status, stage)
            tell(f"{name_of(job):<10} {job.status:<17} {text}".rstrip())

    def table(self, jobs: Sequence[FineTuningJob]) -> None:
        """Write a line per job."""
        tell("")
        Table(("id", "model", "method", "status", "trained tokens", "fine-tuned model")).write([*map(_row, jobs)])

    def failure(self, job: FineTuningJob) -> None:
        """Write the server's reason."""
        assert job.error is not None
        tell(f"\n{name_of(job)} failed: {job.error.code} ({job.error.param})\n{job.error.message}")

    def curve(self, job: FineTuningJob, events: Sequence[JobEvent]) -> None:
        """Draw the losses."""
        title = f"losses of {name_of(job)}, running mean of {SMOOTHED_OVER} steps"
        screen.in_lines(losses(events), title=title, label="loss")


def _row(job: FineTuningJob) -> tuple[str, ...]:
    tokens = "-" if job.trained_tokens is None else str(job.trained_tokens)
    return job.id, job.model, method_of(job), job.status, tokens, job.fine_tuned_model or "-"
