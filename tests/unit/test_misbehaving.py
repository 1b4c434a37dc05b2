"""Each misbehaviour reaches a bare aiohttp client as the exception that it is meant to provoke."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests import misbehaving as bad
from tests.misbehaving import MisbehavingServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from yarl import URL

    from tests.misbehaving import Behaviour, Exchange

TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=30)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        yield session


async def post(session: aiohttp.ClientSession, url: URL | str) -> bytes:
    async with session.post(url, data=b"{}", allow_redirects=False) as response:
        return await response.read()


LOST = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


@pytest.mark.parametrize(
    ("behaviour", "expected", "received"),
    [
        pytest.param(bad.fin_after_reading(), aiohttp.ServerDisconnectedError, 1, id="fin after reading"),
        pytest.param(bad.rst_after_reading(), aiohttp.ClientOSError, 1, id="rst after reading"),
        pytest.param(bad.fin_before_reading(), LOST, 0, id="fin before reading"),
        pytest.param(bad.rst_before_reading(), LOST, 0, id="rst before reading"),
        pytest.param(bad.silence(), aiohttp.SocketTimeoutError, 1, id="silence"),
        pytest.param(bad.stall(), aiohttp.SocketTimeoutError, 1, id="stalled body"),
        pytest.param(bad.late(31, bad.answer()), aiohttp.SocketTimeoutError, 1, id="late"),
        pytest.param(bad.cut_body(), aiohttp.ClientPayloadError, 1, id="cut body"),
        pytest.param(bad.cut_chunked(), aiohttp.ClientPayloadError, 1, id="cut chunked body"),
        pytest.param(bad.garbage(), aiohttp.ClientResponseError, 1, id="garbage"),
        pytest.param(bad.giant_header(), aiohttp.ClientResponseError, 1, id="giant header"),
        pytest.param(bad.many_headers(), aiohttp.ClientResponseError, 1, id="many headers"),
    ],
)
async def test_what_the_client_sees(
    session: aiohttp.ClientSession,
    behaviour: Behaviour,
    expected: type[Exception] | tuple[type[Exception], ...],
    received: int,
) -> None:
    async with MisbehavingServer(behaviour) as server:
        with pytest.raises(expected) as caught:
            await post(session, server.url)
    assert not isinstance(caught.value, aiohttp.ClientConnectorError)
    assert len(server.requests) == received


async def test_refused_port(session: aiohttp.ClientSession) -> None:
    with bad.refused_port() as port, pytest.raises(aiohttp.ClientConnectorError):
        await post(session, f"http://127.0.0.1:{port}/")


async def test_unanswering_port(session: aiohttp.ClientSession) -> None:
    started = time.monotonic()
    with bad.unanswering_port() as port, pytest.raises(aiohttp.ConnectionTimeoutError):
        await post(session, f"http://127.0.0.1:{port}/")
    assert time.monotonic() - started < 1


async def test_plain_http_addressed_with_https(session: aiohttp.ClientSession) -> None:
    async with MisbehavingServer(bad.answer()) as server:
        with pytest.raises(aiohttp.ClientConnectorSSLError):
            await post(session, server.https_url)
    assert not server.requests


async def test_proxy_that_refuses_to_connect(session: aiohttp.ClientSession) -> None:
    async with MisbehavingServer(bad.proxy_refusal()) as server:
        with pytest.raises(aiohttp.ClientHttpProxyError) as caught:
            await session.post("https://api.example.invalid/v1", proxy=server.url, data=b"{}")
    assert caught.value.status == 502
    assert [(request.method, request.body) for request in server.requests] == [("CONNECT", b"")]


async def test_requests_are_recorded(session: aiohttp.ClientSession) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"in "
        yield b"chunks"

    async with MisbehavingServer([bad.answer(201, {"X-A": "b"}, b"hello"), bad.answer(404)]) as server:
        async with session.post(server.url / "jobs?a=1", data=b"body", headers={"X-Key": "k"}) as response:
            assert (response.status, response.headers["X-A"], await response.read()) == (201, "b", b"hello")
        async with session.put(server.url, data=pieces(), expect100=True) as response:
            assert response.status == 404
    first, second = server.requests
    assert (first.method, first.target, first.headers["x-key"]) == ("POST", "/jobs%3Fa=1", "k")
    assert (first.body, second.body) == (b"body", b"in chunks")
    assert server.connections == first.connection == second.connection == 1


async def test_a_kept_connection_is_closed_when_the_next_request_arrives(session: aiohttp.ClientSession) -> None:
    async with MisbehavingServer([bad.answer(), bad.fin_before_reading(), bad.answer()]) as server:
        await post(session, server.url)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await post(session, server.url)
        await post(session, server.url)
    assert [request.connection for request in server.requests] == [1, 2]


async def test_redirect(session: aiohttp.ClientSession) -> None:
    script = [bad.redirect("/elsewhere"), bad.answer()]
    async with MisbehavingServer(script) as server, session.get(server.url) as response:
        assert response.status == 200
    assert [request.target for request in server.requests] == ["/", "/elsewhere"]


@pytest.mark.parametrize("head_too", [False, True])
async def test_trickle_takes_its_time(session: aiohttp.ClientSession, head_too: bool) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with MisbehavingServer(bad.trickle(b"x" * 60, interval=20, head_too=head_too)) as server:
        assert await post(session, server.url) == b"x" * 60
    head = len("HTTP/1.1 200 Status 200\r\nContent-Length: 60\r\n\r\n")
    assert loop.time() - started == 20 * (60 + head * head_too)


async def test_a_slow_head_can_outlast_any_pause_between_bytes(session: aiohttp.ClientSession) -> None:
    async with MisbehavingServer(bad.trickle(b"{}", interval=20, head_too=True)) as server:
        with pytest.raises(TimeoutError):
            await session.get(server.url, timeout=aiohttp.ClientTimeout(total=600, sock_read=30))


@pytest.mark.parametrize("behaviour", [bad.endless(), bad.endless_chunked(), bad.gzip_bomb()])
async def test_endless_bodies_are_produced_only_as_they_are_read(
    session: aiohttp.ClientSession, behaviour: Behaviour
) -> None:
    taken = 0
    async with MisbehavingServer(behaviour) as server, session.get(server.url) as response:
        async for piece in response.content.iter_any():
            taken += len(piece)
            if taken > 8 * 2**20:
                break
    assert taken < 64 * 2**20


async def test_a_small_bomb_is_valid_gzip(session: aiohttp.ClientSession) -> None:
    async with MisbehavingServer(bad.gzip_bomb(3)) as server:
        assert await post(session, server.url) == bytes(3 * 2**20)


async def test_a_finite_endless_body_has_its_length(session: aiohttp.ClientSession) -> None:
    async with MisbehavingServer(bad.endless(100_000)) as server:
        assert await post(session, server.url) == bytes(100_000)


async def play_everything() -> None:
    quick = aiohttp.ClientTimeout(total=None, sock_read=0.1)
    script = [bad.answer(), bad.silence(), bad.rst_after_reading(), bad.stall(), bad.fin_before_reading()]
    async with aiohttp.ClientSession(timeout=quick) as session, MisbehavingServer(script) as server:
        await post(session, server.url)
        for expected in (aiohttp.SocketTimeoutError, aiohttp.ClientOSError, aiohttp.SocketTimeoutError, LOST):
            with pytest.raises(expected):
                await post(session, server.url)
        assert len(server.requests) == 4


@pytest.mark.usefixtures("collect_garbage")
async def test_on_virtual_time() -> None:
    await play_everything()


@pytest.mark.real_time
@pytest.mark.usefixtures("collect_garbage")
async def test_on_real_time() -> None:
    await play_everything()


@pytest.mark.usefixtures("collect_garbage")
async def test_leaving_ends_behaviours_that_never_would(session: aiohttp.ClientSession) -> None:
    async with MisbehavingServer(bad.endless()) as server:
        async with session.get(server.url) as response:
            await asyncio.sleep(60)
            asyncio.get_running_loop().call_later(60, response.close)
            await asyncio.sleep(1)
            pending = len(asyncio.all_tasks())
        assert pending > 1
    assert len(asyncio.all_tasks()) == 1


async def test_a_behaviour_of_ones_own_and_its_faults(session: aiohttp.ClientSession) -> None:
    async def choose(exchange: Exchange) -> None:
        request = await exchange.receive()
        if request.method == "DELETE":
            raise LookupError(request.target)
        await bad.answer(body=request.target.encode())(exchange)

    async def provoke() -> None:
        async with MisbehavingServer(choose) as server:
            assert await post(session, server.url / "a") == b"/a"
            assert await post(session, server.url / "b") == b"/b"
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await session.delete(server.url / "c")
            server.requests.clear()

    with pytest.raises(ExceptionGroup) as caught:
        await provoke()
    assert {str(fault) for fault in caught.value.exceptions} == {"/c"}
