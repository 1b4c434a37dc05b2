"""A download that is redirected takes nothing along that is not for where it goes."""

from __future__ import annotations

import asyncio
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from fine_tuning_async import (
    ConnectionFailed,
    FineTuningError,
    ResponseFormatError,
    RetryPolicy,
)
from tests.faults.test_downloads_broken import CONTENT, fetch, stream
from tests.faults.test_secrets import everything_about
from tests.misbehaving import MisbehavingServer, answer, garbage, redirect, refused_port, silence, stall
from tests.serving import KEY, in_use, scripted
from tests.storage import Storage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.misbehaving import Behaviour, Exchange


HEADERS = {"X-Team": "red", "X-Api-Key": "another-secret", "User-Agent": "red"}
SECRET_HEADERS = ("Authorization", "Api-Key", "X-Team", "Openai-Organization", "Openai-Project", "Cookie")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_storage_gets_nothing_of_the_callers(status: int, tmp_path: Path) -> None:
    storage = Storage(CONTENT, cuts=[500, None])
    async with MisbehavingServer(storage) as elsewhere:
        there = redirect(f"{elsewhere.url}file?sig=SIGNED", status)
        async with scripted(there, organization="org-1", project="proj-1", headers=HEADERS) as (client, server):
            assert await fetch(client, tmp_path) == CONTENT
            assert len(server.requests) == 2, "each attempt asks the API where the file is: a signature expires"
    for request in server.requests:
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        assert request.headers["X-Team"] == "red"
    assert [each.target for each in elsewhere.requests] == ["/file?sig=SIGNED"] * 2
    assert storage.asked == [None, "bytes=500-"]
    for request in elsewhere.requests:
        assert set(map(str.lower, request.headers)) <= {
            *("host", "accept", "accept-encoding", "user-agent", "range", "if-range")
        }
        assert not [name for name in SECRET_HEADERS if name in request.headers]
        assert KEY not in str(request)
        assert "red" not in request.headers.values()


