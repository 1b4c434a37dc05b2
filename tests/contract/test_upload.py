"""Uploads: what can be uploaded, what arrives, what it costs, and what is refused before anything is sent."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import threading
import tracemalloc
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import pytest
from aiohttp import web

from fine_tuning_async import (
    ConnectionFailed,
    FineTuningClient,
    FineTuningError,
    InvalidArgumentError,
    ServerError,
)
from tests.contract.test_upload_sources import SOURCES
from tests.misbehaving import (
    answer,
    fin_after_reading,
    rst_after_reading,
    rst_before_reading,
    silence,
)
from tests.receiving import CONTENT, FILE, MIB, digest, part_of, receiving
from tests.serving import KEY, mounted, scripted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.misbehaving import Behaviour


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl"
    path.write_bytes(CONTENT)
    return path


# ------------------------------------------------------------------------------------------- progress


async def test_progress_grows_to_the_size_of_the_file(path: Path) -> None:
    seen: list[tuple[int, int]] = []
    async with receiving() as (client, _):
        await client.upload_file(path, progress=lambda sent, size: seen.append((sent, size)))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert {size for _, size in seen} == {len(CONTENT)}
    assert [sent for sent, _ in seen] == sorted({sent for sent, _ in seen})
    assert len(seen) == 3


async def test_progress_begins_anew_when_it_is_sent_again(path: Path) -> None:
    seen: list[int] = []
    async with scripted(fin_after_reading(), answer(200, {}, FILE)) as (client, _):
        await client.upload_file(path, progress=lambda sent, _: seen.append(sent))
    assert seen[:3] == seen[3:]


# ------------------------------------------------------------------------------------------- sending again

FAILURES: dict[str, Behaviour] = {
    "closed after reading": fin_after_reading(),
    "reset after reading": rst_after_reading(),
    "reset before reading": rst_before_reading(),
    "503": answer(503),
    "429": answer(429, {"Retry-After": "1"}),
    "silence": silence(),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("kind", ["Path", "open file at an offset", "bytes", "BytesIO"])
async def test_an_upload_that_failed_is_sent_again_whole(failure: str, kind: str, path: Path) -> None:
    make, content, _ = SOURCES[kind]
    source = make(path)
    async with scripted(FAILURES[failure], answer(200, {}, FILE)) as (client, server):
        await client.upload_file(source)
        assert part_of(server.requests[-1]) == content
        assert len({each.body for each in server.requests}) == 1
    if isinstance(source, io.IOBase):
        source.close()


async def test_an_upload_that_always_fails_ends_with_the_servers_answer(path: Path) -> None:
    async with scripted(answer(503)) as (client, server):
        with pytest.raises(ServerError):
            await client.upload_file(path)
        assert [part_of(each) for each in server.requests] == [CONTENT] * 4


def small_buffered(address: Any) -> socket.socket:
    """Make a socket that takes little at once, as the kernel would otherwise take megabytes."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**15)
    return made


async def test_an_upload_goes_on_for_as_long_as_there_is_progress() -> None:
    """The client's timeout bounds the silence, not the whole: a slow server is no reason to give up."""

    async def slow(request: web.Request) -> web.Response:
        async for _ in request.content.iter_chunked(MIB // 16):
            await asyncio.sleep(1)
        return web.Response(body=FILE)

    app = web.Application()
    app.router.add_post("/v1/files", slow)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**15)  # or the kernel takes all of it at once
    connector = aiohttp.TCPConnector(socket_factory=small_buffered)
    async with mounted(app, listener=listener) as url, aiohttp.ClientSession(connector=connector) as session:
        client = FineTuningClient(KEY, base_url=url, timeout=9, session=session)
        clock = asyncio.get_running_loop().time
        before = clock()
        await client.upload_file(bytes(MIB))
        assert clock() - before > 12


# ------------------------------------------------------------------------------------------- changing files


