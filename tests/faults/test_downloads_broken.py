"""Downloads from servers that break off, change the file, lie about ranges or point elsewhere."""

from __future__ import annotations

import asyncio
import gzip
import random
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from fine_tuning_async import (
    APIError,
    ConnectionFailed,
    FineTuningClient,
    FineTuningError,
    NotFoundError,
    ResponseFormatError,
    RetryPolicy,
    ServerError,
)
from tests.faults.test_secrets import everything_about
from tests.misbehaving import MisbehavingServer, answer, garbage, redirect, refused_port, silence, stall, trickle
from tests.serving import KEY, in_use, scripted
from tests.storage import Storage

if TYPE_CHECKING:
    from pathlib import Path

    from fine_tuning_async import AttemptRecord
    from tests.misbehaving import Behaviour, Exchange

CONTENT = random.Random(7).randbytes(1_000)
OTHER = random.Random(8).randbytes(900)
LARGE = random.Random(9).randbytes(3 * 2**20 + 5)


def names_in(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


async def fetch(client: FineTuningClient, folder: Path) -> bytes:
    """Download into a folder; whatever happens, nothing but the whole file is in it afterwards."""
    path = folder / "file"
    try:
        return (await client.download_file("file-1", path)).read_bytes()
    except BaseException:
        assert not path.exists()
        raise
    finally:
        assert names_in(folder) <= {"file"}


async def stream(client: FineTuningClient) -> bytes:
    async with client.stream_file("file-1") as chunks:
        return b"".join([chunk async for chunk in chunks])


# ---------------------------------------------------------------------------------------------- broken off


@pytest.mark.parametrize("cut", [0, 1, 2, 499, 998, 999])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("stalls", [False, True])
async def test_what_breaks_anywhere_is_continued(cut: int, chunked: bool, stalls: bool, tmp_path: Path) -> None:
    for read in (fetch, stream):
        storage = Storage(CONTENT, cuts=[cut, None], chunked=chunked, stalls=stalls)
        async with scripted(storage, timeout=5) as (client, server):
            got = await (fetch(client, tmp_path) if read is fetch else stream(client))
            assert got == CONTENT
            assert storage.asked == [None, f"bytes={cut}-" if cut else None]
            for request in server.requests:
                assert request.headers["Accept-Encoding"] == "identity"
                assert request.headers.get("If-Range") == ('"v1"' if "Range" in request.headers else None)
            assert not in_use(client)


async def test_every_byte_may_come_by_itself(tmp_path: Path) -> None:
    storage = Storage(CONTENT[:60], cuts=[1])
    async with scripted(storage) as (client, _):
        assert await fetch(client, tmp_path) == CONTENT[:60]
    assert storage.asked[1:] == [f"bytes={number}-" for number in range(1, 60)]


async def test_a_large_file_that_breaks_often_is_whole(tmp_path: Path) -> None:
    storage = Storage(LARGE, cuts=[700_001])
    async with scripted(storage) as (client, _):
        assert await fetch(client, tmp_path) == LARGE
        storage.asked.clear()
        assert await stream(client) == LARGE
    assert len(storage.asked) == 5


@pytest.mark.parametrize("attempts", [1, 2, 4])
async def test_attempts_without_progress_are_bounded(attempts: int, tmp_path: Path) -> None:
    storage = Storage(CONTENT, cuts=[100, 0])
    async with scripted(storage, retry=RetryPolicy(attempts=attempts)) as (client, _):
        with pytest.raises(ConnectionFailed, match="broke off"):
            await fetch(client, tmp_path)
    assert len(storage.asked) == attempts


async def test_a_file_that_breaks_at_one_place_for_ever_ends(tmp_path: Path) -> None:
    """Bytes come in each attempt, and none goes further than the first."""
    storage = Storage(CONTENT, cuts=[500], tag=None)
    async with scripted(storage) as (client, _):
        with pytest.raises(ConnectionFailed):
            await fetch(client, tmp_path)
    assert storage.asked == [None] * 4


async def test_the_budget_holds_downloads_too(tmp_path: Path) -> None:
    storage = Storage(CONTENT, cuts=[1])
    async with scripted(storage, retry=RetryPolicy(budget=50)) as (client, _):
        with pytest.raises(ConnectionFailed):
            await fetch(client, tmp_path)
    assert len(storage.asked) == 11


@pytest.mark.parametrize(
    "first",
    [answer(500), answer(503), answer(429), answer(429, {"Retry-After": "3"}), answer(408), garbage()],
)
async def test_what_may_pass_is_tried_again(first: Behaviour, tmp_path: Path) -> None:
    async with scripted(first, Storage(CONTENT)) as (client, server):
        assert await fetch(client, tmp_path) == CONTENT
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "error", "requests"), [(404, NotFoundError, 1), (416, APIError, 1), (500, ServerError, 4)]
)
async def test_a_refusal_is_raised(status: int, error: type[APIError], requests: int, tmp_path: Path) -> None:
    body = b'{"error": {"message": "no such file"}}'
    async with scripted(answer(status, {}, body)) as (client, server):
        with pytest.raises(error, match="no such file"):
            await fetch(client, tmp_path)
        with pytest.raises(error, match="no such file"):
            async with client.stream_file("file-1"):
                raise AssertionError("it is raised on entering")
        assert len(server.requests) == 2 * requests
        assert not in_use(client)


