"""What a fault acts on: one request, with the way to its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from .pauses import Pauses

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.typedefs import Handler

    Play = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]
    """A fault in action: a middleware around the work."""

PAUSES: web.AppKey[Pauses] = web.AppKey("pauses", Pauses)
"""The waits of the faults that are being played."""

WORKED: web.RequestKey[web.Request] = web.RequestKey("worked", web.Request)
"""The request as the work saw it, where a fault has taken something from it."""

_BLOCK = 64 * 1024


async def swallow(request: web.Request) -> None:
    """Read a request to its end, so that closing the connection sends a FIN, and the client has sent it all.

    A form is thrown away, as it may be large. Any other body stays at hand.
    """
    try:
        if not is_form(request):
            await request.read()
        while await request.content.read(_BLOCK):
            pass
    except (ConnectionError, web.HTTPException, web.RequestPayloadError):
        # The client has left, or its body is refused once the work reads it.
        return


def is_form(request: web.Request) -> bool:
    """Tell whether the body is an upload, which is streamed and never held whole."""
    return request.content_type.startswith("multipart/")
