"""An archive of an account: it holds everything, and fetches again only what can have changed."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import (
    Archive,
    ArchiveProgress,
    FineTuningClient,
    InvalidArgumentError,
    archive_account,
)
from fine_tuning_async.server import Fault, LocalServer
from tests.serving import mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fine_tuning_async import FineTuningJob

EXAMPLE = b'{"messages": [{"role": "user", "content": "2 + 2"}, {"role": "assistant", "content": "4"}]}\n'
LISTS = {"/v1/files", "/v1/models", "/v1/fine_tuning/jobs"}
MODEL = "gpt-4o-mini"


@asynccontextmanager
async def account(jobs: int = 0) -> AsyncIterator[tuple[LocalServer, FineTuningClient]]:
    """A server with jobs that have ended some time ago, and a client."""
    server = LocalServer()
    async with mounted(server.app) as url, FineTuningClient("k", base_url=url) as client:
        server.advance(minutes=60)  # no event is of the last minutes
        for number in range(jobs):
            job = await create(client, number)
            server.finish(job.id)
        yield server, client


async def create(client: FineTuningClient, number: int) -> FineTuningJob:
    file = await client.upload_file(EXAMPLE * (12 + number))
    return await client.create_job(MODEL, file.id, seed=number, metadata={"number": str(number)})


def asked(server: LocalServer, since: int) -> list[str]:
    """The paths of requests other than for lists of the whole account."""
    return sorted(each.path for each in server.requests[since:] if each.path not in LISTS)


async def test_it_holds_what_the_server_does_in_its_order(tmp_path: Path) -> None:
    async with account(3) as (_, client):
        running = await create(client, 9)
        jobs = await client.list_jobs().collect()
        named = jobs[-1].fine_tuned_model or ""
        await client.create_checkpoint_permissions(named, ["proj_a", "proj_b"])
        report = await archive_account(client, tmp_path)
        assert (report.listed, report.fetched, report.unfinished, report.files, report.gaps) == (4, 4, 1, 7, 0)
        with Archive(tmp_path) as archive:
            assert list(archive.jobs()) == jobs
            assert archive.job(running.id) == running
            for job in jobs:
                assert list(archive.events(job.id)) == await client.list_events(job.id).collect()
                assert list(archive.checkpoints(job.id)) == await client.list_checkpoints(job.id).collect()
            assert list(archive.permissions(named)) == await client.list_checkpoint_permissions(named).collect()
            assert {each.id for each in archive.models()} == {each.id async for each in client.list_models()}
            for file in archive.files():
                assert file.file == await client.retrieve_file(file.id)
                async with client.stream_file(file.id) as chunks:
                    content = b"".join([chunk async for chunk in chunks])
                with archive.open(file.id) as kept:
                    assert kept.read() == content
                assert file.size == len(content)
            assert len(list(archive.files())) == 7
            assert archive.verify().is_sound
            assert archive.summary().jobs == {"succeeded": 3, "validating_files": 1}


async def test_only_what_is_new_or_had_not_ended_is_fetched_again(tmp_path: Path) -> None:
    async with account(3) as (server, client):
        running = await create(client, 8)
        await archive_account(client, tmp_path)
        before = len(server.requests)
        report = await archive_account(client, tmp_path)
        of_job = f"/v1/fine_tuning/jobs/{running.id}"
        assert asked(server, before) == [f"{of_job}/checkpoints", f"{of_job}/events"]
        assert (report.listed, report.fetched, report.unfinished, report.files) == (4, 1, 1, 0)
        server.finish(running.id)
        new = await create(client, 9)
        before = len(server.requests)
        report = await archive_account(client, tmp_path)
        paths = asked(server, before)
        assert {path for path in paths if "/jobs/" in path} == {
            f"/v1/fine_tuning/jobs/{job.id}/{what}" for job in (running, new) for what in ("events", "checkpoints")
        }
        # A training file and a result file; each checkpoint's permissions.
        assert len([path for path in paths if path.endswith("/content")]) == 2 == report.files
        assert report.permissions == len([path for path in paths if path.endswith("/permissions")]) == 3
        with Archive(tmp_path) as archive:
            assert archive.job(running.id).status == "succeeded"
            assert list(archive.events(running.id)) == await client.list_events(running.id).collect()


async def test_a_job_that_has_only_just_ended_is_looked_at_once_more(tmp_path: Path) -> None:
    server = LocalServer()
    async with mounted(server.app) as url, FineTuningClient("k", base_url=url) as client:
        job = await create(client, 1)
        server.fail(job.id, code="made_up")
        assert (await archive_account(client, tmp_path)).unfinished == 1
        assert (await archive_account(client, tmp_path)).fetched == 1


async def test_pages_are_as_large_as_they_may_be_and_a_large_file_is_asked_for_once(tmp_path: Path) -> None:
    told: list[ArchiveProgress] = []
    async with account() as (server, client):
        file = await client.upload_file(EXAMPLE * 4_000)
        job = await client.create_job(MODEL, file.id)
        server.fail(job.id, code="made_up")
        before = len(server.requests)
        report = await archive_account(client, tmp_path, progress=told.append)
        made = server.requests[before:]
    limits = {(each.path, each.query["limit"]) for each in made if "limit" in each.query}
    assert {limit for path, limit in limits if path != "/v1/files"} == {"100"}
    assert ("/v1/files", "10000") in limits
    assert [each.path for each in made].count(f"/v1/files/{file.id}/content") == 1
    assert report.size == len(EXAMPLE) * 4_000
    assert len({each.size for each in told}) > 2, "told while it came"


async def test_files_and_permissions_can_be_left_out_and_fetched_another_time(tmp_path: Path) -> None:
    async with account(2) as (server, client):
        report = await archive_account(client, tmp_path, files=False, permissions=False)
        assert (report.files, report.permissions, report.unfinished) == (0, 0, 0)
        assert not [each for each in server.requests if each.path.endswith(("/content", "/permissions"))]
        assert not [each for each in server.requests if (each.method, each.path) == ("GET", "/v1/files")]
        with Archive(tmp_path) as archive:
            assert archive.summary().files_missing == 4
        before = len(server.requests)
        report = await archive_account(client, tmp_path)
        assert (report.fetched, report.files, report.permissions) == (0, 4, 6)
        assert not [path for path in asked(server, before) if "/jobs/" in path]


async def test_two_archives_of_one_account_have_the_same_lines(tmp_path: Path) -> None:
    async with account(3) as (_, client):
        await archive_account(client, tmp_path / "one", concurrency=1)
        await archive_account(client, tmp_path / "other")
        with Archive(tmp_path / "one") as one, Archive(tmp_path / "other") as other:
            lines = list(one.lines())
            assert lines == list(other.lines())
            assert one.export(tmp_path / "lines.jsonl") == len(lines)
    assert (tmp_path / "lines.jsonl").read_bytes() == b"".join(lines)
    # No write-ahead log (SQLite's file format, 1.3.3): it can be read where nothing can be written.
    assert (tmp_path / "one" / "archive.sqlite").read_bytes()[18:20] == b"\x01\x01"
    ids = [(line["kind"], line["id"]) for line in map(json.loads, lines)]
    kinds = list(dict.fromkeys(kind for kind, _ in ids))
    assert ids == sorted(ids, key=lambda each: (kinds.index(each[0]), each[1]))
    assert kinds == ["job", "event", "checkpoint", "file", "model"]


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_no_more_requests_are_under_way_than_allowed_and_none_waits_for_another(
    concurrency: int, tmp_path: Path
) -> None:
    latency = 1.0
    async with account(6) as (server, client):
        server.faults.add(Fault.work_delayed(latency))
        before = len(server.requests)
        report = await archive_account(client, tmp_path, concurrency=concurrency)
        made = len(server.requests) - before
    ideal = made * latency / concurrency
    # The clock is virtual: it moves only while requests wait. The list of jobs is what nothing can overtake.
    assert ideal <= report.seconds + 0.01
    assert report.seconds <= 1.1 * ideal + latency


async def test_it_says_how_far_it_has_come_and_how_long_the_rest_will_take(tmp_path: Path) -> None:
    told: list[ArchiveProgress] = []
    async with account(6) as (server, client):
        server.faults.add(Fault.work_delayed(1.0))
        report = await archive_account(client, tmp_path, concurrency=2, progress=told.append)
    assert all(each.remaining is None for each in told if each.listing)
    jobs, files, seconds = ([getattr(each, name) for each in told] for name in ("jobs", "files", "seconds"))
    assert jobs == sorted(jobs)
    assert files == sorted(files)
    assert seconds == sorted(seconds)
    last = told[-1]
    assert (last.jobs, last.files, last.permissions, last.gaps) == (6, 12, 18, 0)
    assert (last.jobs_known, last.files_known, last.permissions_known, last.remaining) == (6, 12, 18, 0.0)
    assert last.size == report.size > 0
    halfway = next(each for each in told if each.seconds >= report.seconds / 2)
    assert halfway.remaining is not None
    assert halfway.remaining == pytest.approx(report.seconds - halfway.seconds, rel=0.5)


@pytest.mark.parametrize(
    "options",
    [{"concurrency": 0}, {"concurrency": True}, {"concurrency": 1.5}, {"progress": "yes"}, {"directory": ""}],
    ids=str,
)
async def test_what_cannot_be_used_is_refused_before_anything_is_sent(
    options: dict[str, object], tmp_path: Path
) -> None:
    server = LocalServer()
    async with mounted(server.app) as url, FineTuningClient("k", base_url=url) as client:
        arguments: dict[str, object] = {"directory": tmp_path / "new", **options}
        with pytest.raises(InvalidArgumentError, match=next(iter(options))):
            await archive_account(client, **arguments)  # type: ignore[arg-type]
        assert not server.requests
    assert not (tmp_path / "new").exists()
