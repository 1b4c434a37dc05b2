"""One create under a key makes one job, whatever order and filter the server's list has."""

from __future__ import annotations

import asyncio
import time

import pytest

from fine_tuning_async import (
    APIError,
    ConflictError,
    CreateUncertainError,
    FineTuningClient,
    FineTuningJob,
    RetryPolicy,
)
from tests.faults.faulty_api import FaultyAPI

HOUR = 3_600


def first_posts(*faults: str) -> FaultyAPI:
    posts = iter(faults)
    return FaultyAPI(lambda method, _: next(posts, "") if method == "POST" else "")


def earlier(job_id: str, age: float, **more: object) -> dict[str, object]:
    created_at = int(time.time() - age)
    return {"id": job_id, "created_at": created_at, "model": "m", "status": "queued", "metadata": None, **more}


async def create(client: FineTuningClient, key: str = "key-1") -> FineTuningJob:
    return await client.create_job("m", "file-1", idempotency_key=key)


@pytest.mark.parametrize("filtered", [True, False])
@pytest.mark.parametrize("others", [1, 2, 50])
async def test_a_job_is_found_in_a_list_that_has_the_oldest_first(others: int, *, filtered: bool) -> None:
    api = first_posts("drop after")
    api.ignores_filter = not filtered
    api.order = lambda jobs: jobs[::-1]
    api.jobs = [earlier(f"ftjob-old-{number}", 9 * HOUR - number) for number in range(others)]
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        assert (await create(client)).id == f"ftjob-{others}"
        assert api.seen.count("POST") == 1


async def test_a_job_is_found_in_a_list_without_order() -> None:
    api = first_posts("drop after")
    api.ignores_filter = True
    api.order = lambda jobs: sorted(jobs, key=lambda job: str(job["id"]), reverse=True)
    api.jobs = [earlier("ftjob-z", HOUR), earlier("ftjob-y", 2 * HOUR - 9), earlier("ftjob-x", HOUR - 9)]
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        assert (await create(client)).id == "ftjob-3"
        assert len(api.jobs) == 4


async def test_of_several_jobs_of_one_key_the_oldest_is_returned_in_any_order() -> None:
    api = FaultyAPI()
    api.order = lambda jobs: jobs[::-1]
    pairs = {"idempotency_key": "key-1"}
    api.jobs = [earlier("first", HOUR, metadata=pairs), earlier("second", HOUR - 9, metadata=pairs)]
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        assert (await create(client)).id == "first"


async def test_in_a_list_that_has_the_newest_first_no_more_is_read_than_may_be_recent() -> None:
    api = first_posts("", "drop before")
    api.ignores_filter = True
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        await create(client, "another")
        api.jobs = [earlier(f"ftjob-old-{number}", 9 * HOUR - number) for number in range(100)] + api.jobs
        del api.seen[:]
        await create(client)
        *_, looks, _ = "".join(api.seen).split("POST")
        assert looks == "GETGET", "a page by filter, and a page of all"


@pytest.mark.parametrize("learned", [True, False])
async def test_a_filter_that_does_not_find_a_job_proves_nothing(*, learned: bool) -> None:
    api = first_posts(*[""] * learned, "drop after")
    api.filters_all = True
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        if learned:
            await create(client, "another")
        assert (await create(client)).id == f"ftjob-{int(learned)}"
        assert len(api.jobs) == 1 + learned


async def test_a_key_that_was_left_in_doubt_is_looked_for_without_the_filter_too() -> None:
    """As its index may lag behind: the job of the first call is in the list alone."""
    for give_up in (True, False):
        api = first_posts("late 30")
        api.filters_all = True
        async with api.running() as url, FineTuningClient("k", base_url=url) as client:
            first = asyncio.create_task(create(client.with_options(timeout=60 if give_up else 5)))
            if give_up:
                await asyncio.sleep(3)
                first.cancel()
            with pytest.raises((asyncio.CancelledError, CreateUncertainError)):
                await first
            await asyncio.sleep(60)
            assert (await create(client)).id == "ftjob-0"
            assert (await create(client, "another")).id == "ftjob-1"
            assert len(api.jobs) == 2
            assert not client._keys.doubtful


@pytest.mark.parametrize("fault", ["400 before", "500 before"])
async def test_a_call_that_certainly_made_nothing_takes_no_doubt_from_one_before(fault: str) -> None:
    api = first_posts("late 30", fault)
    api.filters_all = True
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        with pytest.raises(CreateUncertainError):
            await create(client.with_options(timeout=5))
        with pytest.raises(APIError):
            await create(client.with_options(retry=RetryPolicy(attempts=1)))
        await asyncio.sleep(60)
        assert (await create(client)).id == "ftjob-0"
        assert len(api.jobs) == 1


@pytest.mark.parametrize("fault", ["400 before", "429 before", "500 before"])
async def test_what_certainly_made_nothing_leaves_no_key_in_doubt(fault: str) -> None:
    api = FaultyAPI(lambda method, _: fault if method == "POST" else "")
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        with pytest.raises(APIError):
            await create(client)
        assert not client._keys.doubtful


async def test_a_server_that_says_it_is_still_at_an_earlier_attempt_is_waited_for() -> None:
    api = first_posts("drop before", "409 before")
    late = earlier("ftjob-late", 0, metadata={"idempotency_key": "key-1"})
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        asyncio.get_running_loop().call_later(9, api.jobs.append, late)
        assert (await create(client)).id == "ftjob-late"
        assert api.seen.count("POST") == 2


async def test_a_conflict_after_an_attempt_that_may_have_been_lost_is_uncertain() -> None:
    api = first_posts("drop before", "409 before")
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        with pytest.raises(CreateUncertainError) as caught:
            await create(client)
        assert isinstance(caught.value.__cause__, ConflictError)


async def test_a_conflict_at_once_is_what_the_server_says() -> None:
    api = first_posts("409 before")
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        with pytest.raises(ConflictError):
            await create(client)
