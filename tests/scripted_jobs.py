"""A jobs API in the test's own loop, whose jobs, events and faults a test sets by hand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs
from aiohttp import web

from fine_tuning_async import FineTuningClient, RetryPolicy
from fine_tuning_async.server import LocalServer
from tests import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

JOBS = "/v1/fine_tuning/jobs"
ONCE = RetryPolicy(attempts=1)
"""So that each look is one request, and what is seen of failures is the waiting's own doing."""


def job(job_id: str, status: str = "running", **more: object) -> dict[str, Any]:
    return {"id": job_id, "created_at": 1, "model": "m", "status": status, **more}


def event(event_id: str, at: int = 1) -> dict[str, Any]:
    return {"id": event_id, "created_at": at, "message": event_id}


@attrs.frozen
class Seen:
    """A request: what it asked for, and when on the loop's clock."""

    method: str
    what: str
    after: str | None
    at: float


@asynccontextmanager
async def mounted(server: LocalServer | web.Application, **options: Any) -> AsyncIterator[FineTuningClient]:
    """Serve in this loop, and give a client of this server."""
    app = server.app if isinstance(server, LocalServer) else server
    async with (
        serving.mounted(app, patience=0) as url,
        FineTuningClient("sk-any", base_url=url, **options) as client,
    ):
        yield client


class ScriptedAPI:
    """Serves `jobs` and `events`, both newest first, as they are when a request arrives.

    Attributes:
        fault: Called for each request with its number from 0; what it returns is answered instead, if anything. A
            number is a status, bytes are a body, `hang` is not answered, `drop` closes the connection.
        has_more: What is said about further pages; None leaves it out.
        most: The largest page.
        delay: Seconds that an answer takes.
        seen: The requests, oldest first.
        hidden: Jobs that the list does not show.
    """

    def __init__(self, *jobs: dict[str, Any]) -> None:
        self.jobs = list(jobs)
        self.events: list[dict[str, Any]] = []
        self.fault: Callable[[int, str], int | bytes | str | None] = lambda number, what: None
        self.has_more: Callable[[bool], bool | None] = lambda more: more
        self.most = 100
        self.delay = 0.0
        self.seen: list[Seen] = []
        self.hidden: set[str] = set()
        self._over = asyncio.Event()

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[FineTuningClient]:
        """Serve, and give a client of this server."""
        app = web.Application()
        app.router.add_get("/{tail:.*}", self._answer)
        app.router.add_post("/{tail:.*}", self._answer)
        async with mounted(app, **{"retry": ONCE, **options}) as client:
            try:
                yield client
            finally:
                self._over.set()

    def set_status(self, job_id: str, status: str, **more: object) -> None:
        self.jobs = [{**each, "status": status, **more} if each["id"] == job_id else each for each in self.jobs]

    def count(self, what: str) -> int:
        return sum(each.what == what for each in self.seen)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        what = request.path.removeprefix(JOBS).strip("/") or "list"
        number = len(self.seen)
        self.seen.append(Seen(request.method, what, request.query.get("after"), asyncio.get_running_loop().time()))
        if self.delay:
            await asyncio.sleep(self.delay)
        fault = self.fault(number, what)
        if fault is not None:
            return await self._break(request, fault)
        if request.method == "POST":
            return web.json_response({"error": {"message": "nothing is to be changed here"}}, status=400)
        if what == "list":
            return self._page(request, [each for each in self.jobs if each["id"] not in self.hidden])
        if what.endswith("/events"):
            return self._page(request, self.events)
        found = [each for each in self.jobs if each["id"] == what]
        return web.json_response(found[0]) if found else web.json_response({}, status=404)

    def _page(self, request: web.Request, items: list[dict[str, Any]]) -> web.Response:
        ids = [each["id"] for each in items]
        start = ids.index(request.query["after"]) + 1 if "after" in request.query else 0
        stop = start + min(self.most, int(request.query.get("limit", 20)))
        body: dict[str, Any] = {"object": "list", "data": items[start:stop]}
        more = self.has_more(stop < len(items))
        return web.json_response(body if more is None else {**body, "has_more": more})

    async def _break(self, request: web.Request, fault: int | bytes | str) -> web.StreamResponse:
        if isinstance(fault, int):
            return web.json_response({"error": {"message": "scripted"}}, status=fault)
        if isinstance(fault, bytes):
            return web.Response(body=fault, content_type="application/json")
        if fault.startswith("wait"):
            return web.Response(status=429, headers={"Retry-After": fault.partition(" ")[2]})
        if fault == "hang":
            await self._over.wait()
        assert request.transport is not None
        request.transport.close()
        raise asyncio.CancelledError


def tasks_of_the_client() -> set[asyncio.Task[Any]]:
    """All tasks but the caller's and those in which aiohttp serves."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    return {each for each in others if "RequestHandler" not in getattr(each.get_coro(), "__qualname__", "")}
