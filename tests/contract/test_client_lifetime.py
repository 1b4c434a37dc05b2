"""How a client begins and ends: outside a loop, in one loop after another, in two at once, and forgotten."""

from __future__ import annotations

import asyncio
import gc
import pickle
import threading
import warnings
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import (
    ClientStateError,
    FineTuningClient,
    InvalidArgumentError,
    NotFoundError,
)
from fine_tuning_async.server import LocalServer
from tests.misbehaving import MisbehavingServer, answer, late

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import aiohttp

    from tests.misbehaving import Behaviour

# Sockets, tasks and threads come together here: in debug mode asyncio sees a call from the wrong thread.
pytestmark = pytest.mark.debug_mode

KEY = "sk-of-the-client"
BODY = b'{"id": "ftjob-1", "created_at": 1, "model": "m", "status": "running"}'
JOB = answer(200, {}, BODY)


@pytest.fixture
def local() -> Iterator[LocalServer]:
    """A server in a thread of its own, for tests that bring their own loops."""
    with LocalServer() as running:
        yield running


@asynccontextmanager
async def serving(*script: Behaviour) -> AsyncIterator[tuple[FineTuningClient, MisbehavingServer]]:
    """A client that each test ends as it likes."""
    async with MisbehavingServer(script or [JOB]) as server:
        yield FineTuningClient(KEY, base_url=str(server.url)), server


