"""Lists over real HTTP: while jobs are being created, through servers with odd cursors, and left in the middle."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from fine_tuning_async import (
    ConnectionFailed,
    FineTuningClient,
    FineTuningJob,
    Page,
    PaginationError,
    Paginator,
    ResponseFormatError,
    RetryPolicy,
    ServerError,
)
from tests import serving
from tests.contract import personas
from tests.misbehaving import Exchange, MisbehavingServer, answer, cut_body, fin_after_reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fine_tuning_async.server import LocalServer
    from tests.contract.personas import Persona
    from tests.misbehaving import Behaviour

JOBS = "/fine_tuning/jobs"
EXAMPLES = b"\n".join(
    [b'{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}'] * 10
)

scripted = partial(serving.scripted, path="v1")


@asynccontextmanager
async def local(persona: Persona) -> AsyncIterator[tuple[FineTuningClient, LocalServer, str]]:
    """A client, the local server in the same loop, and a training file on it."""
    async with personas.local(persona) as (client, server):
        yield client, server, (await client.upload_file(EXAMPLES)).id


def listed(server: LocalServer) -> list[dict[str, str]]:
    """The queries of the list requests so far."""
    lists = [each for each in server.requests if each.method == "GET" and each.path.endswith(JOBS)]
    return [{name: value for name, value in each.query.items() if name != "api-version"} for each in lists]


async def create(client: FineTuningClient, file_id: str, count: int) -> list[str]:
    """Create jobs; return their ids, newest first."""
    return [(await client.create_job("gpt-4o-mini", file_id)).id for _ in range(count)][::-1]


def job(name: str) -> dict[str, object]:
    return {"id": name, "created_at": 1, "model": "m", "status": "running"}


def page(*names: str, **fields: object) -> Behaviour:
    return answer(200, {}, json.dumps({"data": [job(name) for name in names], **fields}).encode())


async def take(paginator: Paginator[FineTuningJob], seen: list[str]) -> None:
    """Note each job's id, so that they are there when an error comes."""
    async for each in paginator:
        seen += [each.id]


def afters(server: MisbehavingServer) -> list[str | None]:
    queries = [parse_qs(urlsplit(each.target).query) for each in server.requests]
    return [query.get("after", [None])[0] for query in queries]


# ------------------------------------------------------------------------------------------- the local server


async def test_every_job_is_listed_newest_first(persona: Persona) -> None:
    async with local(persona) as (client, server, file_id):
        made = await create(client, file_id, 7)
        assert [each.id async for each in client.list_jobs(limit=3)] == made
        assert listed(server) == [
            {"limit": "3"},
            {"limit": "3", "after": made[2]},
            {"limit": "3", "after": made[5]},
        ]


async def test_the_servers_own_page_size_holds_where_none_is_asked_for(persona: Persona) -> None:
    async with local(persona) as (client, server, file_id):
        made = await create(client, file_id, 21)
        assert [each.id for each in await client.list_jobs().collect()] == made
        assert listed(server) == [{}, {"after": made[19]}]


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_jobs_created_meanwhile_disturb_nothing(limit: int, persona: Persona) -> None:
    async with local(persona) as (client, _, file_id):
        made = await create(client, file_id, 10)
        seen = []
        async for each in client.list_jobs(limit=limit):
            seen.append(each.id)
            await create(client, file_id, 2)
        assert seen == made


@pytest.mark.parametrize(
    ("limit", "most", "sizes"),
    [(5, 3, ["3"]), (5, 5, ["5"]), (5, 7, ["5", "5"]), (3, 6, ["3", "3"]), (None, 3, [None]), (4, 100, ["4"] * 3)],
)
async def test_limit_is_the_page_and_max_items_the_total(
    limit: int | None, most: int, sizes: list[str | None], persona: Persona
) -> None:
    async with local(persona) as (client, server, file_id):
        made = await create(client, file_id, 10)
        assert [each.id for each in await client.list_jobs(limit=limit, max_items=most).collect()] == made[:most]
        assert [query.get("limit") for query in listed(server)] == sizes


async def test_no_items_cost_no_request(persona: Persona) -> None:
    async with local(persona) as (client, server, _):
        nothing = client.list_jobs(limit=5, max_items=0)
        assert await nothing.collect() == []
        assert await nothing == Page([], has_more=False, next_cursor=None)
        assert listed(server) == []


async def test_after_goes_on_behind_a_job(persona: Persona) -> None:
    async with local(persona) as (client, _, file_id):
        made = await create(client, file_id, 6)
        assert [each.id for each in await client.list_jobs(after=made[2], limit=2).collect()] == made[3:]
        assert await client.list_jobs(after=made[-1]).collect() == []


async def test_a_page_says_what_the_server_said(persona: Persona) -> None:
    async with local(persona) as (client, _, file_id):
        made = await create(client, file_id, 3)
        first = await client.list_jobs(limit=2)
        assert [each.id for each in first.data] == made[:2]
        assert (first.has_more, first.next_cursor) == (True, made[1])
        assert first.request_id
        last = await client.list_jobs(limit=2, after=first.next_cursor)
        assert ([each.id for each in last.data], last.has_more, last.next_cursor) == (made[2:], False, None)


