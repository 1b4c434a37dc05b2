"""A call that is cancelled at any of its suspension points leaves no task, no connection and no open file."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import ClientStateError, FineTuningClient, FineTuningJob
from tests.misbehaving import Exchange, MisbehavingServer, answer, late, silence
from tests.serving import KEY, in_use

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.misbehaving import Behaviour

    Call = Callable[[FineTuningClient, Path], Awaitable[object]]

# Sockets, tasks and threads come together here: in debug mode asyncio sees a call from the wrong thread.
pytestmark = pytest.mark.debug_mode

JOB = {"id": "ftjob-1", "created_at": 1, "model": "m", "status": "running"}
FILE = {"id": "file-1", "created_at": 1, "filename": "f", "purpose": "fine-tune"}
# What is left of a call winds up in a few turns; a thread that opens or reads a file may hold it up.
TURNS_TO_BE_QUIET = 20
MOST_TURNS = 2_000


def page(*ids: str, has_more: bool) -> dict[str, object]:
    return {"object": "list", "data": [{**JOB, "id": each} for each in ids], "has_more": has_more}


async def good_server(exchange: Exchange) -> None:
    request = await exchange.receive()
    document: dict[str, object] = JOB
    if request.target.startswith("/files"):
        document = FILE
    elif request.target.startswith("/fine_tuning/jobs?"):
        document = page("c", has_more=False) if "after=b" in request.target else page("a", "b", has_more=True)
    await answer(200, {}, json.dumps(document).encode())(exchange)


async def create(client: FineTuningClient, _: Path) -> object:
    return await client.create_job("m", "file-1")


async def retrieve(client: FineTuningClient, _: Path) -> object:
    return await client.retrieve_job("ftjob-1")


async def collect(client: FineTuningClient, _: Path) -> object:
    return await client.list_jobs(limit=2).collect()


async def iterate(client: FineTuningClient, _: Path) -> object:
    return [job async for job in client.list_jobs(limit=2)]


async def upload_path(client: FineTuningClient, path: Path) -> object:
    return await client.upload_file(path)


async def upload_file(client: FineTuningClient, path: Path) -> object:
    with path.open("rb") as file:
        return await client.upload_file(file)


CALLS: list[Call] = [create, retrieve, collect, iterate, upload_path, upload_file]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl"
    path.write_bytes(bytes(2**18) * 2 + b"the end")
    return path


@asynccontextmanager
async def serving(*script: Behaviour) -> AsyncIterator[tuple[FineTuningClient, MisbehavingServer]]:
    async with (
        MisbehavingServer(script or [good_server]) as server,
        FineTuningClient(KEY, base_url=str(server.url)) as client,
    ):
        yield client, server


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def is_open(path: Path) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    for number in Path("/proc/self/fd").iterdir():
        try:
            if number.readlink() == path:
                return True
        except FileNotFoundError:
            continue  # the one through which the folder is read
    return False


async def assert_quiet(client: FineTuningClient, server: MisbehavingServer, path: Path, when: object) -> None:
    await turns(TURNS_TO_BE_QUIET)
    await asyncio.sleep(1)  # virtual: until the threads of the call have ended too
    left = asyncio.all_tasks() - server._tasks - {asyncio.current_task()}
    assert not left, when
    assert not in_use(client), when
    assert not is_open(path), when


async def until_the_call_finishes(call: Call, path: Path, *, warm: bool) -> int:
    """Cancel after one turn, after two, and so on; return after how many it finished untouched."""
    for number in range(MOST_TURNS):
        async with serving() as (client, server):
            if warm:
                await client.retrieve_job("ftjob-1")
            task = asyncio.ensure_future(call(client, path))
            await turns(number)
            if not task.cancel():
                await task
                return number
            with pytest.raises(asyncio.CancelledError):
                await task
            assert task.cancelled()
            await assert_quiet(client, server, path, number)
            assert (await client.retrieve_job("ftjob-1")).id == "ftjob-1"
    raise AssertionError("the call never finished")


@pytest.mark.parametrize("warm", [False, True], ids=["first call", "kept connection"])
@pytest.mark.parametrize("call", CALLS)
async def test_cancelled_at_any_turn(call: Call, path: Path, warm: bool) -> None:
    assert await until_the_call_finishes(call, path, warm=warm) >= 5


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("phase", ["answer", "body", "wait"])
async def test_cancelled_while_it_waits_for_the_server(call: Call, path: Path, phase: str) -> None:
    async def half(exchange: Exchange) -> None:
        await exchange.send_head(200, {"Content-Length": "1000"})
        await exchange.send(b'{"id":')
        await asyncio.get_running_loop().create_future()

    busy = answer(429, {"Retry-After": "15"}, b"{}")
    behaviour = {"answer": silence(), "body": half, "wait": busy}[phase]
    async with serving(behaviour, good_server) as (client, server):
        task = asyncio.ensure_future(call(client, path))
        await asyncio.sleep(5)
        assert len(server.requests) == 1
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await assert_quiet(client, server, path, phase)
        await asyncio.sleep(60)
        assert len(server.requests) == 1, "sent again after it was cancelled"
        assert isinstance(await client.retrieve_job("ftjob-1"), FineTuningJob)


@pytest.mark.parametrize("call", CALLS)
async def test_the_callers_own_timeout_stays_the_callers(call: Call, path: Path) -> None:
    async with serving(silence()) as (client, server):
        with pytest.raises(TimeoutError) as raised:
            await asyncio.wait_for(call(client, path), 3)
        assert type(raised.value) is TimeoutError
        await assert_quiet(client, server, path, "timed out")


async def together(client: FineTuningClient) -> None:
    async with asyncio.TaskGroup() as group:
        for name in ("a", "b", "gone", "c"):
            group.create_task(client.retrieve_job(name))


async def test_one_call_of_a_group_fails_and_the_others_are_cancelled() -> None:
    async def gone(exchange: Exchange) -> None:
        missing = (await exchange.receive()).target.endswith("/gone")
        await (late(1, answer(404)) if missing else silence())(exchange)

    async with serving(gone) as (client, server):
        with pytest.raises(ExceptionGroup) as raised:
            await together(client)
        assert [type(each).__name__ for each in raised.value.exceptions] == ["NotFoundError"]
        await assert_quiet(client, server, Path("nowhere"), "a group")


async def test_a_key_that_is_awaited_is_cancelled_too() -> None:
    state: list[str] = []

    async def key() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            state.append("ended")
        raise AssertionError

    async with serving() as (client, server):
        task = asyncio.ensure_future(client.with_options(api_key=key).retrieve_job("ftjob-1"))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (state, server.requests) == (["ended"], [])


async def test_a_page_fetched_ahead_leaves_no_connection_in_use() -> None:
    async def slow(exchange: Exchange) -> None:
        ahead = "after" in (await exchange.receive()).target
        await (silence() if ahead else good_server)(exchange)

    async with serving(slow) as (client, server):
        async for job in client.list_jobs(limit=2):
            if job.id == "b":
                await asyncio.sleep(1)
                assert len(in_use(client)) == 1, "the next page is on its way"
                break
        await turns(10)
        assert asyncio.all_tasks() - server._tasks == {asyncio.current_task()}
        assert not in_use(client)


async def test_closing_the_client_is_cancelled_and_can_be_done_again() -> None:
    async with serving() as (client, _):
        await client.retrieve_job("ftjob-1")
        session = client._sessions.current()
        task = asyncio.ensure_future(client.close())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await client.close()
        assert session.closed
        with pytest.raises(ClientStateError):
            await client.retrieve_job("ftjob-1")
