"""How each fault is played: a middleware around the work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import orjson
from aiohttp import web

from fine_tuning_async.server.answers import Problem, answer, answer_problem

from .broken import Lost, Misbehaving, Pieces
from .exchange import PAUSES, WORKED, is_form, swallow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from aiohttp.typedefs import Handler


@dataclass(frozen=True, slots=True)
class Late:
    """Waits before the work, or between it and the answer."""

    seconds: float
    up_to: float | None
    after_work: bool

    async def __call__(self, request: web.Request, work: Handler) -> web.StreamResponse:
        """Wait; the work is done even if the client has left meanwhile."""
        pauses = request.app[PAUSES]
        if self.after_work:
            said = await work(request)
            await pauses.wait(self.seconds)
            return said
        if not is_form(request):
            await swallow(request)
        await pauses.wait(self.seconds)
        return await work(request)

    def drawn(self, dice: Random) -> Self:
        """Return the same with a time out of the range, if it has one."""
        return self if self.up_to is None else replace(self, seconds=dice.uniform(self.seconds, self.up_to))


@dataclass(frozen=True, slots=True)
class Refused:
    """Answers with an error status, before the work or in place of its answer."""

    problem: tuple[int, str, str, str | None]
    headers: tuple[tuple[str, str], ...]
    after_work: bool

    async def __call__(self, request: web.Request, work: Handler) -> web.StreamResponse:
        """Do the work or not, and refuse."""
        await (work(request) if self.after_work else swallow(request))
        status, message, kind, code = self.problem
        return answer_problem(Problem(status, message, kind=kind, code=code, headers=dict(self.headers)))


@dataclass(frozen=True, slots=True)
class Broken:
    """Ends the connection without an answer."""

    reset: bool
    after_work: bool

    async def __call__(self, request: web.Request, work: Handler) -> web.StreamResponse:
        """Do the work or not, and hang up."""
        await (work(request) if self.after_work else swallow(request))
        return Lost(reset=self.reset)


@dataclass(frozen=True, slots=True)
class Cut:
    """Sends so many bytes of the body; then closes the connection, or is silent for ever."""

    after: int | None
    silent: bool

    async def __call__(self, request: web.Request, work: Handler) -> web.StreamResponse:
        """Do the work, and answer in part."""

        async def send(out: Misbehaving, pieces: Pieces) -> None:
            most = out.size // 2 if self.after is None else min(self.after, out.size - 1)
            await _send_some(out, pieces, max(most, 0))
            if self.silent:
                await request.app[PAUSES].wait(None)
            out.break_off()

        return Misbehaving(await work(request), send)


async def _send_some(out: Misbehaving, pieces: Pieces, left: int) -> None:
    for piece in pieces:
        await out.write(piece[:left])
        left -= len(piece)
        if left <= 0:
            return


@dataclass(frozen=True, slots=True)
class Trickled:
    """Sends the body a few bytes at a time."""

    interval: float
    size: int

    async def __call__(self, request: web.Request, work: Handler) -> web.StreamResponse:
        """Do the work, and answer slowly."""

        async def send(out: Misbehaving, pieces: Pieces) -> None:
            for piece in pieces:
                for start in range(0, len(piece), self.size):
                    await request.app[PAUSES].wait(self.interval)
                    await out.write(piece[start : start + self.size])

        return Misbehaving(await work(request), send)


@dataclass(frozen=True, slots=True)
class Malformed:
    """Answers 200 with something else than was meant."""

    body: bytes
    content_type: str

    async def __call__(self, request: web.Request, work: Handler) -> web.StreamResponse:
        """Do the work, and answer with the body that was given."""
        await work(request)
        return web.Response(body=self.body, content_type=self.content_type)


@dataclass(frozen=True, slots=True)
class HasMore:
    """Says of a page what is not true, or nothing."""

    value: bool | None

    async def __call__(self, request: web.Request, work: Handler) -> web.StreamResponse:
        """Do the work, and change `has_more` where the answer is a page."""
        said = await work(request)
        page = _page(said)
        if page is None:
            return said
        changed = {**page, "has_more": self.value} if self.value is not None else page
        if self.value is None:
            changed = {name: value for name, value in page.items() if name != "has_more"}
        return answer(orjson.dumps(changed), said.status)


def _page(said: web.StreamResponse) -> Mapping[str, object] | None:
    if not isinstance(said, web.Response) or not isinstance(said.body, bytes):
        return None
    try:
        body = orjson.loads(said.body)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) and "has_more" in body else None


@dataclass(frozen=True, slots=True)
class Ignored:
    """Takes a parameter of the query, or a header, from the request before anyone has seen it."""

    query: str | None
    header: str | None

    async def __call__(self, request: web.Request, work: Handler) -> web.StreamResponse:
        """Do the work as if the client had not sent it."""
        headers = request.headers.copy()
        url = request.rel_url
        if self.header is not None:
            headers.popall(self.header, None)
        if self.query is not None:
            names = [name for name in url.query if name.partition("[")[0] == self.query]
            url = url.without_query_params(*names)
        bare = request.clone(headers=headers, rel_url=url)
        request[WORKED] = bare
        return await work(bare)
