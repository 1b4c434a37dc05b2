"""Webhooks of the local server, in a loop on virtual time: signed, repeated until a 2xx, from an outbox."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import asynccontextmanager, closing
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from fine_tuning_async import unwrap
from fine_tuning_async.server import DeliveryRecord, LocalServer, UnknownWebhookError
from tests import serving
from tests.contract.server.http_api import chat_lines
from tests.deliveries import KEY, OTHER_SECRET, SECRET, signature
from tests.misbehaving import (
    MisbehavingServer,
    answer,
    endless,
    fin_after_reading,
    garbage,
    redirect,
    refused_port,
    rst_before_reading,
    silence,
    trickle,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.misbehaving import Behaviour, ReceivedRequest

THREE_DAYS = 72 * 3600


class Api:
    """Creates jobs at a server that runs in this loop."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def post(self, path: str, **body: Any) -> Any:
        async with self._session.post(path, **body) as answer:
            return await answer.json()

    async def file(self) -> str:
        form = aiohttp.FormData({"purpose": "fine-tune"})
        form.add_field("file", chat_lines(10), filename="f")
        return str((await self.post("/v1/files", data=form))["id"])

    async def job(self, file_id: str | None = None) -> str:
        body = {"model": "gpt-4o-mini", "training_file": file_id or await self.file()}
        return str((await self.post("/v1/fine_tuning/jobs", json=body))["id"])


@asynccontextmanager
async def mounted(server: LocalServer) -> AsyncIterator[Api]:
    async with (
        serving.mounted(server.app, "") as url,
        aiohttp.ClientSession(url, headers={"Authorization": "Bearer k"}) as session,
    ):
        yield Api(session)


async def settled(server: LocalServer) -> list[DeliveryRecord]:
    """Return the deliveries once none is pending any more."""
    await until(lambda: all(each.state != "pending" for each in server.deliveries))
    return server.deliveries


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for is nobody's to tell
        await asyncio.sleep(0.1)


def hook(receiver: MisbehavingServer, path: str = "hook") -> str:
    return str(receiver.url / path)


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled"])
async def test_the_end_of_a_job_is_told_once_and_signed(end: str) -> None:
    server = LocalServer()
    async with MisbehavingServer(answer()) as receiver, mounted(server) as api:
        assert server.add_webhook(hook(receiver), secret=SECRET) == SECRET
        job_id = await api.job()
        server.advance(30)
        await asyncio.sleep(1)  # until nothing else keeps the server awake
        if end == "succeeded":
            server.advance(minutes=60)
        elif end == "failed":
            server.fail(job_id)
        else:
            await api.post(f"/v1/fine_tuning/jobs/{job_id}/cancel")
        (record,) = await settled(server)
        (request,) = receiver.requests
    assert (record.state, record.attempts, record.outcome, record.job_id) == ("delivered", 1, "200", job_id)
    assert (request.method, request.target) == ("POST", "/hook")
    assert request.headers["content-type"] == "application/json"
    event = json.loads(request.body)
    assert event == {
        "id": event["id"],
        "object": "event",
        "type": f"fine_tuning.job.{end}",
        "created_at": event["created_at"],
        "data": {"id": job_id},
    }
    assert event["id"].startswith("evt_")
    assert record.type == event["type"]
    check_signature(request)


def check_signature(request: ReceivedRequest) -> None:
    """By hand, by this package and by the official client, where that is installed."""
    delivery_id, moment = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    assert request.headers["webhook-signature"] == signature(request.body, delivery_id, moment, KEY)
    assert unwrap(request.body, request.headers, SECRET).job_id == json.loads(request.body)["data"]["id"]


@pytest.mark.official
async def test_the_official_client_accepts_what_the_server_sends() -> None:
    openai = pytest.importorskip("openai", reason="the extra bench is not installed")
    server = LocalServer()
    async with MisbehavingServer(answer()) as receiver, mounted(server) as api:
        secret = server.add_webhook(hook(receiver))
        job_id = await api.job()
        server.finish(job_id)
        await settled(server)
    helper = openai.OpenAI(api_key="k", webhook_secret=secret).webhooks
    event = helper.unwrap(receiver.requests[0].body, receiver.requests[0].headers)
    assert (type(event).__name__, event.data.id) == ("FineTuningJobSucceededWebhookEvent", job_id)
    with pytest.raises(openai.InvalidWebhookSignatureError):
        helper.unwrap(receiver.requests[0].body + b" ", receiver.requests[0].headers)


