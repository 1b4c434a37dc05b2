"""What each failure of a connection says about the request, and what the client does about it."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from fine_tuning_async import (
    AttemptRecord,
    ConnectionFailed,
    CreateUncertainError,
    DeadlineExceeded,
    FineTuningClient,
    RetryPolicy,
)
from fine_tuning_async._delivery import DELIVERY, explained
from tests.misbehaving import (
    MisbehavingServer,
    answer,
    cut_body,
    cut_chunked,
    fin_after_reading,
    fin_before_reading,
    garbage,
    giant_header,
    many_headers,
    proxy_refusal,
    refused_port,
    rst_after_reading,
    silence,
    stall,
    unanswering_port,
)

if TYPE_CHECKING:
    from yarl import URL

    from tests.misbehaving import Behaviour

JOB = b'{"id": "ftjob-1", "created_at": 1, "model": "m", "status": "queued", "object": "fine_tuning.job"}'
ONCE = RetryPolicy(attempts=1)


def client_for(url: URL | str, **options: object) -> FineTuningClient:
    return FineTuningClient("sk-test", base_url=url, **options)  # type: ignore[arg-type]


async def create(client: FineTuningClient) -> object:
    return await client.create_job("gpt-4o-mini", "file-1")


AFTER_THE_SERVER_HAD_IT = [
    pytest.param(fin_after_reading(), None, aiohttp.ServerDisconnectedError, id="FIN"),
    pytest.param(rst_after_reading(), None, aiohttp.ClientOSError, id="RST"),
    pytest.param(silence(), None, TimeoutError, id="silence"),
    pytest.param(stall(), None, TimeoutError, id="stall within the body"),
    pytest.param(cut_body(), True, aiohttp.ClientPayloadError, id="body cut short"),
    pytest.param(cut_chunked(), True, aiohttp.ClientPayloadError, id="chunked body cut short"),
    pytest.param(garbage(), True, aiohttp.ClientResponseError, id="garbage"),
    pytest.param(giant_header(), True, aiohttp.ClientResponseError, id="giant header"),
    pytest.param(many_headers(), True, aiohttp.ClientResponseError, id="too many headers"),
]


@pytest.mark.parametrize(("behaviour", "sent", "cause"), AFTER_THE_SERVER_HAD_IT)
async def test_a_failure_after_the_request_left_is_classified(
    behaviour: Behaviour, sent: bool | None, cause: type[BaseException]
) -> None:
    async with MisbehavingServer(behaviour) as server, client_for(server.url, retry=ONCE) as client:
        with pytest.raises(ConnectionFailed) as caught:
            await client.retrieve_job("ftjob-1")
        assert caught.value.sent is sent
        assert isinstance(caught.value.__cause__, cause)
        assert "/fine_tuning/jobs/ftjob-1" in str(caught.value)


@pytest.mark.parametrize(("behaviour", "sent", "cause"), AFTER_THE_SERVER_HAD_IT)
async def test_a_create_that_may_have_arrived_is_sent_once(
    behaviour: Behaviour, sent: bool | None, cause: type[BaseException]
) -> None:
    async with MisbehavingServer([behaviour, answer(body=JOB)]) as server, client_for(server.url) as client:
        with pytest.raises(CreateUncertainError, match="may exist"):
            await create(client)
        assert len(server.requests) == 1
        job = await client.retrieve_job("ftjob-1")
        assert job.id == "ftjob-1", "the client stays usable"


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520, 529])
async def test_a_create_answered_by_an_ambiguous_status_is_sent_once(status: int) -> None:
    async with MisbehavingServer([answer(status), answer(body=JOB)]) as server, client_for(server.url) as client:
        with pytest.raises(CreateUncertainError):
            await create(client)
        assert len(server.requests) == 1


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'{"object": "fine_tuning.job"}'])
async def test_a_create_whose_success_cannot_be_read_is_uncertain(body: bytes) -> None:
    async with MisbehavingServer(answer(201, body=body)) as server, client_for(server.url) as client:
        with pytest.raises(CreateUncertainError):
            await create(client)
        assert len(server.requests) == 1


@pytest.mark.parametrize(("behaviour", "sent", "cause"), AFTER_THE_SERVER_HAD_IT)
async def test_a_read_is_sent_again(behaviour: Behaviour, sent: bool | None, cause: type[BaseException]) -> None:
    async with (
        MisbehavingServer([behaviour, behaviour, answer(body=JOB)]) as server,
        client_for(server.url, timeout=600) as client,
    ):
        assert (await client.retrieve_job("ftjob-1")).id == "ftjob-1"
        assert len(server.requests) == 3


@pytest.mark.parametrize("behaviour", [fin_after_reading(), rst_after_reading()])
async def test_a_read_is_sent_as_often_as_is_counted(behaviour: Behaviour) -> None:
    seen: list[AttemptRecord] = []
    async with (
        MisbehavingServer([answer(body=JOB), behaviour]) as server,
        client_for(server.url, on_attempt=seen.append) as client,
    ):
        await client.retrieve_job("ftjob-1")
        with pytest.raises(ConnectionFailed):
            await client.retrieve_job("ftjob-1")
        assert len(server.requests) == len(seen) == 1 + RetryPolicy().attempts, "aiohttp sends nothing by itself"


async def test_a_connection_that_is_closed_as_it_is_used_again_is_ambiguous_for_a_create() -> None:
    script = [answer(body=JOB), fin_before_reading(), answer(body=JOB)]
    async with MisbehavingServer(script) as server, client_for(server.url) as client:
        await client.retrieve_job("ftjob-1")
        with pytest.raises(CreateUncertainError):
            await create(client)
        assert [each.method for each in server.requests] == ["GET"]


async def test_a_refused_connection_certainly_sent_nothing_and_is_tried_again() -> None:
    with refused_port() as port:
        async with client_for(f"http://127.0.0.1:{port}") as client:
            seen: list[AttemptRecord] = []
            patient = client.with_options(timeout=100)
            patient._pipeline.on_attempt = seen.append
            with pytest.raises(ConnectionFailed) as caught:
                await create(patient)
    assert caught.value.sent is False
    assert isinstance(caught.value.__cause__, aiohttp.ClientConnectorError)
    assert [record.attempt for record in seen] == [1, 2, 3, 4]
    assert "The request was tried 4 times." in caught.value.__notes__


async def test_a_host_without_an_address_certainly_got_nothing() -> None:
    async with client_for("https://nowhere.invalid/v1", retry=ONCE) as client:
        with pytest.raises(ConnectionFailed, match="host name") as caught:
            await create(client)
    assert caught.value.sent is False
    assert isinstance(caught.value.__cause__, aiohttp.ClientConnectorDNSError)


async def test_a_failed_handshake_certainly_sent_nothing() -> None:
    async with MisbehavingServer(answer()) as server, client_for(server.https_url, retry=ONCE) as client:
        with pytest.raises(ConnectionFailed) as caught:
            await create(client)
        assert caught.value.sent is False
        assert server.requests == []


async def test_a_connection_that_is_never_made_certainly_sent_nothing() -> None:
    with unanswering_port() as port:
        async with client_for(f"http://127.0.0.1:{port}", retry=ONCE) as client:
            with pytest.raises(ConnectionFailed, match="no connection") as caught:
                await create(client)
    assert caught.value.sent is False


async def test_waiting_for_a_free_connection_certainly_sent_nothing() -> None:
    connector = aiohttp.TCPConnector(limit=1)
    async with MisbehavingServer(silence()) as server, aiohttp.ClientSession(connector=connector) as session:
        client = client_for(server.url, session=session, retry=ONCE)
        waiting = asyncio.create_task(client.with_options(timeout=1_000).retrieve_job("ftjob-1"))
        await asyncio.sleep(0.01)
        with pytest.raises(ConnectionFailed) as caught:
            await create(client.with_options(retry=RetryPolicy(attempts=1, attempt_timeout=5)))
        assert caught.value.sent is False
        assert [each.method for each in server.requests] == ["GET"]
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_a_connect_timeout_of_the_connector_certainly_sent_nothing() -> None:
    class Impatient(aiohttp.TCPConnector):
        async def connect(self, *_: object, **__: object) -> aiohttp.connector.Connection:
            raise TimeoutError

    async with aiohttp.ClientSession(connector=Impatient()) as session:
        with pytest.raises(ConnectionFailed) as caught:
            await create(client_for("http://127.0.0.1:9", session=session, retry=ONCE))
    assert caught.value.sent is False
    assert isinstance(caught.value.__cause__, aiohttp.ConnectionTimeoutError)


async def test_a_proxy_that_refuses_certainly_sent_nothing() -> None:
    async with (
        MisbehavingServer(proxy_refusal()) as proxy,
        aiohttp.ClientSession(proxy=proxy.url) as session,
    ):
        with pytest.raises(ConnectionFailed, match="proxy refused") as caught:
            await create(client_for("https://api.invalid/v1", session=session, retry=ONCE))
    assert caught.value.sent is False


async def test_a_proxy_that_is_down_certainly_sent_nothing() -> None:
    with refused_port() as port:
        async with aiohttp.ClientSession(proxy=f"http://127.0.0.1:{port}") as session:
            with pytest.raises(ConnectionFailed, match="proxy was not reached") as caught:
                await create(client_for("https://api.invalid/v1", session=session, retry=ONCE))
    assert caught.value.sent is False


async def test_what_certainly_did_not_arrive_is_created_in_a_later_attempt() -> None:
    async with MisbehavingServer(answer(body=JOB)) as server:
        tries = iter([ConnectionRefusedError(111, "refused"), None, None])

        class Flaky(aiohttp.TCPConnector):
            async def _create_connection(self, req: Any, *rest: Any) -> Any:
                if (error := next(tries)) is not None:
                    raise aiohttp.ClientConnectorError(req.connection_key, error)
                return await super()._create_connection(req, *rest)

        async with aiohttp.ClientSession(connector=Flaky()) as session:
            job = await client_for(server.url, session=session).create_job("gpt-4o-mini", "file-1")
        assert job.id == "ftjob-1"
        assert len(server.requests) == 1


async def test_turned_away_creates_are_sent_again() -> None:
    script = [answer(429, {"Retry-After": "7"}), answer(429, {"retry-after-ms": "1500"}), answer(body=JOB)]
    async with MisbehavingServer(script) as server, client_for(server.url) as client:
        start = asyncio.get_running_loop().time()
        await create(client)
        assert len(server.requests) == 3
        assert asyncio.get_running_loop().time() - start == pytest.approx(8.5, abs=0.1)


async def test_every_row_stands_before_its_parents() -> None:
    kinds = [kind for kind, _, _ in DELIVERY]
    for index, kind in enumerate(kinds):
        assert not any(issubclass(kind, earlier) for earlier in kinds[:index]), kind


@pytest.mark.parametrize(
    "error", [aiohttp.ServerDisconnectedError(), aiohttp.ClientOSError(errno.ECONNRESET, "reset")]
)
async def test_a_session_that_was_closed_here_was_not_ended_by_the_server(error: aiohttp.ClientError) -> None:
    for closed in (False, True):
        failure, _ = explained(error, "POST /fine_tuning/jobs", aiohttp.UploadTracker(), closed=closed)
        assert isinstance(failure, ConnectionFailed)
        assert failure.ended is not closed


async def test_the_deadline_holds_over_all_attempts() -> None:
    async with MisbehavingServer(silence()) as server, client_for(server.url, timeout=50.0) as client:
        start = asyncio.get_running_loop().time()
        with pytest.raises(DeadlineExceeded, match="50 s") as caught:
            await client.retrieve_job("ftjob-1")
        assert caught.value.sent is None
        assert asyncio.get_running_loop().time() - start == pytest.approx(50.0, abs=0.05)
        assert len(server.requests) == 3
    assert isinstance(caught.value.__cause__, ConnectionFailed)
