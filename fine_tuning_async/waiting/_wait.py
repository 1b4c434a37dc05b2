"""Waits until one job has ended."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Protocol

from attrs import define, field

from fine_tuning_async.errors import DeadlineExceeded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractContextManager

    from fine_tuning_async.models import FineTuningJob

    from ._polling import Polling

__all__ = ["Deliveries", "Wait"]

LAST_LOOK = 1.0
"""Seconds before the timeout at which a job is looked at once more, so that it does not end unseen."""


class Deliveries(Protocol):
    """What a wait needs of an inbox of webhooks."""

    def watching(self, job_id: str, /) -> AbstractContextManager[asyncio.Event]:
        """Return a context in which the event is set whenever a delivery for the job arrives."""
        ...


@define(kw_only=True, eq=False)
class Wait:
    """One wait for the end of a job.

    Attributes:
        look: Retrieves the job.
        timeout: Seconds; 0 looks once, None waits for as long as it takes.
    """

    job_id: str
    polling: Polling
    look: Callable[[], Awaitable[FineTuningJob]]
    timeout: float | None
    _seen: FineTuningJob | None = field(init=False, default=None)
    _last_look: float = field(init=False, default=inf)

    async def run(self) -> FineTuningJob:
        """Return the job once it has ended.

        Raises:
            DeadlineExceeded: It did not end in time.
        """
        end = asyncio.get_running_loop().time() + self.timeout if self.timeout else None
        if end is not None and self.polling.pace.asked is None:
            self._last_look = end - LAST_LOOK
        try:
            async with asyncio.timeout_at(end) as limit:
                return await self._until_it_ends()
        except TimeoutError:
            if not limit.expired():
                raise
        raise self._late() from self.polling.failure

    async def _until_it_ends(self) -> FineTuningJob:
        while True:
            job = await self.polling.attempt(self.look)
            if job is not None and job.is_terminal:
                return job
            self._seen = job or self._seen
            if self.timeout == 0:
                raise self._late() from self.polling.failure
            await self.polling.pause(until=self._until())

    def _until(self) -> float:
        """Return the time of the last look; none is squeezed in after a failure, for which a server may ask."""
        ahead = asyncio.get_running_loop().time() < self._last_look
        return self._last_look if ahead and self.polling.failure is None else inf

    def _late(self) -> DeadlineExceeded:
        status = "its status is not known" if self._seen is None else f"it was last seen {self._seen.status}"
        doubt = f"; the last look failed: {self.polling.failure}" if self.polling.failure else ""
        text = (
            f"job {self.job_id} did not end within {self.timeout:g} s: {status}{doubt}. "
            "It goes on; wait for it again, or cancel it with cancel_job()"
        )
        return DeadlineExceeded(text, sent=True if self._seen else getattr(self.polling.failure, "sent", None))