@contextmanager
def nothing_unclosed() -> Iterator[None]:
    """No warning of any kind until all garbage is collected."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert [str(each.message) for each in caught] == []


# ------------------------------------------------------------------------------------------- loops


def test_a_client_made_outside_a_loop_works_in_one(local: LocalServer) -> None:
    with nothing_unclosed():
        client = FineTuningClient(KEY, base_url=local.url)

        async def main() -> int:
            async with client:
                return len(await client.list_jobs().collect())

        assert asyncio.run(main()) == 0


@pytest.mark.parametrize("debug", [False, True])
def test_a_client_that_is_never_closed_outlives_its_loops_without_a_trace(
    local: LocalServer,
    debug: bool,
) -> None:
    client = FineTuningClient(KEY, base_url=local.url)

    async def main(client: FineTuningClient) -> int:
        pages = [page async for page in client.list_jobs().pages()]
        await asyncio.gather(*(client.list_jobs() for _ in range(5)))
        return len(pages)

    with nothing_unclosed():
        assert [asyncio.run(main(client), debug=debug) for _ in range(3)] == [1, 1, 1]
        assert not client._sessions.loops
        del client


def test_sessions_of_loops_that_are_gone_are_forgotten(local: LocalServer) -> None:
    client = FineTuningClient(KEY, base_url=local.url)

    async def main() -> aiohttp.ClientSession:
        await client.list_jobs()
        return client._sessions.current()

    with nothing_unclosed():
        sessions = [asyncio.run(main()) for _ in range(3)]
    assert all(session.closed for session in sessions)
    assert len(client._sessions._sessions) == len(client._sessions._keepers) == 1  # type: ignore[attr-defined]


def test_a_client_closed_in_one_loop_opens_again_in_the_next(local: LocalServer) -> None:
    client = FineTuningClient(KEY, base_url=local.url)

    async def main() -> None:
        async with client:
            await client.list_jobs()

    with nothing_unclosed():
        for _ in range(2):
            asyncio.run(main())


def test_a_loop_that_was_closed_without_ceremony_does_not_spoil_the_next(local: LocalServer) -> None:
    client = FineTuningClient(KEY, base_url=local.url)

    async def call() -> None:
        await client.list_jobs()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(call())
    session = client._sessions._sessions[loop]  # type: ignore[attr-defined]
    loop.close()  # without shutdown_asyncgens: nothing of ours could run
    assert not client._sessions.loops
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # sockets that died with the loop
        asyncio.run(call())
        assert loop not in client._sessions._sessions  # type: ignore[attr-defined]
        connector, session._connector = session._connector, None
        del session, connector
        gc.collect()


def test_two_loops_in_two_threads_have_sessions_of_their_own(local: LocalServer) -> None:
    client = FineTuningClient(KEY, base_url=local.url)
    together = threading.Barrier(2, timeout=10)
    sessions: list[aiohttp.ClientSession] = []
    failures: list[BaseException] = []

    async def main() -> None:
        for _ in range(3):
            together.wait()
            await asyncio.gather(*(client.list_jobs() for _ in range(10)))
        sessions.append(client._sessions.current())
        assert sessions[-1]._loop is asyncio.get_running_loop()
        together.wait()  # both are open at this moment

    def work() -> None:
        try:
            asyncio.run(main())
        except BaseException as failure:  # noqa: BLE001 - told to the thread that tests
            failures.append(failure)

    with nothing_unclosed():
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len({id(each) for each in sessions}) == 2
        assert all(each.closed for each in sessions)


def test_many_short_loops_in_many_threads_do_not_disturb_each_other(local: LocalServer) -> None:
    client = FineTuningClient(KEY, base_url=local.url)
    failures: list[BaseException] = []

    async def main() -> None:
        await client.list_jobs()

    def work() -> None:
        try:
            for _ in range(10):
                asyncio.run(main())
        except BaseException as failure:  # noqa: BLE001 - told to the thread that tests
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(4)]
    with nothing_unclosed():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


async def test_calls_at_once_share_one_session() -> None:
    async with serving() as (client, server), client:
        await asyncio.gather(*(client.retrieve_job("ftjob-1") for _ in range(5)))
        session = client._sessions.current()
        await client.retrieve_job("ftjob-1")
        assert client._sessions.current() is session
        assert server.connections == 5


async def test_the_session_is_opened_on_first_use() -> None:
    async with serving() as (client, _):
        assert not client._sessions.loops
        async with client:
            assert not client._sessions.loops
            await client.retrieve_job("ftjob-1")
            assert client._sessions.loops


async def test_a_session_of_ours_keeps_no_cookies() -> None:
    async with MisbehavingServer(answer(200, {"Set-Cookie": "sid=1; Path=/"}, BODY)) as server:
        # By name: a cookie jar takes nothing from a host that is a bare address.
        async with FineTuningClient(KEY, base_url=str(server.url.with_host("localhost"))) as client:
            await client.retrieve_job("ftjob-1")
            await client.retrieve_job("ftjob-1")
        assert ["Cookie" in each.headers for each in server.requests] == [False, False]


async def test_idle_connections_are_let_go_before_servers_drop_them() -> None:
    """uvicorn drops them after five seconds; a POST sent at that moment would be lost."""
    async with serving() as (client, server), client:
        await client.retrieve_job("ftjob-1")
        await asyncio.sleep(3)
        await client.retrieve_job("ftjob-1")
        assert server.connections == 1
        # aiohttp asks the wall clock how long a connection was idle, which no virtual time can move.
        connector = client._sessions.current().connector
        assert connector is not None
        assert isinstance(connector._keepalive_timeout, float)
        assert 3 <= connector._keepalive_timeout < 5


# ------------------------------------------------------------------------------------------- closing


async def test_closing_closes_the_connections_and_later_calls_say_what_to_do() -> None:
    async with serving() as (client, server):
        await client.retrieve_job("ftjob-1")
        session = client._sessions.current()
        await client.close()
        assert session.closed
        assert session._connector is None
        for call in (client.retrieve_job("ftjob-1"), client.create_job("m", "f"), client.upload_file(b"x")):
            with pytest.raises(ClientStateError, match="async with client"):
                await call
        with pytest.raises(ClientStateError):
            await client.list_jobs()
        with pytest.raises(ClientStateError):
            await client.request("GET", "/models")
        assert len(server.requests) == 1


async def test_closing_twice_or_unused_is_fine() -> None:
    async with serving() as (client, _):
        await client.close()
        await client.close()
        with pytest.raises(ClientStateError):
            await client.retrieve_job("ftjob-1")


async def test_the_block_opens_it_again() -> None:
    async with serving() as (client, _):
        for _ in range(2):
            async with client as entered:
                assert entered is client
                await client.retrieve_job("ftjob-1")
            with pytest.raises(ClientStateError):
                await client.retrieve_job("ftjob-1")


async def used(client: FineTuningClient) -> None:
    async with client:
        await client.retrieve_job("ftjob-1")


async def test_the_block_closes_it_when_its_body_fails() -> None:
    async with serving(answer(404)) as (client, _):
        with pytest.raises(NotFoundError):
            await used(client)
        assert not client._sessions.loops
        assert client._sessions.closed


async def test_closing_while_calls_are_on_their_way_ends_them_with_an_error() -> None:
    async with serving(late(30, JOB)) as (client, _):
        calls = [asyncio.ensure_future(client.create_job("m", "file-1")) for _ in range(3)]
        await asyncio.sleep(1)
        await client.close()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(each).__name__ for each in ended} == {"CreateUncertainError"}


async def test_a_call_that_waits_to_be_sent_again_does_not_open_a_closed_client() -> None:
    busy = answer(429, {"Retry-After": "10"}, b"{}")
    async with serving(busy, JOB) as (client, server):
        call = asyncio.ensure_future(client.retrieve_job("ftjob-1"))
        await asyncio.sleep(5)
        await client.close()
        with pytest.raises(ClientStateError):
            await call
        assert len(server.requests) == 1
        assert not client._sessions.loops


@pytest.mark.usefixtures("collect_garbage")
async def test_forgetting_to_close_warns_how_to_and_closes_all_the_same() -> None:
    async with serving() as (client, _):
        await client.retrieve_job("ftjob-1")
        session = client._sessions.current()
        with pytest.warns(ResourceWarning, match=r"unclosed FineTuningClient\(.*async with.*close\(\)"):
            del client
        await asyncio.sleep(1)
        assert session.closed


async def test_a_client_that_never_called_or_was_closed_warns_of_nothing() -> None:
    with nothing_unclosed():
        async with serving() as (client, _):
            FineTuningClient(KEY)
            await client.retrieve_job("ftjob-1")
            await client.close()
            del client


def test_a_construction_that_fails_leaves_only_its_error() -> None:
    with nothing_unclosed(), pytest.raises(InvalidArgumentError):
        FineTuningClient(KEY, base_url="nowhere")


def test_a_client_is_not_pickled_and_shows_no_key() -> None:
    client = FineTuningClient(KEY, headers={"X-Secret": "hush"})
    assert repr(client) == "FineTuningClient(base_url='https://api.openai.com/v1')"
    assert KEY not in repr(client._pipeline)
    assert "hush" not in repr(client._pipeline)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(client)
