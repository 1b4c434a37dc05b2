"""Tells the log and the caller's observer what became of each attempt."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ._wire import Response
from .errors import APIError
from .retry import AttemptRecord

if TYPE_CHECKING:
    from ._wire import Request
    from .errors import FineTuningError

__all__ = ["OnAttempt", "report"]

OnAttempt = Callable[[AttemptRecord], object]

logger = logging.getLogger("fine_tuning_async")


def report(
    on_attempt: OnAttempt | None,
    request: Request,
    attempt: int,
    start: float,
    outcome: Response | FineTuningError,
    delay: float | None,
) -> None:
    """Tell of an attempt that has ended now; its start is on the loop's clock."""
    level = logging.DEBUG if delay is None else logging.INFO
    if on_attempt is None and not logger.isEnabledFor(level):
        return
    duration = asyncio.get_running_loop().time() - start
    record = AttemptRecord(
        method=request.method,
        path=request.path,
        attempt=attempt,
        started_at=time.time() - duration,
        duration=duration,
        outcome=outcome.status if isinstance(outcome, Response | APIError) else type(outcome).__name__,
        delay=delay,
        request_id=getattr(outcome, "request_id", None),
    )
    logger.log(level, "%s", record)
    if on_attempt is not None:
        _observe(on_attempt, record)


def _observe(on_attempt: OnAttempt, record: AttemptRecord) -> None:
    try:
        on_attempt(record)
    except Exception:  # a broken observer must not break a call that may have created a job
        logger.exception("on_attempt failed; the call goes on")