async def test_a_refusal_in_the_middle_is_raised(tmp_path: Path) -> None:
    async with scripted(Storage(CONTENT, cuts=[5]), answer(404)) as (client, server):
        with pytest.raises(NotFoundError):
            await fetch(client, tmp_path)
        assert len(server.requests) == 2


async def test_a_wait_longer_than_the_timeout_is_not_waited(tmp_path: Path) -> None:
    async with scripted(answer(503, {"Retry-After": "3600"}), timeout=5) as (client, server):
        with pytest.raises(ServerError) as caught:
            await fetch(client, tmp_path)
        assert (caught.value.retry_after, len(server.requests)) == (3600, 1)


# -------------------------------------------------------------------------------------------------- time


async def test_a_trickle_takes_as_long_as_it_takes(tmp_path: Path) -> None:
    async with scripted(trickle(CONTENT, interval=4.9), timeout=5) as (client, server):
        start = asyncio.get_running_loop().time()
        assert await fetch(client, tmp_path) == CONTENT
        assert asyncio.get_running_loop().time() - start == pytest.approx(4_900, abs=1)
        assert len(server.requests) == 1


@pytest.mark.parametrize("behaviour", [silence(), stall(CONTENT[:10])])
async def test_silence_ends_an_attempt_after_the_timeout(behaviour: Behaviour, tmp_path: Path) -> None:
    async with scripted(behaviour, timeout=5, retry=RetryPolicy(attempts=1)) as (client, _):
        start = asyncio.get_running_loop().time()
        with pytest.raises(ConnectionFailed, match=r"in time|fell silent for 5 s"):
            await fetch(client, tmp_path)
        assert asyncio.get_running_loop().time() - start == pytest.approx(5, abs=0.1)
        assert not in_use(client)


async def test_a_slow_reader_is_no_silent_server() -> None:
    async with scripted(Storage(LARGE), timeout=5) as (client, server):
        got = b""
        async with client.stream_file("file-1") as chunks:
            async for chunk in chunks:
                got += chunk
                await asyncio.sleep(60)
        assert got == LARGE
        assert len(server.requests) == 1


# ------------------------------------------------------------------------------- servers that cannot continue


def no_ranges(storage: Storage) -> None:
    storage.ranges = False


async def test_a_stream_that_breaks_where_it_was_before_goes_on_all_the_same() -> None:
    def before(storage: Storage, number: int) -> None:
        storage.ranges = number != 1

    storage = Storage(CONTENT, cuts=[500, 200, None], before=before)
    async with scripted(storage) as (client, _):
        assert await stream(client) == CONTENT
    assert storage.asked == [None, "bytes=500-", "bytes=500-"]


async def test_more_than_was_announced_is_no_file(tmp_path: Path) -> None:
    async def behave(exchange: Exchange) -> None:
        if "Range" not in (await exchange.receive()).headers:
            await Storage(CONTENT, cuts=[500])(exchange)
            return
        await exchange.send_head(206, {"Content-Range": "bytes 500-999/1000", "Transfer-Encoding": "chunked"})
        await exchange.send_chunk(CONTENT)
        await exchange.send_chunk(b"")

    async with scripted(behave) as (client, server):
        with pytest.raises(ResponseFormatError, match="more came than the 1000 bytes"):
            await fetch(client, tmp_path)
        assert len(server.requests) == 2
        assert not in_use(client)


