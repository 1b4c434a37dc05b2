"""Long work that is cancelled at any of its suspension points detaches: nothing is left, and no job is touched."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.scripted_jobs import ScriptedAPI, event, job, tasks_of_the_client

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator

    from fine_tuning_async import FineTuningClient

    Work = Callable[[FineTuningClient, "Inbox"], Coroutine[Any, Any, object]]

MOST_POINTS = 500
DROPPED = 100


class Inbox:
    """Counts who watches, and delivers once a while."""

    def __init__(self) -> None:
        self.watchers = 0

    @contextmanager
    def watching(self, job_id: str, /) -> Iterator[asyncio.Event]:
        woken = asyncio.Event()
        handle = asyncio.get_running_loop().call_later(4, woken.set)
        self.watchers += 1
        try:
            yield woken
        finally:
            handle.cancel()
            self.watchers -= 1


class Stepwise:
    """Awaits a coroutine, and has its task cancelled while it is suspended for the nth time."""

    def __init__(self, work: Coroutine[Any, Any, object], at: int) -> None:
        self._work, self._left = work, at

    def __await__(self) -> Generator[Any, Any, object]:
        task = asyncio.current_task()
        assert task is not None
        step, argument = self._work.send, None
        while True:
            try:
                awaited = step(argument)
            except StopIteration as done:
                return done.value
            self._left -= 1
            if self._left == 0:
                asyncio.get_running_loop().call_soon(task.cancel)
            try:
                argument = yield awaited
                step = self._work.send
            except BaseException as error:  # noqa: BLE001 - the cancellation is thrown in where it belongs
                step, argument = self._work.throw, error


async def wait(client: FineTuningClient, inbox: Inbox) -> object:
    return await client.wait_for_job("a")


async def wait_with_all(client: FineTuningClient, inbox: Inbox) -> object:
    return await client.wait_for_job("a", timeout=600, poll=7, inbox=inbox, check=True)


async def follow(client: FineTuningClient, inbox: Inbox) -> object:
    return [each async for each in client.follow_events("a")]


async def watch(client: FineTuningClient, inbox: Inbox) -> object:
    return [each async for each in client.watch_jobs(["a", "b", "c", "deep"])]


WORKS: list[Work] = [wait, wait_with_all, follow, watch]


def busy_api() -> ScriptedAPI:
    api = ScriptedAPI(*map(job, "abc"), *(job(f"old{number}", "failed") for number in range(300)), job("deep"))
    api.events = [event(f"e{number}") for number in range(130)]
    api.fault = lambda number, what: (429, 503, "drop")[number % 3] if number in {2, 5, 6} else None
    return api


def end_all(api: ScriptedAPI) -> None:
    api.jobs = [{**each, "status": "succeeded"} for each in api.jobs]


async def assert_quiet(client: FineTuningClient, inbox: Inbox, when: object) -> None:
    for _ in range(20):
        await asyncio.sleep(0)
    assert not tasks_of_the_client(), when
    connector = client._sessions.current().connector
    assert connector is not None
    assert not connector._acquired, when
    assert not inbox.watchers, when


@pytest.mark.parametrize("work", WORKS)
async def test_cancelled_at_any_suspension_point(work: Work) -> None:
    for point in range(1, MOST_POINTS):
        api, inbox = busy_api(), Inbox()
        async with api.client() as client:
            ending = asyncio.get_running_loop().call_later(12, end_all, api)

            async def whole(client: FineTuningClient = client, inbox: Inbox = inbox, point: int = point) -> object:
                return await Stepwise(work(client, inbox), point)

            task = asyncio.create_task(whole())
            await asyncio.wait([task])
            ending.cancel()
            if not task.cancelled():
                assert task.result()
                assert point > 10
                return
            await assert_quiet(client, inbox, point)
            count = len(api.seen)
            await asyncio.sleep(120)
            assert len(api.seen) == count, "it looked on after it was cancelled"
            api.fault = lambda number, what: None
            assert (await client.retrieve_job("b")).id == "b"
    raise AssertionError("it never finished")


@pytest.mark.parametrize("work", WORKS)
async def test_cancelled_between_two_looks_it_ends_at_once(work: Work) -> None:
    api, inbox = busy_api(), Inbox()
    async with api.client() as client:
        task = asyncio.create_task(work(client, inbox))
        await asyncio.sleep(500)
        start = asyncio.get_running_loop().time()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.get_running_loop().time() == start
        await assert_quiet(client, inbox, "between two looks")
    assert {each["status"] for each in api.jobs} == {"running", "failed"}, "as they were"
    assert all(each.method == "GET" for each in api.seen)


async def leave(client: FineTuningClient, work: Work, inbox: Inbox) -> None:
    """Begin, and be cancelled while a look is on its way."""
    task = asyncio.create_task(work(client, inbox))
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])


async def begin_and_break(client: FineTuningClient, _: Work, inbox: Inbox) -> None:
    async for _each in client.watch_jobs():
        break
    async for _other in client.follow_events("a"):
        break


@pytest.mark.parametrize("way", [leave, begin_and_break])
async def test_any_number_that_are_dropped_leave_nothing(
    way: Callable[[FineTuningClient, Work, Inbox], Awaitable[None]],
) -> None:
    api, inbox = ScriptedAPI(job("a")), Inbox()
    api.events = [event("e")]
    async with api.client() as client:

        async def several(count: int) -> None:
            for number in range(count):
                await way(client, WORKS[number % len(WORKS)], inbox)
            api.seen.clear()
            await assert_quiet(client, inbox, "dropped")
            gc.collect()

        await several(20)
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            await several(DROPPED)
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
    assert grown < 200 * 1024, f"{grown / 1024:.0f} KiB"
