"""Sends one request, once, through aiohttp, and knows whether anything left the machine."""

from __future__ import annotations

import asyncio
import errno
import io
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import aiohttp
from attrs import field, frozen
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from ._wire import Authorization, Body, Response
from .errors import ConnectionFailed, FineTuningError, ResponseFormatError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from ._sessions import Sessions

__all__ = ["DELIVERY", "AiohttpTransport", "Parcel", "Transport"]

MAX_BODY = 64 * 2**20
MAX_ERROR_BODY = 64 * 2**10
HANGING_UP = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})
READ_BUFFER = 2**16
MAX_HEADER = 8_190
MAX_HEADERS = 128
LARGE = 2**20  # bytes; aiohttp warns when more is handed to it in one piece
NO_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)

# What each of aiohttp's errors says about a request: False, it certainly did not reach the server; True, it
# certainly did; None, nobody knows. The first row that fits holds, so that children stand before their parents.
DELIVERY: tuple[tuple[type[BaseException], bool | None, str], ...] = (
    (aiohttp.ConnectionTimeoutError, False, "no connection was made in time"),
    (aiohttp.ClientConnectorDNSError, False, "the host name was not resolved"),
    (aiohttp.ClientConnectorCertificateError, False, "the server's certificate was not accepted"),
    (aiohttp.ClientConnectorSSLError, False, "no TLS connection was made"),
    (aiohttp.ClientProxyConnectionError, False, "the proxy was not reached"),
    (aiohttp.ClientConnectorError, False, "the server was not reached"),
    (aiohttp.ClientHttpProxyError, False, "the proxy refused to connect"),
    (aiohttp.InvalidURL, False, "aiohttp refused the URL"),
    (aiohttp.ServerTimeoutError, None, "the server fell silent"),
    (aiohttp.ServerDisconnectedError, None, "the server closed the connection without an answer"),
    (aiohttp.ClientPayloadError, True, "the answer broke off"),
    (aiohttp.ClientResponseError, True, "the answer was no HTTP"),
    (aiohttp.ClientOSError, None, "the connection broke"),
    (aiohttp.ClientError, None, "aiohttp failed"),
)


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
        failure: FineTuningError
        try:
            async with asyncio.timeout_at(parcel.until) as limit:
                return await _exchange(session, parcel, tracker, limit)
        except FineTuningError as error:
            failure, cause = error, error.__cause__
        except aiohttp.ClientError as error:
            failure, cause = _translated(error, parcel), _scrubbed(error)
        except TimeoutError as error:
            failure, cause = _timed_out(parcel, tracker), _scrubbed(error)
        except (OSError, ValueError, RuntimeError) as error:
            text = f"{parcel.method} {parcel.url}: {error}"
            failure, cause = ConnectionFailed(text, sent=_perhaps(tracker)), _scrubbed(error)
        except asyncio.CancelledError as error:
            # The frames within aiohttp hold the request's headers, and with them the key.
            raise error.with_traceback(None) from None
        # Raised out here, so that the chain of causes holds no frame that has seen the key.
        raise failure.with_traceback(None) from cause


async def _exchange(
    session: aiohttp.ClientSession, parcel: Parcel, tracker: aiohttp.UploadTracker, limit: asyncio.Timeout
) -> Response:
    key = parcel.authorization
    async with session.request(
        parcel.method,
        URL(parcel.url, encoded=True),
        headers={**parcel.headers, **({} if _set_late(session) else {key.name: key.reveal()})},
        data=_data(parcel, limit),
        # Whatever a borrowed session is set to: sent once, as it is, and the answer comes back whole.
        allow_redirects=False,
        raise_for_status=False,
        auto_decompress=True,
        timeout=NO_TIMEOUT,
        read_bufsize=READ_BUFFER,
        max_line_size=MAX_HEADER,
        max_field_size=MAX_HEADER,
        max_headers=MAX_HEADERS,
        middlewares=(_authorizing(key),) if _set_late(session) else (),
        upload_tracker=tracker,
    ) as answer:
        body = await _read(answer, MAX_BODY if answer.status < HTTPStatus.BAD_REQUEST else MAX_ERROR_BODY)
        return Response(answer.status, answer.headers, body)


def _set_late(session: aiohttp.ClientSession) -> bool:
    # aiohttp refuses an Authorization header beside the session's own auth or an entry of the user's .netrc; a
    # middleware sets the header after that check, and replaces what the session would have sent.
    return session.trust_env or session.auth is not None


def _authorizing(key: Authorization) -> aiohttp.ClientMiddlewareType:
    async def authorize(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.headers.popall("Authorization", None)
        request.headers[key.name] = key.reveal()
        return await handler(request)

    return authorize


def _data(parcel: Parcel, limit: asyncio.Timeout) -> bytes | io.BytesIO | AsyncIterator[bytes] | None:
    if isinstance(parcel.content, Body):
        return _streamed(parcel.content, limit, parcel.idle)
    if parcel.content is not None and len(parcel.content) > LARGE:
        return io.BytesIO(parcel.content)
    return parcel.content


async def _streamed(body: Body, limit: asyncio.Timeout, idle: float) -> AsyncIterator[bytes]:
    clock = asyncio.get_running_loop().time
    async with aclosing(body.chunks()) as chunks:
        async for chunk in chunks:
            limit.reschedule(clock() + idle)
            yield chunk
    limit.reschedule(clock() + idle)


async def _read(answer: aiohttp.ClientResponse, limit: int) -> bytes:
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
            f"the answer is larger than {limit // 2**20} MiB, and was not read to its end; "
            "ask for smaller pages with limit, or for a file by its download"
        )
    return b"".join(chunks)[:limit]


def _timed_out(parcel: Parcel, tracker: aiohttp.UploadTracker) -> ConnectionFailed:
    sent = _perhaps(tracker)
    what = "no connection was made in time" if sent is False else "no answer came in time"
    return ConnectionFailed(f"{parcel.method} {parcel.url}: {what}", sent=sent)


def _translated(error: aiohttp.ClientError, parcel: Parcel) -> ConnectionFailed:
    sent, text = next((sent, text) for kind, sent, text in DELIVERY if isinstance(error, kind))
    ended = isinstance(error, aiohttp.ServerDisconnectedError) or getattr(error, "errno", None) in HANGING_UP
    return ConnectionFailed(f"{parcel.method} {parcel.url}: {text} ({_words(error)})", sent=sent, ended=ended)


def _words(error: BaseException) -> str:
    # The text of a ClientResponseError names its URL alone; its repr, which is never used, holds the headers.
    text = str(error) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]}..."  # noqa: PLR2004 - long enough for any sensible text


def _perhaps(tracker: aiohttp.UploadTracker) -> bool | None:
    """Return False if nothing of the request can have left the machine, else None."""
    done = tracker.upload_complete
    left = tracker.bytes_written > 0 or not done.done() or done.exception() is None
    return None if left else False


def _scrubbed(error: BaseException) -> BaseException:
    """Take out of an error, and out of the errors that led to it, all that has seen the key."""
    seen: BaseException | None = error
    while seen is not None:
        seen.__traceback__ = None
        if isinstance(seen, aiohttp.ClientResponseError):
            bare = aiohttp.RequestInfo(
                seen.request_info.url, seen.request_info.method, CIMultiDictProxy(CIMultiDict())
            )
            seen.request_info, seen.history, seen.headers = bare, (), None
            seen.args = (bare, ())
        seen = seen.__cause__ or seen.__context__
    return error
