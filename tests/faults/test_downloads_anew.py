"""A download that cannot be continued is begun again, or refused: nothing is joined that is of two contents."""

from __future__ import annotations

import gzip
import random
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async import (
    ConnectionFailed,
    ResponseFormatError,
    RetryPolicy,
)
from tests.faults.test_downloads_broken import CONTENT, LARGE, fetch, stream
from tests.misbehaving import answer
from tests.serving import in_use, scripted
from tests.storage import Storage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.misbehaving import Exchange

OTHER = random.Random(8).randbytes(900)


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
