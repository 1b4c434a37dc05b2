"""The time limit of an attempt does what asyncio's own does, whoever else cancels."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

import pytest

from fine_tuning_async._time_limit import TimeLimit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

Limit: TypeAlias = "Callable[[float | None], AbstractAsyncContextManager[object]]"


@asynccontextmanager
async def ours(until: float | None) -> AsyncIterator[object]:
    with TimeLimit(until) as limit:
        yield limit


def theirs(until: float | None) -> AbstractAsyncContextManager[object]:
    return asyncio.timeout_at(until)


async def rest() -> None:
    await asyncio.sleep(10)


async def swallow() -> None:
    """Work that does not let itself be cancelled the first time."""
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        await asyncio.sleep(0)


async def fail() -> None:
    """Work that breaks while it is cancelled."""
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        raise KeyError from None


async def uncancel() -> None:
    """Work that takes a cancellation back as its own."""
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()


WORKS = (rest, swallow, fail, uncancel)
MOMENTS = (None, 0.0, 0.5, 1.0, 1.5)


async def outcome(
    limit: Limit,
    work: Callable[[], Awaitable[None]],
    inner: float | None,
    outer: float | None,
    cancelled: tuple[float, ...],
) -> list[object]:
    """Run work within two limits, cancelled from outside at these moments; tell all that can be seen of it."""
    loop = asyncio.get_running_loop()
    start, seen = loop.time(), list[object]()

    async def run() -> None:
        try:
            async with limit(None if outer is None else start + outer):
                try:
                    async with limit(None if inner is None else start + inner):
                        await work()
                        seen.append("done")
                except TimeoutError as error:
                    seen.append(("inner", type(error.__cause__)))
                await asyncio.sleep(2)
        except TimeoutError as error:
            seen.append(("outer", type(error.__cause__)))
        finally:
            task = asyncio.current_task()
            assert task is not None
            seen.append(("still asked to end", task.cancelling()))

    task = asyncio.create_task(run())
    for moment in cancelled:
        loop.call_at(start + moment, task.cancel)
    (ended,) = await asyncio.gather(task, return_exceptions=True)
    return [*seen, type(ended), loop.time() - start]


@pytest.mark.parametrize("work", WORKS)
async def test_it_does_what_the_limit_of_asyncio_does(work: Callable[[], Awaitable[None]]) -> None:
    for inner, outer, cancelled in product(MOMENTS, MOMENTS, ((), (0.0,), (0.5,), (1.0,), (0.5, 1.0), (1.0, 1.0))):
        case = (work, inner, outer, cancelled)
        assert await outcome(ours, *case) == await outcome(theirs, *case), case


async def test_a_limit_that_is_moved_counts_from_its_new_end() -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()

    async def work() -> None:
        with TimeLimit(start + 1) as limit:
            await asyncio.sleep(0.9)
            limit.move(start + 2)
            await asyncio.sleep(10)

    with pytest.raises(TimeoutError):
        await work()
    assert loop.time() - start == pytest.approx(2)


async def test_a_limit_whose_time_is_up_is_not_moved() -> None:
    loop = asyncio.get_running_loop()

    async def work() -> None:
        with TimeLimit(loop.time() + 1) as limit:
            try:
                await asyncio.sleep(10)
            finally:
                limit.move(loop.time() + 1)

    with pytest.raises(TimeoutError):
        await work()
    task = asyncio.current_task()
    assert task is not None
    await asyncio.sleep(2)
    assert task.cancelling() == 0


async def test_what_has_ended_in_time_is_left_alone() -> None:
    loop = asyncio.get_running_loop()
    with TimeLimit(loop.time() + 1):
        pass
    await asyncio.sleep(2)