def another_file(storage: Storage) -> None:
    storage.content, storage.tag = OTHER, '"v2"'


def shorter_than_read(storage: Storage) -> None:
    storage.content = OTHER[:300]


async def changed(change: object, read: object, tmp_path: Path, **options: Any) -> tuple[bytes, list[str | None]]:
    def before(storage: Storage, number: int) -> None:
        if number == 1:
            change(storage)  # type: ignore[operator]

    storage = Storage(CONTENT, cuts=[500, None], before=before, **options)
    async with scripted(storage) as (client, _):
        got = await (fetch(client, tmp_path) if read is fetch else stream(client))
    return got, storage.asked


async def test_a_server_that_ignores_ranges_begins_again(tmp_path: Path) -> None:
    assert await changed(no_ranges, fetch, tmp_path) == (CONTENT, [None, "bytes=500-"])
    # The same strong tag: the stream leaves out what it gave before.
    assert await changed(no_ranges, stream, tmp_path) == (CONTENT, [None, "bytes=500-"])


async def test_a_file_that_changed_begins_again(tmp_path: Path) -> None:
    assert await changed(another_file, fetch, tmp_path) == (OTHER, [None, "bytes=500-"])
    with pytest.raises(ResponseFormatError, match="began again after 500 bytes"):
        await changed(another_file, stream, tmp_path)


@pytest.mark.parametrize("size", [700, 1_100])
async def test_the_same_tag_on_a_file_of_another_size_vouches_for_nothing(size: int, tmp_path: Path) -> None:
    def resized(storage: Storage) -> None:
        storage.ranges, storage.content = False, (OTHER * 2)[:size]

    assert await changed(resized, fetch, tmp_path) == ((OTHER * 2)[:size], [None, "bytes=500-"])
    with pytest.raises(ResponseFormatError, match="began again after 500 bytes"):
        await changed(resized, stream, tmp_path)


async def test_a_range_that_is_refused_begins_again(tmp_path: Path) -> None:
    got, asked = await changed(shorter_than_read, fetch, tmp_path)
    assert (got, asked) == (OTHER[:300], [None, "bytes=500-", None])


def empty(storage: Storage) -> None:
    storage.content, storage.tag = b"", '"v2"'


async def test_a_file_that_became_empty_is_empty(tmp_path: Path) -> None:
    assert (await changed(empty, fetch, tmp_path))[0] == b""


async def test_a_file_that_became_shorter_after_megabytes_has_no_tail(tmp_path: Path) -> None:
    def before(storage: Storage, number: int) -> None:
        if number == 1:
            another_file(storage)

    storage = Storage(LARGE, cuts=[2 * 2**20 + 77, None], before=before)
    async with scripted(storage) as (client, _):
        assert await fetch(client, tmp_path) == OTHER


@pytest.mark.parametrize("tag", [None, 'W/"v1"', "v1", '"a"b"'])
async def test_without_a_strong_validator_nothing_is_joined(tag: str | None, tmp_path: Path) -> None:
    assert await changed(lambda _: None, fetch, tmp_path, tag=tag) == (CONTENT, [None, None])
    with pytest.raises(ConnectionFailed) as caught:
        await changed(lambda _: None, stream, tmp_path, tag=tag)
    assert "500 bytes were read" in caught.value.__notes__[0]


MODIFIED = "Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.mark.parametrize(
    ("date", "continued"),
    [(None, True), ("Thu, 01 Jan 2026 00:00:01 GMT", True), (MODIFIED, False), ("nonsense", False)],
)
async def test_a_date_is_a_validator_once_its_second_is_over(
    date: str | None, continued: bool, tmp_path: Path
) -> None:
    dates = {"Last-Modified": MODIFIED, **({"Date": date} if date else {})}
    storage = Storage(CONTENT, tag=None, cuts=[500, None], change=lambda _, headers: headers | dates)
    async with scripted(storage) as (client, server):
        storage.tag = None
        assert await fetch(client, tmp_path) == CONTENT
        assert server.requests[1].headers.get("If-Range") == (MODIFIED if continued else None)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Range": "bytes 499-999/1000"},
        {"Content-Range": "bytes 501-999/1000"},
        {"Content-Range": "bytes 500-999/1001"},
        {"Content-Range": "bytes 500-1000/1000"},
        {"Content-Range": "bytes 999-500/1000"},
        {"Content-Range": "bytes 500-998/1000"},
        {"Content-Range": "bytes */1000"},
        {"Content-Range": "lines 500-999/1000"},
        {"Content-Range": ""},
        {"ETag": '"v2"'},
        {"ETag": 'W/"v1"'},
        {"Content-Encoding": "gzip"},
    ],
    ids=str,
)
@pytest.mark.parametrize("attempts", [2, 4])
async def test_a_part_that_does_not_fit_is_not_joined(
    headers: dict[str, str], attempts: int, tmp_path: Path
) -> None:
    def change(status: int, told: dict[str, str]) -> dict[str, str]:
        return {**told, **headers} if status == 206 else told

    storage = Storage(CONTENT, cuts=[500, None], change=change)
    async with scripted(storage, retry=RetryPolicy(attempts=attempts)) as (client, _):
        assert await fetch(client, tmp_path) == CONTENT
        assert storage.asked == [None, "bytes=500-", None]
        storage.asked.clear()
        assert await stream(client) == CONTENT
        assert storage.asked == [None, "bytes=500-", None]


