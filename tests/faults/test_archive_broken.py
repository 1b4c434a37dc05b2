"""What an archive does where the server, the disk, the process or the caller fails."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import (
    APIError,
    Archive,
    ArchiveError,
    ArchiveGap,
    AuthenticationError,
    FineTuningClient,
    PermissionDeniedError,
    RetryPolicy,
    ServerError,
    archive_account,
)
from fine_tuning_async.archive._desk import opened
from fine_tuning_async.server import Fault, LocalServer
from tests.contract.test_archive import MODEL, account, create
from tests.suspension import cancelled_at

if TYPE_CHECKING:
    from pathlib import Path

    from fine_tuning_async import ArchiveProgress

ONCE = RetryPolicy(attempts=1)
MADE = {"archive.lock", "archive.sqlite", "contents"}


def lines(directory: Path) -> list[bytes]:
    with Archive(directory) as archive:
        assert archive.verify().is_sound
        return list(archive.lines())


def gaps(directory: Path) -> list[ArchiveGap]:
    with Archive(directory) as archive:
        return list(archive.gaps())


def names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


def own_tasks() -> list[str]:
    return [text for text in map(repr, asyncio.all_tasks()) if "RequestHandler" not in text]


def partial(directory: Path) -> list[str]:
    return names(directory / "contents" / ".partial")


# -- the server ---------------------------------------------------------------------------------------------------


async def test_a_file_that_is_gone_is_noted_and_not_asked_for_again(tmp_path: Path) -> None:
    async with account(2) as (server, client):
        job = (await client.list_jobs()).data[0]
        assert job.training_file
        await client.delete_file(job.training_file)
        report = await archive_account(client, tmp_path)
        assert (report.gaps, report.unfinished) == (1, 0)
        reason = f"No such File object: {job.training_file}"
        assert gaps(tmp_path) == [ArchiveGap("file", job.training_file, 404, reason)]
        with Archive(tmp_path) as archive:
            assert archive.file(job.training_file).state == "gone"
            with pytest.raises(ArchiveError, match="does not have its content"):
                archive.open(job.training_file)
        before = len(server.requests)
        assert (await archive_account(client, tmp_path)).gaps == 1
        assert not [each for each in server.requests[before:] if job.training_file in each.path]


@pytest.mark.parametrize("status", [401, 403])
async def test_permissions_that_a_key_may_not_see_are_noted_once_and_fetched_with_another(
    status: int, tmp_path: Path
) -> None:
    async with account(2) as (server, client):
        denied = server.faults.add(Fault.status(status), path="/fine_tuning/checkpoints/*/permissions")
        told: list[ArchiveProgress] = []
        report = await archive_account(client, tmp_path, concurrency=1, progress=told.append)
        assert told[-1].gaps == 1
        assert (report.gaps, report.permissions) == (1, 0)
        (gap,) = gaps(tmp_path)
        assert (gap.kind, gap.id, gap.status) == ("permissions", "", status)
        # What was begun by then is asked for.
        assert len([each for each in server.requests if each.path.endswith("/permissions")]) <= 2
        denied.remove()
        before = len(server.requests)
        report = await archive_account(client, tmp_path, admin=client.with_options(api_key="sk-admin"))
        assert (report.gaps, report.fetched) == (0, 0)
        assert len([each for each in server.requests[before:] if each.path.endswith("/permissions")]) == 6


async def test_what_fails_for_now_is_noted_and_closed_by_the_next_run(tmp_path: Path) -> None:
    async with account(2) as (server, client):
        job = (await client.list_jobs()).data[0]
        assert job.training_file
        server.faults.add(Fault.status(500), path=f"/fine_tuning/jobs/{job.id}/events")
        server.faults.add(Fault.status(500), path=f"/files/{job.training_file}/content")
        report = await archive_account(client.with_options(retry=ONCE), tmp_path)
        assert (report.gaps, report.unfinished) == (2, 1)
        assert [(gap.kind, gap.id, gap.status) for gap in gaps(tmp_path)] == [
            ("file", job.training_file, 500),
            ("job", job.id, 500),
        ]
        server.faults.clear()
        report = await archive_account(client, tmp_path)
        assert (report.gaps, report.unfinished, report.fetched, report.files) == (0, 0, 1, 1)
        await archive_account(client, tmp_path / "quiet")
    assert lines(tmp_path) == lines(tmp_path / "quiet")


@pytest.mark.parametrize(
    ("status", "path", "kind", "most"),
    [
        (401, "/fine_tuning/jobs/*/events", AuthenticationError, 40),
        (500, "/fine_tuning/jobs/*/events", ServerError, 80),
        (403, "/fine_tuning/jobs", APIError, 9),
    ],
)
async def test_there_is_an_end_where_there_is_no_use_in_going_on(
    status: int, path: str, kind: type[APIError], most: int, tmp_path: Path
) -> None:
    async with account() as (server, client):
        job = await create(client, 0)
        assert job.training_file
        for number in range(20):
            await client.create_job(MODEL, job.training_file, seed=number)
        server.faults.add(Fault.status(status), path=path)
        before = len(server.requests)
        with pytest.raises(kind) as caught:
            await archive_account(client.with_options(retry=ONCE), tmp_path, files=False)
        assert not isinstance(caught.value, PermissionDeniedError) or status == 403
        assert len(server.requests) - before <= most
        server.faults.clear()
        assert (await archive_account(client, tmp_path)).fetched == 21


async def test_a_server_without_a_list_of_files_or_models_is_archived_all_the_same(tmp_path: Path) -> None:
    async with account(2) as (server, client):
        server.faults.add(Fault.status(404), path="/files")
        server.faults.add(Fault.status(403), path="/models")
        report = await archive_account(client, tmp_path)
        assert (report.files, report.gaps) == (4, 1)
        assert [(gap.kind, gap.status) for gap in gaps(tmp_path)] == [("models", 403)]


async def test_a_server_without_checkpoints_loses_no_events(tmp_path: Path) -> None:
    async with account(1) as (server, client):
        job = (await client.list_jobs()).data[0]
        server.faults.add(Fault.status(404), path="/fine_tuning/jobs/*/checkpoints")
        assert (await archive_account(client, tmp_path)).gaps == 0
        with Archive(tmp_path) as archive:
            assert list(archive.events(job.id)) == await client.list_events(job.id).collect()
        server.faults.add(Fault.status(404), path="/fine_tuning/jobs/*/events")
        assert (await archive_account(client, tmp_path / "other")).gaps == 1
        before = len(server.requests)
        await archive_account(client, tmp_path / "other")
        assert not [each for each in server.requests[before:] if job.id in each.path], "it is gone"


# -- the process and the caller -----------------------------------------------------------------------------------

KILLED = """
import asyncio, os, sys
from fine_tuning_async import FineTuningClient, archive_account
told = 0
def tell(progress):
    global told
    told += 1
    if told == int(sys.argv[3]):
        os.kill(os.getpid(), 9)