@pytest.mark.parametrize(
    "failure",
    [
        *(answer(500), answer(400), answer(404), answer(301), fin_after_reading(), garbage()),
        *(rst_before_reading(), silence(), trickle(b"", head_too=True)),
    ],
)
async def test_it_is_repeated_until_a_2xx(failure: Behaviour) -> None:
    server = LocalServer()
    async with MisbehavingServer([failure, failure, answer(204)]) as receiver, mounted(server) as api:
        server.add_webhook(hook(receiver), secret=SECRET)
        server.finish(await api.job())
        (record,) = await settled(server)
    assert (record.state, record.attempts, record.outcome) == ("delivered", 3, "204")
    for request in receiver.requests:
        check_signature(request)
    assert len({(each.headers["webhook-id"], each.body) for each in receiver.requests}) == 1


async def test_the_body_of_an_answer_is_not_waited_for() -> None:
    server = LocalServer()
    async with MisbehavingServer(endless()) as receiver, mounted(server) as api:
        server.add_webhook(hook(receiver))
        server.finish(await api.job())
        (record,) = await settled(server)
    assert (record.state, record.attempts) == ("delivered", 1)


async def test_a_redirect_is_a_failure_and_is_not_followed() -> None:
    server = LocalServer()
    async with (
        MisbehavingServer(answer()) as elsewhere,
        MisbehavingServer([redirect(str(elsewhere.url)), answer()]) as receiver,
        mounted(server) as api,
    ):
        server.add_webhook(hook(receiver))
        server.finish(await api.job())
        (record,) = await settled(server)
    assert record.attempts == 2
    assert not elsewhere.requests


async def test_the_gaps_grow_to_a_minute() -> None:
    server, moments = LocalServer(), []
    loop = asyncio.get_running_loop()

    async def refuse(exchange: Any) -> None:
        moments.append(loop.time())
        await answer(503)(exchange)

    async with MisbehavingServer([*[refuse] * 11, answer()]) as receiver, mounted(server) as api:
        server.add_webhook(hook(receiver))
        server.finish(await api.job())
        await settled(server)
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    for gap, planned in zip(gaps, [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60], strict=True):
        assert planned <= gap < planned + 0.2


