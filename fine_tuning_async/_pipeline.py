"""The one loop through which every call goes: authorise, send, decipher, wait, again."""

from __future__ import annotations

import asyncio
import random
import time
from math import inf
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from attrs import define, evolve, field

from ._credentials import OPENAI, Scheme, authorise
from ._document import encode
from ._reporting import report
from ._secret import Authorization, Secret
from ._wire import MAX_REDIRECTS, REDIRECTS, Body, Replay, Request, Response, decipher, redirect
from .errors import (
    APIError,
    ConnectionFailed,
    DeadlineExceeded,
    FineTuningError,
    NotFoundError,
    ResponseFormatError,
)
from .retry import RetryBudget, RetryPolicy, cost, is_ambiguous, may_retry
from .transport import Parcel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._credentials import KeyProvider
    from ._reporting import OnAttempt
    from .transport import Transport

__all__ = ["Pipeline"]

UNREADABLE = "client.request() gives the answer as it came; check that base_url leads to the API itself"

T = TypeVar("T")


class _Failed(NamedTuple):
    """An attempt that has failed, with the seconds to wait before the next; None if there is to be none."""

    failure: FineTuningError
    delay: float | None


@define(kw_only=True, eq=False)
class Pipeline:
    """Everything that is the same for all calls of a client, with the loop that makes one call.

    Attributes:
        key: The key, or an async callable that is asked for it before each attempt.
        scheme: How the server wants to be shown it.
        query: What each request carries in its query; what the request says itself goes before.
        timeout: Seconds; the deadline of one call with all its attempts and waits. For a streamed body or
            answer, the time that may pass without progress.
    """

    transport: Transport
    base_url: str
    key: Secret | KeyProvider = field(repr=False)
    scheme: Scheme = OPENAI
    query: Mapping[str, str] = field(factory=dict)
    headers: Mapping[str, str] = field(repr=False)
    timeout: float
    retry: RetryPolicy
    budget: RetryBudget
    on_attempt: OnAttempt | None = None
    _source: Authorization | KeyProvider = field(init=False, repr=False)

    @_source.default
    def _made_once(self) -> Authorization | KeyProvider:
        return Authorization(*self.scheme.header, self.key) if isinstance(self.key, Secret) else self.key

    def __reduce__(self) -> str:
        raise TypeError("a pipeline holds a key, and is not pickled")

    async def call(self, request: Request, parse: Callable[[Response], T], *, deadline: float | None = None) -> T:
        """Send a request as often as is safe and allowed; return what is made of the answer of a success.

        A 404 is one for a request with Replay.GONE that may have done its work in an earlier attempt.

        Args:
            request: What to send.
            parse: Makes the result of the answer.
            deadline: On the loop's clock; `timeout` from now if left out.

        Raises:
            APIError: The server answered with an error status.
            ConnectionFailed: No answer came.
            DeadlineExceeded: Time ran out.
            ResponseFormatError: The answer is too large, or does not parse.
            ClientStateError: The client is closed, or its session belongs to another loop.
        """
        clock = asyncio.get_running_loop().time
        start = clock()
        if deadline is None:
            deadline = inf if request.body else start + self.timeout
        elif start >= deadline:
            raise DeadlineExceeded(f"{request}: no time was left to send it", sent=False)
        attempt, perhaps_done = 1, False
        while True:
            outcome = await self._attempt(request, parse, attempt, start, deadline)
            if not isinstance(outcome, _Failed):
                return outcome
            failure = outcome.failure
            if perhaps_done and request.replay is Replay.GONE and isinstance(failure, NotFoundError):
                return parse(Response(failure.status, failure.headers, failure.body))
            perhaps_done = perhaps_done or is_ambiguous(failure)
            if outcome.delay is None:
                raise self.verdict(failure, request, attempt, late=clock() >= deadline)
            await asyncio.sleep(outcome.delay)
            attempt, start = attempt + 1, clock()

    def wait_after(self, failure: FineTuningError, attempt: int, remaining: float) -> float | None:
        """Return the seconds to wait before the next attempt, or None if there is to be none.

        At least what the server asks for is waited; where that is longer than what remains, or the budget is
        spent, nothing is sent again.
        """
        if attempt >= self.retry.attempts:
            return None
        asked = failure.retry_after if isinstance(failure, APIError) else None
        # Full jitter: clients that failed together must not come back together.
        delay = max(asked or 0.0, random.uniform(0, self.retry.ceiling(attempt)))  # noqa: S311 - guards nothing
        if delay >= remaining or not self.budget.spend(cost(failure)):
            return None
        return delay

    async def _attempt(
        self,
        request: Request,
        parse: Callable[[Response], T],
        attempt: int,
        start: float,
        deadline: float,
    ) -> T | _Failed:
        """Send once; return what was made of the answer."""
        timeout = self.timeout if request.body else self.retry.attempt_timeout
        try:
            sent = await self._send(request, parse, min(deadline, start + timeout))
        except (ConnectionFailed, ResponseFormatError) as failure:
            sent = failure
        if isinstance(sent, tuple):
            self.budget.refund()
            report(self.on_attempt, request, attempt, start, sent[0], None)
            return sent[1]
        delay = None
        if may_retry(sent, request.replay):
            remaining = self.timeout if request.body else deadline - asyncio.get_running_loop().time()
            delay = self.wait_after(sent, attempt, remaining)
        report(self.on_attempt, request, attempt, start, sent, delay)
        return _Failed(sent, delay)

    async def prepare(self, request: Request, until: float) -> tuple[Parcel, Secret]:
        """Make a request ready to be sent until then; return the key as well, which its answer may echo.

        Raises:
            ConnectionFailed: The key did not come in time.
        """
        source = self._source
        known = source if isinstance(source, Authorization) else await authorise(source, self.scheme, until)
        return self._parcel(request, known, until), known.secret

    async def _send(
        self, request: Request, parse: Callable[[Response], T], until: float
    ) -> tuple[Response, T] | FineTuningError:
        parcel, secret = await self.prepare(request, until)
        try:
            answer = await self.transport.send(parcel)
            if answer.status in REDIRECTS:
                answer = await self._redirected(parcel, answer)
            outcome = decipher(answer, request, secret=secret, now=time.time())
            return outcome if isinstance(outcome, APIError) else (outcome, parse(outcome))
        except (ConnectionFailed, ResponseFormatError) as failure:
            secret.redact_error(failure)
            if isinstance(failure, ResponseFormatError):
                failure.args = (f"{request}: {failure}; {UNREADABLE}",)
            # Without the frames that have read the answer, should a server have put the key into it.
            failure.__context__ = None
            raise failure.with_traceback(None) from failure.__cause__

    async def _redirected(self, parcel: Parcel, answer: Response) -> Response:
        """Follow where an answer leads, as far as credentials may go."""
        for _ in range(MAX_REDIRECTS):
            target = redirect(parcel.url, parcel.method, answer)
            if target is None:
                break
            clock = asyncio.get_running_loop().time
            until = clock() + self.timeout if isinstance(parcel.content, Body) else parcel.until
            parcel = evolve(parcel, url=target, until=until)
            answer = await self.transport.send(parcel)
        return answer

    def _parcel(self, request: Request, authorization: Authorization, until: float) -> Parcel:
        if self.query:
            request = evolve(request, query={**self.query, **request.query})
        headers: Mapping[str, str] = self.headers
        content: bytes | Body | None = request.body
        if request.json is not None:
            headers, content = {**headers, "Content-Type": "application/json"}, encode(request.json)
        elif request.body is not None:
            sizes = {"Content-Type": request.body.content_type, "Content-Length": str(request.body.size)}
            headers = {**headers, **sizes}
        return Parcel(
            method=request.method,
            url=self.base_url + request.target,
            headers={**headers, **request.headers} if request.headers else headers,
            authorization=authorization,
            content=content,
            until=until,
            idle=self.timeout,
        )

    def verdict(self, failure: FineTuningError, request: Request, attempt: int, *, late: bool) -> FineTuningError:
        """Return what the caller is told in the end."""
        if late and isinstance(failure, ConnectionFailed):
            text = f"{request}: {self.timeout:g} s passed without an answer, after {attempt} attempt(s)"
            exceeded = DeadlineExceeded(text, sent=failure.sent)
            exceeded.__cause__ = failure
            return exceeded
        if attempt > 1:
            failure.add_note(f"The request was tried {attempt} times.")
        return failure