async def main():
    async with FineTuningClient("k", base_url=sys.argv[1]) as client:
        await archive_account(client, sys.argv[2], progress=tell)
asyncio.run(main())
"""


def test_after_any_kill_another_run_goes_on_and_all_is_as_if_there_had_been_none(tmp_path: Path) -> None:
    """The heavy run `archive` does it thirty times, at random moments."""

    async def fill(url: str) -> None:
        async with FineTuningClient("k", base_url=url) as client:
            for number in range(4):
                server.finish((await create(client, number)).id)

    async def finish(url: str, directory: Path) -> int:
        async with FineTuningClient("k", base_url=url) as client:
            return (await archive_account(client, directory)).fetched

    with LocalServer() as server:
        server.advance(minutes=60)
        asyncio.run(fill(server.url))
        for told in (3, 12):
            words = [sys.executable, "-c", KILLED, server.url, str(tmp_path / "killed"), str(told)]
            done = subprocess.run(words, check=False)  # noqa: S603 - our own words
            assert done.returncode == -signal.SIGKILL
        assert asyncio.run(finish(server.url, tmp_path / "killed")) < 4
        asyncio.run(finish(server.url, tmp_path / "quiet"))
    assert lines(tmp_path / "killed") == lines(tmp_path / "quiet")
    assert partial(tmp_path / "killed") == []


async def test_a_run_that_is_cancelled_anywhere_leaves_nothing_behind_and_is_gone_on_with(tmp_path: Path) -> None:
    async with account(2) as (server, client):
        await archive_account(client, tmp_path / "quiet")
        server.faults.add(Fault.work_delayed(0.01))
        tasks = len(own_tasks())
        for point in (1, 2, 3, 4, 5, 6, 8, 11, 15, 20, 26, 33, 41):
            if not await cancelled_at(point, archive_account(client, tmp_path / "cancelled", concurrency=2)):
                break
            assert len(own_tasks()) == tasks
            assert {*names(tmp_path / "cancelled")} <= MADE
        else:
            pytest.fail("the last point is behind the end")
        assert point > 8
    assert lines(tmp_path / "cancelled") == lines(tmp_path / "quiet")
    assert partial(tmp_path / "cancelled") == []


async def test_a_run_that_is_cancelled_while_it_lets_go_of_the_archive_has_let_go_of_it(tmp_path: Path) -> None:
    async def taken_and_left() -> None:
        async with opened(tmp_path, frozenset({"job"})):
            pass

    for point in (1, 2):
        assert await cancelled_at(point, taken_and_left())
        assert {*names(tmp_path)} <= MADE
        await taken_and_left()


async def test_an_error_of_the_progress_callable_ends_the_run_as_it_is(tmp_path: Path) -> None:
    def broken(_: ArchiveProgress) -> None:
        raise ZeroDivisionError("of the callable")

    async with account(2) as (_, client):
        with pytest.raises(ZeroDivisionError, match="of the callable"):
            await archive_account(client, tmp_path, progress=broken)
        assert (await archive_account(client, tmp_path)).unfinished == 0


async def test_a_second_writer_is_refused_while_readers_are_welcome(tmp_path: Path) -> None:
    seen: list[int] = []
    begun = asyncio.Event()

    def look(_: ArchiveProgress) -> None:
        begun.set()
        with Archive(tmp_path) as archive:
            seen.append(sum(archive.summary().jobs.values()))

    async with account(2) as (_, client):
        running = asyncio.create_task(archive_account(client, tmp_path, progress=look))
        await begun.wait()
        with pytest.raises(ArchiveError, match="another process is writing"):
            await archive_account(client, tmp_path)
        assert (await running).gaps == 0
    assert seen[-1] == 2
    assert {*names(tmp_path)} == MADE
