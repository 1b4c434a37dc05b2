"""Each operation of the client, cancelled at each point at which it is suspended: nothing is left behind."""

from __future__ import annotations

import asyncio

import pytest

from fine_tuning_async import FineTuningClient
from tests.heavy import _operations
from tests.heavy._operations import OPERATIONS, Operation
from tests.heavy.cancellation import points_of
from tests.suspension import CancellationSwallowedError, Suspensions, cancelled_at

# What an operation does beside its requests: no call is awaited fewer times than to connect, to send and to read.
LEAST_POINTS = 3


# Those that have more than one request on its way, or wait of themselves; a heavy run takes them all.
IN_BAD_WEATHER = (
    _operations.create_job_with_a_key,
    _operations.work_on_each_event,
    _operations.work_on_each_page,
    _operations.upload_a_path,
    _operations.download_file,
    _operations.wait_for_job,
    _operations.follow_events,
)
CASES = [
    *(("fair", each) for each in OPERATIONS),
    *((weather, each) for weather in ("slow", "stormy") for each in IN_BAD_WEATHER),
]


@pytest.mark.parametrize(
    ("weather", "operation"), CASES, ids=[f"{operation.__name__}-{weather}" for weather, operation in CASES]
)
async def test_cancelled_at_every_point(weather: str, operation: Operation) -> None:
    assert await points_of(operation, weather) >= LEAST_POINTS


def test_every_coroutine_and_iterator_of_the_client_is_among_them() -> None:
    used = {name for each in OPERATIONS for name in each.__code__.co_names}
    public = {name for name in dir(FineTuningClient) if not name.startswith("_")}
    plain = {"azure", "with_options"}
    assert public - plain - used == set()


async def swallowing() -> str:
    try:
        await asyncio.sleep(1)
    except asyncio.CancelledError:
        return "swallowed"
    return "slept"


async def turning() -> None:
    try:
        await asyncio.sleep(1)
    except asyncio.CancelledError:
        raise ValueError("not cancelled") from None


async def twice() -> str:
    await asyncio.sleep(0)
    await asyncio.sleep(1)
    return "done"


async def test_a_cancellation_that_is_swallowed_is_found() -> None:
    with pytest.raises(CancellationSwallowedError, match="at point 1, the coroutine returned 'swallowed'"):
        await cancelled_at(1, swallowing())


async def test_a_cancellation_that_is_turned_into_an_error_is_found() -> None:
    with pytest.raises(CancellationSwallowedError, match="raised ValueError"):
        await cancelled_at(1, turning())


async def test_each_point_is_counted_and_the_end_is_seen() -> None:
    walk = Suspensions(twice(), cancel_at=0)
    assert (await walk, walk.points) == ("done", 2)
    assert [await cancelled_at(point, twice()) for point in (1, 2, 3)] == [True, True, False]


async def test_a_failure_of_its_own_is_no_cancellation() -> None:
    async def failing() -> None:
        await asyncio.sleep(0)
        raise LookupError("its own")

    with pytest.raises(LookupError, match="its own"):
        await cancelled_at(2, failing())


async def test_what_is_left_behind_is_found() -> None:
    async def leaving(_: object) -> None:
        task = asyncio.create_task(asyncio.sleep(3_600), name="left behind")
        tasks.append(task)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    with pytest.raises(AssertionError, match="left behind"):
        await points_of(leaving)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
