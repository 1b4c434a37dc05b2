"""Makes one job for one idempotency key, whatever is lost on the way.

The key is written into the job's metadata, beside a digest of what was asked for. Where an answer is lost, the
list says whether the job exists. What an empty list proves depends on how the answer was lost: `_proves_absence`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing
from math import inf
from typing import TYPE_CHECKING

from attrs import define, field

from fine_tuning_async.errors import (
    APIError,
    ClientStateError,
    ConflictError,
    ConnectionFailed,
    CreateUncertainError,
    DeadlineExceeded,
    FineTuningError,
    IdempotencyKeyReusedError,
)
from fine_tuning_async.retry import is_ambiguous

from ._marks import DIGEST, KEY, bears_key
from ._recent import Recent

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


@define
class _Seen:
    """What one search has shown: the oldest job of the key, and whether there are recent ones without any."""

    found: FineTuningJob | None = None
    others: bool = False


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
    _since: float = field(init=False, default=-inf)  # Unix seconds; no create of this key was sent before
    _was_doubtful: bool = field(init=False, default=False)

    async def run(self) -> FineTuningJob:
        """Return the job of this key, created now or found."""
        start = asyncio.get_running_loop().time()
        self._end = start + self.timeout
        async with self.keys.held(self.key, self._end):
            self._was_doubtful = self.key in self.keys.doubtful
            job = await self._find_before()
            if job is None:
                # What ends in any other way than below leaves the key in doubt: a cancellation, too.
                self._since = self.keys.doubtful.setdefault(self.key, time.time() - SKEW)
                job = await self._create(start + self.timeout * (1 - RESERVED))
            self.keys.doubtful.pop(self.key, None)
            return job

    async def _find_before(self) -> FineTuningJob | None:
        """Look for a job that an earlier call has made, however long ago; in doubt, without the filter as well."""
        try:
            async with asyncio.timeout_at(self._end):
                found = await self._find(since=-inf)
                if found is None and self._was_doubtful:
                    found = (await self._search(None, self.keys.doubtful[self.key])).found
                return found
        except TimeoutError:
            text = f"{self.timeout:g} s passed in looking for the key {self.key!r}; no job was created"
            raise DeadlineExceeded(text, sent=False) from None

    async def _create(self, send_until: float) -> FineTuningJob:
        clock, attempt = asyncio.get_running_loop().time, 1
        while True:
            try:
                job = await self.post(send_until)
            except FineTuningError as error:
                # A server that honours the key as a header may say so while it is still at an earlier attempt.
                at_work = (attempt > 1 or self._was_doubtful) and isinstance(error, ConflictError)
                if not is_ambiguous(error) and not at_work:
                    self._settle()
                    raise
                found = await self._look(error)
                if found is not None:
                    return found
                delay = self.wait_after(error, attempt, send_until - clock())
                if delay is None:
                    self._settle()
                    error.add_note("The list shows that no job was made: it is safe to create it again.")
                    raise
            else:
                self.keys.learn(job, self.key)
                return job
            await asyncio.sleep(delay)
            attempt += 1

    async def _look(self, failure: FineTuningError) -> FineTuningJob | None:
        """Return the job if it exists, None if it certainly does not.

        Raises:
            CreateUncertainError: Nobody knows.
        """
        clock, gap = asyncio.get_running_loop().time, FIRST_GAP
        while True:
            try:
                async with asyncio.timeout_at(self._end):
                    found, certain = await self._find(self._since), False
                    if found is None:
                        found, certain = await self._find_among_all()
                    if found or (certain and _proves_absence(failure)):
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

    async def _find(self, since: float) -> FineTuningJob | None:
        """Return the oldest job of this key, by filter and by comparing, as servers may ignore the filter."""
        found = (await self._search({KEY: self.key}, since)).found
        self.keys.are_found = self.keys.are_found or found is not None
        return found

    async def _find_among_all(self) -> tuple[FineTuningJob | None, bool]:
        """Look without the filter; return the job, and whether the list would show it if it were there.

        The index behind a filter may lag. And where it was not seen that the server keeps keys, any recent job
        that does not bear another key whole might be this one, whatever a gateway has made of its metadata.
        """
        kept = self.keys.keeps_metadata
        if kept is False or self.keys.are_found:
            return None, kept is not False
        seen = await self._search(None, self._since)
        return seen.found, kept or not seen.others

    async def _search(self, metadata: Mapping[str, str] | None, since: float) -> _Seen:
        seen, recent = _Seen(), Recent(since)
        async with aclosing(self.search(metadata).pages()) as pages:
            async for page in pages:
                for job in page.data:
                    self._see(job, seen, is_recent=job.created_at >= since)
                if recent.ends_with(page.data):
                    break
        return seen

    def _see(self, job: FineTuningJob, seen: _Seen, *, is_recent: bool) -> None:
        if (job.metadata or {}).get(KEY) != self.key:
            seen.others = seen.others or (is_recent and not bears_key(job.metadata or {}))
            return
        self._require_same(job)
        if seen.found is None or job.created_at <= seen.found.created_at:
            seen.found = job

    def _require_same(self, job: FineTuningJob) -> None:
        self.keys.keeps_metadata = True
        asked, digest = self.body["metadata"], (job.metadata or {}).get(DIGEST)
        if digest is None or (isinstance(asked, dict) and digest == asked[DIGEST]):
            return
        raise IdempotencyKeyReusedError(
            f"idempotency_key {self.key!r} made job {job.id} with other parameters (a file that was uploaded "
            "anew has another id); take a new key for a new job"
        )

    def _settle(self) -> None:
        """Note that this call made nothing; an earlier one of the key may have, all the same."""
        if not self._was_doubtful:
            self.keys.doubtful.pop(self.key, None)

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
