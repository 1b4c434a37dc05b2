"""Follows the events of one job, oldest first, each of them once.

Servers list events newest first, with times in whole seconds, and may insert one late. Each round therefore reads
back past the newest event that is known, and tells by the ids what is new: a time may be wrong, as the clocks of a
server's machines may differ. Ids are remembered as far as a round reads.
"""

from __future__ import annotations

import asyncio
from itertools import islice, takewhile
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
REMEMBERED = 10_000
"""Events that are remembered beyond those that a round reads. While none was forgotten, all others are new."""
QUIET = 10.0
"""Seconds without news, after a job has ended, until none is expected; the last ones may come after its status."""


@define(eq=False)
class _Reading:
    """One way back through the list, from its newest event to those that are known.

    Attributes:
        known: The ids of the events that are not new, with their times; those that were read last stand last.
        horizon: Unix seconds; as far as to there it is read at least.
        after: The event up to which all are handled, as long as it was not met.
        knows_all: Whether every event that is not new is known: then times need not be relied on.
        news: New events, newest first.
        ids: Those of all events that were read, with their times.
    """

    pages: Pages[JobEvent]
    known: dict[str, int]
    horizon: float = -inf
    after: str | None = None
    knows_all: bool = True
    news: list[JobEvent] = field(init=False, factory=list)
    ids: dict[str, int] = field(init=False, factory=dict)
    _doubtful: list[JobEvent] = field(init=False, factory=list)  # old, and perhaps forgotten
    _first: float = field(init=False, default=-inf)  # the times of the first and the last event that was read
    _last: float = field(init=False, default=inf)
    _last_is_known: bool = field(init=False, default=False)
    _met: bool = field(init=False, default=False)  # whether one that is known was read

    async def read(self) -> None:
        """Read to the end; after a failure, go on where it happened."""
        while not self.pages.ended and self._goes_on:
            for event in await self.pages.next():
                if event.id not in self.ids:
                    self._take(event)

    @property
    def _goes_on(self) -> bool:
        if self.after is not None or self._last >= self.horizon:
            return True
        # A server that lists the oldest first has its news at the end.
        is_reversed = self._last > self._first
        return is_reversed or (not self._last_is_known and (self.knows_all or not self._met))

    def _take(self, event: JobEvent) -> None:
        if not self.ids:
            self._first = event.created_at
        self.ids[event.id] = self._last = event.created_at
        self._last_is_known = event.id in self.known
        if event.id == self.after:
            # What follows is handled too, and is read only so that it is known wherever an event may be late.
            self.after, self.horizon = None, max(self.ids.values()) - LATENESS
            self.known, self.knows_all = self.ids, False
        elif self._last_is_known:
            self._met = True
            # Before one that is known stands nothing that was forgotten.
            self.news += self._doubtful
            self._doubtful.clear()
        elif self.knows_all or event.created_at >= self.horizon:
            self.news.append(event)
        else:
            self._doubtful.append(event)

    def next(self, pages: Pages[JobEvent], remembered: int) -> _Reading:
        """Return the reading after this one, which knows what this one has read, and so many events besides."""
        ids = {key: at for key, at in self.known.items() if key not in self.ids}
        ids |= dict(reversed(self.ids.items()))
        horizon = max(ids.values(), default=-inf) - LATENESS
        surplus = max(0, len(ids) - len(self.ids) - remembered)
        # Those alone that were read before all others are forgotten.
        forgotten = list(takewhile(lambda key: ids[key] < horizon, islice(ids, surplus)))
        for key in forgotten:
            del ids[key]
        return _Reading(pages, ids, horizon, knows_all=self.knows_all and not forgotten)


@define(kw_only=True, eq=False)
class Follow:
    """One following of a job.

    Attributes:
        page: Fetches a page of the events, after a cursor.
        look: Retrieves the job.
        after: The id of the last event that is handled already.
        remembered: How many events are remembered beyond those that a round reads.
    """

    job_id: str
    polling: Polling
    page: Callable[[str | None], Awaitable[Page[JobEvent]]]
    look: Callable[[], Awaitable[FineTuningJob]]
    after: str | None
    remembered: int = REMEMBERED
    _reading: _Reading = field(init=False)
    _job_ended: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self._reading = _Reading(self._pages(), {}, after=self.after)

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

    def _pages(self) -> Pages[JobEvent]:
        return Pages(self.page, self.polling.note_progress)

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
        self._reading = reading.next(self._pages(), self.remembered)
        # A server may list events of one second in either order; what it listed last, came first.
        return sorted(reading.news, key=lambda event: -event.created_at)
