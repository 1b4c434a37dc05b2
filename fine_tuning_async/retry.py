"""When a request is sent again: policy, budget, verdicts; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from ._wire import Replay
from .errors import (
    APIError,
    ConnectionFailed,
    CreateUncertainError,
    DeadlineExceeded,
    FineTuningError,
    InvalidArgumentError,
    ResponseFormatError,
)

if TYPE_CHECKING:
    from attrs import Attribute

__all__ = ["AttemptRecord", "RetryBudget", "RetryPolicy"]

TOO_MANY_REQUESTS = 429
SEE_OTHER = 303  # what a server answers that has done the work, and says where to see it (RFC 9110, 15.4.4)
REQUEST_TIMEOUT = 408
TOO_EARLY = 425
SERVER_ERRORS = 500
HOPELESS_STATUSES = frozenset({501, 505})
"""Server errors that waiting some seconds does not help."""
UNDONE_STATUSES = HOPELESS_STATUSES | {521, 523}
"""Server errors after which the server certainly did not act: it does not know how, or a gateway did not reach it.

After any other nobody knows, those of gateways (52x, 59x) included.
"""
HOPELESS_CODES = frozenset({"insufficient_quota", "daily_rate_limit_exceeded"})
"""429s that waiting some seconds does not help."""

# The costs of botocore's retry quota: a total outage is held to little more than one request a call.
RETRY_COST = 5
TIMEOUT_COST = 10
SUCCESS_REFUND = 1


def _positive(_: object, attribute: Attribute[float], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise InvalidArgumentError(f"{attribute.name} of RetryPolicy is {value!r}; it must be a number above 0")


def _whole(_: object, attribute: Attribute[int], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        text = f"{attribute.name} of RetryPolicy is {value!r}; it must be a whole number of at least 1"
        raise InvalidArgumentError(text)


@frozen(kw_only=True)
class RetryPolicy:
    """How often, and how patiently, a request is sent again.

    Args:
        attempts: How many times one call is sent at most, the first included.
        attempt_timeout: Seconds that one attempt may take.
        base: Seconds; the ceiling of the wait before the second attempt. It doubles with each further one.
        cap: Seconds; the ceiling that waits never exceed.
        budget: What the client may spend on retries: one costs 5, after a timeout 10; a success gives 1 back.
    """

    attempts: int = field(default=4, validator=_whole)
    attempt_timeout: float = field(default=20.0, validator=_positive)
    base: float = field(default=0.5, validator=_positive)
    cap: float = field(default=8.0, validator=_positive)
    budget: int = field(default=500, validator=_whole)

    def ceiling(self, attempt: int) -> float:
        """Return the longest wait in seconds after this attempt, of which the caller draws a random part."""
        return min(self.cap, self.base * 2.0 ** min(attempt - 1, 1000))  # 2.0 ** 1024 overflows


class RetryBudget:
    """What is left of a client's budget for retries."""

    def __init__(self, capacity: int) -> None:
        self.capacity: int = capacity
        self.left: int = capacity

    def spend(self, cost: int) -> bool:
        """Take the cost, if it is there, and tell whether it was."""
        if cost > self.left:
            return False
        self.left -= cost
        return True

    def refund(self) -> None:
        """Give back what a success earns."""
        if self.left < self.capacity:
            self.left = min(self.capacity, self.left + SUCCESS_REFUND)


@frozen(kw_only=True)
class AttemptRecord:
    """One attempt, for metrics and tracing.

    Attributes:
        method: The HTTP method.
        path: The path behind the base URL, without the query.
        attempt: Which attempt of the call, from 1.
        started_at: Unix time in seconds.
        duration: Seconds.
        outcome: The status of the answer, or the name of the error's class where none came.
        delay: Seconds until the next attempt, or None if this was the last.
        request_id: The server's id of the request, if it gave one.
    """

    method: str
    path: str
    attempt: int
    started_at: float
    duration: float
    outcome: int | str
    delay: float | None
    request_id: str | None


def is_ambiguous(failure: FineTuningError) -> bool:
    """Tell whether the server may have acted on a request that ended like this."""
    if isinstance(failure, APIError):
        return failure.status in {REQUEST_TIMEOUT, SEE_OTHER} or _may_have_acted(failure.status)
    if isinstance(failure, ConnectionFailed | DeadlineExceeded):
        return failure.sent is not False
    # A success that cannot be read; what the client refused itself was never sent.
    return isinstance(failure, ResponseFormatError | CreateUncertainError)


def may_retry(failure: FineTuningError, replay: Replay) -> bool:
    """Tell whether a request may be sent again after this failure."""
    if isinstance(failure, ConnectionFailed):
        return failure.sent is False or replay is not Replay.ONCE
    if not isinstance(failure, APIError) or failure.code in HOPELESS_CODES:
        return False
    if failure.status == TOO_MANY_REQUESTS:
        return True
    if replay is Replay.ONCE or failure.status in HOPELESS_STATUSES:
        return False
    return failure.status in {REQUEST_TIMEOUT, TOO_EARLY} or failure.status >= SERVER_ERRORS


def _may_have_acted(status: int) -> bool:
    return status >= SERVER_ERRORS and status not in UNDONE_STATUSES


def cost(failure: FineTuningError) -> int:
    """Return what a retry after this failure takes from the budget."""
    timed_out = isinstance(failure, ConnectionFailed) and isinstance(failure.__cause__, TimeoutError)
    return TIMEOUT_COST if timed_out else RETRY_COST
