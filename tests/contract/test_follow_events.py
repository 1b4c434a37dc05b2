"""follow_events: every event once, oldest first, whatever the list does between two looks, and then it ends."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async import (
    AuthenticationError,
    InvalidArgumentError,
    JobEvent,
    NotFoundError,
    PaginationError,
)
from fine_tuning_async.server import LocalServer
from tests.scripted_jobs import ScriptedAPI, event, job, mounted, tasks_of_the_client

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

EXAMPLE = b'{"messages": [{"role": "user", "content": "2 + 2"}, {"role": "assistant", "content": "4"}]}\n'
EVENTS = "a/events"
QUIET = 10


def now() -> float:
    return asyncio.get_running_loop().time()


def later(seconds: float, api: ScriptedAPI, *events: dict[str, Any], status: str | None = None) -> None:
    """Put events, oldest first, before those that are there; give the job a status."""

    def happen() -> None:
        api.events = [*reversed(events), *api.events]
        if status is not None:
            api.set_status("a", status)

    asyncio.get_running_loop().call_later(seconds, happen)


def named(first: int, count: int, at: int = 1) -> list[dict[str, Any]]:
    return [event(f"e{number}", at) for number in range(first, first + count)]


async def read(events: AsyncGenerator[JobEvent]) -> list[str]:
    return [each.id async for each in events]


# ------------------------------------------------------------------------------------------- the local server


async def test_a_whole_training_is_followed() -> None:
    async with mounted(LocalServer(speed=1)) as client:
        file = await client.upload_file(EXAMPLE * 30)
        created = await client.create_job("gpt-4o-mini", file.id)
        seen = [(each.id, each.message) async for each in client.follow_events(created.id)]
        listed = [(each.id, each.message) for each in await client.list_events(created.id).collect()]
        assert seen == listed[::-1]
        assert len(seen) > 90
        assert seen[-1][1] == "The job has successfully completed"


@pytest.mark.parametrize("ending", ["cancelled", "failed", "invalid", "paused"])
async def test_it_ends_with_the_job_however_that_ends(ending: str) -> None:
    server = LocalServer()
    async with mounted(server) as client:
        file = await client.upload_file(EXAMPLE * (3 if ending == "invalid" else 12))
        created = await client.create_job("gpt-4o-mini", file.id)
        following = asyncio.ensure_future(read(client.follow_events(created.id)))
        await asyncio.sleep(20)
        if ending == "cancelled":
            await client.cancel_job(created.id)
        elif ending == "failed":
            server.fail(created.id)
        elif ending == "invalid":
            server.advance(20)
        else:
            server.advance(30)
            await client.pause_job(created.id)
            server.advance(30)
            await asyncio.sleep(7200)
            assert not following.done()
            await client.resume_job(created.id)
            server.finish(created.id)
        seen = await following
        assert seen == [each.id for each in await client.list_events(created.id).collect()][::-1]
        assert len(set(seen)) == len(seen) >= 3


# ------------------------------------------------------------------------------------------- order


async def test_nothing_is_missed_however_many_come_between_two_looks() -> None:
    api = ScriptedAPI(job("a"))
    api.events = named(0, 250)[::-1]
    async with api.client() as client:
        later(5, api, *named(250, 1))
        later(20, api, *named(251, 777, at=30))
        later(60, api, *named(1028, 450, at=60), status="succeeded")
        assert await read(client.follow_events("a")) == [f"e{number}" for number in range(1478)]


async def test_events_of_one_second_may_come_in_any_order() -> None:
    api = ScriptedAPI(job("a"))
    api.events = [event("c", 3), event("b", 2), event("a", 2)]
    async with api.client() as client:
        # The newcomers of a second that was read already stand behind those that were there.
        asyncio.get_running_loop().call_later(
            5,
            lambda: setattr(
                api, "events", [event("c", 3), event("d", 3), event("b", 2), event("x", 2), event("a", 2)]
            ),
        )
        later(20, api, status="succeeded")
        assert await read(client.follow_events("a")) == ["a", "b", "c", "x", "d"]


@pytest.mark.parametrize("place", ["by time", "in front"])
async def test_an_event_that_comes_up_to_a_minute_late_is_given_once(place: str) -> None:
    api = ScriptedAPI(job("a"))
    api.events = [event("e3", 200), event("e2", 141), event("e1", 100)]
    async with api.client() as client:

        def insert() -> None:
            late = event("late", 140)
            api.events = [late, *api.events] if place == "in front" else [*api.events[:2], late, api.events[2]]

        asyncio.get_running_loop().call_later(5, insert)
        later(30, api, event("e4", 201))
        later(90, api, event("e5", 202), status="succeeded")
        assert await read(client.follow_events("a")) == ["e1", "e2", "e3", "late", "e4", "e5"]


async def test_an_event_that_is_listed_twice_is_given_once() -> None:
    api = ScriptedAPI(job("a", "succeeded"))
    api.events = [event("c"), event("b"), event("b"), event("a"), event("b")]
    async with api.client() as client:
        assert await read(client.follow_events("a")) == ["a", "b", "c"]


async def test_ids_are_opaque() -> None:
    api = ScriptedAPI(job("a", "succeeded"))
    ids = ["ftevent-1", "ft-event-1", "0", "ÄÖ", "ftevent-1 ", "0" * 32]
    api.events = [event(each) for each in ids][::-1]
    async with api.client() as client:
        assert await read(client.follow_events("a")) == ids


@pytest.mark.parametrize("most", [1, 7, 100])
async def test_a_server_that_does_not_say_whether_more_follows_is_read_to_the_end(most: int) -> None:
    api = ScriptedAPI(job("a"))
    api.most, api.has_more = most, lambda more: None
    api.events = named(0, 30)[::-1]
    async with api.client() as client:
        later(5, api, *named(30, 30, at=90), status="failed")
        assert await read(client.follow_events("a")) == [f"e{number}" for number in range(60)]


async def test_a_server_that_leads_in_circles_is_an_error() -> None:
    api = ScriptedAPI(job("a"))
    api.events = [*named(0, 2), *named(2, 2), *named(0, 2)]  # whose first cursor comes again
    api.most, api.has_more = 2, lambda more: True
    async with api.client() as client:
        with pytest.raises(PaginationError, match="leads back"):
            await read(client.follow_events("a"))


# ------------------------------------------------------------------------------------------- the end


async def test_what_comes_after_the_terminal_status_is_given_until_ten_quiet_seconds_passed() -> None:
    api = ScriptedAPI(job("a", "succeeded"))
    api.events = named(0, 1)
    async with api.client() as client:
        later(9, api, *named(1, 1))
        later(18, api, *named(2, 1))
        start = now()
        assert await read(client.follow_events("a")) == ["e0", "e1", "e2"]
        assert 28 <= now() - start <= 33


async def test_after_the_terminal_status_it_looks_as_often_as_at_first() -> None:
    api = ScriptedAPI(job("a"))
    seen: list[float] = []

    def tell_the_end(number: int, what: str) -> None:
        if what == "a" and api.jobs[0]["status"] == "succeeded" and not seen:
            seen.append(now())
            later(1.5, api, *named(0, 1))

    api.fault = tell_the_end
    async with api.client() as client:
        later(3_600, api, status="succeeded")
        async for _ in client.follow_events("a"):
            assert now() - seen[0] < 4


async def test_a_job_that_ended_long_ago_is_over_in_ten_seconds() -> None:
    api = ScriptedAPI(job("a", "failed"))
    api.events = named(0, 3)[::-1]
    async with api.client() as client:
        start = now()
        assert await read(client.follow_events("a")) == ["e0", "e1", "e2"]
        assert QUIET <= now() - start <= QUIET + 1.1


async def test_a_look_that_fails_proves_no_quiet() -> None:
    api = ScriptedAPI(job("a", "succeeded"))
    api.fault = lambda number, what: 500 if 5 <= now() - start <= 60 else None
    async with api.client() as client:
        start = now()
        later(50, api, *named(0, 1))
        assert await read(client.follow_events("a")) == ["e0"]
    assert all(second.at - first.at > 0.3 for first, second in pairwise(api.seen) if first.what == second.what)


async def test_a_long_poll_does_not_make_the_end_longer() -> None:
    api = ScriptedAPI(job("a", "succeeded"))
    async with api.client() as client:
        start = now()
        assert await read(client.follow_events("a", poll=300)) == []
        assert now() - start <= QUIET + 1


async def test_a_job_without_events_is_followed_too() -> None:
    api = ScriptedAPI(job("a", "queued"))
    async with api.client() as client:
        later(100, api, status="cancelled")
        assert await read(client.follow_events("a")) == []


# ------------------------------------------------------------------------------------------- resuming


@pytest.mark.parametrize("handled", [0, 1, 99, 100, 101, 450, 499])
async def test_it_goes_on_after_the_last_event_that_was_handled(handled: int) -> None:
    api = ScriptedAPI(job("a"))
    api.events = [event(f"e{number}", number // 3) for number in range(500)][::-1]
    async with api.client() as client:
        later(5, api, *named(500, 3, at=170), status="succeeded")
        seen = await read(client.follow_events("a", after=f"e{handled}"))
    assert seen == [f"e{number}" for number in range(handled + 1, 503)]


async def test_after_a_resumption_a_late_event_is_given_and_handled_ones_are_not() -> None:
    api = ScriptedAPI(job("a"))
    api.events = [event("e4", 200), event("e3", 190), event("e2", 150), event("e1", 10)]
    async with api.client() as client:
        asyncio.get_running_loop().call_later(5, lambda: api.events.insert(2, event("late", 160)))
        later(10, api, event("e5", 201), status="succeeded")
        assert await read(client.follow_events("a", after="e3")) == ["e4", "late", "e5"]


async def test_an_event_that_is_no_more_is_an_error_that_says_so() -> None:
    api = ScriptedAPI(job("a"))
    api.events = named(0, 250)
    async with api.client() as client:
        with pytest.raises(InvalidArgumentError, match="after is 'gone', which is no event of job a any more"):
            await read(client.follow_events("a", after="gone"))


# ------------------------------------------------------------------------------------------- failures


@pytest.mark.parametrize("fault", [500, 503, 429, "drop", "hang", b"{", b"null"])
async def test_a_page_that_fails_amid_the_reading_loses_and_repeats_nothing(fault: Any) -> None:
    api = ScriptedAPI(job("a"))
    api.events = named(0, 500)[::-1]
    api.fault = lambda number, what: fault if number in {2, 3, 6, 9, 10} else None
    async with api.client(timeout=5) as client:
        later(2, api, *named(500, 300, at=2))
        later(90, api, *named(800, 300, at=3), status="succeeded")
        assert await read(client.follow_events("a")) == [f"e{number}" for number in range(1100)]
    assert [each.after for each in api.seen[:7]] == [None, "e400", "e300", "e300", "e300", "e200", "e100"]


async def test_an_outage_is_survived_for_as_long_as_it_takes() -> None:
    api = ScriptedAPI(job("a"))
    start = now()
    api.fault = lambda number, what: "drop" if 10 <= now() - start <= 9_000 else None
    async with api.client() as client:
        later(5_000, api, *named(0, 3), status="succeeded")
        assert await read(client.follow_events("a")) == ["e0", "e1", "e2"]
    assert len(api.seen) < 2 * (9_000 / 24 + 20), "aiohttp itself sends a read twice"


@pytest.mark.parametrize(("status", "error"), [(404, NotFoundError), (401, AuthenticationError)])
@pytest.mark.parametrize("what", ["a", EVENTS])
async def test_what_another_look_cannot_help_is_raised_at_once(
    status: int, error: type[Exception], what: str
) -> None:
    api = ScriptedAPI(job("a"))
    api.events = named(0, 1)
    api.fault = lambda number, asked: status if asked == what and number >= 3 else None
    async with api.client() as client:
        events = client.follow_events("a")
        assert (await anext(events)).id == "e0"
        with pytest.raises(error):
            await anext(events)


# ------------------------------------------------------------------------------------------- looks


async def test_looks_follow_the_rhythm_of_the_news() -> None:
    api = ScriptedAPI(job("a"))
    async with api.client() as client:
        following = asyncio.ensure_future(read(client.follow_events("a")))
        await asyncio.sleep(1_000)
        quiet = len(api.seen)
        assert quiet < 2 * (1_000 / 24 + 10)
        for number in range(200):
            later(number, api, *named(number, 1, at=number))
        await asyncio.sleep(200)
        busy = api.count(EVENTS) - quiet / 2
        assert 50 < busy <= 201 / 0.8
        following.cancel()


async def test_looks_come_as_asked_and_never_faster() -> None:
    api = ScriptedAPI(job("a"))
    async with api.client() as client:
        following = asyncio.ensure_future(read(client.follow_events("a", poll=3)))
        await asyncio.sleep(300.5)
        following.cancel()
    looks = [each.at for each in api.seen if each.what == EVENTS]
    assert [second - first for first, second in pairwise(looks)] == pytest.approx([3] * 100, abs=0.01)


async def test_a_long_history_is_read_once_and_then_only_its_front() -> None:
    api = ScriptedAPI(job("a"))
    api.events = [event(f"e{number}", 10 * number) for number in range(2_000)][::-1]
    async with api.client() as client:
        later(60, api, status="succeeded")
        assert len(await read(client.follow_events("a"))) == 2_000
    assert [each.after for each in api.seen].count(None) == len(api.seen) - 19


# ------------------------------------------------------------------------------------------- arguments, leaving


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        *(({"poll": poll}, "poll") for poll in (0, -1, float("nan"), float("inf"), True, "1")),
        *(({"after": after}, "after") for after in ("", 7)),
        ({"job_id": ""}, "job_id"),
        ({"job_id": 7}, "job_id"),
    ],
)
async def test_what_cannot_be_used_is_refused_at_the_call(arguments: dict[str, Any], what: str) -> None:
    async with ScriptedAPI().client() as client:
        with pytest.raises(InvalidArgumentError, match=what):
            client.follow_events(**{"job_id": "a", **arguments})


async def test_a_loop_that_is_left_leaves_nothing_running() -> None:
    api = ScriptedAPI(job("a"))
    api.events = named(0, 250)[::-1]
    async with api.client() as client:
        async for each in client.follow_events("a"):
            if each.id == "e100":
                break
        for _ in range(10):
            await asyncio.sleep(0)
        assert not tasks_of_the_client()
        count = len(api.seen)
        await asyncio.sleep(600)
        assert len(api.seen) == count
