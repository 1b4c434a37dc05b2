"""Keeps what a session is set to out of a request, by aiohttp's middlewares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from ._headers import KEY_HEADERS
from ._sessions import sends_again

if TYPE_CHECKING:
    from ._secret import Authorization

__all__ = ["middlewares", "sets_late"]

# What aiohttp sends a second time by itself when a connection breaks.
SENT_AGAIN = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
# What a request without the key may carry. A session adds what it is set to: cookies, its own authorisation.
BARE_HEADERS = frozenset({"accept", "accept-encoding", "connection", "host", "if-range", "range", "user-agent"})


def sets_late(session: aiohttp.ClientSession) -> bool:
    """Tell whether the key is to be set by a middleware.

    aiohttp refuses an Authorization header beside the session's own auth or an entry of the user's .netrc; a
    middleware sets the header after that check, and replaces what the session would have sent: a default header
    too, as another server's key may be in it.
    """
    defaults = session.headers
    own = bool(defaults) and any(name in defaults for name in KEY_HEADERS)
    return own or session.trust_env or session.auth is not None


def middlewares(
    session: aiohttp.ClientSession, method: str, key: Authorization | None, *, late: bool
) -> list[aiohttp.ClientMiddlewareType]:
    """Return the middlewares of one request; without a key, nothing that identifies the caller passes them.

    Args:
        session: What the request goes through.
        method: The request's method.
        key: The header that carries the key.
        late: Whether the key is set here.
    """
    # What a 404 says about a DELETE depends on whether it was sent before; and reads that are sent again behind
    # the back of the retry budget double the load on a server that is down.
    once = [_sending_once()] if method in SENT_AGAIN and sends_again(session) else []
    if key is None:
        return [_bare, *once]
    return [_authorizing(key), *once] if late else once


def _sending_once() -> aiohttp.ClientMiddlewareType:
    """Keep aiohttp from sending a request again by itself when the connection breaks."""
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
        for name in KEY_HEADERS:
            request.headers.popall(name, None)
        request.headers[key.name] = key.reveal()
        return await handler(request)

    return authorize


async def _bare(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    for name in [each for each in request.headers if each.lower() not in BARE_HEADERS]:
        request.headers.popall(name, None)
    return await handler(request)
