"""The content of one file as it comes: broken off, it goes on where it broke."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from ._opening import opened
from ._ranges import described, from_byte, is_strong
from ._reporting import report
from ._wire import Response
from .errors import APIError, ConnectionFailed, FineTuningError, ResponseFormatError
from .retry import may_retry

if TYPE_CHECKING:
    from ._arriving import Arriving
    from ._pipeline import Pipeline
    from ._ranges import Part
    from ._secret import Secret
    from ._wire import Request

__all__ = ["Download"]


class _CannotContinueError(Exception):
    """The server answered, and not with the rest that it was asked for."""


@define(eq=False, kw_only=True)
class Download:
    """One download, with its attempts.

    Attributes:
        pipeline: What it is sent through.
        request: What asks for the whole file.
        rewinds: Whether the reader can take back what it was given: then a file that cannot be continued is begun
            again, and `received` falls back to 0.
        received: How many bytes the reader has been given since the beginning.
        total: How many there are, or None if the server does not say.
    """

    pipeline: Pipeline = field(repr=False)
    request: Request
    rewinds: bool
    received: int = 0
    total: int | None = None
    _arriving: Arriving | None = field(default=None, repr=False)
    _secret: Secret | None = field(default=None, repr=False)  # what the answer may echo
    _validator: str | None = None  # of what has been given to the reader
    _whole: bool = False
    _ranges: bool = True  # whether the server can be asked to continue
    _skip: int = 0
    _stop: int | None = None
    _furthest: int = 0
    _attempt: int = 1
    _before: int = 0  # how many attempts came before the last one that got further
    _began: float = 0.0

    async def start(self) -> None:
        """Send the request, and again if need be, until an answer begins.

        Raises:
            APIError: The server answered with an error status.
            ConnectionFailed: No answer came.
            ResponseFormatError: The answer is no file.
        """
        while self._arriving is None:
            try:
                await self._open()
            except _CannotContinueError as error:
                # The server is well: that it cannot continue is no failed attempt, and happens once at most.
                self._ranges = False
                self._report(ConnectionFailed(f"{self.request}: {error}", sent=True), 0.0)
                continue
            except (APIError, ConnectionFailed, ResponseFormatError) as error:
                failure = error
            else:
                return
            await self._recover(failure)

    async def read(self) -> bytes:
        """Return what comes next, at least one byte; nothing when the file is whole.

        Raises:
            APIError: The server answered with an error status.
            ConnectionFailed: The answer broke off, and could not be continued.
            ResponseFormatError: The file changed meanwhile, or the server contradicts itself.
        """
        while not self._whole:
            await self.start()
            try:
                return await self._next()
            except (ConnectionFailed, ResponseFormatError) as error:
                failure = error
            await self._recover(failure)
        return b""

    def close(self) -> None:
        """Let go of the connection. It can be kept only where the answer has come to its end."""
        arriving, self._arriving = self._arriving, None
        if arriving is not None:
            arriving.close()

    async def _next(self) -> bytes:
        while True:
            assert self._arriving is not None
            chunk = await self._arriving.read(self.pipeline.timeout)
            if not chunk:
                return self._finish(self._arriving)
            if self._skip:
                skipped = min(self._skip, len(chunk))
                self._skip -= skipped
                chunk = chunk[skipped:]
            if chunk:
                return self._progress(chunk)

    def _progress(self, chunk: bytes) -> bytes:
        self.received += len(chunk)
        stop = self.total if self._stop is None else self._stop
        if stop is not None and self.received > stop:
            raise ResponseFormatError(f"{self.request}: more came than the {stop} bytes that were announced")
        if self.received > self._furthest:
            # Only what no attempt has reached before: a server that always breaks at one place gets no more.
            self._furthest = self.received
            self._before = self._attempt - 1
        return chunk

    def _finish(self, arriving: Arriving) -> bytes:
        expected = self._stop if self.total is None else self.total
        if self._skip or (expected is not None and self.received < expected):
            size = "all" if expected is None else expected
            text = f"{self.request}: the answer ended after {self.received} of {size} bytes"
            raise ConnectionFailed(text, sent=True, ended=True)
        self._whole = True
        self.close()
        self.pipeline.budget.refund()
        self._report(Response(arriving.status, arriving.headers, b""), None)
        return b""

    async def _open(self) -> None:
        clock = asyncio.get_running_loop().time
        self._began = clock()
        try:
            arriving, self._secret = await opened(self.pipeline, self._asking(), clock() + self.pipeline.timeout)
        except APIError as error:
            if error.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and self._continuing:
                raise _CannotContinueError(str(error)) from None
            raise
        try:
            self._take(self._described(arriving))
        except BaseException:
            arriving.close()
            raise
        self._arriving = arriving

    @property
    def _continuing(self) -> bool:
        return self._ranges and self.received > 0 and is_strong(self._validator)

    def _asking(self) -> Request:
        """Return what asks for the rest, or for all if the server cannot, or cannot be trusted to."""
        if not self._continuing or self._validator is None:
            return self.request
        rest = from_byte(self.received, self._validator)
        return evolve(self.request, headers={**self.request.headers, **rest})

    def _described(self, arriving: Arriving) -> Part:
        try:
            return described(arriving.status, arriving.headers, time.time())
        except ResponseFormatError as error:
            if self._continuing:
                raise _CannotContinueError(str(error)) from None
            raise

    def _take(self, part: Part) -> None:
        """Go on with an answer, from the beginning if it is one."""
        if self.received and part.start == 0 and part.stop == part.total:
            self._begin_again(part)
        elif not self._fits(part):
            text = f"the server did not continue at byte {self.received}"
            if self._continuing:
                raise _CannotContinueError(text)
            raise ResponseFormatError(f"{self.request}: {text}")
        if not self.received:
            self._validator, self.total = part.validator, part.total
        elif self.total is None:
            self.total = part.total
        self._stop = part.stop

    def _fits(self, part: Part) -> bool:
        if part.start != self.received or (part.stop is not None and part.total is None and self.total is None):
            return False  # of a part of nobody knows what, nobody knows whether it is the last
        if not self.received:
            return True
        # RFC 9110, 15.3.7.3: parts are put together only if they share a strong validator.
        same = part.validator in {None, self._validator} and not part.encoded
        return same and (part.total is None or self.total is None or part.total == self.total)

    def _begin_again(self, part: Part) -> None:
        same = is_strong(self._validator) and part.validator == self._validator
        if self.rewinds:
            self.received = 0
        elif same and (part.total is None or self.total is None or part.total == self.total):
            self._skip = self.received
        else:
            raise ResponseFormatError(
                f"{self.request}: the server began again after {self.received} bytes, and does not vouch for it "
                "being the same file; download_file can begin again too"
            )

    async def _recover(self, failure: FineTuningError) -> None:
        """Wait until the next attempt is due, or raise."""
        self.close()
        self._skip = 0
        if self._secret is not None:
            self._secret.redact_error(failure)
        pipeline, attempt = self.pipeline, self._attempt
        delay = None
        if self.received and not self.rewinds and not is_strong(self._validator):
            failure.add_note(f"{self.received} bytes were read; the server gives nothing to continue by.")
        elif may_retry(failure, self.request.replay):
            # A server that asks for a longer wait than that for a byte does not get it.
            delay = pipeline.wait_after(failure, attempt - self._before, pipeline.timeout)
        self._report(failure, delay)
        if delay is None:
            # Without the frames that have read the answer, as in the pipeline.
            raise pipeline.verdict(failure, self.request, attempt, late=False).with_traceback(None)
        await asyncio.sleep(delay)
        self._attempt += 1

    def _report(self, outcome: Response | FineTuningError, delay: float | None) -> None:
        report(self.pipeline.on_attempt, self.request, self._attempt, self._began, outcome, delay)
