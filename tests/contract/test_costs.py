"""What a listed job and a call cost, in function calls and memory: a guard that no machine's mood can trip.

The bounds leave a fifth of room. Whoever exceeds one has made the client do more: python -m tests.benchmarks tells
what that costs in time.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from typing import TYPE_CHECKING, Self

import pytest

from fine_tuning_async import FineTuningClient
from fine_tuning_async._reading import read, read_page
from fine_tuning_async._wire import Response
from fine_tuning_async.models import FineTuningJob
from tests.benchmarks.prepared import one, page

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import FrameType

    from fine_tuning_async.transport import Parcel

PAGE, LAST_PAGE = page(100, 100, has_more=True), page(100, 200, has_more=False)


class Prepared:
    """A transport that has its answers at hand."""

    async def send(self, parcel: Parcel) -> Response:
        if "/jobs?" not in parcel.url:
            return Response(200, {}, one())
        return Response(200, {}, LAST_PAGE if "after=" in parcel.url else PAGE)


@pytest.fixture
def client() -> FineTuningClient:
    client = FineTuningClient("k", base_url="http://localhost:1/v1")
    client._pipeline.transport = Prepared()  # type: ignore[assignment]  # all that a call needs of it
    return client


class Calls:
    """Counts the Python functions and the C functions that are called, generators' resumptions included."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        self._before = sys.getprofile()
        sys.setprofile(self._seen)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(self._before)

    def _seen(self, frame: FrameType, event: str, arg: object) -> None:
        self.count += event in {"call", "c_call"}


def calls(work: Callable[[], object]) -> int:
    work()  # what is made once is made now
    with Calls() as counted:
        work()
    return counted.count


async def test_a_listed_job_costs_few_calls(client: FineTuningClient) -> None:
    async def listed() -> int:
        return sum([1 async for _ in client.list_jobs(limit=100)])

    assert await listed() == 200
    with Calls() as counted:
        await listed()
    assert counted.count / 200 < 12


@pytest.mark.parametrize(("name", "most"), [("retrieve_job", 54), ("cancel_job", 58)])
async def test_a_call_costs_few_calls(client: FineTuningClient, name: str, most: int) -> None:
    call = getattr(client, name)
    await call("ftjob-1")
    with Calls() as counted:
        await call("ftjob-1")
    assert counted.count < most


async def test_a_create_costs_few_calls(client: FineTuningClient) -> None:
    async def create() -> None:
        await client.create_job("m", "file-1", suffix="s", metadata={"team": "support"})

    await create()
    with Calls() as counted:
        await create()
    assert counted.count < 98


def test_reading_a_job_decodes_it_once_and_builds_what_is_in_it() -> None:
    assert calls(lambda: read(FineTuningJob, one())) < 17


def test_a_job_that_was_read_needs_little_memory() -> None:
    """Its fields and its text, but no dictionaries of both."""
    read_page(FineTuningJob, PAGE)
    gc.collect()
    tracemalloc.start()
    try:
        items = read_page(FineTuningJob, PAGE).items
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(items) == 100
    assert kept / 100 < 4_500
    assert peak < kept * 1.3


async def test_a_long_list_does_not_grow(client: FineTuningClient) -> None:
    """What was listed is let go of, page by page."""

    async def listed() -> None:
        async for _ in client.list_jobs(limit=100):
            await asyncio.sleep(0)

    await listed()
    tracemalloc.start()
    try:
        before = await left_after(listed, 1)
        after = await left_after(listed, 5)
    finally:
        tracemalloc.stop()
    assert after - before < len(PAGE) / 2


async def left_after(work: Callable[[], Awaitable[None]], times: int) -> int:
    """Do something so many times; return the memory that is in use then."""
    for _ in range(times):
        await work()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