async def test_a_file_that_shrinks_meanwhile_is_an_error_that_says_so(path: Path) -> None:
    async with receiving() as (client, receiver):
        with pytest.raises(FineTuningError, match="shorter") as raised:
            await client.upload_file(path, progress=lambda *_: os.truncate(path, 2**18))
        assert isinstance(raised.value, InvalidArgumentError)
        assert receiver.forms == []
        await client.upload_file(b"x")


async def test_a_file_that_grows_meanwhile_is_sent_as_it_was(path: Path) -> None:
    def grow(*_: int) -> None:
        with path.open("ab") as file:
            file.write(b"more")

    async with receiving() as (client, receiver):
        await client.upload_file(path, progress=grow)
        assert receiver.forms[0][0].digest == digest(CONTENT)


async def test_bytes_that_change_meanwhile_are_sent_as_they_were() -> None:
    content = bytearray(CONTENT)

    def change(*_: int) -> None:
        content[:] = b"z" * len(content)

    async with receiving() as (client, receiver):
        await client.upload_file(content, progress=change)
        assert receiver.forms[0][0].digest == digest(CONTENT)


async def test_a_file_that_disappears_between_attempts_is_an_error_of_ours(path: Path) -> None:
    def remove(sent: int, size: int) -> None:
        if sent == size:
            path.unlink(missing_ok=True)

    async with scripted(fin_after_reading(), answer(200, {}, FILE)) as (client, _):
        with pytest.raises((InvalidArgumentError, ConnectionFailed)) as raised:
            await client.upload_file(path, progress=remove)
        assert KEY not in str(raised.value)


# ------------------------------------------------------------------------------------------- what it costs


async def test_a_large_file_is_uploaded_in_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(64 * MIB)
    async with receiving() as (client, receiver):
        await client.upload_file(b"warm")
        tracemalloc.start()
        try:
            await client.upload_file(path)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert receiver.forms[-1][0].size == 64 * MIB
    assert peak < 6 * MIB


T = TypeVar("T")


class Watched(io.BytesIO):
    """Notes the thread of each access; a read waits until the loop has gone on meanwhile."""

    def __init__(self, content: bytes, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(content)
        self.threads: set[int] = set()
        self.reads = 0
        self.blocked = 0
        self._loop = loop

    def read(self, size: int | None = -1) -> bytes:
        went_on = threading.Event()
        self._loop.call_soon_threadsafe(went_on.set)
        self.blocked += not went_on.wait(2)
        self.reads += 1
        return self._noted(super().read(size))

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._noted(super().seek(offset, whence))

    def tell(self) -> int:
        return self._noted(super().tell())

    def _noted(self, value: T) -> T:
        self.threads.add(threading.get_ident())
        return value


async def test_the_file_is_read_off_the_loop_while_the_loop_goes_on() -> None:
    source = Watched(CONTENT, asyncio.get_running_loop())
    async with receiving() as (client, receiver):
        await client.upload_file(source)
        assert receiver.forms[0][0].digest == digest(CONTENT)
    assert (source.reads, source.blocked) == (3, 0)
    assert threading.get_ident() not in source.threads


async def test_an_error_of_the_source_is_not_taken_for_one_of_the_wire() -> None:
    class Broken(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    async with scripted(answer(200, {}, FILE)) as (client, _):
        with pytest.raises(FineTuningError, match="Input/output error"):
            await client.upload_file(Broken(CONTENT))


@pytest.mark.parametrize("error", [ValueError, OSError, RuntimeError, TimeoutError, ZeroDivisionError])
async def test_an_error_of_the_progress_callable_comes_out_as_it_is_and_nothing_is_sent_again(
    error: type[Exception],
) -> None:
    def broken(_sent: int, _size: int) -> None:
        raise error("of the callable")

    async with scripted(answer(200, {}, FILE)) as (client, server):
        with pytest.raises(error, match="of the callable"):
            await client.upload_file(CONTENT, progress=broken)
        assert len(server.requests) <= 1
        assert server.connections <= 1
        assert (await client.upload_file(CONTENT)).id == "file-1"
