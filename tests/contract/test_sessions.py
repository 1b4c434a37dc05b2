"""A borrowed session: whatever it is set to, the client says and does the same as through a session of its own."""

from __future__ import annotations

import asyncio
import gzip
import json
import warnings
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from yarl import URL

from fine_tuning_async import (
    APIError,
    ClientStateError,
    ConnectionFailed,
    CreateUncertainError,
    FineTuningClient,
    FineTuningError,
    RateLimitError,
)
from tests.misbehaving import MisbehavingServer, answer, fin_after_reading, late, redirect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tests.misbehaving import Behaviour, Exchange, ReceivedRequest

# Sockets, tasks and threads come together here: in debug mode asyncio sees a call from the wrong thread.
pytestmark = pytest.mark.debug_mode

KEY = "sk-of-the-client"
JOB = {"id": "ftjob-1", "created_at": 1, "model": "m", "status": "running", "training_file": "file-1"}
FILE = {"id": "file-1", "created_at": 1, "filename": "f", "purpose": "fine-tune"}
CONTENT = b"0123456789" * 50


def in_json(document: object, status: int = 200, **headers: str) -> Behaviour:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(status, {"Content-Type": "application/json", **named}, json.dumps(document).encode())


def page(*ids: str, has_more: bool) -> Behaviour:
    return in_json({"object": "list", "data": [{**JOB, "id": each} for each in ids], "has_more": has_more})


def refusal(status: int, code: str, **headers: str) -> Behaviour:
    return in_json({"error": {"message": "no", "code": code}}, status, **headers)


# Every kind of answer that a setting of the session could make something else of.
SCRIPT: list[Behaviour] = [
    in_json(JOB, Set_Cookie="sid=1; Path=/"),
    answer(200, {"Content-Encoding": "gzip"}, gzip.compress(json.dumps(JOB).encode())),
    refusal(429, "rate_limit_exceeded", Retry_After="2"),
    in_json(JOB),
    in_json(JOB, 201),
    refusal(500, "server_error"),
    redirect("/v1/elsewhere", 302),
    redirect("/v1/elsewhere%2Fhere", 307),
    in_json(JOB),
    refusal(404, "fine_tune_not_found"),
    page("a", "b", has_more=True),
    page("c", has_more=False),
    fin_after_reading(),
    in_json(FILE),
    late(15, in_json(JOB)),
]

STEPS: list[Callable[[FineTuningClient], Awaitable[object]]] = [
    lambda client: client.retrieve_job("ftjob-1"),
    lambda client: client.retrieve_job("ftjob-1"),
    lambda client: client.retrieve_job("ftjob-1"),
    lambda client: client.create_job("m", "file-1", suffix="plain"),
    lambda client: client.create_job("m", "file-1", suffix="500"),
    lambda client: client.create_job("m", "file-1", suffix="302"),
    lambda client: client.retrieve_job("moved"),
    lambda client: client.retrieve_job("gone"),
    lambda client: client.list_jobs(limit=2).collect(),
    lambda client: client.upload_file(CONTENT, filename="f"),
    lambda client: client.retrieve_job("slow"),
]


def described(error: FineTuningError) -> tuple[object, ...]:
    cause = error.__cause__ if isinstance(error, CreateUncertainError) else error
    facts = (cause.status, cause.code, cause.body) if isinstance(cause, APIError) else ()
    return (type(error), type(cause), *facts)


async def outcomes(client: FineTuningClient) -> list[object]:
    found: list[object] = []
    for step in STEPS:
        try:
            found.append(await step(client))
        except FineTuningError as error:
            found.append(described(error))
    return found


def essence(request: ReceivedRequest, ignored: frozenset[str]) -> tuple[object, ...]:
    """What was asked, without what must differ: the port, the random boundary and how connections are kept."""
    headers = {name.title(): value for name, value in request.headers.items()}
    boundary = headers.get("Content-Type", "").partition("boundary=")[2]
    left_out = {"Host", "Connection", *ignored}
    kept = {name: value.replace(boundary, "") for name, value in headers.items() if name not in left_out}
    body = request.body.replace(boundary.encode(), b"") if boundary else request.body
    return (request.method, request.target, kept, body)


