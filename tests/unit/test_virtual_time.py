"""The loop's clock jumps over idleness, and over nothing else; a test is held to what it leaves behind."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web

from tests import virtual_time
from tests.conftest import _debugging
from tests.virtual_time import START, StalledLoopError, VirtualTimeLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from typing import Any

ROOT = Path(__file__).parents[2]


def virtual_loop() -> VirtualTimeLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    return loop


async def hang() -> None:
    await asyncio.get_running_loop().create_future()


async def respond(request: web.Request) -> web.Response:
    await asyncio.sleep(float(request.query.get("delay", "0")))
    return web.Response(body=bytes(int(request.query.get("size", "2"))))


async def feed(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(50):
        await response.write(b"line\n")
        await asyncio.sleep(float(request.query["delay"]))
    return response


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


@pytest.fixture
async def server() -> AsyncIterator[str]:
    app = web.Application(client_max_size=2**26)
    app.add_routes([web.get("/", respond), web.post("/", echo), web.get("/feed", feed)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        yield session


async def fetch(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url) as response:
        return len(await response.read())


async def test_an_hour_passes_at_once() -> None:
    started = time.monotonic()
    await asyncio.sleep(3600)
    assert virtual_loop().time() == START + 3600
    assert time.monotonic() - started < 1


async def test_a_week_passes_although_select_waits_for_a_day_at_most() -> None:
    await asyncio.sleep(7 * 24 * 3600)
    assert virtual_loop().time() == START + 7 * 24 * 3600


async def test_timers_fire_in_order_at_their_own_time() -> None:
    fired: list[tuple[float, float]] = []

    async def wait(delay: float) -> None:
        await asyncio.sleep(delay)
        fired.append((delay, virtual_loop().time() - START))

    await asyncio.gather(*map(wait, (30, 0.5, 7200, 7200.5)))
    assert fired == [(delay, delay) for delay in (0.5, 30, 7200, 7200.5)]


async def test_a_timeout_fires_when_nothing_else_can_happen() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(60):
            await hang()
    assert virtual_loop().time() == START + 60


async def test_http_traffic_takes_no_virtual_time(server: str, session: aiohttp.ClientSession) -> None:
    async def poll() -> None:
        for _ in range(60):
            assert await fetch(session, server) == 2
            await asyncio.sleep(60)

    await asyncio.gather(*(poll() for _ in range(5)))
    assert virtual_loop().time() == START + 3600


async def test_the_servers_delay_passes_in_virtual_time(server: str, session: aiohttp.ClientSession) -> None:
    assert await fetch(session, f"{server}?delay=29.5") == 2
    assert virtual_loop().time() == START + 29.5
    with pytest.raises(TimeoutError):
        await fetch(session, f"{server}?delay=31")


async def test_no_request_times_out_while_its_bytes_are_on_the_way(server: str) -> None:
    quick = aiohttp.ClientTimeout(total=1e-6, sock_read=1e-6)
    async with aiohttp.ClientSession(timeout=quick) as session:
        for _ in range(200):
            assert await fetch(session, server) == 2
    assert virtual_loop().time() == START


async def test_large_bodies_arrive_before_any_timer(server: str) -> None:
    body = bytes(2**24)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1e-3)) as session:
        async with session.post(server, data=io.BytesIO(body)) as response:
            assert await response.read() == body
        assert sum(await asyncio.gather(*(fetch(session, f"{server}?size={2**20}") for _ in range(20))))
    assert virtual_loop().time() == START


async def test_more_connections_than_the_backlog_holds(server: str) -> None:
    # 128 fit; the kernel repeats the others' attempts after a second, long after the timeout in virtual time.
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=5, connect=5)
    ) as session:
        assert await asyncio.gather(*(fetch(session, server) for _ in range(300))) == [2] * 300


async def test_a_stream_that_pauses_for_an_hour_each_line(server: str) -> None:
    patient = aiohttp.ClientTimeout(total=None, sock_read=3601)
    async with aiohttp.ClientSession(timeout=patient) as session:
        assert await fetch(session, f"{server}feed?delay=3600") == 250
    assert virtual_loop().time() == START + 50 * 3600


async def test_a_peer_that_does_not_read_holds_the_clock_only_once() -> None:
    started = time.monotonic()
    near, far = socket_pair()
    sending = asyncio.ensure_future(asyncio.get_running_loop().sock_sendall(near, bytes(2**26)))
    for _ in range(20):
        await asyncio.sleep(3600)
    sending.cancel()
    await asyncio.wait([sending])
    near.close()
    far.close()
    assert time.monotonic() - started < 2


def socket_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    near.setblocking(False)
    return near, far


async def test_the_clock_waits_for_threads() -> None:
    async with asyncio.timeout(1):
        await asyncio.to_thread(lambda: threading.Event().wait(0.0005))
    async with asyncio.timeout(60):
        await asyncio.to_thread(threading.Event().wait, 0.05)
        assert await asyncio.get_running_loop().getaddrinfo("localhost", 80)
    assert virtual_loop().time() == START


async def test_a_timer_comes_due_while_a_thread_outlasts_it() -> None:
    release = threading.Event()
    work = asyncio.get_running_loop().run_in_executor(None, release.wait)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(work), 0.05)
    release.set()
    await work
    assert virtual_loop().time() == START + 0.05


async def test_a_held_clock_waits_for_what_the_loop_cannot_see() -> None:
    loop = virtual_loop()
    done = asyncio.Event()
    threading.Timer(0.05, loop.call_soon_threadsafe, (done.set,)).start()
    with loop.clock_held():
        await asyncio.wait_for(done.wait(), 5)
    assert loop.time() == START


def run_impatiently(main: Coroutine[Any, Any, None], **limits: float) -> None:
    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(**limits)) as runner:
        runner.run(main)


def test_a_loop_that_nothing_can_wake_says_who_waits_where() -> None:
    with pytest.raises(StalledLoopError, match=r"nothing happened in 0\.05 real seconds") as caught:
        run_impatiently(hang(), patience=0.05)
    (note,) = caught.value.__notes__
    assert "hang" in note
    assert f"{__file__}:" in note


def test_a_loop_that_only_ever_waits_again_is_ended() -> None:
    async def poll_for_ever() -> None:
        while True:  # noqa: ASYNC110 - it is what must not be done
            await asyncio.sleep(1)

    with pytest.raises(StalledLoopError, match=r"still running after 0\.05 real seconds"):
        run_impatiently(poll_for_ever(), wall_limit=0.05)


def test_run_returns_the_result_and_joins_threads() -> None:
    async def main() -> int:
        await asyncio.sleep(86400)
        return await asyncio.to_thread(lambda: 7)

    assert virtual_time.run(main()) == 7
    assert virtual_time.run(main(), debug=True) == 7


@pytest.mark.real_time
async def test_the_marker_chooses_the_ordinary_loop() -> None:
    assert not isinstance(asyncio.get_running_loop(), VirtualTimeLoop)


def test_debug_mode_survives_the_runners_own_setting() -> None:
    async def is_debugging() -> bool:
        return asyncio.get_running_loop().get_debug()

    with asyncio.Runner(debug=False, loop_factory=partial(_debugging, VirtualTimeLoop)) as runner:
        assert runner.run(is_debugging())


@pytest.mark.debug_mode
async def test_the_marker_turns_the_debug_mode_on() -> None:
    assert asyncio.get_running_loop().get_debug()


async def test_without_the_marker_there_is_no_debug_mode() -> None:
    assert not asyncio.get_running_loop().get_debug()


async def test_the_environment_is_clean() -> None:
    assert not [name for name in os.environ if name.lower().endswith("_proxy") or "OPENAI" in name]


SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""

LEAKY = """
import asyncio, gc, os, socket
import aiohttp, pytest
from hypothesis import given, strategies

