"""Each thing that the proxy does to a connection, as both of its ends see it."""

from __future__ import annotations

import asyncio
import gc
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.misbehaving import linger
from tests.tcp_proxy import Lane, TcpProxy, Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.tcp_proxy import Ending

OPEN_FILES = Path("/proc/self/fd")
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def open_files() -> list[Path]:
    return list(OPEN_FILES.iterdir()) if OPEN_FILES.is_dir() else []


class Peer:
    """A server that keeps the ends of its connections for the test."""

    def __init__(self) -> None:
        self.ends: asyncio.Queue[Ends] = asyncio.Queue()
        self.writers: list[asyncio.StreamWriter] = []

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        await self.ends.put((reader, writer))


@asynccontextmanager
async def proxied(*script: Wire) -> AsyncIterator[tuple[TcpProxy, Peer]]:
    peer = Peer()
    server = await asyncio.start_server(peer.accept, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with TcpProxy(url, script or Wire()) as proxy:
        yield proxy, peer
    server.close()
    for writer in peer.writers:
        writer.transport.abort()
    await asyncio.sleep(0)


@asynccontextmanager
async def connected(*script: Wire) -> AsyncIterator[tuple[Ends, Ends, TcpProxy]]:
    """The client's end, the server's end, and the proxy between them."""
    async with proxied(*script) as (proxy, peer):
        client = await asyncio.open_connection(proxy.url.host, proxy.url.port)
        server = await peer.ends.get()
        try:
            yield client, server, proxy
        finally:
            client[1].transport.abort()


async def test_what_is_not_touched_goes_through_both_ways() -> None:
    async with connected() as ((reader, writer), (far_reader, far_writer), proxy):
        assert (proxy.url.path, proxy.url.host) == ("/v1", "127.0.0.1")
        data = os.urandom(300_000)
        writer.write(data)
        assert await far_reader.readexactly(len(data)) == data
        far_writer.write(b"thanks")
        assert await reader.readexactly(6) == b"thanks"
        (connection,) = proxy.connections
        assert (connection.up, connection.down) == (len(data), 6)
        writer.write_eof()
        assert await far_reader.read() == b""
        far_writer.write(b"more")
        far_writer.write_eof()
        assert await reader.read() == b"more", "a half that is closed leaves the other open"
        await connection.task
        assert not connection.is_open


async def test_a_proxy_that_refuses_and_listens_again() -> None:
    async with proxied() as (proxy, peer):
        port = proxy.url.port
        await proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        proxy.listen()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await peer.ends.get()
        writer.transport.abort()


async def test_a_connection_that_stands_survives_a_refusal_of_others() -> None:
    async with connected() as ((_, writer), (far_reader, _), proxy):
        await proxy.refuse()
        writer.write(b"still here")
        assert await far_reader.readexactly(10) == b"still here"


async def test_a_deaf_wire_takes_bytes_and_passes_none_on() -> None:
    async with proxied(Wire(deaf=True), Wire()) as (proxy, peer):
        reader, writer = await asyncio.open_connection(proxy.url.host, proxy.url.port)
        writer.write(b"anyone?")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1000):
                await reader.read(1)
        assert peer.ends.empty()
        _, second = await asyncio.open_connection(proxy.url.host, proxy.url.port)
        await peer.ends.get()
        for each in (writer, second):
            each.transport.abort()


@pytest.mark.parametrize("ending", ["fin", "rst", "silence"])
@pytest.mark.parametrize("side", ["up", "down"])
@pytest.mark.parametrize("size", [0, 1, 5])
async def test_a_connection_is_cut_after_so_many_bytes(side: str, ending: Ending, size: int) -> None:
    lane = Lane(bytes=size, ending=ending)
    async with connected(Wire(up=lane) if side == "up" else Wire(down=lane)) as (near, far, _):
        (_, writer), (reader, _) = (near, far) if side == "up" else (far, near)
        writer.write(b"0123456789")
        assert await reader.readexactly(size) == b"0123456789"[:size]
        if ending == "fin":
            assert await reader.read() == b""
            assert await (near if side == "up" else far)[0].read() == b"", "the sender is told, too"
        elif ending == "rst":
            with pytest.raises(ConnectionResetError):
                await reader.read(1)
        else:
            writer.write(b"more")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1000):
                    await reader.read(1)


async def test_one_wire_after_another() -> None:
    async with proxied(Wire(down=Lane(bytes=0, ending="rst")), Wire()) as (proxy, peer):
        told = []
        for _ in range(3):
            reader, writer = await asyncio.open_connection(proxy.url.host, proxy.url.port)
            _, far_writer = await peer.ends.get()
            far_writer.write(b"x")
            try:
                told.append(await reader.read(1))
            except ConnectionResetError:
                told.append(b"reset")
            writer.transport.abort()
    assert told == [b"reset", b"x", b"x"]


async def test_a_delay_and_a_rate_take_the_time_that_they_say() -> None:
    clock = asyncio.get_running_loop().time
    async with connected(Wire(up=Lane(delay=3), down=Lane(rate=100))) as (near, far, _):
        start = clock()
        near[1].write(b"x")
        await far[0].readexactly(1)
        assert clock() - start == pytest.approx(3)
        start = clock()
        far[1].write(bytes(1000))
        await near[0].readexactly(1000)
        assert clock() - start == pytest.approx(10)


async def test_a_frozen_connection_keeps_what_comes_until_it_thaws() -> None:
    async with connected() as (near, far, proxy):
        proxy.freeze()
        near[1].write(b"up")
        far[1].write(b"down")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1000):
                await near[0].read(1)
        assert (proxy.connections[0].up, proxy.connections[0].down) == (0, 0)
        proxy.thaw()
        assert await near[0].readexactly(4) == b"down"
        assert await far[0].readexactly(2) == b"up"


async def test_a_connection_is_reset_closed_or_closed_by_half_at_any_moment() -> None:
    async with connected() as (near, far, proxy):
        proxy.connections[0].half_close("down")
        assert await near[0].read() == b""
        near[1].write(b"and yet")
        assert await far[0].readexactly(7) == b"and yet"
        proxy.connections[0].reset()
        with pytest.raises(ConnectionResetError):
            await far[0].read()
    async with connected() as (near, far, proxy):
        proxy.connections[0].close()
        assert await near[0].read() == await far[0].read() == b""


async def test_a_reset_at_one_end_is_one_at_the_other() -> None:
    async with connected() as (near, far, _):
        linger(near[1].get_extra_info("socket"))
        near[1].transport.abort()
        with pytest.raises(ConnectionResetError):
            await far[0].read()


async def test_a_server_that_is_away_is_a_reset() -> None:
    async with proxied() as (proxy, _):
        port = proxy.url.port
        await proxy.refuse()
        async with TcpProxy(f"http://127.0.0.1:{port}") as front:
            reader, writer = await asyncio.open_connection(front.url.host, front.url.port)
            with pytest.raises(ConnectionResetError):
                await reader.read(1)
            writer.transport.abort()


async def test_leaving_it_leaves_nothing() -> None:
    before = len(open_files())
    for wire in (Wire(), Wire(deaf=True), Wire(up=Lane(delay=1000)), Wire(down=Lane(bytes=1, ending="silence"))):
        async with connected(wire) if not wire.deaf else proxied(wire) as _:
            pass
    gc.collect()
    assert len(open_files()) <= before
