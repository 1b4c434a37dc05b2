"""What keeps the page live: server-sent events."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from fine_tuning_async.server.answers import Problem, answer
from fine_tuning_async.server.context import FAULTS, SERVICE, STATE, STREAM

from .glance import Glance

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 16
"""Streams at once: each costs a look at the store twice a second."""

INTERVAL = 0.5
"""Seconds between two looks: what happens meanwhile is told together."""

PATIENCE = 10.0
"""Seconds for a browser to take what it is told."""

_SILENCE = 30
"""Looks without news after which a comment is sent, so that nothing in between takes the stream for dead."""


class Streams:
    """The streams that are open, and the word that ends them."""

    def __init__(self) -> None:
        self._count = 0
        self._ended = asyncio.Event()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count a stream for as long as the block runs.

        Raises:
            Problem: There are too many.
        """
        if self._count >= MOST:
            message = f"{MOST} pages are open already: close one."
            raise Problem(503, message, code="too_many_streams", headers={"Retry-After": "5"})
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1

    def end(self) -> None:
        """End every stream, also those to come."""
        self._ended.set()

    async def pause(self, seconds: float) -> bool:
        """Wait; tell whether the stream is to go on."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        return not self._ended.is_set()


STREAMS: web.AppKey[Streams] = web.AppKey("streams", Streams)
"""The streams of an application."""


def routes() -> list[web.RouteDef]:
    """Return the routes of the page."""
    return [web.get(STATE, state), web.get(STREAM, stream, allow_head=False)]


async def state(request: web.Request) -> web.Response:
    """Answer with all that the page shows."""
    sections = _glance(request).look()
    fields = (orjson.dumps(name) + b":" + section for name, section in sections.items())
    response = answer(b"{" + b",".join(fields) + b"}")
    response.headers["Cache-Control"] = "no-store"
    return response


async def stream(request: web.Request) -> web.StreamResponse:
    """Tell a browser of each section that has changed, until it leaves or the server stops."""
    with request.app[STREAMS].one():
        response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        response.content_type = "text/event-stream"
        await response.prepare(request)
        try:
            await _tell(request, response)
        except (ConnectionError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()
    return response


async def _tell(request: web.Request, response: web.StreamResponse) -> None:
    glance, told, silence = _glance(request), dict[str, bytes](), 0
    going = True
    while going and request.transport is not None:
        now = glance.look()
        news = b"".join(_frame(name, section) for name, section in now.items() if told.get(name) != section)
        told, silence = now, 0 if news else silence + 1
        if silence >= _SILENCE:
            news, silence = b":\n\n", 0
        if news:
            async with asyncio.timeout(PATIENCE):
                await response.write(news)
        going = await request.app[STREAMS].pause(INTERVAL)


def _frame(name: str, section: bytes) -> bytes:
    # JSON of orjson's has no line breaks, which would end a field.
    return b"event: " + name.encode() + b"\ndata: " + section + b"\n\n"


def _glance(request: web.Request) -> Glance:
    return Glance(request.app[SERVICE], request.app[FAULTS], request.query.get("job"))