async def conversation(session: aiohttp.ClientSession | None, ignored: frozenset[str]) -> tuple[object, ...]:
    async with MisbehavingServer(SCRIPT) as server:
        client = FineTuningClient(KEY, base_url=f"{server.url}v1", session=session)
        async with client:
            found = await outcomes(client)
        return found, [essence(request, ignored) for request in server.requests]


async def retry_all(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    await handler(request)
    return await handler(request)


async def refuse_all(_: aiohttp.ClientRequest, __: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    raise AssertionError("the session's middleware was asked")


async def complain(answer: aiohttp.ClientResponse) -> None:
    raise AssertionError(f"the session's check was asked about {answer.status}")


def basic_auth_session() -> aiohttp.ClientSession:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # aiohttp's own, of what is tested here
        return aiohttp.ClientSession(auth=aiohttp.BasicAuth("user", "of the session"))


def with_cookies() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookies={"sid": "0"}, cookie_jar=aiohttp.CookieJar(unsafe=True))


def with_own_headers() -> aiohttp.ClientSession:
    headers = {"Authorization": "Bearer of-the-session", "User-Agent": "of the session", "Accept": "text/html"}
    return aiohttp.ClientSession(headers={**headers, "Content-Type": "text/plain", "X-Mine": "1"})


def with_connector(**settings: Any) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(**settings))


def unserialisable(_: object) -> str:
    raise AssertionError("the session's serialiser was asked")


SECONDS = 0.5
Session = partial(partial, aiohttp.ClientSession)  # made within the loop that uses it
SETTINGS: dict[str, Callable[[], aiohttp.ClientSession]] = {
    "nothing": Session(),
    "total timeout": Session(timeout=aiohttp.ClientTimeout(total=SECONDS)),
    "read timeout": Session(timeout=aiohttp.ClientTimeout(total=None, sock_read=SECONDS)),
    "connect timeout": Session(timeout=aiohttp.ClientTimeout(total=None, connect=SECONDS, sock_connect=SECONDS)),
    "a middleware that retries": Session(middlewares=[retry_all]),
    "a middleware that raises": Session(middlewares=[refuse_all]),
    "raise_for_status": Session(raise_for_status=True),
    "raise_for_status callable": Session(raise_for_status=complain),
    "no decompression": Session(auto_decompress=False),
    "headers": with_own_headers,
    "auth": basic_auth_session,
    "cookies": with_cookies,
    "base_url": Session(base_url=URL("http://127.0.0.1:1/of/the/session/")),
    "json_serialize": Session(json_serialize=unserialisable),
    "skip_auto_headers": Session(skip_auto_headers=["Content-Type", "User-Agent", "Accept", "Content-Length"]),
    "no requoting": Session(requote_redirect_url=False),
    "a small buffer": Session(read_bufsize=16),
    "small limits": Session(max_line_size=4, max_field_size=20, max_headers=2),
    "HTTP/1.0": Session(version=aiohttp.HttpVersion10),
    "trust_env": Session(trust_env=True),
    "one connection": partial(with_connector, limit=1),
    "no keep-alive": partial(with_connector, force_close=True),
}
# Headers that a session may add: they change nothing of what the client means.
ADDED = {"headers": frozenset({"X-Mine", "Content-Type"}), "cookies": frozenset({"Cookie"})}


@pytest.mark.parametrize("setting", SETTINGS)
async def test_no_setting_of_the_session_changes_what_the_client_does(setting: str) -> None:
    ignored = ADDED.get(setting, frozenset())
    expected = await conversation(None, ignored)
    async with SETTINGS[setting]() as session:
        assert await conversation(session, ignored) == expected
        assert not session.closed
        connector = session.connector
        assert connector is not None
        assert not connector._acquired


async def test_the_conversation_has_every_outcome() -> None:
    """What the other tests compare with is not empty, and is what the script should lead to."""
    (found, requests) = await conversation(None, frozenset())
    assert isinstance(found, list)
    assert isinstance(requests, list)
    names = [each[0].__name__ if isinstance(each, tuple) else type(each).__name__ for each in found]
    job, uncertain = "FineTuningJob", "CreateUncertainError"
    assert names == [job, job, job, job, uncertain, "APIError", job, "NotFoundError", "list", "File", job]
    assert len(requests) == len(SCRIPT)
    assert all(headers["Authorization"] == f"Bearer {KEY}" for _, _, headers, _ in requests)
    assert all(headers["User-Agent"].startswith("fine_tuning_async/") for _, _, headers, _ in requests)
    assert [target for _, target, _, _ in requests[7:9]] == ["/v1/fine_tuning/jobs/moved", "/v1/elsewhere%2Fhere"]


