"""An archive keeps what a server says as the server said it, understood or not, and forgets nothing."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from fine_tuning_async import Archive, FineTuningClient, ResponseFormatError, archive_account
from tests.serving import mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ODD = {
    "spaces": '{ "id" : "ftjob-1",\t"status":"succeeded" }',
    "escapes": '{"id":"ftjob-2","status":"succeeded","name":"caf\\u00e9 \\ud83d\\ude00 \\/"}',
    "letters": '{"id":"ftjob-3","status":"succeeded","name":"café 😀"}',
    "numbers": '{"id":"ftjob-4","status":"succeeded","a":1.50e-05,"b":123456789012345678901234567890,"c":-0.0}',
    "a key twice": '{"id":"ftjob-5","status":"succeeded","x":1,"x":2}',
    "no model fits": '{"id":"ftjob-6","status":"succeeded","seed":{"not":"a number"},"created_at":"yesterday"}',
    "no status": '{"id":"ftjob-7","status":null,"result_files":"none","training_file":7}',
    "a time beyond all time": '{"id":"ftjob-8","status":"succeeded","created_at":1000000000000000000000000000000}',
}


class Account:
    """A server that says what it is told to."""

    def __init__(self, *jobs: str) -> None:
        self.jobs = list(jobs)
        self.events: list[str] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v1/fine_tuning/jobs", self.list_jobs)
        app.router.add_get("/v1/fine_tuning/jobs/{job}/events", self.list_events)
        app.router.add_get("/v1/{path:.*}", self.list_nothing)
        return app

    async def list_jobs(self, _: web.Request) -> web.Response:
        return listed(self.jobs)

    async def list_events(self, request: web.Request) -> web.Response:
        """Two on a page, whatever is asked for."""
        ids = [json.loads(each)["id"] for each in self.events]
        start = ids.index(request.query["after"]) + 1 if "after" in request.query else 0
        return listed(self.events[start : start + 2], has_more=start + 2 < len(ids))

    async def list_nothing(self, _: web.Request) -> web.Response:
        return listed([])


def listed(items: list[str], *, has_more: bool = False) -> web.Response:
    text = f'{{"object":"list", "data":[{", ".join(items)}], "has_more":{json.dumps(has_more)}}}'
    return web.Response(text=text, content_type="application/json")


def event(number: int) -> str:
    return (
        f'{{"id":"e{number}","created_at":7,"level":"info","message":"{number}","object":"fine_tuning.job.event"}}'
    )


@asynccontextmanager
async def told(account: Account) -> AsyncIterator[FineTuningClient]:
    async with mounted(account.app()) as url, FineTuningClient("k", base_url=url) as client:
        yield client


def documents(directory: Path, kind: str) -> list[str]:
    """The documents of one kind, as they stand in the lines."""
    with Archive(directory) as archive:
        lines = [line.decode() for line in archive.lines()]
    found = [line for line in lines if line.startswith(f'{{"kind":"{kind}"')]
    return [line.partition('"document":')[2].removesuffix("}\n") for line in found]


async def test_a_text_is_kept_as_it_came(tmp_path: Path) -> None:
    async with told(Account(*ODD.values())) as client:
        report = await archive_account(client, tmp_path)
        assert (report.listed, report.fetched, report.gaps, report.unfinished) == (8, 8, 0, 1)
        before = (await archive_account(client, tmp_path)).fetched
    assert before == 1, "an unknown status is not terminal"
    assert documents(tmp_path, "job") == list(ODD.values())
    with Archive(tmp_path) as archive, pytest.raises(ResponseFormatError, match=r"\$\.created_at"):
        archive.job("ftjob-6")


async def test_a_text_of_several_lines_is_one_line_of_an_export(tmp_path: Path) -> None:
    text = '{\r\n  "id": "ftjob-1",\n  "name": "a\\nb"\n}'
    async with told(Account(text)) as client:
        await archive_account(client, tmp_path)
    with Archive(tmp_path) as archive:
        (line,) = archive.lines()
    assert (line.count(b"\n"), line.count(b"\r"), line[-2:]) == (1, 0, b"}\n")
    assert json.loads(line)["document"] == json.loads(text)


async def test_a_list_of_several_pages_is_kept_in_its_order_each_once(tmp_path: Path) -> None:
    account = Account('{"id":"ftjob-1","status":"running"}')
    account.events = [event(number) for number in (5, 4, 3, 2, 1)]
    async with told(account) as client:
        await archive_account(client, tmp_path)
        assert messages(tmp_path) == ["5", "4", "3", "2", "1"]
        account.events.insert(0, event(6))
        await archive_account(client, tmp_path)
    assert messages(tmp_path) == ["6", "5", "4", "3", "2", "1"]
    assert len(documents(tmp_path, "event")) == 6


async def test_an_event_of_a_time_beyond_all_time_is_kept_like_any_other(tmp_path: Path) -> None:
    account = Account(job("ftjob-1", 1))
    account.events = [f'{{"id":"e1","created_at":{"9" * 400},"message":"x"}}']
    async with told(account) as client:
        await archive_account(client, tmp_path)
    with Archive(tmp_path) as archive:
        assert [json.loads(line)["document"] for line in archive.lines()][1:] == [json.loads(account.events[0])]


async def test_what_the_server_forgets_stays_as_the_oldest(tmp_path: Path) -> None:
    account = Account('{"id":"ftjob-1","status":"running"}', '{"id":"ftjob-0","status":"running"}')
    account.events = [event(number) for number in (3, 2, 1)]
    async with told(account) as client:
        await archive_account(client, tmp_path)
        account.events = [event(4), event(3)]
        account.jobs.pop()
        await archive_account(client, tmp_path)
    assert messages(tmp_path) == ["4", "3", "2", "1"]
    assert len(documents(tmp_path, "job")) == 2


async def test_what_changes_in_a_job_that_has_ended_is_taken_from_the_list_alone(tmp_path: Path) -> None:
    account = Account('{"id":"ftjob-1","status":"succeeded"}')
    async with told(account) as client:
        await archive_account(client, tmp_path)
        account.jobs = ['{"id":"ftjob-1","status":"succeeded","metadata":{"kept":"yes"}}']
        assert (await archive_account(client, tmp_path)).fetched == 0
    assert documents(tmp_path, "job") == account.jobs


async def test_result_files_of_a_job_that_has_not_ended_are_not_fetched_as_they_may_grow(tmp_path: Path) -> None:
    account = Account('{"id":"ftjob-1","status":"running","result_files":["file-1"]}')
    async with told(account) as client:
        await archive_account(client, tmp_path)
        with Archive(tmp_path) as archive:
            assert list(archive.files()) == []
        account.jobs = [account.jobs[0].replace("running", "succeeded")]
        await archive_account(client, tmp_path)
        with Archive(tmp_path) as archive:
            assert [each.id for each in archive.files()] == ["file-1"]


async def test_a_job_that_goes_on_after_all_is_fetched_again(tmp_path: Path) -> None:
    account = Account('{"id":"ftjob-1","status":"failed"}')
    async with told(account) as client:
        await archive_account(client, tmp_path)
        account.jobs, account.events = ['{"id":"ftjob-1","status":"queued"}'], [event(1)]
        report = await archive_account(client, tmp_path)
        assert (report.fetched, report.unfinished) == (1, 1)
    assert messages(tmp_path) == ["1"]


async def test_jobs_of_one_second_stand_as_the_server_lists_them(tmp_path: Path) -> None:
    account = Account(*(job(name, 5) for name in "cabd"), job("e", 4))
    async with told(account) as client:
        await archive_account(client, tmp_path)
        account.jobs = [job("x", 5), *account.jobs]
        await archive_account(client, tmp_path)
    with Archive(tmp_path) as archive:
        assert [each.id for each in archive.jobs()] == list("xcabde")


def job(job_id: str, created_at: int) -> str:
    return json.dumps(
        {"id": job_id, "created_at": created_at, "model": "m", "status": "succeeded", "training_file": None}
    )


def messages(directory: Path) -> list[str]:
    with Archive(directory) as archive:
        return [each.message for each in archive.events("ftjob-1")]
