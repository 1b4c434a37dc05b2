"""What an archive does where the disk, or what is in the directory, does not allow one."""

from __future__ import annotations

import resource
import sqlite3
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import Archive, ArchiveError, FineTuningClient, archive_account
from fine_tuning_async.server import LocalServer
from tests.contract.test_archive import EXAMPLE, MODEL, account, create
from tests.faults.test_archive_broken import lines, partial
from tests.serving import mounted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def files(directory: Path) -> dict[Path, bytes]:
    return {each: each.read_bytes() for each in directory.rglob("*") if each.is_file() and each.stat().st_size}


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


async def test_what_a_process_leaves_that_is_killed_at_once_is_no_hindrance(tmp_path: Path) -> None:
    async with account(1) as (_, client):
        seen: set[str] = set()
        await archive_account(
            client,
            tmp_path / "one",
            progress=lambda _: seen.update(each.name for each in (tmp_path / "one").iterdir()),
        )
        (tmp_path / "other").mkdir()
        for name in seen - {"archive.sqlite", "contents"}:
            (tmp_path / "other" / name).touch()
        assert seen == {"archive.lock", "archive.sqlite", "archive.sqlite-shm", "archive.sqlite-wal", "contents"}
        await archive_account(client, tmp_path / "other")


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


async def test_a_content_that_cannot_be_named_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    taken = tmp_path / "contents" / sha256(EXAMPLE * 12).hexdigest()[:2]
    async with account(1) as (_, client):
        taken.parent.mkdir()
        a_file(taken)
        with pytest.raises(ArchiveError, match="failed"):
            await archive_account(client, tmp_path)
        assert partial(tmp_path) == []
        taken.unlink()
        assert (await archive_account(client, tmp_path)).unfinished == 0


async def test_what_a_killed_process_left_on_its_way_is_removed_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "contents" / ".partial").mkdir(parents=True)
    a_file(tmp_path / "contents" / ".partial" / "half")
    seen: list[list[str]] = []
    async with account(1) as (_, client):
        await archive_account(client, tmp_path, progress=lambda _: seen.append(partial(tmp_path)))
    assert not any("half" in each for each in seen)
    assert seen


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


async def test_a_content_that_was_cut_short_is_fetched_again(tmp_path: Path) -> None:
    async with account(1) as (_, client):
        job = (await client.list_jobs()).data[0]
        assert job.training_file
        await archive_account(client, tmp_path)
        with Archive(tmp_path) as archive:
            path = archive.file(job.training_file).path
        assert path is not None
        whole = path.read_bytes()
        path.write_bytes(whole[:-1])
        assert (await archive_account(client, tmp_path)).files == 1
        assert path.read_bytes() == whole


def test_an_archive_that_was_broken_off_before_it_began_says_so(tmp_path: Path) -> None:
    (tmp_path / "archive.sqlite").touch()
    with pytest.raises(ArchiveError, match="broken off before it began"):
        Archive(tmp_path)