@pytest.mark.parametrize("setting", ["headers", "netrc", "cookies"])
async def test_storage_gets_nothing_of_a_borrowed_sessions_either(
    setting: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password secret")
    monkeypatch.setenv("NETRC", str(netrc))
    settings: dict[str, Any] = {
        "headers": {"headers": {"X-Session": "secret", "Authorization": "Basic secret"}},
        "netrc": {"trust_env": True},
        "cookies": {"cookies": {"session": "secret"}, "cookie_jar": aiohttp.CookieJar(unsafe=True)},
    }
    async with MisbehavingServer(Storage(CONTENT)) as elsewhere:
        script = redirect(f"{elsewhere.url}file")
        async with (
            aiohttp.ClientSession(**settings[setting]) as session,
            scripted(script, session=session) as (client, server),
        ):
            assert await fetch(client, tmp_path) == CONTENT
    assert server.requests
    for request in elsewhere.requests:
        assert "secret" not in str(request.headers)
        assert not [name for name in SECRET_HEADERS if name in request.headers]


async def test_the_key_does_not_come_back_on_the_way_back(tmp_path: Path) -> None:
    """A redirect from the storage to the API: whoever wrote it must not be able to use the caller's key."""

    async def api(exchange: Exchange) -> None:
        request = await exchange.receive()
        there = redirect(f"{elsewhere.url}file")
        await (there if request.target.endswith("/content") else Storage(CONTENT))(exchange)

    async def storage(exchange: Exchange) -> None:
        await redirect(f"{server.url}delete-everything")(exchange)

    async with MisbehavingServer(storage) as elsewhere, scripted(api) as (client, server):
        assert await fetch(client, tmp_path) == CONTENT
    assert [("Authorization" in each.headers) for each in server.requests] == [True, False]


async def test_within_the_origin_the_key_goes_along(tmp_path: Path) -> None:
    async with scripted(redirect("/elsewhere?a=b"), Storage(CONTENT)) as (client, server):
        assert await fetch(client, tmp_path) == CONTENT
    assert [each.target for each in server.requests] == ["/files/file-1/content", "/elsewhere?a=b"]
    assert all(each.headers["Authorization"] == f"Bearer {KEY}" for each in server.requests)


async def test_a_redirect_whose_body_is_not_read_holds_no_connection(tmp_path: Path) -> None:
    async def api(exchange: Exchange) -> None:
        await exchange.send_head(302, {"Location": f"{elsewhere.url}file", "Content-Length": "1000"})
        await exchange.send(b"<a>")
        await asyncio.get_running_loop().create_future()

    async with MisbehavingServer(Storage(CONTENT)) as elsewhere, scripted(api) as (client, _):
        assert await fetch(client, tmp_path) == CONTENT
        assert not in_use(client)


async def test_a_circle_of_redirects_is_left(tmp_path: Path) -> None:
    async with scripted(redirect("/files/file-1/content")) as (client, server):
        with pytest.raises(ResponseFormatError, match="more than 5 times"):
            await fetch(client, tmp_path)
        assert len(server.requests) == 6
        assert not in_use(client)


@pytest.mark.parametrize("location", ["ftp://files.example/x", "file:///etc/passwd", "http://[", "https:///x"])
async def test_what_is_no_web_server_is_not_gone_to(location: str, tmp_path: Path) -> None:
    async with scripted(redirect(location)) as (client, server):
        with pytest.raises(ResponseFormatError, match="redirected"):
            await fetch(client, tmp_path)
        assert len(server.requests) == 1
        assert not in_use(client)


@pytest.mark.parametrize(
    "there",
    [
        answer(403, {"x-echo": KEY}, b"<Error>AccessDenied</Error>"),
        garbage(),
        Storage(CONTENT, cuts=[5]),
        silence(),
        answer(204),
        redirect("ftp://files.example/x?sig=SIGNED"),
        redirect("/file?sig=SIGNED"),
    ],
)
async def test_no_error_shows_the_key_or_the_signature(
    there: Behaviour, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with MisbehavingServer(there) as elsewhere:
        policy = RetryPolicy(attempts=2)
        async with scripted(redirect(f"{elsewhere.url}file?sig=SIGNED"), retry=policy) as (client, _):
            for to_file in (True, False):
                with pytest.raises(FineTuningError) as caught:
                    await (fetch(client, tmp_path) if to_file else stream(client))
                for text in [*everything_about(caught.value), caplog.text]:
                    assert KEY not in text
                    assert "SIGNED" not in text


async def echo_in_the_head(exchange: Exchange) -> None:
    await exchange.receive()
    await exchange.send(f"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n{KEY} what: is\r\n\r\n12345".encode())
    await exchange.fin()


async def echo_in_the_body(exchange: Exchange) -> None:
    await exchange.receive()
    await exchange.send_head(200, {"Transfer-Encoding": "chunked", "ETag": '"v1"'})
    await exchange.send(f"5\r\n12345\r\n{KEY}\r\n".encode())
    await exchange.fin()


@pytest.mark.parametrize("there", [echo_in_the_head, echo_in_the_body])
async def test_a_key_that_comes_back_in_what_is_no_http_is_not_shown(there: Behaviour, tmp_path: Path) -> None:
    async with scripted(there, retry=RetryPolicy(attempts=1)) as (client, _):
        for to_file in (True, False):
            with pytest.raises(ConnectionFailed) as caught:
                await (fetch(client, tmp_path) if to_file else stream(client))
            assert "[redacted]" in str(caught.value)
            for text in everything_about(caught.value):
                assert KEY not in text


async def test_a_storage_that_is_away_does_not_show_the_signature(tmp_path: Path) -> None:
    with refused_port() as port:
        there = redirect(f"http://127.0.0.1:{port}/file?sig=SIGNED")
        async with scripted(there, retry=RetryPolicy(attempts=1)) as (client, _):
            with pytest.raises(ConnectionFailed) as caught:
                await fetch(client, tmp_path)
    for text in everything_about(caught.value):
        assert KEY not in text
        assert "SIGNED" not in text


@pytest.mark.parametrize("behaviour", [silence(), stall(CONTENT[:10])])
async def test_a_cancelled_download_does_not_show_the_key(behaviour: Behaviour) -> None:
    async with scripted(behaviour) as (client, _):
        task = asyncio.ensure_future(stream(client))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
    files = [frame.f_code.co_filename for frame, _ in walk_tb(caught.value.__traceback__)]
    assert not [each for each in files if "aiohttp" in each]
    assert all(KEY not in text for text in everything_about(caught.value))
