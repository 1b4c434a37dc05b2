"""The idempotency keys that are in use in one client."""

from __future__ import annotations

import asyncio
import logging
import warnings
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from fine_tuning_async.errors import DeadlineExceeded

from . import _marks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fine_tuning_async.models import FineTuningJob

__all__ = ["Keys"]

logger = logging.getLogger("fine_tuning_async")


class Keys:
    """The keys in use in one client, and what it has learned about the server's memory for them.

    Attributes:
        keeps_metadata: Whether jobs come back with their metadata; None until it was seen.
        are_found: Whether the metadata filter has found a job by its key.
        doubtful: The keys whose creates may have come to something, each with the Unix time since when.
    """

    def __init__(self) -> None:
        self.keeps_metadata: bool | None = None
        self.are_found = False
        self.doubtful: dict[str, float] = {}
        self._locks: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def held(self, key: str, until: float) -> AsyncIterator[None]:
        """Hold a key, so that a second call with it waits for the first."""
        index = id(asyncio.get_running_loop()), key
        lock = self._locks.setdefault(index, asyncio.Lock())
        try:
            async with asyncio.timeout_at(until):
                await lock.acquire()
        except TimeoutError:
            text = f"another call with the key {key!r} is still at work; nothing was sent by this one"
            raise DeadlineExceeded(text, sent=False) from None
        try:
            yield
        finally:
            lock.release()

    def learn(self, job: FineTuningJob, key: str) -> None:
        """See from a job that was created with a key whether the server keeps metadata."""
        keeps, told = (job.metadata or {}).get(_marks.KEY) == key, self.keeps_metadata is False
        self.keeps_metadata = keeps
        if not keeps and not told:
            _warn(
                f"the server dropped the metadata of job {job.id}: no key can protect against paying twice there"
            )


def _warn(text: str) -> None:
    try:
        warnings.warn(text, UserWarning, stacklevel=2)
    except UserWarning:
        # Warnings are errors here; but the job is there, and its id must reach the caller.
        logger.warning(text)
