"""Makes one job for one idempotency key, whatever is lost on the way.

The key is written into the job's metadata, beside a digest of what was asked for. Where an answer is lost, the
list says whether the job exists. What an empty list proves depends on how the answer was lost: `_proves_absence`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from attrs import define, field

from fine_tuning_async.errors import (
    APIError,
    ClientStateError,
    ConnectionFailed,
    CreateUncertainError,
    DeadlineExceeded,
    FineTuningError,
    IdempotencyKeyReusedError,
)
from fine_tuning_async.retry import is_ambiguous

from ._keys import DIGEST, KEY, bears_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from fine_tuning_async.models import FineTuningJob
    from fine_tuning_async.pagination import Paginator

    from ._keys import Keys

__all__ = ["KeyedCreate"]

RESERVED = 0.25
"""The part of the deadline that is kept for looking, when the create itself has used up the rest."""
SKEW = 600
"""Seconds by which the server's clock may be behind ours."""
FIRST_GAP = 0.5
"""Seconds until the second look; each further gap is twice as long."""

logger = logging.getLogger("fine_tuning_async")


@define(kw_only=True)
class KeyedCreate:
    """One create under a key.

    Attributes:
        post: Sends the create, until a time on the loop's clock.
        search: Lists the jobs, by a metadata filter or all of them.
        wait_after: Says how many seconds to wait after a failure, by the attempt and the seconds that are left;
            None to give up.
        timeout: Seconds for all of it.
    """

    body: Mapping[str, object]
    key: str
    keys: Keys
    post: Callable[[float], Awaitable[FineTuningJob]]
    search: Callable[[Mapping[str, str] | None], Paginator[FineTuningJob]]
    wait_after: Callable[[FineTuningError, int, float], float | None]
    timeout: float
    _end: float = field(init=False, default=0.0)

    async def run(self) -> FineTuningJob:
        """Return the job of this key, created now or found."""
        start = asyncio.get_running_loop().time()
        self._end = start + self.timeout
        async with self.keys.held(self.key, self._end):
            found = await self._find_before()
            return found or await self._create(start + self.timeout * (1 - RESERVED))

    async def _find_before(self) -> FineTuningJob | None:
        """Look for a job that an earlier call has made, however long ago."""
        try:
            async with asyncio.timeout_at(self._end):
                return await self._find(since=None)
        except TimeoutError:
            text = f"{self.timeout:g} s passed in looking for the key {self.key!r}; no job was created"
            raise DeadlineExceeded(text, sent=False) from None

    async def _create(self, send_until: float) -> FineTuningJob:
        clock, since, attempt = asyncio.get_running_loop().time, time.time() - SKEW, 1
        while True:
            try:
                job = await self.post(send_until)
            except FineTuningError as error:
                if not is_ambiguous(error):
                    raise
                found = await self._look(error, since)
                if found is not None:
                    return found
                delay = self.wait_after(error, attempt, send_until - clock())
                if delay is None:
                    error.add_note("The list shows that no job was made: it is safe to create it again.")
                    raise
            else:
                self.keys.learn(job, self.key)
                return job
            await asyncio.sleep(delay)
            attempt += 1

    async def _look(self, failure: FineTuningError, since: float) -> FineTuningJob | None:
        """Return the job if it exists, None if it certainly does not.

        Raises:
            CreateUncertainError: Nobody knows.
        """
        clock, gap = asyncio.get_running_loop().time, FIRST_GAP
        while True:
            try:
                async with asyncio.timeout_at(self._end):
                    found = await self._find(since)
                    if found or (_proves_absence(failure) and await self._keeps_metadata(since)):
                        return found
            except (ClientStateError, IdempotencyKeyReusedError) as error:
                # No further look can help, and a job may exist all the same.
                raise self._uncertain(failure) from error
            except (FineTuningError, TimeoutError) as error:
                logger.debug("a look for the key %r failed, which says nothing: %s", self.key, error)
            if clock() + gap >= self._end:
                raise self._uncertain(failure) from failure
            await asyncio.sleep(gap)
            gap *= 2

    async def _find(self, since: float | None) -> FineTuningJob | None:
        """Return the oldest job of this key, by filter and by comparing, as servers may ignore the filter."""
        oldest = None
        async for job in self.search({KEY: self.key}):
            if since is not None and job.created_at < since:
                break
            if (job.metadata or {}).get(KEY) == self.key:
                oldest = self._same(job)
        return oldest

    def _same(self, job: FineTuningJob) -> FineTuningJob:
        self.keys.keeps_metadata = True
        asked, digest = self.body["metadata"], (job.metadata or {}).get(DIGEST)
        if digest is None or (isinstance(asked, dict) and digest == asked[DIGEST]):
            return job
        raise IdempotencyKeyReusedError(
            f"idempotency_key {self.key!r} made job {job.id} with other parameters (a file that was uploaded "
            "anew has another id); take a new key for a new job"
        )

    async def _keeps_metadata(self, since: float) -> bool:
        """Tell whether the list would show the key, before its silence is taken for an answer.

        Where that was not seen yet, a recent job that bears some key whole says yes; and any other recent job
        might be this one, whatever a gateway has made of its metadata.
        """
        if self.keys.keeps_metadata is not None:
            return self.keys.keeps_metadata
        other = False
        async for job in self.search(None):
            if job.created_at < since:
                break
            if bears_key(job.metadata or {}):
                return True
            other = True
        return not other

    def _uncertain(self, failure: FineTuningError) -> CreateUncertainError:
        return CreateUncertainError(
            f"a job with the key {self.key!r} may exist and cost money; it was not seen in {self.timeout:g} s: "
            f"{failure}. Create it again with the same key: it is looked for first"
        )


def _proves_absence(failure: FineTuningError) -> bool:
    """Tell whether a job that is not listed after this failure was not made.

    It was not, where the server ended the exchange itself. After our own timeout, or where a gateway gave up, the
    server may still be at work, and the job may appear later.
    """
    if isinstance(failure, APIError):
        return failure.status in {500, 503}
    return isinstance(failure, ConnectionFailed) and failure.ended
