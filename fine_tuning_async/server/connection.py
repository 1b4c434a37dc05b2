"""One client's connection: what is no request of the API gets its answer in the API's words too."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.http_exceptions import InvalidURLError

from .answers import Problem
from .middleware import plain
from .refusals import broken_down

if TYPE_CHECKING:
    import asyncio
    from http import HTTPStatus

    from .service import Service

_IDLE = 60.0
"""Seconds of the loop after which a connection is closed that has not sent the headers of a request."""


class Connection(web.RequestHandler):
    """Reads requests, lets the application answer them, and answers itself what is not HTTP.

    A client's mistake is told to the client, and is none for the server's log.

    Args:
        manager: The application's server.
        service: The state behind it.
        loop: The loop that serves.
        transports: Those of all connections, kept up to date.
    """

    __slots__ = ("_open", "_own", "_service")

    def __init__(
        self,
        manager: web.Server,
        service: Service,
        loop: asyncio.AbstractEventLoop,
        transports: set[asyncio.Transport],
    ) -> None:
        # None is documented, and means that there is no access log.
        super().__init__(manager, loop=loop, access_log=None, keepalive_timeout=_IDLE)  # type: ignore[arg-type]
        self._service = service
        self._open = transports
        self._own: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        self._own = cast("asyncio.Transport", transport)
        self._open.add(self._own)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        if self._own is not None:
            self._open.discard(self._own)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int | HTTPStatus = 500,  # noqa: ARG002 - aiohttp's own; the exception tells more
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - as above
    ) -> web.StreamResponse:
        """Answer what could not be read as a request, or what failed outside the application; then close."""
        if isinstance(exc, ConnectionError):
            raise exc  # which cuts the answer short, as it is meant to be
        if not isinstance(exc, HttpProcessingError):
            self.log_exception("a request from %s failed", request.remote, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionResetError("a part of the answer has been sent")
        problem = broken_down()
        if isinstance(exc, HttpProcessingError):
            problem = Problem(400, f"We could not read your request as HTTP: {_fault(exc)}.")
        response = self._explained(problem)
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer; one that aiohttp gave before the application was asked is put into the API's words."""
        if isinstance(resp, web.HTTPException):
            resp = self._explained(plain(request, resp))
        return await super().finish_response(request, resp, start_time)

    def log_exception(self, *args: object, **kw: object) -> None:
        """Log what failed, but not that a client's body was broken, or broke off: an answer has told it."""
        if not isinstance(kw.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **kw)

    def _explained(self, problem: Problem) -> web.Response:
        service = self._service
        response = service.personality.explain(problem)
        response.headers.update(service.personality.headers(service.next_request_id(), service.organization))
        return response


def _fault(error: HttpProcessingError) -> str:
    """Return what is wrong without what was sent, as that may hold a key."""
    if isinstance(error, InvalidURLError):
        return "its URL is none"
    return error.message.partition(":")[0].partition("\n")[0].rstrip(".")
