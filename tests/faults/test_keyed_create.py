"""One create under a key makes one job, whatever is lost on the way."""

from __future__ import annotations

import asyncio

import pytest

from fine_tuning_async import (
    BadRequestError,
    CreateUncertainError,
    DeadlineExceeded,
    FineTuningClient,
    FineTuningError,
    FineTuningJob,
    IdempotencyKeyReusedError,
    InvalidArgumentError,
    RateLimitError,
    RetryPolicy,
    ServerError,
)
from tests.faults.faulty_api import FaultyAPI

AFTER = ["drop after", "reset after", "500 after", "502 after", "503 after", "504 after"]
UNDONE_FOR_CERTAIN = ["drop before", "reset before", "500 before", "503 before"]
JOB_OF_ANOTHER = {
    "id": "ftjob-other", "created_at": 2**31, "model": "m", "status": "queued", "training_file": "file-9"
}  # fmt: skip
UNDONE_AND_NOBODY_KNOWS = ["502 before", "504 before"]


def first_post(fault: str) -> FaultyAPI:
    posts = iter([fault])
    return FaultyAPI(lambda method, _: next(posts, "") if method == "POST" else "")


async def create(client: FineTuningClient, key: str = "key-1", **options: object) -> FineTuningJob:
    return await client.create_job("m", "file-1", idempotency_key=key, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", AFTER)
async def test_a_job_whose_answer_was_lost_is_found(fault: str) -> None:
    api = first_post(fault)
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        assert (await create(client)).id == "ftjob-0"
        assert len(api.jobs) == 1
        assert api.seen.count("POST") == 1


@pytest.mark.parametrize("fault", UNDONE_FOR_CERTAIN)
async def test_what_the_server_ended_itself_and_does_not_list_is_sent_again(fault: str) -> None:
    api = first_post(fault)
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        assert (await create(client)).id == "ftjob-0"
        assert len(api.jobs) == 1
        assert api.seen.count("POST") == 2


@pytest.mark.parametrize("fault", UNDONE_AND_NOBODY_KNOWS)
async def test_after_a_gateway_gave_up_an_empty_list_proves_nothing(fault: str) -> None:
    api = first_post(fault)
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        start = asyncio.get_running_loop().time()
        with pytest.raises(CreateUncertainError, match="same key") as caught:
            await create(client)
        assert isinstance(caught.value.__cause__, ServerError)
        assert 20 < asyncio.get_running_loop().time() - start <= 60
        assert api.jobs == []
        assert api.seen.count("POST") == 1
        assert api.seen.count("GET") > 3, "it looked again, with growing gaps"
        assert (await create(client)).id == "ftjob-0", "and called again with its key it creates"


@pytest.mark.parametrize("seconds", [19.0, 21.0, 30.0, 45.0])
async def test_a_commit_that_outlives_our_timeout_is_waited_for_and_never_doubled(seconds: float) -> None:
    api = first_post(f"late {seconds}")
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        assert (await create(client)).id == "ftjob-0"
        assert len(api.jobs) == 1
        assert api.seen.count("POST") == 1


async def test_where_the_server_ignores_the_filter_the_jobs_are_compared_here() -> None:
    api = FaultyAPI()
    api.ignores_filter = True
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        for number in range(44):
            await client.create_job("m", "file-1", metadata={"idempotency_key": f"other-{number}"})
        faults = iter(["drop after"])
        api.fault = lambda method, _: next(faults, "") if method == "POST" else ""
        job = await create(client)
        assert (job.metadata or {})["idempotency_key"] == "key-1"
        assert await create(client) == job
        assert len(api.jobs) == 45


@pytest.mark.parametrize("fault", AFTER)
async def test_a_server_that_drops_metadata_is_never_sent_the_same_create_twice(fault: str) -> None:
    api = first_post(fault)
    api.drops_metadata = True
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        with pytest.raises(CreateUncertainError):
            await create(client)
        assert len(api.jobs) == 1
        assert api.seen.count("POST") == 1


MANGLED = {
    "replaced": lambda job: job.update(metadata={"gateway": "1"}),
    "key dropped": lambda job: job["metadata"].pop("idempotency_key"),
    "values cut": lambda job: job.update(metadata={k: v[:8] for k, v in job["metadata"].items()}),
    "keys in capitals": lambda job: job.update(metadata={k.upper(): v for k, v in job["metadata"].items()}),
    "file renamed": lambda job: job.update(metadata=None, training_file="files/1"),
    "file left out": lambda job: job.update(metadata={}, training_file=None),
}


@pytest.mark.parametrize("mangle", MANGLED)
async def test_a_server_that_mangles_metadata_is_never_sent_the_same_create_twice(mangle: str) -> None:
    api = first_post("500 after")
    api.mangles = MANGLED[mangle]
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        with pytest.raises(CreateUncertainError):
            await create(client, "key-123456")
        assert len(api.jobs) == 1
        assert api.seen.count("POST") == 1


async def test_where_all_recent_jobs_bear_another_key_whole_none_of_them_is_this_one() -> None:
    api = first_post("500 before")
    async with api.running() as url:
        async with FineTuningClient("k", base_url=url) as client:
            api.jobs.append(
                {**JOB_OF_ANOTHER, "metadata": {"idempotency_key": "x", "idempotency_digest": "0" * 64}}
            )
            await create(client)
        assert api.seen.count("POST") == 2


async def test_a_recent_job_without_a_key_may_be_this_one_even_beside_others_that_bear_keys() -> None:
    """As where others create their jobs past the gateway that drops the metadata of ours."""
    api = first_post("500 after")
    api.drops_metadata = True
    api.jobs.append({**JOB_OF_ANOTHER, "metadata": {"idempotency_key": "x", "idempotency_digest": "0" * 64}})
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        with pytest.raises(CreateUncertainError):
            await create(client)
        assert len(api.jobs) == 2


async def test_closing_the_client_while_it_looks_leaves_it_uncertain() -> None:
    api = first_post("502 after")
    api.ignores_filter = True
    api.drops_metadata = True
    async with api.running() as url:
        client = FineTuningClient("k", base_url=url)
        task = asyncio.create_task(create(client))
        await asyncio.sleep(1)
        await client.close()
        with pytest.raises(CreateUncertainError):
            await task


async def test_a_repeated_create_waits_as_long_as_the_server_asks_and_spends_the_budget() -> None:
    times: list[float] = []

    def fault(method: str, _: int) -> str:
        if method == "POST":
            times.append(asyncio.get_running_loop().time())
        return "503 before 20" if method == "POST" and len(times) == 1 else ""

    api = FaultyAPI(fault)
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        await create(client)
        assert times[1] - times[0] >= 20
        assert client._pipeline.budget.left < RetryPolicy().budget


async def test_the_caller_is_told_where_a_key_cannot_protect() -> None:
    api = FaultyAPI()
    api.drops_metadata = True
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        with pytest.warns(UserWarning, match="dropped the metadata"):
            await create(client)


async def test_a_key_is_found_by_another_client_without_a_bound_in_time() -> None:
    api = FaultyAPI()
    async with api.running() as url:
        async with FineTuningClient("k", base_url=url) as client:
            job = await create(client, metadata={"team": "red"})
        api.jobs[0] |= {"created_at": 1_000_000, "status": "failed"}
        async with FineTuningClient("k", base_url=url) as client:
            again = await create(client, metadata={"team": "red"})
    assert again.id == job.id
    assert again.status == "failed", "whatever its status"
    assert len(api.jobs) == 1


async def test_two_calls_at_once_with_one_key_get_one_job() -> None:
    api = FaultyAPI()
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        view = client.with_options(timeout=30)
        jobs = await asyncio.gather(*(create(each) for each in (client, view) for _ in range(5)))
        assert {job.id for job in jobs} == {"ftjob-0"}
        assert len(api.jobs) == 1


async def test_a_key_used_for_something_else_is_refused() -> None:
    api = FaultyAPI()
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        await create(client)
        with pytest.raises(IdempotencyKeyReusedError, match="ftjob-0"):
            await create(client, seed=7)
        assert len(api.jobs) == 1


async def test_of_several_jobs_of_one_key_the_oldest_is_returned() -> None:
    api = FaultyAPI()
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        await create(client)
        api.jobs.append(api.jobs[0] | {"id": "ftjob-1"})
        assert (await create(client)).id == "ftjob-0"


async def test_a_refusal_and_a_rate_limit_are_certain() -> None:
    for fault, error in (("400 before", BadRequestError), ("429 before", RateLimitError)):
        api = FaultyAPI(lambda method, _, fault=fault: fault if method == "POST" else "")  # type: ignore[misc]
        async with api.running() as url, FineTuningClient("k", base_url=url) as client:
            with pytest.raises(error):
                await create(client)
            assert api.jobs == []


async def test_no_create_is_sent_while_the_list_cannot_be_read() -> None:
    api = FaultyAPI(lambda method, _: "500 before" if method == "GET" else "")
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        with pytest.raises(ServerError):
            await create(client)
        assert "POST" not in api.seen


async def test_lost_looks_are_repeated() -> None:
    faults = iter(["", "drop after", *["reset before"] * 9])
    api = FaultyAPI(lambda *_: next(faults, ""))
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        assert (await create(client)).id == "ftjob-0"
        assert api.seen.count("POST") == 1


async def test_where_the_server_always_fails_before_the_work_the_failure_comes_out() -> None:
    api = FaultyAPI(lambda method, _: "500 before" if method == "POST" else "")
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        with pytest.raises(ServerError) as caught:
            await create(client)
        assert any("safe to create it again" in note for note in caught.value.__notes__)
        assert api.seen.count("POST") == RetryPolicy().attempts


@pytest.mark.parametrize("key", ["", " a", "a\n", "é", "x" * 256, 5])
async def test_a_key_that_cannot_be_sent_is_refused(key: str) -> None:
    async with FineTuningClient("k", base_url="http://127.0.0.1:9") as client:
        with pytest.raises(InvalidArgumentError, match="idempotency_key"):
            await create(client, key)


@pytest.mark.parametrize("metadata", [{str(n): "" for n in range(15)}, {"idempotency_key": "x"}])
async def test_metadata_leaves_room_for_the_key(metadata: dict[str, str]) -> None:
    async with FineTuningClient("k", base_url="http://127.0.0.1:9") as client:
        with pytest.raises(InvalidArgumentError, match="14 pairs"):
            await create(client, metadata=metadata)


async def test_a_call_that_waits_for_the_key_gives_up_at_its_deadline_having_sent_nothing() -> None:
    api = FaultyAPI(lambda method, _: "late 5000" if method == "POST" else "")
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        first = asyncio.create_task(create(client.with_options(timeout=1_000)))
        await asyncio.sleep(1)
        with pytest.raises(FineTuningError, match="nothing was sent"):
            await create(client)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_looking_for_an_earlier_job_ends_with_the_deadline_too() -> None:
    api = FaultyAPI(lambda method, _: "slow 40" if method == "GET" else "")
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        patient = client.with_options(retry=RetryPolicy(attempt_timeout=100))
        start = asyncio.get_running_loop().time()
        assert (await create(patient)).id == "ftjob-0"
        with pytest.raises(DeadlineExceeded, match="no job was created") as caught:
            await create(patient.with_options(timeout=30), "key-2")
        assert asyncio.get_running_loop().time() - start == pytest.approx(70, abs=0.1)
        assert caught.value.sent is False
        assert len(api.jobs) == 1


async def test_the_create_itself_leaves_a_quarter_of_the_deadline_for_looking() -> None:
    api = FaultyAPI(lambda method, _: "slow 10" if method == "GET" else "late 5000")
    async with api.running() as url, FineTuningClient("k", base_url=url) as client:
        start = asyncio.get_running_loop().time()
        with pytest.raises(CreateUncertainError):
            await create(client.with_options(timeout=40, retry=RetryPolicy(attempt_timeout=100)))
        assert asyncio.get_running_loop().time() - start <= 40.05
        assert api.seen == ["GET", "POST", "GET"]


async def test_a_key_provider_that_fails_at_the_create_leaves_nothing_uncertain() -> None:
    keys = iter(["good", ""])

    async def provider() -> str:
        return next(keys)

    api = FaultyAPI()
    async with api.running() as url, FineTuningClient(provider, base_url=url) as client:
        with pytest.raises(InvalidArgumentError, match="API key"):
            await create(client)
        assert api.seen == ["GET"]
