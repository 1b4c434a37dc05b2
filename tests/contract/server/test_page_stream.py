"""The stream that keeps the page live: what it tells, how it ends, what it may take."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock
from urllib.parse import urlsplit

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.test_utils import make_mocked_request

from fine_tuning_async.server import Fault, LocalServer
from fine_tuning_async.server.context import TRAFFIC
from fine_tuning_async.server.page import stream
from tests.contract.server.http_api import chat_lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = {"Authorization": "Bearer k"}
SECTIONS = {"server", "jobs", "job", "requests", "faults", "webhooks"}
STREAM = "/_local/stream"


@asynccontextmanager
async def mounted(server: LocalServer) -> AsyncIterator[aiohttp.ClientSession]:
    """The server in this loop, and so on virtual time."""
    runner = web.AppRunner(server.app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession(f"http://{host}:{port}", headers=KEY) as session:
        yield session
        await runner.cleanup()


async def create(session: aiohttp.ClientSession) -> str:
    form = aiohttp.FormData({"purpose": "fine-tune"})
    form.add_field("file", chat_lines(10), filename="f")
    async with session.post("/v1/files", data=form) as answer:
        file_id = (await answer.json())["id"]
    async with session.post("/v1/fine_tuning/jobs", json={"model": "gpt-4o", "training_file": file_id}) as answer:
        return str((await answer.json())["id"])


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    """Read server-sent events as a browser does."""
    name = ""
    async for line in answer.content:
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, orjson.loads(value)


async def until(told: AsyncIterator[tuple[str, Any]], wanted: str) -> tuple[list[str], Any]:
    """Read up to a section of this name; return the names that came before it, and the section."""
    before: list[str] = []
    async for name, section in told:
        if name == wanted:
            return before, section
        before.append(name)
    raise AssertionError(f"the stream ended without {wanted}")


async def test_a_stream_tells_everything_at_first_and_then_what_has_changed() -> None:
    server = LocalServer()
    async with mounted(server) as session, session.get(STREAM) as answer:
        assert (answer.content_type, answer.headers["Cache-Control"]) == ("text/event-stream", "no-store")
        told = events(answer)
        assert {(await anext(told))[0] for _ in SECTIONS} == SECTIONS
        job_id = await create(session)
        _, jobs = await until(told, "jobs")
        while not jobs["data"]:
            _, jobs = await until(told, "jobs")
        assert jobs["data"][0]["id"] == job_id
        await asyncio.sleep(5)  # all of it is told
        server.faults.once(Fault.reset(), path="/nothing")
        _, faults = await until(told, "faults")
        assert faults[0]["path"] == "/nothing"
        server.advance(30)
        while jobs["data"][0]["status"] != "running":
            before, jobs = await until(told, "jobs")
            assert not {"faults", "requests", "webhooks"} & set(before)


async def test_what_happens_between_two_looks_is_told_together() -> None:
    server = LocalServer()
    async with mounted(server) as session, session.get(STREAM) as answer:
        told = events(answer)
        await until(told, "jobs")
        job_id = await create(session)
        await until(told, "jobs")
        for _ in range(50):
            server.advance(3)
        _, jobs = await until(told, "jobs")
        assert (jobs["data"][0]["id"], jobs["data"][0]["step"]) == (job_id, 43)


async def test_on_a_running_clock_jobs_move_on_under_the_eyes_of_the_page() -> None:
    async with mounted(LocalServer(speed=60)) as session, session.get(STREAM) as answer:
        told = events(answer)
        await create(session)
        statuses: list[str] = []
        while "succeeded" not in statuses:
            _, jobs = await until(told, "jobs")
            statuses += [job["status"] for job in jobs["data"]]
        assert list(dict.fromkeys(statuses))[-2:] == ["running", "succeeded"]


async def test_a_stream_follows_the_job_that_it_is_asked_for() -> None:
    server = LocalServer()
    async with mounted(server) as session:
        first, _ = await create(session), await create(session)
        async with session.get(STREAM, params={"job": first}) as answer:
            told = events(answer)
            assert (await until(told, "job"))[1]["id"] == first
            server.fail(first, code="wet")
            assert (await until(told, "job"))[1]["error"]["code"] == "wet"
            server.reset()
            assert (await until(told, "job"))[1] is None


async def test_so_many_streams_are_open_at_once_and_one_that_was_left_counts_no_more() -> None:
    async with mounted(LocalServer()) as session, AsyncExitStack() as stack:
        for _ in range(16):
            answer = await stack.enter_async_context(session.get(STREAM))
            assert answer.status == 200
        async with session.get(STREAM) as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
        answer.close()
        await asyncio.sleep(5)
        async with session.get(STREAM) as answer:
            assert answer.status == 200


async def test_a_silent_stream_shows_now_and_then_that_it_is_alive() -> None:
    async with mounted(LocalServer()) as session, session.get(STREAM) as answer:
        told = events(answer)
        for _ in SECTIONS:
            await anext(told)
        async with asyncio.timeout(60):
            assert await answer.content.readuntil(b":\n") == b"\n:\n"


class Deaf(AbstractStreamWriter):
    """The way to a browser that takes nothing."""

    async def write(self, chunk: object) -> None:
        await asyncio.Event().wait()

    async def write_eof(self, chunk: bytes = b"") -> None:
        await asyncio.Event().wait()

    async def drain(self) -> None:
        await asyncio.Event().wait()

    def enable_compression(self, encoding: str = "deflate", strategy: int | None = None) -> None: ...
    def enable_chunking(self) -> None: ...
    async def write_headers(self, status_line: str, headers: object) -> None: ...


async def test_a_browser_that_takes_nothing_is_let_go() -> None:
    server = LocalServer()
    async with mounted(server):
        transport = Mock(spec=asyncio.Transport)
        request = make_mocked_request("GET", STREAM, app=server.app, writer=Deaf(), transport=transport)
        began = asyncio.get_running_loop().time()
        await stream.stream(request)
        transport.abort.assert_called_once_with()
        assert asyncio.get_running_loop().time() - began == pytest.approx(stream.PATIENCE)


async def test_an_open_stream_is_no_request_in_flight() -> None:
    """What is in flight is let finish at a stop, and a stream would not."""
    server, clock = LocalServer(), asyncio.get_running_loop().time
    async with mounted(server) as session, session.get(STREAM):
        began = clock()
        await server.app[TRAFFIC].ebb(60)
        assert clock() == began


def test_a_stop_waits_for_no_stream() -> None:
    with LocalServer() as server:
        parts = urlsplit(server.url)
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as reader:
            reader.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert reader.recv(65536).startswith(b"HTTP/1.1 200")
            server.stop()
            received = b""
            while data := reader.recv(65536):
                received += data
            assert received.endswith(b"0\r\n\r\n")  # the last chunk: it was ended, not cut off
