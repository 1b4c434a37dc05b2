"""A progress bar for each job, on terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
from rich.text import Text

from .jobs.words import are_shown, figures_of, method_of, name_of
from .output import harmless
from .terminal import STYLES

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Task, TaskID

    from fine_tuning_async.models import FineTuningJob, Metrics

NARROWEST, WIDEST = 8, 40
OTHER_COLUMNS = 62
"""What a line of progress takes beside its bar."""
SHORT = 8
"""Characters of a name, which a longer one exceeds at the cost of the bar."""


class JobBars:
    """Draws the bars on a rich console, as long as its `progress` is entered."""

    def __init__(self, console: Console) -> None:
        self._bar = BarColumn(
            None, style="bright_black", complete_style="cyan", finished_style="green", pulse_style="cyan"
        )
        name = TextColumn("  {task.description:<8}", markup=False)
        method = TextColumn("{task.fields[method]:<10}", markup=False)
        figures = TextColumn("{task.fields[figures]:<21}", markup=False)
        whole = (name, method, self._bar, figures, _Status())
        # On a narrow terminal the words say what the bar would: what is last is cut first.
        fits = console.width >= OTHER_COLUMNS + NARROWEST
        self.progress: Progress = Progress(*(whole if fits else (name, _Status(), figures)), console=console)
        self._console = console
        self._tasks: dict[str, TaskID] = {}

    def show(self, job: FineTuningJob, metrics: Metrics | None = None) -> None:
        """Show a job as it is, with the figures of its last step if there are new ones; a new job gets a bar."""
        task = self._task(job)
        if metrics and are_shown(metrics):
            # What trains is running, whatever it was when it was looked at.
            status = harmless(job.status) if job.is_terminal else "running"
            self.progress.update(task, total=metrics.total_steps, completed=metrics.step or 0)
            self.progress.update(task, status=status, figures=figures_of(metrics))
            return
        self.progress.update(task, status=harmless(job.status))
        if job.is_terminal and self.progress.tasks[self.progress.task_ids.index(task)].total is None:
            # A bar that pulses no more: whole, or empty where nothing came of the job.
            self.progress.update(task, total=1, completed=int(job.status == "succeeded"))

    def _task(self, job: FineTuningJob) -> TaskID:
        if job.id not in self._tasks:
            self._fit(name_of(job))
            self._tasks[job.id] = self.progress.add_task(
                name_of(job), total=None, method=method_of(job), status="", figures=""
            )
        return self._tasks[job.id]

    def _fit(self, name: str) -> None:
        room = self._console.width - OTHER_COLUMNS - max(0, len(name) - SHORT)
        self._bar.bar_width = max(NARROWEST, min(self._bar.bar_width or WIDEST, room))


class _Status(ProgressColumn):
    def render(self, task: Task) -> Text:
        status = task.fields["status"]
        return Text(status, style=STYLES.get(status, ""))
