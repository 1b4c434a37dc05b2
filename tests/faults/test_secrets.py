"""The key is found nowhere: no repr, pickle, log, exception, frame or cause."""

from __future__ import annotations

import asyncio
import copy
import gc
import logging
import pickle
import traceback
from typing import TYPE_CHECKING

import aiohttp
import pytest

from fine_tuning_async import FineTuningClient, FineTuningError, RetryPolicy
from tests.misbehaving import (
    MisbehavingServer,
    answer,
    cut_body,
    endless,
    fin_after_reading,
    garbage,
    many_headers,
    proxy_refusal,
    raw,
    redirect,
    refused_port,
    rst_after_reading,
    silence,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.misbehaving import Behaviour

KEY = "sk-very-secret-0123456789"
ECHO = b'{"error": {"message": "bad key %s", "code": "invalid_api_key"}}' % KEY.encode()

FAILURES = [
    answer(400, body=ECHO),
    answer(401, {"x-echo": KEY}, ECHO),
    answer(404),
    answer(429, body=ECHO),
    answer(500, body=KEY.encode()),
    answer(200, body=b"<html>"),
    answer(200, body=b"[1]"),
    answer(200, {"x-request-id": KEY}, KEY.encode()),
    answer(200, body=b'{"id": {"k": "%s"}}' % KEY.encode()),
    raw(b"Authorization: Bearer " + KEY.encode() + b"\r\n\r\n"),
    raw(b"HTTP/1.1 200 OK\r\nX-Bad: " + KEY.encode() + b"\x01\r\n\r\n"),
    raw(b"HTTP/1.1 200 OK\r\nX-Bad\x01: " + KEY.encode() + b"\r\n\r\n"),
    redirect("http://127.0.0.2:9/"),
    fin_after_reading(),
    rst_after_reading(),
    silence(),
    cut_body(),
    garbage(),
    many_headers(),
    endless(),
]


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def everything_about(error: BaseException) -> Iterator[str]:
    """All that a log, a crash reporter or a debugger would show of an error."""
    yield "".join(traceback.format_exception(error))
    for each in chain(error):
        yield from (repr(each), str(each), repr(vars(each)), repr(each.args))
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if "fine_tuning_async" in frame.f_code.co_filename or "aiohttp" in frame.f_code.co_filename:
                yield from (repr(value) for value in frame.f_locals.values())


@pytest.mark.parametrize("behaviour", FAILURES)
@pytest.mark.parametrize("call", ["create", "retrieve", "list", "upload"])
async def test_no_error_shows_the_key(behaviour: object, call: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with (
        MisbehavingServer(behaviour) as server,  # type: ignore[arg-type]
        FineTuningClient(KEY, base_url=server.url, retry=RetryPolicy(attempts=2)) as client,
    ):
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "create": lambda: client.create_job("m", "file-1"),
            "retrieve": lambda: client.retrieve_job("ftjob-1"),
            "list": lambda: client.list_jobs().collect(),
            "upload": lambda: client.upload_file(b"{}"),
        }
        with pytest.raises(FineTuningError) as caught:
            await calls[call]()
    for text in everything_about(caught.value):
        assert KEY not in text
    assert KEY.encode() not in pickle.dumps(caught.value)
    assert KEY not in repr(vars(copy.copy(caught.value)))
    assert KEY not in caplog.text


ECHOES: dict[str, Callable[[bytes], Behaviour]] = {
    "no JSON": lambda echo: answer(200, body=echo + b" " * 99),
    "a wrong type": lambda echo: answer(200, body=b'{"id": "a", "created_at": "%s"}' % (echo + b" " * 99)),
    "a wrong type, escaped": lambda echo: answer(
        200, body=b'{"id": "a", "created_at": "%s"}' % echo.replace(b"e", b"\\u0065")
    ),
    "an error": lambda echo: answer(500, body=echo + b" " * 999),
    "an error, escaped": lambda echo: answer(400, body=b'"%s"' % echo.replace(b"e", b"\\u0065")),
    "no HTTP": lambda echo: raw(echo + b" " * 999 + b"\r\n\r\n"),
    "a giant header": lambda echo: raw(b"HTTP/1.1 200 OK\r\nX: " + echo + b"x" * 20_000 + b"\r\n\r\n"),
}


@pytest.mark.parametrize("echo", ECHOES)
async def test_no_error_shows_a_part_of_the_key_where_a_text_was_cut(echo: str) -> None:
    begun = [b"?" * length + KEY.encode() for length in range(0, 310, 4)]
    async with (
        MisbehavingServer([ECHOES[echo](each) for each in begun]) as server,
        FineTuningClient(KEY, base_url=server.url, retry=RetryPolicy(attempts=1)) as client,
    ):
        for _ in begun:
            with pytest.raises(FineTuningError) as caught:
                await client.retrieve_job("ftjob-1")
            assert all(KEY[:6] not in text for text in map(str, chain(caught.value)))


async def test_a_refused_connection_does_not_show_the_key() -> None:
    with refused_port() as port:
        async with FineTuningClient(KEY, base_url=f"http://127.0.0.1:{port}") as client:
            with pytest.raises(FineTuningError) as caught:
                await client.retrieve_job("ftjob-1")
    assert all(KEY not in text for text in everything_about(caught.value))


async def test_a_refusing_proxy_does_not_show_the_key() -> None:
    async with MisbehavingServer(proxy_refusal()) as proxy, aiohttp.ClientSession(proxy=proxy.url) as session:
        client = FineTuningClient(KEY, base_url="https://api.invalid/v1", session=session)
        with pytest.raises(FineTuningError) as caught:
            await client.with_options(retry=RetryPolicy(attempts=1)).retrieve_job("ftjob-1")
    assert all(KEY not in text for text in everything_about(caught.value))


async def test_a_cancelled_call_does_not_show_the_key() -> None:
    async with MisbehavingServer(silence()) as server, FineTuningClient(KEY, base_url=server.url) as client:
        task = asyncio.create_task(client.retrieve_job("ftjob-1"))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
    assert all(KEY not in text for text in everything_about(caught.value))


async def test_a_key_from_a_callable_is_as_secret() -> None:
    async def provider() -> str:
        return KEY

    async with (
        MisbehavingServer(answer(401, body=ECHO)) as server,
        FineTuningClient(provider, base_url=server.url) as client,
    ):
        with pytest.raises(FineTuningError) as caught:
            await client.retrieve_job("ftjob-1")
    assert all(KEY not in text for text in everything_about(caught.value))


async def test_no_object_of_a_client_shows_the_key() -> None:
    async with FineTuningClient(KEY, base_url="http://127.0.0.1:9") as client:
        view = client.with_options(timeout=5)
        for each in (client, view, client._pipeline, client._pipeline.key, client.list_jobs(), vars(client)):
            assert KEY not in repr(each)
            assert KEY not in str(each)
            assert KEY not in f"{each}"


@pytest.mark.parametrize("attribute", [None, "_pipeline"])
async def test_a_client_is_not_pickled(attribute: str | None) -> None:
    async with FineTuningClient(KEY, base_url="http://127.0.0.1:9") as client:
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(client if attribute is None else getattr(client, attribute))


@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", f"{KEY}\r\nX: y", f"{KEY}é"])
def test_a_key_that_cannot_be_sent_is_not_shown_either(key: str) -> None:
    with pytest.raises(FineTuningError) as caught:
        FineTuningClient(key)
    assert all(KEY not in text for text in everything_about(caught.value))


async def test_such_a_key_from_a_provider_or_for_a_view_is_not_shown_either() -> None:
    async def provider() -> str:
        return f"{KEY}\n"

    client = FineTuningClient(provider, base_url="http://127.0.0.1:9")
    with pytest.raises(FineTuningError) as caught:
        await client.retrieve_job("ftjob-1")
    assert all(KEY not in text for text in everything_about(caught.value))
    with pytest.raises(FineTuningError) as caught:
        client.with_options(api_key=f"{KEY}\n")
    assert all(KEY not in text for text in everything_about(caught.value))
    with pytest.raises(FineTuningError, match="not async") as caught:
        await FineTuningClient(lambda: KEY, base_url="http://127.0.0.1:9").retrieve_job("ftjob-1")  # type: ignore[arg-type,return-value]
    assert all(KEY not in text for text in everything_about(caught.value))


def test_a_refused_argument_does_not_show_the_key() -> None:
    for wrong in (
        {"timeout": -1},
        {"base_url": "nowhere"},
        {"headers": {"a b": ""}},
        {"retry": 3},
        {"session": 1},
    ):
        with pytest.raises(FineTuningError) as caught:
            FineTuningClient(KEY, **wrong)
        assert all(KEY not in text for text in everything_about(caught.value))


def test_no_default_header_may_carry_a_second_key() -> None:
    with pytest.raises(FineTuningError, match="api_key"):
        FineTuningClient("k", headers={"authorization": f"Bearer {KEY}"})
    gc.collect()
