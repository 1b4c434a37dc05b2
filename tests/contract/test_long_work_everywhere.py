"""What takes long, against every kind of server: waits, events, watches, webhooks, parts, archives."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from fine_tuning_async import Archive, FineTuningClient, FineTuningJob, JobFailed, WebhookInbox, archive_account
from fine_tuning_async.api.uploads import Limits
from tests.contract.personas import local
from tests.serving import mounted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.personas import Persona

EXAMPLE = b'{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}\n'
SECRET = f"whsec_{b64encode(bytes(24)).decode()}"


async def create(client: FineTuningClient) -> FineTuningJob:
    file = await client.upload_file(EXAMPLE * 12)
    return await client.create_job("gpt-4o-mini", file.id)


async def test_a_wait_ends_with_the_job_and_says_why_it_failed(persona: Persona) -> None:
    async with local(persona) as (client, server):
        good, bad = await create(client), await create(client)
        loop = asyncio.get_running_loop()
        loop.call_later(100, server.finish, good.id)
        assert (await client.wait_for_job(good.id, check=True)).fine_tuned_model
        server.fail(bad.id, code="server_error", message="the machine room is wet")
        with pytest.raises(JobFailed, match="the machine room is wet"):
            await client.wait_for_job(bad.id, check=True)


async def test_events_are_followed_to_their_end_and_from_the_middle(persona: Persona) -> None:
    async with local(persona) as (client, server):
        job = await create(client)
        loop = asyncio.get_running_loop()
        loop.call_later(50, lambda: server.advance(minutes=2))
        loop.call_later(100, server.finish, job.id)
        seen = [each async for each in client.follow_events(job.id)]
        listed = [each.id async for each in client.list_events(job.id)]
        assert [each.id for each in seen] == listed[::-1]
        first, last = persona.first_and_last_event
        assert seen[0].message.startswith(first)
        assert seen[-1].message == last
        rest = [each.id async for each in client.follow_events(job.id, after=seen[9].id)]
        assert rest == listed[::-1][10:]


async def test_each_change_of_status_is_watched_until_all_have_ended(persona: Persona) -> None:
    async with local(persona) as (client, server):
        jobs = [await create(client) for _ in range(3)]
        loop = asyncio.get_running_loop()
        loop.call_later(50, server.finish, jobs[0].id)
        loop.call_later(100, lambda: server.fail(jobs[1].id, code="server_error"))
        canceller = loop.create_task(cancel_at(client, jobs[2].id, 150))
        seen = [(each.id, each.status) async for each in client.watch_jobs([each.id for each in jobs])]
        assert seen[3:] == [
            (jobs[0].id, "succeeded"),
            (jobs[1].id, "failed"),
            (jobs[2].id, persona.status("cancelled")),
        ]
        assert set(seen[:3]) == {(each.id, persona.status("validating_files")) for each in jobs}
        await canceller


async def cancel_at(client: FineTuningClient, job_id: str, seconds: float) -> None:
    await asyncio.sleep(seconds)
    assert (await client.cancel_job(job_id)).is_terminal


async def test_a_job_is_paused_and_goes_on(persona: Persona) -> None:
    async with local(persona) as (client, server):
        job = await create(client)
        server.advance(minutes=2)
        assert (await client.pause_job(job.id)).status == "pausing"
        server.advance(minutes=60)
        assert (await client.retrieve_job(job.id)).status == "paused"
        assert (await client.resume_job(job.id)).status == "running"
        server.finish(job.id)
        assert (await client.wait_for_job(job.id)).status == "succeeded"


async def test_a_webhook_wakes_who_waits(persona: Persona) -> None:
    async with local(persona) as (client, server):
        job = await create(client)
        inbox, app = WebhookInbox(SECRET), web.Application()
        app.router.add_post("/hook", inbox.handler)
        async with mounted(app, "/hook") as url:
            server.add_webhook(url, secret=SECRET)
            waiting = asyncio.create_task(client.wait_for_job(job.id, inbox=inbox, poll=3600))
            await asyncio.sleep(10)
            server.finish(job.id)
            start = asyncio.get_running_loop().time()
            assert (await waiting).status == "succeeded"
            assert asyncio.get_running_loop().time() - start < 60


async def test_a_file_is_uploaded_in_parts(persona: Persona) -> None:
    async with local(persona) as (client, _):
        client._limits = Limits(plain=100, part=300)  # small parts, as a subclass has them
        file = await client.upload_file(EXAMPLE * 12, filename="train.jsonl")
        async with client.stream_file(file.id) as chunks:
            assert b"".join([each async for each in chunks]) == EXAMPLE * 12


async def test_an_account_is_archived(persona: Persona, tmp_path: Path) -> None:
    async with local(persona) as (client, server):
        server.advance(minutes=60)
        jobs = [await create(client) for _ in range(2)]
        for each in jobs:
            server.finish(each.id)
        report = await archive_account(client, tmp_path)
        assert (report.listed, report.fetched, report.files) == (2, 2, 4)
        with Archive(tmp_path) as archive:
            assert {each.id for each in archive.jobs()} == {each.id for each in jobs}
            assert archive.verify().is_sound
