"""Lets a request suffer what hits it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from fine_tuning_async.server.context import FAULTS, SERVICE, is_control
from fine_tuning_async.server.middleware import FAULT, enter

from .broken import Lost
from .pauses import StoppedError

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from .exchange import Play
    from .script import Hit


@web.middleware
async def faulty(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Play the faults that hit a request around its work, and enter what gets no answer into the log."""
    hits = [] if is_control(request) else request.app[FAULTS].draw(request.method, _behind_base(request))
    if not hits:
        return await handler(request)
    request[FAULT] = "+".join(hit.fault.kind for hit in hits)
    try:
        response = await _around(handler, hits)(request)
    except StoppedError:
        response = Lost(reset=False)
    if isinstance(response, Lost):
        await enter(request, status=0)
    return response


def _around(work: Handler, hits: list[Hit]) -> Handler:
    for hit in reversed(hits):
        work = _playing(hit.play, work)
    return work


def _playing(play: Play, work: Handler) -> Handler:
    return lambda request: play(request, work)


def _behind_base(request: web.Request) -> str:
    bases = [base for base in request.app[SERVICE].personality.bases if request.path.startswith(f"{base}/")]
    return request.path[len(max(bases, key=len, default="")) :]
