"""Which error each fault becomes for the caller of each operation, and what the server has done by then."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from fine_tuning_async import (
    ConnectionFailed,
    CreateUncertainError,
    DeadlineExceeded,
    FineTuningClient,
    FineTuningError,
    PaginationError,
    PermissionDeniedError,
    RateLimitError,
    ResponseFormatError,
    RetryPolicy,
    ServerError,
)
from fine_tuning_async.server import Fault, LocalServer
from tests.faults.operations import EXAMPLES, JOBS, MODEL
from tests.serving import mounted
from tests.tcp_proxy import Lane, TcpProxy, Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

JOB = f"{JOBS}/*"
FILE = "/files/*"
CONTENT = "/files/*/content"
ONCE = RetryPolicy(attempts=1)

# Without an answer: the fault, what aiohttp said of it, and whether the request is known to have arrived.
LOST = [
    (Fault.reply_dropped(), aiohttp.ServerDisconnectedError, None),
    (Fault.reset(after_work=True), aiohttp.ClientOSError, None),
    (Fault.cut(), aiohttp.ClientPayloadError, True),
    (Fault.stalled(), TimeoutError, None),
    (Fault.reply_delayed(25), TimeoutError, None),
]
each_loss = pytest.mark.parametrize(("fault", "cause", "sent"), LOST)

REFUSED = [
    (Fault.status(500), ServerError),
    (Fault.status(503), ServerError),
    (Fault.status(403), PermissionDeniedError),
    (Fault.rate_limited(), RateLimitError),
    (Fault.malformed(), ResponseFormatError),
    (Fault.malformed("<html>", content_type="text/html"), ResponseFormatError),
]


@asynccontextmanager
async def local(**options: Any) -> AsyncIterator[tuple[FineTuningClient, LocalServer]]:
    server = LocalServer()
    async with mounted(server.app) as url, FineTuningClient("k", base_url=url, **options) as client:
        yield client, server


async def assert_usable(client: FineTuningClient, server: LocalServer, jobs: int) -> None:
    server.faults.clear()
    assert len(await client.list_jobs().collect()) == jobs


# ------------------------------------------------------------------------------------------------ create


@each_loss
async def test_a_create_without_a_key(fault: Fault, cause: type[Exception], sent: bool | None) -> None:
    async with local() as (client, server):
        file = await client.upload_file(EXAMPLES)
        server.faults.once(fault, method="POST")
        with pytest.raises(CreateUncertainError) as caught:
            await client.create_job(MODEL, file.id)
        assert isinstance(caught.value.__cause__, ConnectionFailed)
        assert caught.value.__cause__.sent is sent
        assert isinstance(caught.value.__cause__.__cause__, cause)
        await asyncio.sleep(30)  # the log has a request once it is answered
        assert [each.method for each in server.requests].count("POST") == 2
        await assert_usable(client, server, jobs=1)


@pytest.mark.parametrize(
    "fault", [*(each[0] for each in LOST), Fault.malformed(), Fault.status(502, after_work=True)]
)
async def test_a_create_with_a_key(fault: Fault) -> None:
    async with local() as (client, server):
        file = await client.upload_file(EXAMPLES)
        server.faults.once(fault, method="POST")
        job = await client.create_job(MODEL, file.id, idempotency_key="one")
        assert [each.id for each in await client.list_jobs().collect()] == [job.id]
        await asyncio.sleep(30)
        assert [each.path for each in server.requests if each.method == "POST"].count(f"/v1{JOBS}") == 1


async def test_a_create_is_turned_away_and_comes_again_when_it_may() -> None:
    async with local() as (client, server):
        file = await client.upload_file(EXAMPLES)
        server.faults.once(Fault.rate_limited(9), method="POST")
        await client.create_job(MODEL, file.id)
        assert [each.status for each in server.requests] == [200, 429, 200]
        server.faults.once(Fault.rate_limited(90), method="POST")
        with pytest.raises(RateLimitError) as caught:
            await client.create_job(MODEL, file.id)
        assert caught.value.retry_after == 90
        await assert_usable(client, server, jobs=1)


# ------------------------------------------------------------------------------------------------ reads


@each_loss
async def test_a_retrieve_that_is_not_repeated(fault: Fault, cause: type[Exception], sent: bool | None) -> None:
    async with local(retry=ONCE) as (client, server):
        file = await client.upload_file(EXAMPLES)
        job = await client.create_job(MODEL, file.id)
        server.faults.add(fault, path=JOB)
        with pytest.raises(ConnectionFailed) as caught:
            await client.retrieve_job(job.id)
        assert (caught.value.sent, type(caught.value.__cause__)) == (sent, type(caught.value.__cause__))
        assert isinstance(caught.value.__cause__, cause)
        await assert_usable(client, server, jobs=1)


@pytest.mark.parametrize(("fault", "error"), REFUSED)
async def test_a_list_that_is_refused_for_good(fault: Fault, error: type[FineTuningError]) -> None:
    async with local() as (client, server):
        server.faults.add(fault, path=JOBS)
        with pytest.raises(error):
            await client.list_jobs().collect()
        tried = 1 if error in {PermissionDeniedError, ResponseFormatError} else RetryPolicy().attempts
        assert len(server.requests) == tried
        assert {each.fault for each in server.requests} == {fault.kind}
        await assert_usable(client, server, jobs=0)


@pytest.mark.parametrize("fault", [Fault.reply_delayed(100), Fault.stalled(), Fault.trickled(5)])
async def test_a_read_whose_time_runs_out(fault: Fault) -> None:
    async with local() as (client, server):
        server.faults.add(fault)
        with pytest.raises(DeadlineExceeded, match="60 s"):
            await client.list_models().collect()
        await assert_usable(client, server, jobs=0)


async def test_lists_that_say_wrongly_whether_there_is_more() -> None:
    async with local() as (client, server):
        file = await client.upload_file(EXAMPLES)
        for _ in range(5):
            await client.create_job(MODEL, file.id)
        with server.faults.add(Fault.has_more(None)):
            assert len(await client.list_jobs(limit=2).collect()) == 5, "missing: on until an empty page"
        with server.faults.add(Fault.has_more(False)):
            assert len(await client.list_jobs(limit=2).collect()) == 2, "false is believed"
        with server.faults.add(Fault.has_more(True)), pytest.raises(PaginationError):
            await client.list_jobs(limit=2).collect()
        with server.faults.add(Fault.query_ignored("after")), pytest.raises(PaginationError):
            await client.list_jobs(limit=2).collect()
        await assert_usable(client, server, jobs=5)


async def test_a_filter_that_is_ignored_does_not_hide_a_key() -> None:
    async with local() as (client, server):
        file = await client.upload_file(EXAMPLES)
        server.faults.add(Fault.query_ignored("metadata"))
        server.faults.add(Fault.header_ignored("Idempotency-Key"))
        jobs = [await client.create_job(MODEL, file.id, idempotency_key=f"key-{n % 3}") for n in range(6)]
        assert jobs[:3] == jobs[3:]
        await assert_usable(client, server, jobs=3)


# ------------------------------------------------------------------------------------------------ changes


@pytest.mark.parametrize("fault", [each[0] for each in LOST])
async def test_a_cancel_whose_answer_is_lost_is_looked_up(fault: Fault) -> None:
    async with local() as (client, server):
        file = await client.upload_file(EXAMPLES)
        job = await client.create_job(MODEL, file.id)
        server.faults.once(fault, path=f"{JOB}/cancel")
        assert (await client.cancel_job(job.id)).status == "cancelled"
        await asyncio.sleep(30)
        assert sorted(each.method for each in server.requests) == ["GET", "POST", "POST", "POST"]


async def test_a_cancel_that_was_not_done_says_so() -> None:
    async with local() as (client, server):
        file = await client.upload_file(EXAMPLES)
        job = await client.create_job(MODEL, file.id)
        server.faults.once(Fault.reset(), path=f"{JOB}/cancel")
        with pytest.raises(ConnectionFailed) as caught:
            await client.cancel_job(job.id)
        assert any("safe to ask again" in note for note in caught.value.__notes__)
        assert (await client.cancel_job(job.id)).status == "cancelled"


@pytest.mark.parametrize("fault", [*(each[0] for each in LOST), Fault.status(500, after_work=True)])
async def test_a_delete_whose_answer_is_lost_is_one(fault: Fault) -> None:
    async with local() as (client, server):
        file = await client.upload_file(EXAMPLES)
        server.faults.once(fault, method="DELETE")
        assert (await client.delete_file(file.id)).deleted
        assert [each.id for each in await client.list_files().collect()] == []


# ------------------------------------------------------------------------------------------------ transfers


@pytest.mark.parametrize(("fault", "spare"), [(Fault.reply_dropped(), 1), (Fault.reset(), 0), (Fault.status(), 0)])
async def test_an_upload_is_sent_again_and_may_leave_a_spare_file(fault: Fault, spare: int) -> None:
    async with local() as (client, server):
        server.faults.once(fault, method="POST")
        file = await client.upload_file(EXAMPLES)
        found = await client.list_files().collect()
        assert len(found) == 1 + spare
        assert found[0].id == file.id


async def test_an_upload_that_never_succeeds() -> None:
    async with local() as (client, server):
        server.faults.add(Fault.reset(), method="POST")
        with pytest.raises(ConnectionFailed):
            await client.upload_file(EXAMPLES)
        server.faults.clear()
        assert await client.list_files().collect() == []


@pytest.mark.parametrize("fault", [Fault.cut(), Fault.cut(0), Fault.stalled(), Fault.reset(), Fault.status(503)])
async def test_a_download_goes_on_where_it_broke_off(fault: Fault, tmp_path: Path) -> None:
    async with local() as (client, server):
        file = await client.upload_file(EXAMPLES * 100)
        server.faults.once(fault, path=CONTENT)
        path = await client.download_file(file.id, tmp_path / "file")
        assert path.read_bytes() == EXAMPLES * 100
        ranges = [each.headers.get("range") for each in server.requests[1:]]
        half = len(EXAMPLES) * 50
        assert ranges == [None, f"bytes={half}-" if fault in {Fault.cut(), Fault.stalled()} else None]


async def test_a_download_that_never_succeeds_leaves_no_file_of_that_name(tmp_path: Path) -> None:
    async with local() as (client, server):
        file = await client.upload_file(EXAMPLES)
        server.faults.add(Fault.cut(0), path=CONTENT)
        with pytest.raises(ConnectionFailed):
            await client.download_file(file.id, tmp_path / "file")
        assert not (tmp_path / "file").exists()
        await assert_usable(client, server, jobs=0)


# ------------------------------------------------------------------------------------------------ the network


@asynccontextmanager
async def through(*script: Wire, **options: Any) -> AsyncIterator[tuple[FineTuningClient, LocalServer, TcpProxy]]:
    """The local server behind a proxy."""
    server = LocalServer()
    async with (
        mounted(server.app) as url,
        TcpProxy(url, [*script]) as proxy,
        FineTuningClient("k", base_url=proxy.url, **options) as client,
    ):
        yield client, server, proxy


@pytest.mark.parametrize("size", [0, 1, 100, 400])
@pytest.mark.parametrize("ending", ["fin", "rst", "silence"])
@pytest.mark.parametrize("side", ["up", "down"])
async def test_a_keyed_create_over_a_wire_that_breaks(side: str, ending: Any, size: int) -> None:
    lane = Lane(bytes=size, ending=ending)
    bad = Wire(up=lane) if side == "up" else Wire(down=lane)
    async with local() as (uploader, _):
        file = await uploader.upload_file(EXAMPLES)
        url = uploader._pipeline.base_url
        async with (
            TcpProxy(url, [bad, bad, Wire()]) as proxy,
            FineTuningClient("k", base_url=proxy.url) as client,
        ):
            try:
                job = await client.create_job(MODEL, file.id, idempotency_key="one")
            except CreateUncertainError:
                # A request that was swallowed half-way looks like one that the server is still at work on.
                assert (side, ending, size) == ("up", "silence", 400)
                job = await client.create_job(MODEL, file.id, idempotency_key="one")
        assert [each.id for each in await uploader.list_jobs().collect()] == [job.id]


async def test_a_network_that_freezes_and_thaws() -> None:
    async with through(Wire()) as (client, _, proxy):
        await client.upload_file(EXAMPLES)
        proxy.freeze()
        patient = client.with_options(timeout=5)
        with pytest.raises(DeadlineExceeded):
            await patient.list_jobs()
        proxy.thaw()
        assert await client.list_jobs().collect() == []


async def test_a_server_that_comes_back_while_a_create_waits() -> None:
    async with through(Wire()) as (client, server, proxy):
        file = await client.upload_file(EXAMPLES)
        for each in proxy.connections:
            each.close()
        await proxy.refuse()
        await asyncio.sleep(1)
        patient = client.with_options(retry=RetryPolicy(attempts=3, base=1e-9))
        with pytest.raises(ConnectionFailed) as caught:
            await patient.create_job(MODEL, file.id)
        assert caught.value.sent is False
        proxy.listen()
        assert (await patient.create_job(MODEL, file.id)).status == "validating_files"
        await assert_usable(client, server, jobs=1)
