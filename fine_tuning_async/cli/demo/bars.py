"""The demo with progress bars, a table, colours, for terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fine_tuning_async.cli.bars import JobBars
from fine_tuning_async.cli.jobs.words import method_of, name_of
from fine_tuning_async.cli.plot import screen
from fine_tuning_async.cli.terminal import STYLES

from .reading import SMOOTHED_OVER, latest, losses

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from rich.console import Console, RenderableType

    from fine_tuning_async.models import File, FineTuningJob, JobEvent

INDENT = 2
ONE_LINE = 150
"""Columns from which a job's names fit beside each other."""


class Bars:
    """Draws on a rich console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = JobBars(console)

    def opening(self, url: str) -> None:
        """Say where the server is."""
        self._heading("Local server")
        self._print(f"{url}\nOffline, no key, no cost. Trainings are simulated.")
        self._heading("Uploads")

    def uploaded(self, file: File) -> None:
        """Print the file."""
        self._print(f"{file.filename:<18} {file.bytes:>6,} bytes   {file.id}")

    def following(self, jobs: Sequence[FineTuningJob]) -> AbstractContextManager[object]:
        """Give each job a bar, which moves until the context is left."""
        self._heading("Jobs")
        for job in jobs:
            self._bars.show(job)
        return self._bars.progress

    def update(self, job: FineTuningJob, news: Sequence[JobEvent]) -> None:
        """Move the job's bar."""
        self._bars.show(job, latest(news))

    def table(self, jobs: Sequence[FineTuningJob]) -> None:
        """Print all jobs; on narrow terminals, the three names of a job stand one below the other."""
        self._heading("All jobs")
        wide = self._console.width >= ONE_LINE
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
        for heading in ("id", "model", "method") if wide else ("id\nmodel, method\nfine-tuned model",):
            table.add_column(heading, no_wrap=True)
        table.add_column("status", no_wrap=True)
        table.add_column("trained\ntokens", justify="right")
        if wide:
            table.add_column("fine-tuned model", no_wrap=True)
        for job in jobs:
            table.add_row(*(_row if wide else _stack)(job))
        self._console.print(_indented(table))

    def failure(self, job: FineTuningJob) -> None:
        """Print the server's reason."""
        assert job.error is not None
        self._heading(f"Why {name_of(job)} failed")
        self._print(f"{job.error.code} ({job.error.param})\n{job.error.message}")

    def curve(self, job: FineTuningJob, events: Sequence[JobEvent]) -> None:
        """Draw the losses."""
        title = f"Losses of {name_of(job)}, running mean of {SMOOTHED_OVER} steps"
        screen.on_console(self._console, losses(events), title=title, label="loss", indent=INDENT)

    def _heading(self, text: str) -> None:
        self._console.print(Text(f"\n{text}", style="bold"))

    def _print(self, text: str) -> None:
        self._console.print(_indented(Text(text)))


def _indented(what: RenderableType) -> Padding:
    return Padding(what, (0, 0, 0, INDENT))


def _coloured(word: str) -> Text:
    return Text(word, style=STYLES.get(word, ""))


def _row(job: FineTuningJob) -> tuple[RenderableType, ...]:
    model = job.fine_tuned_model or "-"
    return Text(job.id), job.model, method_of(job), _coloured(job.status), _tokens(job), model


def _stack(job: FineTuningJob) -> tuple[RenderableType, ...]:
    names = (f"{job.model}, {method_of(job)}", job.fine_tuned_model)
    stack = Text("\n").join([Text(job.id, style="bold"), *(Text(name) for name in names if name)])
    return stack, _coloured(job.status), _tokens(job)


def _tokens(job: FineTuningJob) -> str:
    return "-" if job.trained_tokens is None else f"{job.trained_tokens:,}"
