"""The one way to look at a server again and again."""

from __future__ import annotations

import asyncio
import logging
from math import inf
from typing import TYPE_CHECKING, TypeVar

from attrs import define, field

from fine_tuning_async._wire import Replay
from fine_tuning_async.errors import (
    APIError,
    DeadlineExceeded,
    FineTuningError,
    PaginationError,
    RateLimitError,
    ResponseFormatError,
    ServerError,
)
from fine_tuning_async.retry import may_retry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._pace import Pace

__all__ = ["Polling"]

UNREADABLE = 10
"""A gateway may put a page of its own before a server for a while. So many of them in a row are no accident."""
LONGEST_ASKED = 3_600.0
"""Seconds: for no longer is a server obeyed that asks to wait. A mistaken date would end the work unseen."""
ALARMING = 10
"""Every so many failures in a row are worth a warning."""

T = TypeVar("T")
logger = logging.getLogger("fine_tuning_async")


@define(kw_only=True, eq=False)
class Polling:
    """Looks at a server, survives what may pass, says when to look again.

    Attributes:
        pace: How long to wait between two looks.
        wake: Set by somebody else when a look is worth it at once.
        failure: What the last look came to, if it failed.
        due: When to look again, on the loop's clock.
    """

    pace: Pace
    wake: asyncio.Event | None = None
    failure: FineTuningError | None = field(init=False, default=None)
    due: float = field(init=False, default=-inf)
    _failures: int = field(init=False, default=0)
    _unreadable: int = field(init=False, default=0)

    @property
    def is_due(self) -> bool:
        """Whether it is time to look again."""
        return asyncio.get_running_loop().time() >= self.due

    async def attempt(self, look: Callable[[], Awaitable[T]]) -> T | None:
        """Look once; return what was seen, or None after a failure that may pass.

        Raises:
            FineTuningError: Looking again would not help.
        """
        try:
            seen = await look()
        except FineTuningError as error:
            if not self._may_pass(error):
                raise
            # Without its frames, which lead back here: a cycle, that only the garbage collector would find.
            self._wait_out(error.with_traceback(None))
            return None
        self.failure, self._failures, self._unreadable = None, 0, 0
        self._look_again_in(self.pace.next())
        return seen

    def note_progress(self) -> None:
        """Note that a part of a look was seen: failures before it and after it are not in a row."""
        self._failures = self._unreadable = 0

    async def pause(self, *, until: float = inf) -> bool:
        """Sleep until it is time to look again, or until then; tell whether the latter.

        What wakes it in between is about to happen, even if the server does not show it yet: the next waits are
        short again.
        """
        time = asyncio.get_running_loop().time
        delay = max(0.0, min(self.due, until) - time())
        if self.wake is None:
            await asyncio.sleep(delay)
        elif await _is_set_within(self.wake, delay):
            self.wake.clear()
            self.pace.restart()
        return until <= self.due

    def _may_pass(self, error: FineTuningError) -> bool:
        if isinstance(error, ResponseFormatError | PaginationError):
            self._unreadable += 1
            return self._unreadable < UNREADABLE
        self._unreadable = 0
        passing = isinstance(error, DeadlineExceeded | RateLimitError | ServerError)
        return passing or may_retry(error, Replay.SAFE)

    def _wait_out(self, error: FineTuningError) -> None:
        self.failure = error
        self._failures += 1
        asked = error.retry_after if isinstance(error, APIError) else None
        delay = max(min(asked or 0.0, LONGEST_ASKED), self.pace.after_failure(self._failures))
        level = logging.INFO if self._failures % ALARMING else logging.WARNING
        logger.log(level, "%d poll(s) in a row failed, the next in %.1f s: %s", self._failures, delay, error)
        self._look_again_in(delay)

    def _look_again_in(self, delay: float) -> None:
        self.due = asyncio.get_running_loop().time() + delay


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
