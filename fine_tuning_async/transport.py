"""Sends one request, once, through aiohttp, and knows whether anything left the machine."""

from __future__ import annotations

import asyncio
import io
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

import aiohttp
from attrs import field
from yarl import URL

from ._arriving import Arriving, bounded
from ._delivery import FOREIGN, explained
from ._middlewares import middlewares, sets_late
from ._time_limit import TimeLimit
from ._values import value
from ._wire import Body, Response
from .errors import ResponseFormatError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Mapping
    from types import TracebackType

    from ._secret import Authorization
    from ._sessions import Sessions

__all__ = ["AiohttpTransport", "Parcel", "Transport"]

READ_BUFFER = 2**16
STREAM_BUFFER = 2**18  # as much as asyncio takes from a socket at once
MAX_HEADER = 8_190
MAX_HEADERS = 128
LARGE = 2**20  # bytes; aiohttp warns when more is handed to it in one piece
NO_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)


@value(kw_only=True)
class Parcel:
    """One request as it is sent: nothing is decided about it any more.

    Attributes:
        authorization: The header that carries the key; kept apart from what may be shown. None where nothing
            that identifies the caller may be sent: then the URL may be a secret too, and its query is not shown.
        until: When the attempt ends, on the loop's clock; a streamed body moves it ahead of itself.
        idle: Seconds without progress after which a streamed body is given up.
    """

    method: str
    url: str = field(repr=lambda url: url.partition("?")[0])
    headers: Mapping[str, str] = field(repr=False)
    authorization: Authorization | None
    content: bytes | Body | None = field(default=None, repr=False)
    until: float | None = None
    idle: float = 60.0

    def __str__(self) -> str:
        return f"{self.method} {self.url if self.authorization else self.url.partition('?')[0]}"


class Transport(Protocol):
    """Sends one request, once."""

    async def send(self, parcel: Parcel) -> Response:
        """Send it, and return the answer with its whole body, whatever its status.

        Raises:
            ConnectionFailed: No answer came; `sent` says whether the server may have acted.
            ResponseFormatError: The body of a success is larger than 64 MiB, which is not read.
        """
        ...

    async def open(self, parcel: Parcel) -> Arriving:
        """Send it, and return the answer as soon as its head is there; the caller closes it.

        Raises:
            ConnectionFailed: No answer came.
        """
        ...


class AiohttpTransport:
    """The transport over aiohttp."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def send(self, parcel: Parcel) -> Response:
        """Send one request, once; see Transport."""
        session = self._sessions.current()
        tracker = aiohttp.UploadTracker()
        stream = _Stream(parcel.content, parcel.idle) if isinstance(parcel.content, Body) else None
        try:
            with TimeLimit(parcel.until) as limit:
                data = _whole(parcel.content) if stream is None else stream.chunks(limit)
                answer = await self._request(session, parcel, data, tracker)
                body = await _read(answer)
                if stream is not None and answer.ok:
                    stream.require_whole(parcel)
                return Response(answer.status, answer.headers, body)
        except FOREIGN as error:
            failure, cause = explained(error, parcel, tracker, closed=session.closed)
        except asyncio.CancelledError as error:
            # The frames within aiohttp hold the request's headers, and with them the key.
            raise error.with_traceback(None) from None
        # Raised out here, so that the chain of causes holds no frame that has seen the key.
        if stream is not None and stream.broke is not None:
            raise stream.broke.with_traceback(stream.broke_at)
        raise failure.with_traceback(None) from cause

    async def open(self, parcel: Parcel) -> Arriving:
        """Send one request, once, and return the head of the answer; see Transport."""
        session = self._sessions.current()
        tracker = aiohttp.UploadTracker()
        try:
            async with asyncio.timeout_at(parcel.until):
                answer = await self._request(session, parcel, None, tracker, STREAM_BUFFER)
                return Arriving(answer, session, tracker, str(parcel))
        except FOREIGN as error:
            failure, cause = explained(error, parcel, tracker, closed=session.closed)
        except asyncio.CancelledError as error:
            raise error.with_traceback(None) from None
        raise failure.with_traceback(None) from cause

    def _request(
        self,
        session: aiohttp.ClientSession,
        parcel: Parcel,
        data: bytes | io.BytesIO | AsyncIterator[bytes] | None,
        tracker: aiohttp.UploadTracker,
        buffer: int = READ_BUFFER,
    ) -> Awaitable[aiohttp.ClientResponse]:
        key, plain = parcel.authorization, self._sessions.plain
        late = not plain and sets_late(session)
        return session.request(
            parcel.method,
            URL(parcel.url, encoded=True),
            headers=parcel.headers if late or key is None else {**parcel.headers, key.name: key.reveal()},
            data=data,
            # Whatever a borrowed session is set to: sent once, as it is, and the answer comes back whole.
            allow_redirects=False,
            raise_for_status=False,
            auto_decompress=True,
            timeout=NO_TIMEOUT,
            read_bufsize=buffer,
            max_line_size=MAX_HEADER,
            max_field_size=MAX_HEADER,
            max_headers=MAX_HEADERS,
            middlewares=[] if plain and key is not None else middlewares(session, parcel.method, key, late=late),
            upload_tracker=tracker,
        )


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """Return the body of an answer, and leave nothing of the exchange behind."""
    is_over = False
    try:
        body = await bounded(answer)
        is_over = answer.closed  # by itself, at the end of its body: the connection is given back
        return body
    finally:
        if not is_over:
            answer.close()
            await answer.wait_for_close()


def _whole(content: bytes | Body | None) -> bytes | io.BytesIO | None:
    assert not isinstance(content, Body)
    return content if content is None or len(content) <= LARGE else io.BytesIO(content)


class _Stream:
    """A streamed body, which moves the time limit ahead of itself, and remembers why it broke.

    aiohttp would take an error of the body for one of the connection.
    """

    def __init__(self, body: Body, idle: float) -> None:
        self._body = body
        self._idle = idle
        self._given = 0
        self.broke: Exception | None = None
        self.broke_at: TracebackType | None = None

    def require_whole(self, parcel: Parcel) -> None:
        """Refuse a success that came too early: once there is an answer, aiohttp sends nothing more."""
        if self._given < self._body.size:
            text = f"the server called it a success when {self._given} of {self._body.size} bytes had been sent"
            raise ResponseFormatError(f"{parcel}: {text}")

    async def chunks(self, limit: TimeLimit) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop().time
        try:
            async with aclosing(self._body.chunks()) as chunks:
                async for chunk in chunks:
                    limit.move(clock() + self._idle)
                    self._given += len(chunk)
                    yield chunk
        except Exception as error:
            self.broke, self.broke_at = error, error.__traceback__
            raise
        limit.move(clock() + self._idle)
