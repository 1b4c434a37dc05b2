"""follow_events: every event once, whatever times they bear and whichever way they are listed."""

from __future__ import annotations

import asyncio

import pytest

from tests.scripted_jobs import ScriptedAPI, event, job


@pytest.mark.parametrize("wrong", [0, 1_090, 10**12])
@pytest.mark.parametrize("number", [0, 3])
async def test_an_event_with_a_wrong_time_hides_no_other(wrong: int, number: int) -> None:
    """As it has where a server's machines have different clocks, or one of them counts milliseconds."""
    api = ScriptedAPI(job("a"))
    every = [event(f"e{each}", wrong if each == number else 1_000 + each) for each in range(120)]
    for by_time in (False, True):
        async with api.client() as client:
            for each in range(1, 4):
                here = every[: 40 * each]
                shown = sorted(here, key=lambda one: one["created_at"]) if by_time else here
                asyncio.get_running_loop().call_later(9 * each, setattr, api, "events", shown[::-1])
            asyncio.get_running_loop().call_later(40, api.set_status, "a", "succeeded")
            seen = [each.id async for each in client.follow_events("a", poll=5)]
        assert sorted(seen) == sorted(each["id"] for each in every)
        api = ScriptedAPI(job("a"))


@pytest.mark.parametrize("gap", [0, 1, 40])
async def test_a_list_that_has_the_oldest_first_is_followed_too(gap: int) -> None:
    api = ScriptedAPI(job("a"))
    every = [event(f"e{each}", each * gap) for each in range(240)]
    async with api.client() as client:
        for each in range(1, 4):
            asyncio.get_running_loop().call_later(9 * each, setattr, api, "events", every[: 80 * each])
        asyncio.get_running_loop().call_later(50, api.set_status, "a", "succeeded")
        seen = [each.id async for each in client.follow_events("a", poll=5)]
    assert sorted(seen) == sorted(each["id"] for each in every)
    assert not gap or seen == [each["id"] for each in every]


@pytest.mark.parametrize("late", [1, 20, 59])
async def test_an_event_that_is_listed_late_is_found_some_pages_further_back(late: int) -> None:
    api = ScriptedAPI(job("a"))
    api.most = 2
    every = [event(f"e{at}", at) for at in range(1_000, 1_061)]
    place = next(place for place, each in enumerate(every) if each["created_at"] > 1_060 - late)
    with_late = [*every[:place], event("late", 1_060 - late), *every[place:]]
    async with api.client() as client:
        api.events = every[::-1]
        asyncio.get_running_loop().call_later(9, setattr, api, "events", with_late[::-1])
        asyncio.get_running_loop().call_later(30, api.set_status, "a", "succeeded")
        seen = [each.id async for each in client.follow_events("a", poll=5)]
    assert seen == [*(each["id"] for each in every), "late"]
