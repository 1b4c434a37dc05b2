"""Sends one request, once, through aiohttp, and knows whether anything left the machine."""

from __future__ import annotations

import asyncio
import io
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import aiohttp
from attrs import field, frozen
from yarl import URL

from ._delivery import perhaps, scrubbed, timed_out, translated
from ._wire import Body, Response
from .errors import ConnectionFailed, FineTuningError, ResponseFormatError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType

    from ._secret import Authorization
    from ._sessions import Sessions

__all__ = ["AiohttpTransport", "Parcel", "Transport"]

MAX_BODY = 64 * 2**20
MAX_ERROR_BODY = 64 * 2**10
READ_BUFFER = 2**16
MAX_HEADER = 8_190
MAX_HEADERS = 128
LARGE = 2**20  # bytes; aiohttp warns when more is handed to it in one piece
NO_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)


@frozen(kw_only=True)
class Parcel:
    """One request as it is sent: nothing is decided about it any more.

    Attributes:
        authorization: The header that carries the key; kept apart from what may be shown.
        until: When the attempt ends, on the loop's clock; for a streamed body, None.
        idle: Seconds without progress after which a streamed body is given up.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    authorization: Authorization
    content: bytes | Body | None = field(default=None, repr=False)
    until: float | None = None
    idle: float = 60.0

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


class Transport(Protocol):
    """Sends one request, once."""

    async def send(self, parcel: Parcel) -> Response:
        """Send it, and return the answer with its whole body, whatever its status.

        Raises:
            ConnectionFailed: No answer came; `sent` says whether the server may have acted.
            ResponseFormatError: The body of a success is larger than 64 MiB, which is not read.
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
        failure: FineTuningError
        try:
            async with asyncio.timeout_at(parcel.until) as limit:
                data = _whole(parcel.content) if stream is None else stream.chunks(limit)
                return await _exchange(session, parcel, data, tracker)
        except FineTuningError as error:
            failure, cause = error, error.__cause__
        except aiohttp.ClientError as error:
            failure, cause = translated(error, parcel, tracker, closed=session.closed), scrubbed(error)
        except TimeoutError as error:
            failure, cause = timed_out(parcel, tracker), scrubbed(error)
        except (OSError, ValueError, RuntimeError) as error:
            failure, cause = ConnectionFailed(f"{parcel}: {error}", sent=perhaps(tracker)), scrubbed(error)
        except asyncio.CancelledError as error:
            # The frames within aiohttp hold the request's headers, and with them the key.
            raise error.with_traceback(None) from None
        # Raised out here, so that the chain of causes holds no frame that has seen the key.
        if stream is not None and stream.broke is not None:
            raise stream.broke.with_traceback(stream.broke_at)
        raise failure.with_traceback(None) from cause


async def _exchange(
    session: aiohttp.ClientSession,
    parcel: Parcel,
    data: bytes | io.BytesIO | AsyncIterator[bytes] | None,
    tracker: aiohttp.UploadTracker,
) -> Response:
    key, late = parcel.authorization, _set_late(session)
    async with session.request(
        parcel.method,
        URL(parcel.url, encoded=True),
        headers=parcel.headers if late else {**parcel.headers, key.name: key.reveal()},
        data=data,
        # Whatever a borrowed session is set to: sent once, as it is, and the answer comes back whole.
        allow_redirects=False,
        raise_for_status=False,
        auto_decompress=True,
        timeout=NO_TIMEOUT,
        read_bufsize=READ_BUFFER,
        max_line_size=MAX_HEADER,
        max_field_size=MAX_HEADER,
        max_headers=MAX_HEADERS,
        middlewares=_middlewares(parcel, late=late),
        upload_tracker=tracker,
    ) as answer:
        response = Response(answer.status, answer.headers, b"")
        response.body = await _read(answer, response.request_id)
        return response


def _set_late(session: aiohttp.ClientSession) -> bool:
    # aiohttp refuses an Authorization header beside the session's own auth or an entry of the user's .netrc; a
    # middleware sets the header after that check, and replaces what the session would have sent.
    return session.trust_env or session.auth is not None


def _middlewares(parcel: Parcel, *, late: bool) -> list[aiohttp.ClientMiddlewareType]:
    authorizing = [_authorizing(parcel.authorization)] if late else []
    # What a 404 says about a DELETE depends on whether it was sent before; a read may well be sent twice.
    return [*authorizing, _sending_once()] if parcel.method == "DELETE" else authorizing


def _sending_once() -> aiohttp.ClientMiddlewareType:
    """Keep aiohttp from sending a request again by itself when the connection breaks: no option turns it off."""
    broke: list[aiohttp.ClientError] = []

    async def send(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        if broke:
            raise broke.pop()
        try:
            return await handler(request)
        except aiohttp.ClientError as error:
            broke.append(error)
            raise

    return send


def _authorizing(key: Authorization) -> aiohttp.ClientMiddlewareType:
    async def authorize(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.headers.popall("Authorization", None)
        request.headers[key.name] = key.reveal()
        return await handler(request)

    return authorize


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
        self.broke: Exception | None = None
        self.broke_at: TracebackType | None = None

    async def chunks(self, limit: asyncio.Timeout) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop().time
        try:
            async with aclosing(self._body.chunks()) as chunks:
                async for chunk in chunks:
                    limit.reschedule(clock() + self._idle)
                    yield chunk
        except Exception as error:
            self.broke, self.broke_at = error, error.__traceback__
            raise
        limit.reschedule(clock() + self._idle)


async def _read(answer: aiohttp.ClientResponse, request_id: str | None) -> bytes:
    limit = MAX_BODY if answer.status < HTTPStatus.BAD_REQUEST else MAX_ERROR_BODY
    length = answer.content_length
    if length is not None and length <= limit and "Content-Encoding" not in answer.headers:
        return await answer.read()
    chunks, size = [], 0
    async for chunk in answer.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            answer.close()
            break
    if size > limit and answer.status < HTTPStatus.BAD_REQUEST:
        raise ResponseFormatError(
            f"the answer is larger than {limit // 2**20} MiB, and was not read to its end: ask for smaller pages",
            request_id=request_id,
        )
    return b"".join(chunks)[:limit]
