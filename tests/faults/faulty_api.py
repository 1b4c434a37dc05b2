"""A stub of the jobs API whose faults are scripted, in the test's own loop."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from tests.serving import mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

JOBS = "/v1/fine_tuning/jobs"


class FaultyAPI:
    """Creates and lists jobs; `fault` names what goes wrong with each request, "" for nothing.

    Attributes:
        jobs: What was created, oldest first.
        fault: Called with method and number of the request.
        ignores_filter: Whether lists come back unfiltered.
        filters_all: Whether lists with a filter come back empty.
        order: What is done to a list, which else has the newest first.
        drops_metadata: Whether jobs lose their metadata.
        mangles: What else is done to a job before it is stored.
    """

    def __init__(self, fault: Callable[[str, int], str] = lambda method, number: "") -> None:
        self.jobs: list[dict[str, object]] = []
        self.fault = fault
        self.ignores_filter = False
        self.filters_all = False
        self.order: Callable[[list[dict[str, object]]], list[dict[str, object]]] = lambda jobs: jobs
        self.drops_metadata = False
        self.mangles: Callable[[dict[str, object]], object] | None = None
        self.seen: list[str] = []
        self._numbers = itertools.count()
        self._late: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve, and give the base URL."""
        app = web.Application()
        app.router.add_post(JOBS, self._create)
        app.router.add_get(JOBS, self._list)
        async with mounted(app, patience=0) as url:
            yield url
            for task in self._late:
                task.cancel()
            await asyncio.gather(*self._late, return_exceptions=True)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        fault = self._fault("POST")
        if fault.startswith("late"):
            self._late.add(asyncio.create_task(self._commit_late(body, float(fault.split()[1]))))
            await asyncio.sleep(3_600)
            return web.Response(status=500)
        if "before" in fault:
            return self._break(request, fault)
        job = self._commit(body)
        return self._break(request, fault) if fault else web.json_response(job)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        fault = self._fault("GET")
        if fault.startswith("slow"):
            await asyncio.sleep(float(fault.split()[1]))
        elif fault:
            return self._break(request, fault)
        wanted = {name[9:-1]: value for name, value in request.query.items() if name.startswith("metadata[")}
        found = [
            job
            for job in reversed(self.jobs)
            if self.ignores_filter or (job["metadata"] or {}).items() >= wanted.items()  # type: ignore[attr-defined]
        ]
        found = [] if wanted and self.filters_all else self.order(found)
        ids = [job["id"] for job in found]
        start = ids.index(request.query["after"]) + 1 if "after" in request.query else 0
        page = found[start : start + 20]
        return web.json_response({"object": "list", "data": page, "has_more": start + 20 < len(found)})

    def _fault(self, method: str) -> str:
        self.seen.append(method)
        return self.fault(method, next(self._numbers))

    def _commit(self, body: dict[str, object]) -> dict[str, object]:
        job = {
            "id": f"ftjob-{len(self.jobs)}",
            "object": "fine_tuning.job",
            "created_at": int(time.time()),
            "model": body["model"],
            "status": "queued",
            "training_file": body["training_file"],
            "metadata": None if self.drops_metadata else body.get("metadata"),
        }
        if self.mangles is not None:
            self.mangles(job)
        self.jobs.append(job)
        return job

    async def _commit_late(self, body: dict[str, object], seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._commit(body)

    @staticmethod
    def _break(request: web.Request, fault: str) -> web.StreamResponse:
        kind, _, _ = fault.partition(" ")
        if kind.isdigit():
            wait = fault.rpartition(" ")[2]
            return web.Response(status=int(kind), headers={"Retry-After": wait} if wait.isdigit() else None)
        transport = request.transport
        assert transport is not None
        if kind == "reset":
            transport.abort()
        else:
            transport.close()
        raise asyncio.CancelledError
