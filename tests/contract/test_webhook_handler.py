"""The inbox as a handler of aiohttp's server, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from fine_tuning_async import FineTuningClient, WebhookEvent, WebhookInbox
from fine_tuning_async.server import LocalServer
from fine_tuning_async.webhooks._handler import READING
from tests import serving
from tests.deliveries import SECRET, body_of, signed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.typedefs import Handler

# Sockets, tasks and threads come together here: in debug mode asyncio sees a call from the wrong thread.
pytestmark = pytest.mark.debug_mode

BODY = body_of()
PATH = "/webhooks"


class Mounted:
    """An inbox in an application of its own, with what it handed on."""

    def __init__(self, secret: str = SECRET, **options: Any) -> None:
        self.seen: list[WebhookEvent] = []
        self.failure: Exception | None = None
        self.inbox = WebhookInbox(secret, on_event=self._handle, **options)
        self.url = ""

    async def _handle(self, event: WebhookEvent) -> None:
        if self.failure is not None:
            raise self.failure
        self.seen.append(event)

    @asynccontextmanager
    async def serving(self, app: web.Application | None = None) -> AsyncIterator[aiohttp.ClientSession]:
        app = web.Application() if app is None else app
        app.router.add_post(PATH, self.inbox.handler)
        async with serving.mounted(app, PATH) as self.url:
            async with aiohttp.ClientSession() as session:
                yield session
            # After a refusal aiohttp reads on for ten seconds, so that the answer is not lost in a reset.
            await asyncio.sleep(11)


async def post(
    session: aiohttp.ClientSession, url: str, body: Any, headers: dict[str, str] | None = None
) -> tuple[int, str]:
    async with session.post(url, data=body, headers=signed(body) if headers is None else headers) as answer:
        return answer.status, await answer.text()


async def raw(url: str, *pieces: bytes) -> int:
    """Send bytes as they are, in pieces a second apart; return the status of the answer."""
    parts = URL(url)
    reader, writer = await asyncio.open_connection(parts.host, parts.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(1)
        return int((await reader.readline()).split()[1])
    finally:
        writer.close()
        await writer.wait_closed()


def head(headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode()


async def test_a_delivery_is_acknowledged_and_a_repeat_too_but_handled_once() -> None:
    mounted = Mounted()
    async with mounted.serving() as session:
        for age in (0, 60):
            assert await post(session, mounted.url, BODY, signed(BODY, age=age)) == (200, "")
    assert [event.job_id for event in mounted.seen] == ["ftjob-1"]


async def test_an_event_of_another_type_is_acknowledged_and_handed_on() -> None:
    mounted, body = Mounted(), body_of(type="response.completed", data={"id": "resp_1"})
    async with mounted.serving() as session:
        assert (await post(session, mounted.url, body))[0] == 200
    assert [event.type for event in mounted.seen] == ["response.completed"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, {}),
        (BODY, signed(b"forged")),
        (BODY, signed(BODY, age=3600)),
        (BODY, signed(BODY, age=-3600)),
        (b"", None),
        (b"no JSON", None),
        (b"[]", None),
        (b"\xff", None),
        (bytes(2**20 - 1), {}),
    ],
)
async def test_what_is_forged_stale_malformed_or_too_large_reaches_nobody(
    body: bytes, headers: dict[str, str] | None, caplog: pytest.LogCaptureFixture
) -> None:
    mounted = Mounted()
    async with mounted.serving() as session:
        with mounted.inbox.watching("ftjob-1") as news:
            status, text = await post(session, mounted.url, body, headers)
            assert not news.is_set()
        assert status == 400
        assert text in caplog.messages, "whoever sets it up is told why"
        assert SECRET.removeprefix("whsec_") not in text + caplog.text
        assert (await post(session, mounted.url, BODY))[0] == 200
    assert len(mounted.seen) == 1


async def test_a_body_without_end_is_refused_before_it_is_read() -> None:
    mounted = Mounted(max_body=100_000)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(10_000)

    # The answer comes while the body is sent.
    async with mounted.serving() as session, session.post(mounted.url, data=endless(), headers={}) as answer:
        assert answer.status == 400
        assert "larger than 100,000 bytes" in await answer.text()
    assert not mounted.seen


async def test_a_length_that_is_too_large_is_enough_for_a_refusal() -> None:
    mounted = Mounted()
    loop = asyncio.get_running_loop()
    async with mounted.serving():
        began = loop.time()
        assert await raw(mounted.url, head({**signed(BODY), "Content-Length": str(10**12)}), b"x") == 400
        assert loop.time() - began < READING, "the body was not waited for"


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br", "zstd", "unheard-of"])
async def test_an_encoded_body_is_refused_unread(coding: str) -> None:
    mounted = Mounted()
    packed = gzip.compress(BODY)
    async with mounted.serving():
        fields = {**signed(BODY), "Content-Encoding": coding, "Content-Length": str(len(packed))}
        answer = await raw(mounted.url, head(fields), packed)
    assert answer == 400
    assert not mounted.seen


async def test_a_chunked_body_is_as_good() -> None:
    mounted = Mounted()
    fields = {
        **signed(BODY),
        "Transfer-Encoding": "chunked",
        "Content-Encoding": "identity",
        "Connection": "close",
    }
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in BODY)
    async with mounted.serving():
        assert await raw(mounted.url, head(fields), chunks + b"0\r\n\r\n") == 200
    assert len(mounted.seen) == 1


async def test_a_broken_chunk_is_a_400() -> None:
    mounted = Mounted()
    async with mounted.serving():
        answer = await raw(mounted.url, head({**signed(BODY), "Transfer-Encoding": "chunked"}), b"zz\r\n")
    assert answer == 400


async def test_a_sender_that_stalls_is_let_go() -> None:
    mounted = Mounted()
    loop = asyncio.get_running_loop()
    async with mounted.serving():
        began = loop.time()
        answer = await raw(mounted.url, head({**signed(BODY), "Content-Length": str(len(BODY))}), BODY[:10])
        assert loop.time() - began < 60
    assert answer == 400
    assert not mounted.seen


async def test_a_sender_that_leaves_is_no_trouble(caplog: pytest.LogCaptureFixture) -> None:
    mounted = Mounted()
    async with mounted.serving() as session:
        parts = URL(mounted.url)
        _, writer = await asyncio.open_connection(parts.host, parts.port)
        writer.write(head({**signed(BODY), "Content-Length": str(len(BODY))}) + BODY[:10])
        await writer.drain()
        await asyncio.sleep(1)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(1)
        assert (await post(session, mounted.url, BODY))[0] == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_service_that_fails_gets_the_event_again(caplog: pytest.LogCaptureFixture) -> None:
    mounted = Mounted()
    async with mounted.serving() as session:
        mounted.failure = RuntimeError("password: swordfish")
        status, text = await post(session, mounted.url, BODY)
        assert status == 500
        assert "swordfish" not in text
        assert "evt_1" in caplog.text
        mounted.failure = None
        assert (await post(session, mounted.url, BODY))[0] == 200
    assert len(mounted.seen) == 1


@pytest.mark.parametrize("failure", [web.HTTPNoContent(), web.HTTPBadRequest(), TimeoutError()])
async def test_whatever_a_service_raises_is_no_acknowledgement(failure: Exception) -> None:
    mounted = Mounted()
    mounted.failure = failure
    async with mounted.serving() as session:
        assert (await post(session, mounted.url, BODY))[0] == 500


async def test_the_bounds_of_the_application_are_not_those_of_the_inbox() -> None:
    mounted, large = Mounted(), body_of(filler="x" * 50_000)
    async with mounted.serving(web.Application(client_max_size=10)) as session:
        assert (await post(session, mounted.url, large))[0] == 200


async def test_a_middleware_may_have_read_the_body() -> None:
    @web.middleware
    async def curious(request: web.Request, handler: Handler) -> web.StreamResponse:
        await request.read()
        return await handler(request)

    mounted = Mounted()
    async with mounted.serving(web.Application(middlewares=[curious])) as session:
        assert (await post(session, mounted.url, BODY))[0] == 200
    assert len(mounted.seen) == 1


async def test_the_end_of_a_job_wakes_who_waits_for_it() -> None:
    server = LocalServer()
    runner = web.AppRunner(server.app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    mounted = Mounted()
    async with mounted.serving(), FineTuningClient("k", base_url=base_url) as client:
        server.add_webhook(mounted.url, secret=SECRET)
        example = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
        file = await client.upload_file(example * 10)
        job, other = [await client.create_job("gpt-4o-mini", file.id) for _ in range(2)]
        with mounted.inbox.watching(job.id) as news, mounted.inbox.watching(other.id) as no_news:
            server.finish(job.id)
            await news.wait()
            assert not no_news.is_set()
            assert (await client.retrieve_job(job.id)).status == "succeeded"
            await client.cancel_job(other.id)
            await no_news.wait()
    await runner.cleanup()
    assert [event.type.rpartition(".")[2] for event in mounted.seen] == ["succeeded", "cancelled"]
    assert [event.job_id for event in mounted.seen] == [job.id, other.id]
