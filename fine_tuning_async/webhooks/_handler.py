"""An answer of aiohttp's server to a delivery."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiohttp import web

from fine_tuning_async.errors import WebhookVerificationError

from ._verifying import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ._verifying import Delivery

__all__ = ["respond"]

logger = logging.getLogger("fine_tuning_async")

READING = 10.0
"""Seconds in which a body must have arrived: a delivery is small, and whoever is slower only holds memory."""


async def respond(
    request: web.Request,
    *,
    unseal: Callable[[bytes, Mapping[str, str]], Delivery],
    handle: Callable[[Delivery], Awaitable[object]],
    max_body: int,
) -> web.Response:
    """Read, verify and handle a delivery; return the answer to it, whatever happens."""
    try:
        delivery = unseal(await _body(request, max_body), request.headers)
    except WebhookVerificationError as error:
        logger.warning("%s", error)
        return web.Response(status=web.HTTPBadRequest.status_code, text=str(error))
    try:
        await handle(delivery)
    except Exception:
        # Not told to the sender: it is a failure of the service, in whose text may be anything.
        logger.exception("the webhook event %s was not handled", delivery.event.id)
        return web.Response(status=web.HTTPInternalServerError.status_code, text="not handled; send it again")
    return web.Response()


async def _body(request: web.Request, max_body: int) -> bytes:
    """Return a body, of which no more is read than may be.

    Raises:
        WebhookVerificationError: It is encoded, too large, too slow, or broke off.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise refused("its body is encoded, where a plain one is signed")
    if not request.can_read_body:
        return await request.read()  # there is none, or a middleware has read it already
    if (request.content_length or 0) > max_body:
        raise refused(f"it is larger than {max_body:,} bytes")
    try:
        async with asyncio.timeout(READING):
            return await _collect(request, max_body)
    except TimeoutError:
        raise refused("its body came too slowly") from None
    except (web.RequestPayloadError, ConnectionError):
        raise refused("its body broke off") from None


async def _collect(request: web.Request, max_body: int) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > max_body:
            raise refused(f"it is larger than {max_body:,} bytes")
    return bytes(body)
