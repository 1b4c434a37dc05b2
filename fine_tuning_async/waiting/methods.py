"""The methods of the client that take as long as a job does."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Literal

from fine_tuning_async import models
from fine_tuning_async.api._base import job_path
from fine_tuning_async.api._metadata import NoMetadata
from fine_tuning_async.api.jobs import JobsAPI
from fine_tuning_async.errors import InvalidArgumentError

from . import _follow, _pace, _polling, _wait, _watch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fine_tuning_async.models import FineTuningJob, JobEvent
    from fine_tuning_async.pagination import Page

    from ._wait import Deliveries

__all__ = ["WaitingAPI"]

LARGE_PAGE = 100  # the most that OpenAI gives at once
SHORTEST_POLL = 0.001
"""Seconds; anything shorter would be a loop that keeps the machine busy."""


class WaitingAPI(JobsAPI):
    """Waiting for jobs, following and watching them.

    A look that fails is logged and repeated, after growing gaps of up to thirty seconds, or as long as the server
    asks for, up to an hour. What another look cannot help ends the work: 400, 401, 403, 404, and ten answers in a
    row that cannot be read. Cancelling detaches at once: nothing is cancelled on the server, and the jobs go on.
    """

    async def wait_for_job(
        self,
        job_id: str,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - its error says what was last seen, and it can be 0
        poll: float | None = None,
        inbox: Deliveries | None = None,
        check: bool = False,
    ) -> FineTuningJob:
        """Wait until a job has ended, and return it (operationId retrieveFineTuningJob).

        A status that is not known is not the end.

        Args:
            job_id: The job.
            timeout: Seconds; 0 looks once, None waits for as long as it takes.
            poll: Seconds between two looks; if left out, from one growing to thirty.
            inbox: A WebhookInbox, whose deliveries wake the wait at once. The job is polled all the same, every
                thirty seconds, in case a delivery is lost.
            check: Whether a job that ended otherwise than succeeded raises.

        Raises:
            JobFailed: The job failed or was cancelled, and `check` is true.
            DeadlineExceeded: The job did not end in time; it goes on.
            NotFoundError: There is no such job, or it was deleted.
            InvalidArgumentError: An argument cannot be used.
            FineTuningError: Another look cannot help.
        """
        job_path(job_id)
        _check_poll(poll)
        _check_timeout(timeout)
        _check_inbox(inbox)
        with nullcontext() if inbox is None else inbox.watching(job_id) as wake:
            pace = _pace.Pace(poll) if wake is None else _pace.Pace.slow(poll)
            polling = _polling.Polling(pace=pace, wake=wake)
            job = await _wait.Wait(
                job_id=job_id, polling=polling, look=lambda: self.retrieve_job(job_id), timeout=timeout
            ).run()
        if check and job.status != models.JobStatus.SUCCEEDED:
            raise models.JobFailed(job)
        return job

    def follow_events(
        self, job_id: str, *, after: str | None = None, poll: float | None = None
    ) -> AsyncGenerator[JobEvent]:
        """Give the events of a job as they happen, oldest first, each once (operationId listFineTuningEvents).

        It ends by itself, ten quiet seconds after the job has ended. An event that comes late is given when it is
        seen, if it is at most a minute older than the newest one before it.

        Args:
            job_id: The job.
            after: The id of the last event that is handled already: it is skipped, with all that the server lists
                before it.
            poll: Seconds between two looks; if left out, from one to thirty, sooner where there is news.

        Raises:
            InvalidArgumentError: An argument cannot be used; or, while iterating, `after` is no event of the job.
            NotFoundError: While iterating: there is no such job.
            FineTuningError: While iterating: another look cannot help.
        """
        job_path(job_id)
        _check_poll(poll)
        self.list_events(job_id, after=after)  # refuses what is no id

        async def page(cursor: str | None) -> Page[JobEvent]:
            return await self.list_events(job_id, after=cursor, limit=LARGE_PAGE)

        return _follow.Follow(
            job_id=job_id,
            polling=_polling.Polling(pace=_pace.Pace(poll)),
            page=page,
            look=lambda: self.retrieve_job(job_id),
            after=after,
        ).run()

    def watch_jobs(
        self,
        job_ids: Iterable[str] | None = None,
        *,
        metadata: Mapping[str, str] | Literal[NoMetadata.NO_METADATA] | None = None,
        poll: float | None = None,
    ) -> AsyncGenerator[FineTuningJob]:
        """Give many jobs as they are, and each again when its status has changed.

        They are read from the list, a hundred at once (operationId listPaginatedFineTuningJobs), but where it is
        cheaper to retrieve them (operationId retrieveFineTuningJob). It looks when the next job is asked for, so
        that a slow consumer gets the latest status of each job, and none of those in between.

        Args:
            job_ids: The jobs; it ends when all of them have ended. None watches all jobs, those that have ended
                and those that are yet to come included, and does not end.
            metadata: Only jobs with these pairs; NO_METADATA for those without any.
            poll: Seconds between two looks; if left out, from one growing to thirty.

        Raises:
            InvalidArgumentError: An argument cannot be used.
            NotFoundError: While iterating: a job that was named does not exist, or was deleted.
            FineTuningError: While iterating: another look cannot help.
        """
        _check_poll(poll)
        named = None if job_ids is None else _checked_ids(job_ids)
        self.list_jobs(metadata=metadata)  # refuses what cannot be asked for
        if isinstance(metadata, Mapping):
            metadata = dict(metadata)

        async def page(cursor: str | None) -> Page[FineTuningJob]:
            return await self.list_jobs(after=cursor, limit=LARGE_PAGE, metadata=metadata)

        def matches(job: FineTuningJob) -> bool:
            if metadata is None:
                return True
            pairs = job.metadata or {}
            return not pairs if isinstance(metadata, NoMetadata) else metadata.items() <= pairs.items()

        return _watch.Watch(
            polling=_polling.Polling(pace=_pace.Pace(poll)),
            page=page,
            retrieve=self.retrieve_job,
            matches=matches,
            job_ids=named,
        ).run()


def _check_poll(poll: float | None) -> None:
    if poll is not None and not _is_seconds(poll, SHORTEST_POLL):
        text = f"poll is {poll!r}; it must be a number of seconds, at least {SHORTEST_POLL}, or None"
        raise InvalidArgumentError(text)


def _check_timeout(timeout: float | None) -> None:
    if timeout is not None and not _is_seconds(timeout, 0):
        raise InvalidArgumentError(f"timeout is {timeout!r}; it must be a number of seconds, at least 0, or None")


def _is_seconds(value: object, least: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= sys.float_info.max


def _check_inbox(inbox: Deliveries | None) -> None:
    if inbox is not None and not callable(getattr(inbox, "watching", None)):
        raise InvalidArgumentError(f"inbox is {inbox!r}; it must be a WebhookInbox, or None")


def _checked_ids(job_ids: Iterable[str]) -> list[str]:
    """Return each id once, in their order."""
    if isinstance(job_ids, str | bytes) or not isinstance(job_ids, Iterable):
        raise InvalidArgumentError(f"job_ids is {job_ids!r}; it must be a list of ids, as in [job.id], or None")
    ids = list(job_ids)
    for each in ids:
        job_path(each)
    return list(dict.fromkeys(ids))
