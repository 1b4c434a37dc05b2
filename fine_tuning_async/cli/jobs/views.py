"""What is seen of jobs while they are waited for: bars on a terminal, else lines, or JSON."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

from rich.text import Text

from fine_tuning_async._codec import to_dict
from fine_tuning_async.cli.bars import JobBars
from fine_tuning_async.cli.cells import cell
from fine_tuning_async.cli.output import harmless, is_terminal, tell
from fine_tuning_async.cli.printing import write_json
from fine_tuning_async.cli.terminal import STYLES, console

if TYPE_CHECKING:
    from fine_tuning_async.models import FineTuningJob, JobEvent


class View(Protocol):
    """Shows what happens to jobs, as long as the context is open."""

    def opened(self) -> AbstractContextManager[object]:
        """Begin to show."""

    def job(self, job: FineTuningJob) -> None:
        """A job has another status."""

    def event(self, job: FineTuningJob, event: JobEvent) -> None:
        """An event has happened."""


def view_for(*, as_json: bool) -> View:
    """Return the view that suits who reads it."""
    if as_json:
        return _JSONLines()
    return _Bars() if is_terminal(sys.stdout) else _Lines()


def conclusion(job: FineTuningJob) -> str:
    """Say in a line what became of a job."""
    return harmless("  ".join(filter(None, [job.id, job.status, job.fine_tuned_model])))


class _JSONLines:
    def opened(self) -> AbstractContextManager[object]:
        return nullcontext()

    def job(self, job: FineTuningJob) -> None:
        write_json([to_dict(job)])

    def event(self, _: FineTuningJob, event: JobEvent) -> None:
        write_json([to_dict(event)])


class _Lines:
    def opened(self) -> AbstractContextManager[object]:
        return nullcontext()

    def job(self, job: FineTuningJob) -> None:
        tell(conclusion(job))

    def event(self, _: FineTuningJob, event: JobEvent) -> None:
        tell(_line(event))


class _Bars:
    def __init__(self) -> None:
        self._console = console()
        self._bars = JobBars(self._console)

    def opened(self) -> AbstractContextManager[object]:
        return self._bars.progress

    def job(self, job: FineTuningJob) -> None:
        self._bars.show(job)
        if job.is_terminal:
            self._console.print(Text(conclusion(job), style=STYLES.get(job.status, "")), soft_wrap=True)

    def event(self, job: FineTuningJob, event: JobEvent) -> None:
        self._bars.show(job, event.metrics)
        style = {"error": "red", "warn": "yellow"}.get(event.level or "", "")
        self._console.print(Text(_line(event), style=style), soft_wrap=True)


def _line(event: JobEvent) -> str:
    return f"{cell('created_at', event.created_at)}  {harmless(event.message)}"
