"""What every request passes on its way in, every answer on its way out."""

from __future__ import annotations

import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from .answers import Problem, Streamed
from .context import SERVICE, STREAM, TRAFFIC, is_control
from .faults.exchange import WORKED
from .refusals import broken_down
from .requestlog import RequestRecord, redacted

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

_LOG = logging.getLogger(__name__)
_STARTED = web.RequestKey("started", float)
FAULT = web.RequestKey("fault", str)
"""The names of the faults that hit a request."""

_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})

CLIENT_GONE = 499  # what nginx logs; no answer can reach a client that has left


@web.middleware
async def explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure into an answer in the API's error envelope."""
    personality = request.app[SERVICE].personality
    try:
        return await handler(request)
    except Problem as problem:
        return personality.explain(problem)
    except web.HTTPException as error:
        return personality.explain(plain(request, error))
    except ConnectionResetError:
        if request.transport is not None:
            raise  # The client is to see its answer cut short.
        return web.Response(status=CLIENT_GONE)
    except Exception:  # noqa: BLE001 - the edge of the server: the client gets JSON all the same
        _LOG.exception("%s %s failed", request.method, request.path)
        return personality.explain(broken_down())


def plain(request: web.BaseRequest, error: web.HTTPException) -> Problem:
    """Return aiohttp's own refusals as the API would word them."""
    if isinstance(error, web.HTTPNotFound):
        return Problem(404, f"Invalid URL ({request.method} {request.path})", code="unknown_url")
    if isinstance(error, web.HTTPMethodNotAllowed):
        message = f"Not allowed to {request.method} on {request.path}."
        allowed = {"Allow": error.headers["Allow"]}
        return Problem(405, message, code="method_not_supported", headers=allowed)
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return Problem(413, "The body of this request is too large.", code="request_too_large")
    return Problem(error.status, error.reason)


@web.middleware
async def authorised(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in whom the personality admits; let it say how the request is heard, and how the answer is shown."""
    if is_control(request):
        return await handler(request)
    personality = request.app[SERVICE].personality
    if request.match_info.http_exception is None:
        personality.admit(request)
    return personality.show(request, await handler(personality.hear(request)))


async def leaving(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that the API sends with each answer; enter the request into the log.

    It runs when an answer's headers are about to leave: a client that has its answer finds it in the log.
    """
    if is_control(request):
        return
    service = request.app[SERVICE]
    started = request.get(WORKED, request).get(_STARTED, time.perf_counter())
    response.headers.update(service.personality.headers(service.next_request_id(), service.organization))
    response.headers["openai-processing-ms"] = str(int((time.perf_counter() - started) * 1000))
    await enter(request, response.status)


async def enter(request: web.Request, status: int) -> None:
    """Enter a request into the log."""
    body = b"" if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else await _body(request.get(WORKED, request))
    record = RequestRecord(
        method=request.method,
        path=request.path,
        query=dict(request.query),
        headers=redacted(request.headers),
        body=body,
        size=request.content_length or len(body),
        status=status,
        fault=request.get(FAULT),
    )
    request.app[SERVICE].log.add(record)


async def _body(request: web.Request) -> bytes:
    """Return the body of a request that has one worth keeping: an upload is streamed, a GET has none."""
    if request.method not in _WITH_BODY or request.content_type.startswith("multipart/"):
        return b""
    if (request.content_length or 0) > request.client_max_size:
        return b""
    try:
        return await request.read()
    except (web.HTTPRequestEntityTooLarge, web.RequestPayloadError, ConnectionError):
        return b""


@web.middleware
async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Note when the work on a request began, count it among those in flight."""
    request[_STARTED] = time.perf_counter()
    if request.path == STREAM:
        return await handler(request)  # It ends with the page, or with the server: no stop waits for it.
    traffic = request.app[TRAFFIC]
    with traffic.one():
        response = await handler(request)
        if traffic.ending:
            # The client is told, rather than cut off at its next request.
            response.force_close()
        if isinstance(response, Streamed) and FAULT not in request:
            # Sent in here, so that a stop lets it end.
            await response.prepare(request)
            await response.write_eof()
        return response
