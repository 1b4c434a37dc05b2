"""A clock that each look at jobs moves forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from .clock import LATEST
from .context import SERVICE

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

_JOBS = "/fine_tuning/jobs"


def checked_step(seconds: float) -> float:
    """Return by how much each look moves the clock.

    Raises:
        ValueError: It is negative, or no number of seconds.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LATEST:
        raise ValueError(f"advance_per_poll must be a number of seconds, 0 or above, not {seconds!r}")
    return float(seconds)


@web.middleware
async def polled(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Move the clock before a look at jobs, their events or checkpoints is answered."""
    clock = request.app[SERVICE].clock
    if clock.per_poll and request.method == "GET" and _JOBS in request.path:
        request.app[SERVICE].advance(min(clock.per_poll, LATEST - clock.now()))
    return await handler(request)