async def test_a_loop_that_breaks_in_the_first_half_costs_one_request(persona: Persona) -> None:
    async with local(persona) as (client, server, file_id):
        made = await create(client, file_id, 8)
        async for each in client.list_jobs(limit=4):
            await asyncio.sleep(5)
            if each.id == made[1]:
                break
        await asyncio.sleep(5)
        assert len(listed(server)) == 1


async def test_requests_are_made_while_jobs_are_used(persona: Persona) -> None:
    async with local(persona) as (client, server, file_id):
        await create(client, file_id, 7)
        counts = []
        async for _ in client.list_jobs(limit=2):
            await asyncio.sleep(5)
            counts.append(len(listed(server)))
        assert counts == [1, 2, 3, 3, 4, 4, 4]


async def test_two_iterations_at_once_each_see_everything(persona: Persona) -> None:
    async with local(persona) as (client, _, file_id):
        made = await create(client, file_id, 9)
        paginator = client.list_jobs(limit=2)
        assert isinstance(paginator, Paginator)

        async def ids() -> list[str]:
            return [each.id async for each in paginator]

        assert [*await asyncio.gather(ids(), ids(), ids())] == [made] * 3


async def test_a_paginator_made_outside_a_loop_asks_when_it_is_used(persona: Persona) -> None:
    async with local(persona) as (client, server, file_id):
        paginator = client.list_jobs()
        await create(client, file_id, 1)
        assert listed(server) == []
        assert len(await paginator.collect()) == 1


# ------------------------------------------------------------------------------------------- odd servers


async def test_without_has_more_it_goes_on_until_an_empty_page() -> None:
    async with scripted(page("a", "b"), page("c"), page()) as (client, server):
        assert [each.id for each in await client.list_jobs().collect()] == ["a", "b", "c"]
        assert afters(server) == [None, "b", "c"]


async def test_an_empty_page_can_lead_on_by_its_last_id() -> None:
    pages = [page("a", has_more=True), page(has_more=True, last_id="gap"), page("b", has_more=False)]
    async with scripted(*pages) as (client, server):
        assert [each.id async for each in client.list_jobs()] == ["a", "b"]
        assert afters(server) == [None, "a", "gap"]


async def test_a_server_that_ignores_after_is_told_from_a_long_list() -> None:
    async with scripted(page("a", "b", has_more=True)) as (client, server):
        seen: list[str] = []
        with pytest.raises(PaginationError, match="ignore `after`") as raised:
            await take(client.list_jobs(), seen)
        assert seen == ["a", "b"]
        assert raised.value.cursor == "b"
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"data": None, "error": {"message": "down"}, "has_more": False}, "$.data"),
        ({"data": [job("b")], "has_more": "true"}, "$.has_more"),
        ({"data": [job("b"), {"created_at": 1}], "has_more": True}, "$.data[1]"),
    ],
)
async def test_an_answer_that_is_no_page_is_an_error_behind_the_items_before(body: object, path: str) -> None:
    wrong = answer(200, {"X-Request-Id": "req-2"}, json.dumps(body).encode())
    async with scripted(page("a", has_more=True), wrong) as (client, _):
        seen: list[str] = []
        with pytest.raises(ResponseFormatError) as raised:
            await take(client.list_jobs(), seen)
        assert seen == ["a"]
        assert raised.value.path.startswith(path)
        assert (raised.value.request_id, raised.value.cursor) == ("req-2", "a")


@pytest.mark.parametrize("failure", ["503", "closed", "cut", "HTML"])
async def test_a_failure_carries_the_cursor_from_which_the_rest_comes(failure: str) -> None:
    broken = {"503": answer(503), "closed": fin_after_reading(), "cut": cut_body(), "HTML": answer(body=b"<html>")}
    state = {"broken": True}

    async def behave(exchange: Exchange) -> None:
        target = (await exchange.receive()).target
        number = int(parse_qs(urlsplit(target).query).get("after", ["job-0"])[0].removeprefix("job-"))
        if number == 40 and state["broken"]:
            await broken[failure](exchange)
        else:
            names = [f"job-{each}" for each in range(number + 1, number + 5)]
            await page(*names, has_more=number < 56)(exchange)

    async with scripted(behave, retry=RetryPolicy(attempts=2)) as (client, _):
        seen: list[str] = []
        with pytest.raises((ServerError, ConnectionFailed, ResponseFormatError)) as raised:
            await take(client.list_jobs(), seen)
        assert seen == [f"job-{number}" for number in range(1, 41)]
        assert raised.value.cursor == "job-40"
        assert "after='job-40'" in str(raised.value.__notes__)
        state["broken"] = False
        await take(client.list_jobs(after=raised.value.cursor), seen)
        assert seen == [f"job-{number}" for number in range(1, 61)]


async def test_a_page_that_fails_once_is_asked_for_again_unnoticed() -> None:
    async with scripted(page("a", has_more=True), answer(503), page("b", has_more=False)) as (client, server):
        assert [each.id async for each in client.list_jobs()] == ["a", "b"]
        assert afters(server) == [None, "a", "a"]


@pytest.mark.parametrize("cursor", ["a b", "a&limit=9", "ü", "a+b", "a%20b", "a#b"])
async def test_a_cursor_of_any_characters_arrives_as_it_is(cursor: str) -> None:
    async with scripted(page(cursor, has_more=True), page("last", has_more=False)) as (client, server):
        await client.list_jobs().collect()
        assert afters(server) == [None, cursor]
