"""Clients that are slow or silent hold up nobody, and no stop. On the time of the loop, which jumps."""

from __future__ import annotations

import asyncio
import gc
import socket
from contextlib import ExitStack, asynccontextmanager, closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from fine_tuning_async.server import Fault, LocalServer
from fine_tuning_async.server.serving import listening
from tests.contract.server.http_api import Api
from tests.contract.server.raw_http import connected, post, request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

FORM = "Content-Type: multipart/form-data; boundary=b"
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
PURPOSE = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
UPLOAD = post("/v1/files", PURPOSE + FILE + b"{}\r\n--b--\r\n", FORM)


@asynccontextmanager
async def client(url: str, data: bytes) -> AsyncIterator[Streams]:
    """A connection on which these bytes have been sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
    try:
        writer.write(data)
        yield reader, writer
    finally:
        writer.close()


@pytest.mark.parametrize("data", [b"", b"GET /v1/mod", request("GET /v1/models/a", close=False) + b"GET /v1/mod"])
async def test_headers_that_are_never_finished_close_the_connection_in_the_end(data: bytes) -> None:
    loop = asyncio.get_running_loop()
    async with listening(LocalServer().app, "127.0.0.1", 0) as url, client(url, data) as (reader, _):
        began = loop.time()
        await reader.read()
        assert 10 < loop.time() - began < 120


async def test_two_hundred_that_send_a_byte_a_second_hold_up_nobody() -> None:
    async def trickle(url: str, data: bytes, last: int) -> bytes:
        async with client(url, data[:-last]) as (reader, writer):
            for place in range(last, 0, -1):
                await asyncio.sleep(1)
                writer.write(data[len(data) - place :][:1])
            return await reader.readline()

    loop = asyncio.get_running_loop()
    async with listening(LocalServer().app, "127.0.0.1", 0) as url, asyncio.TaskGroup() as group:
        slow = [
            group.create_task(trickle(url, data, 4))
            for data in (UPLOAD, request("GET /v1/models"))
            for _ in range(100)
        ]
        for _ in range(8):
            await asyncio.sleep(0.4)
            began = loop.time()
            async with client(url, request("GET /v1/models/a")) as (reader, _):
                assert b" 404 " in await reader.readline()
            assert loop.time() - began < 0.4
        assert not any(task.done() for task in slow)
    assert {task.result() for task in slow} == {b"HTTP/1.1 200 OK\r\n"}


WAITING = {
    "silent": b"",
    "half a header": b"GET /v1/mod",
    "half a body": post("/v1/fine_tuning/jobs", b"{}")[:-1],
    "half an upload": UPLOAD[:-20],
    "kept alive": request("GET /v1/models/a", close=False),
    "stalled": request("GET /v1/models"),
    "does not read": request("GET /v1/files/BIG/content"),
}


@pytest.mark.parametrize("data", WAITING.values(), ids=WAITING.keys())
@pytest.mark.usefixtures("collect_garbage")
async def test_a_stop_takes_less_than_a_second_whatever_clients_do(data: bytes) -> None:
    server, loop = LocalServer(), asyncio.get_running_loop()
    server.faults.add(Fault.stalled(), path="/models")
    clients: list[Streams] = []
    async with listening(server.app, "127.0.0.1", 0) as url:
        big = await uploaded(url, bytes(8 << 20)) if b"BIG" in data else b""
        for _ in range(20):
            entered = await asyncio.open_connection("127.0.0.1", urlsplit(url).port, limit=1)
            entered[1].write(data.replace(b"BIG", big))
            clients.append(entered)
        await asyncio.sleep(1)
        began = loop.time()
    assert loop.time() - began < 1
    for _, writer in clients:
        writer.close()


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with closing(writer):
        await reader.read()


async def uploaded(url: str, content: bytes) -> bytes:
    """Upload a file; return its id."""
    async with client(url, post("/v1/files", PURPOSE + FILE + content + b"\r\n--b--\r\n", FORM)) as (reader, _):
        return (await reader.read()).partition(b'"id":"')[2].partition(b'"')[0]


async def test_a_stop_does_not_wait_for_a_receiver_or_a_job() -> None:
    server, loop = LocalServer(speed=1), asyncio.get_running_loop()
    silent = await asyncio.start_server(_say_nothing, "127.0.0.1", 0)
    server.add_webhook(f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/")
    async with silent, listening(server.app, "127.0.0.1", 0) as url:
        file_id = (await uploaded(url, b"{}\n" * 10)).decode()
        wish = f'{{"model": "gpt-4o-mini", "training_file": "{file_id}"}}'.encode()
        for _ in range(2):
            async with client(url, post("/v1/fine_tuning/jobs", wish)) as (reader, _):
                assert b" 200 " in await reader.readline()
            await asyncio.sleep(12)
        began = loop.time()
    assert loop.time() - began < 1


async def test_a_request_in_flight_is_answered_by_a_stop_and_is_the_last_on_its_connection() -> None:
    done, ready = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def serve() -> None:
        async with listening(LocalServer().app, "127.0.0.1", 0) as url:
            ready.set_result(url)
            await done.wait()

    serving = asyncio.create_task(serve())
    kept = UPLOAD.replace(b"Connection: close\r\n", b"")
    async with client(await ready, kept[:-20]) as (reader, writer):
        await asyncio.sleep(1)
        done.set()
        for _ in range(4):
            await asyncio.sleep(0)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", urlsplit(ready.result()).port or 0))
        await asyncio.sleep(0.1)
        writer.write(kept[-20:])
        answer = await reader.read()
    assert b" 200 " in answer
    assert b"Connection: close" in answer
    await serving


@pytest.mark.usefixtures("collect_garbage")
def test_a_stop_leaves_no_socket_of_a_client_that_does_not_read() -> None:
    with LocalServer() as server, ExitStack() as stack:
        file_id = Api(server.url).upload(bytes(16 << 20)).json["id"]
        for _ in range(3):
            connection = stack.enter_context(connected(server.url))
            connection.sendall(request(f"GET /v1/files/{file_id}/content"))
            connection.recv(1)
        server.stop()
        gc.collect()
