"""Follows the events of one job, oldest first, each of them once.

Servers list events newest first, with times in whole seconds, and may insert one late. Each round therefore reads
back past the newest event that is known, and tells by the ids what is new. They are remembered as far as it reads.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING

from attrs import define, field

from fine_tuning_async.errors import InvalidArgumentError

from ._pages import Pages

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from fine_tuning_async.models import FineTuningJob, JobEvent
    from fine_tuning_async.pagination import Page

    from ._polling import Polling

__all__ = ["Follow"]

LATENESS = 60
"""Seconds by which an event may be older than others that were listed before it."""
QUIET = 10.0
"""Seconds without news, after a job has ended, until none is expected; the last ones may come after its status."""


@define(eq=False)
class _Reading:
    """One way back through the list, from its newest event to those that are known.

    Attributes:
        known: The ids of the events that are not new, with their times.
        horizon: Unix seconds; what is older is not new, and not read.
        after: The event up to which all are handled, as long as it was not met.
        news: New events, newest first.
        ids: Those of all events that were read, with their times.
    """

    pages: Pages[JobEvent]
    known: dict[str, int]
    horizon: float = -inf
    after: str | None = None
    news: list[JobEvent] = field(init=False, factory=list)
    ids: dict[str, int] = field(init=False, factory=dict)
    _oldest: float = field(init=False, default=inf)

    async def read(self) -> None:
        """Read to the end; after a failure, go on where it happened."""
        while not self.pages.ended and (self.after is not None or self._oldest >= self.horizon):
            for event in await self.pages.next():
                if event.id not in self.ids:
                    self._take(event)

    def _take(self, event: JobEvent) -> None:
        self.ids[event.id] = self._oldest = event.created_at
        if event.id == self.after:
            # What follows is handled too, and is read only so that it is known wherever an event may be late.
            self.after, self.horizon = None, max(self.ids.values()) - LATENESS
            self.known = self.ids
        elif event.id not in self.known and event.created_at >= self.horizon:
            self.news.append(event)


@define(kw_only=True, eq=False)
class Follow:
    """One following of a job.

    Attributes:
        page: Fetches a page of the events, after a cursor.
        look: Retrieves the job.
        after: The id of the last event that is handled already.
    """

    job_id: str
    polling: Polling
    page: Callable[[str | None], Awaitable[Page[JobEvent]]]
    look: Callable[[], Awaitable[FineTuningJob]]
    after: str | None
    _reading: _Reading = field(init=False)
    _job_ended: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self._reading = _Reading(Pages(self.page), {}, after=self.after)

    async def run(self) -> AsyncGenerator[JobEvent]:
        """Give the events, until the job has ended and nothing more came for ten seconds."""
        time = asyncio.get_running_loop().time
        last, quiet_until = False, inf
        while True:
            news = await self.polling.attempt(self._round)
            if news is None:
                await self.polling.pause()
                continue
            if last and not news:
                return
            if self._job_ended and (news or quiet_until == inf):
                quiet_until = time() + QUIET
            while news:
                yield news.pop()
            last = await self.polling.pause(until=quiet_until)

    async def _round(self) -> list[JobEvent]:
        """Return what is new, newest first; where nothing is, find out whether the job has ended."""
        reading = self._reading
        await reading.read()
        if reading.after is not None:
            raise InvalidArgumentError(
                f"after is {reading.after!r}, which is no event of job {self.job_id} any more; leave it out to "
                "follow the job from its first event"
            )
        if reading.news:
            self.polling.pace.hasten()
        elif not self._job_ended and (await self.look()).is_terminal:
            self._job_ended = True
            self.polling.pace.restart()
        self._reading = self._after(reading)
        # A server may list events of one second in either order; what it listed last, came first.
        return sorted(reading.news, key=lambda event: -event.created_at)

    def _after(self, reading: _Reading) -> _Reading:
        """Return the reading after this one, which knows what this one has read."""
        ids = reading.known | reading.ids
        horizon = max(ids.values(), default=-inf) - LATENESS
        return _Reading(Pages(self.page), {key: at for key, at in ids.items() if at >= horizon}, horizon)
