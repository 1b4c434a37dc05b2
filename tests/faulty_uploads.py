"""The local server in the test's own loop, with faults before and after its work, and a client of small parts."""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from fine_tuning_async import FineTuningClient, RetryPolicy
from fine_tuning_async.api.uploads import Limits
from fine_tuning_async.server import LocalServer
from tests.serving import mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Fault = Callable[[str, int], str]
    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

KEY = "sk-of-the-client"
PART = 300_000  # more than a chunk of the client's, and of the server's, and no multiple of either
OPERATIONS = {
    r"POST /v1/uploads": "create",
    r"POST /v1/uploads/\w+/parts": "part",
    r"POST /v1/uploads/\w+/complete": "complete",
    r"POST /v1/uploads/\w+/cancel": "cancel",
    r"POST /v1/files": "plain",
    r"GET /v1/files": "list",
    r"GET /v1/files/[\w-]+/content": "content",
}


class SmallParts(FineTuningClient):
    """Sends what is larger than a part in parts."""

    _limits = Limits(plain=PART, part=PART, whole=20 * PART)


class FaultyUploads:
    """A local server in whose way something stands.

    Attributes:
        fault: Called with the operation and how many of its kind came before; says what goes wrong: "" for
            nothing, "before" or "after" the work with a status, "drop", "silence" or a body to answer with;
            "wait 5" for seconds before the work.
        seen: The operations in the order in which they came.
        busiest: How many parts were on their way at once, at most.
    """

    def __init__(self, fault: Fault = lambda operation, number: "") -> None:
        self.server = LocalServer()
        self.fault = fault
        self.seen: list[str] = []
        self.busiest = 0
        self._counts: Counter[str] = Counter()
        self._parts = 0
        self._news = asyncio.Event()

    @asynccontextmanager
    async def running(self, retry: RetryPolicy | None = None) -> AsyncIterator[FineTuningClient]:
        """Serve, and give a client."""
        app = self.server.app

        @web.middleware
        async def between(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._between(request, handler)

        app.middlewares.insert(0, between)
        async with (
            mounted(app, patience=0) as url,
            SmallParts(KEY, base_url=url, retry=retry or RetryPolicy()) as client,
        ):
            yield client

    async def until(self, operation: str, count: int = 1) -> None:
        """Wait until so many of an operation have come."""
        while self.seen.count(operation) < count:
            self._news.clear()
            await self._news.wait()

    def uploads(self) -> list[str]:
        """The status of each upload, oldest first."""
        with self.server._service.session():
            rows = self.server._service.store._connection.execute("SELECT status FROM uploads ORDER BY seq")
            return [status for (status,) in rows]

    def leftovers(self) -> int:
        """How many pieces of content the server holds that are no file's."""
        pieces = "SELECT file_seq FROM parts WHERE whole_seq IS NOT NULL"
        query = f"SELECT count(*) FROM files WHERE id IS NULL AND seq NOT IN ({pieces})"  # noqa: S608 - our own words
        with self.server._service.session():
            found: int = self.server._service.store._connection.execute(query).fetchone()[0]
            return found

    async def _between(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        line = f"{request.method} {request.path}"
        operation = next((name for form, name in OPERATIONS.items() if re.fullmatch(form, line)), "other")
        fault = self.fault(operation, self._counts[operation])
        self._counts[operation] += 1
        self.seen.append(operation)
        self._news.set()
        self._parts += operation == "part"
        self.busiest = max(self.busiest, self._parts)
        try:
            return await self._faulty(request, handler, fault)
        finally:
            self._parts -= operation == "part"

    async def _faulty(self, request: web.Request, handler: Handler, fault: str) -> web.StreamResponse:
        when, _, what = fault.partition(" ")
        if when == "wait":
            await asyncio.sleep(float(what))
        if when == "before":
            await request.read()
            return await self._break(request, what)
        answer = await handler(request)
        return await self._break(request, what) if when == "after" else answer

    async def _break(self, request: web.Request, what: str) -> web.StreamResponse:
        if what.isdigit():
            return web.json_response({"error": {"message": "of the test"}}, status=int(what))
        if what == "silence":
            await asyncio.sleep(100_000)
        if what.startswith("{"):
            return web.Response(body=what.encode(), content_type="application/json")
        assert request.transport is not None
        request.transport.close()
        raise asyncio.CancelledError


def open_files(folder: Path) -> list[str]:
    """What this process holds open below a folder, what was deleted included."""
    if not sys.platform.startswith("linux"):
        return []
    found = []
    for number in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(number.readlink()))
        except FileNotFoundError:
            continue  # the one through which the folder is read
    return [each for each in found if each.startswith(str(folder))]


def in_use(client: FineTuningClient) -> int:
    """How many connections of a client are at work."""
    connector = client._sessions.current().connector
    assert connector is not None
    return len(connector._acquired)


async def content_of(client: FineTuningClient, file_id: str) -> bytes:
    """The content of a file on the server."""
    return (await client.request("GET", f"/files/{file_id}/content")).body
