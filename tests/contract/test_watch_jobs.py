"""watch_jobs: each job as it is, each again when its status has changed, at the price of a few pages."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async import (
    NO_METADATA,
    AuthenticationError,
    FineTuningJob,
    InvalidArgumentError,
    NotFoundError,
    PaginationError,
    ResponseFormatError,
)
from fine_tuning_async.server import LocalServer
from tests.scripted_jobs import ScriptedAPI, job, mounted, tasks_of_the_client

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

EXAMPLE = b'{"messages": [{"role": "user", "content": "2 + 2"}, {"role": "assistant", "content": "4"}]}\n'


def many(count: int, status: str = "running", name: str = "j") -> list[dict[str, Any]]:
    return [job(f"{name}{number}", status) for number in range(count)]


def ids(jobs: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in jobs]


def rounds(api: ScriptedAPI, gap: float = 0.5) -> list[int]:
    """How many requests each round took."""
    sizes = [1]
    for earlier, later in pairwise(api.seen):
        if later.at - earlier.at > gap:
            sizes.append(0)
        sizes[-1] += 1
    return sizes


async def read(jobs: AsyncGenerator[FineTuningJob]) -> list[tuple[str, str]]:
    return [(each.id, each.status) async for each in jobs]


async def take(jobs: AsyncGenerator[FineTuningJob], count: int) -> list[tuple[str, str]]:
    return [(each.id, each.status) for each in [await anext(jobs) for _ in range(count)]]


def end_all(api: ScriptedAPI) -> None:
    api.jobs = [{**each, "status": "succeeded"} for each in api.jobs]


# ------------------------------------------------------------------------------------------- what it gives


async def test_jobs_of_the_local_server_are_watched_to_their_ends() -> None:
    async with mounted(LocalServer(speed=1)) as client:
        file = await client.upload_file(EXAMPLE * 12)
        bad = await client.upload_file(EXAMPLE * 3)
        created = [await client.create_job("gpt-4o-mini", each.id) for each in (file, file, bad)]
        asyncio.get_running_loop().call_later(15, asyncio.ensure_future, client.cancel_job(created[1].id))
        seen: dict[str, list[str]] = {}
        async for each in client.watch_jobs([each.id for each in created], poll=2):
            assert isinstance(each, FineTuningJob)
            seen.setdefault(each.id, []).append(each.status)
    assert [seen[each.id] for each in created] == [
        ["validating_files", "queued", "running", "succeeded"],
        ["validating_files", "queued", "cancelled"],
        ["validating_files", "failed"],
    ]


async def test_each_change_of_status_is_given_once_and_nothing_else() -> None:
    api = ScriptedAPI(*many(3))
    async with api.client() as client:
        loop = asyncio.get_running_loop()
        for second, status in ((10, "paused"), (20, "running"), (30, "unheard of"), (40, "succeeded")):
            loop.call_later(second, api.set_status, "j1", status)
        loop.call_later(25, lambda: api.set_status("j0", "running", estimated_finish=99))
        loop.call_later(100, end_all, api)
        seen = await read(client.watch_jobs(["j0", "j1", "j2"], poll=2))
    assert seen[:3] == [("j0", "running"), ("j1", "running"), ("j2", "running")]
    assert seen[3:7] == [("j1", each) for each in ("paused", "running", "unheard of", "succeeded")]
    assert sorted(seen[7:]) == [("j0", "succeeded"), ("j2", "succeeded")]


async def test_ids_given_twice_are_watched_once_and_ended_ones_too() -> None:
    api = ScriptedAPI(*many(2, "failed"))
    async with api.client() as client:
        assert await read(client.watch_jobs(iter(["j1", "j0", "j1"]))) == [("j0", "failed"), ("j1", "failed")]
        assert await read(client.watch_jobs([])) == []


async def test_a_job_that_has_ended_is_not_looked_at_any_more() -> None:
    api = ScriptedAPI(job("a"), job("b"))
    async with api.client() as client:
        watching = client.watch_jobs(["a", "b"], poll=1)
        await take(watching, 2)
        api.set_status("a", "succeeded")
        assert await take(watching, 1) == [("a", "succeeded")]
        # Servers whose parts disagree may show an older status for a while.
        api.set_status("a", "running")
        api.set_status("b", "failed")
        assert await read(watching) == [("b", "failed")]


async def test_without_ids_all_jobs_are_watched_and_new_ones_appear() -> None:
    api = ScriptedAPI(*many(3), *many(250, "succeeded", "old"))
    async with api.client() as client:
        watching = client.watch_jobs(poll=5)
        assert len(await take(watching, 253)) == 253
        api.jobs = [*many(230, "queued", "new"), *api.jobs]
        assert {each for each, _ in await take(watching, 230)} == set(ids(many(230, name="new")))
        end_all(api)
        assert len(await take(watching, 233)) == 233
        waiting = asyncio.ensure_future(anext(watching))
        await asyncio.sleep(600)
        assert not waiting.done(), "it goes on for ever"
        api.jobs = [job("last", "cancelled"), *api.jobs]
        assert (await waiting).id == "last"
        await watching.aclose()


async def test_without_ids_a_job_that_is_deleted_is_forgotten() -> None:
    api = ScriptedAPI(*many(2))
    async with api.client() as client:
        watching = client.watch_jobs(poll=5)
        await take(watching, 2)
        api.jobs = [job("new"), *api.jobs[1:]]
        assert await take(watching, 1) == [("new", "running")]
        api.set_status("new", "failed")
        assert await take(watching, 1) == [("new", "failed")]
        await watching.aclose()


@pytest.mark.parametrize("named", [True, False])
async def test_metadata_filters_also_where_the_server_does_not(named: bool) -> None:
    blue, red = {"team": "blue", "run": "7"}, {"team": "red"}
    marks = [blue, red, None, blue, {}]
    api = ScriptedAPI(*(job(f"j{number}", metadata=each) for number, each in enumerate(marks)))
    async with api.client() as client:
        all_ids = [f"j{number}" for number in range(5)] if named else None
        for metadata, expected in (({"team": "blue"}, ["j0", "j3"]), (NO_METADATA, ["j2", "j4"]), ({}, all_ids)):
            watching = client.watch_jobs(all_ids, metadata=metadata)
            seen = await take(watching, len(expected or range(5)))
            await watching.aclose()
            assert [each for each, _ in seen] == (expected or [f"j{number}" for number in range(5)])


async def test_named_jobs_that_do_not_match_are_not_waited_for() -> None:
    api = ScriptedAPI(job("a", metadata={"team": "blue"}), job("b", metadata={"team": "red"}), job("c"))
    async with api.client() as client:
        asyncio.get_running_loop().call_later(30, api.set_status, "a", "succeeded")
        seen = await read(client.watch_jobs(["a", "b", "c"], metadata={"team": "blue"}))
    assert seen == [("a", "running"), ("a", "succeeded")]


# ------------------------------------------------------------------------------------------- a slow consumer


async def test_a_slow_consumer_gets_what_is_true_by_then() -> None:
    api = ScriptedAPI(*many(3))
    async with api.client() as client:
        watching = client.watch_jobs(["j0", "j1", "j2"], poll=5)
        assert await take(watching, 1) == [("j0", "running")]
        for status in ("paused", "running", "pausing", "succeeded"):
            api.set_status("j1", status)
            await asyncio.sleep(60)
        api.set_status("j0", "paused")
        await asyncio.sleep(60)
        api.set_status("j0", "running")
        await asyncio.sleep(60)
        assert await take(watching, 2) == [("j1", "succeeded"), ("j2", "running")]
        end_all(api)
        assert await read(watching) == [("j0", "succeeded"), ("j2", "succeeded")]
    assert len(api.seen) < 10, "it does not look while nobody asks"


async def test_a_status_that_is_gone_again_before_it_could_be_given_is_left_out() -> None:
    api = ScriptedAPI(*many(3))
    async with api.client() as client:
        watching = client.watch_jobs(["j0", "j1", "j2"], poll=5)
        assert await take(watching, 1) == [("j0", "running")]
        await asyncio.sleep(60)
        api.set_status("j0", "paused")
        assert await take(watching, 1) == [("j1", "running")]
        api.set_status("j0", "running")
        await asyncio.sleep(60)
        assert await take(watching, 1) == [("j2", "running")]
        end_all(api)
        assert sorted(await read(watching)) == [("j0", "succeeded"), ("j1", "succeeded"), ("j2", "succeeded")]


# ------------------------------------------------------------------------------------------- what it costs


@pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 250, 1_000])
@pytest.mark.parametrize("named", [True, False])
async def test_a_round_over_the_newest_jobs_costs_a_page_per_hundred(count: int, named: bool) -> None:
    old = [] if count == 1_000 else many(300, "succeeded", "old")
    api = ScriptedAPI(*many(count), *old)
    async with api.client() as client:
        watching = client.watch_jobs(ids(many(count)) if named else None, poll=10)
        await take(watching, count + (0 if named else len(old)))
        first = len(api.seen)
        waiting = asyncio.ensure_future(anext(watching))
        await asyncio.sleep(55)
        # Other jobs push those that are watched to later pages.
        api.jobs = [*many(3, "succeeded", "other"), *api.jobs]
        await asyncio.sleep(50)
        waiting.cancel()
    bound = ceil(count / 100) + 1
    assert first <= (bound if named else ceil((count + len(old)) / 100))
    assert all(size <= bound for size in rounds(api)[1:])
    assert len(rounds(api)) > 5


async def test_what_stands_deep_in_the_list_is_retrieved() -> None:
    api = ScriptedAPI(*many(150), *many(2_000, "succeeded", "old"), *many(3, name="deep"))
    async with api.client() as client:
        watching = client.watch_jobs([*ids(many(150)), *ids(many(3, name="deep"))], poll=10)
        await take(watching, 153)
        waiting = asyncio.ensure_future(anext(watching))
        await asyncio.sleep(95)
        waiting.cancel()
    assert rounds(api)[0] <= 2 + 3 + 3
    assert set(rounds(api)[1:]) == {2 + 3}
    assert api.count("deep0") == len(rounds(api))


async def test_many_deep_jobs_are_found_once_and_then_read_from_their_page() -> None:
    api = ScriptedAPI(*many(950, "succeeded", "old"), *many(40))
    async with api.client() as client:
        watching = client.watch_jobs(ids(many(40)), poll=10)
        await take(watching, 40)
        waiting = asyncio.ensure_future(anext(watching))
        await asyncio.sleep(95)
        waiting.cancel()
    assert set(rounds(api)) == {10}


async def test_jobs_that_no_page_shows_are_retrieved_and_not_searched_for_again() -> None:
    api = ScriptedAPI(*many(20), *many(3_000, "succeeded", "old"))
    api.hidden = set(ids(many(5)))
    async with api.client() as client:
        watching = client.watch_jobs(ids(many(20)), poll=10)
        await take(watching, 20)
        waiting = asyncio.ensure_future(anext(watching))
        await asyncio.sleep(95)
        waiting.cancel()
    assert rounds(api)[0] <= 1 + 5 + 5
    assert set(rounds(api)[1:]) == {1 + 5}


async def test_one_job_is_retrieved() -> None:
    api = ScriptedAPI(*many(5))
    async with api.client() as client:
        asyncio.get_running_loop().call_later(100, end_all, api)
        await read(client.watch_jobs(["j3"]))
    assert {each.what for each in api.seen} == {"j3"}


async def test_looks_grow_from_one_second_to_thirty() -> None:
    api = ScriptedAPI(job("a"))
    async with api.client() as client:
        asyncio.get_running_loop().call_later(3_600, end_all, api)
        await read(client.watch_jobs(["a"]))
    waits = [later.at - earlier.at for earlier, later in pairwise(api.seen)]
    assert 0.7 <= waits[0] <= 1.01
    assert all(later > earlier for earlier, later in pairwise(waits[:6]))
    assert all(20 <= wait <= 30.01 for wait in waits[10:])


# ------------------------------------------------------------------------------------------- what fails


@pytest.mark.parametrize("fault", [500, 429, "drop", "hang", b"{", b"null"])
async def test_a_request_that_fails_costs_no_job_and_no_change(fault: Any) -> None:
    api = ScriptedAPI(*many(250), *many(900, "succeeded", "old"), job("deep"))
    api.fault = lambda number, what: fault if number in {1, 4, 5, 6, 8, 11} else None
    async with api.client(timeout=5) as client:
        asyncio.get_running_loop().call_later(60, end_all, api)
        seen = await read(client.watch_jobs([*ids(many(250)), "deep"], poll=2))
    wanted = [*ids(many(250)), "deep"]
    assert sorted(seen) == sorted((each, status) for each in wanted for status in ("running", "succeeded"))


async def test_what_was_seen_before_a_failure_is_given_while_the_rest_has_to_wait() -> None:
    api = ScriptedAPI(*many(150))
    api.fault = lambda number, what: 500 if 1 <= number < 20 else None
    async with api.client() as client:
        watching = client.watch_jobs(ids(many(150)))
        start = asyncio.get_running_loop().time()
        await take(watching, 100)
        assert asyncio.get_running_loop().time() - start < 1
        await take(watching, 50)
        assert api.count("list") == 21, "it went on with the page that failed"
        await watching.aclose()


async def test_a_named_job_that_does_not_exist_is_an_error() -> None:
    api = ScriptedAPI(*many(150))
    async with api.client() as client:
        with pytest.raises(NotFoundError, match="nobody"):
            await read(client.watch_jobs([*ids(many(150)), "nobody"]))
    assert len(api.seen) <= 4


async def test_a_named_job_that_is_deleted_is_an_error() -> None:
    api = ScriptedAPI(*many(2))
    async with api.client() as client:
        watching = client.watch_jobs(["j0", "j1"])
        await take(watching, 2)
        api.jobs = api.jobs[:1]
        with pytest.raises(NotFoundError, match="j1"):
            await anext(watching)


async def test_a_key_that_is_revoked_is_an_error() -> None:
    api = ScriptedAPI(*many(2))
    api.fault = lambda number, what: 401 if number > 3 else None
    async with api.client() as client:
        with pytest.raises(AuthenticationError):
            await read(client.watch_jobs())


async def test_a_list_that_leads_in_circles_is_an_error() -> None:
    api = ScriptedAPI(job("a"), job("b"), job("a"))
    api.most, api.has_more = 1, lambda more: True
    async with api.client() as client:
        with pytest.raises(PaginationError, match="leads back"):
            await read(client.watch_jobs())


# ------------------------------------------------------------------------------------------- arguments, leaving


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        *(({"poll": poll}, "poll") for poll in (0, -1, float("nan"), float("inf"), True, "1")),
        *(
            ({"job_ids": job_ids}, "job_id")
            for job_ids in ("ftjob-1", b"a", 7, [""], ["a", None], [["a"]], ["a/b"])
        ),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"metadata": "a"}, "metadata"),
    ],
)
async def test_what_cannot_be_used_is_refused_at_the_call(arguments: dict[str, Any], what: str) -> None:
    async with ScriptedAPI().client() as client:
        with pytest.raises(InvalidArgumentError, match=what):
            client.watch_jobs(**arguments)


async def test_a_loop_that_is_left_leaves_nothing_running() -> None:
    api = ScriptedAPI(*many(250))
    async with api.client() as client:
        async for _ in client.watch_jobs():
            break
        for _ in range(10):
            await asyncio.sleep(0)
        assert not tasks_of_the_client()
        count = len(api.seen)
        await asyncio.sleep(600)
        assert len(api.seen) == count


async def test_a_server_that_answers_with_another_job_is_not_watched_for_ever() -> None:
    api = ScriptedAPI(job("other"))
    api.fault = lambda _, what: None if what == "list" else json.dumps(job("other")).encode()
    async with api.client() as client:
        with pytest.raises(ResponseFormatError, match="job mine was asked for, and other was the answer"):
            [each async for each in client.watch_jobs(["mine"])]