async def test_leaves_a_task():
    test_leaves_a_task.kept = asyncio.create_task(asyncio.sleep(99), name="the-forgotten")

async def test_loses_an_exception():
    async def fail(): raise LookupError("lost-for-good")
    asyncio.create_task(fail())
    await asyncio.sleep(0)

async def test_breaks_a_callback():
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)

async def test_forgets_a_session(collect_garbage):
    cycle = [aiohttp.ClientSession()]
    cycle.append(cycle)

async def test_forgets_a_socket(collect_garbage):
    cycle = [socket.socket()]
    cycle.append(cycle)

@given(strategies.integers())
async def test_is_well(number):
    await asyncio.sleep(number % 7)
    assert "OPENAI_API_KEY" not in os.environ and "https_proxy" not in os.environ

@pytest.mark.parametrize("name", ["a", "b"])
async def test_is_named_plainly(name):
    assert not asyncio.get_running_loop().get_debug()

def test_is_synchronous():
    pass
"""


def test_a_test_is_failed_for_what_it_leaves(tmp_path: Path) -> None:
    (tmp_path / "test_leaky.py").write_text(LEAKY)
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    output = run_pytest(tmp_path)
    for expected in (
        "left pending: the-forgotten (sleep) waits at",
        "LookupError('lost-for-good')",
        "ZeroDivisionError",
        "Unclosed client session",
        "unclosed <socket.socket",
        "test_is_well PASSED",
        "test_is_named_plainly[a] PASSED",
        "test_is_synchronous PASSED",
        "9 passed",
        "5 errors",
    ):
        assert expected in output, output


def run_pytest(directory: Path) -> str:
    plugins = ["-p", "pytest_asyncio.plugin", "-p", "tests.conftest"]
    few = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # loading all others takes most of the time
    finished = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-m", "pytest", "-v", *plugins, "-c", directory / "pytest.ini", directory],
        cwd=ROOT,
        env={**os.environ, **few, "PYTHONPATH": str(ROOT), "OPENAI_API_KEY": "sk-x", "https_proxy": "http://x"},
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.stdout + finished.stderr