@pytest.mark.parametrize("size", ["1000", "*"])
async def test_parts_that_are_shorter_than_asked_for_are_put_together(size: str, tmp_path: Path) -> None:
    async def behave(exchange: Exchange) -> None:
        request = await exchange.receive()
        start = int(request.headers.get("Range", "bytes=0-")[6:-1])
        if not start:
            headers = {"Content-Length": "1000", "ETag": '"v1"'}
            await exchange.send_head(200, headers)
            await exchange.send(CONTENT[:100])
            await exchange.fin()
            return
        end = min(start + 300, 1000)
        headers = {"Content-Range": f"bytes {start}-{end - 1}/{size}", "Content-Length": str(end - start)}
        await exchange.send_head(206, headers)
        await exchange.send(CONTENT[start:end])

    async with scripted(behave) as (client, server):
        assert await fetch(client, tmp_path) == CONTENT
        assert await stream(client) == CONTENT
        assert len(server.requests) == 8


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (206, {}),
        (206, {"Content-Range": "bytes 5-9/10"}),
        (206, {"Content-Range": "bytes 0-4/*"}),
        (204, {}),
        (202, {}),
    ],
)
async def test_what_is_no_file_is_no_download(status: int, headers: dict[str, str], tmp_path: Path) -> None:
    body = b"" if status == 204 else b"12345"
    async with scripted(answer(status, headers, body)) as (client, server):
        with pytest.raises(ResponseFormatError):
            await fetch(client, tmp_path)
        assert len(server.requests) == 1
        assert not in_use(client)


async def test_a_file_that_comes_compressed_all_the_same_is_unpacked(tmp_path: Path) -> None:
    packed = gzip.compress(LARGE)
    storage = Storage(packed, cuts=[700_000, None], change=lambda _, told: told | {"Content-Encoding": "gzip"})
    async with scripted(storage) as (client, _):
        assert await fetch(client, tmp_path) == LARGE
        assert storage.asked == [None, None], "places in the packed form mean nothing"
        assert await stream(client) == LARGE


# -------------------------------------------------------------------------------------------- elsewhere


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


# ---------------------------------------------------------------------------------------------- observers


async def test_each_attempt_is_told_of_once(tmp_path: Path) -> None:
    told: list[AttemptRecord] = []
    storage = Storage(CONTENT, cuts=[100, 0, None])
    async with scripted(storage, on_attempt=told.append) as (client, _):
        await fetch(client, tmp_path)
        short = [(each.attempt, each.outcome, each.delay is None) for each in told]
    assert short == [(1, "ConnectionFailed", False), (2, "ConnectionFailed", False), (3, 206, True)]
    assert {each.path for each in told} == {"/files/file-1/content"}


async def test_a_refusal_to_continue_is_told_of_and_is_no_failure(tmp_path: Path) -> None:
    told: list[AttemptRecord] = []
    script: list[Behaviour] = [Storage(CONTENT, cuts=[100]), answer(416), Storage(CONTENT)]
    async with scripted(*script, on_attempt=told.append, retry=RetryPolicy(attempts=2)) as (client, _):
        assert await fetch(client, tmp_path) == CONTENT
        assert client._pipeline.budget.left == 500 - 5 + 1
    assert [(each.attempt, each.outcome) for each in told] == [
        *((1, "ConnectionFailed"), (2, "ConnectionFailed"), (2, 200))
    ]
    assert told[1].delay == 0
