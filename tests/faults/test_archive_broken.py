"""What an archive does where the server, the disk, the process or the caller fails."""

from __future__ import annotations

import asyncio
import resource
import signal
import sqlite3
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
from fine_tuning_async.server import Fault, LocalServer
from tests.contract.test_archive import MODEL, account, create
from tests.serving import mounted
from tests.suspension import cancelled_at

if TYPE_CHECKING:
    from collections.abc import Iterator
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


def files(directory: Path) -> dict[Path, bytes]:
    return {each: each.read_bytes() for each in directory.rglob("*") if each.is_file() and each.stat().st_size}


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
        report = await archive_account(client, tmp_path, concurrency=1)
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


# -- the disk -----------------------------------------------------------------------------------------------------


def a_file(path: Path) -> None:
    path.write_text("x")


def other_things(path: Path) -> None:
    path.mkdir()
    (path / "thesis.txt").write_text("x")


def no_database(path: Path) -> None:
    path.mkdir()
    (path / "archive.sqlite").write_text("no database at all " * 100)


def other_database(path: Path) -> None:
    path.mkdir()
    connection = sqlite3.connect(path / "archive.sqlite")
    connection.execute("CREATE TABLE cats (name)")
    connection.close()


def newer_version(path: Path) -> None:
    path.mkdir()
    connection = sqlite3.connect(path / "archive.sqlite")
    connection.executescript("PRAGMA application_id = 0x46744172; PRAGMA user_version = 2; CREATE TABLE jobs (id)")
    connection.close()


@pytest.mark.parametrize(
    ("make", "reason", "unreadable"),
    [
        (a_file, "is a file; name a directory", "there is no archive"),
        (other_things, r"is no archive, and holds other things \('thesis.txt'\)", "there is no archive"),
        (no_database, "is no database", "is no database"),
        (other_database, "is no archive", "is no archive"),
        (newer_version, r"newer version of fine-tuning-async \(schema 2, here 1\)", "newer version"),
    ],
)
async def test_what_is_no_archive_is_refused_and_left_alone(
    make: object, reason: str, unreadable: str, tmp_path: Path
) -> None:
    assert callable(make)
    path = tmp_path / "there"
    make(path)
    before = files(tmp_path)
    server = LocalServer()
    async with mounted(server.app) as url, FineTuningClient("k", base_url=url) as client:
        with pytest.raises(ArchiveError, match=reason):
            await archive_account(client, path)
        assert not server.requests
    with pytest.raises(ArchiveError, match=unreadable):
        Archive(path)
    assert files(tmp_path) == before


async def test_a_directory_that_cannot_be_made_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    a_file(tmp_path / "file")
    server = LocalServer()
    async with mounted(server.app) as url, FineTuningClient("k", base_url=url) as client:
        with pytest.raises(ArchiveError, match="no archive can be made"):
            await archive_account(client, tmp_path / "file" / "below")
        assert not server.requests


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Let no file of this process grow beyond 600 kB: the system refuses the rest as a full disk does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("of", ["contents", "the database"])
async def test_a_full_disk_is_told_and_what_was_fetched_stays(of: str, small_disk: None, tmp_path: Path) -> None:
    async with account(1) as (server, client):
        if of == "contents":
            file = await client.upload_file(b'{"messages": []}\n' * 50_000)
            job = await client.create_job(MODEL, file.id)
            server.fail(job.id, code="x")
        else:
            for number in range(12):
                server.finish((await create(client, number)).id)
        with pytest.raises(ArchiveError, match=r"cannot be written|failed"):
            await archive_account(client, tmp_path)
        assert partial(tmp_path) == []
        resource.setrlimit(resource.RLIMIT_FSIZE, resource.getrlimit(resource.RLIMIT_FSIZE)[1:] * 2)
        await archive_account(client, tmp_path)
        await archive_account(client, tmp_path / "quiet")
    assert lines(tmp_path) == lines(tmp_path / "quiet")


async def test_a_damaged_content_is_found_and_fetched_again_once_it_is_removed(tmp_path: Path) -> None:
    async with account(1) as (_, client):
        job = (await client.list_jobs()).data[0]
        assert job.training_file
        await archive_account(client, tmp_path)
        with Archive(tmp_path) as archive:
            path = archive.file(job.training_file).path
            assert path is not None
            path.write_bytes(path.read_bytes()[::-1])
            found = archive.verify()
            assert not found.is_sound
            (damage,) = found.damages
            assert (damage.files, damage.path) == ((job.training_file,), path)
            assert "checksum" in damage.reason
            path.unlink()
            assert "cannot be read" in archive.verify().damages[0].reason
        report = await archive_account(client, tmp_path)
        assert (report.fetched, report.files) == (0, 1)
    lines(tmp_path)


def test_an_archive_that_was_broken_off_before_it_began_says_so(tmp_path: Path) -> None:
    (tmp_path / "archive.sqlite").touch()
    with pytest.raises(ArchiveError, match="broken off before it began"):
        Archive(tmp_path)
