"""Downloads from servers that break off, change the file, lie about ranges or point elsewhere."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import (
    APIError,
    ConnectionFailed,
    FineTuningClient,
    NotFoundError,
    RetryPolicy,
    ServerError,
)
from tests.misbehaving import answer, garbage, silence, stall, trickle
from tests.serving import in_use, scripted
from tests.storage import Storage

if TYPE_CHECKING:
    from pathlib import Path

    from fine_tuning_async import AttemptRecord
    from tests.misbehaving import Behaviour

CONTENT = random.Random(7).randbytes(1_000)
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
