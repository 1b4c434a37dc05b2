"""What the story of the demo needs of whatever shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from fine_tuning_async.models import File, FineTuningJob, JobEvent


class View(Protocol):
    """Shows the demo; it only listens, and decides nothing."""

    def opening(self, url: str) -> None:
        """The server is up."""

    def uploaded(self, file: File) -> None:
        """A file has arrived on the server."""

    def following(self, jobs: Sequence[FineTuningJob]) -> AbstractContextManager[object]:
        """These jobs are followed as long as the context is open."""

    def update(self, job: FineTuningJob, news: Sequence[JobEvent]) -> None:
        """A job was looked at; these events, oldest first, are new."""

    def table(self, jobs: Sequence[FineTuningJob]) -> None:
        """All jobs, in the server's order."""

    def failure(self, job: FineTuningJob) -> None:
        """A job failed."""

    def curve(self, job: FineTuningJob, events: Sequence[JobEvent]) -> None:
        """All events of a job whose losses are worth a look."""