async def test_the_type_of_a_body_is_the_clients() -> None:
    async with with_own_headers() as session, MisbehavingServer(in_json(JOB)) as server:
        await FineTuningClient(KEY, base_url=str(server.url), session=session).create_job("m", "file-1")
        assert server.requests[0].headers.getall("Content-Type") == ["application/json"]
        assert server.requests[0].headers.getall("Authorization") == [f"Bearer {KEY}"]


@asynccontextmanager
async def borrowing(
    session: aiohttp.ClientSession, *script: Behaviour
) -> AsyncIterator[tuple[FineTuningClient, MisbehavingServer]]:
    async with session, MisbehavingServer(script) as server:
        yield FineTuningClient(KEY, base_url=str(server.url), session=session), server


async def test_a_429_that_the_session_would_raise_for_keeps_its_body() -> None:
    session = aiohttp.ClientSession(raise_for_status=True)
    async with borrowing(session, refusal(429, "insufficient_quota")) as (client, _):
        with pytest.raises(RateLimitError) as raised:
            await client.retrieve_job("ftjob-1")
        assert raised.value.code == "insufficient_quota"


async def test_an_ambiguous_create_is_sent_once_whatever_the_sessions_middleware_does() -> None:
    async def insist(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        try:
            return await handler(request)
        except aiohttp.ClientError:
            return await handler(request)

    session = aiohttp.ClientSession(middlewares=[insist])
    async with borrowing(session, fin_after_reading(), in_json(JOB)) as (client, server):
        with pytest.raises(CreateUncertainError):
            await client.create_job("m", "file-1")
        assert len(server.requests) == 1


async def test_its_traces_may_watch() -> None:
    seen: list[str] = []
    trace = aiohttp.TraceConfig()

    async def note(_: aiohttp.ClientSession, __: object, params: aiohttp.TraceRequestEndParams) -> None:
        seen.append(f"{params.method} {params.response.status}")

    trace.on_request_end.append(note)
    session = aiohttp.ClientSession(trace_configs=[trace])
    async with borrowing(session, in_json(JOB), refusal(404, "x")) as (client, _):
        await client.retrieve_job("ftjob-1")
        with pytest.raises(APIError):
            await client.retrieve_job("ftjob-1")
    assert seen == ["GET 200", "GET 404"]


NETRC = "machine 127.0.0.1 login user password of-netrc\n"


@pytest.mark.parametrize("view", [False, True])
@pytest.mark.parametrize("create", [False, True])
async def test_an_entry_in_netrc_does_not_replace_the_key(
    create: bool,
    view: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "netrc").write_text(NETRC)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with borrowing(aiohttp.ClientSession(trust_env=True), in_json(JOB)) as (client, server):
        caller = client.with_options(timeout=9) if view else client
        await (caller.create_job("m", "file-1") if create else caller.retrieve_job("ftjob-1"))
        assert [each.headers.getall("Authorization") for each in server.requests] == [[f"Bearer {KEY}"]]


async def test_an_owned_session_does_not_look_at_netrc_or_proxy_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text(NETRC)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with (
        MisbehavingServer(in_json(JOB)) as server,
        FineTuningClient(KEY, base_url=str(server.url)) as client,
    ):
        await client.retrieve_job("ftjob-1")
        assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"


async def test_a_proxy_that_the_session_takes_from_the_environment_is_gone_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with MisbehavingServer(in_json(JOB)) as proxy:
        monkeypatch.setenv("http_proxy", str(proxy.url.with_user("user").with_password("pw")))
        async with aiohttp.ClientSession(trust_env=True) as session:
            client = FineTuningClient(KEY, base_url="http://api.localhost/v1", session=session)
            await client.retrieve_job("ftjob-1")
        request = proxy.requests[0]
    assert request.target == "http://api.localhost/v1/fine_tuning/jobs/ftjob-1"
    assert request.headers.getall("Authorization") == [f"Bearer {KEY}"]
    assert request.headers["Proxy-Authorization"].startswith("Basic ")


async def test_one_connection_is_enough_for_a_loop_that_fetches_ahead_and_asks_for_each() -> None:
    async def behave(exchange: Exchange) -> None:
        target = (await exchange.receive()).target
        first = page("a", "b", has_more=True)
        await {"/fine_tuning/jobs": first, "/fine_tuning/jobs?after=b": page("c", "d", has_more=False)}.get(
            target, in_json(JOB)
        )(exchange)

    async with borrowing(with_connector(limit=1), behave) as (client, server):
        seen = []
        async with asyncio.timeout(30):
            async for job in client.list_jobs():
                seen.append(job.id)
                await client.retrieve_job(job.id)
        assert seen == ["a", "b", "c", "d"]
        assert (len(server.requests), server.connections) == (6, 1)


async def test_one_connection_serves_many_calls_in_turn() -> None:
    async with borrowing(with_connector(limit=1), in_json(JOB)) as (client, server):
        jobs = await asyncio.gather(*(client.retrieve_job("ftjob-1") for _ in range(20)))
        assert (len(jobs), server.connections) == (20, 1)


async def test_a_call_that_waits_for_the_only_connection_keeps_its_deadline() -> None:
    script = [late(100, in_json(JOB)), in_json(JOB)]
    async with borrowing(with_connector(limit=1), *script) as (client, server):
        slow = asyncio.ensure_future(client.with_options(timeout=90).retrieve_job("slow"))
        await asyncio.sleep(1)
        with pytest.raises(FineTuningError) as raised:
            await client.with_options(timeout=3).create_job("m", "file-1")
        # Nothing can have left the machine, so that nobody needs to look for a job.
        assert not isinstance(raised.value, CreateUncertainError)
        assert len(server.requests) == 1
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow


async def test_neither_close_nor_the_block_closes_it() -> None:
    async with borrowing(aiohttp.ClientSession(), in_json(JOB)) as (client, _):
        async with client:
            await client.retrieve_job("ftjob-1")
        await client.close()
        assert client._sessions.closed
        with pytest.raises(ClientStateError, match="the client is closed"):
            await client.retrieve_job("ftjob-1")
        async with client:
            await client.retrieve_job("ftjob-1")
        async with client.with_options(timeout=5) as view, view:
            pass


async def test_two_clients_can_share_it() -> None:
    session = aiohttp.ClientSession()
    async with borrowing(session, in_json(JOB)) as (client, server):
        async with FineTuningClient("sk-other", base_url=str(server.url), session=session) as other:
            await other.retrieve_job("ftjob-1")
        await client.retrieve_job("ftjob-1")
        assert [each.headers["Authorization"] for each in server.requests] == ["Bearer sk-other", f"Bearer {KEY}"]


async def test_a_closed_one_is_refused_and_says_so() -> None:
    async with MisbehavingServer(in_json(JOB)) as server:
        async with aiohttp.ClientSession() as session:
            client = FineTuningClient(KEY, base_url=str(server.url), session=session)
        with pytest.raises(ClientStateError, match="session given to the client is closed"):
            await client.create_job("m", "file-1")
        assert server.requests == []


async def test_one_of_another_loop_is_refused_and_says_so() -> None:
    async with MisbehavingServer(in_json(JOB)) as server, aiohttp.ClientSession() as session:
        client = FineTuningClient(KEY, base_url=str(server.url), session=session)

        def elsewhere() -> None:
            with pytest.raises(ClientStateError, match="another event loop"):
                asyncio.run(client.retrieve_job("ftjob-1"))

        await asyncio.to_thread(elsewhere)
        assert server.requests == []
        await client.retrieve_job("ftjob-1")


async def test_letting_go_of_a_client_that_borrowed_warns_of_nothing() -> None:
    async with borrowing(aiohttp.ClientSession(), in_json(JOB)) as (client, _):
        await client.retrieve_job("ftjob-1")
        del client


async def test_closing_it_during_a_call_ends_the_call_with_an_error_of_ours() -> None:
    session = aiohttp.ClientSession()
    async with borrowing(session, late(5, in_json(JOB))) as (client, _):
        pending = asyncio.ensure_future(client.create_job("m", "file-1"))
        await asyncio.sleep(1)
        await session.close()
        with pytest.raises((ClientStateError, ConnectionFailed, CreateUncertainError)):
            await pending
