"""Watches many jobs, and gives each whose status has changed.

It looks only when it is asked for the next job, so that nothing runs in between, and a slow consumer gets what is
true by then: changes that it had no time for are overwritten by later ones, job by job.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from attrs import define, field

from fine_tuning_async.errors import NotFoundError, ResponseFormatError

from ._pages import Pages
from ._round import Round

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

    from fine_tuning_async.models import FineTuningJob
    from fine_tuning_async.pagination import Page

    from ._polling import Polling

__all__ = ["Watch"]


@define(kw_only=True, eq=False)
class Watch:
    """One watching of jobs.

    Attributes:
        page: Fetches a page of the jobs, after a cursor.
        retrieve: Retrieves a job.
        matches: Tells whether a job is one of those that are watched.
        job_ids: The jobs, or None for all that there are and will be.
    """

    polling: Polling
    page: Callable[[str | None], Awaitable[Page[FineTuningJob]]]
    retrieve: Callable[[str], Awaitable[FineTuningJob]]
    matches: Callable[[FineTuningJob], bool]
    job_ids: Iterable[str] | None
    _all: bool = field(init=False)
    # The jobs that have not ended, as far as known, each with the page of the list on which it was last.
    _depths: dict[str, int] = field(init=False)
    _ended: set[str] = field(init=False, factory=set)
    _told: dict[str, str] = field(init=False, factory=dict)
    _changed: OrderedDict[str, FineTuningJob] = field(init=False, factory=OrderedDict)
    _round: Round = field(init=False)
    _list: Pages[FineTuningJob] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._all = self.job_ids is None
        self._depths = dict.fromkeys(self.job_ids or (), 1)
        self._begin(Round(self._depths.copy(), complete=self._all))

    async def run(self) -> AsyncGenerator[FineTuningJob]:
        """Give the first status of each job, and each change; end when all jobs that were named have ended."""
        while self._changed or self._goes_on:
            if self._goes_on and (self.polling.is_due or not self._changed):
                await self.polling.pause()
                await self.polling.attempt(self._look)
            else:
                yield self._take()

    @property
    def _goes_on(self) -> bool:
        return self._all or bool(self._depths)

    def _take(self) -> FineTuningJob:
        job_id, job = self._changed.popitem(last=False)
        if not job.is_terminal:
            self._told[job_id] = job.status
        else:
            self._told.pop(job_id, None)
        return job

    async def _look(self) -> None:
        """Look at all jobs; after a failure, go on where it happened."""
        here = self._round
        while here.wants_page():
            jobs = await self._list.next()
            here.turn((job.id for job in jobs), is_last=self._list.ended)
            for job in jobs:
                self._observe(job, here.pages)
        for job_id in [each for each in here.depths if each in here.missing]:
            await self._look_at(job_id, here.depth_without(job_id))
            here.missing.discard(job_id)
            self.polling.note_progress()
        self._begin(Round(self._depths.copy(), known=here.front if self._all else None))

    def _begin(self, planned: Round) -> None:
        self._round, self._list = planned, Pages(self.page, self.polling.note_progress)

    async def _look_at(self, job_id: str, depth: int) -> None:
        try:
            job = await self.retrieve(job_id)
        except NotFoundError:
            if not self._all:
                raise
            self._forget(job_id)  # nobody has named it
        else:
            if job.id != job_id:  # what is looked for would never be seen
                raise ResponseFormatError(f"job {job_id} was asked for, and {job.id} was the answer")
            self._observe(job, depth)

    def _observe(self, job: FineTuningJob, depth: int) -> None:
        if job.id not in self._depths and (not self._all or job.id in self._ended):
            return
        if not self.matches(job):
            self._forget(job.id)
        elif job.is_terminal:
            self._depths.pop(job.id, None)
            self._ended.add(job.id)
            self._tell(job)
        else:
            self._depths[job.id] = depth
            self._tell(job)

    def _tell(self, job: FineTuningJob) -> None:
        if self._told.get(job.id) == job.status:
            self._changed.pop(job.id, None)
        else:
            self._changed[job.id] = job

    def _forget(self, job_id: str) -> None:
        self._depths.pop(job_id, None)
        self._told.pop(job_id, None)
        self._changed.pop(job_id, None)