async def test_it_is_given_up_after_three_days(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    with refused_port() as port:
        server = LocalServer(db=path)
        async with mounted(server) as api:
            server.add_webhook(f"http://127.0.0.1:{port}/")
            server.finish(await api.job())
            await until(lambda: server.deliveries[0].attempts == 2)
        with closing(sqlite3.connect(path)) as database, database:
            (spent,) = database.execute("SELECT spent FROM deliveries").fetchone()
            assert 1.5 <= spent < 2, "both attempts, and the gaps behind them"
            database.execute("UPDATE deliveries SET spent = ?", (THREE_DAYS - 4,))
        server = LocalServer(db=path)
        async with mounted(server):
            (record,) = await settled(server)
    # The third attempt is followed by two seconds, the fourth would be followed by four.
    assert (record.state, record.attempts, record.outcome) == ("given up", 4, "ClientConnectorError")


async def test_one_who_stalls_holds_up_nobody_else() -> None:
    server = LocalServer()
    loop = asyncio.get_running_loop()
    async with (
        MisbehavingServer(silence()) as stalled,
        MisbehavingServer(answer()) as quick,
        mounted(server) as api,
    ):
        for receiver in (stalled, quick):
            server.add_webhook(hook(receiver))
        file_id = await api.file()
        jobs = [await api.job(file_id) for _ in range(20)]
        began = loop.time()
        for job_id in jobs:
            server.finish(job_id)
        await until(lambda: len(quick.requests) == 20)
        assert loop.time() - began < 5
        assert len(stalled.requests) <= 8
        server.remove_webhook(hook(stalled))
        assert {each.url for each in await settled(server)} == {hook(quick)}
    assert {json.loads(each.body)["data"]["id"] for each in quick.requests} == set(jobs)


async def test_what_waits_behind_stalled_attempts_has_its_turn() -> None:
    server = LocalServer()
    async with MisbehavingServer([*[silence()] * 8, answer()]) as receiver, mounted(server) as api:
        server.add_webhook(hook(receiver))
        file_id = await api.file()
        jobs = [await api.job(file_id) for _ in range(12)]
        for job_id in jobs:
            server.finish(job_id)
        records = await settled(server)
    assert {(each.state, each.job_id) for each in records} == {("delivered", job_id) for job_id in jobs}


async def test_a_running_clock_tells_without_being_asked() -> None:
    server = LocalServer(speed=60)
    told = asyncio.Event()

    async def receive(exchange: Any) -> None:
        await answer()(exchange)
        told.set()

    async with MisbehavingServer(receive) as receiver, mounted(server) as api:
        server.add_webhook(hook(receiver))
        job_id = await api.job()
        before = len(server.requests)
        await asyncio.wait_for(told.wait(), 60)
        assert len(server.requests) == before, "nobody asked"
    assert json.loads(receiver.requests[0].body)["data"]["id"] == job_id


async def test_even_the_fastest_clock_leaves_time_for_others() -> None:
    server = LocalServer(speed=1_000_000)
    async with MisbehavingServer(answer()) as receiver, mounted(server) as api:
        server.add_webhook(hook(receiver))
        for _ in range(3):
            await api.job()
        await asyncio.sleep(1)
        assert [each.state for each in await settled(server)] == ["delivered"] * 3


async def test_a_webhook_may_want_some_events_only() -> None:
    server = LocalServer()
    async with MisbehavingServer(answer()) as receiver, mounted(server) as api:
        server.add_webhook(hook(receiver), events=["fine_tuning.job.failed"])
        server.finish(await api.job())
        server.fail(await api.job())
        (record,) = await settled(server)
    assert record.type == "fine_tuning.job.failed"


async def test_each_of_several_webhooks_has_its_own_delivery_and_secret() -> None:
    server = LocalServer()
    async with MisbehavingServer(answer()) as receiver, mounted(server) as api:
        secrets = {path: server.add_webhook(hook(receiver, path)) for path in ("a", "b")}
        server.finish(await api.job())
        records = await settled(server)
    assert len({each.id for each in records}) == 2
    assert len(set(secrets.values())) == 2
    for request in receiver.requests:
        unwrap(request.body, request.headers, secrets[request.target.strip("/")])


async def test_a_webhook_added_again_has_the_new_secret_and_one_delivery() -> None:
    server = LocalServer()
    async with MisbehavingServer([answer(500), answer()]) as receiver, mounted(server) as api:
        server.add_webhook(hook(receiver), secret=OTHER_SECRET)
        server.finish(await api.job())
        await until(lambda: bool(receiver.requests))
        server.add_webhook(hook(receiver), secret=SECRET)
        await settled(server)
    check_signature(receiver.requests[1])
    assert len(receiver.requests) == 2


async def test_a_removed_webhook_is_told_nothing_more() -> None:
    server = LocalServer()
    async with MisbehavingServer(answer(500)) as receiver, mounted(server) as api:
        server.add_webhook(hook(receiver))
        server.finish(await api.job())
        await asyncio.sleep(1)
        server.remove_webhook(hook(receiver))
        count = len(receiver.requests)
        assert count >= 1
        server.finish(await api.job())
        await asyncio.sleep(100)
        assert len(receiver.requests) == count
        assert server.deliveries == []
        with pytest.raises(UnknownWebhookError):
            server.remove_webhook(hook(receiver))


async def test_a_reset_forgets_what_waits_and_keeps_the_webhooks() -> None:
    server = LocalServer()
    async with MisbehavingServer([answer(500), answer()]) as receiver, mounted(server) as api:
        server.add_webhook(hook(receiver))
        server.finish(first := await api.job())
        await until(lambda: bool(receiver.requests))
        server.reset()
        assert server.deliveries == []
        second = await api.job()
        server.finish(second)
        await settled(server)
    ids = [(each.headers["webhook-id"], json.loads(each.body)["data"]["id"]) for each in receiver.requests]
    assert first == second, "ids begin anew"
    assert [job_id for _, job_id in ids] == [first, second]
    assert ids[0][0] != ids[1][0], "a receiver must not take it for a repeat"


async def test_what_was_not_delivered_is_delivered_by_the_next_server(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    async with MisbehavingServer([answer(500), answer()]) as receiver:
        first = LocalServer(db=path)
        async with mounted(first) as api:
            first.add_webhook(hook(receiver), secret=SECRET)
            first.finish(await api.job())
            await until(lambda: bool(first.deliveries[0].attempts))
        second = LocalServer(db=path)
        async with mounted(second):
            (record,) = await settled(second)
    assert record.attempts == 2
    assert len({(each.headers["webhook-id"], each.body) for each in receiver.requests}) == 1
    for request in receiver.requests:
        check_signature(request)


async def test_what_was_in_flight_at_a_stop_is_sent_again(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    async with MisbehavingServer([silence(), answer()]) as receiver:
        first = LocalServer(db=path)
        async with mounted(first) as api:
            first.add_webhook(hook(receiver))
            first.finish(await api.job())
            await until(lambda: bool(receiver.requests))
        second = LocalServer(db=path)
        async with mounted(second):
            (record,) = await settled(second)
    assert (record.state, len({each.headers["webhook-id"] for each in receiver.requests})) == ("delivered", 1)


async def test_a_webhook_may_be_added_before_the_server_runs_and_outlives_it() -> None:
    server = LocalServer()
    async with MisbehavingServer(answer()) as receiver:
        server.add_webhook(hook(receiver))
        for _ in range(2):
            async with mounted(server) as api:
                server.finish(await api.job())
                await settled(server)
    assert len(receiver.requests) == 2


async def test_nothing_is_sent_where_nobody_wants_to_be_told() -> None:
    server = LocalServer()
    async with mounted(server) as api:
        server.finish(await api.job())
        await asyncio.sleep(10)
        assert server.deliveries == []
