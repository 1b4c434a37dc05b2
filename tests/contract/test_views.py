"""A view is a client with other options on the same session."""

from __future__ import annotations

import asyncio
import copy

import pytest

from fine_tuning_async import (
    AuthenticationError,
    ClientStateError,
    DeadlineExceeded,
    FineTuningClient,
    InvalidArgumentError,
    RetryPolicy,
    ServerError,
)
from tests.contract.test_client_lifetime import JOB, KEY, nothing_unclosed, serving
from tests.misbehaving import MisbehavingServer, answer, late

# As in test_client_lifetime.
pytestmark = pytest.mark.debug_mode


async def test_a_view_has_its_options_and_the_original_keeps_its_own() -> None:
    async with MisbehavingServer(JOB) as server:
        client = FineTuningClient(KEY, base_url=str(server.url), headers={"X-A": "1", "X-B": "1"}, project="p-1")
        async with client:
            view = client.with_options(headers={"X-B": "2", "X-C": "2"}, api_key="sk-view", project="p-2")
            await view.retrieve_job("ftjob-1")
            await client.retrieve_job("ftjob-1")
        names = ("X-A", "X-B", "X-C", "Authorization", "OpenAI-Project")
        sent = [[each.headers.get(name) for name in names] for each in server.requests]
        assert sent == [["1", "2", "2", "Bearer sk-view", "p-2"], ["1", "1", None, f"Bearer {KEY}", "p-1"]]
        assert all(len(each.headers.getall("OpenAI-Project")) == 1 for each in server.requests)
        assert server.connections == 1


async def test_a_header_of_a_view_replaces_the_clients_however_it_is_written() -> None:
    async with MisbehavingServer(JOB) as server:
        async with FineTuningClient(KEY, base_url=str(server.url), headers={"X-Team": "a"}) as client:
            await client.with_options(headers={"x-team": "b"}).retrieve_job("ftjob-1")
        assert server.requests[0].headers.getall("X-Team") == ["b"]


async def test_a_view_has_its_own_deadline() -> None:
    async with serving(late(10, JOB)) as (client, _), client:
        clock = asyncio.get_running_loop().time
        before = clock()
        with pytest.raises(DeadlineExceeded, match="2 s passed"):
            await client.with_options(timeout=2).retrieve_job("ftjob-1")
        assert clock() - before == pytest.approx(2, abs=0.01)
        assert (await client.retrieve_job("ftjob-1")).id == "ftjob-1"


async def test_a_view_has_its_own_retries() -> None:
    async with serving(answer(503)) as (client, server), client:
        with pytest.raises(ServerError):
            await client.with_options(retry=RetryPolicy(attempts=2)).retrieve_job("ftjob-1")
        assert len(server.requests) == 2
        with pytest.raises(ServerError):
            await client.retrieve_job("ftjob-1")
        assert len(server.requests) == 6


async def test_a_view_of_a_view_keeps_what_it_does_not_change() -> None:
    async with serving() as (client, server), client:
        view = client.with_options(headers={"X-A": "1"}, api_key="sk-view").with_options(timeout=3)
        await view.retrieve_job("ftjob-1")
        assert server.requests[0].headers["X-A"] == "1"
        assert server.requests[0].headers["Authorization"] == "Bearer sk-view"
        assert view._pipeline.timeout == 3


async def test_a_key_can_be_asked_for_before_each_attempt() -> None:
    keys = iter(["sk-1", "sk-2", "sk-3"])

    async def rotating() -> str:
        await asyncio.sleep(1)
        return next(keys)

    async with serving(answer(503), JOB) as (client, server), client:
        view = client.with_options(api_key=rotating)
        await view.retrieve_job("ftjob-1")
        await view.retrieve_job("ftjob-1")
        sent = [each.headers["Authorization"] for each in server.requests]
        assert sent == ["Bearer sk-1", "Bearer sk-2", "Bearer sk-3"]


async def test_closing_a_view_closes_nothing_but_the_view() -> None:
    async with serving() as (client, _), client:
        async with client.with_options(timeout=5) as view:
            await view.retrieve_job("ftjob-1")
        with pytest.raises(ClientStateError):
            await view.retrieve_job("ftjob-1")
        await client.retrieve_job("ftjob-1")
        async with view:
            await view.retrieve_job("ftjob-1")


async def test_closing_the_original_closes_its_views() -> None:
    async with serving() as (client, _):
        async with client:
            view = client.with_options(timeout=5)
            await view.retrieve_job("ftjob-1")
        with pytest.raises(ClientStateError):
            await view.retrieve_job("ftjob-1")
        async with client:
            await view.retrieve_job("ftjob-1")


async def test_a_view_keeps_its_original_alive() -> None:
    async with serving() as (client, _):
        view = client.with_options(timeout=5)
        await client.retrieve_job("ftjob-1")
        session = client._sessions.current()
        with nothing_unclosed():
            del client
            await asyncio.sleep(1)
            assert not session.closed
            await view.retrieve_job("ftjob-1")
        with pytest.warns(ResourceWarning, match="unclosed FineTuningClient"):
            del view
        await asyncio.sleep(1)
        assert session.closed


async def test_a_copy_of_a_client_uses_the_same_session() -> None:
    async with serving() as (client, server), client:
        await client.retrieve_job("ftjob-1")
        with pytest.raises(TypeError):
            copy.deepcopy(client)
        assert server.connections == 1


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
        {"timeout": True},
        {"timeout": "5"},
        {"headers": {"X-A": "a\r\nX-B: b"}},
        {"headers": {"X A": "a"}},
        {"api_key": ""},
        {"api_key": "sk-a\n"},
        {"project": "p\r\nX-B: b"},
    ],
)
async def test_a_view_refuses_what_a_client_refuses(options: dict[str, object]) -> None:
    async with serving() as (client, _), client:
        with pytest.raises(InvalidArgumentError):
            client.with_options(**options)  # type: ignore[arg-type]
        await client.retrieve_job("ftjob-1")


async def test_a_wrong_key_of_a_view_does_not_stick() -> None:
    refused = answer(401, {}, b'{"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}')
    async with serving(refused, JOB) as (client, _), client:
        with pytest.raises(AuthenticationError):
            await client.with_options(api_key="sk-wrong").retrieve_job("ftjob-1")
        await client.retrieve_job("ftjob-1")
